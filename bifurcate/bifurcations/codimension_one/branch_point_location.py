"""Location of branch points, where curves of cycles cross, by the reduced (Lyapunov-Schmidt) equations.

With kernel coordinates ξ ∈ R^{m+1} and a left border W the equations H(u) + W μ = 0 define u(ξ) and μ(ξ) ∈ R^m. A
branch point is where μ = 0 and ∂μ/∂ξ = 0 (Kuznetsov, Elements of Applied Bifurcation Theory, 2004, section 10.3;
Golubitsky & Schaeffer, Singularities and Groups in Bifurcation Theory I, 1985, chapter I). Newton's method with the
second derivatives of μ is regular at transcritical, pitchfork and symmetric multiple points alike, where a corrector
on the branch itself is singular.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.location import number_of_borders, repeated_multipliers
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.bordered_system import Bordered, SingularSystem, bordered
from bifurcate.linalg.null_space import approximate_null_space, orthonormal
from bifurcate.linalg.operators import Operator, core_operator, lift_vectors, shifted, transposed
from bifurcate.maps.derivatives import central_difference, slope_by_three_points
from bifurcate.maps.noise import Precision

__all__ = ["BranchPoint", "kernel_directions", "locate_branch_point"]

Array = NDArray[np.float64]

# Lengths are in units of the state and of the parameter's bounds.
MOST_ITERATIONS = 30  # Newton steps for the point: quadratic convergence takes six, linear ones at degenerate points 25
CONVERGED = 1e-13  # a Newton step this short is rounding
STAGNATED = 1e-7  # a Newton step that no longer halves counts as converged below this: √rounding, as at double points
STAGNATION_RATIO = 0.5  # what a step must fall by to count as falling
FRESH = 1e-9  # a start moved by less than this is a corrected point: its system needs not be made anew
LONGEST_KERNEL = 1e6  # kernel vectors longer than this come from borders that do not fit: no branch point is near
LONGEST_STEP = 10.0  # a Newton step longer than this, times √n, has run away
MOST_GROWTHS = 3  # steps that may be longer than the one before: the first ones overshoot
HARDLY_GAINED = 0.1  # a step that falls by less than this factor asks for second derivatives made anew
SECOND_NOISE = 1e-12  # error of the second derivatives, relative to the largest or 1: ε/h for five-point steps h
SURE_ROW = 10.0  # errors that a row of them must exceed to be used as it is
# Least singular value, relative to the largest, of scaled second derivatives above which the point is a simple one.
# Rows that are their own error are scaled to less than 1/SURE_ROW.
SURE_RANK = 0.01
NOISY_RENEWALS = 3  # steps after which they are kept where the map is noisy: new ones would differ by noise
LINEAR = 0.3  # two steps in turn that fall by no more than this factor converge linearly, as where curves touch
ROUNDED = 1e-11  # shorter steps may be rounding of differences, whose ratios say nothing of convergence ...
SLOW = 8  # ... unless it took more steps than quadratic convergence does
APART = 2.0  # times what a common step leaves is what parts points that were taken for one: they lie on both sides
REACHES = tuple(10.0 ** (0.5 * k) for k in range(-16, 0))  # distances at which slopes are compared with their error
RANK = 1e-9  # singular values of the second derivatives below this part of the largest are their error
FOLD_SLOPE = 1e-7  # ∂μ/∂p, in units of the second derivatives (from 1 to 10³), above which the point is a fold
STEEPEST = 1e3  # ... the largest such unit
FOLD_NOISE = 4.0  # errors of a noisy map's slopes above which it is one there
LONGEST_NOISE = 0.1  # a Newton step that is longer is not taken for noise
PROJECTIONS = 12  # chord steps onto H + Wμ = 0: each gains a digit, with a system made close by
PROJECTED = 1e-12  # a residual that no longer falls is accepted below this: rounding times multipliers up to 10³
PROJECTION_DIVERGED = 1e3  # a residual that grows by this factor in a step was made with a system too far away
# Step of the first, second_derivatives second derivatives, in five-point steps: iterates may bend strongly
THREE_POINT_PART = 0.01
SMALLEST = 1e-300  # keeps a division from being one by 0


@dataclass(frozen=True, eq=False)
class BranchPoint:
    """A point where curves cross.

    Attributes
    ----------
    u : ndarray, shape (n + 1,)
        State and parameter.
    kernel : ndarray, shape (n + 1, m + 1)
        A basis of the kernel of [J − I, H_p].
    quadratic : ndarray, shape (m, m + 1, m + 1)
        ∂²μ/∂ξ², the quadratic form of the reduced equations.
    unfolding : float
        max |μ|: 0 if it is a branch point, more if an imperfection parts the curves.
    residual : float
        ‖H(u)‖_∞.
    iterations : int
        Newton steps.
    step : float
        The last Newton step, plus how far apart points are that were taken for one.
    is_sure : bool
        False where the curves seem to touch rather than cross: second derivatives are their own error.
    gain : float
        How far the parameter moves, in widths of its bounds, for an error of 1 in the slopes ∂μ/∂ξ.
    slope_scale : float
        The largest entry of ∂H/∂p, in the units of the equations.
    """

    u: Array
    kernel: Array
    quadratic: Array
    unfolding: float
    residual: float
    iterations: int
    step: float
    is_sure: bool
    gain: float
    slope_scale: float


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A curve's equations for v = (x/unit, p/width): so what counts as small does not depend on the user's units."""

    curve: Curve
    unit: float
    width: float

    @property
    def levels(self) -> Precision:
        """The errors of the map's values and derivatives beyond rounding."""
        return self.curve.iterate.map.precision

    @property
    def second_noise(self) -> float:
        """Error of the second derivatives, relative to the largest or 1."""
        return max(SECOND_NOISE, self.levels.bend_error)

    def in_user_units(self, v: Array) -> Array:
        """Vectors of v, or columns of them, in the user's units."""
        u = v * self.unit
        u[self.curve.size :] = v[self.curve.size :] * self.width
        return u

    def residual(self, v: Array) -> Array:
        """H/unit."""
        return self.curve.equations.evaluate(self.in_user_units(v)).residual / self.unit

    def linearise(self, v: Array) -> tuple[Operator, Array]:
        """J − I and ∂H/∂p, in these units."""
        linear = self.curve.equations.linearise(self.curve.equations.evaluate(self.in_user_units(v)))
        return linear.M, linear.B * (self.width / self.unit)

    def derivative(self, v: Array, U: Array) -> Array:
        """The derivative of H/unit along the columns of U."""
        n, iterate = self.curve.size, self.curve.iterate
        at = self.curve.equations.evaluate(self.in_user_units(v))
        by_parameter = iterate.parameter_derivative(at.orbit, at.parameters, self.curve.free[0])
        along = iterate.jacobian_times(at.orbit, U[:n], at.parameters) - U[:n]
        return along + by_parameter[:, None] * (self.width / self.unit) * U[n:]


def locate_branch_point(
    curve: Curve,
    node: CurvePoint,
    metric: Metric,
    borders: int | None = None,
    values: Array | None = None,
    noise: float = 0.0,
) -> BranchPoint | None:
    """Locate the branch point near a point of a curve of cycles.

    Parameters
    ----------
    curve : Curve
        The curve.
    node : CurvePoint
        The start.
    metric : Metric
        Its units of the state and of the parameter are those of the equations.
    borders : int, optional
        How many multipliers are looked for, where the spectrum does not resolve multiplicities.
    values : ndarray, optional
        The multipliers there, roughly, where they are known without computing them.
    noise : float
        Error of the derivatives of H, in the units of the equations.

    Returns
    -------
    BranchPoint or None
        None if Newton's method does not converge: its step δ must fall below 1e-13, or stop to fall below 1e-7.
    """
    with np.errstate(all="ignore"):  # the iteration may run away: numbers overflow then
        try:
            m = borders or number_of_borders(
                repeated_multipliers(node) if values is None else values, 1.0, curve.edge
            )  # multipliers that meet +1 there
            V = lift_vectors(
                node.linear.jacobian, approximate_null_space(shifted(core_operator(node.linear.jacobian), 1.0), m)
            )
            found = _branch_point(curve, node, metric, V, V, noise)
            other = transposed(node.linear.M) if found is None and m > 1 else None
            if other is not None:
                # A map that preserves areas has two multipliers +1 there but one eigenvector, which lies in the range
                # of J − I: the left eigenvector is the border then.
                V, W = (approximate_null_space(M, m // 2) for M in (node.linear.M, other))
                found = _branch_point(curve, node, metric, V, W, noise)
        except (SingularSystem, np.linalg.LinAlgError, ValueError):
            return None
        return found


def _branch_point(
    curve: Curve, node: CurvePoint, metric: Metric, V: Array, W: Array, noise: float
) -> BranchPoint | None:
    m = W.shape[1]
    scaled = _Scaled(curve, metric.unit, float(metric.widths[0]))
    v, second_derivatives = node.u / scaled.in_user_units(np.ones_like(node.u)), np.empty(0)
    previous, before_previous, growths = np.inf, np.inf, 0
    try:
        T = _kernel_directions(scaled, v, V, W)
        system = _kernel_system(scaled, v, W, T)
        for iteration in range(1, MOST_ITERATIONS):
            before = v
            v, mu, there = _project(scaled, v, W, system)
            if not there:  # the system was made too far away
                v, mu, _ = _project(scaled, before, W, _kernel_system(scaled, before, W, T))
            # The start is on its branch but for rounding, which needs no new system.
            if iteration > 1 or float(np.abs(v - before).max()) > FRESH:
                system = _kernel_system(scaled, v, W, T)
            U, slopes = _stack(*system.solve(np.zeros((len(v) - 1, m + 1)), np.eye(m + 1)))
            if not second_derivatives.size:
                is_rough = iteration == 1 and not scaled.levels.is_noisy
                second_derivatives = _second_derivatives(
                    scaled, v, U, system, _three_points if is_rough else central_difference
                )
            xi = _newton_step(second_derivatives, slopes, scaled.second_noise)
            size = float(np.abs(xi).max())
            least = _noise_of_step(scaled, second_derivatives)
            stagnates = size >= STAGNATION_RATIO * previous or least > STAGNATED
            if size < CONVERGED or (size < max(STAGNATED, least) and stagnates):
                is_slow = before_previous > ROUNDED or iteration > SLOW
                is_linear = is_slow and size > LINEAR * previous > LINEAR**2 * before_previous
                return _described(scaled, v, (W, U, system), slopes, mu, xi, iteration, noise, is_linear)
            growths += size > previous
            if not size <= LONGEST_STEP * np.sqrt(len(v)) or growths >= MOST_GROWTHS:
                return None
            T, R = np.linalg.qr(U)
            # In the new coordinates, unless Newton's method with these hardly gained; noise is no reason for that.
            is_poor = size > HARDLY_GAINED * previous and not (scaled.levels.is_noisy and iteration > NOISY_RENEWALS)
            second_derivatives = np.empty(0) if is_poor else _in_new_coordinates(second_derivatives, R)
            v, previous, before_previous = v + U @ xi, size, previous
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


def _described(
    scaled: _Scaled,
    v: Array,
    kernel: tuple[Array, Array, Bordered],
    slopes: Array,
    mu: Array,
    xi: Array,
    iteration: int,
    noise: float,
    is_linear: bool,
) -> BranchPoint | None:
    """The branch point at which Newton's method ended, with what is known of its error; None if it is a fold."""
    W, U, system = kernel
    second = _second_derivatives(scaled, v, U, system, central_difference)
    if _is_fold(scaled, slopes, second) or float(np.abs(U).max()) > LONGEST_KERNEL:
        return None
    left = (slopes + second @ xi).reshape(-1)  # what no common step removes, of points taken for one
    gain = _gain(second, U, scaled.second_noise)
    is_sure = _equilibrated(second, scaled.second_noise)[3] and not is_linear
    step = _largest(xi) + min(APART * float(np.linalg.norm(left)) * gain, 1.0)
    return BranchPoint(
        u=scaled.in_user_units(v),
        kernel=scaled.in_user_units(U),
        quadratic=second,
        unfolding=_largest(mu),
        residual=scaled.unit * _largest(scaled.residual(v)),
        iterations=iteration,
        step=step if is_sure else step + _extent(scaled, v, W, U, system, second, noise),
        is_sure=is_sure,
        gain=gain,
        slope_scale=_largest(scaled.linearise(v)[1]),
    )


def _noise_of_step(scaled: _Scaled, second: Array) -> float:
    """A Newton step that the map's noise alone would cause; 0 where the map is exact to rounding."""
    noise = scaled.levels.slope_error
    if not noise:
        return 0.0
    return min(noise * float(np.linalg.norm(_inverse(second, scaled.second_noise))), LONGEST_NOISE)


def _newton_step(second: Array, slopes: Array, noise: float) -> Array:
    """ξ, where the slopes ∂μ/∂ξ vanish to first order."""
    if not (np.isfinite(second).all() and np.isfinite(slopes).all()):  # LAPACK would print
        raise np.linalg.LinAlgError
    if len(second) > 1:  # more equations than unknowns: scaling would weigh them
        rows = second.reshape(-1, second.shape[-1])
        return np.asarray(np.linalg.lstsq(rows, -slopes.reshape(-1), rcond=RANK)[0], dtype=float)
    rows, row_sizes, column_sizes, _ = _equilibrated(second, noise)
    xi = np.linalg.lstsq(rows, -slopes.reshape(-1) / row_sizes, rcond=RANK)[0]
    return np.asarray(xi / column_sizes, dtype=float)


def _equilibrated(second: Array, error: float) -> tuple[Array, Array, Array, bool]:
    """The second derivatives as rows, scaled so that what is sure of each row and column is of size 1.

    Returns
    -------
    rows, row_sizes, column_sizes : ndarray
        ``rows * row_sizes[:, None] * column_sizes`` are the second derivatives.
    is_sure : bool
        False where a row is its own error only: the curves touch, to that error, and the point is known poorly.
    """
    rows = second.reshape(-1, second.shape[-1])
    noise = error * max(1.0, float(np.abs(rows).max()))
    column_sizes = np.maximum(np.abs(rows).max(axis=0), max(noise, SMALLEST))
    scaled = rows / column_sizes
    least = SURE_ROW * noise / float(column_sizes.min())  # what a row must have to be more than its error
    sizes = np.abs(scaled).max(axis=1)
    row_sizes = np.maximum(sizes, max(least, SMALLEST))
    scaled = scaled / row_sizes[:, None]
    singular = np.linalg.svd(scaled, compute_uv=False)
    return scaled, row_sizes, column_sizes, bool(singular[-1] > SURE_RANK * singular[0])


def _extent(scaled: _Scaled, v: Array, W: Array, U: Array, system: Bordered, second: Array, noise: float) -> float:
    """How far from a point where curves touch the slopes ∂μ/∂ξ still cannot be told from 0.

    Second derivatives say nothing of one direction there. Along it the slopes grow like a power of the distance, and
    are computed: at the distance that is returned they exceed ten times their error on both sides.
    """
    direction = U @ np.linalg.svd(second.reshape(-1, second.shape[-1]))[2][-1]
    m = W.shape[1]
    for reach in REACHES:
        sides = []
        for sign in (1.0, -1.0):
            there, _, _ = _project(scaled, v + sign * reach * direction, W, system)
            beside = _kernel_system(scaled, there, W, U)
            slopes = _stack(*beside.solve(np.zeros((len(v) - 1, m + 1)), np.eye(m + 1)))[1]
            sides.append(_largest(slopes))
        if min(sides) > SURE_ROW * noise:
            return float(reach)
    return 1.0


def _gain(second: Array, U: Array, noise: float) -> float:
    """By how much more the parameter may be wrong than the slopes ∂μ/∂ξ, of which it is a zero."""
    return float(np.linalg.norm(U[-1] @ _inverse(second, noise)))


def _inverse(second: Array, noise: float) -> Array:
    """What slopes are multiplied with in a Newton step, (m + 1, m (m + 1)); see :func:`_newton_step`."""
    if len(second) > 1:
        return np.asarray(np.linalg.pinv(second.reshape(-1, second.shape[-1]), rcond=RANK))
    rows, row_sizes, column_sizes, _ = _equilibrated(second, noise)
    return np.asarray(np.linalg.pinv(rows, rcond=RANK) / column_sizes[:, None] / row_sizes)


def _is_fold(scaled: _Scaled, slopes: Array, second: Array) -> bool:
    """True if ∂μ/∂p does not vanish, as at a fold: the least-squares steps end there, too."""
    least = max(FOLD_SLOPE, FOLD_NOISE * scaled.levels.slope_error)
    return _largest(slopes) > least * max(scaled.curve.slowness, min(STEEPEST, _largest(second)))


def _largest(x: Array) -> float:
    return float(np.abs(x).max())


def _in_new_coordinates(second: Array, R: Array) -> Array:
    """Second derivatives by new coordinates ξ' = R ξ."""
    inverse = np.linalg.inv(R)
    return np.asarray(np.einsum("iab,aj,bk->ijk", second, inverse, inverse))


def _kernel_directions(scaled: _Scaled, v: Array, V: Array, W: Array) -> Array:
    """The kernel of [J − I, H_p] where J − I has the kernel V: (V, 0) and (h, 1) with (J − I) h = −H_p across V.

    The branch's own tangent is no substitute for (h, 1): at the tip of a side branch it lies in (V, 0).
    """
    m = W.shape[1]
    M, B = scaled.linearise(v)
    h, _ = bordered(M, W, V.T, np.zeros((m, m)), krylov=scaled.curve.krylov).solve(-B, np.zeros((m, 1)))
    return orthonormal(np.column_stack([np.vstack([h, np.ones((1, 1))]), np.vstack([V, np.zeros((1, m))])]))


def kernel_directions(curve: Curve, node: CurvePoint, metric: Metric, m: int) -> Array:
    """Vectors (x, p) that span the kernel of [J − I, H_p] at a branch point where m multipliers are +1, as columns."""
    scaled = _Scaled(curve, metric.unit, float(metric.widths[0]))
    J = node.linear.jacobian
    V = lift_vectors(J, approximate_null_space(shifted(core_operator(J), 1.0), m))
    v = node.u / scaled.in_user_units(np.ones_like(node.u))
    return scaled.in_user_units(_kernel_directions(scaled, v, V, V))


def _kernel_system(scaled: _Scaled, v: Array, W: Array, T: Array) -> Bordered:
    # ┌ J − I  H_p  W ┐        unknowns: the n + 1 of u, and the unfolding μ ∈ R^m
    # └  Tₓᵀ   Tₚᵀ  0 ┘
    n, m = W.shape
    M, B = scaled.linearise(v)
    D = np.hstack([T[n:].T, np.zeros((m + 1, m))])
    return bordered(M, np.hstack([B, W]), T[:n].T, D, krylov=scaled.curve.krylov)


def _stack(x: Array, y: Array) -> tuple[Array, Array]:
    return np.vstack([x, y[:1]]), y[1:]


def _project(scaled: _Scaled, v: Array, W: Array, system: Bordered) -> tuple[Array, Array, bool]:
    """Solve H(u) + W μ = 0 across the kernel directions, by a chord iteration with a system made nearby.

    Returns v, μ, and True if the iteration converged.
    """
    m = W.shape[1]
    mu, best = np.zeros(m), np.inf
    noise = scaled.levels.value_error * max(1.0, _largest(v[: scaled.curve.size]))
    for _ in range(PROJECTIONS):
        r = scaled.residual(v) + W @ mu
        size = _largest(r)
        if size <= noise or (size < PROJECTED and size >= STAGNATION_RATIO * best):
            return v, mu, True
        if not size < PROJECTION_DIVERGED * best:
            break
        best = min(best, size)
        dv, dmu = _stack(*system.solve(-r[:, None], np.zeros((m + 1, 1))))
        v, mu = v + dv[:, 0], mu + dmu[:, 0]
    return v, mu, False


def _second_derivatives(
    scaled: _Scaled, v: Array, U: Array, system: Bordered, differences: Callable[..., Array]
) -> Array:
    """∂²μ/∂ξᵢ∂ξⱼ, from the system with right-hand side −D²H[Uᵢ, Uⱼ]."""
    n, k = scaled.curve.size, U.shape[1]
    second = np.empty((k - 1, k, k))
    size = max(1.0, _largest(v[:n]))
    for i in range(k):

        def derivative(t: float, i: int = i) -> Array:
            return scaled.derivative(v + t * U[:, i], U[:, i:])

        noise = scaled.levels.slope_error * size * _largest(U[:, i:])
        bend = differences(derivative, scaled.levels.bend_step * size / _largest(U[:, i]), noise)
        _, second[:, i, i:] = _stack(*system.solve(-bend, np.zeros((k, k - i))))
        second[:, i:, i] = second[:, i, i:]
    return second


def _three_points(g: Callable[[float], Array], step: float, _: float) -> Array:
    """g'(0), exact enough for Newton's method, from a shorter step: iterates of a map may bend strongly."""
    return slope_by_three_points(g, THREE_POINT_PART * step)
