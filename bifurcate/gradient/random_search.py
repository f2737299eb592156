"""A seeded search among maps for one that no metric makes a gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.gradient.any_metric_test import any_metric, examine
from bifurcate.gradient.certificates import ComplexPair
from bifurcate.gradient.result_types import Refuted
from bifurcate.maps.map import Map
from bifurcate.validation import check_callable, check_count

__all__ = ["SearchResult", "search"]


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    tried : int
        Maps drawn.
    solved : int
        Those of which an equilibrium was found.
    refuted : int
        Those that have a certified complex pair there.
    best : Refuted or None
        The verdict with the pair farthest from the real axis.
    number : int or None
        Which draw that was: ``draw(numpy.random.default_rng([seed, number]))`` makes it again.
    map : Map or None
        Its map.
    """

    tried: int
    solved: int
    refuted: int
    best: Refuted | None
    number: int | None
    map: Map | None

    def __str__(self) -> str:
        head = f"{self.tried} tried, {self.solved} equilibria, {self.refuted} with a complex pair"
        return head if self.best is None else f"{head}; the widest is draw {self.number}\n{self.best}"


@old_positions("tries", "seed")
def search(draw: Callable[[np.random.Generator], tuple[Map, Any]], *, tries: int = 100, seed: int = 0) -> SearchResult:
    """Draw maps at random and ask of each whether a complex pair at an equilibrium refutes every metric.

    Parameters
    ----------
    draw : callable
        ``draw(rng)`` → (map, guess): a map, its parameters or whatever made it drawn from the Generator, and a state
        near an equilibrium.
    tries : int
        How many are drawn.
    seed : int

    Returns
    -------
    SearchResult

    Raises
    ------
    InvalidInput
        If ``draw`` or ``tries`` is unusable.

    Examples
    --------
    >>> import numpy as np
    >>> def draw(rng):
    ...     a = rng.uniform(-0.5, 0.5, (2, 2))
    ...     return Map(lambda x: a @ x, {}), [0.0, 0.0]
    >>> found = search(draw, tries=20)
    >>> found.tried, found.solved, 0 < found.refuted < 20, found.best.kind
    (20, 20, True, 'refuted')
    """
    if not callable(draw):
        raise InvalidInput(f"draw must be callable as draw(rng) -> (map, guess), got {type(draw).__name__}")
    solved, refuted, seed = 0, 0, check_count("seed", seed, 0)
    best: tuple[float, int] | None = None
    for number in range(check_count("tries", tries, 1)):
        map, guess = _drawn(draw, seed, number)
        try:
            verdict = examine(map, guess, seed, bowl=False)
        except NotConverged:
            continue
        solved += 1
        if not isinstance(verdict, Refuted):
            continue
        refuted += 1
        pair = verdict.certificate
        if isinstance(pair, ComplexPair) and (best is None or pair.multiplier.imag > best[0]):
            best = pair.multiplier.imag, number
    if best is None:
        return SearchResult(tries, solved, refuted, None, None, None)
    map, guess = _drawn(draw, seed, best[1])
    verdict = any_metric(map, guess, seed=seed)
    assert isinstance(verdict, Refuted)
    return SearchResult(tries, solved, refuted, verdict, best[1], map)


def _drawn(draw: Callable[[np.random.Generator], tuple[Map, Any]], seed: int, number: int) -> tuple[Map, Any]:
    check_callable("draw", draw, "draw(rng)")
    drawn = draw(np.random.default_rng([seed, number]))
    if not isinstance(drawn, tuple | list) or len(drawn) != 2:
        raise InvalidInput(f"draw must return (map, guess), got {type(drawn).__name__} in draw {number}")
    return drawn[0], drawn[1]
