"""One step along a curve, and the walk made of them.

A step predicts u + h t, corrects on the hyperplane across t, and is accepted if the tangent turned by less than
``StepControl.largest_angle`` and the correction was shorter than half the step: a prediction that fell onto another
branch fails one of the two and is tried again with half the step (Allgower & Georg, Numerical Continuation Methods,
SIAM 2003, chapter 6; Deuflhard, Fiedler & Kunkel, SIAM J. Numer. Anal. 24 (1987) 912).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bifurcate.corrector import POLISH, Failure, Metric, Node, adapted, between, correct
from bifurcate.curves import Curve
from bifurcate.errors import InvalidInput, Stop
from bifurcate.special import Finding, SpecialPoint, branch_point_near, examine

__all__ = ["Step", "StepControl", "Walk", "walk_along"]

STRAY = 0.02  # by how much of the step's length a prediction may miss beyond what the tangent's turning explains
STRAIGHT = 0.01  # radians by which a branch may turn in passing a branch point that it runs through
NOISE = 1e-7  # a multiplier this close to +1 is as good as there
TIP = 1e-5  # ... and what it may miss by in any case


@dataclass(frozen=True)
class StepControl:
    """How long the steps are. Lengths are in the metric of the curve: a parameter's bounds have width 1.

    Attributes
    ----------
    first : float
        Length of the first step.
    smallest : float
        A step that fails at this length ends the branch.
    surest : float
        A step in which multipliers changed without a point that explains it is repeated with a quarter of its length
        while that is longer than this: it may have jumped past an imperfect bifurcation.
    largest : float
        No step changes the parameters by more than this, nor is ten times as long.
    farthest : float
        A state whose root mean square exceeds this many times the metric's unit (the map's scale, or the size of the
        start if that is larger) ends the branch.
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
    surest: float = 1e-5
    largest: float = 0.02
    farthest: float = 50.0
    max_steps: int = 1000
    iterations: int = 3
    angle: float = 0.15
    largest_angle: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.smallest <= self.first <= self.largest:
            raise InvalidInput(
                f"steps must obey 0 < smallest ≤ first ≤ largest, got {self.smallest}, {self.first}, {self.largest}"
            )
        for name in ("max_steps", "iterations"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidInput(f"{name} is {value!r}; it must be a whole number, at least 1")
        for name in ("surest", "farthest", "angle", "largest_angle"):
            value = getattr(self, name)
            if not (isinstance(value, float | int) and np.isfinite(value) and value > 0):
                raise InvalidInput(f"{name} is {value!r}; it must be a positive, finite number")


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
class Walk:
    """What stays the same during one walk along a curve."""

    curve: Curve
    lower: np.ndarray
    upper: np.ndarray
    metric: Metric
    control: StepControl
    detect: bool

    @property
    def free(self) -> slice:
        """Where the free parameters stand among the unknowns."""
        return slice(self.curve.size, self.curve.size + len(self.lower))


def walk_along(walk: Walk, node: Node) -> Iterator[Step]:
    """Accepted steps from a node along its tangent; the last one carries the reason for the end."""
    control, start, before = walk.control, node, node
    h = control.first
    if (stop := _leaves_at_once(walk, node)) is not None:
        yield Step(node, 0.0, Finding(), stop)
        return
    for number in range(control.max_steps):
        tried = _step(walk, before, node, h)
        while isinstance(tried, Failure) and 0.5 * h >= control.smallest:
            h *= 0.5
            tried = _step(walk, before, node, h)
        if isinstance(tried, Failure):
            if node.at.margin < 1e-3 * start.at.margin < np.inf:
                tried = Failure("domain", f"smallest margin {node.at.margin:.1e}")
            yield Step(node, 0.0, _pole(walk, node, tried), _why(tried, node, walk))
            return
        new, stop = tried[0].after(node), tried[1]
        if _stands(walk, node, new) and _stands_on(walk, node):
            standing = Failure("not-isolated", "cycles at one and the same parameter value form a curve")
            yield Step(node, 0.0, Finding(), _why(standing, node, walk))
            return
        if number > 2 and _passes(walk, node, new, start):
            new, stop = _closing(walk, node, start), Stop("closed")
        finding = examine(walk.curve, node, new, walk.metric) if walk.detect else Finding()
        watched = walk.detect and walk.curve.kind == "cycle"
        if watched and (unexplained := _unexplained(before, node, new, finding)):
            if 0.25 * h >= control.surest:
                h *= 0.25
                continue
            finding = _passed_over(walk, node, new, finding, unexplained)
        if finding.barrier:
            reason = "not-isolated" if walk.curve.kind == "cycle" else "unfolded"
            yield Step(node, 0.0, Finding(), _why(Failure(reason, finding.barrier), node, walk))
            return
        if finding.collapsed is not None:
            stop = Stop("collapsed", str(finding.collapsed))
        if stop is None and _size(walk, new) > control.farthest:
            stop = Stop("escaped", f"at {walk.curve.where(new.u)} its root mean square is {_size(walk, new):.0f} units")
        if number == control.max_steps - 1 and stop is None:
            stop = Stop("steps", str(control.max_steps))
        yield Step(new, new.arclength - node.arclength, finding, stop)
        if stop is not None:
            return
        h = _next_length(control, node, new, walk.metric)
        before, node = new if _over_a_border(walk, node, new) else node, new
        if node.kernel is not None:
            walk = dataclasses.replace(walk, curve=adapted(walk.curve, node, walk.metric))


def _stands(walk: Walk, node: Node, new: Node) -> bool:
    """Whether a step left the only parameter where it was, to rounding: a flip or branch point of a linear map does so.

    At a fold, too, the tangent's parameter component vanishes, but at one point and not all along a step.
    """
    n = walk.curve.size
    if len(walk.curve.free) > 1 or new.arclength - node.arclength < 1e-4:
        return False
    width = float((walk.upper - walk.lower)[0])
    flat = max(abs(float(node.tangent[n])), abs(float(new.tangent[n]))) < 1e-9 * width
    return flat and abs(float(new.u[n] - node.u[n])) < 1e-12 * width


def _stands_on(walk: Walk, node: Node) -> bool:
    """Whether it does so over a length of 0.3: a fold p ∝ x⁸, say, is as flat as that over 0.03."""
    row = walk.metric.dual(node.tangent)
    for length in (0.3, 0.1):
        guess = node.u + length * node.tangent
        far = correct(walk.curve, guess, row, float(row @ guess), walk.metric, None, node.tangent)
        if isinstance(far, Node):
            return _stands(walk, node, far.placed(node.arclength + length))
    return True


def _leaves_at_once(walk: Walk, node: Node) -> Stop | None:
    p, t = node.u[walk.free], node.tangent[walk.free]
    for i, name in enumerate(walk.curve.free):
        edge = 1e-12 * (walk.upper[i] - walk.lower[i])
        if (p[i] <= walk.lower[i] + edge and t[i] < 0) or (p[i] >= walk.upper[i] - edge and t[i] > 0):
            return Stop("bound", f"{name} = {p[i]:.10g}")
    return None


def _step(walk: Walk, before: Node, node: Node, h: float) -> tuple[Node, Stop | None] | Failure:
    """One prediction and correction of length h, or onto the bound if that comes first."""
    curve, metric = walk.curve, walk.metric
    n = curve.size
    p, t = node.u[walk.free], node.tangent[walk.free]
    sides = zip(p.tolist(), t.tolist(), walk.lower.tolist(), walk.upper.tolist())
    room = [((upper if rate > 0 else lower) - here) / rate if rate else math.inf for here, rate, lower, upper in sides]
    i = room.index(min(room))
    if room[i] <= h:
        length, bound = room[i], walk.upper[i] if t[i] > 0 else walk.lower[i]
        for _ in range(3):  # the cubic comes to the bound elsewhere than the tangent does
            guess, smooth = _predicted(before, node, length, metric)
            length = min(max(0.0, length + float(bound - guess[n + i]) / float(t[i])), 2.0 * h)
        return _onto_bound(walk, node, i, length, guess, smooth)
    guess, smooth = _predicted(before, node, h, metric)
    row = metric.dual(node.tangent)
    new = correct(curve, guess, row, float(row @ guess), metric, None, node.tangent)
    if isinstance(new, Failure):
        return new
    if (refusal := _suspicious(walk, node, new, guess, h, smooth)) is not None:
        return refusal
    outside = np.maximum(walk.lower - new.u[walk.free], new.u[walk.free] - walk.upper)
    if (outside > 0).any():
        # The curve bends over the bound: arrive on it from the chord between the two.
        i = int(np.argmax(outside / (walk.upper - walk.lower)))
        bound = walk.upper[i] if new.u[n + i] > walk.upper[i] else walk.lower[i]
        part = (bound - node.u[n + i]) / (new.u[n + i] - node.u[n + i])
        return _onto_bound(walk, node, i, h * float(part), node.u + part * (new.u - node.u))
    return new.placed(node.arclength + metric.norm(new.u - node.u)), None


def _predicted(before: Node, node: Node, h: float, metric: Metric) -> tuple[np.ndarray, bool]:
    """A step of length h from a node, on the cubic through the last two (True) or, where one is far, on the tangent."""
    last = node.arclength - before.arclength
    if not 0.5 * h <= last:
        return node.u + h * node.tangent, False
    return between(before, node, 1.0 + h / last, metric), True


def _onto_bound(
    walk: Walk, node: Node, i: int, h: float, guess: np.ndarray, smooth: bool = False
) -> tuple[Node, Stop | None] | Failure:
    n = walk.curve.size
    bound = walk.upper[i] if node.tangent[n + i] > 0 else walk.lower[i]
    guess = guess.copy()
    guess[n + i] = bound
    row = np.zeros(len(guess))
    row[n + i] = 1.0 / (walk.upper[i] - walk.lower[i])
    new = correct(walk.curve, guess, row, float(row @ guess), walk.metric, None, node.tangent)
    if isinstance(new, Failure):
        return new
    if (refusal := _suspicious(walk, node, new, guess, max(h, 1e-12), smooth)) is not None:
        return refusal
    new.u[n + i] = bound
    new = new.placed(node.arclength + walk.metric.norm(new.u - node.u))
    return new, Stop("bound", f"{walk.curve.free[i]} = {bound:.10g}")


def _suspicious(walk: Walk, node: Node, new: Node, guess: np.ndarray, h: float, smooth: bool) -> Failure | None:
    """A prediction that fell onto another branch: far from where it was sent, or with another tangent.

    Along a smooth curve a prediction on the tangent misses by half the angle by which that turns, in units of the step,
    and a cubic one by far less: what misses by more is on a neighbouring branch, whose tangent may be the same. Misses
    that are shorter than ``TIP`` tell nothing, since beside a singular point the corrector is no more exact.
    """
    metric = walk.metric
    off = metric.norm(new.u - guess)
    cosine = metric.dot(node.tangent, new.tangent)
    if _over_a_border(walk, node, new):
        return None if cosine > 0.0 and off <= h else Failure("diverged", "the branch turns back at a border")
    if cosine < math.cos(walk.control.largest_angle):
        return Failure("diverged", f"the tangent turned by {math.acos(max(-1.0, cosine)):.2f} rad in one step")
    iterate = walk.curve.iterate
    new_period, old_period = iterate.least_period(new.at.orbit), iterate.least_period(node.at.orbit)
    if new_period < old_period and h > walk.control.surest:
        return Failure("diverged", "the step fell onto a cycle of a smaller period")
    if off > 0.5 * h + 1e-9:
        return Failure("diverged", f"the correction ({off:.1e}) was longer than half the step ({h:.1e})")
    if off > max(TIP, h * (STRAY if smooth else STRAY + math.acos(min(1.0, cosine)))):
        return Failure("diverged", f"the correction ({off:.1e}) was longer than the curve's bend explains")
    return None


def _over_a_border(walk: Walk, node: Node, new: Node) -> bool:
    """Whether a switching function of the map changes sign in a step."""
    iterate = walk.curve.iterate
    if iterate.map.borders is None:
        return False
    signs = [iterate.border_signs(each.at.orbit, each.at.parameters) > 0 for each in (node, new)]
    return bool((signs[0] != signs[1]).any())


def _passed_over(walk: Walk, node: Node, new: Node, finding: Finding, why: str) -> Finding:
    """What was found, with the branch point that the step passed over, if there is one, and a doubt.

    A branch point that lies ahead explains what was seen; so does one that is passed without a turn, on a branch that
    runs through it.
    """
    if finding.doubts:
        return finding
    point = branch_point_near(walk.curve, node, walk.metric, 10.0 * (new.arclength - node.arclength))
    if point is not None and point.arclength > new.arclength:
        return finding
    if point is not None and walk.metric.dot(node.tangent, new.tangent) > math.cos(STRAIGHT):
        return dataclasses.replace(finding, points=[*finding.points, point])
    doubt = f"{why} near {walk.curve.where(node.u)}: the branch may have gone on along another one there"
    return dataclasses.replace(finding, points=finding.points + ([] if point is None else [point]), doubts=[doubt])


def _unexplained(before: Node, node: Node, new: Node, finding: Finding) -> str:
    """Why multipliers changed over a step as only a jump to another branch, or a point not found, would explain.

    Either their counts differ and no point accounts for it; or a multiplier was heading through +1 and is back on its
    side without a point in between: so it looks when a step leaves a pitchfork's side branch, before its tip, for the
    branch that it starts from. A shorter step will tell.
    """
    if not new.spectrum.certified:
        return ""
    if finding.doubts:
        return finding.doubts[0]
    if finding.points or node.arclength == before.arclength:
        return ""
    spectra = [each.spectrum for each in (before, node, new)]
    if len({int(each.multiplicity[each.real].sum()) for each in spectra}) > 1:
        return ""  # a pair became real, or the other way round: the gap is another multiplier's
    past, here, there = (each.gap for each in spectra)
    slope = (here - past) / (node.arclength - before.arclength)
    ahead = here + slope * (new.arclength - node.arclength)
    heads = ahead < 0.0 and min(here, there) > NOISE
    return "a multiplier that headed for +1 turned back" if heads else ""


def _next_length(control: StepControl, node: Node, new: Node, metric: Metric) -> float:
    length = new.arclength - node.arclength
    turned = math.acos(min(1.0, max(-1.0, metric.dot(node.tangent, new.tangent))))
    by_angle = control.angle / max(turned, 1e-3 * control.angle)
    by_work = 2.0 ** ((control.iterations - new.iterations) / 2.0)
    t = new.tangent[metric.n :]
    longest = control.largest / max(math.sqrt((metric.parameter * t) @ t), 0.1)
    return max(control.smallest, min(longest, length * max(0.3, min(2.0, by_angle, by_work))))


def _passes(walk: Walk, node: Node, new: Node, start: Node) -> bool:
    """Whether the step from node to new runs through the start, in the start's own direction."""
    metric = walk.metric
    h = new.arclength - node.arclength
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


def _closing(walk: Walk, node: Node, start: Node) -> Node:
    return start.placed(node.arclength + walk.metric.norm(start.u - node.u))


def _size(walk: Walk, node: Node) -> float:
    x = node.u[: walk.curve.size]
    return math.sqrt(walk.metric.state * float(x @ x))


def _why(failure: Failure, node: Node, walk: Walk) -> Stop:
    reason = {"diverged": "stalled"}.get(failure.reason, failure.reason)
    advice = walk.curve.iterate.map.advice if reason == "not-isolated" else ""
    return Stop(reason, f"at {walk.curve.where(node.u)}: {failure.detail}" + (f". {advice}" if advice else ""))


def _pole(walk: Walk, node: Node, failure: Failure) -> Finding:
    """A special point "pole" where the walk ran up to the edge of the map's domain."""
    if failure.reason != "domain":
        return Finding()
    point = SpecialPoint(
        "pole", walk.curve, node.u, walk.curve.period, 0, node.arclength, node.residual, 0,
        2.0 * walk.control.smallest * float((walk.upper - walk.lower)[0]),
        note=f"the last point before the edge of the domain, at margin {node.at.margin:.1e}",
    )  # fmt: skip
    return Finding([point])
