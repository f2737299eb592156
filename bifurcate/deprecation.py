"""Old spellings of the public interface. Each works for one more version, with a warning that names the new one."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

__all__ = ["old_flags", "old_keywords", "old_names", "old_parameters", "old_positions", "warn_old_name"]

P = ParamSpec("P")
T = TypeVar("T")


def warn_old_name(old: str, new: str) -> None:
    """Warn that a name is an old one; the warning points at the line that called the function calling this one.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_old_name("Step.node", "Step.point")
    >>> str(caught[0].message)
    'Step.node is an old spelling and will go; write Step.point'
    """
    # 1 is this line, 2 the deprecated function or wrapper, 3 the user's line that called it.
    warnings.warn(f"{old} is an old spelling and will go; write {new}", DeprecationWarning, stacklevel=3)


def old_positions(*names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take arguments by position, with a warning, that are keyword-only in its new signature.

    Parameters
    ----------
    names : str
        The arguments that used to be positional, in their old order.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> @old_positions("period")
    ... def cycle(map, *, period=1):
    ...     return period
    >>> cycle("logistic", period=2)
    2
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
        allowed = sum(kind is not inspect.Parameter.KEYWORD_ONLY for kind in kinds)
        allowed -= inspect.Parameter.VAR_KEYWORD in kinds

        @functools.wraps(function)
        def wrapper(*given: P.args, **named: P.kwargs) -> T:
            extra = given[allowed:]
            if extra and len(extra) <= len(names):
                taken = names[: len(extra)]
                if not set(taken) & set(named):
                    form = ", ".join(f"{name}=…" for name in taken)
                    warn_old_name(f"{function.__name__}(…) with {len(given)} positional arguments", form)
                    call: Callable[..., T] = function
                    return call(*given[:allowed], **{**named, **dict(zip(taken, extra, strict=True))})
            return function(*given, **named)

        return wrapper

    return decorate


def old_keywords(**renamed: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take keyword arguments by their old names, with a warning.

    Parameters
    ----------
    **renamed : str
        The new name of each old one.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> @old_keywords(most="max_branches")
    ... def explore(curve, *, max_branches=200):
    ...     return max_branches
    >>> explore("curve", max_branches=3)
    3
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*given: P.args, **named: P.kwargs) -> T:
            for old, new in renamed.items():
                if old in named and new not in named:
                    warn_old_name(f"{function.__name__}({old}=…)", f"{new}=…")
                    named[new] = named.pop(old)
            return function(*given, **named)

        return wrapper

    return decorate


def old_parameters(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function take a map's parameters as keyword arguments, with a warning, instead of ``parameters={…}``.

    A keyword that names an argument of the function itself is that argument, as it always was.

    Examples
    --------
    >>> @old_parameters
    ... def orbit(map, start, *, parameters=None):
    ...     return parameters
    >>> orbit("logistic", [0.3], parameters={"r": 3.2})
    {'r': 3.2}
    """
    own = set(inspect.signature(function).parameters)

    @functools.wraps(function)
    def wrapper(*given: P.args, **named: P.kwargs) -> T:
        values = {name: named.pop(name) for name in list(named) if name not in own}
        if values:
            form = ", ".join(f"{name!r}: …" for name in values)
            warn_old_name(f"{function.__name__}({', '.join(f'{name}=…' for name in values)})", f"parameters={{{form}}}")
            given_values = named.get("parameters")
            named["parameters"] = {**(given_values if isinstance(given_values, Mapping) else {}), **values}
        return function(*given, **named)

    return wrapper


def old_flags(**methods: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a method take flags, with a warning, each of which has become a method of its own.

    Parameters
    ----------
    **methods : str
        For every old flag the method that does what the flag asked for.

    Returns
    -------
    callable
        A decorator. Flags were last by position, in this order.

    Examples
    --------
    >>> class Network:
    ...     @old_flags(reduced="reduced_equilibrium")
    ...     def equilibrium(self):
    ...         return "W"
    ...     def reduced_equilibrium(self):
    ...         return "y"
    >>> Network().equilibrium()
    'W'
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        allowed = len(inspect.signature(function).parameters)

        @functools.wraps(function)
        def wrapper(*given: P.args, **named: P.kwargs) -> T:
            flags = dict(zip(methods, given[allowed:], strict=False))
            flags.update({name: named.pop(name) for name in methods if name in named})
            if not flags or len(given) > allowed + len(methods):
                return function(*given, **named)
            asked = next((methods[name] for name, value in flags.items() if value), function.__name__)
            form = ", ".join(f"{name}={value}" for name, value in flags.items())
            warn_old_name(f"{function.__name__}({form})", f"{asked}()")
            call: Callable[..., T] = function if asked == function.__name__ else getattr(given[0], asked)
            return call(*given[1 if asked != function.__name__ else 0 : allowed], **named)

        return wrapper

    return decorate


def old_names(module: str, renamed: Mapping[str, tuple[str, Any]]) -> Callable[[str], Any]:
    """A ``__getattr__`` for a module, which finds what it offers under old names, with a warning.

    Parameters
    ----------
    module : str
        The module's public name, as "bifurcate.gradient".
    renamed : mapping of str to (str, object)
        For each old name: the new name, and the object.

    Returns
    -------
    callable
        The module assigns it to ``__getattr__``.

    Examples
    --------
    >>> look_up = old_names("bifurcate.gradient", {"Cycle": ("CouplingCycle", int)})
    >>> look_up("nothing")
    Traceback (most recent call last):
        ...
    AttributeError: module 'bifurcate.gradient' has no attribute 'nothing'
    """

    def look_up(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new, value = renamed[name]
        warnings.warn(f"{module}.{name} is an old name and will go; write {new}", DeprecationWarning, stacklevel=2)
        return value

    return look_up
