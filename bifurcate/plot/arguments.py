"""What plots ask of their arguments: one check a kind of argument, and a decorator that applies them by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.artist import ArtistInspector
from matplotlib.axes import Axes
from matplotlib.cbook import normalize_kwargs
from matplotlib.colors import Colormap, is_color_like
from matplotlib.lines import Line2D

from bifurcate.bifurcations.kinds import find_kind
from bifurcate.errors import InvalidInput
from bifurcate.validation import (
    check_array,
    check_choice,
    check_count,
    check_flag,
    check_instance,
    check_number,
    check_sequence,
    check_text,
    shown,
)

__all__ = [
    "amount",
    "axes",
    "checked",
    "choice",
    "colour_like",
    "colour_map",
    "count",
    "finite_array",
    "flag",
    "flag_or",
    "instance",
    "instances",
    "kind_names",
    "label_of_each",
    "line_style",
    "names",
    "optional",
    "text",
]

P = ParamSpec("P")
R = TypeVar("R")
# The names by which the house's styles know properties of lines, so that those given replace the house's.
SHORT_NAMES = {
    "linestyle": "ls",
    "linewidth": "lw",
    "markersize": "ms",
    "markeredgecolor": "mec",
    "markeredgewidth": "mew",
    "markerfacecolor": "mfc",
}

Check = Callable[[str, Any], Any]  # the name and the value → the value to go on with, or InvalidInput


def checked(**checks: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Check arguments by name before a function is called, each by what its check makes of it.

    Examples
    --------
    >>> draw = checked(size=amount(0.0))(lambda size=1: size)
    >>> draw(2)
    2.0
    >>> draw("large")
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: size is 'large'; it must be a finite real number of at least 0
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs)
            for name in given.arguments.keys() & checks.keys():
                given.arguments[name] = checks[name](name, given.arguments[name])
            return function(*given.args, **given.kwargs)

        return wrapper

    return decorate


def text(name: str, value: Any) -> str:
    """A text."""
    return check_text(name, value)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    return check_flag(name, value)


def flag_or(word: str) -> Check:
    """True, False, or a word."""

    def check(name: str, value: Any) -> Any:
        if not (isinstance(value, str) and value == word):
            check_flag(name, value)
        return value

    return check


def choice(*words: str) -> Check:
    """One of several words."""

    def check(name: str, value: Any) -> Any:
        check_choice(name, value, words)
        return value

    return check


def axes(name: str, value: Any) -> Any:
    """Matplotlib's axes, or None."""
    if value is not None:
        check_instance(name, value, Axes, "plt.subplots() makes them")
    return value


def amount(least: float = -float("inf"), most: float = float("inf")) -> Check:
    """A number from ``least`` to ``most``."""
    return lambda name, value: check_number(name, value, least, most)


def count(least: int, most: int | None = None) -> Check:
    """A whole number from ``least`` to ``most``."""
    return lambda name, value: check_count(name, value, least, most)


def optional(check: Check) -> Check:
    """None, or what passes a check."""
    return lambda name, value: None if value is None else check(name, value)


def finite_array(name: str, value: Any) -> Any:
    """An array of finite real numbers."""
    return check_array(name, value)


def instance(kind: type, advice: str) -> Check:
    """An object of a type."""

    def check(name: str, value: Any) -> Any:
        check_instance(name, value, kind, advice)
        return value

    return check


def instances(kind: type, advice: str) -> Check:
    """An object of a type, or a sequence of them; a sequence becomes a list."""

    def check(name: str, value: Any) -> Any:
        if isinstance(value, kind):
            return value
        found = check_sequence(name, value, f"{kind.__name__} objects")
        for each in found:
            check_instance(f"an entry of {name}", each, kind, advice)
        return found

    return check


def names(name: str, value: Any) -> Mapping[str, str] | None:
    """A dict of texts, or None."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for pair in value.items() for each in pair):
        raise InvalidInput(f"{name} is {shown(value)}; it must be a dict of texts, as {{'alpha': 'α'}}")
    return value


def kind_names(name: str, value: Any) -> list[str]:
    """Names or labels of kinds of special points, as their names."""
    return [find_kind(each).name for each in check_sequence(name, value, "names of kinds")]


def colour_like(name: str, value: Any) -> Any:
    """A colour."""
    if not is_color_like(value):
        raise InvalidInput(f"{name} is {shown(value)}; it must be a colour that Matplotlib knows")
    return value


def colour_map(name: str, value: Any) -> Any:
    """The name of a colour map, a colour map, or None."""
    if value is not None and not isinstance(value, Colormap):
        check_choice(name, value, list(matplotlib.colormaps))
    return value


def label_of_each(check: Check) -> Check:
    """One value that passes a check, or a sequence of such values; a sequence becomes a list."""

    def one_or_more(name: str, value: Any) -> Any:
        if isinstance(value, str) or not isinstance(value, Iterable):
            return check(name, value)
        return [check(f"an entry of {name}", each) for each in check_sequence(name, value, "values")]

    return one_or_more


def line_style(name: str, value: Any) -> Any:
    """Properties of a line, as ``{"lw": 2}``, by the names that the house's own styles use, or None."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{name} is {shown(value)}; it must be a dict of Matplotlib's line properties")
    inspector = ArtistInspector(Line2D)
    known = set(inspector.get_setters()).union(*inspector.aliasd.values())
    for key in value:
        check_choice(f"a property in {name}", key, sorted(known))
    try:
        Line2D([], [], **value)
        full = normalize_kwargs(dict(value), Line2D)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidInput(f"{name} is {shown(value)}: {error}") from error
    return {SHORT_NAMES.get(key, key): each for key, each in full.items()}
