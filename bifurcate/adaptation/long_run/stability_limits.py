"""The exact parameter values at which the verdict on the equilibrium changes.

At β < 0 the equilibrium, and with it μ, depends on every parameter: α μ_max/n = 2 + β is one equation in one unknown
through the scalar equation of equilibria.py, solved here by bracketed root finding. What is fixed beforehand is exact:

- at β = 0 the equilibrium is the target's, whatever α is: α = 2n/μ_max (test_flip_at_beta_zero_is_closed_form);
- equilibria depend on α and β through γ = α/β alone, so that at β > 0 the branch ends at one γ: a fold at α = γ β
  (test_fold_in_alpha_and_in_beta_is_one_ratio);
- the weights' own multiplier 1+β passes the circle at β = 0 and β = −2, whatever the rest is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.long_run.parameter_scan import ParameterScan
from bifurcate.errors import InvalidInput
from bifurcate.validation import check_count

__all__ = ["StabilityLimit", "limits"]

# Where to look if no bounds are given.
BOUNDS = {"alpha": (0.0, 10.0), "beta": (-3.0, 1.0), "sigma": (0.0, 10.0), "b": (0.0, 1.0), "contrast": (0.0, 1.0)}
STEP = 1e-5  # part of the bounds' distance from a limit at which the verdict is computed, unless another is nearer
FEWEST_SAMPLES = 3  # a minimum of |1 ± λ| between samples shows at three


class OutputsSettle(NamedTuple):
    """True if outputs settle on either side of a limit."""

    below: bool
    above: bool


@dataclass(frozen=True)
class StabilityLimit:
    """A parameter value at which the verdict changes.

    Attributes
    ----------
    parameter : str
        Its name.
    value : float
        Where.
    error : float
        Estimate of its error: rounding of the multiplier that crosses over its slope; at a fold, where that slope is
        infinite, from how near the multiplier has come to 1.
    kind : str
        "flip" (a multiplier of the outputs at −1), "fold" (β > 0: the branch from β = 0 ends), "branch point" (β > 0: a
        multiplier of the outputs at 1, the branch goes on), "beta zero" (weights decay below, grow above), "border"
        (the verdict jumps: a neuron falls silent, or at β > 0 two folds are born at a smaller β).
    below, above : str
        The kinds of verdict on either side.
    outputs : OutputsSettle
        True if outputs settle ``below``, and ``above``.
    """

    parameter: str
    value: float
    error: float
    kind: str
    below: str
    above: str
    outputs: OutputsSettle


def limits(net: Model, name: str, bounds: Any, samples: int) -> tuple[StabilityLimit, ...]:
    """All values of a parameter within bounds at which the verdict changes; see :meth:`~..network.Network.limits`."""
    low, high = _span(net, name, bounds)
    check_count("samples", samples, FEWEST_SAMPLES)
    line = ParameterScan(net, name, low, high)
    return tuple(_with_sides(line, sorted(line.changes(samples), key=lambda each: each[1])))


def _with_sides(line: ParameterScan, found: list[tuple[str, float, float]]) -> list[StabilityLimit]:
    """The values at which the verdict does change, with what it is on either side."""
    out = []
    values = [line.low, *(value for _, value, _ in found), line.high]
    for (kind, value, error), left, right in zip(found, values[:-2], values[2:], strict=True):
        reach = STEP * (line.high - line.low)
        below = _beside(line, value, -min(reach, 0.5 * (value - left)), value - left)
        above = _beside(line, value, min(reach, 0.5 * (right - value)), right - value)
        if below != above:
            out.append(
                StabilityLimit(line.name, value, error, kind, below[0], above[0], OutputsSettle(below[1], above[1]))
            )
    return out


def _beside(line: ParameterScan, value: float, step: float, room: float) -> tuple[str, bool]:
    """The verdict this far from a value, or farther where a multiplier is too near the circle or a pole is near."""
    while not line.is_clear(value + step) and abs(2.0 * step) < room:
        step *= 2.0
    return line.kind_and_outputs(value + step)


def _span(net: Model, name: str, bounds: Any) -> tuple[float, float]:
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
