"""The multipliers of a map at a state, or of its iterates."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from bifurcate.errors import OutsideDomain
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.validation import check_count, check_instance, check_mapping, check_period

__all__ = ["multipliers"]


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
    return spectrum(iterate.jacobian(orbit, p), leading)
