"""Event: what a user wants reported along a curve, beside its bifurcations, and where the curve is to end for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.orbits.observable import as_observable
from bifurcate.storage.functions import MissingFunction
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_flag, check_text, check_values, is_real_number, shown

__all__ = ["Event", "Events", "as_events"]

STOP = "stop"  # in a mapping of events: end the curve at the first point of a kind
FORMS = (
    "events is made of bf.Event(name, function, values=…, stop=…), as a list; or of names, as {name: function of x and "
    'parameters, "r": (3.2, 3.3) for values of a parameter, "PD": "stop" to end at the first point of a kind}'
)


@dataclass(frozen=True, eq=False)
class Event(Portable):
    """A function of state and parameters whose zeros, or other values, are reported along a curve.

    Where the function takes one of the values, the curve has a special point of kind "event", under the event's name.
    It is located on the curve to the corrector's accuracy. MatcontM calls these user functions, AUTO ``UZR``.

    Attributes
    ----------
    name : str
        How points are called: ``branch.first(name)``. Without a function it is a parameter of the map, or, with
        ``stop=True`` and no values, a kind ("flip") or label ("PD") of special points.
    function : callable, optional
        ``function(x, **parameters)`` → a real number; it may take some or none of the parameters. Along cycles x is the
        curve's own point of the cycle, its first.
    values : tuple of float
        What the function, or the parameter, is to take; 0 if it is not given.
    stop : bool
        End the curve at the first such point, in either direction.

    Raises
    ------
    InvalidInput
        If an argument is of the wrong type, or values of a parameter are missing.

    Examples
    --------
    >>> import bifurcate as bf
    >>> half = bf.Event("half", lambda x: x[0] - 0.5, stop=True)
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (1.5, 3.2)}, events=[half])
    >>> print(round(branch.first("half").parameters["r"], 12), branch.stop.first)
    2.0 the branch was ended at the event half (r = 2), as asked for
    """

    name: str
    function: Callable[..., Any] | None = None
    values: tuple[float, ...] = ()
    stop: bool = False

    def __post_init__(self) -> None:
        if not check_text("an event's name", self.name):
            raise InvalidInput("an event needs a name that is not empty")
        if self.function is not None and not callable(self.function):
            raise InvalidInput(f"function of the event {self.name!r} is {shown(self.function)}; it must be callable")
        check_flag("stop", self.stop)
        given = (self.values,) if is_real_number(self.values) else self.values
        values = () if isinstance(given, tuple) and not given else check_values("values", given)
        if not len(values) and self.function is not None:
            values = np.zeros(1)
        if not len(values) and not self.stop:
            raise InvalidInput(
                f"the event {self.name!r} has neither a function nor values: bf.Event(name, function), "
                "bf.Event(parameter, values=…) or bf.Event(kind, stop=True)"
            )
        object.__setattr__(self, "values", tuple(float(value) for value in values))

    def __repr__(self) -> str:
        what = "" if self.function is None else f", {getattr(self.function, '__name__', 'a function')}"
        values = "" if self.values in ((), (0.0,)) else f", values {', '.join(f'{value:g}' for value in self.values)}"
        return f"<Event {self.name}{what}{values}{', stop' if self.stop else ''}>"

    @property
    def is_kind(self) -> bool:
        """True if the curve is to end at a kind of special points."""
        return not self.values

    def title(self, value: float) -> str:
        """How a point is called at which the value is taken: by the name alone where that is a zero of a function."""
        return self.name if self.function is not None and self.values == (0.0,) else f"{self.name} = {value:.6g}"

    def at(self, x: np.ndarray, parameters: Mapping[str, float]) -> float:
        """The function's value, or the parameter's.

        Raises
        ------
        MapFailed
            If the function raises, or returns anything but a finite real number.
        """
        if self.function is None:
            return float(parameters[self.name])
        value = np.asarray(as_observable(self.function, parameters)(np.array(x), **parameters))
        if value.size != 1 or not np.isfinite(value).all():
            raise MapFailed(f"the event {self.name!r} returned {shown(value.tolist())}; it must return a finite number")
        return float(value.reshape(()))


Events: TypeAlias = Event | Sequence[Event] | Mapping[str, Any]


def as_events(given: Any) -> tuple[Event, ...]:
    """The events that a user gives as a list, or as a mapping of names to functions, values of parameters, or "stop".

    Raises
    ------
    InvalidInput
        If they are none, two have one name, or a function was lost with a file.

    Examples
    --------
    >>> as_events({"r": (3.2, 3.3), "PD": "stop"})
    (<Event r, values 3.2, 3.3>, <Event PD, stop>)
    """
    if isinstance(given, Event):
        events = [given]
    elif isinstance(given, Mapping):
        events = [_event(name, each) for name, each in given.items()]
    elif isinstance(given, list | tuple) and all(isinstance(each, Event) for each in given):
        events = list(given)
    else:
        raise InvalidInput(f"events is {shown(given)}; {FORMS}")
    names = [event.name for event in events]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"two events are called {name!r}; each needs a name of its own")
    for event in events:
        if isinstance(event.function, MissingFunction):
            raise InvalidInput(
                f"the function of the event {event.name!r} is not in the file that the curve was loaded from: give "
                "events=… again, () for none"
            )
    return tuple(events)


def _event(name: Any, given: Any) -> Event:
    if isinstance(given, Event):
        if given.name != name:
            raise InvalidInput(f"events has the event {given.name!r} under the name {shown(name)}")
        return given
    if isinstance(given, str):
        if given != STOP:
            raise InvalidInput(f"events has {shown(given)} under {shown(name)}; {FORMS}")
        return Event(name, stop=True)
    return Event(name, given) if callable(given) else Event(name, values=given)
