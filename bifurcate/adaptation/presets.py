"""Networks from tuning curves: a ring of orientations, and the question as it was posed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bifurcate.adaptation.network import Network
from bifurcate.adaptation.stimuli.drive import TunedDrives, Tuning, components, stimulus_list
from bifurcate.adaptation.stimuli.tuning import HALF_WIDTH, raised_cosine
from bifurcate.adaptation.validation import finite
from bifurcate.errors import InvalidInput
from bifurcate.validation import check_count

__all__ = ["literal", "ring"]

POSED = {"alpha": (0.0, 1.0), "beta": (0.0, 1.0), "b": (0.0, 1.0)}
ROUNDED_VALUE = 1e-12  # by which a tuning's values may leave [c₀, 1]: rounding of a few operations
POSED_OPTIONS = {"b", "tuning", "floor", "half_width"}


def ring(
    n: int,
    baseline: Any,
    stimulus: Any,
    *,
    alpha: float,
    beta: float,
    sigma: float,
    b: float = 0.0,
    tuning: Tuning | None = None,
    floor: float = 0.1,
    half_width: float = HALF_WIDTH,
    initial: Any = None,
    target: Any = "baseline",
    ensemble: Any = None,
    clip: bool = False,
    allowed: Mapping[str, tuple[float, float]] | None = None,
) -> Network:
    """A network of n neurons whose preferred orientations are evenly spaced on [0, π).

    The drive is r = max(x, 0)² with x = Σₖ cₖ f(θₖ) + b. The parameters of its maps are alpha, beta, sigma, b and
    contrast and orientation, or contrast_1, contrast_2, …, orientation_1, … for a stimulus of several components.

    Parameters
    ----------
    n : int
        Number of neurons, at least 1.
    baseline, stimulus : pair or list of pairs
        (contrast, orientation), each a number or an array of shape (k,); or a list of such pairs of numbers.
        Orientations in radians, of period π. A contrast may be negative.
    alpha, beta, sigma : float
        As for :class:`Network`.
    b : float
        Input current without a stimulus.
    tuning : callable, optional
        (orientation (k,), preferred (n,)) ↦ f, shape (k, n); :func:`raised_cosine` if not given.
    floor, half_width : float
        Of the raised cosine; without effect on another tuning.
    initial, target, clip, allowed
        As for :class:`Network`.
    ensemble : list of stimuli, optional
        For target="ensemble".

    Returns
    -------
    Network

    Examples
    --------
    >>> ring(180, baseline=(0.8, 0.0), stimulus=(0.8, 1.05), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    Network(n=180, alpha=0.05, beta=-0.1, sigma=0.166667, b=0.05, contrast=0.8, orientation=1.05)
    """
    check_count("n", n)
    current = finite("b", b)
    if current.ndim:
        raise InvalidInput(f"b has shape {current.shape}; it must be a number")
    drives = TunedDrives(
        np.arange(n) * (np.pi / n),
        tuning or partial(raised_cosine, floor=floor, half_width=half_width),
        components(stimulus, "stimulus"),
        components(baseline, "baseline"),
        float(current),
        stimulus_list(ensemble),
    )
    return Network(
        drives,
        alpha=alpha,
        beta=beta,
        sigma=sigma,
        initial=initial,
        target=target,
        clip=clip,
        allowed=allowed,
    )


def literal(
    n: int,
    baseline: Any,
    stimulus: Any,
    *,
    alpha: float,
    beta: float,
    sigma: float,
    **options: Any,
) -> Network:
    """The question as posed: α, β and b in [0, 1], W₀ all ones, the baseline's target, no clip.

    The β term is then growth away from C. The intervals hold for :meth:`Network.replace`, too.

    Parameters
    ----------
    n, baseline, stimulus, alpha, beta, sigma
        As for :func:`ring`.
    **options
        Of :func:`ring`: b, tuning, floor and half_width; what the question fixes cannot be given. Values of a tuning
        must lie in [c₀, 1], with floor for c₀; 0 if neither is given.

    Examples
    --------
    >>> literal(12, baseline=(1.0, 0.0), stimulus=(1.0, 0.5), alpha=0.1, beta=-0.1, sigma=0.2)
    Traceback (most recent call last):
    bifurcate.errors.InvalidInput: beta is -0.1; it must be a finite real number in [0, 1]
    """
    if fixed := sorted(options.keys() - POSED_OPTIONS):
        raise InvalidInput(f"literal takes no {fixed[0]!r}: the question fixes it; ring takes it")
    if options.get("tuning") is not None:
        options["tuning"] = PosedTuning(options["tuning"], options.get("floor", 0.0))
    return ring(n, baseline, stimulus, alpha=alpha, beta=beta, sigma=sigma, allowed=POSED, **options)


@dataclass(frozen=True)
class PosedTuning:
    """A tuning whose values lie in [c₀, 1], as the question says.

    Attributes
    ----------
    tuning : callable
        As :func:`ring` takes it.
    floor : float
        c₀.
    """

    tuning: Tuning
    floor: float

    def __call__(self, orientation: np.ndarray, preferred: np.ndarray) -> np.ndarray:
        """The values, or InvalidInput."""
        f = np.asarray(self.tuning(orientation, preferred))
        low, high = float(np.min(f)), float(np.max(f))
        if low < self.floor - ROUNDED_VALUE or high > 1.0 + ROUNDED_VALUE:
            raise InvalidInput(
                f"tuning has values from {low:.6g} to {high:.6g}; the question asks for [{self.floor:g}, 1]: "
                "ring takes any"
            )
        return f
