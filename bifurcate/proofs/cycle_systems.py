"""The systems whose regular zeros are cycles, folds, flips, branch points and Neimark–Sacker points.

A cycle of period k is x₀, …, x_{k−1} with f(x_i) = x_{i+1} (multiple shooting: f^k is never composed on wide balls).
At a special point the parameter p is an unknown too, and a critical vector goes round the cycle:

    fold, branch point    J_{k−1} ⋯ J₀ v₀ =  v₀        by  J_i v_i = v_{i+1},  J_{k−1} v_{k−1} =  v₀,   l·v₀ = 1
    flip                  J_{k−1} ⋯ J₀ v₀ = −v₀        by  J_i v_i = v_{i+1},  J_{k−1} v_{k−1} = −v₀,   l·v₀ = 1
    Neimark–Sacker        J_{k−1} ⋯ J₀ v₀ = e^{iθ} v₀  with v = a + ib, c = cos θ, s = sin θ: the last equation is
                          J a = c a₀ − s b₀,  J b = s a₀ + c b₀,  with l·v₀ = 1 for a complex l, and c² + s² = 1

l is fixed: doubles. A zero of one of these systems is regular where the point is simple and met with nonzero speed: a
fold with nonzero quadratic term and <p, f_p> ≠ 0, a multiplier that crosses −1 or the circle (Govaerts, Numerical
Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, sections 4.1, 4.5 and 4.7). Branch points are regular only
where the state is confined to an invariant subspace to which the critical vector does not belong, so that they have to
be declared.

In the unknowns come first all of x₀, …, x_{k−1} in the coordinates of the subspace, then p, then v₀, …, v_{k−1} (or
a₀, …, b₀, …), then c and s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.proofs.balls import Ball, Matrix
from bifurcate.proofs.evaluation import BallMap, Subspace, seed
from bifurcate.proofs.jets import Jet

__all__ = ["CRITICAL", "CycleSystem", "SpecialPointSystem", "unit_of_parameter", "unit_of_state"]

Vector = NDArray[np.float64]

# The real critical multiplier of each kind; Neimark-Sacker points have a pair.
CRITICAL = {"fold": 1.0, "branch point": 1.0, "flip": -1.0}


# Least units: of the state in the map's scale, and of a parameter in that of 1, where a value is near 0 and says
# nothing about its own size. A unit that is too small or too large costs uniqueness radius, never truth.
SMALLEST_UNIT = 1e-3


def unit_of_parameter(value: float) -> float:
    """The unit in which radii of a parameter are measured: its size, or a thousandth if that is larger."""
    return max(abs(value), SMALLEST_UNIT)


def unit_of_state(map_scale: float, states: Vector) -> float:
    """The unit in which radii of the state are measured: its size, or the map's scale if that is larger."""
    return max(float(np.abs(states).max(initial=0.0)), SMALLEST_UNIT * map_scale)


@dataclass(frozen=True, eq=False)
class CycleSystem:
    """f(x_i) − x_{i+1} = 0 at fixed parameters: k m equations.

    Attributes
    ----------
    ball_map : BallMap
    period : int
    subspace : Subspace
    scale : float
        Unit of the state.
    """

    ball_map: BallMap
    period: int
    subspace: Subspace
    scale: float

    @cached_property
    def weights(self) -> Vector:
        """The unit of the state, for every unknown."""
        return np.full(self.period * self.subspace.size, self.scale)

    def residual(self, z: Sequence[Ball]) -> list[Ball]:
        """f(x_i) − x_{i+1} on the subspace's rows."""
        m, out = self.subspace.size, []
        for i in range(self.period):
            image = self.ball_map.image(self.subspace.lift(z[i * m : (i + 1) * m]))
            j = (i + 1) % self.period
            following = self.subspace.lift(z[j * m : (j + 1) * m])
            difference = self.ball_map.reduced([a - b for a, b in zip(image, following)])
            out += [difference[r] for r in self.subspace.rows]
        return out

    def linearise(self, z: Sequence[Ball]) -> tuple[list[Ball], Matrix]:
        """The same, and its derivative: k evaluations of f."""
        m, k = self.subspace.size, self.period
        F: list[Ball] = []
        DF = flint.arb_mat(k * m, k * m)
        for i in range(k):
            image, J, _ = self.ball_map.derivatives(z[i * m : (i + 1) * m], None, self.subspace)
            j = (i + 1) % k
            following = self.subspace.lift(z[j * m : (j + 1) * m])
            difference = self.ball_map.reduced([a - b for a, b in zip(image, following)])
            for a, r in enumerate(self.subspace.rows):
                F.append(difference[r])
                for b in range(m):
                    DF[i * m + a, i * m + b] += J[r, b]
                    DF[i * m + a, j * m + b] -= float(self.subspace.basis[r, b])
        return F, DF


@dataclass(frozen=True, eq=False)
class SpecialPointSystem:
    """The system of a fold, flip, branch point or Neimark–Sacker point; see the head of the file.

    Attributes
    ----------
    ball_map : BallMap
        With the free parameter.
    period : int
    subspace : Subspace
    kind : str
    functional : ndarray, shape (n,)
        l, complex for Neimark–Sacker points.
    scale, parameter_scale : float
        Units of state and parameter.
    """

    ball_map: BallMap
    period: int
    subspace: Subspace
    kind: str
    functional: NDArray[np.complex128] | Vector
    scale: float
    parameter_scale: float

    @property
    def is_pair(self) -> bool:
        """True for Neimark–Sacker points."""
        return self.kind not in CRITICAL

    @cached_property
    def weights(self) -> Vector:
        """The units of the unknowns; vectors have entries of size 1."""
        k, m, n = self.period, self.subspace.size, self.ball_map.size
        parts = 2 if self.is_pair else 1
        vectors = np.ones(parts * k * n + (2 if self.is_pair else 0))
        return np.concatenate([np.full(k * m, self.scale), [self.parameter_scale], vectors])

    def split(self, z: Sequence[Ball]) -> tuple[list[Sequence[Ball]], Ball, list[list[Sequence[Ball]]], Sequence[Ball]]:
        """The unknowns as points of the cycle, parameter, vectors (one list, or those of a and of b), and (c, s)."""
        k, m, n = self.period, self.subspace.size, self.ball_map.size
        points = [z[i * m : (i + 1) * m] for i in range(k)]
        at = k * m + 1
        vectors = []
        for _ in range(2 if self.is_pair else 1):
            vectors.append([z[at + i * n : at + (i + 1) * n] for i in range(k)])
            at += k * n
        return points, z[k * m], vectors, z[at:]

    def residual(self, z: Sequence[Ball]) -> list[Ball]:
        """F."""
        return self.linearise(z)[0]

    def linearise(self, z: Sequence[Ball]) -> tuple[list[Ball], Matrix]:
        """F and DF: k evaluations of f on series of first order, 2k for a pair."""
        rows = _Rows(len(z))
        points, parameter, vectors, turn = self.split(z)
        for i in range(self.period):
            self._cycle_rows(rows, z, points, parameter, i)
        for part in range(len(vectors)):
            for i in range(self.period):
                self._vector_rows(rows, points, parameter, vectors, turn, part, i)
        self._normalising_rows(rows, vectors, turn)
        return rows.finished()

    def _cycle_rows(
        self, rows: _Rows, z: Sequence[Ball], points: list[Sequence[Ball]], parameter: Ball, i: int
    ) -> None:
        k, m = self.period, self.subspace.size
        image, J, slope = self.ball_map.derivatives(points[i], parameter, self.subspace)
        j = (i + 1) % k
        difference = self.ball_map.reduced([a - b for a, b in zip(image, self.subspace.lift(points[j]))])
        for r in self.subspace.rows:
            entries = {i * m + b: J[r, b] for b in range(m)}
            for b in range(m):
                index = j * m + b
                entries[index] = entries.get(index, flint.arb(0)) - float(self.subspace.basis[r, b])
            entries[k * m] = slope[r]
            rows.add(difference[r], entries)

    def _vector_rows(
        self,
        rows: _Rows,
        points: list[Sequence[Ball]],
        parameter: Ball,
        vectors: list[list[Sequence[Ball]]],
        turn: Sequence[Ball],
        part: int,
        i: int,
    ) -> None:
        """J_i v_i − v_{i+1}, or what the last of them is minus the turned v₀."""
        k, m, n = self.period, self.subspace.size, self.ball_map.size
        first = k * m + 1  # index of the first vector's first entry
        own = first + (part * k + i) * n
        state = self.subspace.lift([seed(value, i * m + b) for b, value in enumerate(points[i])])
        series = []
        for a, value in enumerate(vectors[part][i]):
            c0 = state[a].c[0] if isinstance(state[a], Jet) else (state[a], {})
            series.append(Jet((c0, (value, {own + a: flint.arb(1)}))))
        image = self.ball_map(series, self.ball_map.values(seed(parameter, k * m)))
        for a in range(n):
            value, slopes = image[a].coefficient(1)
            entries = dict(slopes)

            def subtract(factor: Ball, index: int, entries: dict[int, Ball] = entries) -> None:
                entries[index] = entries.get(index, flint.arb(0)) - factor

            if i < k - 1:
                value = value - vectors[part][i + 1][a]
                subtract(flint.arb(1), own + n + a)
            elif not self.is_pair:
                target = flint.arb(CRITICAL[self.kind])
                value = value - target * vectors[0][0][a]
                subtract(target, first + a)
            else:
                # J a_{k−1} = c a₀ − s b₀ and J b_{k−1} = s a₀ + c b₀.
                (c, s), at = turn, first + 2 * k * n
                real, imaginary = vectors[0][0][a], vectors[1][0][a]
                on_real, on_imaginary = (c, -s) if part == 0 else (s, c)
                value = value - on_real * real - on_imaginary * imaginary
                subtract(on_real, first + a)
                subtract(on_imaginary, first + k * n + a)
                subtract(real if part == 0 else imaginary, at)
                subtract(-imaginary if part == 0 else real, at + 1)
            rows.add(value, entries)

    def _normalising_rows(self, rows: _Rows, vectors: list[list[Sequence[Ball]]], turn: Sequence[Ball]) -> None:
        k, m, n = self.period, self.subspace.size, self.ball_map.size
        first, second = k * m + 1, k * m + 1 + k * n
        real, imaginary = np.real(self.functional).tolist(), np.imag(self.functional).tolist()
        if not self.is_pair:
            total = sum((v * factor for v, factor in zip(vectors[0][0], real)), flint.arb(-1))
            rows.add(total, _indexed(first, real))
            return
        # Re and Im of Σ l̄ v = 1.
        a0, b0 = vectors[0][0], vectors[1][0]
        one = sum((a * x + b * y for a, b, x, y in zip(a0, b0, real, imaginary)), flint.arb(-1))
        rows.add(one, {**_indexed(first, real), **_indexed(second, imaginary)})
        none = sum((b * x - a * y for a, b, x, y in zip(a0, b0, real, imaginary)), flint.arb(0))
        rows.add(none, {**_indexed(first, [-y for y in imaginary]), **_indexed(second, real)})
        c, s = turn
        at = first + 2 * k * n
        rows.add(c * c + s * s - 1, {at: 2 * c, at + 1: 2 * s})


def _indexed(first: int, values: Sequence[float]) -> dict[int, Ball]:
    return {first + a: flint.arb(value) for a, value in enumerate(values)}


class _Rows:
    """The equations of a system, one after the other."""

    def __init__(self, size: int) -> None:
        self.values: list[Ball] = []
        self.matrix = flint.arb_mat(size, size)

    def add(self, value: Ball, entries: dict[int, Ball]) -> None:
        row = len(self.values)
        self.values.append(value)
        for index, entry in entries.items():
            self.matrix[row, index] = entry

    def finished(self) -> tuple[list[Ball], Matrix]:
        return self.values, self.matrix
