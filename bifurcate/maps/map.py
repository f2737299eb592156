"""Map: the one thing that a user brings."""

from __future__ import annotations

import dataclasses
import inspect
import numbers
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.linalg.operators import apply
from bifurcate.maps.derivatives import FIVE_POINT_STEP, METHODS, central_difference, directional_derivative
from bifurcate.maps.rule import PARTS, Rule

__all__ = ["Map"]

CHECKED = 10**7  # numbers in a state up to which given derivatives are checked: that takes a dozen evaluations of f


@dataclass(frozen=True, eq=False)
class Map:
    """A discrete map x ↦ f(x, **parameters) on states of any shape.

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
        ``domain(x, **parameters)``: margins (any shape) that are all positive where f is defined. No solver steps to
        where one is ≤ 0; a branch that runs up to such a place ends there, with a special point "pole".
    borders : callable, optional
        ``borders(x, **parameters)``: switching functions (any fixed shape). A branch on which one changes sign
        reports a special point "border": f has a kink there and its multipliers may jump.
    derivative : {"central", "complex", "jax"}
        How derivatives are taken that are not given: five-point central differences; complex steps (f must accept
        complex states); forward-mode JAX (f must be written in jax.numpy).
    scale : float
        A typical magnitude of the state: the unit of difference steps and of distances along a branch.
    at : array_like, optional
        A state at which f is tried once, now. Without it the trial happens with the first state that is met.
    name : str
        For tables and error messages.
    advice : str
        What to tell a user for whom the map's solutions are not isolated.

    Raises
    ------
    InvalidInput
        If a parameter is unknown to f, missing, or not a finite real number; if f (on trial) changes the shape,
        returns NaN or complex numbers; if a derivative given disagrees with differences of f (looked at once, with the
        first state, if that has at most 10⁷ numbers).

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

    def __post_init__(self) -> None:
        if not callable(self.f):
            raise InvalidInput(f"f must be callable as f(x, **parameters), got {type(self.f).__name__}")
        for name in PARTS:
            given = getattr(self, name)
            if given is not None and not callable(given):
                raise InvalidInput(f"{name} must be callable or None, got {type(given).__name__}")
        if self.derivative not in METHODS:
            raise InvalidInput(f"derivative is {self.derivative!r}; allowed are {', '.join(METHODS)}")
        if not (isinstance(self.scale, numbers.Real) and self.scale > 0 and np.isfinite(self.scale)):
            raise InvalidInput(f"scale is {self.scale!r}; it must be a positive, finite number")
        object.__setattr__(self, "parameters", MappingProxyType(_checked_parameters(self.parameters)))
        object.__setattr__(self, "name", self.name or getattr(self.f, "__name__", "map").replace("<lambda>", "map"))
        _check_signature(self.f, self.parameters)
        if self.at is not None:
            self.check(self.at)

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
        """The map of a rule: an object whose methods are f and what else a map may have.

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
        unknown = set(without) - set(PARTS)
        if isinstance(without, str) or unknown:
            raise InvalidInput(f"without is {without!r}; it must be a collection of names among {', '.join(PARTS)}")
        parts: dict[str, Any] = {part: None if part in without else getattr(rule, part) for part in PARTS}
        return cls(rule.f, parameters, scale=scale, name=name, advice=advice, **parts)

    def __call__(self, x: Any, /, **parameters: float) -> np.ndarray:
        """f at x, with the parameters named replaced for this call."""
        return np.asarray(self.f(np.asarray(x, dtype=float), **self.values(parameters)))

    def replace(self, /, **parameters: float) -> Map:
        """The same map with the parameters named set anew."""
        return dataclasses.replace(self, parameters=self.values(parameters))

    def values(self, changed: Mapping[str, float]) -> dict[str, float]:
        """All parameters, with the changed ones replaced; an unknown name is refused."""
        for name in changed:
            self.require(name)
        return {**self.parameters, **changed}

    def require(self, name: str) -> None:
        """Raise InvalidInput unless the map has a parameter of that name."""
        if name not in self.parameters:
            raise InvalidInput(f"{self.name} has no parameter {name!r}; it has {_listed(self.parameters)}")

    def tangent(self, x: np.ndarray, v: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
        """The derivative of f at x in the direction v: the jvp given, the Jacobian given, or differences."""
        if self.jvp is not None:
            return np.asarray(self.jvp(x, v, **parameters), dtype=float)
        if self.jacobian is not None:
            J = self.jacobian(x, **parameters)
            J = np.asarray(J).reshape(x.size, x.size) if isinstance(J, np.ndarray | float) else J
            return apply(J, v.ravel()).reshape(x.shape)
        return directional_derivative(self.f, x, v, parameters, self.derivative, self.scale)

    def check(self, x: Any) -> np.ndarray:
        """Try f (and a derivative that was given) at x once; return x as an array of floats.

        Raises
        ------
        InvalidInput
            In the words of what went wrong.
        OutsideDomain
            If x is outside the declared domain.
        """
        x = checked_state(x)
        with np.errstate(all="ignore"):
            trial = x.copy()
            try:
                y = np.asarray(self.f(trial, **self.parameters))
            except InvalidInput:  # f's own words
                raise
            except Exception as error:
                raise InvalidInput(
                    f"{self.name} failed on a state of shape {x.shape}: {type(error).__name__}: {error}"
                ) from error
            if y.shape != x.shape:
                raise InvalidInput(f"{self.name} maps a state of shape {x.shape} to shape {y.shape}; they must agree")
            if not np.array_equal(trial, x):
                raise InvalidInput(f"{self.name} changes the state that it is given; it must return a new array")
            if y.dtype.kind not in "fiubc":
                raise InvalidInput(f"{self.name} returns {y.dtype.name} values; numbers are asked for")
            if np.iscomplexobj(y):
                raise InvalidInput(
                    f"{self.name} returns complex numbers; states are real (stack real and imaginary parts)"
                )
            self._check_domain(x)
            if not np.isfinite(y.astype(float)).all():
                raise InvalidInput(f"{self.name} returns NaN or infinity at the first state given")
            if not getattr(self, "_trusted", False) and x.size <= CHECKED:
                self._check_derivative(x)
                self._check_parameter_derivative(x)
                object.__setattr__(self, "_trusted", True)
        return x

    def _check_domain(self, x: np.ndarray) -> None:
        if self.domain is None:
            return
        margin = float(np.min(self.domain(x, **self.parameters)))
        if not margin > 0:
            raise OutsideDomain(
                f"the state given is outside the domain of {self.name}: its smallest margin is {margin:.3g}"
            )

    def _check_parameter_derivative(self, x: np.ndarray) -> None:
        if self.parameter_derivative is None:
            return
        for name, here in self.parameters.items():
            step = 1e-3 * max(1.0, abs(here))
            others = dict(self.parameters)
            expected, unsure = _slope(lambda t: np.asarray(self.f(x, **{**others, name: here + t}), dtype=float), step)  # noqa: B023
            found = np.asarray(self.parameter_derivative(x, name, **self.parameters), dtype=float)
            if found.shape != x.shape:
                raise InvalidInput(
                    f"parameter_derivative of {self.name} returns shape {found.shape} for a state of shape {x.shape}"
                )
            error = _difference(found, expected)
            if np.isfinite(expected).all() and not error <= unsure:
                raise InvalidInput(
                    f"the parameter_derivative of {self.name} by {name} differs from differences of f by {error:.2e}"
                )

    def _check_derivative(self, x: np.ndarray) -> None:
        complex_steps = self.derivative == "complex"
        if self.jvp is None and self.jacobian is None and not complex_steps:
            return
        v = np.random.default_rng(0).standard_normal(x.shape)
        step = FIVE_POINT_STEP * max(self.scale, float(np.abs(x).max())) / float(np.abs(v).max())
        expected, allowed = _slope(lambda t: np.asarray(self.f(x + t * v, **self.parameters), dtype=float), step)
        plain = dataclasses.replace(self, at=None)
        by_steps = self.tangent if complex_steps and self.jvp is None and self.jacobian is None else None
        for label, given in (("jvp", plain.jvp), ("jacobian", plain.jacobian), ("complex-step derivative", by_steps)):
            if given is None or not np.isfinite(expected).all():
                continue
            other = dataclasses.replace(plain, jvp=given) if label == "jvp" else dataclasses.replace(plain, jvp=None)
            found = other.tangent(x, v, self.parameters)
            if found.shape != x.shape:
                raise InvalidInput(
                    f"the {label} of {self.name} returns shape {found.shape} for a state of shape {x.shape}"
                )
            error = _difference(found, expected)
            if not error <= allowed:
                raise InvalidInput(
                    f"the {label} of {self.name} differs from differences of f by {error:.2e} (allowed {allowed:.1e})"
                )


def _slope(g: Callable[[float], np.ndarray], step: float) -> tuple[np.ndarray, float]:
    """g'(0) by differences, and by how much a derivative that was given may differ: more where g bends strongly."""
    expected = central_difference(g, step)
    bend = _difference(central_difference(g, 0.1 * step), expected)
    return expected, 1e-5 * max(1.0, float(np.abs(expected).max(initial=0.0))) + 10.0 * bend


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max(initial=0.0))


def checked_state(x: Any) -> np.ndarray:
    """X as a finite array of floats, or InvalidInput."""
    try:
        x = np.array(x, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"a state must be an array of real numbers, got {type(x).__name__}") from error
    if x.size == 0:
        raise InvalidInput("a state must have at least one number, got an empty array")
    if not np.isfinite(x).all():
        raise InvalidInput(f"the state given has {int((~np.isfinite(x)).sum())} entries that are NaN or infinite")
    return x


def _checked_parameters(parameters: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters must be a dict of names and values, got {parameters!r}")
    checked: dict[str, float] = {}
    for name, value in dict(parameters).items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not np.isfinite(float(value)):
            raise InvalidInput(f"parameter {name!r} is {value!r}; it must be a finite real number")
        checked[name] = float(value)
    return checked


def _check_signature(f: Callable[..., Any], parameters: Mapping[str, float]) -> None:
    try:
        taken = list(inspect.signature(f).parameters.values())[1:]
    except (TypeError, ValueError):  # builtins have no signature; f's own words will have to do
        return
    if any(p.kind is p.VAR_KEYWORD for p in taken):
        return
    names = {p.name for p in taken if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    for name in parameters:
        if name not in names:
            raise InvalidInput(f"parameter {name!r} is not an argument of f, which takes {_listed(names)}")
    for p in taken:
        if p.default is p.empty and p.name in names and p.name not in parameters:
            raise InvalidInput(
                f"f takes a parameter {p.name!r} for which no value is given (parameters: {_listed(parameters)})"
            )


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
