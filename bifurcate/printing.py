"""How results print: short representations, and numbers with their errors."""

from __future__ import annotations

import importlib
import re
import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = [
    "count_labels",
    "grouped",
    "notebook_html",
    "number_text",
    "numbers_text",
    "range_text",
    "short_repr",
    "values_text",
]

LONGEST_ARRAY = 6  # numbers of an array that a representation prints: they fit a line
LONGEST_LIST = 3  # records that a representation prints one by one, and does not count
LONGEST_TEXT = 100  # characters of one field

NEXT = "\nnext: "  # before the verbs that take a result
NUMBER = r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"  # as results print them

_LIMITS = reprlib.Repr()
_LIMITS.maxstring = _LIMITS.maxother = LONGEST_TEXT


def short_repr(result: Any) -> str:
    """Represent a result by its fields, of which none prints more than fits on a line.

    Used as ``__repr__ = short_repr``. Long arrays appear as their shapes, long lists as their lengths, functions as
    their names; ``print(result)`` and the fields themselves have the rest. A class that has ``next_verbs`` names there
    what may be called with its results.

    Examples
    --------
    >>> import bifurcate as bf
    >>> bf.orbit(bf.maps.logistic(), [0.5], 1000)
    Orbit(states=<array (1000, 1)>, steps=999, end='steps')
    next: bf.plot.phase_portrait(orbits=orbit), bf.attractor_of(map, orbit.states[-1])
    """
    shown = ((each.name, getattr(result, each.name)) for each in fields(result) if each.repr)
    text = ", ".join(f"{name}={_field_text(value)}" for name, value in shown)
    following = getattr(type(result), "next_verbs", "")
    return f"{type(result).__name__}({text})" + (f"{NEXT}{following}" if following else "")


def _field_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.size > LONGEST_ARRAY:
            return f"<array {value.shape}>"
        return np.array2string(value, precision=6, separator=", ").replace("\n", "")
    if isinstance(value, np.generic):
        return f"{value.item()!r}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_field_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        if len(value) <= LONGEST_LIST or (len(value) <= LONGEST_ARRAY and all(map(_is_plain, value))):
            return "(" + ", ".join(map(_field_text, value)) + ("," if len(value) == 1 else "") + ")"
        names = "/".join(sorted({type(each).__name__ for each in value}))
        return f"<{len(value)} × {names}>"
    if callable(value) and hasattr(value, "__qualname__"):
        return str(value.__qualname__)
    if is_dataclass(value) or not _is_plain(value):
        text = repr(value)
        return " ".join(text.split()) if len(text) <= LONGEST_TEXT and NEXT not in text else f"<{type(value).__name__}>"
    return _LIMITS.repr(value)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | complex | str)


def notebook_html(result: Any) -> str:
    """What a notebook shows of a result: what ``print`` does and, where there is one, its picture.

    Used as ``_repr_html_ = notebook_html``. The room of plots is loaded when a notebook asks, not with the result.

    Examples
    --------
    >>> import bifurcate as bf
    >>> bf.orbit(bf.maps.logistic(), [0.5], 10)._repr_html_()[:39]
    '<pre>Orbit(states=&lt;array (10, 1)&gt;'
    """
    shown: str = importlib.import_module("bifurcate.plot.notebook").result_html(result)
    return shown


def number_text(value: float, error: float = 0.0, digits: int = 10) -> str:
    """A number; 0 if it is smaller than its error.

    Examples
    --------
    >>> number_text(6.696897935e-17, 2e-12), number_text(3.449489743, 2e-12)
    ('0', '3.449489743')
    """
    return "0" if abs(value) < error else f"{value:.{digits}g}"


def values_text(values: Mapping[str, float], digits: int = 6) -> str:
    """Parameters and their values, as "a = 1.4, b = 0.3"."""
    return ", ".join(f"{name} = {value:.{digits}g}" for name, value in values.items())


def grouped(texts: Iterable[str]) -> list[str]:
    """Texts of which those that differ in numbers only are one: the first of them, and how many more there are.

    Examples
    --------
    >>> grouped(["no cusp near r = 2.1", "a kink", "no cusp near r = 2.2", "no cusp near r = 2.3"])
    ['no cusp near r = 2.1 (and 2 more like it)', 'a kink']
    """
    kinds: dict[str, list[str]] = {}
    for text in texts:
        kinds.setdefault(re.sub(NUMBER, "#", text), []).append(text)
    more = {kind: f" (and {len(found) - 1} more like it)" if len(found) > 1 else "" for kind, found in kinds.items()}
    return [found[0] + more[kind] for kind, found in kinds.items()]


def numbers_text(values: Any, digits: int = 6) -> str:
    """The first numbers of an array in one line, with what is left out; complex ones whose imaginary part is 0 as real.

    Examples
    --------
    >>> numbers_text([0.5, -1.25 + 2j])
    '0.5, -1.25+2j'
    """
    flat = np.ravel(values)
    shown = [complex(each) for each in flat[:LONGEST_ARRAY]]
    words = [f"{each.real:.{digits}g}" if each.imag == 0.0 else f"{each:.{digits}g}" for each in shown]
    return ", ".join(words) + (f", … ({flat.size} numbers)" if flat.size > LONGEST_ARRAY else "")


def range_text(name: str, values: np.ndarray, special: Iterable[Any] = ()) -> str:
    """The range of a parameter along a branch, as "a from −0.1 to 2": the least and the largest value.

    Special points belong to the branch: at a fold the parameter goes further than at the points on either side of it.

    Examples
    --------
    >>> range_text("a", np.array([0.5, -0.25, 2.0]))
    'a from -0.25 to 2'
    """
    all_values = [*np.asarray(values).tolist(), *(point.parameters[name] for point in special)]
    return f"{name} from {np.min(all_values):.6g} to {np.max(all_values):.6g}"


def count_labels(labels: Iterable[str]) -> str:
    """Labels with their numbers, in the order in which they first occur, as "2 LP, 1 PD".

    Examples
    --------
    >>> count_labels(["LP", "PD", "LP"])
    '2 LP, 1 PD'
    """
    return ", ".join(f"{count} {label}" for label, count in Counter(labels).items())
