"""The standard error of the mean of a series whose terms are correlated: from means of blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_BLOCKS", "block_standard_error"]

Array = NDArray[np.float64]

# Blocks of which a standard error is taken, at the least: from fewer it would itself be wrong by more than 1/√(2·15),
# about a fifth.
FEWEST_BLOCKS = 16


def block_standard_error(rows: Array) -> Array:
    """The largest standard error of the mean, over blocks of 1, 2, 4, … rows, as long as there are 16 blocks.

    Parameters
    ----------
    rows : ndarray, shape (steps, count)
        One series a column.

    Returns
    -------
    ndarray, shape (count,)
        NaN for a column that is not finite, and for all of them if there are fewer than 16 rows.
    """
    errors = np.full(rows.shape[1], np.nan if len(rows) < FEWEST_BLOCKS else 0.0)
    errors[~np.isfinite(rows).all(axis=0)] = np.nan
    known = np.isfinite(errors)
    blocks = rows[:, known]
    while len(blocks) >= FEWEST_BLOCKS:
        errors[known] = np.maximum(errors[known], blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)))
        even = len(blocks) // 2 * 2
        blocks = 0.5 * (blocks[0:even:2] + blocks[1:even:2])
    return errors
