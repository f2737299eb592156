"""All questions together, and maps restricted to subspaces that they leave invariant."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.gradient.any_metric_test import any_metric
from bifurcate.gradient.diagonal_metric import diagonal
from bifurcate.gradient.field import LARGEST_DENSE, checked
from bifurcate.gradient.result_types import Consistent, Reconstructed, Refuted, TestResult
from bifurcate.gradient.symmetry import conformal, euclidean
from bifurcate.maps.map import Map
from bifurcate.printing import short_repr
from bifurcate.validation import check_array

__all__ = ["TestResults", "restrict", "verdict"]

GRAM_ERROR = 1e-12  # |B Bᵀ − I| up to which a basis counts as orthonormal: rounding of one that a QR or SVD gives
MOST_STARTS = 5  # states, those of the least update first, from which an equilibrium is looked for
LEAK = 1e-10  # what may leave a subspace, relative to the state, before it counts as not invariant


@dataclass(frozen=True, eq=False)
class TestResults:
    """Is a map a gradient flow? In the Euclidean metric, a multiple of it, a diagonal one, any.

    Attributes
    ----------
    euclidean : Refuted, Consistent or Reconstructed
    conformal : Refuted or Consistent
    diagonal : Refuted, Consistent, Reconstructed or None
    any_metric : Refuted, Consistent or None
        At the equilibrium that Newton's method found from one of the states; None if it found none, and, like
        ``diagonal``, for more than 1500 unknowns.
    """

    euclidean: TestResult
    conformal: Refuted | Consistent
    diagonal: TestResult | None
    any_metric: Refuted | Consistent | None

    __repr__ = short_repr

    @property
    def energy(self) -> Reconstructed | None:
        """The verdict that reconstructs an energy, the Euclidean one first; None if none does."""
        for each in (self.euclidean, self.diagonal):
            if isinstance(each, Reconstructed):
                return each
        return None

    def __str__(self) -> str:
        absent = (
            "not tested: a diagonal metric, of more than 1500 unknowns",
            "not tested: any metric, at no equilibrium",
        )
        rest = (absent[k] if each is None else str(each) for k, each in enumerate((self.diagonal, self.any_metric)))
        return "\n".join([str(self.euclidean), str(self.conformal), *rest])


@old_positions("seed")
def verdict(map: Map, states: Any, *, seed: int = 0) -> TestResults:
    """All that can be said: by :func:`euclidean`, :func:`conformal`, :func:`diagonal`, :func:`any_metric`.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x).
    states : sequence of array_like
        Where to test.
    seed : int

    Returns
    -------
    TestResults

    Raises
    ------
    InvalidInput
        If an argument is unusable.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])  # diag(1, 2) A is symmetric
    >>> states = np.random.default_rng(1).standard_normal((5, 2))
    >>> said = verdict(Map(lambda x: x - 0.1 * A @ x, {}), states)
    >>> said.euclidean.kind, said.diagonal.kind, said.any_metric.kind
    ('refuted', 'reconstructed', 'consistent')
    >>> m = said.energy.metric(states[0])
    >>> round(float(m[1] / m[0]), 9)
    2.0
    """
    field, X = checked(map, states)
    if field.size > LARGEST_DENSE:
        return TestResults(euclidean(map, states, seed=seed), conformal(map, states, seed=seed), None, None)
    near = sorted(X, key=lambda x: float(np.abs(field(x)).max()))
    at_rest = None
    for x in near[:MOST_STARTS]:
        try:
            at_rest = any_metric(map, x.reshape(field.shape), seed=seed)
            break
        except NotConverged:
            continue
    return TestResults(
        euclidean(map, states, seed=seed), conformal(map, states, seed=seed), diagonal(map, states, seed=seed), at_rest
    )


def restrict(map: Map, basis: Any) -> Map:
    """A map on a linear subspace that it leaves invariant, in coordinates z: x = Σ zₖ basisₖ.

    G is a gradient on the subspace, in the metric that it inherits, if the restricted map's is in the Euclidean one.

    Parameters
    ----------
    map : Map
    basis : array_like, shape (d, *state's shape)
        Orthonormal.

    Returns
    -------
    Map
        On states z of shape (d,). It raises InvalidInput at a state whose image leaves the subspace by more than a
        relative 1e-10.

    Raises
    ------
    InvalidInput
        If the basis is not orthonormal.

    Examples
    --------
    >>> import numpy as np
    >>> swap = Map(lambda x, a: a * x[::-1], {"a": 0.5})
    >>> restrict(swap, [np.array([1.0, 1.0]) / np.sqrt(2)])([2.0])
    array([1.])
    """
    if not isinstance(map, Map):
        raise InvalidInput(f"map must be a bifurcate Map, got {type(map).__name__}")
    B = check_array("basis", basis)
    if B.ndim < 2 or not np.isfinite(B).all():
        raise InvalidInput("basis must be a sequence of finite states: shape (d, *state's shape)")
    shape, B = B.shape[1:], B.reshape(len(B), -1)
    off = float(np.abs(B @ B.T - np.eye(len(B))).max())
    if off > GRAM_ERROR:
        raise InvalidInput(f"basis is not orthonormal: its Gram matrix differs from I by {off:.1e}")

    def up(z: np.ndarray) -> np.ndarray:
        return np.asarray((z @ B).reshape(shape))

    def f(z: np.ndarray, **p: float) -> np.ndarray:
        y = np.asarray(map.f(up(z), **p), dtype=float).reshape(-1)
        coordinates = B @ y
        if not np.abs(y - coordinates @ B).max() <= LEAK * max(map.scale, float(np.abs(y).max())):
            raise InvalidInput(f"{map.name} does not leave the subspace invariant")
        return np.asarray(coordinates)

    def below(g: Any) -> Any:
        return None if g is None else lambda z, **p: g(up(z), **p)

    return dataclasses.replace(
        map,
        f=f,
        jvp=lambda z, v, **p: B @ map.tangent(up(z), up(v), p).reshape(-1),
        jacobian=None,
        parameter_derivative=None,
        domain=below(map.domain),
        borders=below(map.borders),
        derivative="central",
        at=None,
        name=f"{map.name} on a subspace",
    )
