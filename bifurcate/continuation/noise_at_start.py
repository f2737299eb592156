"""Noise of a map noticed at the start of a branch, from what f returned there anyway.

The five samples f(x − 2h), …, f(x + 2h) of a difference quotient have a fourth difference h⁴f⁗, 3e-13 of f for a
smooth f of size 1, to which noise η adds √70 η (Moré & Wild, SIAM J. Sci. Comput. 33 (2011) 1292). Where it is more, f
is sampled on two lines beside the start, with a quarter of the step: there h⁴f⁗ is 256 times smaller, and noise as
large as before. An f in float32 is known by its values: each of them is a number of float32.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.starting_point import first_point
from bifurcate.continuation.step_control import above_noise
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.errors import MapFailed, NotConverged
from bifurcate.interrupts import interruptible
from bifurcate.maps.derivatives import FIVE_POINT_STEP, recorded_samples

__all__ = ["start_of", "words_on_noise"]

Array = NDArray[np.float64]

SUSPECT = 2e-12  # noise, in units of the state, from which on what looks like it is measured: above h⁴f⁗ of a smooth f
FINER = 0.25  # part of the step of difference quotients that is the distance of the points on a line
POINTS = 9  # on each of two lines, one on either side: a kink lies on one of them only
ORDER = 4  # of the differences that are taken for noise
GAMMA = math.factorial(ORDER) ** 2 / math.factorial(2 * ORDER)  # 1/70: the mean square of those of noise of size 1
MARGIN = 2.0  # by which more noise is assumed than was measured, from a handful of numbers
FLOAT32 = 2.0**-23  # noise of an f in float32, in units of its value, if less was measured: a rounding or two
FEW_BITS = 4096.0  # multiples of 1/4096 are numbers of float32 whatever they were computed in, and tell nothing
# Noise, in units of the state, from which on it is none: an f that seems so noisy varies within the steps, because a
# component of the state has a unit far below the map's scale.
LARGEST = 0.1
LEAST_FALL = 0.1  # part of what was seen in a quotient that must be left on the lines: of h⁴f⁗ only 1/256 is


def start_of(run: ContinuationProblem) -> tuple[ContinuationProblem, CurvePoint, str]:
    """The run, its first point, and in words that its map is noisy, if that was noticed; "" if not.

    Raises
    ------
    InvalidInput, NotConverged, NotIsolated, MapFailed
        As :func:`~.starting_point.first_point` does.
    """
    map = run.curve.iterate.map
    if map.noise is not None or run.curve.codimension > 0 or run.curve.iterate.shape != run.curve.iterate.state_shape:
        return run, interruptible(first_point, run), ""
    try:
        with recorded_samples() as samples:
            start = interruptible(first_point, run)
    except NotConverged:
        noise, is_single = _on_lines(run.curve, run.curve.start), bool(samples) and _is_single(samples[-1:])
        if not SUSPECT <= noise < LARGEST:
            raise
    else:
        noise, is_single = _noise_at(run.curve, start, samples)
        if not noise:
            return run, start, ""
    noisy = _with_noise(run, MARGIN * noise)
    return noisy, interruptible(first_point, noisy), words_on_noise(MARGIN * noise, is_single)


def words_on_noise(noise: float, is_single: bool = False) -> str:
    """What is said of an f whose noise was measured."""
    what = "f computes in float32: its values are" if is_single else "values of f are"
    return (
        f"{what} noisy by {noise:.0e} of their size near the start: steps, tolerances and errors follow that "
        "(Map(noise=…) says how much it is, 0 that it is none)"
    )


def _with_noise(run: ContinuationProblem, noise: float) -> ContinuationProblem:
    """The run on a curve whose map has a level of noise."""
    curve = run.curve
    iterate = dataclasses.replace(curve.iterate, map=dataclasses.replace(curve.iterate.map, noise=noise, at=None))
    noisy = curve.replace(equations=dataclasses.replace(cast(Any, curve.equations), iterate=iterate))
    return dataclasses.replace(run, curve=noisy, control=above_noise(run.control, iterate.map.precision))


def _noise_at(curve: Curve, start: CurvePoint, samples: Sequence[Array]) -> tuple[float, bool]:
    """The noise of f at a start, in units of the state, 0 where nothing points to it; and if f is in float32."""
    iterate, orbit = curve.iterate, start.at.orbit
    unit = max(iterate.map.scale, float(np.abs(orbit[0]).max()))
    values = np.array(orbit[1:])
    last = samples[-iterate.period :]
    if _is_single([values, *last]):
        return max(_on_lines(curve, start.u), FLOAT32 * float(np.abs(values).max()) / unit), True
    if iterate.map.periodic is not None or [each.shape[2] for each in last] != [curve.size] * iterate.period:
        return 0.0, False
    ours = 0.0
    for found, image in zip(last, values, strict=True):
        fourth = found[:, 2] + found[:, 3] - 4.0 * (found[:, 0] + found[:, 1]) + 6.0 * image
        ours = max(ours, float(np.sqrt(GAMMA * np.mean(fourth**2))) / unit)
    if not SUSPECT < ours < np.inf:
        return 0.0, False
    measured = _on_lines(curve, start.u)
    return (measured, False) if max(LEAST_FALL * ours, SUSPECT) < measured < LARGEST else (0.0, False)


def _is_single(found: Sequence[Array]) -> bool:
    """True if all values are numbers of float32, and not only because they have few bits."""
    values = np.concatenate([each.ravel() for each in found])
    if not np.isfinite(values).all() or not (values == values.astype(np.float32)).all():
        return False
    return bool((values * FEW_BITS != np.round(values * FEW_BITS)).any())


def _on_lines(curve: Curve, u: Array) -> float:
    """The smaller of the noises of f on two lines on either side of a state, in units of the state; 0 if f fails there.

    Parameters
    ----------
    curve : Curve
        Of cycles of f.
    u : ndarray
        State and parameter.
    """
    iterate, x, p = curve.iterate, u[: curve.size], curve.parameters(u)
    unit = max(iterate.map.scale, float(np.abs(x).max()))
    v = (
        np.random.default_rng(0).uniform(0.5, 1.0, len(x))
        * FINER
        * FIVE_POINT_STEP
        * np.maximum(iterate.map.scale, np.abs(x))
    )
    found = []
    for side in (1.0, -1.0):
        try:
            step = iterate.step_near(x, p)
            line = np.array([step(x + side * i * v) for i in range(1, POINTS + 1)])
        except MapFailed:
            return 0.0
        found.append(float(np.sqrt(GAMMA * np.mean(np.diff(line, ORDER, axis=0) ** 2))) / unit)
    return min(found) if np.isfinite(found).all() else 0.0
