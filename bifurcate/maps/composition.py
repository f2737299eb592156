"""Compositions of maps: several maps applied in turn, and one map under a force that is periodic in time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import Operator
from bifurcate.linalg.operators import compose as product
from bifurcate.maps.checks import check_parameters, join_names
from bifurcate.maps.map import Map
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_count, check_instance, check_mapping, check_text, is_real_number

__all__ = ["Composition", "Forcing", "Stage", "compose", "forced"]

Array = NDArray[Any]
Parameters = Mapping[str, float]


@dataclass(frozen=True)
class Forcing(Portable):
    """A parameter of a map as a function of the phase of a force.

    Attributes
    ----------
    parameter : str
        The map's parameter.
    function : callable
        ``function(phase, **arguments)``: its value.
    arguments : tuple of str
        Those parameters of the forced map that the function takes.
    """

    parameter: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Stage:
    """One of the maps that a composition applies in turn.

    Attributes
    ----------
    map : Map
        The map.
    phase : int
        Which one it is, counted from 0.
    sources : tuple of (str, str)
        Its parameters that are parameters of the composition: the name here, and the name there.
    forcings : tuple of Forcing
        Those that are functions of the phase.
    """

    map: Map
    phase: int
    sources: tuple[tuple[str, str], ...]
    forcings: tuple[Forcing, ...] = ()

    def parameters(self, p: Parameters) -> dict[str, float]:
        """The map's own parameters, from those of the composition."""
        own = {here: p[there] for here, there in self.sources}
        for forcing in self.forcings:
            own[forcing.parameter] = forcing.function(self.phase, **{name: p[name] for name in forcing.arguments})
        return own


@dataclass(frozen=True, eq=False)
class Composition:
    """The rule x ↦ f_m(… f₂(f₁(x))).

    Attributes
    ----------
    stages : tuple of Stage
        In the order in which they act.
    """

    stages: tuple[Stage, ...]

    def f(self, x: Array, /, **p: float) -> Array:
        """The image of x under all maps in turn."""
        for stage in self.stages:
            x = np.asarray(stage.map.f(x, **stage.parameters(p)))
        return x

    def exact(self, x: Array, /, **p: float) -> Array:
        """The same by the formulas that maps declare for proofs."""
        for stage in self.stages:
            rule = stage.map.f if stage.map.exact is None else stage.map.exact
            x = rule(x, **stage.parameters(p))
        return x

    def _on_the_way(self, x: Array, p: Parameters) -> list[tuple[Map, Array, dict[str, float]]]:
        """Every map with the state at which it acts, and with its parameters."""
        way = []
        for stage in self.stages:
            own = stage.parameters(p)
            way.append((stage.map, x, own))
            x = np.asarray(stage.map.f(x, **own))
        return way

    def jvp(self, x: Array, v: Array, /, **p: float) -> Array:
        """The derivative in the direction v, by the chain rule."""
        for map, state, own in self._on_the_way(x, p):
            v = map.tangent(state, v, own)
        return v

    def jacobian(self, x: Array, /, **p: float) -> Operator:
        """The product of the maps' Jacobians, of their own kind."""
        factors: list[Operator] = []
        for map, state, own in self._on_the_way(x, p):
            assert map.jacobian is not None
            J = map.jacobian(state, **own)
            factors.append(np.asarray(J, dtype=float).reshape(x.size, x.size) if _is_array(J) else J)
        return reduce(lambda inner, outer: product(outer, inner), factors)

    def parameter_derivative(self, x: Array, name: str, /, **p: float) -> Array:
        """∂f/∂name by the recursion d ← f_x d + f_name along the maps."""
        d = np.zeros(np.shape(x))
        for stage, (map, state, own) in zip(self.stages, self._on_the_way(x, p), strict=True):
            d = map.tangent(state, d, own) if d.any() else d
            for here, there in stage.sources:
                if there == name:
                    assert map.parameter_derivative is not None
                    d = d + np.asarray(map.parameter_derivative(state, here, **own), dtype=float)
        return d

    def domain(self, x: Array, /, **p: float) -> Array:
        """All margins on the way."""
        way = self._on_the_way(x, p)
        return np.concatenate([np.ravel(m.domain(state, **own)) for m, state, own in way if m.domain is not None])

    def borders(self, x: Array, /, **p: float) -> Array:
        """All switching functions on the way."""
        way = self._on_the_way(x, p)
        return np.concatenate([np.ravel(m.borders(state, **own)) for m, state, own in way if m.borders is not None])


def _is_array(J: Any) -> bool:
    return isinstance(J, np.ndarray | float | list)


def compose(*maps: Map, name: str = "") -> Map:
    """The map that applies several maps in turn: x ↦ f_m(… f₂(f₁(x))).

    The first map given acts first. A parameter that several maps have is one parameter of the composition.

    Parameters
    ----------
    *maps : Map
        One map or more, of states of one shape; the same map may occur more than once.
    name : str
        The composition's name, by default that of the maps in the order in which functions are written, "f₂∘f₁".

    Returns
    -------
    Map
        With whatever derivatives all of the maps have, by the chain rule; with the margins and switching functions of
        all of them. Its cycles of period k are the points that k·m applications of the maps in turn bring back.

    Raises
    ------
    InvalidInput
        If there is no map, or if two maps have different values of a parameter of one name.

    Examples
    --------
    >>> import bifurcate as bf
    >>> double = bf.Map(lambda x, a: a * x, {"a": 2.0}, name="double")
    >>> add = bf.Map(lambda x, c: x + c, {"c": 1.0}, name="add")
    >>> both = compose(double, add)
    >>> both.name, both([3.0]), dict(both.parameters)
    ('add∘double', array([7.]), {'a': 2.0, 'c': 1.0})
    """
    if not maps:
        raise InvalidInput("compose needs one map or more")
    parameters: dict[str, float] = {}
    check_text("name", name)
    for map in maps:
        check_instance("every argument", map, Map, "wrap the function: Map(f, parameters)")
        for key, value in map.parameters.items():
            if parameters.setdefault(key, value) != value:
                raise InvalidInput(
                    f"parameter {key!r} is {parameters[key]!r} in one map and {value!r} in another: in a composition "
                    "it is one parameter; rename one, or give both the same value"
                )
    stages = tuple(Stage(map, j, tuple((key, key) for key in map.parameters)) for j, map in enumerate(maps))
    return _composed(stages, parameters, name or "∘".join(map.name for map in reversed(maps)))


def forced(
    map: Map,
    values: Mapping[str, Sequence[float] | Callable[..., float]],
    *,
    period: int | None = None,
    parameters: Mapping[str, float] | None = None,
    name: str = "",
) -> Map:
    """The map over one period of a force under which parameters change from step to step.

    Parameters
    ----------
    map : Map
        The map that is forced.
    values : mapping of str to sequence of float, or callable
        For every parameter that changes its values in the order of time, one for each step of the period: they are
        parameters of the result, ``name_1``, ``name_2``, …; or ``value(phase, **arguments)`` with the phase
        0, 1, …, period − 1, whose arguments are parameters of the result.
    period : int, optional
        How many steps the force takes; needed where there is no sequence.
    parameters : mapping of str to float, optional
        Values of the callables' arguments.
    name : str
        The result's name.

    Returns
    -------
    Map
        The composition of ``period`` maps: its fixed points are the orbits that follow the force. Derivatives are
        those of ``map``, by the chain rule; by the arguments of callables they are differences.

    Raises
    ------
    InvalidInput
        If the map has no such parameter, sequences differ in length, a callable's argument has no value, or a name of
        the result is taken twice.

    Examples
    --------
    A population whose growth rate alternates; at equal rates this is the second iterate.

    >>> import bifurcate as bf
    >>> seasons = forced(bf.maps.logistic(r=3.2), {"r": [3.0, 3.4]})
    >>> dict(seasons.parameters), seasons([0.5]).round(12)
    ({'r_1': 3.0, 'r_2': 3.4}, array([0.6375]))
    >>> swing = forced(
    ...     bf.maps.logistic(), {"r": lambda phase, mean, swing: mean + swing * (-1) ** phase},
    ...     period=2, parameters={"mean": 3.2, "swing": -0.2},
    ... )
    >>> swing([0.5]).round(12)
    array([0.6375])
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    given = check_mapping("values", values, "names of parameters and their values")
    if not given:
        raise InvalidInput("values names no parameter that changes")
    steps = _length(map, given, period)
    check_text("name", name)
    extra = {} if parameters is None else check_parameters(parameters)
    shared = {key: value for key, value in map.parameters.items() if key not in given}
    forcings = tuple(_forcing(key, value, extra) for key, value in given.items() if callable(value))
    unused = set(extra) - {argument for forcing in forcings for argument in forcing.arguments}
    if unused:
        raise InvalidInput(f"parameters name {join_names(unused)}, which no callable in values takes")
    result = dict(shared)
    stages = []
    for j in range(steps):
        own = {key: f"{key}_{j + 1}" for key, value in given.items() if not callable(value)}
        _add(result, {there: given[key][j] for key, there in own.items()})
        stages.append(Stage(map, j, (*((key, key) for key in shared), *own.items()), forcings))
    _add(result, extra)
    return _composed(tuple(stages), check_parameters(result), name or f"{map.name} under a force of period {steps}")


def _length(map: Map, given: Mapping[str, Any], period: int | None) -> int:
    """How many steps the force takes."""
    if period is not None:
        check_count("period", period)
    lengths = {}
    for key, value in given.items():
        map.require(key)
        if callable(value):
            continue
        if isinstance(value, str) or not hasattr(value, "__len__") or not all(is_real_number(each) for each in value):
            raise InvalidInput(f"the values of {key!r} are {value!r}; they must be a sequence of numbers or a function")
        lengths[key] = len(value)
    if period is not None:
        lengths["period"] = period
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        told = ", ".join(f"{key}: {length}" for key, length in lengths.items()) or "none is given"
        raise InvalidInput(f"the force must have one number of steps, of at least 1; {told}")
    return int(next(iter(lengths.values())))


def _forcing(key: str, function: Callable[..., Any], extra: Parameters) -> Forcing:
    try:
        taken = list(inspect.signature(function).parameters)[1:]
    except (TypeError, ValueError):
        taken = list(extra)
    missing = [argument for argument in taken if argument not in extra]
    if missing:
        raise InvalidInput(f"the values of {key!r} depend on {join_names(missing)}: give them in parameters={{…}}")
    return Forcing(key, function, tuple(taken))


def _add(result: dict[str, float], more: Parameters) -> None:
    for key, value in more.items():
        if key in result:
            raise InvalidInput(f"the forced map would have two parameters of the name {key!r}: rename one")
        result[key] = value


def _composed(stages: tuple[Stage, ...], parameters: Parameters, name: str) -> Map:
    """The map of a composition, with the parts that all of its maps have."""
    maps = [stage.map for stage in stages]
    is_forced = any(stage.forcings for stage in stages)
    without = {part for part in ("jacobian", "parameter_derivative") if any(getattr(m, part) is None for m in maps)}
    without |= {part for part in ("domain", "borders") if all(getattr(m, part) is None for m in maps)}
    are_given = [m.jvp is not None or m.jacobian is not None for m in maps]
    derivative = "central"
    if any(m.derivative == "central" and not given for m, given in zip(maps, are_given, strict=True)):
        without |= {"jvp", "parameter_derivative"}  # differences are taken of the whole
    elif not any(are_given) and len({m.derivative for m in maps}) == 1:
        without.add("jvp")  # complex steps, and JAX, go through all maps at once
        derivative = maps[0].derivative
    if is_forced:
        without.add("parameter_derivative")
    rule = Composition(stages)
    parts = {part: getattr(rule, part) for part in ("jvp", "jacobian", "parameter_derivative", "domain", "borders")}
    parts.update(dict.fromkeys(without))
    exact = rule.exact if any(m.exact is not None for m in maps) else None
    scale = reduce(np.maximum, [m.scale for m in maps])
    periodic = {m.periodic for m in maps}
    if len(periodic) > 1:
        raise InvalidInput(f"maps of one composition must have the same periodic coordinates, got {periodic}")
    advice = next((m.advice for m in maps if m.advice), "")
    return Map(
        rule.f,
        parameters,
        derivative=derivative,
        scale=scale,
        name=name,
        advice=advice,
        exact=exact,
        periodic=maps[0].periodic,
        noise=max((m.noise for m in maps if m.noise is not None), default=None),
        **parts,
    )
