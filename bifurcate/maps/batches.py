"""Many states in one call of f, where f broadcasts: two layouts of a batch, and a trial that finds the right one.

A batch of m states of shape S is an array of one of two layouts:

    "trailing"   shape (*S, m), parameters of shape (m,)              z[0] is the first component of every state
    "leading"    shape (m, *S), parameters of shape (m, 1, …, 1)      x @ A.T acts on every state

Functions that work entry by entry take both. f is not trusted to broadcast: what it makes of a batch is compared with
single calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.validation import as_floats, check_instance, check_mapping

__all__ = [
    "HOW_TO_BROADCAST",
    "LAYOUTS",
    "BatchLayout",
    "BatchRows",
    "Broadcasting",
    "agrees",
    "broadcast_parameters",
    "can_broadcast",
    "first_layout",
    "make_rows",
    "smallest_margins",
    "to_batch",
    "to_rows",
]

Array = NDArray[np.float64]
BatchLayout = Literal["trailing", "leading"]

LAYOUTS: tuple[BatchLayout, ...] = ("trailing", "leading")

# Part of max(scale, |value|) by which a batch may differ from single calls. Summation in another order, and vectorised
# exponentials and powers, differ by some units in the last place, 1e-15 to 1e-14; a wrong layout differs by far more.
SAME_VALUE = 1e-12

# Said where f is called for one state at a time, as where it computes with Python's floats.
HOW_TO_BROADCAST = (
    "one state in each call of f; if f computes with x[0], x[1], … as arrays, by NumPy's functions (no float(x[0]), no "
    "math.exp, np.where in place of if), one call takes many states and is many times faster"
)


class Broadcasting(Protocol):
    """What a trial asks of a map: a Map has it, and a rule of iteration."""

    @property
    def f(self) -> Callable[..., Any]:
        """``f(x, **parameters)``."""

    @property
    def domain(self) -> Callable[..., Any] | None:
        """Margins, positive inside the domain."""

    @property
    def scale(self) -> float:
        """A typical magnitude of the state."""


@dataclass(frozen=True, eq=False)
class BatchRows:
    """States, one a row, with the values of the parameters for each.

    Attributes
    ----------
    states : ndarray, shape (m, *S)
        The states.
    parameters : mapping of str to (float or ndarray of shape (m,))
        All parameters: arrays where they vary from row to row.
    """

    states: Array
    parameters: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, which: slice | NDArray[Any]) -> BatchRows:
        chosen = {name: value[which] if np.ndim(value) else value for name, value in self.parameters.items()}
        return BatchRows(self.states[which], chosen)

    def parameters_of_rows(self) -> list[dict[str, float]]:
        """The parameters of every row, as floats."""
        if not any(np.ndim(value) for value in self.parameters.values()):
            return [dict(self.parameters)] * len(self)
        columns = [value.tolist() if np.ndim(value) else [value] * len(self) for value in self.parameters.values()]
        return [dict(zip(self.parameters, row)) for row in zip(*columns)]

    def call_each(self, f: Callable[..., Any]) -> Array:
        """The values f(x, **parameters), from one call for every row."""
        return np.array([np.array(f(x, **p)) for x, p in zip(self.states, self.parameters_of_rows())], dtype=float)


def make_rows(map: Map, starts: Any, parameters: Any, name: str = "starts") -> BatchRows:
    """What the user gave as states and values of parameters, as rows: their lengths agree, or are 1.

    Raises
    ------
    InvalidInput
        If the states are no array of states, or values are no numbers, or lengths disagree; ``name`` is that of the
        states, for the message.
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    parameters = check_mapping("parameters", parameters, "names and values")
    try:
        states = as_floats(starts)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{name} must be an array of states, of shape (m, *state's shape)") from error
    if states.ndim == 0 or states.size == 0:
        raise InvalidInput(f"{name} must have shape (m, *state's shape), got {states.shape}; for one orbit see orbit")
    values: dict[str, Any] = dict(map.parameters)
    for key, given in parameters.items():
        map.require(key)
        values[key] = _check_values(key, given)
    lengths = {len(states)} | {len(value) for value in values.values() if np.ndim(value)}
    m = max(lengths)
    if not lengths <= {1, m}:
        raise InvalidInput(f"{name} and parameters have lengths {sorted(lengths)}; they must agree, or be 1")
    return BatchRows(
        np.ascontiguousarray(np.broadcast_to(states, (m, *states.shape[1:]))),
        {key: np.broadcast_to(value, m).copy() if np.ndim(value) else value for key, value in values.items()},
    )


def _check_values(name: str, given: Any) -> float | Array:
    try:
        values = as_floats(given)
    except (TypeError, ValueError, OverflowError):
        values = np.empty(0)
    if values.ndim > 1 or not np.isfinite(values).all() or values.size == 0:
        raise InvalidInput(f"parameter {name!r} must be a finite real number or a sequence of them")
    return values if values.ndim else float(values)


def to_batch(states: Array, layout: BatchLayout) -> Array:
    """States of shape (m, *S) as a batch."""
    if layout == "leading":
        return states
    return np.ascontiguousarray(states.T if states.ndim == 2 else np.moveaxis(states, 0, -1))


def broadcast_parameters(parameters: Mapping[str, Any], rank: int, layout: BatchLayout) -> dict[str, Any]:
    """Parameters in the shape that a batch takes whose states have ``rank`` axes."""
    tail = (1,) * rank if layout == "leading" else ()
    return {
        name: value.reshape(-1, *tail) if getattr(value, "ndim", 0) else value for name, value in parameters.items()
    }


def agrees(found: Any, expected: Array, scale: float = 1.0) -> bool:
    """True if a batch yields what single calls do: NaN where they do, else within 10⁻¹² · max(scale, |value|)."""
    found = np.asarray(found)
    if found.shape != expected.shape or found.dtype.kind not in "fiub":
        return False
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return bool((same | (np.abs(found - expected) <= SAME_VALUE * np.maximum(scale, np.abs(expected)))).all())


def can_broadcast(rule: Broadcasting, rows: BatchRows, layout: BatchLayout) -> bool:
    """True if one call of f, and of the domain, on all rows yields what single calls do: the trial."""
    m, p = len(rows), broadcast_parameters(rows.parameters, rows.states.ndim - 1, layout)
    batch = to_batch(rows.states, layout)
    try:
        with np.errstate(all="ignore"):
            if not agrees(rule.f(batch, **p), to_batch(rows.call_each(rule.f), layout), rule.scale):
                return False
            if rule.domain is None:
                return True
            domain = rule.domain
            margins = rows.call_each(lambda x, **q: np.min(domain(x, **q)))
            return agrees(smallest_margins(domain(batch, **p), layout, m), margins, rule.scale)
    except Exception:  # f was not written for such arrays, and may raise anything
        return False


def first_layout(rule: Broadcasting, rows: BatchRows) -> BatchLayout | None:
    """The first layout in which f takes a batch of the rows; None if it takes single states only."""
    return next((layout for layout in LAYOUTS if can_broadcast(rule, rows, layout)), None)


def smallest_margins(margins: Any, layout: BatchLayout, m: int) -> Array:
    """The smallest margin of every row; an empty array if the domain does not broadcast."""
    margins = np.asarray(margins)
    if layout == "leading":
        return margins.reshape(m, -1).min(axis=1) if margins.shape[:1] == (m,) else np.empty(0)
    return margins.reshape(-1, m).min(axis=0) if margins.shape[-1:] == (m,) else np.empty(0)


def to_rows(batch: Array, layout: BatchLayout) -> Array:
    """The states of a batch, one a row, shape (m, *S)."""
    if layout == "leading":
        return batch
    return batch.T if batch.ndim == 2 else np.moveaxis(batch, -1, 0)
