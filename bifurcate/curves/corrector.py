"""One point of a curve: the metric, the corrector, and the tangent.

The corrector solves, for a row vector t and a level c,

    ┌ M   B  ┐ ┌ δx ┐   ┌ −H(u)      ┐
    │ C   D  │ │    │ = │ −g(u)      │        pseudo-arclength: t the last tangent, c = ⟨t, prediction⟩;
    └ tₓ  tₚ ┘ └ δp ┘   └ c − ⟨t, u⟩ ┘        t = eₚ, c = a bound: exact arrival on it

(Keller, in Applications of Bifurcation Theory, Academic Press 1977, 359), and the same matrix with right-hand side
(0, 0, 1) yields the new tangent.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bifurcate.curves.curve import Curve, Evaluation, Linearisation
from bifurcate.errors import NotIsolated
from bifurcate.linalg.bordered_system import Bordered, SingularSystem, bordered
from bifurcate.linalg.multipliers import Spectrum, spectrum

__all__ = [
    "Corrector",
    "CorrectorFailure",
    "CurvePoint",
    "Metric",
    "adapt_equations",
    "bordered_system",
    "correct",
    "correct_between",
    "hermite_point",
    "step_along_tangent",
]


@dataclass(frozen=True, eq=False)
class Metric:
    """Lengths on u = (x, p): ‖(x, p)‖² = ‖x‖²/(n·unit²) + Σ (pᵢ/widthᵢ)².

    The root mean square of the state, in units of the map's scale or of the curve's start if that is larger, and
    every parameter in units of its bounds' width: steps mean the same for one unknown and for 10⁶.
    """

    n: int
    state: float
    parameter: np.ndarray

    @property
    def unit(self) -> float:
        """The state's unit of length."""
        return 1.0 / np.sqrt(self.n * self.state)

    @property
    def widths(self) -> np.ndarray:
        """The parameters' units."""
        return 1.0 / np.sqrt(self.parameter)

    @staticmethod
    def of(curve: Curve, widths: np.ndarray) -> Metric:
        """The metric of a curve whose parameters are bounded to intervals of these widths."""
        n = curve.size
        unit = max(curve.iterate.map.scale, float(np.linalg.norm(curve.start[:n])) / np.sqrt(n))
        return Metric(n, 1.0 / (n * unit**2), 1.0 / widths**2)

    def dual(self, t: np.ndarray) -> np.ndarray:
        """The row vector v ↦ ⟨t, v⟩."""
        row = t * self.state
        row[self.n :] = t[self.n :] * self.parameter
        return row

    def dot(self, a: np.ndarray, b: np.ndarray) -> float:
        """⟨a, b⟩."""
        n = self.n
        return float(self.state * (a[:n] @ b[:n]) + (self.parameter * a[n:]) @ b[n:])

    def norm(self, a: np.ndarray) -> float:
        """√⟨a, a⟩."""
        return math.sqrt(self.dot(a, a))


@dataclass(frozen=True)
class Corrector:
    """Newton's method on the bordered system.

    Attributes
    ----------
    tolerance : float
        Stop when the residual's maximum norm is ≤ tolerance · max(scale, ‖x‖_∞), or, where rounding keeps it above that
        (large multipliers amplify it), when the last step's length in the metric was ≤ 10⁻¹³.
    max_iterations : int
        Newton steps before the prediction counts as failed.
    """

    tolerance: float = 1e-11
    max_iterations: int = 8


EXACT = 1e-10  # a node whose next Newton step would be longer, in the metric, is not one yet: beside singular points
FORCING = 1e-5  # GMRES need not solve better while Newton still gains digits
POLISH = Corrector(tolerance=1e-14, max_iterations=8)


@dataclass(frozen=True, eq=False)
class CurvePoint:
    """A corrected point of a curve with its tangent; the spectrum is computed when first asked for."""

    u: np.ndarray
    tangent: np.ndarray
    at: Evaluation
    linear: Linearisation
    residual: float
    iterations: int
    arclength: float = 0.0
    kernel: np.ndarray | None = None
    system: Bordered | None = field(default=None, repr=False)  # factored here, with the row of the last correction
    memo: dict[str, float] = field(default_factory=dict, repr=False)  # of what is watched along the curve
    leading: int = field(default=6, repr=False)
    vector: np.ndarray | None = field(default=None, repr=False)  # where iteration for the spectrum starts

    @cached_property
    def correction(self) -> np.ndarray | None:
        """The Newton step that would follow: what the residual that is left displaces; None where it is costly."""
        if self.system is None or not self.system.direct:
            return None
        return _newton_step(self.system, self.at)

    def slip(self, i: int) -> float:
        """By how much the residual that is left displaces unknown number i."""
        return 0.0 if self.correction is None else abs(float(self.correction[i]))

    def light(self) -> CurvePoint:
        """The same node, once the walk is past it: the factors are let go, which may be several states large."""
        self.__dict__.pop("correction", None)
        object.__setattr__(self, "system", None)
        return self

    def placed(self, arclength: float) -> CurvePoint:
        """The same node at a place along the curve."""
        return dataclasses.replace(self, arclength=arclength)

    def after(self, other: CurvePoint) -> CurvePoint:
        """The same node, whose spectrum starts from the vectors that were found at another one."""
        known = other.__dict__.get("spectrum")
        vector = other.vector if known is None else known.vector
        return self if vector is None else dataclasses.replace(self, vector=vector)

    @cached_property
    def spectrum(self) -> Spectrum:
        """Multipliers of the cycle."""
        start = self.tangent[: len(self.at.orbit[0])] if self.vector is None else self.vector
        return spectrum(self.linear.jacobian, self.leading, start)


@dataclass(frozen=True)
class CorrectorFailure:
    """Why a correction failed: "diverged", "domain", "singular" or "not-isolated", with the words that belong to it."""

    reason: str
    detail: str = ""


def bordered_system(
    curve: Curve, linear: Linearisation, row: np.ndarray, tolerance: float = 0.0, start: np.ndarray | None = None
) -> Bordered:
    """The square bordered system of a linearisation and one more row."""
    n = curve.size
    C, D = row[None, :n], row[None, n:]
    if len(linear.C):
        C, D = np.vstack([linear.C, C]), np.vstack([linear.D, D])
    system = bordered(linear.M, linear.B, C, D, curve.krylov, tolerance, start)
    return system if linear.slopes is None else _by_slopes(system, linear.slopes, n, len(linear.C))


def _by_slopes(system: Bordered, slopes: Callable[[np.ndarray], np.ndarray], n: int, j: int) -> Bordered:
    """Exchange j stand-in rows for equations of which only the slopes along given directions are known.

    With Z the solutions for unit right-hand sides in the stand-in rows, every z = z₀ + Z c obeys all other rows; c is
    what makes the slopes right. No gradient is formed, so that no transposed derivative is needed.
    """
    k = j + 1
    X, Y = system.solve(np.zeros((n, j)), np.eye(k, j))
    Z = np.vstack([X, Y])
    matrix = np.column_stack([slopes(z) for z in Z.T])

    def solve(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = system.solve(f, np.append(np.zeros(j), g[j:]))
        z = np.concatenate([x, y])
        try:
            z += Z @ np.linalg.solve(matrix, g[:j] - slopes(z))
        except np.linalg.LinAlgError as error:
            raise SingularSystem("the equations of the special point have a singular derivative") from error
        return z[:n], z[n:]

    return Bordered(solve, Z, system.direct)


def _newton_step(system: Bordered, at: Evaluation, off: float = 0.0) -> np.ndarray:
    """(δx, δp) for the residual there, and for the distance to the hyperplane."""
    n, rhs = len(at.orbit[0]), -at.residual
    return np.concatenate(system.solve(rhs[:n], np.append(rhs[n:], off)))


def correct(
    curve: Curve,
    guess: np.ndarray,
    row: np.ndarray,
    level: float,
    metric: Metric,
    corrector: Corrector | None = None,
    orient: np.ndarray | None = None,
) -> CurvePoint | CorrectorFailure:
    """Bring a guess onto the curve, on the hyperplane row · u = level.

    Parameters
    ----------
    guess : ndarray, shape (n + k,)
        The prediction.
    row : ndarray, shape (n + k,)
        Normal of the hyperplane, as a row vector (a dual vector of the metric).
    level : float
        Where on it.
    orient : ndarray, optional
        The tangent returned makes an acute angle with it; with ``row`` if not given.

    Returns
    -------
    CurvePoint or Failure
        A CurvePoint when ‖H‖_∞ ≤ tolerance · max(scale, ‖x‖_∞) and, unless that takes GMRES, the next step would be no
        longer than 1e-10 in the metric; with ``POLISH`` when the residual no longer falls, too.
    """
    corrector = corrector or Corrector()
    previous, moved, n = np.inf, np.inf, curve.size
    best: tuple[float, Evaluation] | None = None
    scale = curve.iterate.map.scale
    try:
        at = curve.equations.evaluate(guess)
        for iteration in range(corrector.max_iterations + 1):
            size = _largest(at.residual) if at.margin > 0 else np.inf
            if not math.isfinite(size):
                return CorrectorFailure("domain", f"smallest margin {at.margin:.3g}")
            if best is None or size < best[0]:
                best = (size, at)
            limit = max(scale, _largest(at.u[:n]))
            done = size <= corrector.tolerance * limit or moved <= 1e-13
            stalled = corrector is POLISH and best[0] <= 1e-10 * limit and not size < 0.5 * previous
            if (done and iteration) or stalled or (iteration and corrector is POLISH and size == 0.0):
                node = _node(curve, best[1] if stalled else at, row, metric, best[0], iteration, orient)
                last = stalled or iteration == corrector.max_iterations or not size < 0.5 * previous
                step = None if last else node.correction
                if step is None or metric.norm(step) <= EXACT:
                    return node
                at, previous, moved = _inside(curve, at.u, step), size, metric.norm(step)
                continue
            if iteration == corrector.max_iterations or (iteration > 2 and size > 4.0 * previous):
                break
            linear = curve.equations.linearise(at)
            system = bordered_system(curve, linear, row, 0.0 if corrector is POLISH else FORCING)
            step = _newton_step(system, at, level - float(row @ at.u))
            at, previous, moved = _inside(curve, at.u, step), size, metric.norm(step)
    except SingularSystem as error:
        return CorrectorFailure("singular", str(error))
    except NotIsolated as error:
        return CorrectorFailure("not-isolated", str(error))
    if best is not None and corrector is POLISH and best[0] <= 1e-10 * max(scale, _largest(best[1].u[:n])):
        return _node(curve, best[1], row, metric, best[0], corrector.max_iterations, orient)
    return CorrectorFailure("diverged", f"residual {previous:.1e} after {corrector.max_iterations} iterations")


def _largest(x: np.ndarray) -> float:
    # ‖x‖_∞ without a copy of x.
    return float(max(x.max(), -x.min()))


def _inside(curve: Curve, u: np.ndarray, step: np.ndarray) -> Evaluation:
    # A full Newton step, or the largest half of it that stays in the domain: a pole is never stepped over.
    at = curve.equations.evaluate(u + step)
    t = 1.0
    while not at.margin > 0 and curve.iterate.map.domain is not None and t > 1e-2:
        t *= 0.5
        at = curve.equations.evaluate(u + t * step)
    return at


def _node(
    curve: Curve,
    at: Evaluation,
    row: np.ndarray,
    metric: Metric,
    residual: float,
    iterations: int,
    orient: np.ndarray | None,
) -> CurvePoint:
    linear = curve.equations.linearise(at)
    n = curve.size
    across = np.zeros(len(row))
    across[-1] = 1.0
    # GMRES starts from the last tangent.
    start = None if orient is None else orient / float(row @ orient)
    system = bordered_system(curve, linear, row, start=start)
    t = np.concatenate(system.solve(across[:n], across[n:]))
    t /= metric.norm(t)
    if orient is not None and metric.dot(orient, t) < 0:
        t = -t
    return CurvePoint(at.u, t, at, linear, residual, iterations, kernel=system.kernel, system=system)


def step_along_tangent(curve: Curve, node: CurvePoint, step: float, metric: Metric) -> CurvePoint | CorrectorFailure:
    """A node a short step along the tangent from another one, as exact as rounding allows."""
    guess, row = node.u + step * node.tangent, metric.dual(node.tangent)
    found: CurvePoint | CorrectorFailure | None = (
        None if node.system is None else _chord(curve, node, guess, row, metric)
    )
    if found is None:
        found = correct(curve, guess, row, float(row @ guess), metric, POLISH, node.tangent)
    return found if isinstance(found, CorrectorFailure) else found.placed(node.arclength + step)


def _chord(curve: Curve, node: CurvePoint, guess: np.ndarray, row: np.ndarray, metric: Metric) -> CurvePoint | None:
    """Newton's method with the matrix of a node nearby: over a distance δ it converges by factors of O(δ).

    None unless the residual came down to 1e-13 · max(scale, ‖x‖_∞), each time by a factor of 10 at the least.
    """
    assert node.system is not None
    n, best, at, u = curve.size, np.inf, node.at, guess
    size_of_state = max(curve.iterate.map.scale, _largest(guess[:n]))
    for iteration in range(8):
        new = curve.equations.evaluate(u)
        size = _largest(new.residual) / size_of_state if new.margin > 0 else np.inf
        gained = size < 0.1 * best
        if size < best:
            best, at = size, new
        if best <= 1e-15 or not gained:
            good = best <= 1e-13
            return _node(curve, at, row, metric, best * size_of_state, iteration, node.tangent) if good else None
        u = u + _newton_step(node.system, new)
    return None


def adapt_equations(curve: Curve, node: CurvePoint, metric: Metric) -> Curve:
    """The curve with equations whose borders fit a node of it; as it was where no border fits there."""
    if node.kernel is None:
        return curve
    kernel: list[np.ndarray] = []
    for z in node.kernel.T:
        for other in [node.tangent, *kernel] * 2:
            z = z - metric.dot(other, z) * other
        kernel.append(z / metric.norm(z))
    rows = np.array([metric.dual(z) for z in kernel])
    try:
        return curve.replace(equations=curve.equations.adapted(node.at, np.column_stack(kernel), rows))
    except SingularSystem:
        return curve


def hermite_point(a: CurvePoint, b: CurvePoint, fraction: float, metric: Metric) -> np.ndarray:
    """The cubic Hermite interpolant of two nodes."""
    f, h = fraction, metric.norm(b.u - a.u)
    return (
        (1 + 2 * f) * (1 - f) ** 2 * a.u
        + f**2 * (3 - 2 * f) * b.u
        + h * (f * (1 - f) ** 2 * a.tangent - f**2 * (1 - f) * b.tangent)
    )


def correct_between(
    curve: Curve, a: CurvePoint, b: CurvePoint, fraction: float, metric: Metric, corrector: Corrector | None = None
) -> CurvePoint | CorrectorFailure:
    """The point of the curve a fraction of the way from node a to node b: cubic Hermite prediction, then correction."""
    chord, f = b.u - a.u, fraction
    h = metric.norm(chord)
    guess = hermite_point(a, b, f, metric)
    row = metric.dual(chord / h)
    found = correct(curve, guess, row, float(row @ guess), metric, corrector, chord)
    if isinstance(found, CorrectorFailure):
        return found
    s = a.arclength + f * (b.arclength - a.arclength)
    return found.placed(s).after(a)
