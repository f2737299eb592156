"""A map in other units: states and parameters counted from an origin, each in a unit of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import dense
from bifurcate.maps.calls import call
from bifurcate.maps.map import Map
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_array, check_instance, check_mapping, check_positive, check_text

__all__ = ["in_units"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _RuleInUnits(Portable):
    """y ↦ (f(o + U y; u q) − o)/U, with U the units of the state, o its origin and u the units of parameters."""

    map: Map
    units: Array
    origin: Array
    parameters: Mapping[str, float]

    def _own(self, q: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.parameters.get(name, 1.0) * value for name, value in q.items()}

    def _state(self, y: Any) -> Any:
        return self.origin + self.units * y

    def f(self, y: Any, /, **q: Any) -> Any:
        """The map in the new units."""
        image = np.asarray(call(self.map.f, self.map.name, self._state(y), **self._own(q)))
        return (image - self.origin) / self.units

    def exact(self, y: Any, /, **q: Any) -> Any:
        """The same by the formula that the map declares for proofs."""
        assert self.map.exact is not None
        return (self.map.exact(self._state(y), **self._own(q)) - self.origin) / self.units

    def jacobian(self, y: Array, /, **q: float) -> Array:
        """Its derivative, as a matrix."""
        assert self.map.jacobian is not None
        J = dense(self.map.jacobian(self._state(y), **self._own(q)))
        units = np.broadcast_to(self.units, y.shape).ravel()
        return np.asarray(J * units / units[:, None])

    def jvp(self, y: Array, v: Array, /, **q: float) -> Array:
        """Its derivative in a direction."""
        assert self.map.jvp is not None
        return np.asarray(self.map.jvp(self._state(y), self.units * v, **self._own(q))) / self.units

    def parameter_derivative(self, y: Array, name: str, /, **q: float) -> Array:
        """Its derivative by a parameter."""
        assert self.map.parameter_derivative is not None
        slope = np.asarray(self.map.parameter_derivative(self._state(y), name, **self._own(q)))
        return slope * self.parameters.get(name, 1.0) / self.units

    def domain(self, y: Any, /, **q: Any) -> Any:
        """The margins of the map's domain."""
        assert self.map.domain is not None
        return self.map.domain(self._state(y), **self._own(q))

    def borders(self, y: Any, /, **q: Any) -> Any:
        """The map's switching functions."""
        assert self.map.borders is not None
        return self.map.borders(self._state(y), **self._own(q))


def in_units(
    map: Map, units: Any, *, origin: Any = 0.0, parameters: Mapping[str, float] | None = None, name: str = ""
) -> Map:
    """The same map with its state, component by component, and its parameters in units of the user's choice.

    ``Map(scale=…)`` is one number. Where the components of a state have sizes far apart, as a population of 1e9 beside
    a fraction, or vary by little around a large value, as a temperature in kelvin, all that is measured in the state's
    norm (steps, tolerances, differences, errors) is right in units in which every component varies by about 1.

    Parameters
    ----------
    map : Map
        f. Its own ``scale`` plays no part any more.
    units : float or array_like of the state's shape
        U, positive: what each component typically varies by.
    origin : float or array_like of the state's shape
        o: the state that is 0 in the new units.
    parameters : mapping of str to float, optional
        The unit of each parameter, positive; 1 if it is not named. Values, bounds and results count in it.
    name : str
        Of the new map; by default that of f.

    Returns
    -------
    Map
        y ↦ (f(o + U y) − o)/U, with derivatives, domain and borders where f has them. A state y stands for o + U y.

    Raises
    ------
    InvalidInput
        If a unit is not positive, a parameter is unknown, or the map has coordinates with a period, which have their
        unit already.

    Examples
    --------
    >>> import bifurcate as bf, numpy as np
    >>> f = lambda x, r: np.array([x[0] + 0.1 * r * x[0] * (1 - x[0] / 1e9) - 1e8 * x[1], 0.5 * x[1]])
    >>> large = bf.Map(f, {"r": 2.0})  # a population and a fraction
    >>> small = bf.in_units(large, [1e9, 1.0])
    >>> bf.solve(small, [0.9, 0.1]).state.round(9)
    array([1., 0.])
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    check_text("name", name)
    if map.periodic is not None:
        raise InvalidInput("the map has coordinates with a period, in whose unit their states count already")
    U, o = check_array("units", units), check_array("origin", origin)
    if not (U > 0.0).all():
        raise InvalidInput("units must be positive numbers")
    given = {} if parameters is None else check_mapping("parameters", parameters, "names and units")
    for each in given:
        if each not in map.parameters:
            raise InvalidInput(f"parameters has {each!r}, which is none of the map's: {', '.join(map.parameters)}")
    rule = _RuleInUnits(map, U, o, {each: check_positive(each, value) for each, value in given.items()})
    parts: dict[str, Any] = {
        part: getattr(rule, part)
        for part in ("jacobian", "jvp", "parameter_derivative", "domain", "borders", "exact")
        if getattr(map, part) is not None
    }
    values = {each: value / rule.parameters.get(each, 1.0) for each, value in map.parameters.items()}
    name = name or map.name
    return Map(rule.f, values, derivative=map.derivative, name=name, advice=map.advice, noise=map.noise, **parts)
