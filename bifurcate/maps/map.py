"""Map: a function with named parameters, its derivatives and where it is defined: the one thing that a user brings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.maps.accelerated import accelerated_parts, user_function
from bifurcate.maps.calls import call, evaluate
from bifurcate.maps.checks import are_alike, as_numbers, check_noise, check_parameters, check_signature, join_names
from bifurcate.maps.derivatives import METHODS, directional_derivative
from bifurcate.maps.given_parts import multiply_jacobian
from bifurcate.maps.map_check import check_at
from bifurcate.maps.noise import Precision
from bifurcate.maps.periodic_coordinates import check_periods, near
from bifurcate.maps.rule import PARTS, Rule
from bifurcate.printing import values_text
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_choice, check_flag, check_positive, check_sequence, check_text, shown

__all__ = ["Map"]

Array = NDArray[np.float64]

# Fields in which a map may differ from the one that a file was made with: they change no number of it. The noise may
# have been measured since.
SET_FREELY = ("parameters", "at", "name", "advice", "noise")


@dataclass(frozen=True, eq=False)
class Map(Portable):
    """A discrete map x ↦ f(x, **parameters) on states of any shape, with what is known of it.

    A Map is frozen: :meth:`replace` returns a new one. Derivatives that are not given are taken by the method that
    ``derivative`` names.

    Parameters
    ----------
    f : callable
        ``f(x, **parameters)`` returns a real array of x's shape. It must not change x.
    parameters : mapping of str to float
        The parameters' names, as f takes them, and their values.
    jvp : callable, optional
        ``jvp(x, v, **parameters)``: the derivative of f at x in the direction v, of x's shape.
    jacobian : callable, optional
        ``jacobian(x, **parameters)``: the n × n Jacobian on the flattened state, as an ndarray, a sparse matrix,
        a LinearOperator, a :class:`~bifurcate.linalg.ShiftedLowRank` or a :class:`~bifurcate.linalg.DiagonalLowRank`.
    parameter_derivative : callable, optional
        ``parameter_derivative(x, name, **parameters)``: ∂f/∂name, of x's shape. Differences if not given.
    domain : callable, optional
        ``domain(x, **parameters)``: margins (any shape) that are all positive where f is defined. No solver takes a
        step to a state where one is ≤ 0; a branch that runs up to such a state ends there, with a special point "pole".
    borders : callable, optional
        ``borders(x, **parameters)``: switching functions (any fixed shape). A branch on which one changes sign
        reports a special point "border": f has a kink there and its multipliers may jump.
    derivative : {"central", "complex", "jax"}
        How derivatives are taken that are not given: five-point central differences; complex steps (f must accept
        complex states); forward-mode JAX (f must be written in jax.numpy).
    scale : float
        A typical magnitude of the state, in its unit: the unit of difference steps and of distances along a branch.
    at : array_like, optional
        A state at which the map is checked when it is made; see :meth:`check`. Every function that takes a state checks
        the map there anyway.
    name : str
        The map's name in tables and error messages; by default that of f.
    advice : str
        What error messages advise where the map's solutions are not isolated.
    exact : callable, optional
        ``exact(x, **parameters)``: f as a plain formula in NumPy arithmetic on an array of objects, for proofs about a
        map whose f is not one itself. It is compared with f before it is used; see :func:`bifurcate.prove`.
    noise : float, optional
        Size of the errors of f's values, in units of max(scale, ‖x‖_∞), where they are larger than rounding: 1e-8 for
        an ODE solved to that. Difference steps, tolerances and claimed errors follow it. By default f counts as exact
        to rounding, unless :func:`bifurcate.trace` notices noise; 0 says that it is.
    periodic : float or tuple of (float or None), optional
        Periods of the coordinates that live on a circle, in the order of the flattened state, as ``(2 * np.pi, None)``.
        States that differ by whole periods are one: cycles may wind, f^k(x) = x + whole periods. f may return such a
        coordinate reduced or not.
    accelerate : bool
        Let JAX compile f, which is written in jax.numpy then: f itself, its derivatives, orbits, ensembles, Lyapunov
        exponents and batches of Newton's method, in double precision, on a GPU where JAX has one. Derivatives that are
        not given are JAX's. It needs ``bifurcate[jax]``.

    Raises
    ------
    InvalidInput
        If a parameter is unknown to f, missing, or not a finite real number; if an argument is of the wrong type; for
        ``at``, if :meth:`check` refuses the map there.

    Examples
    --------
    >>> logistic = Map(lambda x, r: r * x * (1 - x), parameters={"r": 2.5})
    >>> float(logistic(0.5))
    0.625
    >>> logistic.replace(r=4.0).parameters["r"]
    4.0
    """

    f: Callable[..., Any]
    parameters: Mapping[str, float]
    jvp: Callable[..., Any] | None = None
    jacobian: Callable[..., Any] | None = None
    parameter_derivative: Callable[..., Any] | None = None
    domain: Callable[..., Any] | None = None
    borders: Callable[..., Any] | None = None
    derivative: str = "central"
    scale: float = 1.0
    at: Any = None
    name: str = ""
    advice: str = ""
    exact: Callable[..., Any] | None = None
    periodic: Any = None
    noise: float | None = None
    accelerate: bool = False

    def __post_init__(self) -> None:
        if not callable(self.f):
            raise InvalidInput(f"f must be callable as f(x, **parameters), got {type(self.f).__name__}")
        for name in (*PARTS, "exact"):
            given = getattr(self, name)
            if given is not None and not callable(given):
                raise InvalidInput(f"{name} must be callable or None, got {type(given).__name__}")
        check_choice("derivative", self.derivative, METHODS)
        check_flag("accelerate", self.accelerate)
        for name in ("name", "advice"):
            check_text(name, getattr(self, name))
        check_positive("scale", self.scale)
        check_noise(self.noise)
        object.__setattr__(self, "periodic", check_periods(self.periodic))
        object.__setattr__(self, "parameters", MappingProxyType(check_parameters(self.parameters)))
        object.__setattr__(self, "name", self.name or getattr(self.f, "__name__", "map").replace("<lambda>", "map"))
        check_signature(user_function(self.f), self.parameters)
        given = {part: getattr(self, part) for part in ("f", *PARTS)}
        for part, function in accelerated_parts(given, self.accelerate).items():
            object.__setattr__(self, part, function)
        if self.at is not None:
            self.check(self.at)

    def __repr__(self) -> str:
        parts = [part for part in (*PARTS, "exact") if part != "f" and getattr(self, part) is not None]
        derivatives = f"; with {', '.join(parts)}" if parts else f"; derivatives by {self.derivative} differences"
        if not parts and self.derivative != "central":
            derivatives = f"; derivatives by {self.derivative}"
        if self.accelerate:
            derivatives = "; compiled by JAX"
        return (
            f"<Map {self.name}: {values_text(self.parameters)}{derivatives}>\n"
            "next: bf.solve(map, guess), bf.cycles(map, free, guess), bf.orbit(map, start, steps)"
        )

    def _restored(self, name: str, value: Any) -> Any:
        return MappingProxyType(value) if name == "parameters" else value

    @classmethod
    def from_rule(
        cls,
        rule: Rule,
        parameters: Mapping[str, float],
        *,
        without: Collection[str] = (),
        scale: float = 1.0,
        name: str = "",
        advice: str = "",
    ) -> Map:
        """Make the map of a rule: of an object whose methods are f and what else a map may have.

        Parameters
        ----------
        rule : Rule
            An object with the attributes f, jvp, jacobian, parameter_derivative, domain and borders. All but f may be
            None.
        parameters : mapping of str to float
            The parameters' names and values.
        without : collection of str
            Parts of the rule that the map leaves out, as ``("jacobian",)`` for a map that is solved by products only.
        scale, name, advice
            As for :class:`Map`.

        Returns
        -------
        Map

        Raises
        ------
        InvalidInput
            If ``without`` names what is no part of a map, or for any reason of :class:`Map`.

        Examples
        --------
        >>> henon = Map(lambda z, a: np.array([1 - a * z[0] ** 2 + z[1], 0.3 * z[0]]), {"a": 1.4}, borders=abs)
        >>> smooth = Map.from_rule(henon, henon.parameters, without=("borders",), name="smooth Hénon map")
        >>> smooth.borders is None, smooth([0.0, 0.0])
        (True, array([1., 0.]))
        """
        if not all(hasattr(rule, part) for part in ("f", *PARTS)):
            raise InvalidInput(f"rule is {shown(rule)}; it must have the attributes f, {', '.join(PARTS)}")
        without = check_sequence("without", without, f"names among {', '.join(PARTS)}")
        unknown = [name for name in without if not isinstance(name, str) or name not in PARTS]
        if unknown:
            raise InvalidInput(f"without is {without!r}; it must be a collection of names among {', '.join(PARTS)}")
        parts: dict[str, Any] = {part: None if part in without else getattr(rule, part) for part in PARTS}
        parts["exact"] = getattr(rule, "exact", None)  # few rules have one
        return cls(rule.f, parameters, scale=scale, name=name, advice=advice, **parts)

    def take_functions_of(self, other: Any) -> None:
        """Give a map that was read from a file the functions that the file could only name.

        For :func:`~bifurcate.load` alone, before anybody else has seen the map.

        Raises
        ------
        InvalidInput
            If the other map differs in anything but its functions and the values of its parameters.
        """
        if not isinstance(other, Map):
            raise InvalidInput(f"map must be a Map, got {type(other).__name__}: wrap the function: Map(f, parameters)")
        if set(self.parameters) != set(other.parameters):
            raise InvalidInput(
                f"map has the parameters {join_names(other.parameters)}, but the result is of a map with "
                f"{join_names(self.parameters)}"
            )
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if callable(mine) and callable(theirs):
                object.__setattr__(self, field.name, theirs)
            elif field.name not in SET_FREELY and not are_alike(mine, theirs):
                shown = ["given" if callable(each) else repr(each) for each in (mine, theirs)]
                raise InvalidInput(f"map has {field.name} {shown[1]}, but the result is of a map with {shown[0]}")

    def __call__(self, x: Any, /, **parameters: float) -> np.ndarray:
        """f at x, with the parameters named replaced for this call.

        Examples
        --------
        >>> Map(lambda x, r: r * x, {"r": 2.0})([1.0], r=3.0)
        array([3.])
        """
        changed = {name: as_numbers(f"parameter {name!r}", value) for name, value in parameters.items()}
        return np.asarray(call(self.f, self.name, as_numbers("x", x), **self.values(changed)))

    def replace(self, /, **parameters: float) -> Map:
        """The same map with new values of the parameters named.

        Raises
        ------
        InvalidInput
            If the map has no such parameter, or a value is no finite real number.

        Examples
        --------
        >>> dict(Map(lambda x, r: r * x, {"r": 2.0}).replace(r=3.0).parameters)
        {'r': 3.0}
        """
        return dataclasses.replace(self, parameters=self.values(parameters))

    def values(self, changed: Mapping[str, float]) -> dict[str, float]:
        """All parameters as a new dict, with the changed ones replaced.

        Raises
        ------
        InvalidInput
            If the map has no parameter of a name in ``changed``.

        Examples
        --------
        >>> Map(lambda x, r: r * x, {"r": 2.0}).values({"r": 3.0})
        {'r': 3.0}
        """
        for name in changed:
            self.require(name)
        return {**self.parameters, **changed}

    def require(self, name: str) -> None:
        """Raise InvalidInput unless the map has a parameter of that name.

        Examples
        --------
        >>> Map(lambda x, r: r * x, {"r": 2.0}).require("r")
        """
        if not isinstance(name, str) or name not in self.parameters:
            raise InvalidInput(f"{self.name} has no parameter {shown(name)}; it has {join_names(self.parameters)}")

    @cached_property
    def precision(self) -> Precision:
        """The errors of f's values and derivatives beyond rounding, and the difference steps that go with them."""
        is_exact = self.jvp is not None or self.jacobian is not None or self.derivative != "central"
        return Precision(self.noise or 0.0, is_exact)

    @cached_property
    def periods(self) -> Array | None:
        """The periods of the state's numbers, inf where there is none; None if no coordinate has one."""
        if self.periodic is None:
            return None
        return np.array([np.inf if each is None else each for each in self.periodic])

    def image_near(self, y: Any, reference: Any) -> Array:
        """An image of f as floats, moved by whole periods to where it differs least from another image."""
        moved = np.asarray(y, dtype=float)
        if self.periods is None:
            return moved
        return near(moved.ravel(), np.ravel(reference), self.periods).reshape(moved.shape)

    def evaluate(self, x: Array, parameters: Mapping[str, float]) -> Array:
        """f at a state in the midst of a computation: a new array, of x's shape.

        Parameters
        ----------
        x : ndarray
            The state; f gets a copy of it.
        parameters : mapping of str to float
            All parameters.

        Raises
        ------
        MapFailed
            If f raises, changes its state, or returns anything but real numbers of x's shape.

        Examples
        --------
        >>> Map(lambda x, r: r * x, {"r": 2.0}).evaluate(np.array([1.0]), {"r": 3.0})
        array([3.])
        """
        return evaluate(self.f, self.name, x, parameters)

    def tangent(self, x: Array, v: Array, parameters: Mapping[str, float]) -> Array:
        """The derivative of f at x in the direction v: by the jvp given, the Jacobian given, or differences.

        Parameters
        ----------
        x, v : ndarray
            State and direction, both of the shape that f takes.
        parameters : mapping of str to float
            All parameters.

        Returns
        -------
        ndarray
            Of x's shape.

        Examples
        --------
        >>> square = Map(lambda x, a: a * x**2, {"a": 1.0})
        >>> square.tangent(np.array([3.0]), np.array([1.0]), {"a": 0.5}).round(9)
        array([3.])
        """
        if self.jvp is not None:
            slope = call(self.jvp, f"the jvp of {self.name}", x, v, **parameters)
            if np.shape(slope) != x.shape or np.iscomplexobj(slope):
                what = "complex numbers" if np.iscomplexobj(slope) else f"shape {np.shape(slope)}"
                raise MapFailed(f"the jvp of {self.name} returned {what} for a state of shape {x.shape}")
            return np.array(slope, dtype=float)
        if self.jacobian is not None:
            return multiply_jacobian(call(self.jacobian, f"the jacobian of {self.name}", x, **parameters), v)
        if self.derivative != "central":
            return directional_derivative(
                partial(call, self.f, self.name), x, v, parameters, self.derivative, self.scale
            )
        here = None if self.periods is None else self.evaluate(x, parameters)

        def f(y: Array, **p: float) -> Array:
            return self.image_near(self.evaluate(y, p), here)

        levels, longest = self.precision, np.inf if self.periods is None else float(self.periods.min())
        return directional_derivative(
            f, x, v, parameters, self.derivative, self.scale, levels.slope_step, levels.noise, longest
        )

    def check(self, x: Any) -> Array:
        """Try f at x, and compare the derivatives that were given with differences of f there.

        Every function of the package that takes a state calls this first. f is called twice, since a random one has no
        fixed points. The comparison costs a few calls of f for the
        state and for each parameter; it is made once for each of the last 64 states. It is left out where a declared
        border is within reach of the differences, and for states of more than 10⁷ numbers.

        Parameters
        ----------
        x : array_like
            A state.

        Returns
        -------
        ndarray
            x as a new array of floats.

        Raises
        ------
        InvalidInput
            If x is no finite array; if a derivative differs from differences of f by more than 10⁻⁵ of its largest
            entry (or 10⁻⁵ where that is less than 1), plus ten times the change of the differences under a ten times
            shorter step.
        MapFailed
            If f raises there, changes x or its shape, returns anything but finite real numbers, or other numbers at the
            second call.
        OutsideDomain
            If x is outside the declared domain.
        """
        return check_at(self, x)
