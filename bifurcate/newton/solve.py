"""solve: one fixed point or cycle at fixed parameters, by Newton's method from a guess."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput, MapFailed, NotConverged, NotIsolated, OutsideDomain
from bifurcate.linalg.bordered_system import SingularSystem
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.linalg.operators import DiagonalLowRank, Operator
from bifurcate.maps.cycle_multipliers import multipliers_along
from bifurcate.maps.iterated_map import LARGEST_DENSE, IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.orbit_map import OrbitMap, check_shooting
from bifurcate.newton.deflation_operator import Deflation
from bifurcate.newton.line_search import FAILS_ADVICE, Iterate, StepFailure, evaluate, search_step
from bifurcate.newton.multiple_shooting import all_states_unknown, polished_cycle
from bifurcate.newton.newton import Newton, newton_step
from bifurcate.newton.newton_krylov import NewtonKrylov, newton_krylov_step, next_forcing_term
from bifurcate.newton.solution_manifold import manifold_words, tangent_of_manifold
from bifurcate.printing import notebook_html, numbers_text, short_repr, values_text
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.functions import MissingFunction
from bifurcate.validation import check_instance, check_period

__all__ = ["Solution", "solve"]

Vector = NDArray[np.float64]

# Units within which f^j(x) must lie of x to ask whether x is a cycle of period j: beside a flip the doubled period's
# equations may leave a solution off by the third root of the tolerance, 2e-4, times multipliers.
NEARBY_CYCLE = 1e-2

LARGEST_PRINTED = 500  # unknowns of a solution whose multipliers are computed when it is printed: a few milliseconds
ISOLATE = "bf.constrained(map, …) holds a conserved quantity, or fixes a phase: with it they are isolated."

# What is used where nothing else is asked for, made once.
DEFAULT_NEWTON, DEFAULT_NEWTON_KRYLOV, NOTHING_DEFLATED = Newton(), NewtonKrylov(), Deflation(())


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
        k of f^k(x) = x, the least one: it may be a divisor of the period that was asked for.
    residual : float
        ‖f^k(x) − x‖_∞.
    iterations : int
        Newton steps.
    history : tuple of float
        The residual at every iterate, the first being that of the guess.
    jacobian : Operator
        J of f^k at the state: an array, or a structured operator.
    map : Map or None
        What it is a solution of.
    note : str
        In words, if the least period is not the one that was asked for, or the solution is one of a manifold.
    manifold : ndarray, shape (n, m), or None
        Tangents of the manifold of solutions of which it is one; None if it is isolated, or more than 200 unknowns, or
        a Jacobian that is not dense, kept that from being asked.
    cycle : ndarray, shape (k, *state's), or None
        All states of the cycle, where it was solved for by multiple shooting.
    """

    state: NDArray[np.float64]
    parameters: Mapping[str, float]
    period: int
    residual: float
    iterations: int
    history: tuple[float, ...]
    jacobian: Operator
    map: Map | None = None
    note: str = ""
    cycle: NDArray[np.float64] | None = None
    manifold: NDArray[np.float64] | None = None

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "bf.cycles(map, free, solution), bf.manifold(solution), solution.multipliers"
    _repr_html_ = notebook_html

    stored_beside_fields: ClassVar = ("spectrum",)  # it may take the map to compute it

    def __str__(self) -> str:
        name = "the map" if self.map is None else self.map.name
        what = "fixed point" if self.period == 1 else f"cycle of period {self.period}"
        state = numbers_text(self.state, 9)
        lines = [f"{what} of {name} at {values_text(self.parameters)}", f"  state {state}"]
        if "spectrum" in self.__dict__ or self.state.size <= LARGEST_PRINTED:
            lines.append(f"  {'stable' if self.stable else 'unstable'}, multipliers {numbers_text(self.multipliers)}")
        lines.append(f"  residual {self.residual:.0e} after {self.iterations} steps of Newton's method")
        return "\n".join(lines + ([f"  {self.note}"] if self.note else []))

    def stored_state(self) -> dict[str, Any]:
        """What pickle and files hold: the Jacobian only where it consists of numbers; the map gives it again."""
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        if not (isinstance(self.jacobian, np.ndarray | DiagonalLowRank) or sp.issparse(self.jacobian)):
            state["jacobian"] = None
        return {**state, **{name: self.__dict__[name] for name in self.stored_beside_fields if name in self.__dict__}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take in what :meth:`stored_state` holds, and form the Jacobian again where that is needed and possible."""
        for name, value in state.items():
            object.__setattr__(self, name, value)
        if self.jacobian is None and self.map is not None and not isinstance(self.map.f, MissingFunction):
            iterate, x = self._equations(self.map)
            orbit = iterate.orbit(x, self.parameters)
            object.__setattr__(self, "jacobian", iterate.jacobian(orbit, self.parameters))

    def wrong_residual(self) -> str:
        """How f^k(x) − x at the state differs from what is stored; "" if it does not."""
        if self.map is None:
            return ""
        iterate, x = self._equations(self.map)
        return iterate.excess_residual(x, self.parameters, self.residual)

    def _equations(self, map: Map) -> tuple[IteratedMap, Vector]:
        """The equations that were solved, and their unknowns."""
        if self.cycle is None:
            return IteratedMap(map, self.state.shape, self.period), self.state.reshape(-1)
        return OrbitMap(map, self.cycle.shape, self.period), self.cycle.reshape(-1)

    __getstate__ = stored_state
    __setstate__ = load_state

    @cached_property
    def spectrum(self) -> Spectrum:
        """The multipliers, with multiplicities and with what is certified of them; computed when first asked for."""
        if self.period == 1 or self.map is None or isinstance(self.map.f, MissingFunction):
            return spectrum(self.jacobian)
        iterate, x = self._equations(self.map)
        return multipliers_along(iterate, iterate.orbit(x, self.parameters), self.parameters, self.jacobian)

    @property
    def multipliers(self) -> NDArray[Any]:
        """The multipliers, by falling modulus."""
        return self.spectrum.values

    @property
    def stable(self) -> bool:
        """True if every known multiplier lies inside the unit circle."""
        return self.spectrum.stable


@old_positions("period", "method", "deflation")
def solve(
    map: Map,
    guess: Any,
    *,
    period: int = 1,
    method: Newton | NewtonKrylov | None = None,
    deflation: Deflation | None = None,
    multiple_shooting: bool | None = None,
    progress: Report | bool | None = None,
) -> Solution:
    """Find a fixed point of f^period by Newton's method from a guess.

    Every step is halved until ‖F‖₂ falls by the factor 1 − 10⁻⁴ t (Armijo) with all domain margins of the map
    positive, so that no step crosses a pole: with margins affine in the state, as the adaptation network's are, the
    whole segment between two iterates lies inside the domain then.

    Parameters
    ----------
    map : Map
        The equations are solved at its own ``parameters``; ``map.replace`` changes them.
    guess : array_like
        Where Newton's method starts, in the shape of the state.
    period : int
        k ≥ 1. What is found may have a smaller period that divides k: it is returned with its least period, and
        with a ``note``.
    method : Newton or NewtonKrylov, optional
        By default Newton if the map gives its Jacobian or has at most 200 unknowns, NewtonKrylov otherwise.
    deflation : Deflation, optional
        Solutions to stay away from.
    multiple_shooting : bool, optional
        True if all k states are to be unknowns, with the equations f(x_{i−1}) = x_i, so that the residual comes down to
        rounding whatever the multipliers are; False for f^k(x) = x in one state. By default True where the period is
        at least 8, the Jacobians are matrices, and small differences grow by more than 10⁶ along the guess's orbit.
    progress : callable, bool, optional
        Called with a :class:`Progress` after every Newton step; or True for a line that says how far the call has come,
        False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    Solution
        When ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞); in multiple shooting when that holds for every
        f(x_{i−1}) − x_i. Where the map is noisy, the tolerance is at least four times its noise, and a residual that no
        step makes fall is accepted up to a thousand times the noise.

    Raises
    ------
    InvalidInput
        If the guess, the period or the map is unusable.
    MapFailed
        If f fails at the guess, or on its orbit.
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
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    x = map.check(guess)
    iterate = IteratedMap(map, x.shape, check_period(period))
    check_shooting(multiple_shooting, map, x)
    if method is None:
        is_dense = map.jacobian is not None or x.size <= LARGEST_DENSE
        method = DEFAULT_NEWTON if is_dense else DEFAULT_NEWTON_KRYLOV
    if isinstance(method, NewtonKrylov) and multiple_shooting:
        raise InvalidInput("multiple shooting takes Jacobians as matrices: use method=Newton(...), or the default")
    if not isinstance(method, Newton | NewtonKrylov):
        raise InvalidInput(f"method must be Newton(...) or NewtonKrylov(...), got {method!r}")
    deflation = NOTHING_DEFLATED if deflation is None else deflation
    if not isinstance(deflation, Deflation) or any(r.size != x.size for r in deflation.known):
        raise InvalidInput(f"deflation must be a Deflation(...) of states of shape {x.shape}, got {deflation!r}")
    named = f"solve {map.name}"
    with np.errstate(all="ignore"), reporting(progress, named, (), "Newton steps") as report:
        start = _start(iterate, x.reshape(-1), deflation)
        if isinstance(method, Newton):
            iterate, start = all_states_unknown(iterate, start, multiple_shooting)
        here, history = _iterate(iterate, start, method, deflation, report)
        if isinstance(iterate, OrbitMap):
            iterate, here = polished_cycle(iterate, here, history)
        else:
            iterate, here, history = _at_least_period(iterate, here, history, method)
        jacobian = iterate.jacobian(here.orbit, map.parameters)
        tangent = tangent_of_manifold(iterate, here.x, jacobian)
    least = "" if iterate.period == period else f"period {period} was asked for; the least period is {iterate.period}"
    note = "; ".join(words for words in (least, manifold_words(tangent)) if words)
    return Solution(
        state=iterate.first_state(here.x).reshape(iterate.state_shape),
        parameters=dict(map.parameters),
        period=iterate.period,
        residual=history[-1],
        iterations=len(history) - 1,
        history=tuple(history),
        jacobian=jacobian,
        map=map,
        note=note,
        manifold=tangent if tangent.size else None,
        cycle=here.x.reshape(iterate.shape) if isinstance(iterate, OrbitMap) else None,
    )


def _at_least_period(
    iterate: IteratedMap, here: Iterate, history: list[float], method: Newton | NewtonKrylov
) -> tuple[IteratedMap, Iterate, list[float]]:
    """A solution as one of the equations of its least period, brought to the tolerance in these; with its history.

    Beside a flip the equations of the doubled period hold to the tolerance all the way from the doubled cycle to the
    one that is not doubled: then they do not tell the two apart, and it is the shorter one.
    """
    unit = max(iterate.map.scale, float(np.abs(here.x).max()))
    for least in range(1, iterate.period // 2 + 1):
        apart = iterate.difference(here.orbit[least], here.x)
        if iterate.period % least or float(np.abs(apart).max()) > NEARBY_CYCLE * unit:
            continue
        shorter = dataclasses.replace(iterate, period=least)
        try:
            start = evaluate(here.x, shorter.orbit(here.x, iterate.map.parameters))
            found, more = _iterate(shorter, start, method, NOTHING_DEFLATED)
            middle = 0.5 * (here.x + found.x)
            left = evaluate(middle, iterate.orbit(middle, iterate.map.parameters)).largest
        except (NotConverged, NotIsolated, MapFailed):
            continue
        if left <= method.tolerance * unit and float(np.abs(found.x - here.x).max()) <= NEARBY_CYCLE * unit:
            return shorter, found, [*history, *more[1:]]
    return iterate, here, history


def _start(iterate: IteratedMap, x: Vector, deflation: Deflation) -> Iterate:
    """The guess as the first iterate; refused where the equations cannot be evaluated."""
    p = iterate.map.parameters
    orbit = iterate.orbit(x, p)
    if not np.isfinite(deflation.log_factor(x, iterate.map.scale, iterate.map.periods)):
        raise InvalidInput("the guess is one of the solutions to stay away from: move it a little")
    if not iterate.margin(orbit, p) > 0:
        where = f"{iterate.map.name} within {iterate.period} steps"
        if np.isfinite(orbit[-1]).all():
            raise OutsideDomain(f"the orbit of the guess leaves the domain of {where}")
        raise MapFailed(f"the orbit of the guess reaches NaN or infinity under {where}")
    return evaluate(x, orbit)


def _iterate(
    iterate: IteratedMap,
    here: Iterate,
    method: Newton | NewtonKrylov,
    deflation: Deflation,
    report: Report | None = None,
) -> tuple[Iterate, list[float]]:
    """Newton steps until the stopping inequality holds: the last iterate, and the residual ‖F‖_∞ at every one."""
    map, history = iterate.map, [here.largest]
    levels = map.precision
    tolerance = max(method.tolerance, levels.value_error)
    forcing = largest_forcing = method.forcing if isinstance(method, NewtonKrylov) else 0.0

    def failure(what: str, advice: str) -> NotConverged:
        return NotConverged(what, iterate.first_state(here.x).reshape(iterate.state_shape), tuple(history), advice)

    while not history[-1] <= tolerance * (unit := max(map.scale, float(np.abs(here.x).max()))):
        if len(history) > method.max_iterations:
            raise failure(
                "Newton's method did not converge", "Try a guess from a longer orbit, or raise max_iterations."
            )
        try:
            if isinstance(method, Newton):
                step = newton_step(iterate.jacobian(here.orbit, map.parameters), here.residual)
            else:
                step = newton_krylov_step(method, iterate, here.orbit, here.residual, forcing)
        except SingularSystem as error:
            tangent = tangent_of_manifold(iterate, here.x, iterate.jacobian(here.orbit, map.parameters))
            if tangent.size:
                raise NotIsolated(f"{manifold_words(tangent)}. {map.advice or ISOLATE}".strip()) from error
            raise failure(
                "the Jacobian became singular",
                f"({error}) The start may sit on a fold or branch point: move the guess or a parameter slightly.",
            ) from error
        except MapFailed as error:
            raise failure(str(error), FAILS_ADVICE) from error
        except NotIsolated as error:
            raise NotIsolated(f"{error}. {map.advice}".strip()) from error
        first = iterate.first_state
        step = step * deflation.step_factor(first(here.x), first(step), map.scale, map.periods)
        new = search_step(iterate, here, step, method.max_halvings, deflation)
        if isinstance(new, StepFailure):
            if history[-1] <= levels.residual_error * unit:
                break  # noise, multiplied along the cycle, is all that is left
            raise failure(new.what, new.advice)
        forcing = next_forcing_term(largest_forcing, forcing, new.norm / here.norm)
        here = new
        history.append(here.largest)
        if report is not None:
            report(Progress(dict(map.parameters), len(history) - 1, residual=here.largest))
    return here, history
