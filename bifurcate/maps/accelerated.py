"""Functions of a map that is written in jax.numpy, compiled by JAX in double precision, and their derivatives.

A map with ``accelerate=True`` holds its f as a :class:`CompiledFunction`. To the rest of the package that is a function
of NumPy arrays like any other; what knows of it (orbits, ensembles, exponents, batches of Newton's method) compiles
whole loops round ``function`` instead of calling it from Python.

Double precision is switched on for each call and for its thread alone (``jax.enable_x64`` as a context), so that no
setting of the process changes. A function that computes in single precision all the same, with constants that were made
before, is refused: its jaxpr shows them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, InvalidInput, MapFailed
from bifurcate.storage.pickling import Portable

__all__ = [
    "CompiledFunction",
    "CompiledProduct",
    "CompiledSlope",
    "InDoublePrecision",
    "accelerated_parts",
    "double_precision",
    "import_jax",
    "run",
    "traced",
    "user_function",
]

Array = NDArray[np.float64]
Parameters = Mapping[str, Any]

# Types that keep fewer digits than a double: where one occurs in f, so do errors of 1e-7 and more.
SINGLE = ("float32", "float16", "bfloat16", "complex64")

# Functions whose compiled programs are kept: each is a few hundred kilobytes of machine code.
KEPT_FUNCTIONS = 64
# Programs of one function that are kept: value, derivatives and loops, and the slopes by its parameters.
KEPT_PROGRAMS = 256


def import_jax() -> Any:
    """JAX, or InvalidInput that says how to get it."""
    try:
        import jax
    except ImportError as error:
        raise InvalidInput('accelerate=True needs JAX: pip install "bifurcate[jax]"') from error
    return jax


def double_precision() -> AbstractContextManager[Any]:
    """Within it, JAX computes in double precision in this thread."""
    jax = import_jax()
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)  # type: ignore[no-any-return]
    from jax.experimental import enable_x64

    return enable_x64(True)  # type: ignore[no-any-return]


def user_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the user wrote, of a function that was compiled or is called in double precision."""
    return function.function if isinstance(function, CompiledFunction | InDoublePrecision) else function


def run(program: Callable[..., Any], what: str, *given: Any) -> Any:
    """The value of a compiled program as NumPy arrays, computed in double precision.

    Raises
    ------
    InvalidInput
        If a function in it cannot be compiled.
    MapFailed
        If JAX fails when it runs: memory does not suffice, say.
    """
    jax = import_jax()
    try:
        with double_precision():
            found = program(*given)
            return tuple(np.asarray(each) for each in found) if isinstance(found, tuple) else np.asarray(found)
    except BifurcateError:
        raise
    except _runtime_error(jax) as error:
        raise MapFailed(f"JAX failed to run {what}: {_first_words(error)}") from None
    except Exception as error:  # what f raises when it is traced may be anything
        raise InvalidInput(
            f"{what} cannot be compiled by JAX ({type(error).__name__}: {_first_words(error)}); write it in jax.numpy, "
            "with jax.numpy.where in place of if, and without float() of states and parameters, or leave accelerate out"
        ) from None


def _runtime_error(jax: Any) -> type[Exception]:
    """What JAX raises when a compiled program fails; before 0.4.31 it has no public name, and is a RuntimeError."""
    found: type[Exception] = getattr(jax.errors, "JaxRuntimeError", RuntimeError)
    return found


def _first_words(error: Exception) -> str:
    """The first sentence of an error message, on one line."""
    line = next((each for each in str(error).splitlines() if each.strip()), "no message")
    return line.split(". ")[0].strip().rstrip(".:")


def traced(function: Callable[..., Any], what: str) -> Callable[[Any, Parameters], Any]:
    """``(x, parameters)`` ↦ f as a double precision array, for use within programs.

    Raises
    ------
    InvalidInput
        When it is traced, if f returns another shape or single precision.
    """
    jax = import_jax()

    def value(x: Any, p: Parameters) -> Any:
        y = jax.numpy.asarray(function(x, **p))
        _check_result(y, x, what)
        return y if y.dtype.kind in "fc" else y.astype(float)

    return value


def _check_result(y: Any, x: Any, what: str) -> None:
    """Refuse another shape than that of the state, and single precision."""
    if y.shape != x.shape:
        raise InvalidInput(f"{what} maps a state of shape {x.shape} to shape {y.shape}; they must agree")
    if y.dtype.name in SINGLE:
        raise InvalidInput(single_words(what, y.dtype.name))


def single_words(what: str, name: str) -> str:
    """What is said of a function that computes in single precision."""
    return (
        f"{what} computes in single precision ({name}), which keeps 7 digits: make its constants with NumPy, not with "
        "jax.numpy, and leave dtype out"
    )


@functools.lru_cache(maxsize=KEPT_FUNCTIONS)
def _programs_of(function: Callable[..., Any]) -> dict[Any, Any]:
    """The programs of a function, by what they compute."""
    return {}


def program_of(function: Callable[..., Any], key: Any, make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """A compiled program of a function: made when it is first asked for, and kept."""
    try:
        programs = _programs_of(function)
    except TypeError:  # it has no hash: its programs are compiled each time
        programs = {}
    if key not in programs:
        if len(programs) >= KEPT_PROGRAMS:
            programs.clear()
        programs[key] = import_jax().jit(make())
    return programs[key]  # type: ignore[no-any-return]


def _dtypes_in(jaxpr: Any) -> Iterator[str]:
    """The types of all numbers in a jaxpr and in those within it."""
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    for each in (*inner.constvars, *inner.invars):
        yield each.aval.dtype.name
    for equation in inner.eqns:
        for each in (*equation.invars, *equation.outvars):
            yield getattr(getattr(each, "aval", None), "dtype", np.dtype(float)).name
        for value in equation.params.values():
            for part in value if isinstance(value, tuple | list) else (value,):
                if hasattr(part, "eqns") or hasattr(getattr(part, "jaxpr", None), "eqns"):
                    yield from _dtypes_in(part)


@dataclass(frozen=True, eq=False)
class CompiledFunction(Portable):
    """f of a map, compiled: called with NumPy arrays, it returns NumPy arrays in double precision.

    Attributes
    ----------
    function : callable
        ``function(x, **parameters)``, written in jax.numpy or in operators that JAX traces.
    """

    function: Callable[..., Any]

    @property
    def __name__(self) -> str:
        """The name of the function, for messages."""
        return str(getattr(self.function, "__name__", "f")).replace("<lambda>", "f")

    def __call__(self, x: Any, **parameters: Any) -> Any:
        """f at a state; what is no array of numbers, as balls of a proof are, the function itself is called with."""
        x = np.asarray(x)
        if x.dtype.kind not in "fiubc" or not _are_numbers(parameters):
            return self.function(x, **parameters)
        if any(np.ndim(value) for value in parameters.values()):  # a batch, as f itself takes it
            return run(self._batch_program(tuple(parameters)), self.__name__, x, *parameters.values())
        return self.run("value", self._value, x, p=parameters)

    def run(self, key: Any, make: Callable[[Any], Callable[..., Any]], *given: Any, p: Parameters) -> Any:
        """The value of a program ``make(f)(*given, p)``, of f(x, p) as it is traced; p holds numbers.

        Parameters
        ----------
        key : hashable
            What the program computes: it is made once.
        make : callable
        given : tuple of ndarray
        p : mapping of str to float
            All parameters: packed into one array, since each argument takes microseconds.
        """
        names, name = tuple(p), self.__name__

        def packed() -> Callable[..., Any]:
            inner = make(traced(self.function, name))
            return lambda *arguments: inner(*arguments[:-1], dict(zip(names, arguments[-1])))

        program = program_of(self.function, (key, names), packed)
        return run(program, name, *given, np.array([*p.values()], dtype=float))

    def _value(self, f: Callable[[Any, Parameters], Any]) -> Callable[..., Any]:
        def value(x: Any, p: Parameters) -> Any:
            single = set(_dtypes_in(import_jax().make_jaxpr(f)(x, p))) & set(SINGLE)
            if single:
                raise InvalidInput(single_words(self.__name__, min(single)))
            return f(x, p)

        return value

    def _batch_program(self, names: tuple[str, ...]) -> Callable[..., Any]:
        def make() -> Callable[..., Any]:
            return lambda x, *values: import_jax().numpy.asarray(self.function(x, **dict(zip(names, values))))

        return program_of(self.function, ("batch", names), make)

    def jacobian(self, x: Array, p: Parameters) -> Array:
        """The Jacobian on the flattened state, shape (n, n), by forward mode."""

        def make(f: Callable[[Any, Parameters], Any]) -> Callable[..., Any]:
            return lambda x, p: import_jax().jacfwd(f)(x, p).reshape(x.size, x.size)

        return self.run("jacobian", make, x, p=p)  # type: ignore[no-any-return]


def _are_numbers(parameters: Parameters) -> bool:
    return all(isinstance(value, float | int) or hasattr(value, "dtype") for value in parameters.values())


@dataclass(frozen=True, eq=False)
class CompiledProduct(Portable):
    """The derivative of a compiled f in a direction: ``jvp`` of its map.

    Attributes
    ----------
    f : CompiledFunction
    """

    f: CompiledFunction

    def __call__(self, x: Any, v: Any, **parameters: Any) -> Any:
        """d/dt f(x + t v) at t = 0."""

        def make(f: Callable[[Any, Parameters], Any]) -> Callable[..., Any]:
            return lambda x, v, p: import_jax().jvp(lambda y: f(y, p), (x,), (v,))[1]

        return self.f.run("jvp", make, np.asarray(x, dtype=float), np.asarray(v, dtype=float), p=parameters)


@dataclass(frozen=True, eq=False)
class CompiledSlope(Portable):
    """The derivative of a compiled f by a parameter: ``parameter_derivative`` of its map.

    Attributes
    ----------
    f : CompiledFunction
    """

    f: CompiledFunction

    def __call__(self, x: Any, name: str, /, **parameters: Any) -> Any:
        """∂f/∂name."""

        def make(f: Callable[[Any, Parameters], Any]) -> Callable[..., Any]:
            return slope_by(f, name)

        return self.f.run(("slope", name), make, np.asarray(x, dtype=float), p=parameters)


def slope_by(f: Callable[[Any, Parameters], Any], name: str) -> Callable[[Any, Parameters], Any]:
    """(x, p) ↦ ∂f/∂name, within programs."""

    def slope(x: Any, p: Parameters) -> Any:
        jax = import_jax()
        here = jax.numpy.asarray(p[name], dtype=float)
        one = jax.numpy.ones_like(here)
        return jax.jvp(lambda value: f(x, {**p, name: value}), (here,), (one,))[1]

    return slope


@dataclass(frozen=True, eq=False)
class InDoublePrecision(Portable):
    """Another part of an accelerated map, called as it is but in double precision, where it may use jax.numpy.

    Attributes
    ----------
    function : callable
    """

    function: Callable[..., Any]

    def __call__(self, *given: Any, **parameters: Any) -> Any:
        """Its value; as a NumPy array if it is one of JAX."""
        with double_precision():
            value = self.function(*given, **parameters)
        return np.asarray(value) if type(value).__module__.startswith("jax") else value


def accelerated_parts(given: Mapping[str, Any], accelerate: bool) -> dict[str, Any]:
    """The functions of a map as it holds them: compiled if it is accelerated, else as the user wrote them.

    Parameters
    ----------
    given : mapping of str to (callable or None)
        f, jvp, jacobian, parameter_derivative, domain and borders. Derivatives that were compiled before are no part of
        what the user gave; they are made anew, of f.
    accelerate : bool

    Examples
    --------
    >>> f = lambda x, r: r * x
    >>> sorted(accelerated_parts({"f": CompiledFunction(f), "jvp": None}, False).items()) == [("f", f), ("jvp", None)]
    True
    """
    derived = CompiledProduct | CompiledSlope
    own = {
        name: None if part is None or isinstance(part, derived) else user_function(part) for name, part in given.items()
    }
    if not accelerate:
        return own
    f = given["f"]
    if not isinstance(f, CompiledFunction):
        f = CompiledFunction(user_function(f))
    made: dict[str, Any] = {
        name: InDoublePrecision(part) if part is not None else None for name, part in own.items() if name != "f"
    }
    made["f"] = f
    if own.get("jvp") is None and own.get("jacobian") is None:
        made["jvp"] = CompiledProduct(f)
    if own.get("parameter_derivative") is None:
        made["parameter_derivative"] = CompiledSlope(f)
    return made
