"""Maps with constraints: conserved quantities held at their values, and phases fixed, so that solutions are isolated.

Where c(f(x)) = c(x), or where f commutes with a continuous group, fixed points form manifolds: J − I is singular at all
of them. The constrained map

    g(x) = f(x) − W (c(x) − c₀),   c'(x₀) W = I,

has the solutions of f with c = c₀ and no others nearby, isolated. The m multipliers 1 that belong to the manifold
become 0; the others stay: where c is conserved for any W, since the rows of c' are left null vectors of J − I; where a
group acts for W in the tangent space of its orbit, which J leaves alone (the bordering of Kuznetsov, Elements of
Applied Bifurcation Theory, 2004, section 10.2, folded into the map).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.calls import call
from bifurcate.maps.derivatives import FIVE_POINT_STEP, central_difference
from bifurcate.maps.map import Map
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_array, check_instance, check_sequence, check_text

__all__ = ["constrained"]

Array = NDArray[np.float64]

SMALLEST_GAIN = 1e-8  # of c' W, relative to its largest: below, the constraints depend on each other


@dataclass(frozen=True, eq=False)
class _ConstrainedRule(Portable):
    """f − W (c − c₀) and its derivatives.

    Attributes
    ----------
    map : Map
        f.
    conserved : callable or ndarray of shape (m, n)
        c, or its matrix where it is linear.
    W : ndarray, shape (n, m)
        Along which the state is pulled back.
    values : ndarray, shape (m,)
        c₀.
    names : tuple of str
        Parameters that hold c₀; empty where ``values`` do.
    """

    map: Map
    conserved: Any
    W: Array
    values: Array
    names: tuple[str, ...]

    def _own(self, p: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in p.items() if name not in self.names}

    def quantities(self, x: Any, p: Mapping[str, Any]) -> Any:
        """c(x), shape (m,)."""
        if not callable(self.conserved):
            return self.conserved @ np.ravel(x)
        return np.ravel(call(self.conserved, "conserved", x, **self._own(p)))

    def f(self, x: Any, **p: Any) -> Any:
        """The constrained map."""
        wanted = np.array([p[name] for name in self.names]) if self.names else self.values
        pull = self.W @ (self.quantities(x, p) - wanted)
        return np.asarray(self.map.f(x, **self._own(p))) - pull.reshape(np.shape(x))

    def slopes(self, x: Array, v: Array, p: Mapping[str, float]) -> Array:
        """c'(x) v."""
        if not callable(self.conserved):
            return np.asarray(self.conserved @ v.ravel())
        length = float(np.abs(v).max()) or 1.0
        step = FIVE_POINT_STEP * max(self.map.scale, float(np.abs(x).max())) / length
        return central_difference(lambda t: self.quantities(x + t * v, p), step)

    def jvp(self, x: Array, v: Array, **p: float) -> Array:
        """Its derivative in a direction."""
        slope = self.map.tangent(x, v, self._own(p)) - (self.W @ self.slopes(x, v, p)).reshape(x.shape)
        return np.asarray(slope)


def constrained(
    map: Map,
    conserved: Callable[..., Any] | Any,
    at: Any,
    *,
    along: Any = None,
    totals: Sequence[str] = (),
    name: str = "",
) -> Map:
    """A map whose solutions with given values of some quantities are isolated.

    For maps that conserve quantities, as the total of a population, and for maps with a continuous symmetry, where
    ``conserved`` are phases: any functions that tell the members of a family of solutions apart.

    Parameters
    ----------
    map : Map
        f.
    conserved : callable or array_like of shape (m, n)
        c: ``conserved(x, **parameters)`` → a number or m of them, or the matrix of linear ones on the flattened state.
    at : array_like
        A state: its c are the values that are held, and c' is taken there.
    along : array_like, shape (n,) or (n, m), optional
        W up to a factor: the tangents of the family of solutions at that state, where a symmetry, and no conservation,
        makes one; by default the rows of c', which serve wherever c is conserved.
    totals : sequence of str, optional
        Names of m new parameters that hold the values, so that they can be continued.
    name : str
        Of the new map.

    Returns
    -------
    Map
        g(x) = f(x) − W (c(x) − c₀), with the parameters of f and those that ``totals`` name. Its solutions near ``at``
        are those of f with c = c₀; the multipliers 1 of the family are 0, the others those of f.

    Raises
    ------
    InvalidInput
        If an argument is unusable, or the constraints depend on each other, or do not vary along ``along``.

    Examples
    --------
    >>> import bifurcate as bf
    >>> exchange = bf.Map(lambda x, k: x + 0.1 * np.array([x[1] - k * x[0], k * x[0] - x[1]]), {"k": 1.0})
    >>> held = bf.constrained(exchange, [[1.0, 1.0]], at=[0.2, 0.6], totals=["N"])
    >>> bf.solve(held, [0.2, 0.6]).state.round(9), bf.solve(held.replace(N=2.0), [0.2, 0.6]).state.round(9)
    (array([0.4, 0.4]), array([1., 1.]))
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    check_text("name", name)
    x = map.check(at)
    p = dict(map.parameters)
    if not callable(conserved):
        conserved = np.atleast_2d(check_array("conserved", conserved))
        if conserved.shape[1:] != (x.size,):
            raise InvalidInput(f"conserved has shape {conserved.shape}; for this state it must be (m, {x.size})")
    rule = _ConstrainedRule(map, conserved, np.zeros((x.size, 1)), np.zeros(1), ())
    values = check_array("what conserved returns", rule.quantities(x, p))
    m = len(values)
    slopes = np.column_stack([rule.slopes(x, e.reshape(x.shape), p) for e in np.eye(x.size)])
    ways = slopes.T if along is None else check_array("along", along)
    if ways.size != x.size * m:
        raise InvalidInput(f"along has shape {ways.shape}; for {m} constraints it must be ({x.size}, {m})")
    ways = ways.reshape(x.size, m)
    gains = slopes @ ways
    singular = np.linalg.svd(gains, compute_uv=False)
    if not singular[-1] > SMALLEST_GAIN * max(float(singular[0]), 1e-300):
        raise InvalidInput("the constraints depend on each other at this state, or do not vary along the ways given")
    names = tuple(check_text("an entry of totals", each) for each in check_sequence("totals", totals, "names"))
    if names and (len(names) != m or len(set(names)) < m or set(names) & set(p)):
        raise InvalidInput(f"totals are {', '.join(names)}; {m} new names of parameters are asked for")
    rule = _ConstrainedRule(map, conserved, ways @ np.linalg.inv(gains), values, names)
    return Map(
        rule.f,
        {**p, **dict(zip(names, values.tolist()))},
        jvp=rule.jvp,
        domain=None if map.domain is None else _without(map.domain, names),
        borders=None if map.borders is None else _without(map.borders, names),
        scale=map.scale,
        name=name or f"{map.name}, constrained",
        advice=map.advice,
        noise=map.noise,
    )


@dataclass(frozen=True, eq=False)
class _Without(Portable):
    """A function that is not told of some parameters."""

    function: Callable[..., Any]
    names: tuple[str, ...]

    def __call__(self, x: Any, **p: Any) -> Any:
        return self.function(x, **{name: value for name, value in p.items() if name not in self.names})


def _without(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    return _Without(function, names) if names else function
