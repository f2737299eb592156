"""Points of codimension two on curves of folds, flips and Neimark–Sacker points: noticed and located.

Every kind is the simple zero of a function that is smooth along the curve:

    fold             cusp             the parameters' velocity along the curve, p' = c (−ψᵀH_p₂, ψᵀH_p₁): c
                     R1               <ψ, φ>, of the critical vectors: 0 where the multiplier +1 is defective
    flip             generalised flip b <ψ, φ> (b, the normal form's coefficient, has a pole where <ψ, φ> = 0)
                     R2               <ψ, φ>
    Neimark–Sacker   R1 R2 R3 R4      κ − 1, κ + 1, κ + 1/2, κ with κ = cos θ
                     chenciner        d, the normal form's coefficient
    all              fold-flip, fold-ns, flip-ns, ns-ns, fold-fold, flip-flip: the distance of another multiplier from
    the unit circle, signed
                     by the counts of the multipliers beyond it

(Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019, table 3.1 and section 5.3). A zero is
found by Brent's method on points of the curve. Where both signs are rounding noise the coefficient vanishes along the
curve: that is said once, and no point is made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import brentq

from bifurcate.bifurcations.codimension_one.normal_forms import coefficients, leading
from bifurcate.bifurcations.kinds import KINDS, kind_of_double_event
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint, hermite_point
from bifurcate.curves.metric import Metric
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.curves.step_cache import StepCache
from bifurcate.linalg.multipliers import Spectrum
from bifurcate.linalg.operators import project_vectors

__all__ = ["critical_angle", "detect_codimension_two", "detect_period_halving", "neutral"]

DEPTH = 12  # halvings of a step in which several multipliers cross
NOISE = 1e-9  # of test functions made of bordered solves

# What another multiplier's crossing of +1, of −1, and a pair's of the circle is named by.
FURTHER_CRITICAL: tuple[tuple[tuple[float, ...], int], ...] = (((1.0,), 0), ((-1.0,), 0), ((), 1))
SAME = 1e-5


def neutral(curve: Curve, node: CurvePoint) -> bool:
    """Whether a node of a Neimark–Sacker curve is a neutral saddle: a real pair λ, 1/λ and no bifurcation."""
    return curve.kind == "neimark-sacker" and abs(float(node.u[-1])) > 1.0


def critical_angle(curve: Curve, u: np.ndarray) -> float:
    """θ of the critical pair on a Neimark–Sacker curve, 0 elsewhere."""
    return float(np.arccos(np.clip(u[-1], -1.0, 1.0))) if curve.kind == "neimark-sacker" else 0.0


def detect_codimension_two(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, cache: StepCache
) -> tuple[list[SpecialPoint], list[str]]:
    """The points of codimension two between two neighbouring nodes of a curve of special points, and doubts."""
    search = _Search(curve, metric, cache)
    search.tests(a, b)
    search.crossings(a, b, 0)
    for left, right in search.between_poles(a, b):
        search.tests(left, right, coefficients=True)
    return sorted(search.points, key=lambda point: point.arclength), search.doubts


def _test_functions(curve: Curve, node: CurvePoint, metric: Metric) -> dict[str, float]:
    if curve.kind == "branch point" or not isinstance(node.at, AugmentedEvaluation):
        return {}
    if curve.kind == "neimark-sacker":
        kappa = float(node.u[-1])
        found: dict[str, float] = {kind.name: kappa - kind.cosine for kind in KINDS.values() if kind.cosine is not None}
        if abs(kappa) < 1.0:
            found["chenciner"] = _coefficient(curve, node, "chenciner")
        return found
    if node.at.Phi.shape[1] > 1:
        return {}
    defect = float(node.at.system.solve(node.at.Phi, np.zeros((1, 1)))[1][0, 0] / np.linalg.norm(node.at.Phi))
    if curve.kind == "fold":
        return {"R1": defect, "cusp": _velocity(curve, node, metric)}
    return {"R2": defect, "generalised flip": defect * _coefficient(curve, node, "generalised flip")}


def _velocity(curve: Curve, node: CurvePoint, metric: Metric) -> float:
    """The signed speed of the parameters along a fold curve, in units of their bounds."""
    assert isinstance(node.at, AugmentedEvaluation)
    n = curve.size
    columns = project_vectors(node.at.jacobian, node.linear.B[:, :2])
    push = node.at.system.solve(columns, np.zeros((1, 2)))[1][0] * metric.widths[:2]
    speed = node.tangent[n : n + 2] / metric.widths[:2]
    return float((push[0] * speed[1] - push[1] * speed[0]) / np.linalg.norm(push))


def _vanishing(kind: str) -> tuple[str, str]:
    """The kind of curve and the coefficient along it that vanishes at points of a kind."""
    found = KINDS[kind].vanishing
    assert found is not None  # asked for such kinds only
    return found


def _coefficient(curve: Curve, node: CurvePoint, kind: str) -> float:
    form, name = _vanishing(kind)
    at, angle = node.at, critical_angle(curve, node.u)
    return leading(form, curve.iterate, at.orbit, at.parameters, node.linear.jacobian, angle).get(name, np.nan)


def _error(curve: Curve, node: CurvePoint, kind: str) -> float:
    if curve.kind == "neimark-sacker" and KINDS[kind].is_strong_resonance:
        return 1e-12
    if KINDS[kind].vanishing is None:
        return NOISE
    form, name = _vanishing(kind)
    x, p = node.u[: curve.size], node.at.parameters
    return coefficients(form, curve.iterate, x, p, critical_angle(curve, node.u))[1].get(name, np.inf)


def _rest(curve: Curve, node: CurvePoint) -> Spectrum:
    """The spectrum without the multipliers that are critical all along the curve."""
    s = node.spectrum
    if curve.kind == "neimark-sacker":
        root = np.sqrt(complex(node.u[-1] ** 2 - 1.0))
        gone = [node.u[-1] + root, node.u[-1] - root]
    else:
        columns = node.at.Phi.shape[1] if isinstance(node.at, AugmentedEvaluation) else 1
        gone = [-1.0 if curve.kind == "flip" else 1.0] * columns
    count = s.multiplicity.copy()
    for value in gone:
        count[np.argmin(np.where(count > 0, np.abs(s.values - value), np.inf))] -= 1
    kept = count > 0
    return Spectrum(s.values[kept], count[kept], s.size - len(gone), s.certified, s.note)


@dataclass
class _Search:
    """One step's search; ``points`` and ``doubts`` fill as it goes."""

    curve: Curve
    metric: Metric
    cache: StepCache
    points: list[SpecialPoint] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def values(self, node: CurvePoint) -> dict[str, float]:
        """The test functions at a point: computed once, since the next step needs them again."""
        return self.cache.values(node, lambda point: _test_functions(self.curve, point, self.metric))

    def between_poles(self, a: CurvePoint, b: CurvePoint) -> list[tuple[CurvePoint, CurvePoint]]:
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
            for fraction in (cut - 0.02, cut + 0.02):
                node = correct_between(self.curve, a, b, fraction, self.metric) if 0.0 < fraction < 1.0 else None
                ends.append(node if isinstance(node, CurvePoint) else ends[-1])
        ends.append(b)
        return list(zip(ends[::2], ends[1::2], strict=True))

    def tests(self, a: CurvePoint, b: CurvePoint, coefficients: bool = False) -> None:
        """Zeros of the test functions: of those that are normal-form coefficients, or of all others."""
        before, after = self.values(a), self.values(b)
        for kind in before.keys() & after.keys():
            if (KINDS[kind].vanishing is not None) != coefficients:
                continue
            f, g = before[kind], after[kind]
            if not (np.isfinite(f) and np.isfinite(g)) or (f > 0) == (g > 0):
                continue
            error = max(_error(self.curve, a, kind), _error(self.curve, b, kind))
            if max(abs(f), abs(g)) <= 2.0 * error or (coefficients and self.noisy(kind, a, b, f, g)):
                self.doubts.append(
                    f"degenerate: what decides about {kind} points is 0 to within its error along this curve "
                    "(as for conservative maps), and none are reported there"
                )
                continue
            self.root(kind, a, b, self.test(kind), (f, g), error)

    def noisy(self, kind: str, a: CurvePoint, b: CurvePoint, f: float, g: float) -> bool:
        """Whether a coefficient changes sign more than once on a step, or is sure nowhere in it: rounding, no zero."""
        hermite_point = [correct_between(self.curve, a, b, fraction, self.metric) for fraction in (0.2, 0.4, 0.6, 0.8)]
        nodes = [node for node in hermite_point if isinstance(node, CurvePoint)]
        values = np.array([f, *(self.values(node).get(kind, np.nan) for node in nodes), g])
        changes = int(np.count_nonzero(np.diff(values[np.isfinite(values)] > 0)))
        return changes > 1 or all(abs(v) <= 2.0 * _error(self.curve, n, kind) for v, n in zip(values[1:-1], nodes))

    def test(self, kind: str) -> Callable[[CurvePoint], float]:
        return lambda node: self.values(node)[kind]

    def crossings(self, a: CurvePoint, b: CurvePoint, depth: int) -> None:
        """Other multipliers that cross the circle; several at a time are taken apart by halving."""
        before, after = _rest(self.curve, a), _rest(self.curve, b)
        change = np.subtract(after.signature, before.signature)
        if not change.any() or (neutral(self.curve, a) and neutral(self.curve, b)):
            return
        if np.count_nonzero(change) > 1 or np.abs(change).max() > 1:
            middle = correct_between(self.curve, a, b, 0.5, self.metric) if depth < DEPTH else None
            if isinstance(middle, CurvePoint):
                self.crossings(a, middle, depth + 1)
                self.crossings(middle, b, depth + 1)
                return
        for i in np.flatnonzero(change).tolist():
            kind = kind_of_double_event(self.curve.kind, *FURTHER_CRITICAL[i])
            if not kind:
                which = ("another multiplier passes +1", "another multiplier passes −1", "a pair passes the circle")
                p = zip(self.curve.free, b.u[self.curve.size :].tolist())
                where = ", ".join(f"{name} = {value:.3g}" for name, value in p)  # the step's end, no more
                self.doubts.append(f"{which[i]} near {where}: no point with a name of its own")
                continue
            value = _signed_distance(self.curve, i, 0.5 * (_beyond(before, i) + _beyond(after, i)))
            count = abs(int(change[i]))
            if KINDS[kind].is_double:
                strong = "R1" if kind == "fold-fold" else "R2"
                low, high = a.arclength - SAME, b.arclength + SAME
                here = any(p.kind == strong and low <= p.arclength <= high for p in self.points)
                if not (here and count == 1):  # else the multiplier that crosses is the defective one
                    self.beside(kind, a, b, value, count)
            else:
                self.root(kind, a, b, value, (value(a), value(b)), NOISE * 1e-3, count)

    def beside(
        self, kind: str, a: CurvePoint, b: CurvePoint, value: Callable[[CurvePoint], float], multiplicity: int
    ) -> None:
        """Where a second eigenvector joins, curves cross and the corrector is singular: interpolate from both sides."""
        u, s, error, near = straddled(self.curve, a, b, value, self.metric)
        if not np.isfinite(u).all():
            self.doubts.append(f"{kind} near {self.curve.where(b.u)} could not be located: multipliers meet there")
            return
        strong = "R1" if kind == "fold-fold" else "R2"
        defects = [abs(self.values(node).get(strong, np.inf)) for node in (near, a, b)]
        if defects[0] < 0.2 * max(defects[1:]) < np.inf:  # one eigenvector, not two
            kind = strong
        if any(p.kind == kind and abs(p.arclength - s) < SAME for p in self.points):
            return
        x = u[: self.curve.size]
        residual = float(np.abs(self.curve.iterate.orbit(x, self.curve.parameters(u))[-1] - x).max())
        self.points.append(self.point(kind, near, multiplicity, error, 6, u=u, arclength=s, residual=residual))

    def root(
        self,
        kind: str,
        a: CurvePoint,
        b: CurvePoint,
        value: Callable[[CurvePoint], float],
        ends: tuple[float, float],
        noise: float,
        multiplicity: int = 1,
    ) -> None:
        """Brent's method on the fraction of the step; a sign change through infinity is no zero."""
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
            best = float(brentq(at, 0.0, 1.0, xtol=1e-13, rtol=1e-13, maxiter=100)) if straddling else 0.0
        except (ArithmeticError, KeyError, RuntimeError, ValueError) as failure:
            if KINDS[kind].vanishing is not None and any(not np.isfinite(f) for _, f in tried.values()):
                return  # undefined: a pole
            if KINDS[kind].vanishing is not None or KINDS[kind].is_strong_resonance or kind == "cusp":
                self.doubts.append(f"{kind} near {self.curve.where(b.u)} could not be located ({failure})")
                return
            u, _, error, _ = straddled(self.curve, a, b, value, self.metric)
            self.doubts.append(
                f"another multiplier reaches the unit circle at {self.curve.where(u)} ± {error:.0e}, where the "
                f"equations are singular: two curves of {self.curve.kind}s cross, as at a branch point; it is no {kind}"
            )
            return
        best = min(tried, key=lambda fraction: (abs(tried[fraction][1]), fraction != best))
        node, left = tried[best]
        if abs(left) > max(1e-3 * min(abs(ends[0]), abs(ends[1])), 10.0 * noise):
            return  # a pole
        if neutral(self.curve, node) and not KINDS[kind].is_strong_resonance:
            return
        slope = min(abs(f - left) / abs(t - best) for t, (_, f) in tried.items() if abs(t - best) > 1e-7)
        h, n = b.arclength - a.arclength, self.curve.size
        uncertain = h * (noise + abs(left)) / max(slope, 1e-300) + 1e-14
        k = len(self.curve.free)
        error = uncertain * float(np.abs(node.tangent[n : n + k]).max())
        error += max(map(node.remaining_error, range(n, n + k)))
        error += 1e-14 * max(1.0, float(self.metric.widths[:k].max()))  # rounding of what decides about the kind
        self.points.append(self.point(kind, node, multiplicity, error, len(tried) - 2))

    def point(
        self, kind: str, near: CurvePoint, multiplicity: int, error: float, iterations: int, **place: Any
    ) -> SpecialPoint:
        """The special point at, or with ``place`` (u, arclength, residual) near, a point of the curve."""
        at = {"u": near.u, "arclength": near.arclength, "residual": near.residual, **place}
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


def straddled(
    curve: Curve, a: CurvePoint, b: CurvePoint, value: Callable[[CurvePoint], float], metric: Metric
) -> tuple[np.ndarray, float, float, CurvePoint]:
    """Where a function vanishes on a step, by interpolation from nodes ever nearer to it but not on it.

    Returns the unknowns, the arclength, the interpolation's error (the square of the last two nodes' distance) and the
    nearer node.
    """
    left, right = (a, value(a)), (b, value(b))
    part = _secant(left[1], right[1])
    for side in (-0.05, 0.05) * 3:
        node = correct_between(curve, left[0], right[0], min(max(part + side, 0.0), 1.0), metric)
        if isinstance(node, CurvePoint) and abs(f := value(node)) > 0.005 * abs(
            left[1] - right[1]
        ):  # else on the other curve
            left, right = ((node, f), right) if (f > 0) == (left[1] > 0) else (left, (node, f))
            part = _secant(left[1], right[1])
    h = right[0].arclength - left[0].arclength
    u, straight = hermite_point(left[0], right[0], part, metric), left[0].u + part * (right[0].u - left[0].u)
    if metric.norm(u - straight) > 0.1 * h:  # tangents, too, are poor beside a singular point
        u = straight
    return u, left[0].arclength + part * h, h**2 + NOISE, left[0] if part < 0.5 else right[0]


def detect_period_halving(curve: Curve, a: CurvePoint, b: CurvePoint) -> tuple[str, float] | None:
    """Where, between two nodes, the cycles of a curve shrink onto ones of half the period, in words and as a fraction.

    There x and f^{k/2}(x) change places: their difference d passes 0 and turns round. What is said is where a parabola
    in the amplitude |d| through both nodes has its tip: nearer to it the equations, of order |d|³, drown in rounding.
    """
    if curve.period % 2:
        return None
    n, j = curve.size, curve.period // 2
    before, after = (node.at.orbit[j] - node.at.orbit[0] for node in (a, b))
    sizes = float(before @ before), float(after @ after)
    turns = float(before @ after) < -0.5 * np.sqrt(sizes[0] * sizes[1])
    if not turns or np.sqrt(min(sizes)) > 2.0 * np.linalg.norm(b.u[:n] - a.u[:n]):
        return None
    near, far = (a, b) if sizes[0] < sizes[1] else (b, a)
    u = near.u + min(sizes) / max(max(sizes) - min(sizes), 1e-3 * max(sizes)) * (near.u - far.u)
    error = float(np.abs((u - near.u)[n : n + len(curve.free)]).max())
    part = float(np.sqrt(sizes[0]) / (np.sqrt(sizes[0]) + np.sqrt(sizes[1])))
    return f"period {j} at {curve.where(u)} ± {error:.0e}", part


def _secant(f: float, g: float) -> float:
    """Where on [0, 1] the line through f and g vanishes; the nearer end if they have one sign, rounding at an end."""
    if (f > 0) == (g > 0):
        return 0.0 if abs(f) < abs(g) else 1.0
    return f / (f - g)


def _beyond(rest: Spectrum, which: int) -> int:
    """How many multipliers lie beyond +1, −1 or the circle, without the margin that counts of stability have."""
    if which == 2:
        return int(rest.multiplicity[~rest.real & (np.abs(rest.values) > 1.0)].sum())
    return int(rest.multiplicity[rest.real & (rest.values.real * (1.0, -1.0)[which] > 1.0)].sum())


def _signed_distance(curve: Curve, which: int, middle: float) -> Callable[[CurvePoint], float]:
    """How far the multiplier that crosses is from +1, −1 or the circle: negative where fewer lie beyond."""

    def value(node: CurvePoint) -> float:
        rest = _rest(curve, node)
        if which == 2:
            distance = np.abs(np.abs(rest.values[~rest.real]) - 1.0)
        else:
            distance = np.abs(rest.values[rest.real].real - (1.0, -1.0)[which])
        return float(distance.min(initial=np.inf)) * (1.0 if _beyond(rest, which) > middle else -1.0)

    return value
