"""Many states in one call of f, where f broadcasts: two ways to lay them out, and a trial that tells which one holds.

A batch of m states of shape S has the shape (*S, m) with parameters of shape (m,), the layout "trailing", in which
``z[0]`` is every orbit's first component; or (m, *S) with parameters of shape (m, 1, …, 1), the layout "leading", in
which ``x @ A.T`` acts on every state. Functions that work entry by entry take both. No promise of f is trusted: what a
batch yields is compared with single calls, for all of its states at the first iteration and the last, and for one of
them at every other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.orbits.orbit import FAR, IterationRule, iterate

__all__ = [
    "LAYOUTS",
    "BatchResult",
    "BatchRows",
    "agrees",
    "broadcast_parameters",
    "can_broadcast",
    "iterate_batch",
    "iterate_one_by_one",
    "to_batch",
]

LAYOUTS = ("trailing", "leading")
SAME = 1e-12  # by how much a batch may differ from single calls, relative to the state or the map's scale


@dataclass(frozen=True, eq=False)
class BatchRows:
    """States, one a row, each with its values of the parameters: arrays of shape (m,) where they vary, else floats."""

    states: np.ndarray
    parameters: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, which: slice | np.ndarray) -> BatchRows:
        chosen = {name: value[which] if np.ndim(value) else value for name, value in self.parameters.items()}
        return BatchRows(self.states[which], chosen)

    def single(self) -> list[dict[str, float]]:
        """The parameters of every row, as floats."""
        columns = [value.tolist() if np.ndim(value) else [value] * len(self) for value in self.parameters.values()]
        return [dict(zip(self.parameters, row)) for row in zip(*columns)] if columns else [{}] * len(self)

    def each(self, f: Callable[..., Any]) -> np.ndarray:
        """A function's values, from a call for every row."""
        return np.array([f(x, **p) for x, p in zip(self.states, self.single())], dtype=float)


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What became of rows: states of shape (m, kept, *S), NaN from where an orbit ended, iterations done, and ends."""

    states: np.ndarray
    steps: np.ndarray
    ends: list[str]

    @staticmethod
    def empty(rows: BatchRows, transient: int, last: int) -> BatchResult:
        """BatchResult to be filled in."""
        m, *shape = rows.states.shape
        return BatchResult(np.full((m, last - transient + 1, *shape), np.nan), np.zeros(m, dtype=int), ["steps"] * m)


def to_batch(states: np.ndarray, layout: str) -> np.ndarray:
    """BatchRows as a batch."""
    return states if layout == "leading" else np.ascontiguousarray(np.moveaxis(states, 0, -1))


def broadcast_parameters(parameters: Mapping[str, Any], rank: int, layout: str) -> dict[str, Any]:
    """Parameters as a batch of states of that rank takes them."""
    tail = (1,) * rank if layout == "leading" else ()
    return {name: value.reshape(-1, *tail) if np.ndim(value) else value for name, value in parameters.items()}


def agrees(found: Any, expected: np.ndarray, scale: float = 1.0) -> bool:
    """True if a batch yields what single calls do: NaN where they do, else within 10⁻¹² of max(scale, |value|)."""
    found = np.asarray(found)
    if found.shape != expected.shape or found.dtype.kind not in "fiub":
        return False
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return bool((same | (np.abs(found - expected) <= SAME * np.maximum(scale, np.abs(expected)))).all())


def can_broadcast(rule: IterationRule, rows: BatchRows, layout: str) -> bool:
    """The trial: whether one call of f, and of the domain, on all rows yields what single calls do."""
    m, p = len(rows), broadcast_parameters(rows.parameters, rows.states.ndim - 1, layout)
    batch = to_batch(rows.states, layout)
    try:
        with np.errstate(all="ignore"):
            if not agrees(rule.f(batch, **p), to_batch(rows.each(rule.f), layout), rule.scale):
                return False
            if rule.domain is None:
                return True
            domain = rule.domain
            margins = rows.each(lambda x, **q: np.min(domain(x, **q)))
            return agrees(_margins(domain(batch, **p), layout, m), margins, rule.scale)
    except Exception:  # whatever a function has to say of arrays that it was not written for
        return False


def _margins(margins: Any, layout: str, m: int) -> np.ndarray:
    """Every row's smallest margin; of no use, and of another shape, if the domain does not broadcast."""
    margins = np.asarray(margins)
    if layout == "leading":
        return margins.reshape(m, -1).min(axis=1) if margins.shape[:1] == (m,) else np.empty(0)
    return margins.reshape(-1, m).min(axis=0) if margins.shape[-1:] == (m,) else np.empty(0)


def iterate_batch(rule: IterationRule, rows: BatchRows, layout: str, transient: int, last: int) -> BatchResult | None:
    """Iterate all rows in one batch; None if it does not yield what single calls do.

    BatchRows whose orbit ends leave the batch; the last one left goes on by itself.
    """
    runs, rank, at = BatchResult.empty(rows, transient, last), rows.states.ndim - 1, np.arange(len(rows))
    p, singles = broadcast_parameters(rows.parameters, rank, layout), rows.single()
    batch, done = to_batch(rows.states, layout), 0
    with np.errstate(all="ignore"):
        while True:
            if (ends := _ends(rule, batch, p, layout, len(at))) is not None:
                going = ends == "steps"
                for i, end in zip(at[~going].tolist(), ends[~going].tolist()):
                    runs.steps[i], runs.ends[i] = max(done - 1, 0), end
                at, rows = at[going], rows[going]
                p, singles = broadcast_parameters(rows.parameters, rank, layout), rows.single()
                batch = _select(batch, going, layout)
            if len(at) < 2:
                for i, x in zip(at.tolist(), _to_rows(batch, layout)):
                    _store(runs, i, done, transient, iterate(rule, x, singles[0], done, transient, last))
                return runs
            if done >= transient:
                runs.states[at, done - transient] = _to_rows(batch, layout)
            if done == last:
                runs.steps[at] = last
                return runs
            following = np.asarray(rule.f(batch, **p), dtype=float)
            before, after, i = _to_rows(batch, layout), _to_rows(following, layout), done % len(at)
            some = slice(None) if done == last - 1 else slice(i, i + 1)
            expected = np.array([rule.f(x, **q) for x, q in zip(before[some], singles[some])], dtype=float)
            if not (np.array_equal(after[some], expected) or agrees(after[some], expected, rule.scale)):
                return None
            batch, done = following, done + 1


def _to_rows(batch: np.ndarray, layout: str) -> np.ndarray:
    return batch if layout == "leading" else np.moveaxis(batch, -1, 0)


def _select(batch: np.ndarray, which: np.ndarray, layout: str) -> np.ndarray:
    return batch[which] if layout == "leading" else np.ascontiguousarray(batch[..., which])


def _ends(rule: IterationRule, batch: np.ndarray, p: Mapping[str, Any], layout: str, m: int) -> np.ndarray | None:
    """Why every row ends at the batch's state, "steps" where it does not; None if none does."""
    far = FAR * rule.scale
    inside = None if rule.domain is None else _margins(rule.domain(batch, **p), layout, m) > 0
    if np.abs(batch).max() < far and (inside is None or inside.all()):
        return None
    near = np.abs(_to_rows(batch, layout).reshape(m, -1)).max(axis=1) < far
    return np.where(near, "steps" if inside is None else np.where(inside, "steps", "domain"), "diverged")


def iterate_one_by_one(rule: IterationRule, rows: BatchRows, transient: int, last: int) -> BatchResult:
    """Iterate every row by itself."""
    runs = BatchResult.empty(rows, transient, last)
    with np.errstate(all="ignore"):
        for i, (x, p) in enumerate(zip(rows.states, rows.single())):
            if (end := rule.end(x, p)) != "steps":
                runs.ends[i] = end
            else:
                _store(runs, i, 0, transient, iterate(rule, x, p, 0, transient, last))
    return runs


def _store(runs: BatchResult, i: int, first: int, transient: int, found: tuple[list[np.ndarray], int, str]) -> None:
    kept, runs.steps[i], runs.ends[i] = found
    place = max(first - transient, 0)
    if kept:
        runs.states[i, place : place + len(kept)] = kept
