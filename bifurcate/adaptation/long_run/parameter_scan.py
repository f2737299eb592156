"""A scan of the network along one of its parameters: where the signs that make up its verdict change.

Signs are computed from the network itself wherever they are needed, and every change between samples is bracketed.
Where one equation describes the change (a margin of the verdict, or the depth of the scalar equation), it is solved;
otherwise the change is a jump, and found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.branch_fold import last_ratio, reaches
from bifurcate.adaptation.equilibria.equilibrium import Unresolved, at_rest, scalar_of, weights_settle
from bifurcate.adaptation.equilibria.local_stability import inner_multipliers
from bifurcate.adaptation.long_run.stability_verdict import StabilityVerdict, verdict
from bifurcate.errors import InvalidInput

__all__ = ["ParameterScan"]

EPS = float(np.finfo(float).eps)
ROUNDING = 1e-14  # error of a multiplier, in units of the largest: a dozen roundings
JUMP = 1e-6  # part of a margin at the bracket's ends that it must fall below at a root: else it has jumped across 0
TRIES = (0, 4, 8, 16)  # halvings of a bracket after which an equation is tried: it may not describe a wide one
ROUNDINGS = 4.0  # units in the last place that every claimed error contains
FOLD_STEP = 1e-4  # part of the parameter by which margins beside a fold are compared, and of that for the nearer one
FOLD_ROUNDING = 1e-13  # rounding of the fold's place, in units of the parameter
NEAREST_SAMPLE = -6.0  # decades from the width of the scan to its samples nearest to an end
EDGE = 1e-9  # part of the width of the scan by which even samples stay away from its ends, which may be undefined
NARROWEST = 4e-16  # relative width of a bracket that cannot be halved
BESIDE_ROOT = 1e-4  # part of a bracket at which signs beside a root are computed
SLOPE_STEP = 1e-6  # part of the parameter, or of the width of the scan, for the slope of a margin
MINIMUM_TOLERANCE = 1e-7  # part of a bracket to which a minimum is located: rounding's square root
SMALLEST = 1e-300  # absolute tolerance of a root, so that the relative one decides
ROOT_ITERATIONS = 300  # of Brent's method, from brackets that span the range of a double

Signs = tuple[bool, ...] | str
Found = tuple[str, float, float]  # kind, value, error


class ParameterScan:
    """The network along one parameter, with what was computed on it.

    Parameters
    ----------
    net : Model
        The network.
    name : str
        Of the parameter.
    low, high : float
        The interval.
    """

    def __init__(self, net: Model, name: str, low: float, high: float) -> None:
        self.net, self.name, self.low, self.high = net, name, low, high
        self._seen: dict[float, tuple[StabilityVerdict | None, Signs | None]] = {}
        self.ratio: float | None = None  # γ at which the branch at β > 0 ends; None if it does not
        self.is_rate = name in ("alpha", "beta")  # on which the ratio at the end is the same all along the scan
        if self.is_rate and (net.beta > 0.0 if name == "alpha" else high > 0.0 < net.alpha):
            self.ratio = last_ratio(scalar_of(net, gamma=0.0))

    # At one value

    def at(self, value: float) -> Model | None:
        """The network at a value; None where there is none (all neurons silent, a pole at the start)."""
        try:
            return self.net.replace(**{self.name: value})
        except InvalidInput:
            return None

    def verdict_at(self, value: float) -> StabilityVerdict | None:
        """The verdict at a value."""
        return self._compute(value)[0]

    def signs(self, value: float) -> Signs | None:
        """The signs of the verdict: True if nothing flips, nothing leaves, and weights settle; None if unresolved."""
        return self._compute(value)[1]

    def is_clear(self, value: float) -> bool:
        """True if the verdict is beyond doubt: no multiplier of the outputs too near the circle, no pole near by."""
        found, signs = self._compute(value)
        return signs is not None and (found is None or found.stability is None or found.stability.outputs != "neutral")

    def _compute(self, value: float) -> tuple[StabilityVerdict | None, Signs | None]:
        if value not in self._seen:
            here = self.at(value)
            if here is None:
                self._seen[value] = None, "undefined"
            else:
                known = self._reached(here)
                found = verdict(here, known)
                self._seen[value] = found, _signs(here, found, known)
        return self._seen[value]

    def _reached(self, here: Model) -> bool | None:
        if here.beta <= 0.0 or here.alpha == 0.0:
            return None
        if self.is_rate:
            return self.ratio is None or here.alpha / here.beta > self.ratio
        return reaches(scalar_of(here))

    def kind_and_outputs(self, value: float) -> tuple[str, bool]:
        """The verdict's kind, and True if outputs settle."""
        found = self.verdict_at(value)
        return ("undefined", False) if found is None else (found.kind, found.outputs_settle)

    def margin(self, key: str) -> Callable[[float], float]:
        """1 + λ_min for "flip", 1 − λ_max for "fold"; NaN where there is no equilibrium."""

        def value(at: float) -> float:
            found = self.verdict_at(float(at))
            return np.nan if found is None or found.state is None else found.margins[key]

        return value

    def depth(self, value: float) -> float:
        """Of the scalar equation at β > 0: positive where it has no root."""
        here = self.at(float(value))
        if here is None or not (here.beta > 0.0 and here.alpha > 0.0):
            return np.nan
        scalar = scalar_of(here)
        return scalar.depth() if (scalar.h > 0.0).all() else np.nan

    # Where signs change

    def changes(self, samples: int) -> list[Found]:
        """Every value inside the line at which signs change."""
        found = [each for each in (*self._ends(), *self._silences(samples)) if self.low < each[1] < self.high]
        if self.name == "beta" and self.low < 0.0 < self.high:
            found.append(("beta zero", 0.0, 0.0))
        edges = [self.low, *sorted({value for _, value, _ in found}), self.high]
        for low, high in pairwise(edges):
            found.extend(self._between(low, high, samples))
        return found

    def _ends(self) -> list[Found]:
        """The end of the branch at β > 0 where it is one ratio of rates."""
        if self.ratio is None or not np.isfinite(self.ratio):
            return []
        value = self.net.beta * self.ratio if self.name == "alpha" else self.net.alpha / self.ratio
        return [("fold", value, self._fold_error(value))]

    def _fold_error(self, value: float) -> float:
        # Near a fold the margin falls like the square root of the distance: compare two of them.
        for side in (-1.0, 1.0):
            step = FOLD_STEP * side * abs(value)
            margins = [self._nearest_to_one(value + step), self._nearest_to_one(value + FOLD_STEP * step)]
            if np.isfinite(margins).all():
                # m² = c (d + e) at the distances d and FOLD_STEP · d from a value that is off by e
                square = (margins[1] / margins[0]) ** 2
                return float(
                    abs(step) * abs(square - FOLD_STEP) / max(abs(1.0 - square), FOLD_STEP)
                ) + FOLD_ROUNDING * abs(value)
        return np.nan

    def _nearest_to_one(self, value: float) -> float:
        here = self.at(value)
        found = None if here is None else verdict(here, known=True)
        if here is None or found is None or found.state is None:
            return np.nan
        return float(np.abs(1.0 - inner_multipliers(here, found.state)).min())

    def _silences(self, samples: int) -> list[Found]:
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
        roots = sorted({root for i in passing.tolist() for root in roots_of(current_of(i), grid)})
        return [("border", root, ROUNDINGS * EPS * max(abs(root), 1.0)) for root in roots]

    def _between(self, low: float, high: float, samples: int) -> Iterator[Found]:
        """Changes between two values, from samples spaced evenly and by equal factors towards either of them."""
        width = high - low
        near = width * np.logspace(NEAREST_SAMPLE, 0.0, max(samples // 4, 2))[:-1]
        even = np.linspace(low + EDGE * width, high - EDGE * width, samples)
        grid = np.unique(np.concatenate([even, low + near, high - near]))
        grid = grid[(grid > low) & (grid < high)]
        extra = [value for key in ("flip", "fold") for value in hidden_sign_changes(self.margin(key), grid)]
        grid = np.array([value for value in np.unique([*grid, *extra]).tolist() if self.signs(value) is not None])
        for a, b in pairwise(grid.tolist()):
            start = a
            while self.signs(start) != self.signs(b):
                change, start = self._change(start, b)
                yield change

    def _change(self, a: float, b: float) -> tuple[Found, float]:
        """The first change between two values of different signs, and a value beyond it."""
        first, halvings = self.signs(a), 0
        while b - a > NARROWEST * max(abs(a), abs(b)):
            found = self._exact(a, b) if halvings in TRIES else None
            middle = 0.5 * (a + b)
            if found is not None or not a < middle < b:
                return found or ("border", middle, b - a), b
            signs = self.signs(middle)
            if signs is None:
                break
            a, b = (middle, b) if signs == first else (a, middle)
            halvings += 1
        return ("border", 0.5 * (a + b), b - a), b

    def _exact(self, a: float, b: float) -> Found | None:
        """The change as the root of one equation, if a single sign makes up the difference."""
        one, other = self.signs(a), self.signs(b)
        if "no equilibrium" in (one, other):
            root = self._root(self.depth, a, b)
            return None if root is None else ("fold", root, self._fold_error(root))
        if not isinstance(one, tuple) or not isinstance(other, tuple):
            return None
        differ = [here != there for here, there in zip(one, other, strict=True)]
        if differ == [True, False, False] or differ == [False, True, False]:
            key, kind = ("flip", "flip") if differ[0] else ("fold", "branch point")
            root = self._root(self.margin(key), a, b)
            return None if root is None else (kind, root, self._error(key, root))
        return None

    def _root(self, f: Callable[[float], float], a: float, b: float) -> float | None:
        """A root at which signs do change. At β > 0 a root may also lie on what is no longer the branch."""
        root, step = root_of(f, a, b), BESIDE_ROOT * (b - a)
        if root is None:
            return None
        beside = self.signs(max(a, root - step)), self.signs(min(b, root + step))
        return root if beside == (self.signs(a), self.signs(b)) else None

    def _error(self, key: str, root: float) -> float:
        step = SLOPE_STEP * min(self.high - self.low, abs(root) or np.inf)
        margin = self.margin(key)
        slope = (margin(root + step) - margin(root - step)) / (2.0 * step)
        found = self.verdict_at(root)
        largest = 1.0 if found is None or found.stability is None else found.stability.outputs_radius
        noise = ROUNDING * max(1.0, largest) / abs(slope) if slope else np.nan
        return float(noise + ROUNDINGS * EPS * abs(root))


def _signs(here: Model, found: StabilityVerdict, known: bool | None) -> Signs | None:
    if found.state is not None:
        rests = here.beta != 0.0 or here.alpha == 0.0 or weights_settle(here)
        return found.margins["flip"] > 0.0, found.margins["fold"] > 0.0, rests
    try:
        at_rest(here, known)
    except Unresolved:
        return None
    except InvalidInput:
        pass
    return "no equilibrium"


def root_of(f: Callable[[float], float], a: float, b: float) -> float | None:
    """A root of f between two values, unless f has one sign, is undefined on the way or jumps across 0."""
    ends = f(a), f(b)
    if not ends[0] * ends[1] < 0.0:
        return None
    try:
        root = float(brentq(f, a, b, xtol=SMALLEST, rtol=4 * EPS, maxiter=ROOT_ITERATIONS))
    except ValueError:
        return None
    return root if abs(f(root)) <= JUMP * max(abs(ends[0]), abs(ends[1])) else None


def roots_of(f: Callable[[float], float], grid: np.ndarray) -> list[float]:
    """Roots of f between neighbouring samples, or at a sample."""
    points = grid.tolist()
    between = (root_of(f, a, b) for a, b in pairwise(points))
    return [root for root in between if root is not None] + [value for value in points if f(value) == 0.0]


def hidden_sign_changes(f: Callable[[float], float], grid: np.ndarray) -> list[float]:
    """Values between samples at which f has another sign than at both neighbours, where |f| has a minimum.

    Examples
    --------
    >>> hidden_sign_changes(lambda x: (x - 0.49) ** 2 - 1e-6, np.linspace(0.0, 1.0, 12))
    [0.49]
    """
    f_at = np.array([f(value) for value in grid.tolist()])
    size, found = np.abs(f_at), []
    for j in range(1, len(grid) - 1):
        before, here, after = size[j - 1 : j + 2].tolist()
        same = np.sign(f_at[j - 1]) == np.sign(f_at[j]) == np.sign(f_at[j + 1]) != 0.0
        if not (same and here <= before and here <= after and here <= before + after - 2.0 * here):
            continue
        sign, bounds = np.sign(f_at[j]), (float(grid[j - 1]), float(grid[j + 1]))

        def beyond(value: float, sign: float = sign) -> float:
            at = sign * f(value)
            return -1.0 if np.isnan(at) else at

        close = {"xatol": MINIMUM_TOLERANCE * (bounds[1] - bounds[0])}
        least = minimize_scalar(beyond, bounds=bounds, method="bounded", options=close)
        if least.fun < 0.0:
            found.append(float(least.x))
    return found
