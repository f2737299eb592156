"""Observables: the number that is drawn, or sampled, of a state."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.maps.calls import REAL_KINDS, call
from bifurcate.validation import is_whole_number, shown

__all__ = ["Observable", "as_observable", "observable_name"]

Observable: TypeAlias = Callable[..., float] | int | str

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def as_observable(observable: Observable, parameters: Iterable[str]) -> Callable[..., Any]:
    """Make a function of (x, **parameters) of what a user gives as an observable.

    Parameters
    ----------
    observable : callable, int or "norm"
        A function of the state and of all, some or none of the parameters by their names; the number of a component of
        the flattened state; or its Euclidean norm.
    parameters : iterable of str
        The map's parameters.

    Returns
    -------
    callable
        ``observable(x, **parameters)``.

    Raises
    ------
    InvalidInput
        If it is none of these, or needs an argument that is no parameter.

    Examples
    --------
    >>> float(as_observable(lambda x: x[0] ** 2, ["r"])(np.array([3.0]), r=2.5))
    9.0
    >>> as_observable("norm", ["r"])(np.array([3.0, 4.0]), r=2.5)
    5.0
    """
    if isinstance(observable, str) and observable == "norm":
        return lambda x, **_: float(np.linalg.norm(np.ravel(x)))
    function = _function_of(observable, parameters)

    def observed(x: Any, **p: Any) -> Any:
        value = call(function, "the observable", x, **p)
        if np.asarray(value).dtype.kind not in REAL_KINDS:
            raise MapFailed(f"the observable returned {shown(value)}; it must return a real number")
        return value

    return observed


def _function_of(observable: Observable, parameters: Iterable[str]) -> Callable[..., Any]:
    if is_whole_number(observable):
        number = int(observable)  # type: ignore[arg-type]  # a whole number, as was just found
        return lambda x, **_: np.ravel(x)[number]
    if not callable(observable):
        raise InvalidInput(
            f'observable is {observable!r}; a function of x, or of x and parameters, a component\'s number, or "norm"'
        )
    return _with_its_parameters(observable, list(parameters))


def _with_its_parameters(function: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    try:
        taken = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return function  # without a signature, as some builtins: it is called with all parameters
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken):
        return function
    rest = taken[1:] if taken and taken[0].kind in _POSITIONAL else taken
    missing = [
        each.name
        for each in rest
        if each.name not in names and each.default is each.empty and each.kind is not inspect.Parameter.VAR_POSITIONAL
    ]
    if missing:
        raise InvalidInput(
            f"observable takes {', '.join(missing)}, but the map's parameters are {', '.join(names) or 'none'}"
        )
    wanted = [each.name for each in rest if each.name in names]
    if len(wanted) == len(names):
        return function
    return lambda x, **p: function(x, **{name: p[name] for name in wanted})


def observable_name(observable: Observable) -> str:
    """A label of an axis for an observable; empty for functions."""
    if isinstance(observable, str):
        return "‖x‖"
    return "" if callable(observable) else f"component {observable}"
