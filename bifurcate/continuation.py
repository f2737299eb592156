"""Pseudo-arclength continuation: steps, a generator for those who drive it themselves, and trace, which returns a Branch.

A step predicts u + h t, corrects on the hyperplane across t, and is accepted if the tangent turned by less than
``StepControl.largest_angle`` and the correction was shorter than half the step: a prediction that fell onto another branch fails one
of the two and is tried again with half the step (Allgower & Georg, Numerical Continuation Methods, SIAM 2003,
chapter 6; Deuflhard, Fiedler & Kunkel, SIAM J. Numer. Anal. 24 (1987) 912).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.branch import Branch, Point
from bifurcate.corrector import POLISH, Corrector, Failure, Metric, Node, correct
from bifurcate.curves import Curve
from bifurcate.errors import BifurcateError, InvalidInput, NotConverged, NotIsolated, Stop
from bifurcate.special import Finding, SpecialPoint, examine

__all__ = ["Step", "StepControl", "steps", "trace"]


@dataclass(frozen=True)
class StepControl:
    """How long the steps are. Lengths are in the metric of the curve: a parameter's bounds have width 1.

    Attributes
    ----------
    first : float
        Length of the first step.
    smallest : float
        A step that fails at this length ends the branch.
    largest : float
        No step is longer.
    max_steps : int
        Steps in each direction.
    iterations : int
        Newton steps that are aimed at: fewer lengthen the next step, more shorten it.
    angle : float
        Angle between neighbouring tangents that is aimed at, in radians.
    largest_angle : float
        A step that turns the tangent by more is repeated at half its length.
    """

    first: float = 0.005
    smallest: float = 1e-8
    largest: float = 0.02
    max_steps: int = 1000
    iterations: int = 3
    angle: float = 0.15
    largest_angle: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.smallest <= self.first <= self.largest:
            raise InvalidInput(
                f"steps must obey 0 < smallest ≤ first ≤ largest, got {self.smallest}, {self.first}, {self.largest}"
            )
        if self.max_steps < 1:
            raise InvalidInput(f"max_steps is {self.max_steps}; it must be at least 1")


@dataclass(frozen=True, eq=False)
class Step:
    """One accepted step.

    Attributes
    ----------
    node : Node
        The new point, with tangent, linearisation and spectrum.
    length : float
        Arclength from the previous one.
    finding : Finding
        Special points between the previous point and this one.
    stop : Stop or None
        Why the walk ends here, if it does.
    """

    node: Node
    length: float
    finding: Finding
    stop: Stop | None = None


@dataclass(frozen=True, eq=False)
class _Walk:
    """What stays the same during one walk along a curve."""

    curve: Curve
    lower: np.ndarray
    upper: np.ndarray
    metric: Metric
    control: StepControl
    detect: bool


def steps(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    direction: int = 1,
    control: StepControl | None = None,
    detect: bool = True,
) -> Iterator[Step]:
    """Walk along a curve in one direction, a step at a time.

    The first item is the corrected start (length 0). The last one carries its ``stop``.

    Parameters
    ----------
    curve, bounds, control, detect
        As for :func:`trace`.
    direction : {1, -1}
        Towards growing or falling values of the first free parameter; with a ``curve.direction``, along or against it.

    Yields
    ------
    Step

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.cycles(bf.maps.logistic(), free="r", guess=[0.6])
    >>> walk = bf.steps(curve, {"r": (2.0, 3.2)})
    >>> next(walk).node.u.round(6)
    array([0.6, 2.5])
    """
    walk = _prepare(curve, bounds, control or StepControl(), detect)
    with np.errstate(all="ignore"):
        start = _start(walk)
        sign = 1.0 if direction >= 0 else -1.0
        yield Step(start, 0.0, Finding())
        yield from _walk(walk, dataclasses.replace(start, tangent=sign * start.tangent))


def trace(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    control: StepControl | None = None,
    detect: bool = True,
    keep: Callable[[np.ndarray], Any] | None = None,
    progress: Callable[[Point], None] | None = None,
) -> Branch:
    """Follow a curve in both directions until it leaves its bounds, closes, or cannot be followed further.

    Parameters
    ----------
    curve : Curve
        From :func:`cycles`, :func:`switch`, ….
    bounds : mapping of str to (float, float)
        Interval of every free parameter. The branch ends exactly on it.
    control : StepControl, optional
        Lengths of steps.
    detect : bool
        Compute the multipliers at every point, and find and locate special points.
    keep : callable, optional
        What to store of a state, ``keep(state)`` → array; by default all of it.
    progress : callable, optional
        Called with every new Point.

    Returns
    -------
    Branch
        Each point satisfies ‖f^k(x) − x‖_∞ ≤ 1e-10 · max(scale, ‖u‖_∞). ``branch.stop`` tells why either end is an end. An
        interrupt (Ctrl-C) ends the branch and keeps it.

    Raises
    ------
    InvalidInput
        If bounds are missing, empty, of unknown parameters, or do not hold the start.
    NotConverged
        If the start cannot be corrected onto the curve.
    NotIsolated
        If the solutions at the start form a manifold.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), bounds={"r": (0.5, 3.2)})
    >>> [(point.label, round(point.parameters["r"], 9)) for point in branch.special]
    [('BP', 1.0), ('PD', 3.0)]
    """
    walk = _prepare(curve, bounds, control or StepControl(), detect)
    halves: list[tuple[list[Point], list[SpecialPoint], list[str], Stop]] = []
    with np.errstate(all="ignore"):
        start = _start(walk)
        first = _point(walk, start, keep)
        if progress:
            progress(first)
        for side in curve.sides:
            half = _follow(walk, dataclasses.replace(start, tangent=side * start.tangent), keep, progress)
            halves.append(half)
            if half[3].reason in ("closed", "interrupted"):
                break
    return _join(curve, first, halves, start)


def _join(
    curve: Curve, first: Point, halves: list[tuple[list[Point], list[SpecialPoint], list[str], Stop]], start: Node
) -> Branch:
    points, special, doubts, end = halves[0]
    begin = Stop("origin", str(curve.origin)) if len(curve.sides) == 1 else end
    back: list[Point] = []
    if len(halves) == 2:
        back, reverse, more, begin = halves[1]
        back = [dataclasses.replace(point, arclength=-point.arclength) for point in back[::-1]]
        special = [dataclasses.replace(point, arclength=-point.arclength) for point in reverse[::-1]] + special
        doubts = doubts + more
    if curve.sides[0] < 0:
        begin, end = end, begin
    return Branch(curve, tuple([*back, first, *points]), tuple(special), (begin, end), tuple(doubts))


def _prepare(
    curve: Curve, bounds: Mapping[str, tuple[float, float]], control: StepControl, detect: bool
) -> _Walk:
    if not isinstance(curve, Curve):
        raise InvalidInput(f"curve must be a Curve (cycles and switch make them), got {type(curve).__name__}")
    for name in bounds:
        if name not in curve.free:
            raise InvalidInput(f"bounds name {name!r}, which is not free on this curve; free: {', '.join(curve.free)}")
    lower, upper = [], []
    for name in curve.free:
        if name not in bounds:
            raise InvalidInput(f"bounds must give an interval for {name!r}, as {{{name!r}: (low, high)}}")
        low, high = (float(value) for value in bounds[name])
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InvalidInput(f"bounds of {name!r} are ({low}, {high}); low < high, both finite, is asked for")
        here = curve.parameters(curve.start)[name]
        if not low <= here <= high:
            raise InvalidInput(f"the start has {name} = {here:.6g}, outside its bounds ({low:g}, {high:g})")
        lower.append(low)
        upper.append(high)
    low_high = np.array(lower), np.array(upper)
    return _Walk(curve, *low_high, Metric.of(curve, low_high[1] - low_high[0]), control, detect)


def _start(walk: _Walk) -> Node:
    """The start corrected onto the curve, with its tangent."""
    curve, metric, n = walk.curve, walk.metric, walk.curve.size
    if curve.direction is not None:
        rows = [metric.dual(curve.direction)]
        orient = curve.direction
    else:
        orient = np.zeros(n + len(curve.free))
        orient[n] = 1.0
        rows = [orient / (walk.upper - walk.lower)[0]]
    generous = Corrector(max_iterations=30)
    found: Node | Failure = Failure("diverged")
    for row in rows:
        found = correct(curve, curve.start, row, float(row @ curve.start), metric, generous, orient)
        if isinstance(found, Node):
            return found
    assert isinstance(found, Failure)
    if found.reason == "not-isolated":
        raise NotIsolated(f"{found.detail}. {curve.iterate.map.advice}".strip())
    if found.reason == "singular":
        raise _singular_start(curve, found)
    raise NotConverged(
        f"the start could not be corrected onto the curve ({found.reason}: {found.detail})",
        curve.state(curve.start),
        (float(np.abs(curve.equations.evaluate(curve.start).residual).max()),),
        "Start from a solution of solve(...) or from a longer orbit of the map.",
    )


def _singular_start(curve: Curve, found: Failure) -> BifurcateError:
    at = curve.equations.evaluate(curve.start)
    return NotConverged(
        f"the equations are singular at the start ({found.detail})",
        curve.state(curve.start),
        (float(np.abs(at.residual).max()),),
        "It sits on a fold or branch point, or its solutions are not isolated: start at a slightly different parameter. "
        + curve.iterate.map.advice,
    )


def _follow(
    walk: _Walk, start: Node, keep: Callable | None, progress: Callable | None
) -> tuple[list[Point], list[SpecialPoint], list[str], Stop]:
    points: list[Point] = []
    special: list[SpecialPoint] = []
    doubts: list[str] = []
    stop = Stop("steps", str(walk.control.max_steps))
    try:
        for step in _walk(walk, start):
            special.extend(step.finding.points)
            doubts.extend(step.finding.doubts)
            if step.finding.collapsed is None and step.length > 0:
                points.append(_point(walk, step.node, keep))
                if progress:
                    progress(points[-1])
            if step.stop is not None:
                stop = step.stop
    except KeyboardInterrupt:
        stop = Stop("interrupted")
    return points, special, doubts, stop


def _point(walk: _Walk, node: Node, keep: Callable | None) -> Point:
    curve = walk.curve
    state = curve.state(node.u)
    return Point(
        state if keep is None else np.asarray(keep(state)),
        tuple(node.u[curve.size :].tolist()),
        node.spectrum if walk.detect else None,
        node.residual,
        node.iterations,
        node.arclength,
    )


def _walk(walk: _Walk, node: Node) -> Iterator[Step]:
    """Accepted steps from a node along its tangent; the last one carries the reason for the end."""
    control, start = walk.control, node
    h = control.first
    for number in range(control.max_steps):
        if number == 0 and (stop := _leaves_at_once(walk, node)) is not None:
            yield Step(node, 0.0, Finding(), stop)
            return
        tried = _step(walk, node, h)
        while isinstance(tried, Failure) and 0.5 * h >= control.smallest:
            h *= 0.5
            tried = _step(walk, node, h)
        if isinstance(tried, Failure):
            yield Step(node, 0.0, _pole(walk, node, tried), _why(tried, node, walk))
            return
        new, stop = tried
        if number > 2 and _passes(walk, node, new, start):
            new, stop = _closing(walk, node, start), Stop("closed")
        finding = examine(walk.curve, node, new, walk.metric) if walk.detect else Finding()
        if finding.collapsed is not None:
            stop = Stop("collapsed", str(finding.collapsed))
        if number == control.max_steps - 1 and stop is None:
            stop = Stop("steps", str(control.max_steps))
        yield Step(new, new.arclength - node.arclength, finding, stop)
        if stop is not None:
            return
        h = _next_length(control, node, new, walk.metric)
        node = new


def _leaves_at_once(walk: _Walk, node: Node) -> Stop | None:
    p, t = node.u[walk.curve.size :], node.tangent[walk.curve.size :]
    for i, name in enumerate(walk.curve.free):
        edge = 1e-12 * (walk.upper[i] - walk.lower[i])
        if (p[i] <= walk.lower[i] + edge and t[i] < 0) or (p[i] >= walk.upper[i] - edge and t[i] > 0):
            return Stop("bound", f"{name} = {p[i]:.10g}")
    return None


def _step(walk: _Walk, node: Node, h: float) -> tuple[Node, Stop | None] | Failure:
    """One prediction and correction of length h, or onto the bound if that comes first."""
    curve, metric = walk.curve, walk.metric
    n = curve.size
    p, t = node.u[n:], node.tangent[n:]
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(t > 0, (walk.upper - p) / t, np.where(t < 0, (walk.lower - p) / t, np.inf))
    i = int(np.argmin(room))
    if room[i] <= h:
        return _onto_bound(walk, node, i, float(room[i]))
    guess = node.u + h * node.tangent
    row = metric.dual(node.tangent)
    new = correct(curve, guess, row, float(row @ guess), metric, None, node.tangent)
    if isinstance(new, Failure):
        return new
    if (refusal := _suspicious(walk, node, new, guess, h)) is not None:
        return refusal
    outside = np.maximum(walk.lower - new.u[n:], new.u[n:] - walk.upper)
    if (outside > 0).any():
        # The curve bends over the bound: arrive on it from the chord between the two.
        i = int(np.argmax(outside / (walk.upper - walk.lower)))
        bound = walk.upper[i] if new.u[n + i] > walk.upper[i] else walk.lower[i]
        part = (bound - node.u[n + i]) / (new.u[n + i] - node.u[n + i])
        return _onto_bound(walk, node, i, h * float(part), node.u + part * (new.u - node.u))
    return dataclasses.replace(new, arclength=node.arclength + metric.norm(new.u - node.u)), None


def _onto_bound(
    walk: _Walk, node: Node, i: int, h: float, guess: np.ndarray | None = None
) -> tuple[Node, Stop | None] | Failure:
    n = walk.curve.size
    bound = walk.upper[i] if node.tangent[n + i] > 0 else walk.lower[i]
    if guess is None:
        guess = node.u + h * node.tangent
    guess = guess.copy()
    guess[n + i] = bound
    row = np.zeros(len(guess))
    row[n + i] = 1.0 / (walk.upper[i] - walk.lower[i])
    new = correct(walk.curve, guess, row, float(row @ guess), walk.metric, None, node.tangent)
    if isinstance(new, Failure):
        return new
    if (refusal := _suspicious(walk, node, new, guess, max(h, 1e-12))) is not None:
        return refusal
    new.u[n + i] = bound
    new = dataclasses.replace(new, arclength=node.arclength + walk.metric.norm(new.u - node.u))
    return new, Stop("bound", f"{walk.curve.free[i]} = {bound:.10g}")


def _suspicious(walk: _Walk, node: Node, new: Node, guess: np.ndarray, h: float) -> Failure | None:
    """A prediction that fell onto another branch: far from where it was sent, or with another tangent."""
    metric = walk.metric
    off = metric.norm(new.u - guess)
    cosine = metric.dot(node.tangent, new.tangent)
    if cosine < np.cos(walk.control.largest_angle):
        return Failure("diverged", f"the tangent turned by {np.arccos(max(-1.0, cosine)):.2f} rad in one step")
    if off > 0.5 * h + 1e-9:
        return Failure("diverged", f"the correction ({off:.1e}) was longer than half the step ({h:.1e})")
    return None


def _next_length(control: StepControl, node: Node, new: Node, metric: Metric) -> float:
    length = new.arclength - node.arclength
    turned = float(np.arccos(np.clip(metric.dot(node.tangent, new.tangent), -1.0, 1.0)))
    by_angle = control.angle / max(turned, 1e-3 * control.angle)
    by_work = 2.0 ** ((control.iterations - new.iterations) / 2.0)
    return float(np.clip(length * np.clip(min(by_angle, by_work), 0.3, 2.0), control.smallest, control.largest))


def _passes(walk: _Walk, node: Node, new: Node, start: Node) -> bool:
    """Whether the step from node to new runs through the start, in the start's own direction."""
    metric = walk.metric
    h = metric.norm(new.u - node.u)
    if metric.norm(start.u - node.u) > 2.0 * h or metric.dot(new.tangent, start.tangent) < 0.8:
        return False
    before, after = (metric.dot(start.tangent, end.u - start.u) for end in (node, new))
    if not before < 0 <= after:
        return False
    row = metric.dual(start.tangent)
    part = -before / (after - before)
    guess = node.u + part * (new.u - node.u)
    found = correct(walk.curve, guess, row, float(row @ start.u), metric, POLISH, start.tangent)
    return isinstance(found, Node) and metric.norm(found.u - start.u) < 1e-6


def _closing(walk: _Walk, node: Node, start: Node) -> Node:
    return dataclasses.replace(start, arclength=node.arclength + walk.metric.norm(start.u - node.u))


def _why(failure: Failure, node: Node, walk: _Walk) -> Stop:
    reason = {"diverged": "stalled"}.get(failure.reason, failure.reason)
    where = ", ".join(f"{name} = {value:.10g}" for name, value in zip(walk.curve.free, node.u[walk.curve.size :]))
    advice = walk.curve.iterate.map.advice if reason == "not-isolated" else ""
    return Stop(reason, f"at {where}: {failure.detail}" + (f". {advice}" if advice else ""))


def _pole(walk: _Walk, node: Node, failure: Failure) -> Finding:
    """A special point "pole" where the walk ran up to the edge of the map's domain."""
    if failure.reason != "domain":
        return Finding()
    n = walk.curve.size
    point = SpecialPoint(
        "pole", node.at.parameters, walk.curve.state(node.u), walk.curve.period, node.spectrum, walk.curve, node.u,
        node.tangent, np.zeros((n, 0)), 0, node.arclength, node.residual, 0,
        {"parameter": abs(float(node.tangent[n])) * walk.control.smallest},
        note=f"the last point before the edge of the domain, at margin {node.at.margin:.1e}",
    )  # fmt: skip
    return Finding([point])
