"""ConnectionMap: orbits that leave one saddle and come to another, or to the same one, as a boundary value problem.

Unknown are the states x₀, …, x_N of an orbit of g = f^k and its saddles a and b (b = a for homoclinic orbits):

    g(xᵢ) − xᵢ₊₁ = 0,  i < N        the orbit
    L(a) (x₀ − a) = 0               L: rows that span the left stable subspace of g'(a): x₀ lies in the unstable one
    U(b) (x_N − b) = 0              U: rows that span the left unstable subspace of g'(b)
    g(a) − a = 0,  g(b) − b = 0     the saddles

(projection boundary conditions: Beyn & Kleinkauf, SIAM J. Numer. Anal. 34 (1997) 1207; Khoshsiar Ghaziani, Govaerts,
Kuznetsov & Meijer, J. Difference Equ. Appl. 15 (2009) 849). With ends at the distance ε from the saddles the orbit in
between is wrong by far less than ε², since what is wrong at an end shrinks along the orbit. Singular points of the
problem are orbits along which the manifolds touch.

The problem G = 0 is written as the fixed points of X + G(X), so that curves of its solutions are curves like others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.linalg.boundary_value_jacobian import BoundaryValueJacobian
from bifurcate.linalg.operators import dense
from bifurcate.maps.derivatives import AGREEMENT, FIVE_POINT_STEP
from bifurcate.maps.iterated_map import IteratedMap, Parameters
from bifurcate.maps.periodic_coordinates import shortest, sizes

__all__ = ["ConnectionMap"]

Array = NDArray[Any]

# Step, in units of the state or of a parameter, of the central differences of L and U: what they are multiplied with,
# the distance of an end from its saddle, makes their error harmless.
SUBSPACE_STEP = 1e-5
SHIFTS = 2  # states by which an orbit may be shifted and be looked for as the same one
# Distance of an end from its saddle, in units of the state: linear ends make the orbit wrong by its square times what
# the orbit shrinks errors by on its way, about its cube in all. The thousandth of a billionth is no error yet.
FARTHEST_END = 1e-4
SAME_VALUE = 1e-12  # part of max(scale, |value|) by which a batch may differ from single calls: other orders of sums


@dataclass(frozen=True, eq=False)
class ConnectionMap(IteratedMap):
    """The map X ↦ X + G(X) of the boundary value problem: its fixed points are connecting orbits of f^k.

    It answers what an :class:`IteratedMap` does, with period 1.

    Parameters
    ----------
    map : Map
        f.
    shape : tuple of int
        (rows, *shape of f's states): the orbit's states, then the saddles.
    period : int
        1.
    steps : int
        k.
    is_homoclinic : bool
        True if there is one saddle, False if there are two.
    middle : int
        Number of the state that stands for the orbit: where the manifolds were found to cross.
    unstable : int
        Dimension of the unstable manifold of a, and of b.
    references : tuple of ndarray
        Rows near L and U, which decide how the spanning rows are turned: so these vary smoothly.
    """

    steps: int = 1
    is_homoclinic: bool = True
    middle: int = 0
    unstable: int = 1
    references: tuple[Array, ...] = ()

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The shape of one state."""
        return self.shape[1:]

    @cached_property
    def single(self) -> IteratedMap:
        """g."""
        return IteratedMap(self.map, self.state_shape, self.steps, self.widths)

    @property
    def saddle_count(self) -> int:
        """1 or 2."""
        return 1 if self.is_homoclinic else 2

    @cached_property
    def periods(self) -> Array | None:
        """The periods of all coordinates, inf for those without one; None if none has one."""
        return None if self.map.periods is None else np.tile(self.map.periods, self.shape[0])

    def rows(self, x: Array) -> Array:
        """The states of a vector of unknowns, saddles last, shape (rows, n), or (rows, n, j) for columns."""
        return x.reshape(self.shape[0], -1, *x.shape[1:])

    def first_state(self, x: Array) -> Array:
        """The state that stands for the orbit, as a vector."""
        return np.asarray(self.rows(x)[self.middle])

    def phases(self, x: Array, p: Parameters) -> list[Array]:
        """The orbit itself, and the same orbit begun one and two states later and earlier.

        Two, since where a multiplier is negative every other state lies on the same half of a manifold.
        """
        count = self.shape[0] - self.saddle_count
        rows = self.rows(x)
        saddles, later, earlier = rows[count:], [rows[:count]], [rows[:count]]
        A = self.block(saddles[0], p)
        for _ in range(SHIFTS):
            last, first = self.image(later[-1][-1], p), np.linalg.lstsq(A, earlier[-1][0] - saddles[0], rcond=None)[0]
            later.append(np.vstack([later[-1][1:], last]))
            earlier.append(np.vstack([saddles[0] + first, earlier[-1][:-1]]))
        return [np.vstack([states, saddles]).ravel() for states in (*later, *earlier[1:])]

    def shifted_directions(self, v: Array) -> list[Array]:
        """A direction at an orbit, and at each of its :meth:`phases`: roughly, at the ends."""
        count = self.shape[0] - self.saddle_count
        rows = self.rows(v)
        later, earlier = [rows[:count]], [rows[:count]]
        for _ in range(SHIFTS):
            later.append(np.vstack([later[-1][1:], later[-1][-1:]]))
            earlier.append(np.vstack([earlier[-1][:1], earlier[-1][:-1]]))
        return [np.vstack([states, rows[count:]]).ravel() for states in (*later, *earlier[1:])]

    def block(self, state: Array, p: Parameters) -> Array:
        """The Jacobian of g at a state."""
        return np.asarray(dense(self.single.jacobian(self.single.orbit(state, p), p)))

    def blocks(self, states: Array, p: Parameters) -> Array:
        """The Jacobians of g at states, shape (m, n, n): all differences in one call of f where it broadcasts."""
        known = self.map.jacobian is not None or self.map.jvp is not None or self.map.derivative != "central"
        if known or len(self.state_shape) != 1:
            return np.array([self.block(state, p) for state in states])
        product = np.broadcast_to(np.eye(states.shape[1]), (len(states), *[states.shape[1]] * 2))
        for number in range(self.steps):
            here = self._differences(states, p)
            if here is None:
                return np.array([self.block(state, p) for state in states])
            product = here @ product
            states = states if number + 1 == self.steps else self._batch(states, p)
        return np.asarray(product)

    def _differences(self, states: Array, p: Parameters) -> Array | None:
        """Jacobians of f by five-point differences; None if f does not broadcast."""
        m, n = states.shape
        h = FIVE_POINT_STEP * sizes(states, self.map.scale, self.map.periods)
        steps = np.array([1.0, -1.0, 2.0, -2.0])[:, None, None, None] * (h[:, :, None] * np.eye(n))
        images = self._batch((states[:, None, :] + steps).reshape(-1, n), p)
        if images is None:
            return None
        up, down, far_up, far_down = images.reshape(4, m, n, n)
        near, far = shortest(up - down, self.map.periods), shortest(far_up - far_down, self.map.periods)
        slopes = (8.0 * near - far) / (12.0 * h[:, :, None])
        bend, size = np.abs(slopes - near / (2.0 * h[:, :, None])).max(axis=2), np.abs(slopes).max(axis=2)
        if not (bend <= AGREEMENT * size).all():  # a step is too long somewhere: single calls shorten it
            return None
        return np.asarray(np.swapaxes(slopes, 1, 2))

    def _batch(self, states: Array, p: Parameters) -> Any:
        """f of states, one a row, from one call with one a column; None if that is not what single calls give."""
        try:
            images = np.asarray(self.map.f(states.T.copy(), **p))
        except Exception:  # f was not written for such arrays, and may raise anything
            return None
        if images.shape != states.T.shape or images.dtype.kind not in "fiu":
            return None
        for i in (0, len(states) // 2):
            one = self.map.evaluate(states[i], p)
            if not (np.abs(images[:, i] - one) <= SAME_VALUE * np.maximum(self.map.scale, np.abs(one))).all():
                return None
        return images.T.astype(float)

    def slopes(self, states: Array, p: Parameters, name: str) -> Array:
        """The derivatives of g by a parameter at states, shape (m, n)."""
        if self.map.parameter_derivative is None and self.map.derivative == "central" and self.steps == 1:
            h = FIVE_POINT_STEP * self.parameter_unit(name, p[name])
            images = [self._batch(states, {**p, name: p[name] + part * h}) for part in (1.0, -1.0, 2.0, -2.0)]
            if len(self.state_shape) == 1 and all(each is not None for each in images):
                near, far = (shortest(images[i] - images[i + 1], self.map.periods) for i in (0, 2))
                return np.asarray((8.0 * near - far) / (12.0 * h))
        one = self.single
        return np.array([one.parameter_derivative(one.orbit(state, p), p, name) for state in states])

    def subspace_rows(self, A: Array, end: int) -> Array:
        """L (end 0) or U (end 1) from the Jacobian at a saddle, turned as near to the reference as can be."""
        if not np.isfinite(A).all():
            raise MapFailed(f"the Jacobian of {self.map.name} is NaN or infinity at a saddle")
        n = len(A)
        wanted = n - self.unstable if end == 0 else self.unstable
        if wanted == 0:
            return np.zeros((0, n))
        if wanted == 1:
            values, vectors = np.linalg.eig(A.T)
            row = vectors[:, np.argmin(np.abs(values)) if end == 0 else np.argmax(np.abs(values))].real
            sign = 1.0 if not self.references else np.copysign(1.0, float(self.references[end][0] @ row))
            return np.asarray(sign * row[None] / np.linalg.norm(row))
        moduli = np.concatenate([[-1.0], np.sort(np.abs(np.linalg.eigvals(A))), [np.inf]])
        i, side = (wanted, 1.0) if end == 0 else (n - wanted, -1.0)
        edge = 0.5 * (moduli[i] + moduli[i + 1])
        _, Q, _ = scipy.linalg.schur(
            A.T, output="real", sort=lambda re, im=0.0: side * abs(complex(re, im)) < side * edge
        )
        rows = Q[:, :wanted].T
        if not self.references:
            return np.asarray(rows)
        left, _, right = np.linalg.svd(self.references[end] @ rows.T)
        return np.asarray(left @ right @ rows)

    def ends(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """x₀, a, x_N, b."""
        states, count = self.rows(x), self.shape[0] - self.saddle_count
        return states[0], states[count], states[count - 1], states[-1]

    def orbit(self, x: Array, p: Parameters) -> list[Array]:
        """[X, X + G(X)] as vectors: N + 2 or N + 3 evaluations of g."""
        states, count = self.rows(x), self.shape[0] - self.saddle_count
        images = self._batch(states, p) if self.steps == 1 and len(self.state_shape) == 1 else None
        if images is None:
            images = np.array([self.image(state, p) for state in states])
        links = shortest(images[: count - 1] - states[1:count], self.map.periods)
        first, a, last, b = self.ends(x)
        if not np.isfinite(images).all():
            return [x, np.full(len(x), np.nan)]
        self._check_ends(shortest(first - a, self.map.periods), shortest(last - b, self.map.periods), a)
        A = self.block(a, p)
        B = A if self.is_homoclinic else self.block(b, p)
        conditions = np.concatenate(
            [
                self.subspace_rows(A, 0) @ shortest(first - a, self.map.periods),
                self.subspace_rows(B, 1) @ shortest(last - b, self.map.periods),
            ]
        )
        saddles = shortest(images[count:] - states[count:], self.map.periods)
        return [x, x + np.concatenate([links.ravel(), conditions, saddles.ravel()])]

    def _check_ends(self, first: Array, last: Array, a: Array) -> None:
        """Refuse an orbit of which an end has moved so far from its saddle that linear ends are wrong there."""
        unit = max(self.map.scale, float(np.abs(a).max()))
        apart = max(float(np.abs(first).max()), float(np.abs(last).max())) / unit
        if apart > FARTHEST_END:
            raise MapFailed(
                f"an end of the orbit is {apart:.1e} units away from its saddle, where the manifold is not straight: "
                "begin a new curve with an orbit from bf.connecting_orbits here"
            )

    def image(self, state: Array, p: Parameters) -> Array:
        """g of a state."""
        for _ in range(self.steps):
            state = self.single._step(state, p)
        return state

    def iterate_orbit(self, orbit: Sequence[Array]) -> list[Array]:
        """The orbit itself."""
        return list(orbit)

    def later_states(self, x: Array, p: Parameters) -> list[Array]:
        """The other states of the orbit, in its order, in the map's shape."""
        count = self.shape[0] - self.saddle_count
        return [each.reshape(self.state_shape) for i, each in enumerate(self.rows(x)[:count]) if i != self.middle]

    def least_period(self, orbit: Sequence[Array], tolerance: float = 0.0) -> int:
        """1: there are no shorter ones."""
        return 1

    def margin(self, orbit: Sequence[Array], p: Parameters) -> float:
        """The smallest domain margin of all states."""
        if not np.isfinite(orbit[-1]).all():
            return -np.inf
        one = IteratedMap(self.map, self.state_shape)
        return one.margin([*self.rows(orbit[0]), orbit[-1]], p)

    def border_signs(self, orbit: Sequence[Array], p: Parameters) -> Array:
        """The switching functions at all states, as one vector."""
        return IteratedMap(self.map, self.state_shape).border_signs([*self.rows(orbit[0]), orbit[-1]], p)

    def jacobian(self, orbit: Sequence[Array], p: Parameters) -> BoundaryValueJacobian:
        """I + G_X."""
        x = orbit[0]
        states, count = self.rows(x), self.shape[0] - self.saddle_count
        n, size = states.shape[1], len(x)
        G = np.zeros((size, size))
        beside, distances = self._beside(states[count:])
        all_blocks = self.blocks(np.vstack([states, beside]), p)
        blocks, turned = all_blocks[: len(states)], all_blocks[len(states) :].reshape(-1, n, 2, n, n)
        for i in range(count - 1):
            G[i * n : (i + 1) * n, i * n : (i + 1) * n] = blocks[i]
            G[i * n : (i + 1) * n, (i + 1) * n : (i + 2) * n] = -np.eye(n)
        row = (count - 1) * n
        first, a, last, b = self.ends(x)
        ends = ((first - a, 0, count), (last - b, count - 1, len(states) - 1))
        for end, (apart, at, place) in enumerate(ends):
            rows, away = self.subspace_rows(blocks[place], end), shortest(apart, self.map.periods)
            here = slice(row, row + len(rows))
            G[here, at * n : (at + 1) * n] = rows
            G[here, place * n : (place + 1) * n] -= rows
            for j, (up, down) in enumerate(turned[place - count]):
                change = self.subspace_rows(up, end) - self.subspace_rows(down, end)
                G[here, place * n + j] += change @ away / distances[place - count, j]
            row += len(rows)
        for i in range(count, len(states)):
            G[row : row + n, i * n : (i + 1) * n] = blocks[i] - np.eye(n)
            row += n
        return BoundaryValueJacobian(G)

    def _beside(self, saddles: Array) -> tuple[Array, Array]:
        """States a step beside every saddle, up and down along every component, and the distances between them."""
        n = saddles.shape[1]
        h = SUBSPACE_STEP * sizes(saddles, self.map.scale, self.map.periods)
        steps = h[:, :, None, None] * np.array([1.0, -1.0])[:, None] * np.eye(n)[:, None, :]
        return (saddles[:, None, None, :] + steps).reshape(-1, n), 2.0 * h

    def derivative(self, x: Array, p: Parameters) -> Array:
        """G_X at X, as a matrix."""
        return np.asarray(self.jacobian([x], p).matrix - np.eye(len(x)))

    def jvp(self, orbit: Sequence[Array], v: Array, p: Parameters) -> Array:
        """The Jacobian times a vector."""
        return np.asarray(self.jacobian(orbit, p) @ v)

    def jacobian_times(self, orbit: Sequence[Array], columns: Array, p: Parameters) -> Array:
        """The Jacobian times columns."""
        return np.asarray(self.jacobian(orbit, p) @ columns)

    def parameter_derivative(self, orbit: Sequence[Array], p: Parameters, name: str) -> Array:
        """∂G/∂name."""
        x = orbit[0]
        states, count = self.rows(x), self.shape[0] - self.saddle_count
        slopes = self.slopes(states, p, name)
        h = SUBSPACE_STEP * self.parameter_unit(name, p[name])
        up, down = {**p, name: p[name] + h}, {**p, name: p[name] - h}
        first, a, last, b = self.ends(x)
        parts = [slopes[: count - 1].ravel()]
        beside = self.block(a, up), self.block(a, down)
        for end, (state, saddle) in enumerate(((first, a), (last, b))):
            if end == 1 and not self.is_homoclinic:
                beside = self.block(b, up), self.block(b, down)
            change = self.subspace_rows(beside[0], end) - self.subspace_rows(beside[1], end)
            parts.append(change @ shortest(state - saddle, self.map.periods) / (2.0 * h))
        return np.concatenate([*parts, slopes[count:].ravel()])

    def _jacobian_along(self, x: Array, p: Parameters, columns: Array, beside: tuple[str, Array] | None) -> Array:
        product = np.asarray(self.jacobian([x, x], p) @ columns)
        if beside is None:
            return product
        return np.asarray(product + np.outer(self.parameter_derivative([x, x], p, beside[0]), beside[1]))
