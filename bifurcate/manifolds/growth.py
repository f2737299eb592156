"""One half of a 1-D invariant manifold, grown from the saddle until it is as long as asked, or something ends it.

The mesh of the part that is known, stretched by Λ, is where the next part begins: with Λ < 0 by Λ², so that each half
is taken to itself. Between its points more are inserted (``refinement``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bifurcate.interrupts import interruptible
from bifurcate.manifolds.batched_step import BatchedStep
from bifurcate.manifolds.growth_limits import GrowthLimits
from bifurcate.manifolds.refinement import Mesh, refine, without_midpoints
from bifurcate.manifolds.sampling import ImplicitSampler, KnownPart, Sampler
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.orbits.orbit import DIVERGED

__all__ = ["GrownHalf", "ManifoldStop", "grow"]

Array = NDArray[np.float64]

ManifoldStop = Literal["length", "iterates", "pole", "box", "escaped", "points", "torn", "singular", "interrupted"]

MOST_POINTS = 10**6  # of a branch: 50 MB with all that is kept of them
CHUNK = 256  # points of the known part that are stretched before the mesh between them is refined
LOCAL_POINTS = 9  # of the first mesh, on the Taylor part
SAME_PARAMETER = 1e-12  # part of t to which the last point of a given length is found
BISECTIONS = 60  # of t where the manifold leaves a box or the domain: a double holds no more
# A preimage may lie this part of its distance from the last point away from its prediction, or it is another one.
FARTHEST = 0.5
NEAR = 0.1  # ... and within this part of it the next step is longer
STRETCH = 1.25  # factor by which the last step may be longer, so that none is left of the size of rounding
LONGER = 2.0  # ... by this factor
SHORTEST = 1e-12  # part of the parameter that a step may fall to: if it is refused then, f is singular there


@dataclass(frozen=True, eq=False)
class GrownHalf:
    """What was grown: parameters, points, arclengths, their error, and why it ends."""

    t: Array
    points: Array
    arclength: Array
    error: float
    reason: ManifoldStop
    detail: str


@dataclass(eq=False)
class _Growing:
    """A half that is being grown: its owner is :func:`grow`."""

    t: Array
    points: Array
    arclength: Array
    error: float = 0.0
    stop: tuple[ManifoldStop, str] | None = None

    @property
    def known(self) -> KnownPart:
        return KnownPart(self.t, self.points)

    def append(self, mesh: Mesh) -> None:
        """Add a mesh that begins at the last point."""
        self.t = np.concatenate([self.t, mesh.t[1:]])
        self.points = np.concatenate([self.points, mesh.points[1:]])
        self.arclength = np.concatenate([self.arclength, self.arclength[-1] + np.cumsum(mesh.lengths)])
        self.error += mesh.error

    def cut(self, count: int) -> None:
        """Keep the first points."""
        self.t, self.points, self.arclength = self.t[:count], self.points[:count], self.arclength[:count]


def grow(sampler: Sampler, f: BatchedStep, side: int, limits: GrowthLimits, report: Callable[[int], None]) -> GrownHalf:
    """Grow one half of a manifold.

    Parameters
    ----------
    sampler : Sampler
        Gives its points.
    f : BatchedStep
        f^k, which says where it is defined, and in which words it fails.
    side : {1, -1}
        The sign of t.
    limits : GrowthLimits
        Until where.
    report : callable
        Called with the number of points after every part.
    """
    radius = sampler.parametrisation.radius
    last = side * radius * min(abs(sampler.factor) ** limits.iterates, 1e300)
    begin = np.linspace(0.0, side * radius, LOCAL_POINTS)
    half = _Growing(np.zeros(1), sampler.parametrisation(np.zeros(1)), np.zeros(1))
    try:
        interruptible(_extend, half, sampler, f, limits, begin[1:], last)
        ratio = abs(sampler.factor) ** (1 if sampler.factor > 0 else 2)
        while half.stop is None:
            source = ratio * half.t
            begin = source[np.abs(source) > np.abs(half.t[-1])][:CHUNK]
            interruptible(_extend, half, sampler, f, limits, begin, last)
            report(len(half.t))
    except KeyboardInterrupt:
        half.stop = ("interrupted", "")
    reason, detail = half.stop or ("interrupted", "")
    steps = shortest(np.diff(half.points, axis=0), limits.periods)
    points = half.points if limits.periods is None else np.vstack([half.points[:1], half.points[0] + steps.cumsum(0)])
    return GrownHalf(half.t, points, half.arclength, half.error, reason, detail)


def _extend(half: _Growing, sampler: Sampler, f: BatchedStep, limits: GrowthLimits, t: Array, last: float) -> None:
    """Grow by the parameters given; sets ``half.stop`` where that is the end."""
    is_last = bool(abs(t[-1]) >= abs(last))
    if is_last:
        t = np.append(t[np.abs(t) < abs(last)], last)
    stop: tuple[ManifoldStop, str] | None = None
    if isinstance(sampler, ImplicitSampler) and abs(t[-1]) > sampler.parametrisation.radius:
        t, points = _continued(half, sampler, float(t[-1]), limits)
        is_last = is_last and bool(t[-1] == last)
        if len(t) < 2:
            half.stop = ("singular", f"no preimage goes on beyond t = {half.t[-1]:.6g}: f has a fold or a gap there")
            return
    else:
        points = sampler.at(t, np.empty((0, 0)), half.known)
        t, points = np.append(half.t[-1:], t), np.vstack([half.points[-1:], points])
        t, points = without_midpoints(t, points, limits.tolerance, limits.periods)
    t, points, stop = _bounded(half, f, limits, t, points)
    if len(t) > 1:
        known = _joined(half, t, points)
        at: Callable[[Array, Array], Array] = lambda s, guesses: sampler.at(s, guesses, known)  # noqa: E731
        mesh = refine(t, points, at, limits.tolerance, limits.periods, MOST_POINTS - len(half.t))
        before = len(half.t)
        half.append(mesh)
        if mesh.torn is not None:
            too_many = before + len(mesh.t) > 0 and len(mesh.t) >= MOST_POINTS - before - 1
            stop = _torn(half, f, limits, too_many)
        stop = _leaves(half, sampler, f, limits, before) or stop
    if half.arclength[-1] >= limits.farthest:
        _cut_at_length(half, sampler, limits)
        stop = ("length", f"{limits.farthest:.6g}")
    half.stop = stop or (("iterates", f"{limits.iterates:g}") if is_last else None)


def _joined(half: _Growing, t: Array, points: Array) -> KnownPart:
    return KnownPart(np.append(half.t, t[1:]), np.vstack([half.points, points[1:]]))


def _bounded(
    half: _Growing, f: BatchedStep, limits: GrowthLimits, t: Array, points: Array
) -> tuple[Array, Array, tuple[ManifoldStop, str] | None]:
    """The part of a first mesh that is worth refining: up to the length asked for, and to where it is finite."""
    size = np.abs(points).max(axis=1)
    fits = size < DIVERGED * limits.unit  # NaN does not
    stop: tuple[ManifoldStop, str] | None = None
    if not fits.all():
        count = max(int(np.argmin(fits)), 1)
        words = f.words_of_failure(points[count - 1]) if not np.isfinite(size[count]) else ""
        if words:
            stop = ("pole", words)
        elif np.isfinite(size[count]):
            stop = ("escaped", f"beyond {DIVERGED * limits.unit:.1g}")
        else:
            stop = ("pole", f"{f.rule.f.__name__ if hasattr(f.rule.f, '__name__') else 'f'} returns NaN or infinity")
        t, points = t[:count], points[:count]
    chords = np.linalg.norm(shortest(np.diff(points, axis=0), limits.periods), axis=1)
    beyond = half.arclength[-1] + np.cumsum(chords) > limits.farthest
    if beyond.any():
        count = int(np.argmax(beyond)) + 2
        t, points, stop = t[:count], points[:count], None
    return t, points, stop


def _is_outside(point: Array, limits: GrowthLimits) -> bool:
    is_far = not float(np.abs(point).max()) < DIVERGED * limits.unit
    return is_far or (limits.box is not None and bool(((point < limits.box[0]) | (point > limits.box[1])).any()))


def _torn(half: _Growing, f: BatchedStep, limits: GrowthLimits, too_many: bool) -> tuple[ManifoldStop, str]:
    where = f"t = {half.t[-1]:.6g}"
    if too_many:
        return "points", f"{MOST_POINTS} points were not enough; ask for less length or a larger tolerance"
    words = f.words_of_failure(half.points[-1])
    return "torn", words or f"beyond {where} the manifold jumps, as at a pole or a discontinuity of the map"


def _leaves(
    half: _Growing, sampler: Sampler, f: BatchedStep, limits: GrowthLimits, before: int
) -> tuple[ManifoldStop, str] | None:
    """Cut the new part where it leaves the domain or the box, and say so; None if it does not."""

    def is_outside(points: Array) -> NDArray[np.bool_]:
        if limits.box is None:
            return np.zeros(len(points), dtype=bool)
        return np.asarray(((points < limits.box[0]) | (points > limits.box[1])).any(axis=1))

    def is_beyond_pole(points: Array) -> NDArray[np.bool_]:
        return np.asarray(~(f.margins(points) > 0.0))

    tests: list[tuple[ManifoldStop, Callable[[Array], NDArray[np.bool_]]]] = [("box", is_outside)]
    if f.rule.domain is not None:
        tests.append(("pole", is_beyond_pole))
    found: tuple[ManifoldStop, str] | None = None
    for reason, test in tests:
        wrong = test(half.points[before:])
        if not wrong.any():
            continue
        count = before + int(np.argmax(wrong))
        known, inside, outside = half.known, float(half.t[count - 1]), float(half.t[count])
        for _ in range(BISECTIONS):
            middle = 0.5 * (inside + outside)
            at = sampler.at(np.array([middle]), known.between(np.array([middle])), known)
            inside, outside = (inside, middle) if not np.isfinite(at).all() or test(at)[0] else (middle, outside)
        _end_at(half, sampler, limits, count, inside)
        state = ", ".join(f"{value:.6g}" for value in half.points[-1])
        found = reason, f"at ({state})"
    return found


def _end_at(half: _Growing, sampler: Sampler, limits: GrowthLimits, count: int, t: float) -> None:
    """Keep the first points, and add the one at a parameter beyond them."""
    if t == half.t[count - 1]:
        half.cut(count)
        return
    known = half.known
    last = sampler.at(np.array([t]), known.between(np.array([t])), known)
    half.cut(count)
    chord = float(np.linalg.norm(shortest(last[0] - half.points[-1], limits.periods)))
    half.t, half.points = np.append(half.t, t), np.vstack([half.points, last])
    half.arclength = np.append(half.arclength, half.arclength[-1] + chord)


def _cut_at_length(half: _Growing, sampler: Sampler, limits: GrowthLimits) -> None:
    """End the half where its arclength is the one asked for, which sets the length of the last chord."""
    count = int(np.searchsorted(half.arclength, limits.farthest))
    left, known = limits.farthest - float(half.arclength[count - 1]), half.known
    begin, end = float(half.t[count - 1]), float(half.t[count])

    def excess(t: float) -> float:
        x = sampler.at(np.array([t]), known.between(np.array([t])), known)[0]
        return float(np.linalg.norm(shortest(x - half.points[count - 1], limits.periods))) - left

    # A chord is a little shorter than its arc, and may not reach.
    t = end if excess(end) <= 0.0 else float(brentq(excess, begin, end, rtol=SAME_PARAMETER))
    _end_at(half, sampler, limits, count, t)


def _continued(half: _Growing, sampler: ImplicitSampler, target: float, limits: GrowthLimits) -> tuple[Array, Array]:
    """Points up to a parameter, each by continuation from the one before: a coarse mesh, as few as bends allow.

    It ends earlier where the manifold is as long as asked or leaves the box.
    """
    t, points = [float(half.t[-1])], [half.points[-1]]
    slope = shortest(half.points[-1] - half.points[-2], sampler.periods) / (half.t[-1] - half.t[-2])
    length, known, left = half.t[-1] - half.t[-2], half.known, limits.farthest - half.arclength[-1]
    while t[-1] != target and left >= 0.0 and not _is_outside(points[-1], limits):
        end = target if STRETCH * abs(length) >= abs(target - t[-1]) else t[-1] + length
        if end == t[-1] or abs(length) < SHORTEST * abs(target):
            break
        guess = points[-1] + slope * (end - t[-1])
        found = sampler.at(np.array([end]), guess[None], known)[0]
        moved = float(np.linalg.norm(shortest(found - guess, sampler.periods)))
        step = float(np.linalg.norm(shortest(found - points[-1], sampler.periods)))
        if np.isfinite(found).all() and moved <= FARTHEST * step:
            slope = shortest(found - points[-1], sampler.periods) / (end - t[-1])
            length *= LONGER if moved <= NEAR * step else 1.0
            left -= step
            t.append(end)
            points.append(found)
        else:
            length = 0.5 * (end - t[-1])
    return np.array(t), np.array(points)
