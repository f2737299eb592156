"""One solution at fixed parameters: Newton, Newton–Krylov and Deflation as frozen values, and solve, the verb."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from bifurcate.errors import InvalidInput, NotConverged, NotIsolated
from bifurcate.linalg.bordered_system import SingularSystem, bordered
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.linalg.operators import Operator, shifted
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map

__all__ = ["Deflation", "Newton", "NewtonKrylov", "Solution", "solve"]

Direction = Callable[[np.ndarray, list[np.ndarray], float], np.ndarray]


@dataclass(frozen=True)
class Newton:
    """Newton's method with the full Jacobian, for small or structured maps.

    Attributes
    ----------
    tolerance : float
        Stop when ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞).
    max_iterations : int
        Steps before the start counts as failed.
    max_halvings : int
        How often one step may be halved until the residual falls and the state stays in the map's domain.
    """

    tolerance: float = 1e-11
    max_iterations: int = 50
    max_halvings: int = 30


@dataclass(frozen=True)
class NewtonKrylov:
    """Inexact Newton over GMRES, with nothing but Jacobian–vector products.

    Each linear system (J − I) δ = −F is solved only to ‖F + (J − I) δ‖₂ ≤ η ‖F‖₂, with the forcing term
    η = 0.9 (‖F‖/‖F_previous‖)² of Eisenstat & Walker, SIAM J. Sci. Comput. 17 (1996) 16, choice 2 with its safeguard.

    Attributes
    ----------
    tolerance : float
        Stop when ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞).
    max_iterations : int
        Newton steps before the start counts as failed.
    max_halvings : int
        How often one step may be halved until the residual falls and the state stays in the map's domain.
    forcing : float
        The first η, and the largest.
    restart : int
        Vectors that GMRES keeps: memory is restart + 5 states.
    max_restarts : int
        Restarts of GMRES in one Newton step.
    preconditioner : callable, optional
        v ↦ approximately (J − I)⁻¹ v, on vectors.
    """

    tolerance: float = 1e-11
    max_iterations: int = 100
    max_halvings: int = 30
    forcing: float = 0.5
    restart: int = 40
    max_restarts: int = 10
    preconditioner: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True, eq=False)
class Deflation:
    """Known solutions r that Newton's method is to stay away from.

    Newton is applied to M(x) F(x) with M(x) = Π (d(x, r)^−power + shift), d the root mean square of x − r in units of
    the map's scale or of r's size if that is larger: M F does not vanish at a simple solution r if power ≥ 1, and is F
    far from all of them if shift = 1 (Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37 (2015) A2026, equation 3.6).

    Its Newton step is the undeflated one, J δ = −F, times a number: in (M J + F ∇Mᵀ) s = −M F put s = τ δ, then

        −τ M F + τ (∇M·δ) F = −M F,        τ = 1 / (1 − ∇M·δ / M),

    so that every kind of Jacobian is solved with as before.

    Attributes
    ----------
    known : tuple of ndarray
        The solutions; of cycles every point.
    power : float
        How strongly they repel.
    shift : float
        The value of M far from them, per solution.
    monotone : bool
        Whether a step must lower ‖M F‖ (Armijo), as it does without deflation. Otherwise it must only stay in the
        map's domain: such walks are longer and end elsewhere.

    Examples
    --------
    >>> import bifurcate as bf
    >>> away = bf.Deflation([[0.6]])
    >>> bf.solve(bf.maps.logistic(r=2.5), guess=[0.5], deflation=away).state.round(9)
    array([0.])
    """

    known: Any
    power: float = 2.0
    shift: float = 1.0
    monotone: bool = True

    def __post_init__(self) -> None:
        for name in ("power", "shift"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, float | int) or not 0 < value < np.inf:
                raise InvalidInput(f"{name} is {value!r}; it must be a positive, finite number")
        object.__setattr__(self, "known", tuple(np.array(r, dtype=float) for r in self.known))

    def _apart(self, x: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
        # Rows x − r, and their squared lengths in units, d².
        rows = np.array([x - r.reshape(-1) for r in self.known])
        units = np.maximum(scale, [np.sqrt(np.mean(r**2)) for r in self.known])
        rows /= units[:, None] * np.sqrt(len(x))
        return rows / (units[:, None] * np.sqrt(len(x))), np.einsum("ij,ij->i", rows, rows)

    def logarithm(self, x: np.ndarray, scale: float) -> float:
        """Log M at a state (flattened) of a map with this scale; +inf at a known solution."""
        if not self.known:
            return 0.0
        return float(np.log(self._apart(x, scale)[1] ** (-0.5 * self.power) + self.shift).sum())

    def stretch(self, x: np.ndarray, step: np.ndarray, scale: float) -> float:
        """The number τ by which the undeflated Newton step is multiplied."""
        if not self.known:
            return 1.0
        rows, square = self._apart(x, scale)
        # ∇ log m = −power d^(−power − 2) (x − r)/unit² / (d^−power + shift)
        slope = -self.power * (rows @ step) / (square * (1.0 + self.shift * square ** (0.5 * self.power)))
        return float(1.0 / (1.0 - slope.sum()))


@dataclass(frozen=True, eq=False)
class Solution:
    """A fixed point or cycle.

    Attributes
    ----------
    state : ndarray
        In the shape of the guess; one point of the cycle.
    parameters : dict
        All parameters of the map.
    period : int
        k of f^k(x) = x.
    residual : float
        ‖f^k(x) − x‖_∞.
    iterations : int
        Newton steps.
    history : tuple of float
        The residual at every iterate.
    """

    state: np.ndarray
    parameters: Mapping[str, float]
    period: int
    residual: float
    iterations: int
    history: tuple[float, ...]
    jacobian: Operator

    @cached_property
    def spectrum(self) -> Spectrum:
        """The multipliers with multiplicities and what is certified of them; computed when first asked for."""
        return spectrum(self.jacobian)

    @property
    def multipliers(self) -> np.ndarray:
        """The multipliers, by falling modulus."""
        return self.spectrum.values

    @property
    def stable(self) -> bool:
        """True if every known multiplier lies inside the unit circle."""
        return self.spectrum.stable


def solve(
    map: Map,
    guess: Any,
    period: int = 1,
    method: Newton | NewtonKrylov | None = None,
    deflation: Deflation | None = None,
) -> Solution:
    """Find a fixed point of f^period by Newton's method from a guess.

    Every step is halved until ‖F‖₂ falls by the factor 1 − 10⁻⁴ t (Armijo) with all domain margins of the map
    positive, so that no step crosses a pole: with margins affine in the state, as the adaptation network's are, the
    whole segment between two iterates lies inside the domain then.

    Parameters
    ----------
    map : Map
        Its ``parameters`` are those at which is solved.
    guess : array_like
        The start, in the shape of the state.
    period : int
        k ≥ 1; the solution may turn out to have a smaller period that divides k.
    method : Newton or NewtonKrylov, optional
        By default Newton if the map gives its Jacobian or has at most 200 unknowns, NewtonKrylov otherwise.
    deflation : Deflation, optional
        Solutions to stay away from.

    Returns
    -------
    Solution
        When ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞).

    Raises
    ------
    InvalidInput
        If the guess, the period or the map is unusable.
    NotConverged
        With the last iterate, the history and advice.
    NotIsolated
        If the Jacobian shows that the solutions form a manifold.

    References
    ----------
    Kelley, Solving Nonlinear Equations with Newton's Method, SIAM 2003, chapters 1 to 3.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.solve(bf.maps.logistic(r=2.5), guess=[0.5])
    >>> found.state.round(12), found.stable
    (array([0.6]), True)
    """
    if not isinstance(map, Map):
        raise InvalidInput(f"map must be a Map, got {type(map).__name__}; wrap the function: Map(f, parameters)")
    x = map.check(guess)
    iterate = IteratedMap(map, x.shape, check_period(period))
    if method is None:
        method = Newton() if map.jacobian is not None or x.size <= 200 else NewtonKrylov()
    if not isinstance(method, Newton | NewtonKrylov):
        raise InvalidInput(f"method must be Newton(...) or NewtonKrylov(...), got {method!r}")
    direction = _newton_direction(iterate) if isinstance(method, Newton) else _krylov_direction(iterate, method)
    deflation = Deflation(()) if deflation is None else deflation
    if not isinstance(deflation, Deflation) or any(r.size != x.size for r in deflation.known):
        raise InvalidInput(f"deflation must be a Deflation(...) of states of shape {x.shape}, got {deflation!r}")
    with np.errstate(all="ignore"):
        return _descend(iterate, x.reshape(-1), method, direction, deflation)


def check_period(period: Any) -> int:
    """A period as a positive int, or InvalidInput."""
    if isinstance(period, bool) or not isinstance(period, int | np.integer) or period < 1:
        raise InvalidInput(f"period is {period!r}; it must be a whole number, at least 1")
    return int(period)


def _newton_direction(iterate: IteratedMap) -> Direction:
    p = iterate.map.parameters

    def direction(r: np.ndarray, orbit: list[np.ndarray], eta: float) -> np.ndarray:
        n = len(r)
        system = bordered(
            shifted(iterate.jacobian(orbit, p), 1.0), np.zeros((n, 0)), np.zeros((0, n)), np.zeros((0, 0))
        )
        return system.solve(-r, np.zeros(0))[0]

    return direction


def _krylov_direction(iterate: IteratedMap, method: NewtonKrylov) -> Direction:
    p = iterate.map.parameters

    def direction(r: np.ndarray, orbit: list[np.ndarray], eta: float) -> np.ndarray:
        n = len(r)
        A = LinearOperator((n, n), matvec=lambda v: iterate.jvp(orbit, v.ravel(), p) - v.ravel(), dtype=float)
        M = None
        if method.preconditioner is not None:
            M = LinearOperator((n, n), matvec=method.preconditioner, dtype=float)
        return gmres(A, -r, rtol=eta, atol=0.0, restart=min(method.restart, n), maxiter=method.max_restarts, M=M)[0]

    return direction


def _descend(
    iterate: IteratedMap, x: np.ndarray, method: Newton | NewtonKrylov, direction: Direction, deflation: Deflation
) -> Solution:
    map, p = iterate.map, iterate.map.parameters
    orbit = iterate.orbit(x, p)
    if not np.isfinite(deflation.logarithm(x, map.scale)):
        raise InvalidInput("the guess is one of the solutions to stay away from: move it a little")
    if not iterate.margin(orbit, p) > 0:
        raise InvalidInput(f"the orbit of the guess leaves the domain of {map.name} within {iterate.period} steps")
    r = orbit[-1] - x
    history, size = [float(np.abs(r).max())], _norm(r)
    eta = forcing = getattr(method, "forcing", 0.0)

    def fail(what: str, advice: str) -> NotConverged:
        return NotConverged(what, x.reshape(iterate.shape), tuple(history), advice)

    while not history[-1] <= method.tolerance * max(map.scale, float(np.abs(x).max())):
        if len(history) > method.max_iterations:
            raise fail("Newton's method did not converge", "Try a guess from a longer orbit, or raise max_iterations.")
        try:
            step = direction(r, orbit, eta)
        except SingularSystem as error:
            raise fail(
                "the Jacobian became singular",
                f"({error}) The start may sit on a fold or branch point: move the guess or a parameter slightly.",
            ) from error
        except NotIsolated as error:
            raise NotIsolated(f"{error}. {map.advice}".strip()) from error
        step = step * deflation.stretch(x, step, map.scale)
        taken = _line_search(iterate, x, size, step, method.max_halvings, deflation)
        if isinstance(taken, str):
            raise fail(*_ADVICE[taken])
        before = size
        x, orbit, r, size = taken
        history.append(float(np.abs(r).max()))
        ratio = size / before
        # Eisenstat & Walker's safeguard: do not tighten faster than the last forcing term justifies.
        wanted, kept = 0.9 * ratio**2, 0.9 * eta**2
        eta = min(forcing, max(wanted, kept if kept > 0.1 else 0.0, 1e-8))
    jacobian = iterate.jacobian(orbit, p)
    return Solution(
        x.reshape(iterate.shape), dict(p), iterate.period, history[-1], len(history) - 1, tuple(history), jacobian
    )


_ADVICE = {
    "domain": (
        "every step would leave the map's domain",
        "A pole stands between the guess and where Newton wants to go: guess on the other side of it, or nearer.",
    ),
    "ascent": (
        "no step made the residual fall",
        "The guess may sit in a valley without a solution, or the derivatives may not belong to the map: "
        "try another guess, or check jvp.",
    ),
}


def _line_search(
    iterate: IteratedMap, x: np.ndarray, before: float, step: np.ndarray, halvings: int, deflation: Deflation
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, float] | str:
    """The first of x + step, x + step/2, … that will do: state, orbit, residual and its norm; or why there is none."""
    if not np.isfinite(step).all():
        return "ascent"
    p, scale = iterate.map.parameters, iterate.map.scale
    level = deflation.logarithm(x, scale)
    t, reason = 1.0, "ascent"
    for _ in range(halvings + 1):
        trial = x + t * step
        orbit = iterate.orbit(trial, p)
        reason = "domain" if not iterate.margin(orbit, p) > 0 else "ascent"
        if reason == "ascent":
            weight, r = np.exp(deflation.logarithm(trial, scale) - level), orbit[-1] - trial
            size = _norm(r)
            if not deflation.monotone or weight * size <= (1.0 - 1e-4 * t) * before:
                return trial, orbit, r, size
        t *= 0.5
    return reason


def _norm(r: np.ndarray) -> float:
    return math.sqrt(float(r @ r))
