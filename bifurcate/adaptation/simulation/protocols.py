"""Protocols: what is shown in which order, as experiments on adaptation do it.

A :class:`Protocol` is a sequence of stimuli, to run once (:meth:`Protocol.run`) or over and over
(:meth:`Protocol.periodic`, whose maps go through continuation); an :class:`Ensemble` is stimuli with probabilities, to
average (:meth:`Ensemble.average`) or to show in random order (:meth:`Ensemble.sequence`).

A stimulus is a pair (contrast, orientation), numbers or arrays of shape (k,), or a list of such pairs; for networks
made from drives it is an ndarray of shape (n,), the drive itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.simulation.average_and_periodic import average, periodic, probabilities_checked
from bifurcate.adaptation.simulation.simulate import Run, simulate
from bifurcate.adaptation.simulation.stimulation_schedule import StimulationSchedule
from bifurcate.adaptation.stimuli.drive import Components, components
from bifurcate.adaptation.stimuli.stimulus_set import stack
from bifurcate.adaptation.validation import drives, finite, number
from bifurcate.errors import InvalidInput
from bifurcate.validation import check_count

__all__ = [
    "Protocol",
    "StimulusEnsemble",
    "alternation",
    "biased",
    "constant",
    "contrast_steps",
    "plaid",
    "recovery",
    "top_up",
]

Stimulus = Components | np.ndarray


def stimulus(value: Any, name: str = "stimulus") -> Stimulus:
    """A stimulus, checked."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return drives(name, value)
    return components(value, name)


@dataclass(frozen=True, eq=False)
class Protocol:
    """Stimuli in an order, in named phases.

    Two protocols add up to one after the other.

    Attributes
    ----------
    stimuli : tuple
        The distinct stimuli.
    order : ndarray of int, shape (T,)
        Which is shown in each of the T updates.
    phases : tuple of (str, int)
        Names of consecutive phases, and where each ends.

    Examples
    --------
    >>> both = constant((0.5, 0.0), 3) + constant((0.8, 1.0), 2, name="adaptor")
    >>> len(both), both.order.tolist(), both.phase("adaptor")
    (5, [0, 0, 0, 1, 1], slice(3, 5, None))
    """

    stimuli: tuple[Stimulus, ...]
    order: np.ndarray
    phases: tuple[tuple[str, int], ...] = field(default=())

    def __len__(self) -> int:
        """T."""
        return len(self.order)

    def __add__(self, other: Protocol) -> Protocol:
        if not isinstance(other, Protocol):
            return NotImplemented
        known, number = list(self.stimuli), []
        for each in other.stimuli:
            same = [j for j, shown in enumerate(known) if _same(shown, each)]
            number.append(same[0] if same else len(known))
            known += [] if same else [each]
        later = tuple((name, end + len(self)) for name, end in other.phases)
        order = np.concatenate([self.order, np.array(number)[other.order]])
        return Protocol(tuple(known), order, self.phases + later)

    def phase(self, name: str) -> slice:
        """The updates of the first phase of that name."""
        start = 0
        for each, end in self.phases:
            if each == name:
                return slice(start, end)
            start = end
        raise InvalidInput(f"the protocol has no phase {name!r}; it has {', '.join(each for each, _ in self.phases)}")

    @property
    def inputs(self) -> tuple[np.ndarray, np.ndarray]:
        """Contrasts and orientations, both (T, k), as :meth:`Network.run` takes them; 0 fills up missing components."""
        parts = [each for each in self.stimuli if isinstance(each, Components)]
        if len(parts) < len(self.stimuli):
            raise InvalidInput("a protocol of drives has no contrasts and orientations")
        shape = len(parts), max(len(each.contrast) for each in parts)
        contrast, orientation = np.zeros(shape), np.zeros(shape)
        for s, each in enumerate(parts):
            contrast[s, : len(each.contrast)], orientation[s, : len(each.contrast)] = each.contrast, each.orientation
        return contrast[self.order], orientation[self.order]

    def run(self, net: Model, *, alpha: Any = None, start: Any = None, keep: Any = "responses") -> Run:
        """Show it once; the rest as for :meth:`Network.run`."""
        shown = stack(net.stimuli, self.stimuli)
        r = shown.at(shown.parameters).drive
        return simulate(net, r[:, None], np.ones((len(r), 1)), self.order, alpha, start, keep)

    def periodic(self, net: Model) -> StimulationSchedule:
        """Show it over and over: :func:`~bifurcate.adaptation.periodic`, maps that go through a whole protocol."""
        return periodic(net, self.stimuli, self.order.tolist())


def _same(a: Stimulus, b: Stimulus) -> bool:
    if isinstance(a, Components) and isinstance(b, Components):
        return np.array_equal(a.contrast, b.contrast) and np.array_equal(a.orientation, b.orientation)
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)


def constant(shown: Any, steps: int, name: str = "constant") -> Protocol:
    """One stimulus for that many steps.

    Examples
    --------
    >>> len(constant((0.8, 0.0), 20))
    20
    """
    T = check_count("steps", steps)
    return Protocol((stimulus(shown),), np.zeros(T, dtype=int), ((name, T),))


def recovery(baseline: Any, adaptor: Any, before: int, during: int, after: int) -> Protocol:
    """Baseline, adaptor, and the baseline again, for numbers of steps of at least 1 each.

    Examples
    --------
    >>> recovery((0.5, 0.0), (0.9, 0.3), 2, 3, 1).order.tolist()
    [0, 0, 1, 1, 1, 0]
    """
    return (
        constant(baseline, before, "baseline")
        + constant(adaptor, during, "adaptor")
        + constant(baseline, after, "recovery")
    )


def alternation(stimuli: Sequence[Any], cycles: int = 1, dwell: int = 1) -> Protocol:
    """Stimuli in turn, each for ``dwell`` steps, the whole ``cycles`` times; one cycle is a period.

    Examples
    --------
    >>> alternation([(0.8, 0.0), (0.8, 1.0)], cycles=2, dwell=2).order.tolist()
    [0, 0, 1, 1, 0, 0, 1, 1]
    """
    if not isinstance(stimuli, Sequence | np.ndarray) or len(stimuli) == 0:
        raise InvalidInput("stimuli is empty; an alternation shows at least one")
    dwell = check_count("dwell", dwell)
    once = constant(stimuli[0], dwell, "stimulus 1")
    for s, each in enumerate(stimuli[1:], 2):
        once = once + constant(each, dwell, f"stimulus {s}")
    whole_order = np.tile(once.order, check_count("cycles", cycles))
    return Protocol(once.stimuli, whole_order, once.phases if cycles == 1 else (("alternation", len(whole_order)),))


def top_up(adaptor: Any, tests: Sequence[Any], first: int, top: int, dwell: int = 1) -> Protocol:
    """Long adaptation, then every test for ``dwell`` steps, each after the first preceded by a short adaptation again.

    Parameters
    ----------
    adaptor : stimulus
    tests : list of stimuli
        At least one.
    first, top : int
        Steps of the long adaptation, and of the one that tops it up between tests; at least 1.
    dwell : int
        Steps of each test.

    Examples
    --------
    >>> top_up((0.9, 0.0), [(0.5, 0.3), (0.5, 0.6)], first=3, top=2).order.tolist()
    [0, 0, 0, 1, 0, 0, 2]
    """
    if not isinstance(tests, Sequence | np.ndarray) or len(tests) == 0:
        raise InvalidInput("tests is empty; give at least one stimulus")
    total, top = constant(adaptor, first, "adaptor"), check_count("top", top)
    for s, each in enumerate(tests, 1):
        if s > 1:
            total = total + constant(adaptor, top, f"top-up {s - 1}")
        total = total + constant(each, dwell, f"test {s}")
    return total


def contrast_steps(contrasts: Any, orientation: float, dwell: int) -> Protocol:
    """One orientation at one contrast after another, each for ``dwell`` steps.

    Examples
    --------
    >>> contrast_steps([0.2, 0.8, 0.2], 0.0, 2).order.tolist()
    [0, 0, 1, 1, 0, 0]
    """
    levels = np.atleast_1d(finite("contrasts", contrasts))
    if levels.ndim != 1 or levels.size == 0:
        raise InvalidInput(f"contrasts has shape {levels.shape}; give a sequence of at least one number")
    total = constant((levels[0], orientation), dwell, "step 1")
    for s, c in enumerate(levels[1:], 2):
        total = total + constant((c, orientation), dwell, f"step {s}")
    return total


def plaid(contrasts: Any, orientations: Any, steps: int) -> Protocol:
    """Two components at once (k = 2) for that many steps.

    Examples
    --------
    >>> plaid([0.5, 0.4], [0.0, 1.0], 3).inputs[0].shape
    (3, 2)
    """
    c, theta = finite("contrasts", contrasts), finite("orientations", orientations)
    if c.shape != (2,) or theta.shape != (2,):
        raise InvalidInput(f"contrasts has shape {c.shape}, orientations {theta.shape}; a plaid has two of each, (2,)")
    return constant((c, theta), steps, "plaid")


@dataclass(frozen=True, eq=False)
class StimulusEnsemble:
    """Stimuli with probabilities.

    Attributes
    ----------
    stimuli : tuple
        m of them.
    probabilities : ndarray, shape (m,)
    adaptor : int or None
        The number of the one that is shown more often.
    """

    stimuli: tuple[Stimulus, ...]
    probabilities: np.ndarray
    adaptor: int | None = None

    @classmethod
    def of(cls, stimuli: Sequence[Any], probabilities: Any = None, adaptor: int | None = None) -> StimulusEnsemble:
        """From stimuli and probabilities (uniform if not given), checked.

        Examples
        --------
        >>> StimulusEnsemble.of([(0.8, 0.0), (0.8, 1.0)]).probabilities
        array([0.5, 0.5])
        """
        if not isinstance(stimuli, Sequence | np.ndarray) or len(stimuli) == 0:
            raise InvalidInput("stimuli is empty; an ensemble has at least one")
        shown = tuple(stimulus(each, f"stimuli[{s}]") for s, each in enumerate(stimuli))
        if adaptor is not None and check_count("adaptor", adaptor, 0) >= len(shown):
            raise InvalidInput(f"adaptor is {adaptor!r}; it must name a stimulus, 0 to {len(shown) - 1}")
        return cls(shown, probabilities_checked(probabilities, len(shown)), adaptor)

    def average(self, net: Model) -> StimulationSchedule:
        """Every update the average over the ensemble: :func:`~bifurcate.adaptation.average`."""
        return average(net, self.stimuli, self.probabilities, self.adaptor)

    def sequence(self, steps: int, seed: int) -> Protocol:
        """Stimuli drawn independently with these probabilities, reproducibly by the seed, a whole number ≥ 0."""
        T = check_count("steps", steps)
        order = np.random.default_rng(check_count("seed", seed, 0)).choice(
            len(self.stimuli), T, p=self.probabilities / self.probabilities.sum()
        )
        return Protocol(self.stimuli, order, (("random order", T),))


def biased(m: int, probability: float | None = None, contrast: float = 1.0, adaptor: float = 0.0) -> StimulusEnsemble:
    """Orientations adaptor + π j/m for j = 0 … m−1, uniform but for the first, whose probability is raised.

    Parameters
    ----------
    m : int
        Number of orientations, at least 2.
    probability : float, optional
        Of the adaptor, in [0, 1]; the others share the rest evenly. 1/m, uniform, if not given.
    contrast : float
        Of all.
    adaptor : float
        Its orientation, in radians.

    Examples
    --------
    >>> biased(5, 0.36).probabilities
    array([0.36, 0.16, 0.16, 0.16, 0.16])
    """
    m = check_count("m", m, 2)
    chance = 1.0 / m if probability is None else number("probability", probability, {"probability": (0.0, 1.0)})
    first = number("adaptor", adaptor, {})
    angles = [first, *np.mod(first + np.arange(1, m) * np.pi / m, np.pi).tolist()]
    p = np.full(m, (1.0 - chance) / (m - 1))
    p[0] = chance
    return StimulusEnsemble.of([(contrast, theta) for theta in angles], p, adaptor=0)
