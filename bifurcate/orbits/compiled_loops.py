"""Orbits of accelerated maps as loops that JAX compiles: of one state, of many, and with tangent vectors.

Each loop ends an orbit where Python's does: at a state beyond 10¹² scales or not finite, or outside the domain. f sees
the same numbers in the same order, but a compiler may contract a product and a sum into one operation: a step agrees
with that of NumPy to rounding, and so does an orbit that is not chaotic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.interrupts import interrupted_meanwhile
from bifurcate.maps.accelerated import CompiledFunction, import_jax, program_of, run, traced, user_function
from bifurcate.maps.batches import BatchRows, Broadcasting
from bifurcate.storage.pickling import Portable

__all__ = [
    "ENDS",
    "GOES_ON",
    "CompiledRule",
    "OrbitEnd",
    "iterate_compiled",
    "iterate_rows_compiled",
    "longest_buffer",
    "rows_at_once",
]

OrbitEnd = Literal["steps", "domain", "diverged", "failed", "interrupted"]

Array = NDArray[np.float64]

# Numbers that one call of a loop computes at the most: about a second, for which an interrupt waits.
NUMBERS_PER_CALL = 2**28
# Numbers of the array that one call of a loop fills with states: 8 MiB, of which what is not filled costs nothing.
LARGEST_BUFFER = 2**20
SMALLEST_BUFFER = 64  # states: below, one compiled length serves all
BUFFER_FACTOR = 16  # from one length of the array to the next: each is compiled by itself

BLOCK = 16  # steps of many rows between two looks at whether one has ended
UNROLLED = 4  # of them written out, which stay in a processor's registers
# Numbers of all rows of one loop: on a processor they stay in its cache, on a GPU they keep all of its cores at work.
NUMBERS_ON_CPU, NUMBERS_ON_GPU = 2**13, 2**22

GOES_ON, DIVERGES, LEAVES = range(3)
ENDS = ("steps", "diverged", "domain")


def is_compiled(rule: Broadcasting) -> bool:
    """True if the rule is of an accelerated map."""
    return isinstance(rule.f, CompiledFunction)


@dataclass(frozen=True, eq=False)
class CompiledRule(Portable):
    """What the loops need of an accelerated map.

    Attributes
    ----------
    f : CompiledFunction
    domain : callable or None
        As the user wrote it.
    limit : float
        A modulus beyond which a state has diverged.
    """

    f: CompiledFunction
    domain: Callable[..., Any] | None
    limit: float

    @staticmethod
    def of(rule: Broadcasting, limit: float) -> CompiledRule | None:
        """That of a rule, with the limit in units of its scale; None if its f is not compiled."""
        if not isinstance(rule.f, CompiledFunction):
            return None
        domain = None if rule.domain is None else user_function(rule.domain)
        return CompiledRule(rule.f, domain, limit * rule.scale)

    def run(self, key: Any, make: Callable[..., Any], *given: Any) -> Any:
        """The value of the program ``make(f, self)``, which is kept with f."""

        def build() -> Callable[..., Any]:
            return make(traced(self.f.function, self.f.__name__), self)  # type: ignore[no-any-return]

        program = program_of(self.f.function, (key, self.domain, self.limit), build)
        return run(program, self.f.__name__, *given)

    def end_of_size(self, x: Any) -> Any:
        """DIVERGES where a number is too large, or NaN; within programs."""
        jnp = import_jax().numpy
        return jnp.where(jnp.max(jnp.abs(x)) < self.limit, GOES_ON, DIVERGES)

    def end(self, x: Any, p: Any) -> Any:
        """Why an orbit cannot go on from a state, as a number of ENDS; within programs."""
        jnp = import_jax().numpy
        if self.domain is None:
            return self.end_of_size(x)
        inside = jnp.min(jnp.asarray(self.domain(x, **p))) > 0
        return jnp.where(self.end_of_size(x) == GOES_ON, jnp.where(inside, GOES_ON, LEAVES), DIVERGES)


def rows_at_once(size: int) -> int:
    """How many rows one loop takes, of states of a size."""
    numbers = NUMBERS_ON_CPU if import_jax().default_backend() == "cpu" else NUMBERS_ON_GPU
    return max(2, numbers // size)


def longest_buffer(count: int, size: int) -> int:
    """For how many states an array is made that takes ``count`` of ``size`` numbers each, or as many as fit."""
    length = SMALLEST_BUFFER
    while length < count and BUFFER_FACTOR * length * size <= LARGEST_BUFFER:
        length *= BUFFER_FACTOR
    return length


def iterate_compiled(
    rule: CompiledRule, x: Array, p: Mapping[str, float], *, transient: int, last: int
) -> tuple[Array, int, OrbitEnd]:
    """As :func:`~bifurcate.orbits.orbit.iterate`, in compiled loops: the states, one a row, the steps, and the end.

    Parameters
    ----------
    rule : CompiledRule
    x : ndarray
        The first state.
    p : mapping of str to float
        All parameters.
    transient, last : int
        Numbers of the first and of the last state that are returned.
    """
    names, q = tuple(p), np.array([*p.values()], dtype=float)
    states: list[Array] = [np.empty((0, *x.shape))]
    done, end = 0, GOES_ON
    limit = max(1, NUMBERS_PER_CALL // x.size)
    while done < last and not end:
        if interrupted_meanwhile():
            return np.concatenate(states), done, "interrupted"
        kept = done >= transient
        length = longest_buffer(last - done, x.size) if kept else 0
        until = min((last if kept else min(transient, last)) - done, length if kept else limit, limit)
        program = partial(_orbit_program, names=names, length=length)
        following, steps, end, out = rule.run(("orbit", names, length), program, x, q, until)
        if kept:
            states.append(np.concatenate([x[None], out[: int(steps)]])[: int(steps)])
        x, done, end = following, done + int(steps), int(end)
    if done >= transient:
        states.append(x[None])
    return np.concatenate(states), done, ENDS[end]  # type: ignore[return-value]


def _orbit_program(f: Any, rule: CompiledRule, *, names: tuple[str, ...], length: int) -> Callable[..., Any]:
    """(x, q, until) ↦ the state after at most ``until`` steps, how many were done, why not more, and the states."""
    jax = import_jax()
    jnp = jax.numpy

    def orbit(x: Any, q: Any, until: Any) -> Any:
        p = dict(zip(names, q))

        def body(carry: Any) -> Any:
            x, done, _, out = carry
            y = f(x, p)
            end = rule.end(y, p)
            x = jnp.where(end == GOES_ON, y, x)
            out = jax.lax.dynamic_update_index_in_dim(out, x, done, 0) if length else out
            return x, done + (end == GOES_ON), end, out

        start = x, jnp.asarray(0), jnp.asarray(GOES_ON), jnp.empty((length, *x.shape))
        return jax.lax.while_loop(lambda carry: (carry[1] < until) & (carry[2] == GOES_ON), body, start)

    return orbit


def iterate_rows_compiled(
    rule: CompiledRule, rows: BatchRows, transient: int, last: int, length: int
) -> tuple[Array, NDArray[np.int_], list[OrbitEnd]]:
    """Iterate every row, vectorised.

    Parameters
    ----------
    rule : CompiledRule
    rows : BatchRows
        The first states, and their parameters.
    transient, last : int
        Numbers of the first and of the last state that are returned.
    length : int
        For how many rows the loop is compiled, at least as many as there are.

    Returns
    -------
    states : ndarray, shape (m, last − transient + 1, *S)
        NaN from where an orbit ended.
    steps : ndarray of int, shape (m,)
    ends : list of {"steps", "domain", "diverged", "interrupted"}
    """
    m, names, shape = len(rows), tuple(rows.parameters), rows.states.shape[1:]
    q = np.array([np.broadcast_to(value, m) for value in rows.parameters.values()], dtype=float).reshape(len(names), m)
    x = np.moveaxis(rows.states, 0, -1)
    pad = [(0, 0)] * len(shape) + [(0, length - m)]
    x, q = np.pad(x, pad, mode="edge"), np.pad(q, ((0, 0), (0, length - m)), mode="edge")
    code = rule.run(("ends of rows", names), partial(_row_ends_program, names=names), x, q)
    steps, samples = np.zeros(length, dtype=int), last - transient + 1
    fast, slow = partial(_blocks_program, names=names), partial(_steps_program, names=names)
    piece, done = max(1, NUMBERS_PER_CALL // (BLOCK * x.size)), 0
    while done < transient and not code.all():
        if interrupted_meanwhile():
            return np.full((m, samples, *shape), np.nan), np.minimum(steps[:m], done), ["interrupted"] * m
        blocks = min(piece, (transient - done) // BLOCK)
        if blocks:
            x, steps, taken = rule.run(("blocks", names), fast, x, q, code, steps, blocks)
            done += BLOCK * int(taken)
            if taken == blocks:
                continue
        count = min(BLOCK, transient - done)  # in which a row ends, or the last ones
        x, code, steps = rule.run(("steps", names), slow, x, q, code, steps, count)
        done += count
    record = partial(_rows_program, names=names, samples=samples)
    _, code, steps, out = rule.run(("rows", names, samples), record, x, q, code, steps)
    ends: Any = [ENDS[each] for each in code[:m].tolist()]
    return np.moveaxis(out, -1, 0)[:m], steps[:m], ends


def _row_ends_program(f: Any, rule: CompiledRule, *, names: tuple[str, ...]) -> Callable[..., Any]:
    jax = import_jax()
    return lambda x, q: jax.vmap(lambda y, r: rule.end(y, dict(zip(names, r))), in_axes=(-1, -1))(x, q)


def _blocks_program(f: Any, rule: CompiledRule, *, names: tuple[str, ...]) -> Callable[..., Any]:
    """(x, q, code, steps, count) ↦ states and steps after up to ``count`` blocks in which no row ends, and how many."""
    jax = import_jax()
    jnp = jax.numpy
    block = _block(f, rule, names)

    def several(x: Any, q: Any, code: Any, steps: Any, count: Any) -> Any:
        alive = code == GOES_ON

        def body(carry: Any) -> Any:
            x, done, _ = carry
            y, fine = block(x, q, code)
            return jnp.where(alive & fine, y, x), done + fine, fine

        start = x, jnp.asarray(0), jnp.asarray(True)
        x, done, _ = jax.lax.while_loop(lambda carry: (carry[1] < count) & carry[2], body, start)
        return x, steps + BLOCK * done * alive, done

    return several


def _steps_program(f: Any, rule: CompiledRule, *, names: tuple[str, ...]) -> Callable[..., Any]:
    """(x, q, code, steps, count) ↦ the first three after ``count`` steps, in which rows may end."""
    advance = _advance(f, rule, names)

    def several(x: Any, q: Any, code: Any, steps: Any, count: Any) -> Any:
        return import_jax().lax.fori_loop(0, count, lambda _, c: advance(c[0], q, *c[1:]), (x, code, steps))

    return several


def _rows_program(f: Any, rule: CompiledRule, *, names: tuple[str, ...], samples: int) -> Callable[..., Any]:
    """(x, q, code, steps) ↦ the same after ``samples`` − 1 steps, and the states before, between and after them."""
    jax = import_jax()
    jnp = jax.numpy
    advance = _advance(f, rule, names)

    def rows(x: Any, q: Any, code: Any, steps: Any) -> Any:
        def seen(x: Any, code: Any) -> Any:
            return jnp.where(code == GOES_ON, x, jnp.nan)

        def sample(carry: Any, _: Any) -> Any:
            following = advance(carry[0], q, *carry[1:])
            return following, seen(*carry[:2])

        last, out = jax.lax.scan(sample, (x, code, steps), None, length=samples - 1)
        return (*last, jnp.concatenate([out, seen(*last[:2])[None]]))

    return rows


def _advance(f: Any, rule: CompiledRule, names: tuple[str, ...]) -> Callable[..., Any]:
    """(x, q, code, steps) ↦ the same one step later: rows that end stay where they are."""
    jax = import_jax()
    jnp = jax.numpy

    def one(x: Any, q: Any) -> Any:
        p = dict(zip(names, q))
        y = f(x, p)
        return y, rule.end(y, p)

    step = jax.vmap(one, in_axes=(-1, -1), out_axes=(-1, -1))

    def advance(x: Any, q: Any, code: Any, steps: Any) -> Any:
        y, end = step(x, q)
        code = jnp.where(code == GOES_ON, end, code)
        alive = code == GOES_ON
        return jnp.where(alive, y, x), code, steps + alive

    return advance


def _block(f: Any, rule: CompiledRule, names: tuple[str, ...]) -> Callable[..., Any]:
    """(x, q, code) ↦ the states some steps later, and whether no row that goes on has ended on the way.

    Of states the largest moduli are kept, of which one test remains for all steps; with a domain, which has no such
    bound, the end of every step is asked for.
    """
    jax = import_jax()
    jnp = jax.numpy

    def one(x: Any, q: Any) -> Any:
        p = dict(zip(names, q))

        def step(_: Any, carry: Any) -> Any:
            y, peak, end = carry
            y = f(y, p)
            return (
                y,
                jnp.maximum(peak, jnp.abs(y)),
                jnp.maximum(end, rule.end(y, p)) if rule.domain is not None else end,
            )

        y, peak, end = jax.lax.fori_loop(0, BLOCK, step, (x, jnp.abs(x), jnp.asarray(GOES_ON)), unroll=UNROLLED)
        return y, jnp.maximum(end, rule.end_of_size(peak))

    several = jax.vmap(one, in_axes=(-1, -1), out_axes=(-1, -1))

    def block(x: Any, q: Any, code: Any) -> Any:
        y, end = several(x, q)
        return y, jnp.all((end == GOES_ON) | (code != GOES_ON))

    return block
