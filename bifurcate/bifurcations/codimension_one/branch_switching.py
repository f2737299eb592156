"""Branch switching: the curves that start at a special point, one (switch) or all (switches).

Flips and branch points are treated here; points of codimension two in ``codimension_two/branch_switching.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.border_switching import switches_at_border
from bifurcate.bifurcations.codimension_one.branch_point_location import kernel_directions
from bifurcate.bifurcations.codimension_one.invariant_curve_switching import curve_from_neimark_sacker
from bifurcate.bifurcations.codimension_one.sphere_search import branches_on_sphere, distance_between_phases, is_next
from bifurcate.bifurcations.codimension_two.branch_switching import curves_of_longer_cycles
from bifurcate.bifurcations.codimension_two.loci import locus_of
from bifurcate.bifurcations.codimension_two.tongues import edges_at_resonance
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct, point_with_tangent
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.cycle import CycleEquations
from bifurcate.curves.metric import Metric
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.validation import check_count

__all__ = ["switch", "switches"]

Array = NDArray[np.float64]

AMPLITUDES = (
    1e-2,
    3e-3,
    1e-3,
    3e-4,
    1e-4,
    3e-5,
    1e-5,
    3e-6,
    1e-6,
)  # tried in turn: the largest leaves the point fastest
DEFECTIVE = 1e-6  # distance of a second multiplier from the critical value that rounding of a defective pair explains
FAR_AMPLITUDES = (0.3, 0.1, 0.03)  # tried first where curves touch: near the point they are one to the eye
QUADRATIC = 0.5  # part by which the parameter's growth may differ from a quadratic one between half and whole reach
QUADRATIC_ROUNDING = 1e-10  # ... and its rounding, in widths of the bounds


@old_positions("which", "amplitude")
def switch(point: SpecialPoint, *, which: int = 0, amplitude: float | None = None) -> Curve:
    """The curve that branches off at a special point.

    Parameters
    ----------
    point : SpecialPoint
        A flip (the doubled cycle is returned), a branch point (the other branch; both its sides are traced) or a
        Neimark–Sacker point (the curve of closed invariant curves that are born there).
    which : int
        Where more than one curve starts, the index into :func:`switches`.
    amplitude : float, optional
        Distance of the curve's first point from the special point: the state's root mean square, in units of
        the map's scale. By default the largest of 10⁻², 3·10⁻³, … that works.

    Returns
    -------
    Curve

    Raises
    ------
    InvalidInput
        If no curve starts at a point of this kind, or ``which`` is out of range.
    NotConverged
        If the new branch could not be reached.

    Examples
    --------
    >>> import bifurcate as bf
    >>> fixed = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), bounds={"r": (2.5, 3.4)})
    >>> doubled = bf.switch(fixed.first("flip"))
    >>> doubled.period
    2
    """
    curves = switches(point, amplitude=amplitude)
    if not isinstance(which, int) or not -len(curves) <= which < len(curves):
        raise InvalidInput(f"which is {which}; {len(curves)} curves start at {point}")
    return curves[which]


@old_positions("amplitude")
def switches(point: SpecialPoint, *, amplitude: float | None = None, seed: int = 0) -> tuple[Curve, ...]:
    """Every curve that was found to branch off at a special point; see :func:`switch`.

    At a simple point there is one. Where m ≥ 2 multipliers cross together the directions solve m equations on a
    sphere; they are searched for from seeded random starts, so that the list may be incomplete, and where a symmetry
    makes a continuum of them it holds samples.

    Parameters
    ----------
    point : SpecialPoint
        A flip, a branch point, a Neimark–Sacker point, a border, or a point of codimension two. At a border: the cycle
        of twice the period that is born, if one is, and the cycle on the other side. At a weak resonance: both edges of
        the tongue (see :func:`tongue`, which says what there is to say where doubles do not tell them apart).
    amplitude : float, optional
        As for :func:`switch`.
    seed : int
        Of the random starts.

    Returns
    -------
    tuple of Curve

    Raises
    ------
    InvalidInput
        If no curve starts at a point of this kind.
    NotConverged
        If none could be reached.

    Examples
    --------
    >>> import bifurcate as bf
    >>> fixed = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), bounds={"r": (0.5, 3.4)})
    >>> [curve.period for point in fixed.special for curve in bf.switches(point)]
    [1, 2]
    """
    check_count("seed", seed, 0)
    if not isinstance(point, SpecialPoint):
        raise InvalidInput(f"point must be a SpecialPoint, as branch.first(kind) gives; got {type(point).__name__}")
    if amplitude is not None and not (isinstance(amplitude, float | int) and 0.0 < amplitude < 1.0):
        raise InvalidInput(f"amplitude is {amplitude!r}; it must lie between 0 and 1, in units of the state")
    if point.kind == "border":
        with np.errstate(all="ignore"):
            return switches_at_border(point, _amplitudes(amplitude))
    if KINDS[point.kind].codimension == 2:
        return tuple(_from_codimension_two(point, amplitude))
    if point.kind == "neimark-sacker" and point.curve.codimension == 0:
        return (curve_from_neimark_sacker(point, amplitude),)
    if not KINDS[point.kind].is_switchable or point.curve.codimension > 0:
        raise InvalidInput(f"no curve of cycles branches off at a {point.kind}; at a flip or branch point one does")
    with np.errstate(all="ignore"):
        curves = _doubled(point, amplitude, seed) if point.kind == "flip" else _crossing(point, amplitude, seed)
    if not curves:
        raise NotConverged(
            f"no branch was reached from {point}", point.state, (point.residual,), "Try another amplitude."
        )
    return tuple(curves)


def _from_codimension_two(point: SpecialPoint, amplitude: float | None) -> list[Curve]:
    """The other curves of special points through a point of codimension two, and those of longer cycles."""
    if point.resonance is not None:
        return list(edges_at_resonance(point, amplitude))
    others = [kind for kind in KINDS[point.kind].through if kind != point.curve.kind]
    with np.errstate(all="ignore"):
        through = [locus_of(kind, point, point.iterate, point.curve.free) for kind in others if point.multiplicity == 1]
        return through + curves_of_longer_cycles(point, amplitude)


def _amplitudes(given: float | None) -> tuple[float, ...]:
    return AMPLITUDES if given is None else (given,)


def _doubled(point: SpecialPoint, amplitude: float | None, seed: int) -> list[Curve]:
    """The branches of cycles of twice the period that start at a flip."""
    old = point.curve
    n = old.size
    if old.period != point.period:  # found from its doubled side, where the kernel holds the branch's tangent
        raise InvalidInput(f"{point} was met from its doubled cycle, which is the branch that it was met on")
    iterate = old.iterate.of_multiple(2)
    centre = np.concatenate([old.iterate.repeated(point.u[:n], (1.0, 1.0)), point.u[n:]])
    curve = Curve(
        CycleEquations(iterate, old.equations.fixed, old.free), centre, sides=(1,), origin=point, krylov=old.krylov
    )
    found = old.iterate.repeated(point.full_kernel, (1.0, -1.0))
    kernel = np.vstack([found, np.zeros((1, found.shape[1]))])
    metric = Metric.of(curve, np.ones(1) if point.widths is None else point.widths)
    if curve.size != n and ("branch point" in point.together or kernel.shape[1] > 1):
        raise InvalidInput(
            f"several multipliers cross at {point}: trace this branch with multiple_shooting=False to switch there"
        )
    if "branch point" in point.together:
        # The old cycles that cross there solve the doubled equations, too, and what is born may lean towards them.
        spectrum, tangent = point.spectrum, point.tangent
        assert tangent is not None  # points that lie together have it
        m = int(spectrum.multiplicity[np.abs(spectrum.values - 1.0) < DEFECTIVE].sum())
        node = point_with_tangent(old, point.u, tangent, point.arclength)
        directions = np.hstack([kernel, kernel_directions(old, node, metric, m)])
        return _sphere(curve, point, directions, metric, amplitude, seed)
    if kernel.shape[1] == 1:
        return _first(curve, point, kernel[:, 0], metric, amplitude)
    tangents = np.zeros((n + 1, 0)) if point.tangent is None else point.tangent[:, None]
    return _sphere(curve, point, np.hstack([kernel, tangents]), metric, amplitude, seed)


def _crossing(point: SpecialPoint, amplitude: float | None, seed: int) -> list[Curve]:
    """The branches that cross the one on which a branch point was met."""
    old = point.curve
    curve = Curve(old.equations, point.u, origin=point, krylov=old.krylov)
    metric = Metric.of(curve, np.ones(1) if point.widths is None else point.widths)
    if point.multiplicity > 1:
        return _sphere(curve, point, point.full_kernel, metric, amplitude, seed)
    return _sphere(curve, point, point.full_kernel, metric, amplitude, seed, most=1)


def _first(curve: Curve, point: SpecialPoint, direction: Array, metric: Metric, amplitude: float | None) -> list[Curve]:
    """Step along the direction, on the hyperplane across it."""
    t = direction / metric.norm(direction)
    row = metric.dual(t)
    for reach in _amplitudes(amplitude):
        guess = curve.start + reach * t
        node = correct(curve, guess, row, float(row @ guess), metric, TO_ROUNDING, t)
        if isinstance(node, CorrectorFailure) or not _is_doubled(node, guess, reach, metric):
            continue
        if amplitude or (is_next(node, point) and _is_born(curve, node, row, metric)):
            return [curve.replace(start=node.u, direction=node.tangent)]
    return []


def _is_born(curve: Curve, node: CurvePoint, row: Array, metric: Metric) -> bool:
    """True if a doubled cycle comes from the point at the curve's start, rather than being another one that lies near.

    Away from the point the parameter grows with the square of the distance: at half of it a quarter is left.
    """
    centre = curve.start
    halfway = 0.5 * (centre + node.u)
    halfway[curve.size :] = centre[curve.size :] + 0.25 * (node.u - centre)[curve.size :]
    half = correct(curve, halfway, row, float(row @ halfway), metric, TO_ROUNDING, node.tangent)
    if isinstance(half, CorrectorFailure):
        return False
    whole, part = ((each.u - centre)[curve.size :] / metric.widths for each in (node, half))
    return bool((np.abs(4.0 * part - whole) <= QUADRATIC * np.abs(whole) + QUADRATIC_ROUNDING).all())


def _is_doubled(node: CurvePoint, guess: Array, reach: float, metric: Metric) -> bool:
    """True if a solution of the doubled equations is a cycle of twice the period, near where it was predicted."""
    # x and f^k(x) lie on both sides of the old cycle, about 2·reach apart; on the old cycle itself they agree.
    return distance_between_phases(node, metric) > reach and metric.norm(node.u - guess) < 2.0 * reach


def _sphere(
    curve: Curve,
    point: SpecialPoint,
    kernel: Array,
    metric: Metric,
    amplitude: float | None,
    seed: int,
    most: int | None = None,
) -> list[Curve]:
    """The branches within the kernel, on spheres of the amplitudes that are tried in turn."""
    amplitudes = _amplitudes(amplitude)
    if amplitude is None and not point.is_sure:
        amplitudes = FAR_AMPLITUDES + amplitudes
    return branches_on_sphere(curve, point, kernel, metric, amplitudes, seed, nearest=amplitude is None, most=most)
