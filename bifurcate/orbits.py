"""Orbits: iteration with a reason for the end, orbit diagrams to draw under branches, and Lyapunov exponents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput
from bifurcate.linear import apply
from bifurcate.maps import Iterate, Map

__all__ = ["Exponents", "Orbit", "OrbitDiagram", "lyapunov", "orbit", "orbit_diagram"]

FAR = 1e12  # in units of the map's scale: an orbit beyond it has diverged


@dataclass(frozen=True, eq=False)
class Orbit:
    """Successive states of a map.

    Attributes
    ----------
    states : ndarray, shape (kept, *state's shape)
        The states after the transient; the last one is the last that was reached.
    steps : int
        Iterations done, the transient's included.
    end : str
        "steps" if all were done; "domain" if the orbit left the map's declared domain (crossed a pole);
        "diverged" if a state grew beyond 10¹² scales or stopped being finite.
    """

    states: np.ndarray
    steps: int
    end: str


@dataclass(frozen=True, eq=False)
class OrbitDiagram:
    """Long-run samples of an observable against a parameter.

    Attributes
    ----------
    parameter : str
    values : ndarray, shape (m,)
        The parameter's values.
    samples : ndarray, shape (m, keep)
        The observable at the last states; NaN from where the orbit ended.
    ends : tuple of str
        How every orbit ended, as in :class:`Orbit`.
    """

    parameter: str
    values: np.ndarray
    samples: np.ndarray
    ends: tuple[str, ...]


def orbit(map: Map, start: Any, steps: int, transient: int = 0, **parameters: float) -> Orbit:
    """Iterate a map.

    Parameters
    ----------
    map : Map
    start : array_like
        The first state.
    steps : int
        States to keep after the transient, at least 1. Without a transient the first kept one is the start.
    transient : int
        Iterations before that.
    **parameters : float
        Values that replace the map's own.

    Returns
    -------
    Orbit

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> bf.orbit(bf.maps.logistic(), [0.5], 3, r=2.0).states.ravel()
    array([0.5, 0.5, 0.5])
    """
    _counts(steps=(steps, 1, None), transient=(transient, 0, None))
    map = map.replace(**parameters) if parameters else map
    x = map.check(start)
    p = dict(map.parameters)
    kept = []
    with np.errstate(all="ignore"):
        for done in range(transient + steps):
            if done >= transient:
                kept.append(x)
            if done == transient + steps - 1:
                break
            following = np.asarray(map.f(x, **p), dtype=float)
            end = _end(map, following, p)
            if end != "steps":
                return Orbit(np.array(kept or [x]), done, end)
            x = following
    return Orbit(np.array(kept), transient + steps - 1, "steps")


def orbit_diagram(
    map: Map,
    parameter: str,
    values: Sequence[float] | np.ndarray,
    start: Any | Callable[[float], Any],
    observable: Callable[..., float],
    transient: int = 500,
    keep: int = 60,
) -> OrbitDiagram:
    """Where orbits of a map end up, for each value of a parameter.

    Parameters
    ----------
    map : Map
    parameter : str
        The parameter that varies.
    values : sequence of float
        Its values.
    start : array_like or callable
        The first state of every orbit, or ``start(value)``.
    observable : callable
        ``observable(x, **parameters)`` → float.
    transient, keep : int
        Iterations left out, and states sampled after them.

    Returns
    -------
    OrbitDiagram

    Examples
    --------
    >>> import bifurcate as bf
    >>> seen = bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 2.5], [0.3], lambda x, r: x[0], keep=2)
    >>> seen.samples.round(9)
    array([[0.5, 0.5],
           [0.6, 0.6]])
    """
    map.require(parameter)
    values = np.asarray(values, dtype=float)
    samples = np.full((len(values), keep), np.nan)
    ends = []
    for row, value in zip(samples, values.tolist()):
        here = map.replace(**{parameter: value})
        run = orbit(here, start(value) if callable(start) else start, keep, transient)
        if run.end == "steps":
            row[:] = [observable(x, **here.parameters) for x in run.states]
        ends.append(run.end)
    return OrbitDiagram(parameter, values, samples, tuple(ends))


@dataclass(frozen=True, eq=False)
class Exponents:
    """Lyapunov exponents along one orbit, in natural logarithms a step.

    Attributes
    ----------
    values : ndarray, shape (count,)
        By falling size; −inf where a direction was annihilated.
    errors : ndarray, shape (count,)
        One standard error of each, from the scatter of block means: of the finite orbit, not of rounding. NaN where the
        exponent is infinite or fewer than 16 steps were done.
    steps : int
        Steps over which they are averages.
    state : ndarray
        The last state.
    end : str
        As in :class:`Orbit`.
    """

    values: np.ndarray
    errors: np.ndarray
    steps: int
    state: np.ndarray
    end: str

    @property
    def chaotic(self) -> bool:
        """Whether the largest exponent is positive by more than three standard errors."""
        return bool(self.values[0] > 3.0 * self.errors[0])


def lyapunov(
    map: Map, start: Any, steps: int = 10_000, transient: int = 1000, count: int = 1, **parameters: float
) -> Exponents:
    """The leading Lyapunov exponents of an orbit, with error estimates.

    ``count`` tangent vectors are carried along and made orthonormal anew at every step, by a QR factorisation; the
    exponents are the means of ln |diag R| (Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15 (1980) 9; Eckmann &
    Ruelle, Rev. Mod. Phys. 57 (1985) 617, section V.C). Successive terms are correlated, so that their error is that of
    the means of blocks: the largest found as blocks are doubled from 1 step until 16 are left (Flyvbjerg & Petersen,
    J. Chem. Phys. 91 (1989) 461).

    Parameters
    ----------
    map : Map
        Its own derivatives are used: the Jacobian for several exponents, directional derivatives for one.
    start : array_like
        The first state.
    steps : int
        Steps to average over, at least 1.
    transient : int
        Steps before that, in which the orbit settles and the tangent vectors align.
    count : int
        Number of exponents, from 1 to the number of unknowns.
    **parameters : float
        Values that replace the map's own.

    Returns
    -------
    Exponents
        Averages over the steps done: fewer if the orbit left the domain or diverged, see ``end``.

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.lyapunov(bf.maps.logistic(), [0.3], r=4.0)
    >>> bool(abs(found.values[0] - np.log(2)) < 3 * found.errors[0])
    True
    """
    map = map.replace(**parameters) if parameters else map
    x = map.check(start)
    _counts(steps=(steps, 1, None), transient=(transient, 0, None), count=(count, 1, x.size))
    p, iterate = dict(map.parameters), Iterate(map, x.shape)
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((x.size, count)))[0]
    rows, end = np.empty((steps, count)), "steps"
    done = -transient
    with np.errstate(all="ignore"):
        while done < steps:
            following = np.asarray(map.f(x, **p), dtype=float)
            end = _end(map, following, p)
            if end != "steps":
                break
            frame, stretch = _carried(iterate, x, following, frame, p)
            if done >= 0:
                rows[done] = np.log(stretch)
            x, done = following, done + 1
    rows = rows[: max(done, 0)]
    values = rows.mean(axis=0) if len(rows) else np.full(count, np.nan)
    return Exponents(values, _blocked_error(rows), len(rows), x, end)


def _counts(**given: tuple[Any, int, int | None]) -> None:
    for name, (value, least, most) in given.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InvalidInput(f"{name} is {value!r}; it must be a whole number, at least {least}")
        if most is not None and value > most:
            raise InvalidInput(f"{name} is {value!r}; it must be at most the number of unknowns, {most}")


def _end(map: Map, x: np.ndarray, p: dict[str, float]) -> str:
    if not np.abs(x).max() < FAR * map.scale:
        return "diverged"
    if map.domain is not None and not np.min(map.domain(x, **p)) > 0:
        return "domain"
    return "steps"


def _carried(
    iterate: Iterate, x: np.ndarray, following: np.ndarray, frame: np.ndarray, p: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The frame one step later, orthonormal, and by how much it was stretched."""
    if frame.shape[1] == 1:
        moved = iterate.jvp([x.ravel(), following.ravel()], frame[:, 0], p)[:, None]
        length = np.linalg.norm(moved, axis=0)
        return (moved / length if length[0] > 0.0 else frame), length
    J = iterate.jacobian([x.ravel(), following.ravel()], p)
    frame, upper = np.linalg.qr(apply(J, frame))
    return frame, np.abs(np.diag(upper))


def _blocked_error(rows: np.ndarray) -> np.ndarray:
    """The largest standard error of the mean over blocks of 1, 2, 4, … rows, down to 16 blocks."""
    errors = np.full(rows.shape[1], np.nan if len(rows) < 16 else 0.0)
    errors[~np.isfinite(rows).all(axis=0)] = np.nan
    known = np.isfinite(errors)
    blocks = rows[:, known]
    while len(blocks) >= 16:
        errors[known] = np.maximum(errors[known], blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)))
        even = len(blocks) // 2 * 2
        blocks = 0.5 * (blocks[0:even:2] + blocks[1:even:2])
    return errors
