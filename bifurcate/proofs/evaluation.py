"""The map of a proof: the user's function on jets, checked against itself on floats.

Every parameter is a jet, those that are not free with radius 0, so that no operation on parameters is rounded either.
What a theorem says, it says of the formula in f with its numbers as the doubles that they are: 0.1 is the double.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.proofs.balls import Ball, Matrix, ball, magnitude, matrix, nearest
from bifurcate.proofs.jets import Jet, NotEvaluable, Undecided, constant
from bifurcate.validation import check_array

__all__ = ["BallMap", "Subspace", "seed"]

# Relative difference between f on floats and on jets up to which they count as one function: rounding in f is a few
# 1e-16, more where terms cancel; an operation that objects treat otherwise, as a real part, changes leading digits.
SAME_FUNCTION = 1e-9

ADVICE = "Write f with plain NumPy arithmetic, or give such a formula beside it: Map(…, exact=plain_f)"
NEAR_ZERO = 1e-2  # part of the map's scale by which states at 0 are moved in comparisons

Vector = NDArray[np.float64]


def seed(value: Ball, index: int) -> Jet:
    """The jet of an unknown: a ball with slope 1 by itself."""
    return Jet(((value, {index: flint.arb(1)}),))


@dataclass(frozen=True, eq=False)
class Subspace:
    """A linear subspace {S y} that a map is declared to leave invariant.

    Attributes
    ----------
    basis : ndarray, shape (n, m)
        S: linearly independent columns.
    rows : tuple of int
        m rows of S that are independent: two states in the subspace are equal if they agree there.
    reason : str
        What was declared, as a theorem names it; "" for the whole space.
    is_reflected : bool
        True if it is the fixed space of a declared symmetry of order 2.
    """

    basis: Vector
    rows: tuple[int, ...]
    reason: str = ""
    is_reflected: bool = False

    @staticmethod
    def whole(n: int) -> Subspace:
        """All of space: nothing is declared."""
        return Subspace(np.eye(n), tuple(range(n)))

    @staticmethod
    def spanned(basis: Any, n: int, reason: str) -> Subspace:
        """The span of the columns of a matrix.

        Raises
        ------
        InvalidInput
            If it is no n × m matrix of rank m.
        """
        S = check_array("invariant", basis)
        S = S[:, None] if S.ndim == 1 else S
        # An (n, 0) matrix spans the state 0.
        if S.ndim != 2 or len(S) != n or (S.shape[1] and np.linalg.matrix_rank(S) < S.shape[1]):
            raise InvalidInput(f"an invariant subspace is given by an ({n}, m) matrix of rank m, got shape {S.shape}")
        rows: list[int] = []
        for i in range(n):
            if len(rows) < S.shape[1] and np.linalg.matrix_rank(S[[*rows, i]]) > len(rows):
                rows.append(i)
        return Subspace(S, tuple(rows), reason)

    @staticmethod
    def fixed_by(symmetry: Any, n: int) -> Subspace:
        """The states that a declared symmetry R leaves alone, R x = x, with a basis in exact arithmetic.

        Raises
        ------
        InvalidInput
            If R is no n × n matrix of order 2, or the basis is not made of doubles.
        """
        R = check_array("symmetry", symmetry)
        if R.shape != (n, n) or not np.array_equal(R @ R, np.eye(n)) or np.array_equal(R, np.eye(n)):
            raise InvalidInput(f"a symmetry is given by an ({n}, {n}) matrix R other than I with R R = I exactly")
        basis = (R + np.eye(n)) / 2.0  # the projection onto the fixed space: its independent columns are a basis
        columns: list[int] = []
        for j in range(n):
            if np.linalg.matrix_rank(basis[:, [*columns, j]]) > len(columns):
                columns.append(j)
        found = Subspace.spanned(basis[:, columns], n, "f commutes with the declared symmetry")
        return Subspace(found.basis, found.rows, found.reason, is_reflected=True)

    def contains(self, x: Vector, tolerance: float) -> bool:
        """True if a state lies in the subspace, up to a tolerance, in doubles."""
        if self.is_whole:
            return True
        back = self.basis @ self.coordinates(x)
        return bool(np.max(np.abs(back - x), initial=0.0) <= tolerance)

    @property
    def size(self) -> int:
        """m."""
        return int(self.basis.shape[1])

    @property
    def is_whole(self) -> bool:
        """True if nothing is declared."""
        return not self.reason

    def coordinates(self, x: Vector) -> Vector:
        """y with S y = x on the rows: nearest doubles."""
        if self.is_whole:
            return x
        return np.asarray(
            np.linalg.solve(self.basis[list(self.rows)], x[list(self.rows)]) if self.rows else np.empty(0)
        )

    def lift(self, y: Sequence[Any]) -> list[Any]:
        """S y for balls or jets."""
        if self.is_whole:
            return list(y)
        zero = flint.arb(0)
        lifted: list[Any] = []
        for row in self.basis:
            terms = [y[j] * float(s) for j, s in enumerate(row) if s]
            lifted.append(sum(terms[1:], terms[0]) if terms else zero)
        return lifted


@dataclass(frozen=True, eq=False)
class BallMap:
    """A map on flattened states of jets.

    Attributes
    ----------
    map : Map
    shape : tuple of int
        The shape in which f wants its states.
    parameters : mapping of str to float
        Values of all parameters; those of the free ones are replaced in each call.
    free : str or None
        The parameter that is an unknown.
    evaluations : list of int
        One number: how often f was evaluated on jets.
    """

    map: Map
    shape: tuple[int, ...]
    parameters: Mapping[str, float]
    free: str | None = None
    evaluations: list[int] = field(default_factory=lambda: [0])

    @property
    def size(self) -> int:
        """n."""
        return int(np.prod(self.shape))

    @property
    def formula(self) -> Any:
        """What is evaluated on jets: the plain formula where the map has one, f otherwise."""
        return self.map.f if self.map.exact is None else self.map.exact

    def values(self, free: Any = None) -> dict[str, Jet]:
        """All parameters as jets, the free one as given, or several by their names."""
        values = {name: constant(value) for name, value in self.parameters.items()}
        if isinstance(free, Mapping):
            return {**values, **free}
        if self.free is not None and free is not None:
            values[self.free] = free if isinstance(free, Jet) else constant(free)
        return values

    def __call__(self, x: Sequence[Any], p: Mapping[str, Jet]) -> list[Jet]:
        """f at a state of jets or balls: one evaluation.

        Raises
        ------
        Undecided
            If a comparison in f differs within the balls.
        NotEvaluable
            If f uses an operation that balls do not have; the message names it.
        """
        state = np.empty(len(x), dtype=object)
        state[:] = [each if isinstance(each, Jet) else constant(each) for each in x]
        self.evaluations[0] += 1
        try:
            image = np.asarray(self.formula(state.reshape(self.shape), **p))
        except Undecided as error:
            raise Undecided(f"{self.map.name} cannot be evaluated on balls here: {error}") from error
        except NotEvaluable as error:
            raise NotEvaluable(f"{self.map.name} cannot be evaluated on balls: it uses {error}. {ADVICE}") from error
        except InvalidInput:
            raise
        except Exception as error:
            raise NotEvaluable(
                f"{self.map.name} cannot be evaluated on balls: {type(error).__name__}: {error}. {ADVICE}"
            ) from error
        if image.shape != self.shape:
            raise NotEvaluable(f"{self.map.name} maps jets of shape {self.shape} to shape {image.shape}")
        return [each if isinstance(each, Jet) else constant(each) for each in image.ravel().tolist()]

    def reduced(self, differences: Sequence[Ball]) -> list[Ball]:
        """Differences of states, those of coordinates on circles moved by whole periods to the one nearest 0.

        A solution has differences 0 there, so that near one the whole number is the same at every point.
        """
        if self.map.periods is None:
            return list(differences)
        found = []
        for each, period in zip(differences, self.map.periods.tolist()):
            turns = round(nearest(each) / period) if np.isfinite(period) and each.is_finite() else 0
            found.append(each - turns * ball(period) if turns else each)
        return found

    def image(self, x: Sequence[Ball], free: Ball | None = None) -> list[Ball]:
        """f at a state of balls."""
        return [each.value for each in self(x, self.values(free))]

    def derivatives(
        self, x: Sequence[Ball], free: Ball | None = None, subspace: Subspace | None = None
    ) -> tuple[list[Ball], Matrix, list[Ball]]:
        """f, its Jacobian (n × n, or n × m in the coordinates of a subspace) and its slope by the free parameter.

        Parameters
        ----------
        x : sequence of balls
            The state, or its coordinates in the subspace.
        free : ball, optional
            The free parameter's value.
        subspace : Subspace, optional
        """
        m = len(x)
        state: Sequence[Any] = [seed(value, j) for j, value in enumerate(x)]
        image = self(subspace.lift(state) if subspace is not None else state, self.values(self._seeded(free, m)))
        J = flint.arb_mat(len(image), m)
        by_parameter = []
        for i, each in enumerate(image):
            slopes = each.c[0][1]
            for j, slope in slopes.items():
                if j < m:
                    J[i, j] = slope
            by_parameter.append(slopes.get(m, flint.arb(0)))
        return [each.value for each in image], J, by_parameter

    def _seeded(self, free: Ball | None, index: int) -> Jet | None:
        return None if free is None else seed(free, index)

    def _size(self, x: Vector) -> float:
        """The size of a state, or a part of the map's scale if that is larger."""
        return max(float(np.abs(x).max(initial=0.0)), NEAR_ZERO * self.map.scale)

    def check(self, x: Vector, p: Mapping[str, float]) -> None:
        """Compare f on floats with f on jets of radius 0 at a state and two near it.

        Raises
        ------
        NotEvaluable
            If they differ by more than 10⁻⁹ of the values' size: then f means something else on objects.
        """
        generator = np.random.default_rng(len(x))
        for spread in (0.0, 1e-3, 1e-2):
            state = x + spread * self._size(x) * generator.standard_normal(x.shape)
            with np.errstate(all="ignore"):
                there = np.asarray(self.map.f(state.reshape(self.shape), **p), dtype=float).ravel()
            try:
                values = [each.value for each in self(state.tolist(), {k: constant(v) for k, v in p.items()})]
            except Undecided:
                continue
            size = max(float(np.abs(there).max(initial=0.0)), self.map.scale)
            for number, enclosed in zip(there.tolist(), values):
                if not np.isfinite(number) or not enclosed.is_finite():
                    continue
                if not magnitude(enclosed - number) <= SAME_FUNCTION * size:
                    raise NotEvaluable(
                        f"{self.map.name} gives {nearest(enclosed):.17g} on balls and {number:.17g} on floats: "
                        + (
                            "an operation in it means something else on objects"
                            if self.map.exact is None
                            else "exact= is not the same function as f"
                        )
                    )

    def check_subspace(self, subspace: Subspace, y: Vector, p: Mapping[str, float]) -> None:
        """Refuse a subspace that f visibly does not leave invariant, at y and near it.

        Raises
        ------
        InvalidInput
        """
        if subspace.is_whole:
            return
        generator = np.random.default_rng(len(y))
        for spread in (0.0, 0.1):
            here = y + spread * self._size(y) * generator.standard_normal(y.shape)
            image = self(subspace.lift([ball(v) for v in here]), {k: constant(v) for k, v in p.items()})
            if subspace.size == 0:
                left = [each.value for each in image]
            else:
                inverse = matrix(subspace.basis[list(subspace.rows)]).inv()
                inner = inverse * flint.arb_mat(subspace.size, 1, [image[i].value for i in subspace.rows])
                back = matrix(subspace.basis) * inner
                left = [back[i, 0] - image[i].value for i in range(self.size)]
            if not all(bool(each.contains(0)) for each in left):
                raise InvalidInput(f"{self.map.name} does not leave the declared subspace invariant")
