"""The exact parameter values at which the verdict on the equilibrium changes.

At β < 0 the equilibrium, and with it μ, depends on every parameter: α μ_max/n = 2 + β is one equation in one unknown
through the scalar equation of equilibria.py, solved here by bracketed root finding. What is fixed beforehand is exact:

- at β = 0 the equilibrium is the target's, whatever α is: α = 2n/μ_max (test_flip_at_beta_zero_is_closed_form);
- equilibria depend on α and β through γ = α/β alone, so that at β > 0 the branch ends at one γ: a fold at α = γ β
  (test_fold_in_alpha_and_in_beta_is_one_ratio);
- the weights' own multiplier 1+β passes the circle at β = 0 and β = −2, whatever the rest is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from bifurcate.adaptation.equilibria import last_beta
from bifurcate.adaptation.outcome import Verdict, verdict
from bifurcate.adaptation.stability import inner_multipliers
from bifurcate.errors import InvalidInput

if TYPE_CHECKING:
    from bifurcate.adaptation.network import Network

__all__ = ["Limit", "limits"]

# Where to look if no bounds are given.
BOUNDS = {"alpha": (0.0, 10.0), "beta": (-3.0, 1.0), "sigma": (0.0, 10.0), "b": (0.0, 1.0), "contrast": (0.0, 1.0)}
ROUNDING = 1e-14  # of a multiplier, in units of the largest
FOLDS = 25  # samples of the end of the branch at β > 0, each of which takes a search of its own
JUMP = 1e-6  # of a margin at the bracket's ends, which it must fall below at a root: else it has jumped across 0
STEEPEST = 1e4  # as large as γ = β/α is looked for at a fold


@dataclass(frozen=True)
class Limit:
    """A parameter value at which the verdict changes.

    Attributes
    ----------
    parameter : str
    value : float
    error : float
        Estimate of its error: rounding of the multiplier that crosses over its slope; at a fold, where that slope is
        infinite, from how near the multiplier has come to 1.
    kind : str
        "flip" (a multiplier of the outputs at −1), "fold" (β > 0: the branch from β = 0 ends), "branch point" (β > 0: a
        multiplier of the outputs at 1, the branch goes on), "beta zero" (weights decay below, grow above), "border"
        (the verdict jumps, as a neuron falls silent).
    below, above : str
        The kinds of verdict on either side.
    outputs : tuple of (bool, bool)
        Whether outputs settle below and above.
    """

    parameter: str
    value: float
    error: float
    kind: str
    below: str
    above: str
    outputs: tuple[bool, bool]


def limits(net: Network, name: str, bounds: Any, samples: int) -> tuple[Limit, ...]:
    """See :meth:`Network.limits`."""
    low, high = _span(net, name, bounds)
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 3:
        raise InvalidInput(f"samples is {samples!r}; it must be a whole number, at least 3")
    line = _Line(net, name, low, high)
    found = line.folds()
    line.ends = tuple(value for _, value, _ in found)
    borders = line.borders(samples)
    line.silences = tuple(value for _, value, _ in borders)
    found.extend(borders)
    if name == "beta" and low < 0.0 < high:
        found.append(("beta zero", 0.0, 0.0))
    edges = [low, *sorted(value for _, value, _ in found if low < value < high), high]
    for a, b in pairwise(edges):
        found.extend(line.crossings(a, b, samples))
    return tuple(line.told(sorted(found, key=lambda each: each[1])))


def _span(net: Network, name: str, bounds: Any) -> tuple[float, float]:
    if name not in net.parameters:
        raise InvalidInput(f"the network has no parameter {name!r}; it has {', '.join(net.parameters)}")
    kind = name.partition("_")[0]
    try:
        low, high = BOUNDS.get(kind, (0.0, np.pi)) if bounds is None else (float(each) for each in bounds)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"bounds is {bounds!r}; it must be a pair of numbers") from error
    least, most = net.allowed.get(name, (-np.inf, np.inf))
    low, high = (max(low, least), min(high, most)) if bounds is None else (low, high)
    if not (least <= low < high <= most and np.isfinite([low, high]).all()):
        raise InvalidInput(f"bounds is {bounds!r}; it must be a rising pair of finite numbers in [{least:g}, {most:g}]")
    return low, high


class _Line:
    """The network along one parameter, and what was seen on it."""

    ends: tuple[float, ...]

    def __init__(self, net: Network, name: str, low: float, high: float) -> None:
        self.net, self.name, self.low, self.high = net, name, low, high
        self.reaches, self.ends = (
            True,
            (),
        )  # whether the branch at β > 0 is there at the lower bound; where that changes
        self.silences: tuple[float, ...] = ()
        self._seen: dict[float, Verdict | None] = {}

    def at(self, value: float) -> Network | None:
        """The network there; None where there is none (all neurons silent, a pole at the start)."""
        try:
            return self.net.replace(**{self.name: value})
        except InvalidInput:
            return None

    def judged(self, value: float) -> Verdict | None:
        """The verdict there. Between the ends of the branch it need not be searched for an end again."""
        if value not in self._seen:
            here = self.at(value)
            self._seen[value] = None if here is None else verdict(here, known=self._reached(value, here.beta))
        return self._seen[value]

    def _reached(self, value: float, beta: float) -> bool | None:
        if beta <= 0.0:
            return None
        return self.reaches != (sum(end < value for end in self.ends) % 2 == 1)

    def margin(self, kind: str) -> Callable[[float], float]:
        """1 + λ_min for "flip", 1 − λ_max for "branch point"; NaN where there is no equilibrium."""
        key = "flip" if kind == "flip" else "fold"

        def value(at: float) -> float:
            found = self.judged(float(at))
            return np.nan if found is None or found.state is None else found.margins[key]

        return value

    def folds(self) -> list[tuple[str, float, float]]:
        """Ends of the branch at β > 0; beyond each it is what it was not before."""
        net, name = self.net, self.name
        if name in ("alpha", "beta"):
            here = net if name == "alpha" else net.replace(beta=0.0)
            if (name == "alpha" and net.beta <= 0.0) or (name == "beta" and (self.high <= 0.0 or net.alpha == 0.0)):
                return []
            alpha = 1.0 if name == "alpha" else net.alpha
            ratio = last_beta(here.replace(alpha=alpha), STEEPEST * alpha) / alpha
            value = net.beta / ratio if name == "alpha" and ratio > 0.0 else ratio * net.alpha
            self.reaches = value <= self.low if name == "alpha" else value > max(self.low, 0.0)
            return [("fold", float(value), self._fold_error(float(value)))] if self.low < value < self.high else []
        if net.beta <= 0.0 or net.alpha == 0.0:
            return []

        def excess(value: float) -> float:
            here = self.at(float(value))
            return np.nan if here is None else last_beta(here, 4.0 * net.beta) - net.beta

        grid = np.linspace(self.low, self.high, FOLDS)
        self.reaches = excess(grid[0]) > 0.0
        return [("fold", root, self._fold_error(root)) for root in _roots(excess, grid, touching=False)]

    def _fold_error(self, value: float) -> float:
        # Near a fold the margin falls like the square root of the distance: compare two of them.
        for side in (-1.0, 1.0):
            step = 1e-4 * side * max(abs(value), 1e-6)
            margins = [self._nearest_to_one(value + step), self._nearest_to_one(value + 1e-4 * step)]
            if np.isfinite(margins).all():
                # m² = c (d + e) at the distances d and 1e-4 d from a value that is off by e
                square = (margins[1] / margins[0]) ** 2
                return float(abs(step) * abs(square - 1e-4) / max(abs(1.0 - square), 1e-4)) + 1e-13 * abs(value)
        return np.nan

    def _nearest_to_one(self, value: float) -> float:
        here = self.at(value)
        found = None if here is None else verdict(here, known=True)
        if here is None or found is None or found.state is None:
            return np.nan
        return float(np.abs(1.0 - inner_multipliers(here, found.state)).min())

    def borders(self, samples: int) -> list[tuple[str, float, float]]:
        """Where an input current passes 0, so that a neuron falls silent or is driven anew."""
        stimuli, p = self.net.stimuli, self.net.parameters
        if self.name not in stimuli.parameters:
            return []

        def currents(value: float) -> np.ndarray:
            x = stimuli.at({**p, self.name: value}).current
            return np.zeros(0) if x is None else x

        def current_of(i: int) -> Callable[[float], float]:
            return lambda value: float(currents(value)[i])

        grid = np.linspace(self.low, self.high, samples)
        rows = np.array([currents(value) for value in grid.tolist()])
        passing = np.flatnonzero((np.sign(rows) != np.sign(rows[0])).any(axis=0))
        roots = sorted({root for i in passing.tolist() for root in _roots(current_of(i), grid, False)})
        return [("border", root, 4.0 * np.finfo(float).eps * max(abs(root), 1.0)) for root in roots]

    def crossings(self, low: float, high: float, samples: int) -> list[tuple[str, float, float]]:
        """Flips, branch points and borders between two values, from samples spaced evenly and by equal factors."""
        inset = 1e-9 * (high - low)
        even = np.linspace(low + inset, high - inset, samples)
        near = low + (high - low) * np.logspace(-6.0, 0.0, samples // 2)[:-1]
        grid = np.unique(np.concatenate([even, near]))
        found = [
            (kind, root, self._error(kind, root))
            for kind in ("flip", "branch point")
            for root in _roots(self.margin(kind), grid)
        ]
        known = [value for _, value, _ in found]
        edge = 1e-4 * (self.high - self.low)  # next to a silent neuron's border responses are too steep for rounding
        for a, b in pairwise(grid.tolist()):
            kinds = self._label(a), self._label(b)
            marginal = any(kind == "marginal" for kind, _ in kinds)
            if kinds[0] == kinds[1] or marginal or any(a <= value <= b for value in known):
                continue
            value, error = self._jump(a, b)
            if min((abs(value - each) for each in self.silences), default=np.inf) > edge:
                found.append(("border", value, error))
        return found

    def _label(self, value: float) -> tuple[str, bool]:
        found = self.judged(value)
        return ("undefined", False) if found is None else (found.kind, found.outputs_settle)

    def _jump(self, a: float, b: float) -> tuple[float, float]:
        first = self._label(a)
        while b - a > 4e-16 * max(abs(a), abs(b)):
            middle = 0.5 * (a + b)
            if not a < middle < b:
                break
            a, b = (middle, b) if self._label(middle) == first else (a, middle)
        return 0.5 * (a + b), b - a

    def _error(self, kind: str, root: float) -> float:
        step = 1e-6 * (self.high - self.low)
        margin = self.margin(kind)
        slope = (margin(root + step) - margin(root - step)) / (2.0 * step)
        found = self.judged(root)
        largest = 1.0 if found is None or found.stability is None else found.stability.outputs_radius
        noise = ROUNDING * max(1.0, largest) / abs(slope) if slope else np.nan
        return float(noise + 4.0 * np.finfo(float).eps * abs(root))

    def told(self, found: list[tuple[str, float, float]]) -> list[Limit]:
        """Those at which the verdict does change, with what it is on either side."""
        out = []
        values = [self.low, *(value for _, value, _ in found), self.high]
        for (kind, value, error), left, right in zip(found, values[:-2], values[2:], strict=True):
            reach = 1e-5 * (self.high - self.low)
            below = self._label(value - min(reach, 0.5 * (value - left)))
            above = self._label(value + min(reach, 0.5 * (right - value)))
            if below != above:
                out.append(Limit(self.name, value, error, kind, below[0], above[0], (below[1], above[1])))
        return out


def _roots(f: Callable[[float], float], grid: np.ndarray, touching: bool = True) -> list[float]:
    """Roots of f bracketed by samples; with ``touching`` also pairs between samples, where |f| has a minimum."""
    f_at = np.array([f(value) for value in grid.tolist()])
    found: list[float] = []

    def solve(a: float, b: float) -> None:
        try:
            root = float(brentq(f, a, b, xtol=1e-300, rtol=4 * np.finfo(float).eps, maxiter=300))
        except ValueError:  # f is undefined somewhere between: no root, at most a border
            return
        if abs(f(root)) <= JUMP * max(abs(f(a)), abs(f(b))):
            found.append(root)

    for a, b, fa, fb in zip(grid[:-1], grid[1:], f_at[:-1], f_at[1:], strict=True):
        if np.sign(fa) * np.sign(fb) < 0.0:
            solve(a, b)
        elif fa == 0.0:
            found.append(float(a))
    size = np.abs(f_at)
    for j in range(1, len(grid) - 1) if touching else ():
        same = np.sign(f_at[j - 1]) == np.sign(f_at[j]) == np.sign(f_at[j + 1]) != 0.0
        if same and size[j] <= size[j - 1] and size[j] <= size[j + 1]:
            sign = np.sign(f_at[j])
            least = minimize_scalar(
                lambda v, sign=sign: sign * f(v), bounds=(grid[j - 1], grid[j + 1]), method="bounded"
            )
            if least.fun < 0.0:
                solve(grid[j - 1], float(least.x))
                solve(float(least.x), grid[j + 1])
    return found
