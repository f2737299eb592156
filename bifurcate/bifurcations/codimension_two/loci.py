"""From a special point to the curve of such points in two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS, KindName
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.curve import Curve
from bifurcate.curves.minimally_augmented.borders import adapted_borders
from bifurcate.curves.minimally_augmented.branch_point_curves import MinimallyAugmentedBranchPoint
from bifurcate.curves.minimally_augmented.fold_and_flip_curves import MinimallyAugmentedFoldFlip
from bifurcate.curves.minimally_augmented.neimark_sacker_curves import MinimallyAugmentedNeimarkSacker
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.linalg.null_space import approximate_null_space, polar_factor
from bifurcate.linalg.operators import core_operator, quadratic, shifted
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.validation import shown

__all__ = ["locus", "locus_of"]


class PointOfCurve(Protocol):
    """An ordinary point of a branch, as far as it is used here."""

    @property
    def curve(self) -> Curve:
        """The curve on which it lies."""

    @property
    def state(self) -> NDArray[np.float64]:
        """The state."""

    @property
    def free(self) -> tuple[float, ...]:
        """Values of the free parameters, and of what else is unknown."""


@old_positions("kind")
def locus(point: SpecialPoint | PointOfCurve, free: str | Sequence[str] = (), *, kind: str | None = None) -> Curve:
    """The curve of special points of one kind, through a point, in two parameters.

    Parameters
    ----------
    point : SpecialPoint or Point
        A fold, flip, Neimark–Sacker or branch point of a branch in one parameter; a point of codimension two, whose two
        parameters are free already; or an ordinary point of a curve of folds, flips or Neimark–Sacker points.
    free : str or pair of str
        The second parameter; or two, which then vary instead of the branch's own. Branch points take one or two beside
        the branch's own: with two they stay branch points without any symmetry, with one the curve ends at once where
        nothing (an invariant subspace, a symmetry) holds them.
    kind : str, optional
        At a point of codimension two: which of the curves through it, as "fold" or "neimark-sacker".

    Returns
    -------
    Curve
        To trace with bounds for all free parameters. The points obey, beside f^k(x) = x, the equations of
        ``curves/minimally_augmented/`` to the tolerance of the corrector. On a Neimark–Sacker curve
        ``branch["cosine"]`` is κ = cos θ of the critical pair; where it leaves [−1, 1] the points are
        neutral saddles and no bifurcations.

    Raises
    ------
    InvalidInput
        If no such curve passes through the point, the parameter is unknown or free already, or several multipliers
        cross together where one is asked for.

    References
    ----------
    Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, sections 4.1 to 4.3; Kuznetsov &
    Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019, section 5.3.

    Examples
    --------
    >>> import bifurcate as bf
    >>> fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-1, 2)})
    >>> flips = bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (-2, 5), "b": (-0.9, 0.9)})
    >>> bool(abs(flips["a"] - 0.75 * (1 - flips["b"]) ** 2).max() < 1e-9)
    True
    """
    if not isinstance(point, SpecialPoint):
        point = _special_point(point)
    kind = _kind(point, kind)
    given = (free,) if isinstance(free, str) else free
    if not (isinstance(given, tuple | list) and all(isinstance(name, str) for name in given)):
        raise InvalidInput(f"free is {free!r}; it must be the name of a parameter, or a pair of names")
    names = _names(point, tuple(given), kind)
    with np.errstate(all="ignore"):
        return locus_of(kind, point, point.iterate, names)


def _special_point(point: Any) -> SpecialPoint:
    """An ordinary point of a curve of special points, as one of these."""
    curve = getattr(point, "curve", None)
    if not isinstance(curve, Curve):
        raise InvalidInput(f"point must be a SpecialPoint, as branch.first(kind) gives; got {type(point).__name__}")
    if curve.codimension != 1 or curve.kind == "branch point":
        raise InvalidInput(
            f"{point} is no special point; locus starts from one, or from a point of a curve of folds, flips or "
            "Neimark–Sacker points"
        )
    u = np.concatenate([np.ravel(point.state), point.free])
    if len(u) != len(curve.start):
        raise InvalidInput("the branch was traced with keep=…, so that its points do not hold their states")
    angle = float(np.arccos(np.clip(u[-1], -1.0, 1.0))) if curve.extra else 0.0
    return SpecialPoint(kind=cast(KindName, curve.kind), curve=curve, unknowns=u, period=curve.period, angle=angle)


def _kind(point: SpecialPoint, kind: str | None) -> str:
    allowed = KINDS[point.kind].through
    if not allowed:
        raise InvalidInput(f"no curve of special points passes through a {point.kind}")
    if kind is None and len(allowed) == 1:
        return allowed[0]
    if not isinstance(kind, str) or kind not in allowed:
        raise InvalidInput(
            f"kind is {shown(kind)}; through this {point.kind} pass curves of kind {' and '.join(allowed)}"
        )
    return kind


def _names(point: SpecialPoint, free: tuple[str, ...], kind: str) -> tuple[str, ...]:
    known = point.curve.free
    for name in free:
        point.iterate.map.require(name)
    if len(free) == 2 and kind != "branch point" and free[0] != free[1]:
        return free
    for name in free:
        if name in known or free.count(name) > 1:
            raise InvalidInput(f"{name!r} is free already on the branch of this point; name another parameter")
    names = known + free
    if len(names) not in ((2, 3) if kind == "branch point" else (2,)):
        raise InvalidInput(
            f"a curve of kind {kind} has two free parameters"
            + (" or three" if kind == "branch point" else "")
            + f"; {', '.join(known)} varies already and free names {', '.join(free) or 'none'}"
        )
    return names


def locus_of(
    kind: str,
    point: SpecialPoint,
    iterate: IteratedMap,
    names: tuple[str, ...],
    pair: tuple[np.ndarray, np.ndarray] | None = None,
) -> Curve:
    """The curve of a kind that starts at a point, of cycles of the period of ``iterate``, a multiple of the point's.

    ``pair`` are the borders V and W of a curve of folds or flips where the point's own vectors do not tell them.
    """
    x, p = point.state.reshape(-1), point.parameters
    if not point.kind_row.is_of_cycles:
        x = point.u[: point.curve.size]
    orbit = iterate.orbit(x, p)
    J, krylov = iterate.jacobian(orbit, p), point.curve.krylov
    fixed = {name: value for name, value in p.items() if name not in names}
    common: dict[str, Any] = {"iterate": iterate, "fixed": fixed, "free": names, "krylov": krylov}
    start = np.concatenate([x, [p[name] for name in names]])
    doubled = iterate.period != point.period
    if kind == "branch point":
        if point.multiplicity > 1:
            raise InvalidInput(
                f"{point.multiplicity} branches cross at {point}; curves are followed of simple ones only"
            )
        T = polar_factor(point.kernel)
        straight = np.linalg.svd(T[-1:])[2][-1]
        _, W = adapted_borders(shifted(J, 1.0), T[:-1] @ straight[:, None], krylov)
        start = np.append(start, 0.0) if len(names) == 2 else start
        return Curve(MinimallyAugmentedBranchPoint(**common, T=T, W=W), start, kind, origin=point, krylov=krylov)
    if len(KINDS[kind].real) == 1:  # folds, flips
        (target,) = KINDS[kind].real
        M = shifted(core_operator(J), target)
        if pair is None:
            known = point.null if point.kind in ("fold", "flip", "tangency") and not doubled else None
            pair = adapted_borders(M, approximate_null_space(M, 1, krylov) if known is None else known, krylov)
        V, W = pair
        return Curve(
            MinimallyAugmentedFoldFlip(**common, V=V, W=W, target=target),
            start,
            kind,
            origin=point,
            krylov=krylov,
        )
    if point.multiplicity > 1:
        raise InvalidInput(
            f"{point.multiplicity} pairs cross together at {point}; curves are followed of simple ones only"
        )
    kappa = float(np.cos(point.angle * iterate.period / point.period)) if point.angle else _cosine(point, doubled)
    M = quadratic(core_operator(J), kappa)
    V, W = adapted_borders(M, approximate_null_space(M, 2, krylov), krylov)
    return Curve(
        MinimallyAugmentedNeimarkSacker(**common, V=V, W=W), np.append(start, kappa), kind, origin=point, krylov=krylov
    )


def _cosine(point: SpecialPoint, doubled: bool) -> float:
    """κ of the critical pair at a point that was met on a curve of folds or flips."""
    if point.kind in ("R1", "R2"):
        return 1.0 if doubled or point.kind == "R1" else -1.0
    if point.kind == "fold-flip":
        return 1.0
    s = point.spectrum
    upper = s.values[~s.real & (s.values.imag > 0)]
    value = upper[np.argmin(np.abs(np.abs(upper) - 1.0))]
    kappa = float(value.real / abs(value))
    return 2.0 * kappa**2 - 1.0 if doubled else kappa
