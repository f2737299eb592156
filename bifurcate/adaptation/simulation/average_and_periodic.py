"""Schedules of stimuli: their average in every update, or one after the other, over and over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.simulation.stimulation_schedule import StimulationSchedule
from bifurcate.adaptation.stimuli.stimulus_set import Stage, stack
from bifurcate.adaptation.validation import finite
from bifurcate.errors import InvalidInput
from bifurcate.validation import is_whole_number

__all__ = ["average", "periodic", "probabilities_checked"]

SUM_OF_SHARES = 1e-9  # |Σp − 1| up to which the stimuli's probabilities sum to 1: rounding of what was typed


def average(net: Model, stimuli: Any, probabilities: Any = None, adaptor: int | None = None) -> StimulationSchedule:
    """The network under an ensemble of stimuli of which every update takes the average, W⁺ = … + α Σ p_q R^q R^qᵀ.

    What random order amounts to for small α; exact for a rule that gathers its products before it changes weights.

    Parameters
    ----------
    net : Model
        Its own stimulus is not shown.
    stimuli : list
        m stimuli: (contrast, orientation) each, as :func:`ring` takes them, or drives of shape (n,) for a network
        made from drives.
    probabilities : array_like, shape (m,), optional
        At least 0 and of sum 1 to within 1e-9; uniform if not given.
    adaptor : int, optional
        Number of a stimulus whose probability becomes the parameter "probability"; the others share the rest as they
        do now.

    Returns
    -------
    StimulationSchedule

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> both = average(net, [[1.0, 0.5], [0.5, 1.0]])
    >>> Y = both.reduced_equilibrium()
    >>> bool(abs(both.reduced(Y) - Y).max() < 1e-14), both.trivial
    (True, (0.9, 1))
    """
    presented = stack(net.stimuli, stimuli)
    m = len(presented.members)
    p = probabilities_checked(probabilities, m)
    everyone = np.arange(m)
    if adaptor is None:
        return StimulationSchedule(net, presented, (Stage(everyone, p, np.zeros(m)),))
    if not is_whole_number(adaptor) or not 0 <= adaptor < m:
        raise InvalidInput(f"adaptor is {adaptor!r}; it must be the number of a stimulus, 0 to {m - 1}")
    if m == 1:
        raise InvalidInput("an ensemble of one stimulus has no probability to vary; leave adaptor out")
    chance, share = float(p[adaptor]), np.where(everyone == adaptor, 0.0, p)
    share = share / share.sum() if share.sum() > 0.0 else np.where(everyone == adaptor, 0.0, 1.0 / (m - 1))
    slope = np.where(everyone == adaptor, 1.0, -share)
    return StimulationSchedule(net, presented, (Stage(everyone, share, slope),), chance)


def periodic(net: Model, stimuli: Any, order: Sequence[int] | None = None) -> StimulationSchedule:
    """The network under stimuli shown in turn, one an update, over and over: the maps go through a whole period.

    A fixed point of these maps is a regime that repeats with the stimuli, a cycle of period k one that repeats every
    k periods.

    Parameters
    ----------
    net : Model
        Its own stimulus is not shown.
    stimuli : list
        As for :func:`average`.
    order : sequence of int, optional
        Numbers of stimuli in the order of one period, each at least once; 0, 1, … if not given.

    Returns
    -------
    StimulationSchedule

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> turns = periodic(net, [[1.0, 0.5], [0.5, 1.0]], order=[0, 0, 1])
    >>> W = turns.equilibrium()
    >>> bool(abs(turns.update(W) - W).max() < 1e-14), round(turns.trivial[0], 12)
    (True, 0.729)
    """
    presented = stack(net.stimuli, stimuli)
    m = len(presented.members)
    if order is not None and not isinstance(order, Sequence | np.ndarray):
        raise InvalidInput(f"order is {order!r}; give a sequence of numbers of stimuli")
    order = list(range(m)) if order is None else list(order)
    if not order:
        raise InvalidInput("order is empty; a period shows at least one stimulus")
    for each in order:
        if not is_whole_number(each) or not 0 <= each < m:
            raise InvalidInput(f"order has the entry {each!r}; it must name a stimulus, 0 to {m - 1}")
    missing = sorted(set(range(m)) - {int(each) for each in order})
    if missing:
        raise InvalidInput(f"order never shows stimulus {missing[0]}; leave out stimuli that are not shown")
    return StimulationSchedule(net, presented, tuple(Stage(np.array([q]), np.ones(1), np.zeros(1)) for q in order))


def probabilities_checked(probabilities: Any, m: int) -> np.ndarray:
    """Probabilities of m stimuli, or InvalidInput."""
    if probabilities is None:
        return np.full(m, 1.0 / m)
    p = finite("probabilities", probabilities)
    if p.shape != (m,):
        raise InvalidInput(f"probabilities has shape {p.shape}; it must be {(m,)}, one for each stimulus")
    if (p < 0.0).any() or abs(float(p.sum()) - 1.0) > SUM_OF_SHARES:
        raise InvalidInput(
            f"probabilities sum to {p.sum():.12g} and the least is {p.min():.3g}; they must be at least 0 and sum to 1"
        )
    return p
