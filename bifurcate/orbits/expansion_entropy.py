"""Expansion entropy: how fast volumes of a region expand that stay in it.

E(t) is the mean, over points of the region, of G(Df^t(x)), the product of the singular values above 1, with 0 for
points whose orbits have left. The expansion entropy is the limit of ln E(t)/t: the slope of ln E (Hunt & Ott, Chaos 25
(2015) 097618). For smooth maps it is the topological entropy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.interrupts import interrupted_meanwhile
from bifurcate.maps.accelerated_batches import MapOnRows
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import with_values
from bifurcate.printing import notebook_html, number_text, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_interval, check_seed, check_sequence

__all__ = ["ExpansionEntropy", "expansion_entropy"]

Array = NDArray[np.float64]

BATCHES = 20  # into which points are dealt out: their scatter is the statistical error
# Points with orbits in the region, of which a mean is taken, at the least: fewer, and rare ones decide it.
FEWEST_LEFT = 200
# Of E's steps those that are fitted, as a part of the last one: before, it depends on the region's shape.
FITTED_FROM = 0.5
DRIFTS = 2.0  # times the change of the slope from one half to the next that it may still change: they are each noisy
Z = 1.96  # standard errors that hold 95 of 100 normal values
TRIED = 64  # points of the trial that finds out whether f broadcasts
LARGEST = 30  # unknowns: the Jacobians of all points are multiplied as matrices


@dataclass(frozen=True, eq=False)
class ExpansionEntropy(Tabular):
    """The growth of expanded volume in a region.

    Attributes
    ----------
    value : float
        The slope of ln E over the later steps; −inf if no orbit stays.
    error : float
        Half the width of its 95 % interval: from the scatter between batches of points, and from the difference of the
        slopes over the earlier and the later half of these steps; NaN where too few steps are left.
    log_expansion : ndarray, shape (steps + 1,)
        ln E(t).
    staying : ndarray, shape (steps + 1,)
        The part of all points whose orbits are in the region up to t.
    fitted : (int, int)
        The first and the last step of those between which the slope is taken.
    """

    value: float
    error: float
    log_expansion: Array
    staying: Array
    fitted: tuple[int, int]

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def __str__(self) -> str:
        value, (first, last) = number_text(self.value, self.error, 6), self.fitted
        return f"expansion entropy {value} ± {self.error:.1g}, from steps {first} to {last}"

    def table(self) -> Columns:
        """One row a step: the logarithm of the expansion, and the part of the points that stay."""
        steps = list(range(len(self.log_expansion)))
        return {"step": steps, "log_expansion": self.log_expansion.tolist(), "staying": self.staying.tolist()}


def expansion_entropy(
    map: Map,
    box: Sequence[tuple[float, float]],
    *,
    steps: int = 20,
    points: int = 20_000,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Report | bool | None = None,
) -> ExpansionEntropy:
    """The expansion entropy of a map in a box.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters) on vectors. f and its Jacobian are called in batches where they broadcast.
    box : sequence of (float, float)
        The lower and the upper bound of every coordinate: the region, with what is to be measured inside.
    steps : int
        Iterations, at least 5. The more, the fewer points decide the mean; it ends where 200 orbits are left.
    points : int
        Random points of the box, at least 1000.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the points.
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some iterations are done; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    ExpansionEntropy

    Raises
    ------
    InvalidInput
        If the box, the counts or a parameter's name are unusable, or the state has more than 30 numbers.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.expansion_entropy(bf.maps.logistic(r=4.0), [(0.0, 1.0)], steps=10, points=5000)
    >>> bool(abs(found.value - np.log(2)) < found.error)
    True
    """
    check_count("steps", steps, least=5)
    check_count("points", points, least=1000)
    map = with_values(map, parameters)
    low, high = _check_box(box)
    if len(low) > LARGEST:
        raise InvalidInput(f"box has {len(low)} coordinates; the expansion entropy is for at most {LARGEST} unknowns")
    map.check(0.5 * (low + high))
    rng = np.random.default_rng(check_seed(seed))
    x = rng.uniform(low, high, (points, len(low)))
    p = dict(map.parameters)
    several = MapOnRows(map, BatchRows(x[:TRIED], p))
    with reporting(progress, f"expansion_entropy {map.name}", (), "iterations") as report:
        logs, staying = several.run(lambda step: _expansions(step, x, p, (low, high), steps, report))
    return _fitted(logs, staying)


def _check_box(box: Any) -> tuple[Array, Array]:
    bounds = [check_interval("a pair of box", each) for each in check_sequence("box", box, "pairs (low, high)")]
    if not bounds:
        raise InvalidInput("box is empty; it needs a pair (low, high) for every coordinate")
    return np.array([each[0] for each in bounds]), np.array([each[1] for each in bounds])


def _expansions(
    step: BatchedMap,
    x: Array,
    p: Mapping[str, float],
    box: tuple[Array, Array],
    steps: int,
    report: Report | None,
) -> tuple[Array, Array]:
    """ln of the mean expansion of every batch of points at every step, and the part of all that stay."""
    m, n = x.shape
    batch = np.arange(m) % BATCHES
    sizes = np.bincount(batch, minlength=BATCHES)
    J: Array = np.broadcast_to(np.eye(n), (m, n, n))
    logs, staying = [np.zeros(BATCHES)], [1.0]
    with np.errstate(all="ignore"):
        for done in range(steps):
            if interrupted_meanwhile():
                break
            if report is not None:
                report(Progress(dict(p), done, left=steps - done))
            J = step.jacobians(x, p) @ J
            x = step.images(x, p)
            stays = ((x >= box[0]) & (x <= box[1])).all(axis=1) & np.isfinite(J).all(axis=(1, 2))
            x, J, batch = x[stays], J[stays], batch[stays]
            if len(x) < FEWEST_LEFT:
                staying.append(len(x) / m)
                if not len(x):
                    logs.append(np.full(BATCHES, -np.inf))
                break
            grown = _log_expansion(J)
            largest = float(grown.max())
            sums = np.bincount(batch, weights=np.exp(grown - largest), minlength=BATCHES)
            logs.append(np.log(sums / sizes) + largest)
            staying.append(len(x) / m)
    return np.array(logs), np.array(staying)


def _log_expansion(J: Array) -> Array:
    """ln of the product of the singular values above 1, of every matrix."""
    if J.shape[1] == 1:
        return np.maximum(np.log(np.abs(J[:, 0, 0])), 0.0)
    sizes = np.linalg.svd(J, compute_uv=False)
    return np.asarray(np.log(np.maximum(sizes, 1.0)).sum(axis=1))


def _fitted(logs: Array, staying: Array) -> ExpansionEntropy:
    """The slope of ln E over the later steps, with its error from batches that are left out one at a time."""
    whole = _log_mean(logs)
    last = len(logs) - 1
    first = max(1, int(np.ceil(FITTED_FROM * last)))
    if not np.isfinite(whole[-1]):
        return ExpansionEntropy(-np.inf, np.nan, whole, staying, (first, last))
    if last - first < 2:
        return ExpansionEntropy(np.nan, np.nan, whole, staying, (first, last))
    slope = _slope(whole, first, last)
    without = np.array([_slope(_log_mean(np.delete(logs, i, axis=1)), first, last) for i in range(BATCHES)])
    spread = np.sqrt((BATCHES - 1) / BATCHES * ((without - without.mean()) ** 2).sum())
    middle = (first + last) // 2
    drift = abs(_slope(whole, first, middle) - _slope(whole, middle, last))
    return ExpansionEntropy(slope, float(np.hypot(Z * spread, DRIFTS * drift)), whole, staying, (first, last))


def _log_mean(logs: Array) -> Array:
    """ln of the mean over batches, of their logarithms."""
    largest = logs.max(axis=1)
    with np.errstate(all="ignore"):
        found = largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1))
    return np.where(np.isfinite(largest), found, -np.inf)


def _slope(values: Array, first: int, last: int) -> float:
    t = np.arange(first, last + 1)
    return float(np.polyfit(t, values[first : last + 1], 1)[0])
