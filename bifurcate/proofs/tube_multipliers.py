"""The multipliers along a tube: none on the circle, or one that crosses it exactly once.

Discs on the whole tube say which multipliers stay off the circle. Where one real multiplier, or one pair, may meet it,
its disc being apart from the others, the multiplier λ(s) is simple and smooth along the curve, with

    dλ/ds = pᵀ (d/ds J(u(s))) q / pᵀ q,       d|λ|²/ds = 2 Re (λ̄ dλ/ds).

If the enclosure of d|λ|²/ds on the tube does not hold 0, |λ| crosses 1 at most once in it, and with nonzero speed;
whether it does is decided at the ends. All vectors are enclosed by bordered systems on the tube's balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from bifurcate.proofs.balls import Ball, Matrix, ball, column, nearest_matrix
from bifurcate.proofs.jets import Jet, Undecided
from bifurcate.proofs.multiplier_discs import Disc, count_outside, is_isolated, multiplier_discs
from bifurcate.proofs.normal_form_balls import cycle_jacobian
from bifurcate.proofs.tubes import Tube

__all__ = ["Crossing", "TubeMultipliers", "multipliers_in"]


@dataclass(frozen=True)
class Crossing:
    """A multiplier that may cross the circle once in a tube.

    Attributes
    ----------
    kind : str
        "fold", "flip" or "neimark-sacker".
    multiplier : complex
        Where it is about.
    outwards : bool
        True if its modulus grows with s.
    """

    kind: str
    multiplier: complex
    outwards: bool


@dataclass(frozen=True)
class TubeMultipliers:
    """What is proved of the multipliers in a tube.

    Attributes
    ----------
    outside : int or None
        How many lie outside the circle all along; None if one may cross.
    crossing : Crossing or None
    reason : str
        Why neither is proved; "" if one is.
    """

    outside: int | None
    crossing: Crossing | None = None
    reason: str = ""


def multipliers_in(tube: Tube) -> TubeMultipliers:
    """Count the multipliers outside the circle along a tube, or show that exactly one may cross, at most once."""
    box = tube.box()
    try:
        J = cycle_jacobian(tube.curve.ball_map, tube.curve.points(box), box[-1])
    except Undecided as error:
        return TubeMultipliers(None, None, str(error))
    discs = multiplier_discs(J)
    outside = count_outside(discs)
    if outside is not None:
        return TubeMultipliers(outside)
    touching = [i for i, disc in enumerate(discs) if disc.outside is None]
    if not all(np.isfinite(discs[i].radius) and is_isolated(discs, i) for i in touching):
        return TubeMultipliers(None, None, "multipliers near the unit circle are not shown to be apart")
    real = [i for i in touching if discs[i].centre.imag == 0.0]
    pairs = [i for i in touching if discs[i].centre.imag > 0.0]
    if len(real) + len(pairs) != 1 or len(touching) != len(real) + 2 * len(pairs):
        return TubeMultipliers(None, None, "more than one multiplier may be on the unit circle")
    disc = discs[touching[0]] if real else discs[pairs[0]]
    speed = _speed(tube, box, J, disc)
    if speed is None or not (bool(speed > 0) or bool(speed < 0)):
        return TubeMultipliers(None, None, "a multiplier near the unit circle is not shown to cross it with speed")
    kind = "neimark-sacker" if pairs else "fold" if disc.centre.real > 0.0 else "flip"
    return TubeMultipliers(None, Crossing(kind, disc.centre, bool(speed > 0)))


def _speed(tube: Tube, box: Sequence[Ball], J: Matrix, disc: Disc) -> Ball | None:
    """d|λ|²/ds on the tube; None where a system on the way is not shown to be regular."""
    n = J.nrows()
    if disc.centre.imag:
        multiplier: Any = flint.acb(ball(disc.centre.real, disc.radius), ball(disc.centre.imag, disc.radius))
    else:
        multiplier = ball(disc.centre.real, disc.radius)
    try:
        q, p = _eigenvectors(J, multiplier, disc.centre)
        motion = _motion(tube, box)
    except ZeroDivisionError:
        return None
    moved = _moved(tube, box, motion, q)
    zero = 0 * multiplier
    slope = sum((p[i] * moved[i] for i in range(n)), zero) / sum((p[i] * q[i] for i in range(n)), zero)
    speed = 2 * (multiplier.conjugate() * slope).real if disc.centre.imag else 2 * multiplier * slope
    return speed if speed.is_finite() else None


def _eigenvectors(J: Matrix, multiplier: Any, centre: complex) -> tuple[list[Any], list[Any]]:
    """Right and left eigenvectors q and p at a multiplier, q normalised by a fixed functional."""
    n = J.nrows()
    middle = nearest_matrix(J)
    target = centre if centre.imag else centre.real
    U, _, V = np.linalg.svd(middle - target * np.eye(n))
    right, left = V[-1].conj(), U[:, -1]
    kind, number = (flint.acb_mat, flint.acb) if centre.imag else (flint.arb_mat, flint.arb)
    M = kind(n + 1, n + 1)
    for i in range(n):
        for j in range(n):
            M[i, j] = J[i, j] - (multiplier if i == j else 0)
        M[i, n] = number(_plain(left[i]))
        M[n, i] = number(_plain(right[i].conjugate()))
    last = kind(n + 1, 1)
    last[n, 0] = 1
    q = M.solve(last)
    p = M.transpose().solve(last)
    return [q[i, 0] for i in range(n)], [p[i, 0] for i in range(n)]


def _plain(x: Any) -> Any:
    return complex(x) if np.iscomplexobj(x) else float(x)


def _motion(tube: Tube, box: Sequence[Ball]) -> list[Ball]:
    """du/ds on the tube: DG du/ds = (0, t·d)."""
    curve = tube.curve
    n = curve.size + 1
    DG = flint.arb_mat(n, n, [*curve.derivative(box).entries(), *(ball(x) for x in tube.normal)])
    rate = sum((ball(t) * ball(d) for t, d in zip(tube.normal, tube.chord)), flint.arb(0))
    found = DG.solve(column([*[flint.arb(0)] * curve.size, rate]))
    return [found[i, 0] for i in range(n)]


def _moved(tube: Tube, box: Sequence[Ball], motion: Sequence[Ball], q: Sequence[Any]) -> list[Any]:
    """(d/ds J) q for J = J_{k−1} ⋯ J₀, by the product rule along the cycle."""
    curve, zero = tube.curve, flint.arb(0)
    is_complex = isinstance(q[0], flint.acb)
    parts = [[x.real for x in q], [x.imag for x in q]] if is_complex else [list(q)]
    p = Jet(((box[-1], {}), (motion[-1], {})))
    values = curve.ball_map.values(p)
    changes: list[list[Ball]] = [[zero] * len(q) for _ in parts]
    directions = curve.points(motion)
    for x, v in zip(curve.points(box), directions):
        # Index j of the gradients: the direction of part j; index count + j: what that part has changed so far.
        count, series = len(parts), []
        for a, value in enumerate(x):
            gradient = {j: part[a] for j, part in enumerate(parts)}
            gradient |= {count + j: change[a] for j, change in enumerate(changes)}
            series.append(Jet(((value, gradient), (v[a], {}))))
        image = curve.ball_map(series, values)
        first = [each.coefficient(0)[1] for each in image]
        second = [each.coefficient(1)[1] for each in image]
        parts = [[slopes.get(j, zero) for slopes in first] for j in range(count)]
        changes = [
            [mixed.get(j, zero) + slopes.get(count + j, zero) for mixed, slopes in zip(second, first)]
            for j in range(count)
        ]
    return [flint.acb(x, y) for x, y in zip(*changes)] if is_complex else changes[0]
