"""How mixed basins are: basin entropy, the uncertainty exponent, and whether a boundary is smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED
from bifurcate.attractors.basins import Basins
from bifurcate.attractors.discovery import settle_all
from bifurcate.errors import InvalidInput
from bifurcate.printing import short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_array, check_count, check_instance, check_seed

__all__ = [
    "BasinEntropy",
    "BoundaryKind",
    "UncertaintyExponent",
    "basin_entropy",
    "boundary_kind",
    "uncertainty_exponent",
]

Array = NDArray[np.float64]

# Lines that are drawn across a disc of cells to know which entropy straight boundaries give: to 0.3% of it.
LINES = 20_000
# Standard errors by which an entropy must exceed that of straight boundaries to count as fractal.
SURE = 3.0
# Parts into which points are divided for the scatter of exponents.
PARTS = 20
# Distances by default, as parts of the plane's width: from where the plane's size shows to where few points are left.
EPSILONS = tuple(2.0**-k for k in range(5, 12))
MAP_ADVICE = "basins(map, plane) makes them"


@dataclass(frozen=True, eq=False)
class BasinEntropy:
    """Basin entropy (Daza, Wagemakers, Georgeot, Guéry-Odelin & Sanjuán, Scientific Reports 6 (2016) 31416).

    Attributes
    ----------
    entropy, error : float
        S_b, the mean over all boxes of −Σ p ln p, where p are the parts of a box's cells by label; and the standard
        error from the boxes' scatter.
    boundary_entropy, boundary_error : float
        S_bb, the mean over boxes with more than one label; NaN if there is none.
    boxes, boundary_boxes : int
    cells : int
        Along the edge of a box.
    """

    entropy: float
    error: float
    boundary_entropy: float
    boundary_error: float
    boxes: int
    boundary_boxes: int
    cells: int

    __repr__ = short_repr

    @property
    def exceeds_ln2(self) -> bool:
        """True if S_bb > ln 2: then the boundary is fractal (the converse does not hold)."""
        return bool(self.boundary_entropy > np.log(2.0))


def basin_entropy(basins: Basins, *, cells: int = 5) -> BasinEntropy:
    """How mixed basins are, in boxes of some cells.

    Parameters
    ----------
    basins : Basins
    cells : int
        Along the edge of a box, at least 2. Boxes tile the grid; what is left at its upper and right edges is left out.

    Returns
    -------
    BasinEntropy

    Raises
    ------
    InvalidInput
        If no box fits into the grid.

    Examples
    --------
    >>> import bifurcate as bf
    >>> cubic = bf.Map(lambda x, a: a * x - x**3, {"a": 1.5})
    >>> found = bf.basins(cubic, {0: (-1, 1), 1: (-1, 1)}, cells=20)
    >>> bf.basin_entropy(found, cells=5).entropy  # boundaries run between boxes
    0.0
    """
    check_instance("basins", basins, Basins, MAP_ADVICE)
    check_count("cells", cells, least=2)
    tiles = _tiles(basins.labels, cells)
    entropies = _entropies(tiles.reshape(len(tiles), -1))
    mixed = entropies[entropies > 0.0]
    value, error = _mean_and_error(entropies)
    return BasinEntropy(value, error, *_mean_and_error(mixed), len(entropies), len(mixed), cells)


@dataclass(frozen=True, eq=False)
class BoundaryKind:
    """Whether a boundary looks smooth on the scale of a disc of cells.

    Attributes
    ----------
    kind : {"smooth", "fractal", "none"}
        "none" if no disc holds two labels.
    entropy, error : float
        The mean entropy of discs that do, and its standard error.
    straight : float
        What straight boundaries give, in the same discs.
    discs : int
        Discs that hold two labels.
    """

    kind: Literal["smooth", "fractal", "none"]
    entropy: float
    error: float
    straight: float
    discs: int

    __repr__ = short_repr


def boundary_kind(basins: Basins, *, radius: int = 5, seed: int = 0) -> BoundaryKind:
    """Tell a smooth boundary of basins from a fractal one, on the scale of some cells.

    On a scale on which it is straight, a boundary divides discs like random straight lines, whatever its direction: the
    entropy of discs that it crosses has a known mean (Puy, Daza, Wagemakers & Sanjuán, Commun. Nonlinear Sci. Numer.
    Simul. 95 (2021) 105588). Here that mean is taken from straight lines through the same cells.

    Parameters
    ----------
    basins : Basins
    radius : int
        Of the discs, in cells, at least 2; they stand on a square lattice and do not overlap.
    seed : int
        Of the lines.

    Returns
    -------
    BoundaryKind
        "fractal" if the mean exceeds that of lines by more than three standard errors. A boundary that is fractal on
        smaller scales alone is "smooth" here; several smooth ones within a disc may count as fractal.

    Raises
    ------
    InvalidInput
        If no disc fits into the grid.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.basins(bf.Map(lambda x, a: a * x - x**3, {"a": 1.5}), {0: (-1, 1.1), 1: (-1, 1.1)}, cells=60)
    >>> bf.boundary_kind(found, radius=3).kind
    'smooth'
    """
    check_instance("basins", basins, Basins, MAP_ADVICE)
    check_count("radius", radius, least=2)
    rng = np.random.default_rng(check_seed(seed))
    tiles = _tiles(basins.labels, 2 * radius + 1)
    i = np.arange(-radius, radius + 1)
    x, y = np.meshgrid(i, i)
    disc = x**2 + y**2 <= radius**2
    entropies = _entropies(tiles[:, disc])
    mean, error = _mean_and_error(entropies[entropies > 0.0])
    angles, offsets = 2.0 * np.pi * rng.random(LINES), radius * (2.0 * rng.random(LINES) - 1.0)
    sides = np.outer(np.cos(angles), x[disc]) + np.outer(np.sin(angles), y[disc]) > offsets[:, None]
    lines = _entropies(sides.astype(int))
    straight, count = float(lines[lines > 0.0].mean()), int((entropies > 0.0).sum())
    if not count:
        return BoundaryKind("none", np.nan, np.nan, straight, 0)
    is_fractal = mean - straight > SURE * error
    return BoundaryKind("fractal" if is_fractal else "smooth", mean, error, straight, count)


@dataclass(frozen=True, eq=False)
class UncertaintyExponent(Tabular):
    """The uncertainty exponent of a boundary of basins, and what it is a fit of.

    Attributes
    ----------
    value, error : float
        α of f(ε) ∝ ε^α, and its standard error from the scatter between parts of the points. The boundary's dimension
        is that of the plane less α.
    epsilons : ndarray, shape (m,)
        Distances, in the plane's coordinate s.
    fractions : ndarray, shape (m,)
        f(ε): of the points that have another label a distance ε to the left or to the right.
    points : int
    """

    value: float
    error: float
    epsilons: Array
    fractions: Array
    points: int

    __repr__ = short_repr

    def table(self) -> Columns:
        """One row a size of disturbances: it, and the part of the points that it leaves uncertain."""
        return {"epsilon": self.epsilons.tolist(), "fraction": self.fractions.tolist()}


def uncertainty_exponent(
    basins: Basins,
    *,
    epsilons: Any = None,
    points: int = 10_000,
    seed: int = 0,
    progress: Report | bool | None = None,
) -> UncertaintyExponent:
    """How slowly an uncertain start becomes certain as it is known better (McDonald, Grebogi, Ott & Yorke 1985).

    Random points of the plane are settled again, and those at s ± ε. A straight boundary has α = 1, a fractal one less.

    Parameters
    ----------
    basins : Basins
        With their map.
    epsilons : sequence of float, optional
        At least two distances in the plane's coordinate s; by default from 2⁻⁵ to 2⁻¹¹ of its width.
    points : int
        Random points, uniform in the plane; at least 100.
    seed : int
        Of these.
    progress : callable, bool, optional
        As for :func:`trace`; pairs of a distance and a side are counted.

    Returns
    -------
    UncertaintyExponent
        From a fit of ln f to ln ε, weighted by the numbers of uncertain points; NaN if fewer than two have any.

    Raises
    ------
    InvalidInput
        If distances or counts are unusable.

    References
    ----------
    McDonald, Grebogi, Ott & Yorke, Physica D 17 (1985) 125, equation (1.2).

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.basins(bf.Map(lambda x, a: a * x - x**3, {"a": 1.5}), {0: (-1, 1), 1: (-1, 1)}, cells=10)
    >>> exponent = bf.uncertainty_exponent(found, points=4000, epsilons=[0.05, 0.1, 0.2])
    >>> bool(abs(exponent.value - 1) < 4 * exponent.error)
    True
    """
    check_instance("basins", basins, Basins, MAP_ADVICE)
    check_count("points", points, least=100)
    rng = np.random.default_rng(check_seed(seed))
    (left, right), _ = basins.plane.bounds
    chosen = (right - left) * np.array(EPSILONS) if epsilons is None else check_array("epsilons", epsilons)
    if chosen.ndim != 1 or len(chosen) < 2 or not (chosen > 0.0).all() or len(np.unique(chosen)) < 2:
        raise InvalidInput("epsilons must hold two or more different positive distances")
    drawn = basins.plane.draw(points, rng)
    here = _labels(basins, drawn, seed)
    is_uncertain = np.zeros((points, len(chosen)), dtype=bool)
    rounds = [(k, side * epsilon) for k, epsilon in enumerate(chosen.tolist()) for side in (-1.0, 1.0)]
    with reporting(progress, "uncertainty exponent", (), "distances") as report:
        for done, (k, away) in enumerate(rounds, 1):
            rest = np.flatnonzero(~is_uncertain[:, k])
            is_uncertain[rest, k] = _labels(basins, drawn[rest] + [away, 0.0], seed) != here[rest]
            if report is not None:
                report(Progress(dict(basins.map.parameters), done, left=len(rounds) - done))
    exponents = [_slope(chosen, part) for part in np.array_split(is_uncertain, PARTS)]
    error = float(np.std(exponents, ddof=1)) / np.sqrt(PARTS)
    return UncertaintyExponent(_slope(chosen, is_uncertain), error, chosen, is_uncertain.mean(axis=0), points)


def _labels(basins: Basins, points: Array, seed: int) -> NDArray[np.int_]:
    """Where points of the plane settle; new attractors get further numbers."""
    if not len(points):
        return np.empty(0, dtype=int)
    found = settle_all(basins.map, basins.plane.states(points), basins.attractors, basins.steps, seed).settled.labels
    if (found == INTERRUPTED).any():
        raise KeyboardInterrupt
    return found


def _slope(epsilons: Array, is_uncertain: NDArray[np.bool_]) -> float:
    """The slope of ln f over ln ε, weighted by 1/variance of ln f; NaN if fewer than two fractions are positive."""
    f = is_uncertain.mean(axis=0)
    known = (f > 0.0) & (f < 1.0)
    if known.sum() < 2:
        return np.nan
    weights = np.sqrt(f[known] * len(is_uncertain) / (1.0 - f[known]))
    return float(np.polyfit(np.log(epsilons[known]), np.log(f[known]), 1, w=weights)[0])


def _tiles(labels: NDArray[np.int_], edge: int) -> NDArray[np.int_]:
    """The squares of some cells that tile a grid, shape (m, edge, edge)."""
    rows, columns = labels.shape[0] // edge, labels.shape[1] // edge
    if not rows * columns:
        raise InvalidInput(
            f"no square of {edge} × {edge} cells fits into a grid of {labels.shape[1]} × {labels.shape[0]}"
        )
    inner = labels[: rows * edge, : columns * edge].reshape(rows, edge, columns, edge)
    return inner.transpose(0, 2, 1, 3).reshape(-1, edge, edge)


def _entropies(rows: NDArray[np.int_]) -> Array:
    """−Σ p ln p of the labels in each row."""
    entropies = np.zeros(len(rows))
    for label in np.unique(rows).tolist():
        p = (rows == label).mean(axis=1)
        inside = (p > 0.0) & (p < 1.0)
        entropies[inside] -= p[inside] * np.log(p[inside])
    return entropies


def _mean_and_error(values: Array) -> tuple[float, float]:
    if not len(values):
        return np.nan, np.nan
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
