"""Curves of cycles in one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve, Evaluation, Linearisation
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.linalg.bordered_system import Krylov
from bifurcate.linalg.operators import shifted
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.orbit_map import SHORTEST_PERIOD, OrbitMap, calls_for_shooting, check_shooting, orbit_unknowns
from bifurcate.validation import check_instance, check_optional, check_period

__all__ = ["CycleEquations", "cycles"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CycleEquations:
    """The equations f^k(x; p) − x = 0 with one free parameter: n equations, n + 1 unknowns.

    Attributes
    ----------
    iterate : IteratedMap
        f^k.
    fixed : mapping of str to float
        The parameters that are not free.
    free : tuple of str
        The name of the free one.
    extra : tuple of str
        Empty: there is no other unknown.
    """

    iterate: IteratedMap
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    extra: tuple[str, ...] = ()

    @property
    def codimension(self) -> int:
        """0: the points of the curve are cycles."""
        return 0

    @property
    def hold_everywhere(self) -> bool:
        """True: there are no borders."""
        return True

    def evaluate(self, u: Vector) -> Evaluation:
        """Residual and domain margin at u: k evaluations of f."""
        n = self.iterate.size
        p = {**self.fixed, **dict(zip(self.free, u[n:].tolist()))}
        orbit = self.iterate.orbit(u[:n], p)
        return Evaluation(u, orbit, p, orbit[-1] - u[:n], self.iterate.margin(orbit, p))

    def linearise(self, at: Evaluation) -> Linearisation:
        """Jacobian and parameter derivative at an evaluated u."""
        J = self.iterate.jacobian(at.orbit, at.parameters)
        columns = [self.iterate.parameter_derivative(at.orbit, at.parameters, name) for name in self.free]
        n, k = self.iterate.size, len(self.free)
        B = np.column_stack(columns) if k > 1 else columns[0][:, None]  # a column may be large: no copy of one
        return Linearisation(J, shifted(J, 1.0), B, np.zeros((k - 1, n)), np.zeros((k - 1, k)))

    def adapted(self, at: Evaluation, kernel: Vector, rows: Vector) -> CycleEquations:
        """The same equations: these have no borders."""
        return self


@old_positions("period", "krylov")
def cycles(
    map: Map,
    free: str,
    guess: Any,
    *,
    period: int | None = None,
    krylov: Krylov | None = None,
    multiple_shooting: bool | None = None,
) -> Curve:
    """The curve of fixed points of f^period in one free parameter.

    Parameters
    ----------
    map : Map
        Its parameters are the start's; the free one varies from its value there.
    free : str
        Name of the free parameter.
    guess : array_like, Point, Solution or SpecialPoint
        A state near a solution at the map's parameters; tracing corrects it first. A point or solution gives its
        state, its parameters in place of the map's, and its period.
    period : int, optional
        k ≥ 1; by default that of a point or solution given, and 1 for a state.
    krylov : Krylov, optional
        Settings of GMRES, for maps with more than 200 unknowns and products with the Jacobian only.
    multiple_shooting : bool, optional
        True if all k states are to be unknowns, as for :func:`solve`, which also says when that is the default; it is
        decided once, at the guess.

    Returns
    -------
    Curve

    Raises
    ------
    InvalidInput
        If the map has no such parameter, or the guess, the period or the map are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.cycles(bf.maps.logistic(r=2.5), free="r", guess=[0.6])
    >>> curve.free, curve.start
    (('r',), array([0.6, 2.5]))
    >>> found = bf.solve(bf.maps.henon(a=0.5, b=0.3), [0.9, 0.3])
    >>> bf.cycles(bf.maps.henon(), free="b", guess=found).parameters(bf.cycles(bf.maps.henon(), "b", found).start)
    {'a': 0.5, 'b': 0.3}
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    if not isinstance(free, str):
        raise InvalidInput(f"free is {free!r}; it must be the name of one parameter")
    map.require(free)
    direction = None
    is_found = all(hasattr(guess, name) for name in ("state", "parameters", "period"))
    if is_found:
        map = map.replace(**{name: value for name, value in guess.parameters.items() if name in map.parameters})
        period = guess.period if period is None else period
        if getattr(guess, "kind", "") == "fold":  # the branch leaves it along the state alone
            direction = np.append(guess.kernel[:, 0], 0.0)
    check_optional("krylov", krylov, Krylov, "write Krylov(...)")
    x = map.check(guess.state if is_found else guess)
    iterate = IteratedMap(map, x.shape, check_period(1 if period is None else period))
    check_shooting(multiple_shooting, map, x)
    states = _shooting_start(iterate, x, guess, multiple_shooting)
    if states is not None:
        iterate, x = OrbitMap(map, states.shape, iterate.period), states
        direction = np.append(guess.full_kernel[:, 0], 0.0) if _fits(direction, guess, iterate) else None
    fixed = {name: value for name, value in map.parameters.items() if name != free}
    start = np.append(x.reshape(-1), map.parameters[free])
    return Curve(CycleEquations(iterate, fixed, (free,)), start, direction=direction, krylov=krylov or Krylov())


def _shooting_start(iterate: IteratedMap, x: Vector, guess: Any, asked: bool | None) -> Vector | None:
    """All states of the cycle, where they are to be unknowns, shape (k, *state's); None where one state is."""
    k, p = iterate.period, dict(iterate.map.parameters)
    if k == 1 or asked is False:
        return None
    known = _states_of(guess, k)
    if asked is None and known is None and k < SHORTEST_PERIOD:
        return None
    with np.errstate(all="ignore"):
        orbit = iterate.orbit(x.reshape(-1), p) if known is None else [*(each.reshape(-1) for each in known), x]
        if asked is None and not calls_for_shooting(iterate.map, orbit, p, x.shape):
            return None
    return orbit_unknowns(iterate.map, orbit).reshape(k, *x.shape)


def _states_of(guess: Any, period: int) -> Vector | None:
    """The states that multiple shooting has found for a point or solution; None for any other guess."""
    states = getattr(guess, "cycle", None)
    curve = getattr(guess, "curve", None)
    if isinstance(curve, Curve) and isinstance(curve.iterate, OrbitMap):
        u = getattr(guess, "u", None)
        states = curve.unknowns(u) if u is not None else guess.unknowns
    return states if isinstance(states, np.ndarray) and len(states) == period else None


def _fits(direction: Vector | None, guess: Any, iterate: OrbitMap) -> bool:
    """True if a fold's own critical direction is one of all states of the cycle."""
    return direction is not None and len(guess.full_kernel) == iterate.size
