"""Newton's method for one closed invariant curve, with as many modes as it needs, and the error that is left.

At given parameters the values of the curve and its rotation number are unknown, as many as there are equations. At a
given rotation number the values alone: there is one equation more, which a map that preserves area obeys with the
others, and Newton's steps are those of least squares.

The error is the length of one more Newton step with 1.6 times as many modes: the residual between the angles, times
what the linearised equations make of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.invariant_curve_equations import GROWTH, LARGEST_CURVE, InvariantCurveEquations, odd
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.linalg.operators import dense
from bifurcate.linalg.threads import one_thread

__all__ = ["SolvedCurve", "solve_curve"]

Array = NDArray[np.float64]

MOST_STEPS = 12  # of Newton's method, with one number of modes
MOST_FAILURES = 2  # of Newton's method in a row: each time more modes are tried, since too few have no solution
CONVERGED = 1e-14  # residual, in units of the state, that is rounding
ACCEPTED = 1e-11  # ... and one that is accepted where it no longer falls: rounding times what small divisors make of it
FALLS = 0.5  # factor by which a residual must fall
DIVERGED = 1e3  # units of the state beyond which an iterate is lost
SURE = 2.0  # times the last step is the error: what is left after it is of higher order, and rounding
ROUNDINGS = 8.0  # units in the last place by which f is rounded
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class SolvedCurve:
    """A curve as exact as its modes allow.

    Attributes
    ----------
    equations : InvariantCurveEquations
        Those that were solved, with their number of modes.
    u : ndarray
        The solution.
    residual : float
        ‖g(x(θ)) − x(θ + ρ)‖_∞ at more angles than were solved for.
    error, rotation_error : float
        Estimated errors of the curve's states and of its rotation number.
    iterations : int
        Newton steps.
    """

    equations: InvariantCurveEquations
    u: Array
    residual: float
    error: float
    rotation_error: float
    iterations: int


def solve_curve(equations: InvariantCurveEquations, u: Array) -> SolvedCurve:
    """Solve for a curve, with more and more modes until it is resolved.

    Parameters
    ----------
    equations : InvariantCurveEquations
        Without free parameters.
    u : ndarray
        The guess.

    Raises
    ------
    NotConverged
        If Newton's method does not converge, or more modes would be needed than is allowed.
    """
    steps, failed, history = 0, 0, list[float]()
    while True:
        u, found, is_solved = _newton(equations, u)
        steps, history = steps + len(found) - 1, history + found
        m = equations.iterate.shape[0]
        wanted = equations.angles_wanted(u) if is_solved else odd(GROWTH * m)
        if is_solved and wanted == m:
            break
        failed = 0 if is_solved else failed + 1
        if failed > MOST_FAILURES or wanted * equations.iterate.dimension > LARGEST_CURVE or not np.isfinite(u).all():
            raise NotConverged(*_failure(equations, u, history, is_solved))
        equations, u = equations.resized(u, wanted)
    residual, error, rotation_error = _errors(equations, u)
    return SolvedCurve(equations, u, residual, error, rotation_error, steps)


def _failure(
    equations: InvariantCurveEquations, u: Array, history: list[float], is_solved: bool
) -> tuple[str, Array, tuple[float, ...], str]:
    """What a NotConverged says."""
    m, at = equations.iterate.shape[0], equations.values(u)
    if is_solved:
        what = f"{m // 2} modes do not resolve the curve"
        advice = "It is near its break-up, or near where it is locked to a cycle: take other parameters."
        return what, at, tuple(history), advice
    what = f"Newton's method for a closed invariant curve of {m // 2} modes did not converge"
    return what, at, tuple(history), "Start nearer to it, or trace it from a Neimark–Sacker point, bf.switch(point)."


def newton_step(equations: InvariantCurveEquations, u: Array) -> tuple[Array, Array]:
    """The residual at u, and the Newton step from there."""
    at = equations.evaluate(u)
    linear = equations.linearise(at)
    matrix = np.vstack([np.hstack([dense(linear.M), linear.B]), np.hstack([linear.C, linear.D])])
    if not np.isfinite(matrix).all() or not np.isfinite(at.residual).all():
        return at.residual, np.full(len(u), np.nan)
    with one_thread(len(matrix)):
        if matrix.shape[0] == matrix.shape[1]:
            return at.residual, np.linalg.solve(matrix, -at.residual)
        return at.residual, np.linalg.lstsq(matrix, -at.residual, rcond=None)[0]


def _newton(equations: InvariantCurveEquations, u: Array) -> tuple[Array, list[float], bool]:
    """The best iterate, the residuals, in units of the state, and whether it is a solution."""
    best, least, history = u, np.inf, list[float]()
    unit = max(equations.iterate.map.scale, float(np.abs(equations.values(u)).max()))
    for _ in range(MOST_STEPS):
        try:
            residual, step = newton_step(equations, u)
        except np.linalg.LinAlgError:
            break
        size = float(np.abs(residual).max()) / unit
        history.append(size)
        falls = size < FALLS * least
        if size < least:
            best, least = u, size
        is_lost = not np.isfinite(step).all() or float(np.abs(u + step).max()) > DIVERGED * unit
        if size <= CONVERGED or is_lost or (least <= ACCEPTED and not falls):
            break
        u = u + step
    return best, history, least <= ACCEPTED


def _errors(equations: InvariantCurveEquations, u: Array) -> tuple[float, float, float]:
    """The residual between the angles, and the errors of states and rotation number, from a step with more modes."""
    finer, moved = equations.resized(u, odd(GROWTH * equations.iterate.shape[0]))
    residual, step = newton_step(finer, moved)
    n = finer.iterate.size
    if not np.isfinite(step).all():
        raise InvalidInput(f"{equations.iterate.map.name} has no finite derivative along the curve")
    unit = max(equations.iterate.map.scale, float(np.abs(equations.values(u)).max()))
    rounding = ROUNDINGS * EPS * unit
    rotation = 0.0 if finer.rotation_number is not None else float(abs(step[-1]))
    size = float(np.abs(finer.values(moved) - finer.values(moved).mean(axis=0)).max())
    error = SURE * float(np.abs(step[:n]).max()) + rounding
    return float(np.abs(residual[:n]).max()), error, SURE * rotation + rounding / max(size, EPS * unit)
