"""What a map is made of, checked once: its state, its parameters, the arguments of its function."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.validation import as_floats, check_mapping, check_text, is_real_number, shown

__all__ = ["are_alike", "as_numbers", "check_noise", "check_parameters", "check_signature", "check_state", "join_names"]


def check_state(x: Any) -> NDArray[np.float64]:
    """A copy of the state given, as a finite array of floats with at least one entry.

    Raises
    ------
    InvalidInput
        If it is anything else.

    Examples
    --------
    >>> check_state([1, 2])
    array([1., 2.])
    """
    try:
        state = as_floats(x)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"a state must be an array of real numbers, got {shown(x)}") from error
    if state.size == 0:
        raise InvalidInput("a state must have at least one number, got an empty array")
    if not np.isfinite(state).all():
        raise InvalidInput(f"the state given has {int((~np.isfinite(state)).sum())} entries that are NaN or infinite")
    return state


def check_parameters(parameters: Any) -> dict[str, float]:
    """A copy of the parameters given: names and finite real numbers.

    Raises
    ------
    InvalidInput
        If it is no mapping, or a value is no finite real number.

    Examples
    --------
    >>> check_parameters({"r": 3})
    {'r': 3.0}
    """
    checked: dict[str, float] = {}
    for name, value in check_mapping("parameters", parameters, "names and values, as {'a': 1.4, 'b': 0.3}").items():
        check_text("a parameter's name", name)
        if not is_real_number(value):
            vector = isinstance(value, list | tuple | np.ndarray)
            hint = "; give each of its numbers a name of its own: f(x, a, b) and {'a': …, 'b': …}" if vector else ""
            raise InvalidInput(f"parameter {name!r} is {shown(value)}; it must be a finite real number{hint}")
        checked[name] = float(value)
    return checked


def check_noise(noise: Any) -> None:
    """Refuse a level of noise that is neither None nor a number from 0 to less than 1.

    Raises
    ------
    InvalidInput
        If it is anything else.

    Examples
    --------
    >>> check_noise(1e-8)
    """
    if noise is not None and not (is_real_number(noise) and 0.0 <= noise < 1.0):
        raise InvalidInput(
            f"noise is {shown(noise)}; it must be a number from 0 to less than 1 (the size of the errors of f's "
            "values, in units of the state) or None"
        )


def are_alike(a: Any, b: Any) -> bool:
    """True if two fields of maps hold the same numbers or words.

    Examples
    --------
    >>> are_alike((1.0, None), (1.0, None)), are_alike(1.0, 2.0), are_alike(abs, abs)
    (True, False, False)
    """
    if callable(a) or callable(b):
        return False
    return bool(np.shape(a) == np.shape(b) and np.all(np.asarray(a == b)))


def as_numbers(name: str, value: Any) -> Any:
    """A number as a float, or an array of them; refused if it is anything else.

    Examples
    --------
    >>> float(as_numbers("r", 3))
    3.0
    """
    try:
        return as_floats(value)[()]
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{name} is {shown(value)}; it must be made of real numbers") from error


def check_signature(f: Callable[..., Any], parameters: Mapping[str, float]) -> None:
    """Refuse parameters that f does not take, and an f that asks for others.

    Functions without a signature, as some builtins are, pass.

    Raises
    ------
    InvalidInput
        In either case.

    Examples
    --------
    >>> check_signature(lambda x, r: r * x, {"r": 2.0})
    """
    try:
        taken = list(inspect.signature(f).parameters.values())[1:]
    except (TypeError, ValueError):
        return
    if any(p.kind is p.VAR_KEYWORD for p in taken):
        return
    names = {p.name for p in taken if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    for name in parameters:
        if name not in names:
            hint = ""
            is_mistyped = bool(difflib.get_close_matches(name, names, 1))
            if len(names) == 1 and not names & set(parameters) and not is_mistyped:
                (vector,) = names
                form = f"f(x, {', '.join(parameters)})"
                hint = f". If {vector} holds all of them: parameters have names here; write {form}"
            raise InvalidInput(f"parameter {name!r} is not an argument of f, which takes {join_names(names)}{hint}")
    for p in taken:
        if p.default is p.empty and p.name in names and p.name not in parameters:
            raise InvalidInput(
                f"f takes a parameter {p.name!r} for which no value is given (parameters: {join_names(parameters)})"
            )


def join_names(names: Iterable[str]) -> str:
    """The names in alphabetical order, for a message.

    Examples
    --------
    >>> join_names({"b": 0.3, "a": 1.4}), join_names([])
    ('a, b', 'none')
    """
    return ", ".join(sorted(names)) or "none"
