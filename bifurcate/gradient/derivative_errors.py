"""By how much the entries of DG may be wrong, each by itself: its row and its column have scales of their own."""

from __future__ import annotations

import numpy as np

from bifurcate.gradient.field import EPS, SURE, Field
from bifurcate.maps.derivatives import FIVE_POINT_STEP, slope_by_five_points

__all__ = ["TINY", "entries", "probed", "sizes", "still"]

STEPS = (4.0, 1.0, 0.25, 0.0625)  # of differences, in units of the usual one
COARSE = 1e3  # by how much the rounding of f may exceed that of its terms
MOVES = (1.0, 0.125, FIVE_POINT_STEP)  # of a coordinate, in units of its size, that may change another one's image
TINY = float(np.finfo(float).tiny)


def sizes(field: Field, X: np.ndarray) -> np.ndarray:
    """A typical magnitude of every coordinate: its largest in the states, the map's scale where it is 0 in all."""
    largest = np.abs(X).max(axis=0)
    return np.where(largest > 0.0, largest, field.scale)


def probed(field: Field, x: np.ndarray, J: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Errors of the entries of J = DG(x) from a few differences of f along random directions c, shape (n, n).

    What row i misses along c is Σⱼ eᵢⱼ cⱼ, of the magnitude of its largest term: no eᵢⱼ is larger than about that over
    the magnitude of cⱼ. Directions with components alike serve coordinates alike, those with components like the sizes
    of the coordinates serve badly scaled ones; every entry takes the sharper.
    """
    noise = np.full(J.shape, np.inf)
    # Where sizes are alike both would say the same.
    for each in [np.ones_like(x), size] if size.max() > 8.0 * size.min() else [np.ones_like(x)]:
        miss = 8.0 * EPS * (np.abs(J + np.eye(len(x))) * each).max(axis=1)
        for _ in range(3):
            c = each * rng.standard_normal(len(x))
            with np.errstate(all="ignore"):
                apart = np.abs(J @ c - field.differenced(x, c))
            miss = np.maximum(miss, np.where(np.isfinite(apart), apart, np.inf))
        noise = np.minimum(noise, miss[:, None] / each)
    return noise


def entries(field: Field, x: np.ndarray, J: np.ndarray, which: list[int], size: np.ndarray) -> np.ndarray:
    """Errors of J[a, b] for all a and b of ``which``, from differences of f by steps of several lengths."""
    usual = max(field.scale, float(np.abs(x).max()))
    terms = (np.abs(field.image(x)) + np.abs(x) + np.abs(J) @ size)[which]
    columns = []
    for k in which:
        lengths = np.unique(np.outer([usual, size[k]], STEPS))[::-1]
        columns.append(_column(field, x, J[which, k], which, k, FIVE_POINT_STEP * lengths, EPS * terms))
    return np.column_stack(columns)


def _column(
    field: Field, x: np.ndarray, J: np.ndarray, rows: list[int], k: int, steps: np.ndarray, fine: np.ndarray
) -> np.ndarray:
    """Of a few rows of column k, by falling steps; ``fine`` is the least rounding of f that has to be expected."""
    unit, h = np.eye(len(x))[k], steps[:, None]

    def f(t: np.ndarray) -> np.ndarray:
        return np.array([field.image(x + each * unit)[rows] for each in t[:, 0]])

    with np.errstate(all="ignore"):
        slopes = slope_by_five_points(f, h) - unit[rows]
        apart = np.abs(np.diff(slopes, axis=0))
        # Short steps show the rounding of f; what they show beyond all expectation they show of f itself.
        rounding = (fine + np.minimum((apart[-2:] * h[-2:]).max(axis=0), COARSE * fine)) / h
        error = np.abs(slopes[:-1] - J) + apart + rounding[:-1]
        # Long steps may agree on a slope that is not the one at x: no shorter one may clearly contradict.
        for r in range(len(h) - 1):
            beyond = np.abs(slopes[r + 1 :] - slopes[r]) - SURE * rounding[r + 1 :]
            error[r] += np.maximum(beyond, 0.0).max(axis=0)
    return np.asarray(np.where(np.isfinite(error), error, np.inf).min(axis=0) + 8.0 * EPS * np.abs(J))


def still(field: Field, x: np.ndarray, J: np.ndarray, i: int, k: int, size: np.ndarray) -> float:
    """Bound on |Jᵢₖ| where the image's xᵢ keeps every bit as xₖ moves, near and far; infinite where it does not.

    A dependence that changes no bit is below the rounding of the terms of which the image is made, over the longest
    move. Where a derivative was given that says 0, too, it is 0.
    """
    here, unit, reach = field.image(x)[i], np.eye(len(x))[k], 0.0
    for length in (max(field.scale, float(np.abs(x).max())), float(size[k])):
        for move in (sign * length * part for part in MOVES for sign in (1.0, -1.0)):
            if not field.inside(y := x + move * unit):
                continue
            if field.image(y)[i] != here:
                return np.inf
            reach = max(reach, abs(move))
    if J[i, k] != 0.0 or reach == 0.0:
        return np.inf
    if field.differentiated:
        return TINY
    terms = max(abs(float(here)), float(size[i])) + float(np.abs(J[i]) @ size)
    return max(EPS * terms / reach, TINY)
