"""Alignment indices of tangent vectors: SALI, LDI and GALI_k.

GALI_k is the volume of the parallelepiped of k unit vectors that the derivative carries along an orbit, each normed
after every step. It is not computed from the vectors, which rounding makes parallel once it is below 1e-16: the volume
grows by the product of the first k diagonal entries of R, the triangular factor of an orthonormal frame, and every
vector by its own factor, so that ln GALI_k is a sum of logarithms. It is known to few units of rounding a step however
small it is. SALI, the shorter diagonal of the parallelogram of two unit vectors, follows from GALI_2, its area.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.lyapunov_exponents import SURE_ERRORS, first_vectors
from bifurcate.orbits.orbit import OrbitEnd, with_values
from bifurcate.orbits.standard_error import block_standard_error
from bifurcate.orbits.tangent_vectors import TangentMap, follow
from bifurcate.printing import notebook_html, number_text, short_repr
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import as_floats, check_count

__all__ = ["AlignmentIndices", "alignment_indices"]

Array = NDArray[np.float64]

# Power of the number of steps with which SALI must have fallen over the last doubling of it, for its fall to count as
# exponential: along regular orbits it falls as steps^−2 in the plane, and stays about constant on tori of more
# dimensions (Skokos et al., J. Phys. A 37 (2004) 6269), with factors of some units from its oscillation.
STEEP = 8.0
# Part of the largest singular value below which given vectors are linearly dependent.
DEPENDENT = 1e-12


@dataclass(frozen=True, eq=False)
class AlignmentIndices(Tabular):
    """How tangent vectors align along an orbit.

    Attributes
    ----------
    log_gali : ndarray, shape (steps + 1, count − 1)
        ln GALI_2, …, ln GALI_count before the first step and after each; −inf where a direction was annihilated.
    errors : ndarray, shape (steps + 1, count − 1)
        What rounding, or the error of the derivative, adds to each at the most.
    exponent, exponent_error : float
        The largest Lyapunov exponent over the steps, and its standard error.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        How the orbit ended, as in :class:`Orbit`.
    detail : str
        What f raised or returned, where it failed.
    """

    log_gali: Array
    errors: Array
    exponent: float
    exponent_error: float
    end: OrbitEnd
    detail: str = ""

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def __str__(self) -> str:
        exponent = f"{number_text(self.exponent, self.exponent_error, 4)} ± {self.exponent_error:.1g}"
        lines = [f"alignment of tangent vectors over {self.steps} iterations; largest exponent {exponent}"]
        lines += [f"  ln GALI_{k} falls to {value:.4g}" for k, value in enumerate(self.log_gali[-1].tolist(), 2)]
        return "\n".join(lines)

    @property
    def steps(self) -> int:
        """Iterations done."""
        return len(self.log_gali) - 1

    @property
    def gali(self) -> Array:
        """GALI_2, …, GALI_count (Skokos, Bountis & Antonopoulos, Physica D 231 (2007) 30): 0 below 1e-308."""
        return np.exp(self.log_gali)

    @property
    def ldi(self) -> Array:
        """LDI, the product of the singular values of all vectors, shape (steps + 1,): it is GALI_count.

        (Antonopoulos & Bountis, ROMAI J. 2 (2006) 1.)
        """
        return self.gali[:, -1]

    @property
    def sali(self) -> Array:
        """SALI, the smaller of ‖v + w‖ and ‖v − w‖ for the first two unit vectors, shape (steps + 1,).

        (Skokos, J. Phys. A 34 (2001) 10029.)
        """
        area = np.minimum(self.gali[:, 0], 1.0)
        return np.asarray(area * np.sqrt(2.0 / (1.0 + np.sqrt((1.0 - area) * (1.0 + area)))))

    @property
    def power(self) -> float:
        """The power of the number of steps with which SALI has fallen since half of them; inf if it is 0."""
        half = (len(self.log_gali) - 1) // 2
        if half < 1:
            return float("nan")
        late = self.log_gali[-1, 0]
        if not np.isfinite(late):
            return float("inf")
        return float((self.log_gali[half, 0] - late) / np.log((len(self.log_gali) - 1) / half))

    @property
    def chaotic(self) -> bool:
        """True if SALI falls exponentially and the largest exponent is positive by more than three standard errors.

        False is no proof of order: an orbit may show its chaos later.
        """
        return bool(self.power > STEEP and self.exponent > SURE_ERRORS * self.exponent_error)

    def table(self) -> Columns:
        """One row a step: ln GALI_k for k = 2, 3, …, each with its error."""
        table: Columns = {"step": list(range(len(self.log_gali)))}
        for k, (values, errors) in enumerate(zip(self.log_gali.T, self.errors.T), start=2):
            table |= {f"log_gali_{k}": values.tolist(), f"log_gali_{k}_error": errors.tolist()}
        return table


def alignment_indices(
    map: Map,
    start: Any,
    *,
    steps: int = 1000,
    count: int = 2,
    transient: int = 0,
    vectors: Any = None,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Report | bool | None = None,
) -> AlignmentIndices:
    """SALI, LDI and GALI_2, …, GALI_count along an orbit.

    On chaotic orbits GALI_k falls as exp(−Σ_{j≤k}(λ₁ − λ_j) t), on regular ones of conservative maps as a power of t.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    start : array_like
        The first state.
    steps : int
        Iterations.
    count : int
        Number of tangent vectors, from 2 to the number of unknowns.
    transient : int
        Iterations before, without vectors.
    vectors : array_like, shape (n, count), optional
        The first ones, as columns; random orthonormal ones if not given.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the random first vectors.
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some iterations are done; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    AlignmentIndices

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable, the state is one number, or given vectors are
        linearly dependent.

    Examples
    --------
    >>> import bifurcate as bf
    >>> chaos = bf.alignment_indices(bf.maps.standard(K=5.0), [0.3, 0.2], steps=100)
    >>> order = bf.alignment_indices(bf.maps.standard(K=0.5), [np.pi, 0.3], steps=100)
    >>> chaos.chaotic, order.chaotic
    (True, False)
    """
    check_count("steps", steps)
    check_count("count", count)
    check_count("transient", transient, least=0)
    map = with_values(map, parameters)
    x = map.check(start)
    if not 2 <= count <= x.size:
        raise InvalidInput(f"count is {count}; it must be from 2 to the number of unknowns, {x.size}")
    first = first_vectors(x.size, count, seed) if vectors is None else _check_vectors(vectors, x.size, count)
    with reporting(progress, f"alignment_indices {map.name}", (), "iterations") as report:
        tangent = TangentMap(map, x, dict(map.parameters), report)
        if transient:
            settled = follow(tangent, x, first_vectors(x.size, 1, seed), transient)
            if settled.end != "steps":
                nothing = np.empty((0, count - 1))
                return AlignmentIndices(nothing, nothing, np.nan, np.nan, settled.end, settled.detail)
            x = settled.x
        frame, R = np.linalg.qr(first)
        found = follow(tangent, x, frame, steps, further=first)
        with np.errstate(all="ignore"):
            volumes, lengths = np.cumsum(np.log(found.growth), axis=1), np.cumsum(np.log(found.lengths), axis=1)
            begin = np.cumsum(np.log(np.abs(np.diag(R))))
            logs = begin + np.concatenate([np.zeros((1, count)), np.cumsum(volumes - lengths, axis=0)])
            logs[np.isnan(logs)] = -np.inf  # a vector of length 0, in a volume of 0
            relative = tangent.error * np.maximum(found.growth[:, :1], 1.0) / found.growth
            errors = np.cumsum(np.cumsum(relative, axis=1), axis=0)
            rates = np.log(found.lengths[:, :1])
            exponent = float(rates.mean()) if len(rates) else np.nan
        errors = np.concatenate([np.full((1, count), tangent.error), tangent.error + errors])
        spread = float(block_standard_error(rates)[0])
        return AlignmentIndices(
            np.minimum(logs[:, 1:], 0.0), errors[:, 1:], exponent, spread, found.end, found.detail
        )  # fmt: skip


def _check_vectors(given: Any, n: int, count: int) -> Array:
    """The vectors that were given, normed."""
    try:
        vectors = as_floats(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"vectors must be an array of shape ({n}, {count})") from error
    if vectors.shape != (n, count):
        raise InvalidInput(f"vectors must have shape ({n}, {count}), one vector a column, got {vectors.shape}")
    if not np.isfinite(vectors).all() or not np.linalg.norm(vectors, axis=0).all():
        raise InvalidInput("vectors must be finite, and none may be 0")
    vectors = vectors / np.linalg.norm(vectors, axis=0)
    sizes = np.linalg.svd(vectors, compute_uv=False)
    if sizes[-1] < DEPENDENT * sizes[0]:
        raise InvalidInput("vectors are linearly dependent: their volume is 0 from the start")
    return np.asarray(vectors)
