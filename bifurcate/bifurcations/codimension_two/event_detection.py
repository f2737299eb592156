"""Event detection on curves of special points: points of codimension two, detected and located.

Every kind is the simple zero of a function that is smooth along the curve:

    fold             cusp             the parameters' velocity along the curve, p' = c (−ψᵀH_p₂, ψᵀH_p₁): c
                     R1               <ψ, φ>, of the critical vectors: 0 where the multiplier +1 is defective
    flip             generalised flip b <ψ, φ> (b, the normal form's coefficient, has a pole where <ψ, φ> = 0)
                     R2               <ψ, φ>
    Neimark–Sacker   R1 R2 R3 R4      κ − 1, κ + 1, κ + 1/2, κ with κ = cos θ
                     weak resonances  κ − cos 2πp/q, where they are asked for
                     chenciner        d, the normal form's coefficient
    all              fold-flip, fold-ns, flip-ns, ns-ns, fold-fold, flip-flip: the distance of another multiplier from
                     the unit circle, signed by the counts of the multipliers beyond it

(Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019, table 3.1 and section 5.3). A zero is
found by Brent's method on points of the curve. Where both signs are rounding noise the coefficient vanishes along the
curve: that is noted once as a doubt, and no point is made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bifurcate.bifurcations.codimension_two.crossing_interpolation import interpolate_crossing
from bifurcate.bifurcations.codimension_two.event_functions import (
    COSINE_NOISE,
    NOISE,
    count_beyond,
    critical_angle,
    error_of,
    is_neutral_saddle,
    is_of_cosine,
    other_multipliers,
    signed_distance,
    values_at,
)
from bifurcate.bifurcations.codimension_two.noisy_zero import zero_of_noisy
from bifurcate.bifurcations.codimension_two.parameter_noise import parameter_noise
from bifurcate.bifurcations.codimension_two.weak_resonances import resonances_between
from bifurcate.bifurcations.kinds import KINDS, kind_of_double_event
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.curves.step_cache import StepCache

__all__ = ["detect_codimension_two"]

Array = NDArray[np.float64]

# Lengths are in the metric, fractions in steps.
# Halvings of a step in which several multipliers cross: parts of 1/4000 tell all but coincident ones
MOST_HALVINGS = 12
CROSSING_NOISE = 1e-3  # part of NOISE that a simple multiplier's distance from the circle is known to
SURE_ERRORS = 2.0  # errors by which a coefficient must exceed 0 at one end to be more than rounding
POLE_MARGIN = 0.02  # steps on either side of a coefficient's pole where its zeros are not looked for
SAMPLES = (0.2, 0.4, 0.6, 0.8)  # where a coefficient that may be rounding noise is looked at
SAME = 1e-5  # distance up to which two points are one: where curves cross they are interpolated, to about this
# Part of <ψ, φ> at the other end below which a step ends at a defective multiplier. The other one of the pair is known
# to the root of what the corrector leaves there, and its side of the circle is noise.
ENDS_AT_DEFECT = 1e-2
ONE_EIGENVECTOR = 0.2  # part of its values at the ends below which <ψ, φ> vanishes: the multiplier is defective
INTERPOLATIONS = 6  # points from which a place where curves cross is interpolated
ROOT_TOLERANCE = 1e-13  # of Brent's method
ROOT_ITERATIONS = 100  # of Brent's method: it needs fifty on the worst functions
LARGEST_LEFT = 1e-3  # part of the smaller end value up to which what is left at a root is small; more is a pole
LARGEST_LEFT_NOISES = 10.0  # ... or this many times the noise
SLOPE_REACH = 1e-7  # points of the root search nearer than this tell no slope: rounding
ROUNDING = 1e-14  # rounding of what decides about the kind, in widths of the bounds
SMALLEST = 1e-300  # keeps a division from being one by 0

# Multipliers that may become critical besides those of the curve: +1, −1, or a pair; the order is a signature's.
FURTHER_CRITICAL: tuple[tuple[tuple[float, ...], int], ...] = (((1.0,), 0), ((-1.0,), 0), ((), 1))


def detect_codimension_two(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, cache: StepCache
) -> tuple[list[SpecialPoint], list[str]]:
    """Find and locate the points of codimension two between two neighbouring points of a curve of special points.

    Parameters
    ----------
    curve : Curve
        The curve.
    a, b : CurvePoint
        The points.
    metric : Metric
        In which lengths are measured.
    cache : StepCache
        Where test functions are remembered.

    Returns
    -------
    points : list of SpecialPoint
        In the order of the curve.
    doubts : list of str
        What changed without a point that explains it.
    """
    search = _Search(curve, metric, cache)
    search.find_zeros(a, b)
    search.find_weak_resonances(a, b)
    search.find_crossings(a, b, 0)
    for left, right in search.parts_between_poles(a, b):
        search.find_zeros(left, right, coefficients=True)
    return sorted(search.points, key=lambda point: point.arclength), search.doubts


@dataclass
class _Search:
    """The search for points of codimension two in one step; ``points`` and ``doubts`` grow as it proceeds."""

    curve: Curve
    metric: Metric
    cache: StepCache
    points: list[SpecialPoint] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def values(self, node: CurvePoint) -> dict[str, float]:
        """The test functions at a point: computed once, since the next step needs them again."""
        return self.cache.values(node, lambda point: values_at(self.curve, point, self.metric, self.cache))

    def parts_between_poles(self, a: CurvePoint, b: CurvePoint) -> list[tuple[CurvePoint, CurvePoint]]:
        """The step without the neighbourhoods of points at which a coefficient has a pole."""
        h = b.arclength - a.arclength
        cuts = sorted((p.arclength - a.arclength) / h for p in self.points if KINDS[p.kind].has_pole)
        origin = self.curve.origin
        if isinstance(origin, SpecialPoint) and KINDS[origin.kind].has_pole:
            # A curve that was begun at such a point: both steps from there lie beside the pole.
            n = self.curve.size + len(self.curve.free)
            away = [self.metric.norm(np.append(node.u[:n] - origin.u[:n], node.u[n:] * 0.0)) for node in (a, b)]
            cuts = sorted([*cuts, *(float(i) for i, apart in enumerate(away) if apart < SAME)])
        ends = [a]
        for cut in cuts:
            for fraction in (cut - POLE_MARGIN, cut + POLE_MARGIN):
                node = correct_between(self.curve, a, b, fraction, self.metric) if 0.0 < fraction < 1.0 else None
                ends.append(node if isinstance(node, CurvePoint) else ends[-1])
        ends.append(b)
        return list(zip(ends[::2], ends[1::2], strict=True))

    def find_zeros(self, a: CurvePoint, b: CurvePoint, coefficients: bool = False) -> None:
        """Zeros of the test functions: of those that are normal-form coefficients, or of all others."""
        before, after = self.values(a), self.values(b)
        for kind in before.keys() & after.keys():
            if (KINDS[kind].vanishing is not None) != coefficients:
                continue
            f, g = before[kind], after[kind]
            if not (np.isfinite(f) and np.isfinite(g)):
                continue
            if (f > 0) == (g > 0):
                self.cache.count_step(kind, False)
                continue
            error = max(error_of(self.curve, a, kind), error_of(self.curve, b, kind))
            is_zero = max(abs(f), abs(g)) <= SURE_ERRORS * error
            is_zero = is_zero or (coefficients and self.is_rounding(kind, a, b, f, g))
            self.cache.count_step(kind, is_zero)
            if is_zero:
                self.doubts.append(
                    f"degenerate: what decides about {kind} points is 0 to within its error along this curve "
                    "(as for conservative maps), and none are reported there"
                )
                continue
            self.locate_zero(kind, a, b, self.test_function(kind), (f, g), error)

    def find_weak_resonances(self, a: CurvePoint, b: CurvePoint) -> None:
        """Points where the angle is 2πp/q, up to the largest q that is asked for."""
        if not self.curve.resonances or self.curve.kind != "neimark-sacker":
            return
        before, after = float(a.u[-1]), float(b.u[-1])
        for p, q, cosine in resonances_between(before, after, self.curve.resonances):
            ends = before - cosine, after - cosine

            def value(node: CurvePoint, cosine: float = cosine) -> float:
                return float(node.u[-1]) - cosine

            self.locate_zero("weak resonance", a, b, value, ends, COSINE_NOISE, resonance=(p, q))

    def is_rounding(self, kind: str, a: CurvePoint, b: CurvePoint, f: float, g: float) -> bool:
        """True if a coefficient changes sign more than once in a step, or is sure nowhere in it: it is rounding."""
        inside = [correct_between(self.curve, a, b, fraction, self.metric) for fraction in SAMPLES]
        nodes = [node for node in inside if isinstance(node, CurvePoint)]
        values = np.array([f, *(self.values(node).get(kind, np.nan) for node in nodes), g])
        changes = int(np.count_nonzero(np.diff(values[np.isfinite(values)] > 0)))
        return changes > 1 or all(
            abs(v) <= SURE_ERRORS * error_of(self.curve, n, kind) for v, n in zip(values[1:-1], nodes)
        )

    def test_function(self, kind: str) -> Callable[[CurvePoint], float]:
        """The test function of a kind."""
        return lambda node: self.values(node)[kind]

    def find_crossings(self, a: CurvePoint, b: CurvePoint, depth: int) -> None:
        """Other multipliers that cross the circle; several at a time are taken apart by halving."""
        before, after = other_multipliers(self.curve, a), other_multipliers(self.curve, b)
        change = np.subtract(after.signature, before.signature)
        if not change.any() or (is_neutral_saddle(self.curve, a) and is_neutral_saddle(self.curve, b)):
            return
        if np.count_nonzero(change) > 1 or np.abs(change).max() > 1:
            middle = correct_between(self.curve, a, b, 0.5, self.metric) if depth < MOST_HALVINGS else None
            if isinstance(middle, CurvePoint):
                self.find_crossings(a, middle, depth + 1)
                self.find_crossings(middle, b, depth + 1)
                return
        for i in np.flatnonzero(change).tolist():
            kind = kind_of_double_event(self.curve.kind, *FURTHER_CRITICAL[i])
            if not kind:
                which = ("another multiplier passes +1", "another multiplier passes −1", "a pair passes the circle")
                p = zip(self.curve.free, b.u[self.curve.size :].tolist())
                where = ", ".join(f"{name} = {value:.3g}" for name, value in p)  # the step's end, no more
                self.doubts.append(f"{which[i]} near {where}: no point with a name of its own")
                continue
            value = signed_distance(self.curve, i, 0.5 * (count_beyond(before, i) + count_beyond(after, i)))
            count = abs(int(change[i]))
            if KINDS[kind].is_double:
                if not (count == 1 and self.crosses_as_defective(kind, a, b)):
                    self.locate_where_curves_cross(kind, a, b, value, count)
            else:
                self.locate_zero(kind, a, b, value, (value(a), value(b)), NOISE * CROSSING_NOISE, count)

    def crosses_as_defective(self, kind: str, a: CurvePoint, b: CurvePoint) -> bool:
        """True if the other multiplier crosses in a strong resonance: inside the step, or at one of its ends.

        A resonance at an end is located in the one of the two steps in which <ψ, φ> changes its sign, while the counts
        of multipliers may change in either.
        """
        strong = _resonance_instead(kind)
        low, high = a.arclength - SAME, b.arclength + SAME
        if any(p.kind == strong and low <= p.arclength <= high for p in self.points):
            return True
        defects = [abs(self.values(node).get(strong, np.inf)) for node in (a, b)]
        return min(defects) <= ENDS_AT_DEFECT * max(defects) < np.inf

    def locate_where_curves_cross(
        self, kind: str, a: CurvePoint, b: CurvePoint, value: Callable[[CurvePoint], float], multiplicity: int
    ) -> None:
        """Locate a point where a second eigenvector joins. Curves cross there: it is interpolated from both sides."""
        u, s, error, near = interpolate_crossing(self.curve, a, b, value, self.metric)
        if not np.isfinite(u).all():
            self.doubts.append(f"{kind} near {self.curve.where(b.u)} could not be located: multipliers meet there")
            return
        strong = _resonance_instead(kind)
        defects = [abs(self.values(node).get(strong, np.inf)) for node in (near, a, b)]
        if defects[0] < ONE_EIGENVECTOR * max(defects[1:]) < np.inf:  # one eigenvector, not two
            kind = strong
        if any(p.kind == kind and abs(p.arclength - s) < SAME for p in self.points):
            return
        x = u[: self.curve.size]
        residual = float(np.abs(self.curve.iterate.orbit(x, self.curve.parameters(u))[-1] - x).max())
        self.points.append(
            self.special_point(
                kind, near, multiplicity, error, INTERPOLATIONS, unknowns=u, arclength=s, residual=residual
            )
        )

    def locate_zero(
        self,
        kind: str,
        a: CurvePoint,
        b: CurvePoint,
        value: Callable[[CurvePoint], float],
        ends: tuple[float, float],
        noise: float,
        multiplicity: int = 1,
        resonance: tuple[int, int] | None = None,
    ) -> None:
        """Locate a zero by Brent's method on the fraction of the step; a sign change through infinity is no zero."""
        tried: dict[float, tuple[CurvePoint, float]] = {0.0: (a, ends[0]), 1.0: (b, ends[1])}

        def at(fraction: float) -> float:
            if fraction not in tried:
                node = correct_between(self.curve, a, b, fraction, self.metric, TO_ROUNDING)
                if isinstance(node, CorrectorFailure):
                    raise ArithmeticError(node.detail)
                tried[fraction] = node, value(node)
            return tried[fraction][1]

        try:
            # Of one sign are the ends where one of them lies within rounding of the point.
            straddling = (ends[0] > 0) != (ends[1] > 0)
            tolerances = {"xtol": ROOT_TOLERANCE, "rtol": ROOT_TOLERANCE, "maxiter": ROOT_ITERATIONS}
            best = float(brentq(at, 0.0, 1.0, **tolerances)) if straddling else 0.0
        except (ArithmeticError, KeyError, RuntimeError, ValueError) as failure:
            if KINDS[kind].vanishing is not None and any(not np.isfinite(f) for _, f in tried.values()):
                return  # undefined: a pole
            if KINDS[kind].vanishing is not None or is_of_cosine(kind) or kind == "cusp":
                self.doubts.append(f"{kind} near {self.curve.where(b.u)} could not be located ({failure})")
                return
            u, _, error, _ = interpolate_crossing(self.curve, a, b, value, self.metric)
            self.doubts.append(
                f"another multiplier reaches the unit circle at {self.curve.where(u)} ± {error:.0e}, where the "
                f"equations are singular: two curves of {self.curve.kind}s cross, as at a branch point; it is no {kind}"
            )
            return
        best = min(tried, key=lambda fraction: (abs(tried[fraction][1]), fraction != best))
        node, left = tried[best]
        slope = min(abs(f - left) / abs(t - best) for t, (_, f) in tried.items() if abs(t - best) > SLOPE_REACH)
        spread = (noise + abs(left)) / max(slope, SMALLEST)  # part of the step to which the zero is known
        if abs(left) > max(LARGEST_LEFT * min(abs(ends[0]), abs(ends[1])), LARGEST_LEFT_NOISES * noise):
            found = zero_of_noisy(at, ends) if straddling else None
            if found is None:
                return  # a pole
            best, spread = found
            at(best)
            node = tried[best][0]
        if is_neutral_saddle(self.curve, node) and not is_of_cosine(kind):
            return
        h, n = b.arclength - a.arclength, self.curve.size
        uncertain = h * spread + ROUNDING
        k = len(self.curve.free)
        error = uncertain * float(np.abs(node.tangent[n : n + k]).max())
        error += max(map(node.remaining_error, range(n, n + k))) + parameter_noise(self.curve, node)
        error += ROUNDING * max(1.0, float(self.metric.widths[:k].max()))
        self.points.append(self.special_point(kind, node, multiplicity, error, len(tried) - 2, resonance=resonance))

    def special_point(
        self, kind: str, near: CurvePoint, multiplicity: int, error: float, iterations: int, **place: Any
    ) -> SpecialPoint:
        """The special point at, or with ``place`` (unknowns, arclength, residual) near, a point of the curve."""
        at = {"unknowns": near.u, "arclength": near.arclength, "residual": near.residual, **place}
        return SpecialPoint(
            kind=KINDS[kind].name,
            curve=self.curve,
            period=self.curve.period,
            multiplicity=multiplicity,
            iterations=iterations,
            error=error,
            angle=critical_angle(self.curve, near.u),
            null=near.at.Phi if isinstance(near.at, AugmentedEvaluation) else None,
            widths=self.metric.widths,
            tangent=near.tangent,
            **at,
        )


def _resonance_instead(kind: str) -> str:
    """The resonance that a point is, of a kind of two multipliers +1 or −1, if these have one eigenvector only."""
    return "R1" if kind == "fold-fold" else "R2"
