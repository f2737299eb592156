"""attractors: where the orbits of a box settle; attractor_of: where one orbit does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED, OUTCOMES, UNDECIDED, Attractor
from bifurcate.attractors.discovery import Box, refuse_conservative, settle_all, settling_report
from bifurcate.attractors.fractions import Fraction, fractions_of, fractions_table
from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.executors import workplace
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import with_values
from bifurcate.printing import short_repr
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_array, check_count, check_instance, check_seed, check_workers, is_whole_number

__all__ = ["Attractors", "attractor_of", "attractors", "check_box", "check_map_somewhere"]

Array = NDArray[np.float64]

MOST_CHECKED = 50  # starts at which the map is checked, until it passes at one; they are spread over all


@dataclass(frozen=True, eq=False)
class Attractors(Tabular):
    """Attractors of a map, and where starts settled; a sequence of :class:`Attractor`.

    Attributes
    ----------
    map : Map
    attractors : tuple of Attractor
        The one on which most starts settle is the first.
    starts : ndarray, shape (m, *S)
    labels : ndarray of int, shape (m,)
        The number of the attractor on which each start settles; −1 infinity, −2 pole (the orbit left the map's domain,
        or f failed or is not finite), −3 left the box, −4 undecided, −5 interrupted.
    times : ndarray of int, shape (m,)
        Iterations until then.
    notes : tuple of str
        Why some orbits are undecided.
    box : tuple of ndarray, or None
        Lower and upper ends of all coordinates.
    """

    map: Map
    attractors: tuple[Attractor, ...]
    starts: Array
    labels: NDArray[np.int_]
    times: NDArray[np.int_]
    notes: tuple[str, ...] = ()
    box: tuple[Array, Array] | None = field(default=None, repr=False)

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(attractors), bf.basins(attractors, plane), bf.fatal_shock(attractors)"

    def __len__(self) -> int:
        return len(self.attractors)

    def __iter__(self) -> Iterator[Attractor]:
        return iter(self.attractors)

    def __getitem__(self, number: int) -> Attractor:
        if not is_whole_number(number) or not -len(self) <= number < len(self):
            raise InvalidInput(f"there is no attractor {number!r}; there are {len(self)}")
        return self.attractors[number]

    @property
    def fractions(self) -> dict[int, Fraction]:
        """The fractions of starts by label, with 95% intervals."""
        return fractions_of(self.labels, self.attractors)

    @property
    def interrupted(self) -> bool:
        """True if the user ended the search."""
        return bool((self.labels == INTERRUPTED).any())

    def __str__(self) -> str:
        count = f"{len(self)} attractor{'s' if len(self) != 1 else ''}" if len(self) else "no attractor"
        lines = [f"{self.map.name}: {count} from {len(self.labels)} starts", "fraction  95% interval"]
        return "\n".join([*lines, *fractions_table(self.fractions, self.attractors), *self.notes])

    def table(self) -> Columns:
        """One row an attractor or other outcome: its fraction, period, exponent."""
        found = self.fractions
        known = [self.attractors[i] if i >= 0 else Attractor(OUTCOMES[i], np.empty(0)) for i in found]
        table: Columns = {
            "label": list(found),
            "kind": [each.kind for each in known],
            "period": [each.period for each in known],
            "exponent": [each.exponent for each in known],
            **{name: [getattr(each, name) for each in found.values()] for name in ("starts", "value", "low", "high")},
        }
        return table

    def table_attributes(self) -> dict[str, Any]:
        """The map's name."""
        return {"map": self.map.name}


def attractors(
    map: Map,
    box: Any,
    *,
    starts: Any = 200,
    steps: int = 2000,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    executor: Any = None,
    workers: int | None = None,
    progress: Report | bool | None = None,
) -> Attractors:
    """Find the attractors of a map from starts in a box.

    Orbits are iterated in batches until each has settled on an attractor that is known. Those that have not after
    ``steps`` iterations are recognised one by one, and what they settle on is added: a stable fixed point or cycle
    from Newton's method; a closed curve, if the largest Lyapunov exponent is zero within its error and the motion is
    quasi-periodic on a curve; a chaotic set, if it is positive by more than three standard errors. Near a bifurcation
    an orbit may be none of these yet; then it is undecided, and ``notes`` say why.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    box : sequence of (low, high), or array_like of shape (*S, 2)
        An interval for every coordinate.
    starts : int or array_like of shape (m, *S)
        How many, drawn uniformly from the box, or which.
    steps : int
        Iterations after which orbits that have not settled are recognised.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the starts that are drawn.
    executor : Executor or dask Client, optional
        Where batches of orbits are iterated: an executor of concurrent.futures, or a Dask
        cluster. The result is the same, to the bit.
    workers : int, optional
        Processes of this call's own, if no executor is given; by default all is done here. A script that asks for
        processes must do so under ``if __name__ == "__main__":``, since each of them reads it.
    progress : callable, bool, optional
        As for :func:`trace`; starts are counted.

    Returns
    -------
    Attractors
        Those that have a state in the box. Small basins are missed: one that holds a fraction p of the box is, with a
        probability of (1 − p)^m. An interrupt (Ctrl-C) ends the search and keeps what was found.

    Raises
    ------
    InvalidInput
        If the box, the starts or the counts are unusable, or the map keeps volumes: then it has no attractors.

    Notes
    -----
    An orbit has settled on a cycle once it is in an ellipsoid around one of its states that f^period maps into itself,
    as sampling has shown; on another set once it was nearer than the set's resolution at eight checks in a row, each
    seven iterations after the other. Two cycles are one if states agree to 10⁻⁶ of their size; two other sets if 99% of
    the states of each are nearer to the other than its resolution. Coordinates with a period are compared round it.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.attractors(bf.maps.logistic(r=3.2), [(-0.5, 1.5)], starts=100)
    >>> found[0].kind, found[0].period, found.fractions[0].value + found.fractions[-1].value
    ('cycle', 2, 1.0)
    """
    map = with_values(map, parameters)
    low, high = check_box(box)
    check_count("steps", steps)
    hands = check_workers(workers)
    rng = np.random.default_rng(check_seed(seed))
    if is_whole_number(starts) and not isinstance(starts, bool):
        drawn = low + (high - low) * rng.random((check_count("starts", starts), *low.shape))
    else:
        drawn = check_array("starts", starts)
        if drawn.shape[1:] != low.shape or not len(drawn):
            raise InvalidInput(f"starts have shape {drawn.shape}; the box is one of states of shape {low.shape}")
    check_map_somewhere(map, drawn)
    refuse_conservative(map, drawn)
    with workplace(executor, hands) as pool, reporting(progress, f"attractors of {map.name}", (), "starts") as report:
        tell = settling_report(report, map, len(drawn))
        limits = settle_all(map, drawn, (), steps, seed, Box(low, high), tell, pool)
    counts = [int((limits.settled.labels == i).sum()) for i in range(len(limits.attractors))]
    order = sorted(range(len(counts)), key=lambda i: -counts[i])
    labels = limits.settled.labels.copy()
    for number, i in enumerate(order):
        labels[limits.settled.labels == i] = number
    return Attractors(
        map=map,
        attractors=tuple(limits.attractors[i] for i in order),
        starts=drawn,
        labels=labels,
        times=limits.settled.times,
        notes=tuple(limits.notes),
        box=(low, high),
    )


def attractor_of(
    map: Map, start: Any, *, steps: int = 2000, parameters: Mapping[str, float] | None = None
) -> Attractor:
    """What one orbit settles on: its kind, its period, its states.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    start : array_like, of the state's shape
        The first state.
    steps : int
        Iterations before its limit is recognised.
    parameters : mapping of str to float, optional
        Values that replace the map's own.

    Returns
    -------
    Attractor
        Of the kind "infinity", "pole" or "undecided" where it settles on nothing that is known; ``note`` says why.

    Raises
    ------
    InvalidInput
        If the start, the steps or a parameter's name are unusable, or the map keeps volumes.

    Examples
    --------
    >>> import bifurcate as bf
    >>> bf.attractor_of(bf.maps.logistic(r=3.5), [0.3]).period
    4
    >>> bf.attractor_of(bf.maps.henon(), [5.0, 5.0]).kind
    'infinity'
    """
    check_count("steps", steps)
    map = with_values(map, parameters)
    x = map.check(start)
    if x.ndim == 0:
        raise InvalidInput("start is a number; a state is an array, as [0.3]")
    refuse_conservative(map, x[None])
    limits = settle_all(map, x[None], (), steps, 0)
    label = int(limits.settled.labels[0])
    if label >= 0:
        return limits.attractors[label]
    why = limits.settled.details.get(0, "") or (limits.notes[0] if limits.notes and label == UNDECIDED else "")
    return Attractor(OUTCOMES[label], np.empty((0, *x.shape)), note=why)


def check_box(box: Any) -> tuple[Array, Array]:
    """The lower and upper ends of a box, of the state's shape.

    Raises
    ------
    InvalidInput
        If there are not two numbers for every coordinate, or the lower end is not below the upper one.
    """
    ends = check_array("box", box)
    if ends.ndim < 2 or ends.shape[-1] != 2 or not ends.size:
        raise InvalidInput(f"box has shape {ends.shape}; it must hold (low, high) for every coordinate of a state")
    low, high = ends[..., 0].copy(), ends[..., 1].copy()
    if not (low < high).all():
        raise InvalidInput("box must have low < high for every coordinate")
    return low, high


def check_map_somewhere(map: Map, starts: Array) -> None:
    """Check the map at a start where it can be; what is wrong with it at all of them is the user's to see."""
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    failed: InvalidInput | None = None
    for start in starts[:: -(-len(starts) // MOST_CHECKED)]:
        try:
            map.check(start)
        except OutsideDomain:  # its orbit ends there at once, which is an answer
            continue
        except InvalidInput as error:
            failed = failed or error
        else:
            return
    if failed is not None:
        raise failed
