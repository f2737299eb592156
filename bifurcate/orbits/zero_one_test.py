"""The 0–1 test: is a recorded series chaotic?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.printing import notebook_html, number_text, short_repr
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import as_floats, check_count, check_seed

__all__ = ["ZeroOneTest", "zero_one_test"]

Array = NDArray[np.float64]

SHORTEST = 100  # numbers of a series, at the least: displacements over a tenth of it are fitted, ten of them
PART = 10  # the part 1/10 of the series over which displacements are looked at (Gottwald & Melbourne 2009)
FREQUENCIES = (np.pi / 5, 4 * np.pi / 5)  # between them: near 0 and π there is resonance with the mean and period 2
# Part of the largest number by which a series must vary: what varies less is constant, and its rounding would be noise.
CONSTANT = 1e-12
Z = 1.96  # standard deviations that hold 95 of 100 normal values


@dataclass(frozen=True, eq=False)
class ZeroOneTest(Tabular):
    """The growth rates K of a series: near 1 if it is chaotic, near 0 if it is regular.

    Attributes
    ----------
    value : float
        The median of K over the frequencies.
    error : float
        The larger of the half-width of its 95 % interval over the frequencies and its difference to the median of the
        first half of the series.
    frequencies, values : ndarray, shape (count,)
        The frequencies c, and K at each.
    length : int
        Of the series.
    """

    value: float
    error: float
    frequencies: Array
    values: Array
    length: int

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def __str__(self) -> str:
        verdict = {True: "chaotic", False: "regular", None: "not decided"}[self.chaotic]
        value = number_text(self.value, self.error, 4)
        return f"{verdict}: K = {value} ± {self.error:.1g} by the 0–1 test of {self.length} values"

    @property
    def chaotic(self) -> bool | None:
        """True if K exceeds 1/2 by more than its error, False if it is less by that, None if it is not decided."""
        if abs(self.value - 0.5) <= self.error:
            return None
        return self.value > 0.5

    def table(self) -> Columns:
        """One row a frequency: it, and the value found with it."""
        return {"frequency": self.frequencies.tolist(), "value": self.values.tolist()}


def zero_one_test(series: Any, *, count: int = 100, seed: int = 0) -> ZeroOneTest:
    """The 0–1 test for chaos of a series of numbers, one an iteration.

    The series φ without its mean drives z ← z + φ e^{icj}. The mean square displacement of z over n steps,
    without the part V(c, n) that oscillates, grows linearly in n if φ is chaotic and stays bounded if it is regular; K
    is its correlation with n, for n up to a tenth of the length, at random frequencies c between π/5 and 4π/5, of
    which the median is taken (Gottwald & Melbourne, SIAM J. Appl. Dyn. Syst. 8 (2009) 129; Nonlinearity 22 (2009)
    1367). Noise counts as chaos. So does a series that is sampled so finely that successive numbers hardly differ not
    count as chaos where it should: take every k-th number of it.

    Parameters
    ----------
    series : array_like, shape (N,)
        At least 100 numbers.
    count : int
        Frequencies, at least 10.
    seed : int
        Of the frequencies.

    Returns
    -------
    ZeroOneTest

    Raises
    ------
    InvalidInput
        If the series is too short, has other than one axis, or holds NaN or infinity.

    Examples
    --------
    >>> import bifurcate as bf
    >>> chaos = bf.orbit(bf.maps.logistic(r=4.0), [0.3], 1000).states[:, 0]
    >>> cycle = bf.orbit(bf.maps.logistic(r=3.5), [0.3], 1000, transient=200).states[:, 0]
    >>> bf.zero_one_test(chaos).chaotic, bf.zero_one_test(cycle).chaotic
    (True, False)
    """
    check_count("count", count, least=10)
    phi = _check_series(series)
    rng = np.random.default_rng(check_seed(seed))
    c = rng.uniform(*FREQUENCIES, count)
    found = _growth_rates(phi, c)
    middle = float(np.median(found))
    # Ranks between which the median of all frequencies lies: binomial, half a rank wider for their being whole.
    reach = int(np.ceil(Z * np.sqrt(count) / 2.0 + 0.5))
    ordered = np.sort(found)
    low, high = ordered[max(count // 2 - reach, 0)], ordered[min(count // 2 + reach, count - 1)]
    earlier = float(np.median(_growth_rates(phi[: len(phi) // 2], c)))
    error = max(middle - float(low), float(high) - middle, abs(middle - earlier))
    return ZeroOneTest(middle, error, c, found, len(phi))


def _check_series(series: Any) -> Array:
    try:
        phi = as_floats(series)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput("series must be a sequence of real numbers") from error
    if phi.ndim != 1:
        raise InvalidInput(f"series must have one axis, got shape {phi.shape}; take one component of an orbit's states")
    if len(phi) < SHORTEST:
        raise InvalidInput(f"series has {len(phi)} numbers; the 0–1 test needs {SHORTEST} at least")
    if not np.isfinite(phi).all():
        raise InvalidInput(f"{int((~np.isfinite(phi)).sum())} numbers in series are NaN or infinite")
    return phi


def _growth_rates(phi: Array, c: Array) -> Array:
    """K at every frequency; 0 of a series that is constant to rounding."""
    size = float(np.abs(phi).max())
    if size == 0.0 or float(np.ptp(phi)) <= CONSTANT * size:
        return np.zeros(len(c))
    phi = phi / size
    phi = (phi - phi.mean()) / phi.std()
    n: NDArray[np.int_] = np.arange(1, max(len(phi) // PART, 2) + 1)
    return np.array([_correlation(n, _displacements(phi, each, n)) for each in c.tolist()])


def _displacements(phi: Array, c: float, n: NDArray[np.int_]) -> Array:
    """The mean square displacements over n steps. What oscillates in them is of the mean, which φ has not any more."""
    z = np.cumsum(phi * np.exp(1j * c * np.arange(1, len(phi) + 1)))
    count = len(z) - len(n)
    squares = np.concatenate([[0.0], np.cumsum(np.abs(z) ** 2)])
    length = 2 * len(z)
    spectrum = np.fft.fft(z, length) * np.conj(np.fft.fft(z[:count], length))
    products = np.fft.ifft(spectrum)[n].real
    return np.asarray((squares[n + count] - squares[n] + squares[count] - 2.0 * products) / count)


def _correlation(n: NDArray[np.int_], displacement: Array) -> float:
    """The correlation of the displacements with n; 0 if they are all the same."""
    if float(np.ptp(displacement)) == 0.0:
        return 0.0
    return float(np.corrcoef(n, displacement)[0, 1])
