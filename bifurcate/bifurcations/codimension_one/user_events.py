"""The user's events on a curve: zeros of functions of state and parameters, located to the corrector's accuracy.

A change of sign between two points of the curve is bracketed, and its zero found by the Illinois method (Dowell &
Jarratt, BIT 11 (1971) 168) on points that are corrected to rounding. Two zeros in one step are seen where the slopes
at both ends lead to 0 and the cubic through them comes near it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bifurcate.bifurcations.codimension_one.located_points import moved_by_rounding
from bifurcate.bifurcations.kinds import find_kind
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct, correct_between
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.event import Event
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput

__all__ = ["UserEvent", "check_events", "events_at_start", "find_user_events", "kinds_to_stop_at"]

EPS = float(np.finfo(float).eps)
# Distance from a point of the curve, in the metric, within which a zero is that point: the corrector's accuracy, so
# that a zero on a point of the curve is met once, in the step that arrives there.
AT_POINT = 1e-9
SLOPE_STEP = 1e-5  # of central differences along the tangent, in the metric: the third root of rounding
ITERATIONS = 90  # points tried: of the Illinois method at first,
HALVED_FROM = 30  # ... from this one on of halvings, which bracket a jump, too
BRACKETED = 1e-14  # part of a step to which a zero is bracketed: rounding
ROUNDINGS = 8.0  # units in the last place of the function's value, and of the parameter, that a claimed error contains
JUMP = 0.1  # part of the change over a step that is left at a bracketed zero where the function jumps, not vanishes
NEAR_ZERO = 0.5  # part of its value at the ends to which a cubic must fall for a pair of zeros to be looked for
HALVINGS = 6  # points taken in search of a pair of zeros: each is nearer to the extremum


@dataclass(frozen=True, eq=False)
class UserEvent:
    """A located event: the point reported, the point of the curve, and whether the curve is to end there."""

    point: SpecialPoint
    node: CurvePoint
    stop: bool


def check_events(curve: Curve) -> Curve:
    """The curve, if its events fit: names without a function are parameters of its map, or kinds to stop at.

    Raises
    ------
    InvalidInput
        If one does not fit.
    """
    names = curve.iterate.map.parameters
    for event in curve.events:
        if event.is_kind:
            find_kind(event.name)
        elif event.function is None and event.name not in names:
            raise InvalidInput(
                f"the event {event.name!r} has values and no function, so that it must be a parameter of "
                f"{curve.iterate.map.name}, which has {', '.join(names) or 'none'}"
            )
    return curve


def kinds_to_stop_at(curve: Curve) -> set[str]:
    """The kinds of special points at the first of which the curve is to end."""
    return {find_kind(event.name).name for event in curve.events if event.is_kind}


@dataclass(frozen=True, eq=False)
class _Watched:
    """One event's function less one of its values, on one curve."""

    curve: Curve
    metric: Metric
    event: Event
    value: float

    def at(self, node: CurvePoint) -> float:
        """How far the function is above its value at a point."""
        return self._at(node.u)

    def _at(self, u: np.ndarray) -> float:
        return self.event.at(self.curve.state(u), self.curve.parameters(u)) - self.value

    def slope(self, node: CurvePoint) -> float:
        """Its derivative by arclength, from differences along the tangent; f is not evaluated for it."""
        if self.event.function is None:
            free = self.curve.free
            at = free.index(self.event.name) if self.event.name in free else None
            return 0.0 if at is None else float(node.tangent[self.curve.size + at])
        step = SLOPE_STEP * node.tangent
        return (self._at(node.u + step) - self._at(node.u - step)) / (2.0 * SLOPE_STEP)

    def is_zero(self, node: CurvePoint) -> bool:
        """True if the zero is the point itself, to the accuracy of points of the curve."""
        slope = abs(self.slope(node))
        return slope > 0.0 and abs(self.at(node)) <= AT_POINT * slope

    def located(self, node: CurvePoint, width: float, jumps: bool = False) -> UserEvent:
        """The event at a point of the curve, with its error: what the zero, rounding and the bracket leave open."""
        n, slope, value = self.curve.size, abs(self.slope(node)), self.at(node)
        moved = moved_by_rounding(node, self.metric) if self.curve.codimension == 0 else np.zeros(len(node.u))
        rest = abs(value) + ROUNDINGS * EPS * (abs(self.value) + abs(value + self.value))
        if self.event.function is not None and moved.any():
            rest += abs(self._at(node.u + moved) - value)
        along = width if jumps or not slope else rest / slope
        error = along * abs(float(node.tangent[n])) + node.remaining_error(n) + abs(float(moved[n]))
        point = SpecialPoint(
            kind="event",
            curve=self.curve,
            unknowns=node.u,
            period=self.curve.period,
            multiplicity=0,
            arclength=node.arclength,
            residual=node.residual,
            iterations=node.iterations,
            error=error + ROUNDINGS * EPS * abs(float(node.u[n])),
            note=f"{self.event.name} jumps here" if jumps else "",
            event=self.event.name,
            title=self.event.title(self.value),
        )
        return UserEvent(point, node, self.event.stop)


def events_at_start(curve: Curve, start: CurvePoint, metric: Metric) -> list[SpecialPoint]:
    """The events at the first point of a curve, which no step arrives at."""
    watched = _watched(curve, metric)
    return [each.located(start, AT_POINT).point for each in watched if each.is_zero(start)]


def find_user_events(curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric) -> list[UserEvent]:
    """Locate the user's events beyond a up to b, in their order; those at a itself belong to the step that came there.

    Parameters
    ----------
    curve : Curve
        With its events.
    a, b : CurvePoint
        Two neighbouring points of it.
    metric : Metric
        In which lengths are measured.
    """
    found: list[UserEvent] = []
    for watched in _watched(curve, metric):
        if watched.is_zero(a):  # it leaves 0 there, and may come back
            turn = _extremum(watched, a, b)
            parts = [] if turn is None else _brackets(watched, turn, b, 0)
        else:
            parts = _brackets(watched, a, b, HALVINGS)
        found += [_locate(watched, *part) for part in parts]
        if not parts and watched.is_zero(b):
            exact = correct_between(curve, a, b, 1.0, metric, TO_ROUNDING)
            found.append(
                watched.located(b if isinstance(exact, CorrectorFailure) else _exactly(watched, exact), AT_POINT)
            )
    return sorted(found, key=lambda each: each.point.arclength)


def _watched(curve: Curve, metric: Metric) -> list[_Watched]:
    return [_Watched(curve, metric, event, value) for event in curve.events for value in event.values]


def _brackets(watched: _Watched, a: CurvePoint, b: CurvePoint, most: int) -> list[tuple[CurvePoint, CurvePoint]]:
    """The parts of a step in which the function changes sign: one, or two on both sides of an extremum beyond 0."""
    if (watched.at(a) > 0) != (watched.at(b) > 0):
        return [(a, b)]
    middle = _extremum(watched, a, b) if most else None
    if middle is None:
        return []
    if (watched.at(middle) > 0) != (watched.at(a) > 0):
        return [(a, middle), (middle, b)]
    return _brackets(watched, a, middle, most - 1) or _brackets(watched, middle, b, most - 1)


def _extremum(watched: _Watched, a: CurvePoint, b: CurvePoint) -> CurvePoint | None:
    """The point where the function, which has one sign at both ends, comes nearest to 0; None if it stays away."""
    length = b.arclength - a.arclength
    side = 1.0 if watched.at(b) > 0 else -1.0
    f, g = side * watched.at(a), side * watched.at(b)
    df, dg = side * watched.slope(a) * length, side * watched.slope(b) * length
    if not (df < 0.0 < dg):
        return None
    # Hermite's cubic f + df t + c t² + d t³ has its minimum at the root of df + 2ct + 3dt² where the slope rises.
    c, d = 3.0 * (g - f) - 2.0 * df - dg, 2.0 * (f - g) + df + dg
    t = -df / (c + np.sqrt(max(c * c - 3.0 * d * df, 0.0)))
    if not 0.0 < t < 1.0 or f + t * (df + t * (c + t * d)) > NEAR_ZERO * min(abs(f) or g, g):
        return None
    found = correct_between(watched.curve, a, b, float(t), watched.metric, TO_ROUNDING)
    return None if isinstance(found, CorrectorFailure) else found


def _locate(watched: _Watched, a: CurvePoint, b: CurvePoint) -> UserEvent:
    """The point between a and b at which the function vanishes, or jumps over 0."""
    left, right, f, g = 0.0, 1.0, watched.at(a), watched.at(b)
    change, node, last, kept = abs(f - g), b, np.inf, ""
    for iteration in range(ITERATIONS):
        t = 0.5 * (left + right) if iteration >= HALVED_FROM else (left * g - right * f) / (g - f)
        if right - left < BRACKETED or abs(t - last) < BRACKETED:
            break
        tried = correct_between(watched.curve, a, b, t, watched.metric, TO_ROUNDING)
        if isinstance(tried, CorrectorFailure):  # beside a kink: what is known of the place is the error then
            break
        node, last, h = tried, t, watched.at(tried)
        if h == 0.0:
            break
        if (h > 0) == (g > 0):
            right, g, f, kept = t, h, 0.5 * f if kept == "left" else f, "left"
        else:
            left, f, g, kept = t, h, 0.5 * g if kept == "right" else g, "right"
    jumps = abs(watched.at(node)) > JUMP * change
    width = (right - left) * (b.arclength - a.arclength)
    return watched.located(_exactly(watched, node), width, jumps)


def _exactly(watched: _Watched, node: CurvePoint) -> CurvePoint:
    """The curve's point at the very value of the parameter that was asked for; at a fold in it, the one located."""
    free, metric = watched.curve.free, watched.metric
    if watched.event.function is not None or watched.event.name not in free:
        return node
    i = watched.curve.size + free.index(watched.event.name)
    normal, guess = np.zeros(len(node.u)), node.u.copy()
    normal[i], guess[i] = 1.0 / metric.widths[i - watched.curve.size], watched.value
    found = correct(watched.curve, guess, normal, float(normal @ guess), metric, TO_ROUNDING, node.tangent)
    if isinstance(found, CorrectorFailure) or metric.norm(found.u - node.u) > AT_POINT:
        return node
    u = found.u.copy()
    u[i] = watched.value
    return dataclasses.replace(found, u=u).placed(node.arclength).following(node)
