"""From a special point to the curves that start there: switch (one of them) and switches (all)."""

from __future__ import annotations

import numpy as np

from bifurcate.bifurcations.codimension_two.branch_switching import born
from bifurcate.bifurcations.codimension_two.loci import locus_of
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.cycle import CycleEquations
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.linalg.multipliers import Spectrum
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["switch", "switches"]

TRIES = 24  # random directions in a row that may bring nothing new, for points of corank 2 and more


def switch(point: SpecialPoint, which: int = 0, amplitude: float | None = None) -> Curve:
    """The curve that branches off at a special point.

    Parameters
    ----------
    point : SpecialPoint
        A flip (the doubled cycle is returned) or a branch point (the other branch; both its sides are traced).
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
    curves = switches(point, amplitude)
    if not isinstance(which, int) or not -len(curves) <= which < len(curves):
        raise InvalidInput(f"which is {which}; {len(curves)} curves start at {point}")
    return curves[which]


def switches(point: SpecialPoint, amplitude: float | None = None) -> tuple[Curve, ...]:
    """Every curve found that branches off at a special point; see :func:`switch`.

    At a simple point there is one. Where m ≥ 2 multipliers cross together the directions solve m equations on a
    sphere; they are searched for from seeded random starts, so that the list may be incomplete, and where a symmetry
    makes a continuum of them it holds samples.
    """
    if not isinstance(point, SpecialPoint):
        raise InvalidInput(f"point must be a SpecialPoint, as branch.first(kind) gives; got {type(point).__name__}")
    if amplitude is not None and not (isinstance(amplitude, float | int) and 0.0 < amplitude < 1.0):
        raise InvalidInput(f"amplitude is {amplitude!r}; it must lie between 0 and 1, in units of the state")
    if KINDS[point.kind].codimension == 2:
        return tuple(_strong(point, amplitude))
    if not KINDS[point.kind].is_switchable or point.curve.codimension > 0:
        raise InvalidInput(f"no curve of cycles branches off at a {point.kind}; at a flip or branch point one does")
    with np.errstate(all="ignore"):
        curves = _doubled(point, amplitude) if point.kind == "flip" else _crossing(point, amplitude)
    if not curves:
        raise NotConverged(
            f"no branch was reached from {point}", point.state, (point.residual,), "Try another amplitude."
        )
    return tuple(curves)


def _strong(point: SpecialPoint, amplitude: float | None) -> list[Curve]:
    others = [kind for kind in KINDS[point.kind].through if kind != point.curve.kind]
    with np.errstate(all="ignore"):
        through = [locus_of(kind, point, point.iterate, point.curve.free) for kind in others if point.multiplicity == 1]
        return through + born(point, amplitude)


def _amplitudes(given: float | None) -> tuple[float, ...]:
    return (given,) if given is not None else (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)


def _doubled(point: SpecialPoint, amplitude: float | None) -> list[Curve]:
    old = point.curve
    n = old.size
    iterate = IteratedMap(old.iterate.map, old.iterate.shape, 2 * point.period)
    curve = Curve(
        CycleEquations(iterate, old.equations.fixed, old.free), point.u, sides=(1,), origin=point, krylov=old.krylov
    )
    if old.period != point.period:  # found from its doubled side, where the kernel holds the branch's tangent
        raise InvalidInput(f"{point} was met from its doubled cycle, which is the branch that it was met on")
    found = point.kernel
    kernel = np.vstack([found, np.zeros((1, found.shape[1]))])
    metric = Metric.of(curve, np.ones(1) if point.widths is None else point.widths)
    if kernel.shape[1] == 1:
        return _first(curve, point, kernel[:, 0], metric, amplitude)
    tangent = np.zeros((n + 1, 0)) if point.tangent is None else point.tangent[:, None]
    return _sphere(curve, point, np.hstack([kernel, tangent]), metric, amplitude)


def _crossing(point: SpecialPoint, amplitude: float | None) -> list[Curve]:
    old = point.curve
    curve = Curve(old.equations, point.u, origin=point, krylov=old.krylov)
    metric = Metric.of(curve, np.ones(1) if point.widths is None else point.widths)
    if point.multiplicity > 1:
        return _sphere(curve, point, point.kernel, metric, amplitude)
    return _sphere(curve, point, point.kernel, metric, amplitude, most=1)


def _first(
    curve: Curve, point: SpecialPoint, direction: np.ndarray, metric: Metric, amplitude: float | None
) -> list[Curve]:
    """Step along the direction, on the hyperplane across it."""
    t = direction / metric.norm(direction)
    row = metric.dual(t)
    for reach in _amplitudes(amplitude):
        guess = point.u + reach * t
        node = correct(curve, guess, row, float(row @ guess), metric, TO_ROUNDING, t)
        if isinstance(node, CorrectorFailure) or not _is_doubled(node, guess, reach, metric):
            continue
        if amplitude or (_is_next(node, point) and _is_born(curve, node, point, row, metric)):
            return [curve.replace(start=node.u, direction=node.tangent)]
    return []


def _is_born(curve: Curve, node: CurvePoint, point: SpecialPoint, row: np.ndarray, metric: Metric) -> bool:
    """Whether a doubled cycle comes from the point rather than being another one that lies near.

    From the point the parameter grows with the square of the distance: at half of it a quarter is left.
    """
    halfway = 0.5 * (point.u + node.u)
    halfway[curve.size :] = point.u[curve.size :] + 0.25 * (node.u - point.u)[curve.size :]
    half = correct(curve, halfway, row, float(row @ halfway), metric, TO_ROUNDING, node.tangent)
    if isinstance(half, CorrectorFailure):
        return False
    whole, part = ((each.u - point.u)[curve.size :] / metric.widths for each in (node, half))
    return bool((np.abs(4.0 * part - whole) <= 0.5 * np.abs(whole) + 1e-10).all())


def _is_next(node: CurvePoint, point: SpecialPoint) -> bool:
    """Whether no multiplier but the critical ones has crossed the circle between a point and the start of its branch.

    Farther out the branch may already have passed special points, which its trace would then never see.
    """
    s = point.spectrum
    if not (s.complete and s.certified and node.spectrum.certified):
        return True
    power, target = (2, -1.0) if point.kind == "flip" else (1, 1.0)
    distance = np.where(s.multiplicity == 1, np.abs(s.values - target), np.inf)
    # A map that preserves areas has two multipliers there but one eigenvector: rounding moves them by its root.
    m = max(point.multiplicity, int(np.count_nonzero(distance < 1e-6)))
    rest = np.sort(np.argsort(distance)[m:])
    before = Spectrum(s.values[rest] ** power, s.multiplicity[rest], s.size).signature
    up, down, pairs = np.subtract(node.spectrum.signature, before).tolist()
    return down == 0 and pairs >= 0 and 0 <= up + 2 * pairs <= m


def _is_doubled(node: CurvePoint, guess: np.ndarray, reach: float, metric: Metric) -> bool:
    # x and f^k(x) lie on both sides of the old cycle, about 2·reach apart; on the old cycle itself they agree.
    orbit = node.at.orbit
    apart = np.append(orbit[len(orbit) // 2] - orbit[0], 0.0)
    return metric.norm(apart) > reach and metric.norm(node.u - guess) < 2.0 * reach


def _sphere(
    curve: Curve, point: SpecialPoint, kernel: np.ndarray, metric: Metric, amplitude: float | None, most: int = 8
) -> list[Curve]:
    """Solutions on a small sphere within the kernel directions, other than the branch that the point was met on."""
    T = _orthonormal(kernel, metric)
    assert point.tangent is not None  # kept wherever the branches' directions are to be searched for
    known = np.array([metric.dot(point.tangent, t) for t in T.T])
    known /= np.linalg.norm(known)
    rng = np.random.default_rng(0)
    for reach in _amplitudes(amplitude):
        directions = [known]
        curves: list[Curve] = []
        idle = 0
        while idle < TRIES and len(curves) < most:
            idle += 1
            xi = _direction(rng, directions, 8 if idle % 2 else 1)
            node = _on_sphere(curve, point.u, T, xi, reach, metric)
            if isinstance(node, CorrectorFailure) or not (amplitude or _is_next(node, point)):
                continue
            phases = _phases(node, point, T, metric)
            if all(abs(phases[0] @ other) < np.cos(0.05) for other in directions):
                idle = 0
                directions.extend(phases)
                curves.append(curve.replace(start=node.u, direction=_outward(node, point.u, metric)))
        if curves:
            return curves
    return []


def _direction(rng: np.random.Generator, known: list[np.ndarray], among: int) -> np.ndarray:
    """A random direction away from the first known one; of several, that which is farthest from all known ones."""
    xi = rng.standard_normal((among, len(known[0])))
    xi -= 0.9 * np.outer(xi @ known[0], known[0])
    xi /= np.linalg.norm(xi, axis=1)[:, None]
    return xi[np.argmin(np.abs(xi @ np.array(known).T).max(axis=1))]


def _phases(node: CurvePoint, point: SpecialPoint, T: np.ndarray, metric: Metric) -> list[np.ndarray]:
    """The directions from a point to a node and, at a flip, to the same doubled cycle started half a period later."""
    starts = [node.u]
    if point.kind == "flip":
        n = point.curve.size
        starts.append(np.concatenate([node.at.orbit[point.period], node.u[n:]]))
    coordinates = [np.array([metric.dot(u - point.u, t) for t in T.T]) for u in starts]
    return [xi / np.linalg.norm(xi) for xi in coordinates]


def _outward(node: CurvePoint, centre: np.ndarray, metric: Metric) -> np.ndarray:
    return node.tangent if metric.dot(node.tangent, node.u - centre) >= 0 else -node.tangent


def _orthonormal(columns: np.ndarray, metric: Metric) -> np.ndarray:
    kept: list[np.ndarray] = []
    for column in columns.T:
        column = column / metric.norm(column)
        for other in kept * 2:
            column = column - metric.dot(other, column) * other
        if metric.norm(column) > 1e-8:
            kept.append(column / metric.norm(column))
    return np.column_stack(kept)


def _on_sphere(
    curve: Curve, centre: np.ndarray, T: np.ndarray, xi: np.ndarray, reach: float, metric: Metric
) -> CurvePoint | CorrectorFailure:
    """Newton for H(u) = 0 with the kernel coordinates of u − centre at distance ``reach``.

    Linearised at ξ, the sphere is the hyperplane across ξ; the corrector solves on it, ξ is renewed, and again.
    """
    u = centre + reach * (T @ xi)
    node: CurvePoint | CorrectorFailure = CorrectorFailure("diverged")
    for _ in range(12):
        row = metric.dual(T @ xi)
        node = correct(curve, u, row, float(row @ centre) + reach, metric, None, T @ xi)
        if isinstance(node, CorrectorFailure):
            return node
        at = np.array([metric.dot(node.u - centre, t) for t in T.T])
        size = float(np.linalg.norm(at))
        if not size < 3.0 * reach:
            return CorrectorFailure("diverged", "left the neighbourhood of the point")
        if np.linalg.norm(at / size - xi) < 1e-3:
            break
        xi = at / size
        u = centre + reach * (T @ xi)
    assert isinstance(node, CurvePoint)
    row = metric.dual(T @ xi)
    return correct(curve, node.u, row, float(row @ node.u), metric, TO_ROUNDING, T @ xi)
