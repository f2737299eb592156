"""The multipliers of a map at a state, or of its iterates."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import OutsideDomain
from bifurcate.linalg.cyclic_product import CyclicProduct
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.linalg.operators import Operator
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.validation import check_count, check_instance, check_mapping, check_period

__all__ = ["multipliers", "multipliers_along"]

# Ratio of the smallest modulus to the largest below which the smallest is known to fewer than twelve digits, where the
# Jacobians along a cycle were multiplied out: rounding of the product is a part of the largest.
SPREAD = 1e-4
LARGEST_FACTORED = 100  # size limit: unknowns up to which the product's factors are looked at, which takes k n³


def multipliers(
    map: Map,
    state: Any,
    *,
    period: int = 1,
    parameters: Mapping[str, float] | None = None,
    leading: int = 6,
) -> Spectrum:
    """The multipliers of f^period at a state: the eigenvalues of its Jacobian there.

    At a fixed point or a point of a cycle of that period they decide its stability; elsewhere they say how small
    differences grow over the next ``period`` steps.

    Parameters
    ----------
    map : Map
        f.
    state : array_like
        A state of the map, of the shape that f takes.
    period : int
        How many times f is applied.
    parameters : mapping of str to float, optional
        Values of parameters, in place of the map's own.
    leading : int
        How many multipliers are asked for where not all are computed; see :func:`bifurcate.linalg.spectrum`, which also
        says at which sizes that is so.

    Returns
    -------
    Spectrum
        ``values`` by falling modulus, with ``stable``, ``outside`` and ``certified``.

    Raises
    ------
    InvalidInput
        If the map refuses the state or a parameter.
    OutsideDomain
        If the state or one of its next images is outside the map's declared domain, or not finite.

    Examples
    --------
    The 2-cycle of the logistic map has the multiplier 4 + 2r − r².

    >>> import numpy as np
    >>> from bifurcate.maps import logistic
    >>> r = 3.2
    >>> x = (r + 1 + np.sqrt((r + 1) * (r - 3))) / (2 * r)
    >>> found = multipliers(logistic(r), [x], period=2)
    >>> found.values.real.round(12), found.stable
    (array([0.16]), True)
    """
    check_instance("map", map, Map, "write bf.Map(f, parameters)")
    times = check_period(period)
    check_count("leading", leading)
    if parameters is not None:
        changed = check_mapping("parameters", parameters, "names and values")
        map = dataclasses.replace(map, parameters=map.values(changed), at=None)
    x = map.check(state)
    iterate, p = IteratedMap(map, x.shape, times), dict(map.parameters)
    with np.errstate(all="ignore"):
        orbit = iterate.orbit(x.reshape(-1), p)
    if not iterate.margin(orbit, p) > 0.0:
        raise OutsideDomain(f"the state leaves the domain of {map.name} within {times} steps")
    return multipliers_along(iterate, orbit, p, iterate.jacobian(orbit, p), leading)


def multipliers_along(
    iterate: IteratedMap, orbit: Sequence[NDArray[np.float64]], p: Mapping[str, float], J: Operator, leading: int = 6
) -> Spectrum:
    """The multipliers of f^k along an orbit, those far inside the unit circle with as many digits as those outside.

    Parameters
    ----------
    iterate : IteratedMap
        f^k.
    orbit : sequence of ndarray, each of shape (n,)
        The state and its images.
    p : mapping of str to float
        All parameters.
    J : Operator
        The Jacobian of f^k.
    leading : int
        As for :func:`~bifurcate.linalg.multipliers.spectrum`.

    Examples
    --------
    The multipliers of a cycle of the Hénon map have the product (−b)^k.

    >>> from bifurcate.maps import henon
    >>> map, x = henon(1.4, 0.3), np.array([-1.13155148, 0.36947791])
    >>> iterate = IteratedMap(map, (2,), 14)
    >>> orbit = iterate.orbit(x, map.parameters)
    >>> J = iterate.jacobian(orbit, map.parameters)
    >>> values = multipliers_along(iterate, orbit, map.parameters, J).values
    >>> bool(abs(np.prod(values) / 0.3**14 - 1.0) < 1e-12 < abs(np.prod(spectrum(J).values) / 0.3**14 - 1.0))
    True
    """
    found = spectrum(J, leading)
    if type(iterate) is not IteratedMap or iterate.period == 1 or not 1 < iterate.size <= LARGEST_FACTORED:
        return found
    moduli = np.abs(found.values)
    if not isinstance(J, np.ndarray) or moduli.min() >= SPREAD * moduli.max():
        return found
    single = IteratedMap(iterate.map, iterate.shape)
    factors = [single.jacobian([x], p) for x in orbit[:-1]]
    return spectrum(CyclicProduct(tuple(np.asarray(factor) for factor in factors)))
