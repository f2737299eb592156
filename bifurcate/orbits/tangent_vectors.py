"""Tangent vectors along an orbit, made orthonormal after every step, and the factors by which they grow.

The orbit goes in blocks of states. Where f and its derivative take batches and the state is small, the Jacobians of a
block come from one call, and the QR factorisation of two columns of two numbers is written out in floats. Elsewhere
each step has its products of the Jacobian with the vectors: those that the map gives, else differences of f, which
take two values of f for a vector, in one call where f takes batches.

A factor that a change of the state by a few units in the last place changes by half of itself is rounding, and 0 is put
in its place: along an orbit through a critical point the slope is 0, and what is computed is the rounding of the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgeqrf, dorgqr

from bifurcate.errors import MapFailed
from bifurcate.maps.batch_calls import DoesNotBroadcast
from bifurcate.maps.batched_map import BatchedMap, batched_map
from bifurcate.maps.batched_values import BatchedValues
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import common_size, near
from bifurcate.orbits.orbit import IterationRule, OrbitEnd, next_states
from bifurcate.progress import Progress
from bifurcate.progress_line import Report

__all__ = ["TangentMap", "TangentOrbit", "follow"]

Array = NDArray[np.float64]

# Unknowns up to which Jacobians are taken whole and in batches: beyond, few products cost less.
LARGEST_WHOLE = 16
SMALL = 2  # unknowns of which orthonormal vectors are written out in floats
BLOCK = 256  # states of a block: their Jacobians stay in a core's cache, and one call's overhead is lost among them
TRIED = 8  # states of the trial that finds out whether f and its derivative take batches

# Step of three-point differences along a vector, in units of max(scale, ‖x‖_∞): the third root of rounding. Truncation
# and rounding are both about 1e-10 of the slope then, where f bends over its own size.
STEP = 6e-6
# Error of a slope, relative to it, above which five points are taken with the step that fits, instead of three: it adds
# to the exponents, which orbits of 10⁶ steps know to 1e-4.
COARSE = 1e-7
ROUNDING = 4 * float(np.finfo(float).eps)  # of a slope that is exact, relative to the largest one
DIFFERENCE_ERROR = 1e-10  # of a slope by three-point differences, relative to the largest one, if nothing else is known
FIVE_POINT_ERROR = 1e-11  # the same by five points
# Growth in one step, relative to the largest one, below which one asks whether it is rounding: of exact slopes, and of
# differences.
SUSPECT, SUSPECT_DIFFERENCE = 1e-9, 1e-6
MOVED = 4 * float(np.finfo(float).eps)  # part of the state's size by which it is moved to find that out
CHANGED = 0.5  # part of itself by which such a move changes a factor that is rounding

_BATCHES = BatchedValues()


@dataclass(eq=False)
class TangentOrbit:
    """A stretch of an orbit with its tangent vectors.

    Attributes
    ----------
    x : ndarray
        The last state.
    vectors : ndarray, shape (n, k)
        The vectors there, orthonormal.
    growth : ndarray, shape (steps, k)
        The factors by which they grew, |diag R|.
    errors : ndarray, shape (k,)
        The mean relative errors of these that follow from those of the derivative.
    lengths : ndarray, shape (steps, j)
        The factors by which further vectors grew, each by itself.
    further : ndarray, shape (n, j)
        These vectors, normed.
    states : list of ndarray
        The states before every step, and
    frames, triangles : list of ndarray
        the orthonormal vectors after every step with the upper triangular factors R, if they are kept.
    end, detail : str
        As in :class:`Orbit`.
    """

    x: Array
    vectors: Array
    growth: Array
    errors: Array
    lengths: Array
    further: Array
    states: list[Array] = field(default_factory=list)
    frames: list[Array] = field(default_factory=list)
    triangles: list[Array] = field(default_factory=list)
    end: OrbitEnd = "steps"
    detail: str = ""


class TangentMap:
    """How the Jacobian of a map is multiplied with vectors, along orbits near some states.

    Attributes
    ----------
    error : float
        Of a product, relative to the largest slope: rounding, or that of differences, as far as they have shown it.
    report : callable or None
        Told of every block of iterations.
    """

    def __init__(self, map: Map, x: Array, p: Mapping[str, float], report: Report | None = None) -> None:
        self.report = report
        self.map, self.p, self.rule = map, dict(p), IterationRule.of(map)
        self.iterate, self.whole = IteratedMap(map, x.shape), None
        self.by_differences = not self.iterate.exact
        exact = max(ROUNDING, map.precision.slope_error)
        self.error = max(exact, DIFFERENCE_ERROR) if self.by_differences else exact
        self.is_coarse = bool(map.precision.noise) or map.borders is not None
        if x.size <= LARGEST_WHOLE:
            self.whole = self._find_batches(x)
        if self.by_differences and (self.is_coarse or self.whole is not None):
            self.error = max(exact, FIVE_POINT_ERROR)

    def _find_batches(self, x: Array) -> BatchedMap | None:
        """The map on batches, if its Jacobian is taken of them whole."""
        if self.is_coarse:
            return None
        some = next_states(self.rule, x, self.p, TRIED)[0]
        found = batched_map(self.map, BatchRows(np.concatenate([x[None], some]), self.p))
        is_slow = found is not None and found.by == "one by one" and self.map.jacobian is None and x.size > 2
        return None if is_slow else found

    def jacobians(self, states: Array) -> Array | None:
        """The Jacobians of a block of states, shape (m, n, n); None where they are not taken whole, or one fails."""
        if self.whole is None:
            return self._small_jacobians(states)
        try:
            found = self.whole.jacobians(states.reshape(len(states), -1), self.p)
        except DoesNotBroadcast:
            self.whole = None
            return None
        return found if np.isfinite(found).all() else None

    def _small_jacobians(self, states: Array) -> Array | None:
        """The Jacobians of small states, one by one; None of larger ones, or where one fails."""
        if states[0].size > SMALL:
            return None
        flat = states.reshape(len(states), -1)
        try:
            found = [self.iterate.jacobian([x, x], self.p) for x in flat]  # f of x, the second one, is not looked at
        except MapFailed:
            return None
        return np.array(found) if all(isinstance(J, np.ndarray) for J in found) else None

    def products(self, x: Array, following: Array, columns: Array, checks: bool = False) -> Array:
        """The Jacobian at a state times columns, shape (n, k).

        Parameters
        ----------
        x, following : ndarray, of the state's shape
            The state, and f of it.
        columns : ndarray, shape (n, k)
        checks : bool
            Compare differences with more accurate ones along one vector.

        Raises
        ------
        MapFailed
            If f or its derivative fails.
        """
        orbit = [x.ravel(), following.ravel()]
        is_cheaper = 2 * columns.shape[1] < columns.shape[0] or columns.shape[1] == 1
        if not self.by_differences or self.is_coarse or self.map.derivative != "central" or not is_cheaper:
            return np.asarray(self.iterate.jacobian_times(orbit, columns, self.p), dtype=float)
        found = self._differences(x, following, columns)
        if checks:
            accurate = self.iterate.jvp(orbit, columns[:, 0], self.p)
            size = max(float(np.abs(accurate).max()), np.finfo(float).tiny)
            self.error = max(self.error, float(np.abs(found[:, 0] - accurate).max()) / size)
            if self.error > COARSE:
                self.is_coarse, self.error = True, FIVE_POINT_ERROR
                return self.products(x, following, columns)
        if not np.isfinite(found).all():
            return np.asarray(self.iterate.jacobian_times(orbit, columns, self.p), dtype=float)
        return found

    def _differences(self, x: Array, following: Array, columns: Array) -> Array:
        """The products by three-point differences, from two values of f a column."""
        size = float(common_size(x.ravel(), self.map.scale, self.map.periods))
        h = STEP * size / np.maximum(np.abs(columns).max(axis=0), np.finfo(float).tiny)
        moves = (h * columns).T
        states = np.concatenate([x.ravel() + moves, x.ravel() - moves]).reshape(-1, *x.shape)
        images = _BATCHES.values(self.map.f, states, self.p, self.map.scale)
        if images is None:
            images = np.array([self.map.evaluate(each, self.p) for each in states])
        images = images.reshape(len(states), -1)
        if self.map.periods is not None:
            images = near(images, following.ravel(), self.map.periods)
        k = columns.shape[1]
        return np.asarray(((images[:k] - images[k:]) / (2.0 * h[:, None])).T)


def follow(
    tangent: TangentMap,
    x: Array,
    vectors: Array,
    steps: int,
    *,
    further: Array | None = None,
    keeps: bool = False,
) -> TangentOrbit:
    """An orbit with tangent vectors; fewer steps where it ends.

    Parameters
    ----------
    tangent : TangentMap
    x : ndarray
        The first state.
    vectors : ndarray, shape (n, k)
        Orthonormal vectors there.
    steps : int
    further : ndarray, shape (n, j), optional
        Vectors that are normed after every step, each by itself.
    keeps : bool
        Keep the states, the orthonormal vectors and the triangular factors of every step.
    """
    n, k = vectors.shape
    further = np.empty((n, 0)) if further is None else further
    found = TangentOrbit(x, vectors, np.empty((0, k)), np.zeros(k), np.empty((0, further.shape[1])), further)
    grown: list[Array] = []
    lengths: list[Array] = []
    done = 0
    with np.errstate(all="ignore"):
        while done < steps and found.end == "steps":
            block, found.end, found.detail = next_states(tangent.rule, found.x, tangent.p, min(BLOCK, steps - done))
            if not len(block):
                break
            before = np.concatenate([found.x[None], block[:-1]])
            try:
                growth, longer, count = _grow(tangent, found, before, block, keeps)
            except KeyboardInterrupt:
                found.end = "interrupted"
                break
            grown.append(growth)
            lengths.append(longer)
            done += count
            found.x = block[count - 1] if count else found.x
            if tangent.report is not None:
                tangent.report(Progress(tangent.p, done, left=steps - done))
    found.growth = np.concatenate([found.growth, *grown])
    found.lengths = np.concatenate([found.lengths, *lengths])
    found.errors = _mean_errors(found.growth, tangent.error)
    return found


def _grow(
    tangent: TangentMap, found: TangentOrbit, before: Array, after: Array, keeps: bool
) -> tuple[Array, Array, int]:
    """The growth over a block of steps, by how many of them; the vectors, and what is kept, go into ``found``."""
    start, m = found.vectors, len(before)
    J = tangent.jacobians(before)
    if J is not None and not keeps and not found.further.shape[1] and start.shape[0] <= SMALL:
        growth, found.vectors = _small_growth(J, start)

        def small(moved: Array) -> Array | None:
            K = tangent.jacobians(moved)
            return None if K is None else _small_growth(K, start)[0]

        return _without_rounding(tangent, before, growth, small), np.empty((m, 0)), m
    growth, lengths, Q, W, count = (
        np.empty((m, start.shape[1])),
        np.empty((m, found.further.shape[1])),
        start,
        found.further,
        0,
    )
    k = start.shape[1]
    try:
        for count in range(m):
            columns = np.concatenate([Q, W], axis=1) if W.shape[1] else Q
            image = (
                J[count] @ columns
                if J is not None
                else tangent.products(before[count], after[count], columns, checks=count == 0)
            )
            Q, R = _orthonormal(image[:, :k])
            growth[count] = np.abs(R.diagonal())
            lengths[count] = np.linalg.norm(image[:, k:], axis=0)
            W = image[:, k:] / np.where(lengths[count] > 0.0, lengths[count], 1.0)
            if keeps:
                found.states.append(before[count])
                found.frames.append(Q)
                found.triangles.append(np.triu(R))
        count = m
    except MapFailed as error:
        found.end, found.detail = "failed", str(error)
    found.vectors, found.further = Q, W

    def again(moved: Array) -> Array | None:
        return _growth_once_more(tangent, moved, start)

    return _without_rounding(tangent, before[:count], growth[:count], again), lengths[:count], count


def _small_growth(J: Array, vectors: Array) -> tuple[Array, Array]:
    """The growth of orthonormal vectors along Jacobians of one or two unknowns, and the last vectors."""
    if vectors.shape[0] == 1:
        return np.abs(J[:, 0, :1]), vectors
    u, v = vectors[:, 0].tolist()
    out: list[float] = []
    for a, b, c, d in J.reshape(-1, 4).tolist():
        s, t = a * u + b * v, c * u + d * v
        r = sqrt(s * s + t * t)
        out.append(r)
        if r > 0.0:
            u, v = s / r, t / r
    first = np.array(out)
    last = np.array([[u, -v], [v, u]])[:, : vectors.shape[1]]
    if vectors.shape[1] == 1:
        return first[:, None], last
    area = np.abs(J[:, 0, 0] * J[:, 1, 1] - J[:, 0, 1] * J[:, 1, 0])  # of the image of the unit square, |det J|
    return np.column_stack([first, np.where(first > 0.0, area / np.where(first > 0.0, first, 1.0), 0.0)]), last


def _orthonormal(image: Array) -> tuple[Array, Array]:
    """Q of the QR factorisation, and an array whose upper triangle is R, by Householder reflections."""
    if not np.isfinite(image).all():
        raise MapFailed("the derivative of f is NaN or infinite")
    if image.shape[1] == 1:
        r = float(np.linalg.norm(image))
        return (image / r if r > 0.0 else _any_unit_vector(image)), np.array([[r]])
    factors, tau, _, _ = dgeqrf(image)
    k = image.shape[1]
    return dorgqr(factors, tau)[0], factors[:k]


def _any_unit_vector(image: Array) -> Array:
    """A unit vector in place of one that was annihilated."""
    unit = np.zeros_like(image)
    unit[0] = 1.0
    return unit


def _without_rounding(
    tangent: TangentMap, states: Array, growth: Array, again: Callable[[Array], Array | None]
) -> Array:
    """The growth, with 0 in place of what is rounding: ``again`` yields it along states that were moved a little."""
    limit = (SUSPECT_DIFFERENCE if tangent.by_differences else SUSPECT) * np.maximum(growth[:, :1], 1.0)
    suspect = (growth < limit) & (growth > 0.0)
    if not suspect.any():
        return growth
    flat = states.reshape(len(states), -1)
    direction = np.cos(1.0 + np.arange(flat.shape[1]))  # none that a symmetry of f may single out
    moved = flat + MOVED * np.abs(flat).max(axis=1, keepdims=True) * direction
    other = again(moved.reshape(states.shape))
    if other is None or other.shape != growth.shape:
        return growth
    is_rounding = suspect & (np.abs(other - growth) >= CHANGED * growth)
    return np.where(is_rounding, 0.0, growth)


def _growth_once_more(tangent: TangentMap, states: Array, vectors: Array) -> Array | None:
    """The growth along some states; None if f or its derivative fails there."""
    J, Q = tangent.jacobians(states), vectors
    out = np.empty((len(states), vectors.shape[1]))
    try:
        for i, x in enumerate(states):
            image = J[i] @ Q if J is not None else tangent.products(x, tangent.map.evaluate(x, tangent.p), Q)
            Q, R = _orthonormal(image)
            out[i] = np.abs(R.diagonal())
    except MapFailed:
        return None
    return out


def _mean_errors(growth: Array, error: float) -> Any:
    """The mean relative errors of factors, where those of slopes are ``error`` of the largest one or of 1."""
    if not len(growth):
        return np.zeros(growth.shape[1])
    with np.errstate(all="ignore"):
        relative = error * np.maximum(growth[:, :1], 1.0) / growth
    return np.minimum(relative, 1.0).mean(axis=0)
