"""Edges of Arnold tongues at weak resonances, from extremes of the parameters over the phase of locked cycles.

At amplitude r the parameters of locked cycles are a loop μ(φ) (``resonant_cycles``). It moves along the tongue with r,
and the component s = N · μ across, N ⟂ ∂μ/∂r, has its extremes on the edges, to an error of order r times the width.
From there the fold of the cycles is solved for, as a minimally augmented system, where the critical multiplier between
the edges differs from 1 by enough for a fold to be told from a cycle inside: the amplitude is chosen so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_two.fold_of_cycles import fold_of_cycles
from bifurcate.bifurcations.codimension_two.phase_loop import EPS, PHASES, PhaseLoop
from bifurcate.bifurcations.codimension_two.resonant_cycles import ResonantCycle, ResonantCycles, cycles_near
from bifurcate.bifurcations.codimension_two.tongue import Tongue
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.multipliers import spectrum

__all__ = ["tongue_at"]

Array = NDArray[np.float64]

# Amplitudes, in units of the map's scale
FIRST = 0.03  # tried first: the map is well described by its normal form there
SMALLEST, LARGEST = 1e-3, 0.6
GROW = 2.0  # the factor by which amplitudes at which the width is rounding are raised
SHRINK = 0.3  # ... and by which those are lowered at which no cycle is found

# Distance of the multiplier between the edges from 1 at which edges are begun: slopes of the fold's equation are known
# to 1e-10, and an edge that is resolved to a thousandth of its phase to its width's millionth.
SEPARATED = 1e-7
LEAST_SEPARATED = 1e-8  # ... and the least at which the fold is told from a cycle inside
ENOUGH = 30.0  # times that distance up to which no smaller amplitude is looked for
CHANGES = 6  # of the amplitude, each by the law of its growth
CONFIRMED = 0.25  # widths by which a fold may differ from the extreme where it was looked for
DOUBLINGS = 5  # of the amplitude where a first step along an edge leads to the other one
USUAL_STEP = 0.005  # the first step of a continuation, in its metric
PART = 1.0 / 1.5  # of the amplitude at which the width's growth is measured
AS_EXPECTED = 1.0  # difference from q − 2 up to which the measured exponent is that of a generic resonance
PATIENT = Corrector(max_iterations=20)


@dataclass(frozen=True, eq=False)
class _Ring:
    """The locked cycles of one amplitude."""

    cycles: list[ResonantCycle]
    amplitude: float
    normal: Array  # across the tongue, of parameters in units of their bounds
    loop: PhaseLoop
    separation: float  # of the critical multiplier from 1 between the edges


def tongue_at(point: SpecialPoint, resonance: tuple[int, int], amplitude: float | None = None) -> Tongue:
    """The tongue that starts at a resonance of a Neimark–Sacker curve.

    By default the amplitude is the smallest one at which edges are told apart, and from which steps of the usual length
    stay on them.

    Parameters
    ----------
    point : SpecialPoint
    resonance : (int, int)
        p and q.
    amplitude : float, optional
        Where it is looked at, in units of the map's scale. By default the smallest at which edges can be told apart.
    """
    near = cycles_near(point, resonance)
    widths = np.ones(2) if point.widths is None else np.asarray(point.widths[:2])
    scale = point.iterate.map.scale
    note = ""
    if amplitude is None:
        ring = _resolved_ring(near, widths, scale)
        if ring is None:
            return _below_rounding(near, widths, FIRST * scale, _ring(near, FIRST * scale, widths), None)
    else:
        ring = _ring(near, amplitude * scale, widths)
        if ring is None or not ring.loop.is_resolved:
            law = _resolved_ring(near, widths, scale)
            return _below_rounding(near, widths, amplitude * scale, ring, law)
    edges, places = _edges(near, ring, widths)
    for _ in range(DOUBLINGS if amplitude is None else 0):
        if not edges or all(_keeps_phase(near, edge, widths) for edge in edges):
            break
        larger = _ring(near, GROW * ring.amplitude, widths, ring)
        if larger is None or larger.amplitude > LARGEST * scale:
            break
        ring = larger
        edges, places = _edges(near, ring, widths)
    exponent = _growth(near, widths, ring)
    if not edges:
        note = "doubles do not tell its edges apart here"
    return _tongue(near, ring, widths, edges, places, exponent, note)


def _growth(near: ResonantCycles, widths: Array, ring: _Ring) -> float:
    """The power of the amplitude with which the width grows; NaN where that of a smaller one is rounding."""
    smaller = _ring(near, PART * ring.amplitude, widths, ring)
    if smaller is None or not smaller.loop.is_resolved:
        return np.nan
    return float(np.log(ring.loop.width / smaller.loop.width) / -np.log(PART))


def _resolved_ring(near: ResonantCycles, widths: Array, scale: float) -> _Ring | None:
    """The ring of the smallest amplitude at which edges are told apart; None where there is none."""
    q = near.resonance[1]
    amplitude, best = FIRST * scale, None
    known: _Ring | None = None
    for _ in range(CHANGES):
        ring = _ring(near, amplitude, widths, known)
        if ring is None:
            if best is not None or amplitude <= SMALLEST * scale:
                break
            amplitude = max(SHRINK * amplitude, SMALLEST * scale)
            continue
        known = ring
        separation = ring.separation if ring.loop.is_resolved else 0.0
        if separation >= LEAST_SEPARATED and (best is None or separation >= SEPARATED):
            best = ring
        if SEPARATED <= separation <= ENOUGH * SEPARATED:
            break
        grow = (2.0 * SEPARATED / separation) ** (1.0 / (q - 2)) if separation > 0.0 else GROW
        next_one = float(np.clip(amplitude * min(grow, GROW), SMALLEST * scale, LARGEST * scale))
        if next_one == amplitude:
            break
        amplitude = next_one
    return best


def _ring(near: ResonantCycles, amplitude: float, widths: Array, known: _Ring | None = None) -> _Ring | None:
    """The cycles of one amplitude at equally spaced phases; None if one of them is not found."""
    q = near.resonance[1]
    found: list[ResonantCycle] = []
    for j in range(PHASES):
        phase = 2.0 * np.pi * j / (q * PHASES)
        cycle = near.solve(amplitude, phase, None if known is None else _scaled(near, known, j, amplitude))
        if cycle is None:
            return None
        found.append(cycle)
    outward = np.mean([_by_amplitude(c, j, q)[1] for j, c in enumerate(found)], axis=0) / widths
    length = float(np.linalg.norm(outward))
    if not length > 0.0:
        return None
    normal = np.array([-outward[1], outward[0]]) / length
    parameters = np.array([c.parameters for c in found])
    steps = np.array([np.abs(normal @ (c.step / widths)) for c in found])
    rounding = EPS * float(np.abs(normal) @ (np.abs(parameters).max(axis=0) / widths))
    loop = PhaseLoop(parameters @ (normal / widths), max(float(np.median(steps)), rounding))
    return _Ring(found, amplitude, normal, loop, _separation(near, found, loop))


def _scaled(near: ResonantCycles, known: _Ring, j: int, amplitude: float) -> tuple[Array, Array]:
    """A guess from the cycle of another amplitude: states move in proportion, parameters with the square."""
    part, cycle = amplitude / known.amplitude, known.cycles[j]
    return near.centre + part * (cycle.states - near.centre), near.parameters + part**2 * (
        cycle.parameters - near.parameters
    )


def _by_amplitude(cycle: ResonantCycle, j: float, q: int) -> tuple[Array, Array]:
    """Derivatives of states and parameters by the amplitude, at the j-th phase."""
    phase = 2.0 * np.pi * j / (q * PHASES)
    outward = np.array([np.cos(phase), np.sin(phase)])
    return cycle.by_position[0] @ outward, cycle.by_position[1] @ outward


def _separation(near: ResonantCycles, found: list[ResonantCycle], loop: PhaseLoop) -> float:
    """How far the multiplier nearest 1 differs from it at the sample where that is most."""
    largest = 0.0
    low = loop.extremes()[0] * PHASES / (2.0 * np.pi)
    for j in (round(low + PHASES / 4), round(low - PHASES / 4)):
        cycle = found[j % PHASES]
        p = {**near.point.parameters, **dict(zip(near.point.curve.free, cycle.parameters.tolist()))}
        u = cycle.states.ravel()
        values = spectrum(near.map.jacobian([u, u], p)).values
        largest = max(largest, float(np.abs(values - 1.0).min()))
    return largest


def _edges(near: ResonantCycles, ring: _Ring, widths: Array) -> tuple[tuple[Curve, ...], Array]:
    """The curves of both edges with their first points, and the parameters there; of extremes where there are none."""
    q = near.resonance[1]
    curves: list[Curve] = []
    places: list[Array] = []
    for angle in ring.loop.extremes():
        j = angle * PHASES / (2.0 * np.pi)
        known = ring.cycles[round(j) % PHASES]
        turned = round(j) % PHASES != round(j)  # beyond the last sample: the same cycle, begun elsewhere
        guess = None if turned else (known.states, known.parameters)
        cycle = near.solve(ring.amplitude, angle / q, guess) or near.solve(ring.amplitude, angle / q)
        if cycle is None:
            return (), np.array([c.parameters for c in ring.cycles[:2]])
        places.append(cycle.parameters)
        if ring.separation >= LEAST_SEPARATED:
            curve = _edge(near, ring, cycle, angle, widths)
            if curve is not None:
                curves.append(curve)
    if len(curves) == len(places):
        places = [curve.start[-2:] for curve in curves]
    return (tuple(curves) if len(curves) == len(places) else ()), np.array(places)


def _edge(near: ResonantCycles, ring: _Ring, cycle: ResonantCycle, angle: float, widths: Array) -> Curve | None:
    """The curve of folds through an extreme, with its start corrected onto it; None where the fold is not there."""
    q = near.resonance[1]
    phase = angle / q
    states, parameters = _by_amplitude(cycle, angle * PHASES / (2.0 * np.pi), q)
    along = cycle.by_position[0] @ np.array([-np.sin(phase), np.cos(phase)])
    curve = _fold(near, cycle, along)
    n = curve.size
    direction = np.append(states.ravel()[:n], parameters)
    metric = Metric.of(curve, widths)
    direction /= metric.norm(direction)
    row = metric.dual(direction)
    node = correct(curve, curve.start, row, float(row @ curve.start), metric, PATIENT, direction)
    if not isinstance(node, CurvePoint):
        return None
    moved = (node.u[-2:] - cycle.parameters) / widths
    if abs(float(ring.normal @ moved)) > CONFIRMED * ring.loop.width:
        return None
    return curve.replace(start=node.u, direction=node.tangent, sides=(1,), origin=near.point, tongue=near.resonance)


def _fold(near: ResonantCycles, cycle: ResonantCycle, along: Array) -> Curve:
    """The curve of folds through a cycle whose nearly critical direction is known."""
    names = near.point.curve.free
    fixed = {name: value for name, value in near.point.parameters.items() if name not in names}
    return fold_of_cycles(near.map, fixed, names, cycle.states, cycle.parameters, along, near.point.curve.krylov)


def _keeps_phase(near: ResonantCycles, edge: Curve, widths: Array) -> bool:
    """False if a first step of the usual length from the start of an edge leads to the other edge."""
    metric = Metric.of(edge, widths)
    assert edge.direction is not None
    guess, row = edge.start + USUAL_STEP * edge.direction, metric.dual(edge.direction)
    node = correct(edge, guess, row, float(row @ guess), metric, PATIENT, edge.direction)
    if not isinstance(node, CurvePoint):
        return True  # the tracer takes a shorter step
    before, after = (near.angle(_states(edge, u)) for u in (edge.start, node.u))
    return bool(np.cos(after - before) > 0.0)


def _states(edge: Curve, u: Array) -> Array:
    """The states of the cycle at a point of an edge, shape (qk, n)."""
    orbit = edge.iterate.orbit(u[: edge.size], edge.parameters(u))
    return np.array(edge.iterate.iterate_orbit(orbit)[: edge.period])


def _tongue(
    near: ResonantCycles,
    ring: _Ring,
    widths: Array,
    edges: tuple[Curve, ...],
    places: Array,
    exponent: float,
    note: str,
) -> Tongue:
    names, q = near.point.curve.free, near.resonance[1]
    i = int(np.argmax(np.abs(ring.normal)))
    unit = float(widths[i] / abs(ring.normal[i]))
    order = slice(None) if places[0, i] <= places[1, i] else slice(None, None, -1)
    notes = [note, _degenerate(near.point), _unexpected(exponent, q)]
    rounding = ring.loop.noise * unit + EPS * float(np.abs(places).max())
    return Tongue(
        resonance=near.resonance,
        free=(names[0], names[1]),
        edges=edges[order],
        places=places[order],
        error=rounding + ring.loop.noise * float(widths.max()),
        across=names[i],
        width=ring.loop.width * unit,
        width_error=ring.loop.width_error * unit,
        amplitude=ring.amplitude,
        exponent=exponent,
        origin=near.point,
        note="; ".join(each for each in notes if each),
    )


def _degenerate(point: SpecialPoint) -> str:
    """That the resonant term vanishes, in words; "" if it does not, or that is not known."""
    if "c" in point.coefficients and point.form == "degenerate" and point.resonance:
        which = [name for name in ("c", "d") if abs(point.coefficients[name]) <= 2.0 * point.errors[name]]
        words = {"c": f"the resonant coefficient of degree {point.resonance[1] - 1}", "d": "the cubic coefficient d"}
        return f"degenerate: {' and '.join(words[name] for name in which)} is 0 to within its error"
    return ""


def _unexpected(exponent: float, q: int) -> str:
    if not abs(exponent - (q - 2)) > AS_EXPECTED:
        return ""
    return (
        f"the width grows with the amplitude to the power {exponent:.1f} instead of q − 2 = {q - 2}: the amplitude is "
        "not small, or the resonant coefficient is"
    )


def _below_rounding(
    near: ResonantCycles, widths: Array, amplitude: float, ring: _Ring | None, law: _Ring | None
) -> Tongue:
    """The tongue where doubles do not tell its edges apart, with the width that the law of its growth gives."""
    names, q = near.point.curve.free, near.resonance[1]
    if law is not None and ring is None:
        return _without_cycles(near, amplitude)
    middle = near.parameters if ring is None else np.mean([c.parameters for c in ring.cycles], axis=0)
    shown = law or ring
    note = "no cycles of this rotation number were found near the point" if shown is None else "its width is rounding"
    across, width, error, noise = names[0], 0.0, np.inf, np.inf
    if shown is not None:
        i = int(np.argmax(np.abs(shown.normal)))
        across, unit = names[i], float(widths[i] / abs(shown.normal[i]))
        noise = (ring or shown).loop.noise * unit
        error = 2.0 * noise
        if law is not None:
            part = amplitude / law.amplitude
            width = law.loop.width * unit * part ** (q - 2)
            measured = _growth(near, widths, law)
            measured = q - 2.0 if np.isnan(measured) else measured
            error = abs(width - law.loop.width * unit * part**measured) + law.loop.width_error * unit * part ** (q - 2)
            note += f"; from amplitude {law.amplitude:.2g} on its edges are told apart"
    return Tongue(
        resonance=near.resonance,
        free=(names[0], names[1]),
        edges=(),
        places=np.array([middle, middle]),
        error=noise,
        across=across,
        width=width,
        width_error=error,
        amplitude=amplitude,
        origin=near.point,
        note="; ".join(each for each in (note, _degenerate(near.point)) if each),
    )


def _without_cycles(near: ResonantCycles, amplitude: float) -> Tongue:
    """What is known of a tongue at an amplitude at which no cycle was found, though at others there are."""
    first, second = near.point.curve.free
    return Tongue(
        resonance=near.resonance,
        free=(first, second),
        edges=(),
        places=np.array([near.parameters, near.parameters]),
        error=np.inf,
        across=first,
        width=np.nan,
        width_error=np.inf,
        amplitude=amplitude,
        origin=near.point,
        note="no cycle of this amplitude was found: try a smaller one",
    )
