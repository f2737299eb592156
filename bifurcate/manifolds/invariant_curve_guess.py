"""A closed invariant curve from an orbit on it: its rotation number, and its modes by weighted averages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.invariant_curve_equations import FEWEST_ANGLES, InvariantCurveEquations, odd
from bifurcate.errors import InvalidInput
from bifurcate.linalg.trigonometric import resampled, smooth_weights, tail
from bifurcate.manifolds.recorded_orbit import RecordedOrbit
from bifurcate.manifolds.rotation_number import RotationNumber, rotation_number
from bifurcate.maps.invariant_curve_map import InvariantCurveMap
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["curve_from_orbit"]

Array = NDArray[np.float64]

# States of the orbit that is averaged over; more of them where fewer modes than wanted can be told apart, at the most
# so many. Two frequencies are told apart if their phases part by so many turns over all states.
STATES, WANTED_MODES, MOST_STATES, PERIODS = 8192, 16, 2**16, 40.0
MOST_MODES = 128  # that are looked at: Newton's method finds the others
FIRST_RESOLVED = 1e-6  # tail of a first approximation from which Newton's method converges
ENOUGH = 1e-6  # error of a rotation number with which the modes of an orbit can be told apart
SAME_TURNS = 1e-4  # by which the mean advance of a second round coordinate may differ from a multiple of the first's
EXTRA = 2048  # steps, more than those after which the rotation number was known


def curve_from_orbit(
    map: Map, start: Array, *, coordinate: int | None, period: int, steps: int, transient: int, fixed: float | None
) -> tuple[InvariantCurveEquations, Array]:
    """The equations of the curve that an orbit fills, and a first approximation of it.

    Parameters
    ----------
    map : Map
        At its parameters.
    start : ndarray
        On the curve, or attracted to it.
    coordinate, period, steps, transient
        As for :func:`~.rotation_number.rotation_number`.
    fixed : float or None
        A rotation number that is asked for; None if that of the orbit is looked for.

    Raises
    ------
    InvalidInput
        If the orbit fills no closed curve; the message says what it does.
    """
    turning = rotation_number(map, start, coordinate=coordinate, period=period, steps=steps, transient=transient)
    _require_a_curve(turning, period)
    where = None if turning.centre is not None else _round_coordinate(map, coordinate)
    orbit = RecordedOrbit(map, start, period, where)
    orbit.go_on(transient + EXTRA + turning.steps, record=False)
    rho = turning.value if where is not None else abs(turning.value)
    count = STATES
    while _separable_modes(rho, count) < WANTED_MODES and count < MOST_STATES:
        count *= 2
    orbit.go_on(count - 1)
    states = np.array(orbit.states).reshape(count, -1)
    periodic, winding = _periodic_part(map, states, orbit, rho, where)
    values = _modes(periodic, rho, 0.0 if where is None else orbit.width)
    shape = (len(values), *start.shape)
    iterate = InvariantCurveMap(map, shape, 1, steps=period, winding=winding)
    known = dict(map.parameters)
    equations = InvariantCurveEquations(iterate, known, (), values, fixed)
    return equations, values.ravel() if fixed is not None else np.append(values.ravel(), rho)


def _require_a_curve(turning: RotationNumber, period: int) -> None:
    if turning.kind == "quasi-periodic" or (turning.kind == "undecided" and turning.error <= ENOUGH):
        return
    if turning.fraction is not None:
        p, q = turning.fraction
        raise InvalidInput(
            f"the orbit is locked: it settles on a cycle of period {q * period} with rotation number {p}/{q}, "
            "and fills no closed curve; take other parameters, or trace a curve across from bf.switch(point)"
        )
    raise InvalidInput(f"the orbit fills no closed curve that is known: {turning.note or turning.kind}")


def _round_coordinate(map: Map, asked: int | None) -> int:
    assert map.periods is not None
    return int(np.flatnonzero(np.isfinite(map.periods))[0]) if asked is None else asked


def _periodic_part(
    map: Map, states: Array, orbit: RecordedOrbit, rho: float, where: int | None
) -> tuple[Array, tuple[int, ...]]:
    """The states without what grows as the curve goes round, and how often each coordinate goes round with it."""
    if where is None or map.periods is None:
        return states, ()
    n = states.shape[1]
    winding, found, theta = [0] * n, states.copy(), rho * np.arange(len(states))
    for c in np.flatnonzero(np.isfinite(map.periods)).tolist():
        width = float(map.periods[c])
        if c == where:
            advances = np.array(orbit.advances[-(len(states) - 1) :])
            if not orbit.is_lift:
                advances = advances + np.round(rho - advances)
            turns = 1
        else:
            one = np.array([width])
            advances = shortest(np.diff(states[:, c])[:, None], one)[:, 0] / width
            mean = float(smooth_weights(len(advances)) @ advances)
            turns = round(mean / rho) if rho else 0
            if abs(mean - turns * rho) > SAME_TURNS:
                raise InvalidInput(
                    f"coordinates {where} and {c} go round at rates that have no whole ratio: the orbit fills a torus"
                )
        lifted = states[0, c] + width * np.concatenate([[0.0], np.cumsum(advances)])
        found[:, c], winding[c] = lifted - turns * width * theta, turns
    return found, tuple(winding)


def _separable_modes(rho: float, count: int) -> int:
    """How many modes averages over so many states tell apart: those of which no two frequencies nearly agree."""
    multiples = rho * np.arange(1, 2 * MOST_MODES + 1)
    near = np.flatnonzero(count * np.abs(multiples - np.round(multiples)) < PERIODS)
    return MOST_MODES if not len(near) else int(near[0]) // 2


def _modes(states: Array, rho: float, turn: float) -> Array:
    """The values at as many angles as resolve the curve for a start, from states at the angles 0, ρ, 2ρ, …"""
    w = smooth_weights(len(states))
    turns = np.exp(-2j * np.pi * rho * np.arange(len(states)))
    known, power = list[Any](), w.astype(complex)
    modes = max(1, _separable_modes(rho, len(states)))
    for _ in range(modes + 1):
        known.append(power @ states)
        power = power * turns
    m = max(2 * modes + 1, FEWEST_ANGLES)
    values = np.asarray(np.fft.irfft(np.array(known) * m, n=m, axis=0))
    while (
        len(values) > FEWEST_ANGLES and tail(shorter := resampled(values, odd(len(values) / 2)), turn) < FIRST_RESOLVED
    ):
        values = shorter
    return values
