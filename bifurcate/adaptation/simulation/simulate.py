"""Any sequence of inputs: weights, responses and moves, with the explicit solution of the weights as their check.

The weights are explicit in what was shown and answered. With Q_s = R_s R_sᵀ, or its average over stimuli, and rates
α_s that may change,

    W_t = C + (1+β)^t (W₀ − C) + Σ_{s<t} (1+β)^{t−1−s} α_s (Q_s − C)                                    (1.1)

so that T responses of n numbers hold T matrices of n².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import add_outer_product, respond
from bifurcate.adaptation.stimuli.drive import TunedDrives
from bifurcate.adaptation.validation import angles, finite
from bifurcate.deprecation import warn_old_name
from bifurcate.errors import InvalidInput
from bifurcate.interrupts import interrupted_meanwhile, protected
from bifurcate.orbits.orbit import DIVERGED
from bifurcate.validation import is_whole_number

__all__ = ["Run", "oriented", "run", "simulate"]

KEEP = ("responses", "all", "last")


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What became of a network under a sequence of T inputs.

    Attributes
    ----------
    network : Model
    drives : ndarray, shape (u, a, n)
        The distinct inputs: a drives each, of which an update takes the average (a = 1 for a plain sequence).
    shares : ndarray, shape (u, a)
        Their probabilities within an update.
    order : ndarray of int, shape (T,)
        Which input was shown when.
    alpha : ndarray, shape (T,)
    start : ndarray, shape (n, n)
        W₀.
    responses : ndarray, shape (T, n) or (T, a, n), or None
        R_t at the weights W_t; None with keep="last".
    moves : ndarray, shape (T,)
        ‖W_{t+1} − W_t‖, Frobenius.
    kept : tuple of int
        Times whose weights were kept; T, the last, always.
    pole : int or None
        The first step at which a driven neuron's denominator was not positive; the run goes on.
    end : {"steps", "diverged", "interrupted"}
        "diverged" if the weights grew beyond 10¹² times their start or stopped being finite, "interrupted" by Ctrl-C;
        T is then the number of updates until there.
    """

    network: Model
    drives: np.ndarray
    shares: np.ndarray
    order: np.ndarray
    alpha: np.ndarray
    start: np.ndarray
    responses: np.ndarray | None
    moves: np.ndarray
    kept: tuple[int, ...]
    stored: tuple[np.ndarray, ...]
    pole: int | None
    end: str

    def __len__(self) -> int:
        """The number of updates, T."""
        return len(self.moves)

    @property
    def last(self) -> np.ndarray:
        """W_T."""
        return self.stored[-1]

    @property
    def presented(self) -> np.ndarray:
        """The drives in the order in which they were presented, (T, n) or (T, a, n)."""
        return self._squeezed(self.drives[self.order])

    @property
    def shown(self) -> np.ndarray:
        """Old name of ``presented``."""
        warn_old_name("Run.shown", "Run.presented")
        return self.presented

    def _time(self, t: int) -> int:
        T = len(self)
        if not is_whole_number(t) or not -T - 1 <= t <= T:
            raise InvalidInput(f"t is {t!r}; it must be a time of the run, from 0 to {T}")
        return int(t) % (T + 1)

    def _squeezed(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0] if x.shape[1] == 1 else x

    def weights(self, t: int) -> np.ndarray:
        """W_t for t = 0 … T: as it was kept, or by (1.1)."""
        t = self._time(t)
        if t == 0:
            return self.start
        return self.stored[self.kept.index(t)] if t in self.kept else self.explicit(t)

    def explicit(self, t: int) -> np.ndarray:
        """W_t by (1.1), from the responses until then; at most O(t n²) work.

        Raises
        ------
        InvalidInput
            If the responses were not kept, or the weights were clipped.
        """
        if self.network.clip:
            raise InvalidInput("clipped weights have no explicit solution; run with keep='all', or the times wanted")
        if self.responses is None:
            raise InvalidInput("responses were not kept; run with keep='responses'")
        t = self._time(t)
        C, growth = self.network.target(), 1.0 + self.network.beta
        c = growth ** np.arange(t - 1, -1, -1) * self.alpha[:t]  # 0⁰ = 1: with β = −1 the last response is all
        R = self.responses[:t].reshape(-1, len(C))
        w = (c[:, None] * self.shares[self.order[:t]]).ravel()
        return np.asarray(C + growth**t * (self.start - C) + (R.T * w) @ R - c.sum() * C)

    def check(self) -> float:
        """The largest difference between kept weights and (1.1), in units of the largest weight on the way.

        Rounding leaves about 1e-16 times the number of steps that the weights remember, 1/|β| or T.
        """
        scale = max(float(np.abs(W).max()) for W in (self.start, *self.stored))
        return max(float(np.abs(self.explicit(t) - W).max()) for t, W in zip(self.kept, self.stored)) / scale

    def __repr__(self) -> str:
        return f"Run(T={len(self)}, end={self.end!r}, last move={self.moves[-1] if len(self) else 0.0:.3g})"


def run(
    net: Model,
    contrast: Any = None,
    orientation: Any = None,
    *,
    drive: Any = None,
    alpha: Any = None,
    start: Any = None,
    keep: Any = "responses",
) -> Run:
    """The network under any sequence of T inputs in place of its own stimulus: :meth:`Network.run`.

    Parameters
    ----------
    net : Model
    contrast, orientation : array_like, shape (T, k) or (T,)
        Of the k components of every input, orientations in radians.
    drive : array_like, shape (T, n)
        The drives themselves, instead of these.
    alpha : array_like, shape (T,), optional
        α of every step; the network's if not given.
    start : array_like, shape (n, n), optional
        W at the start, without change of the target; W₀ if not given.
    keep : {"responses", "all", "last"} or sequence of int
        What is kept beside W_T and the moves: R_t, from which any W_t follows by (1.1); R_t and every W_t; nothing;
        or R_t, and W at these times.

    Returns
    -------
    Run

    Raises
    ------
    InvalidInput
        If the inputs are empty, not finite, of shapes that do not agree, or orientations lie outside [−2π, 2π].

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> ran = net.run(drive=[[1.0, 0.5], [0.5, 1.0]] * 50)
    >>> ran.responses.shape, ran.check() < 1e-14
    ((100, 2), True)
    """
    drives, order = _inputs(net, contrast, orientation, drive)
    return simulate(net, drives[:, None], np.ones((len(drives), 1)), order, alpha, start, keep)


@protected()
def simulate(
    net: Model, drives: np.ndarray, shares: np.ndarray, order: np.ndarray, alpha: Any, start: Any, keep: Any
) -> Run:
    """Run the rule through inputs; see :func:`run`. One update reads W three times and writes it once.

    The change of W is formed, not W⁺ as the map W ↦ W⁺ does: its norm is a result, and where moves have become small
    the difference of two weights would leave rounding of it.
    """
    T, n = len(order), net.size
    rates = _rates(alpha, net.alpha, T)
    wanted = _times(keep, T)
    W = np.array(net.initial if start is None else finite("start", start), order="C")
    if W.shape != (n, n):
        raise InvalidInput(f"start has shape {W.shape}; it must be {(n, n)}")
    first, scale = W.copy(), float(np.abs(W).max()) or 1.0
    F, sigma, beta = net.target_rule.factor(net.parameters), net.sigma, net.beta
    responses = None if keep == "last" else np.empty((T, drives.shape[1], n))
    moves, stored, pole, end = np.empty(T), dict[int, np.ndarray](), None, "steps"
    done = T
    for t in range(T):
        if interrupted_meanwhile():
            done, end = t, "interrupted"
            break
        r, w = drives[order[t]], shares[order[t]]
        u = sigma**2 + r @ W.T / n
        if pole is None and not (u[r > 0.0] > 0.0).all():
            pole = t
        R = respond(r, u)
        if responses is not None:
            responses[t] = R
        change = np.multiply(W, beta, order="C")
        with np.errstate(all="ignore"):
            add_outer_product(change, np.hstack([rates[t] * R.T * w, -(rates[t] + beta) * F]), np.hstack([R.T, F]))
            if net.clip:
                np.maximum(change, -W, out=change)
            W += change
            moves[t] = np.linalg.norm(change)
        if not np.abs(W).max() < DIVERGED * scale:
            done, end = t + 1, "diverged"
            break
        if t + 1 in wanted:
            stored[t + 1] = W.copy()
    stored[done] = W
    if responses is not None:
        responses = responses[:done, 0] if drives.shape[1] == 1 else responses[:done]
    times = tuple(sorted(stored))
    return Run(
        network=net,
        drives=drives,
        shares=shares,
        order=order[:done],
        alpha=rates[:done],
        start=first,
        responses=responses,
        moves=moves[:done],
        kept=times,
        stored=tuple(stored[t] for t in times),
        pole=pole,
        end=end,
    )


def _times(keep: Any, T: int) -> range | frozenset[int]:
    if isinstance(keep, str):
        if keep not in KEEP:
            raise InvalidInput(f"keep is {keep!r}; allowed are {', '.join(KEEP)}, or a sequence of times")
        return range(T + 1) if keep == "all" else frozenset()
    if not isinstance(keep, Sequence | np.ndarray | range):
        raise InvalidInput(f"keep is {keep!r}; allowed are {', '.join(KEEP)}, or a sequence of times")
    for t in keep:
        if not is_whole_number(t) or not 0 <= t <= T:
            raise InvalidInput(f"keep has the time {t!r}; times are whole numbers from 0 to {T}")
    return frozenset(int(t) for t in keep)


def _rates(alpha: Any, usual: float, T: int) -> np.ndarray:
    """α of every step: the network's, or T numbers of at least 0."""
    if alpha is None:
        return np.full(T, usual)
    rates = finite("alpha", alpha)
    if rates.shape not in ((), (T,)):
        raise InvalidInput(
            f"alpha has shape {rates.shape}; it must be a number or have shape {(T,)}, one for each step"
        )
    if (rates < 0.0).any():
        raise InvalidInput("alpha has negative entries; rates are at least 0")
    return np.broadcast_to(rates, (T,)).copy()


def oriented(contrast: Any, orientation: Any) -> tuple[np.ndarray, np.ndarray]:
    """Contrasts and orientations of T inputs of k components, both (T, k); numbers and (T,) are broadcast."""
    c, theta = finite("contrast", contrast), finite("orientation", orientation)
    c, theta = (x[:, None] if x.ndim == 1 else x for x in (c, theta))
    try:
        c, theta = np.broadcast_arrays(c, theta)
    except ValueError as error:
        raise InvalidInput(
            f"contrast has shape {c.shape}, orientation {theta.shape}; both must be (T, k), or (T,) for one component"
        ) from error
    if c.ndim != 2 or c.size == 0:
        raise InvalidInput(f"contrast and orientation have shape {c.shape}; it must be (T, k) with T and k at least 1")
    return c, angles("orientation", theta)


def _inputs(net: Model, contrast: Any, orientation: Any, drive: Any) -> tuple[np.ndarray, np.ndarray]:
    """The distinct drives (u, n) among T inputs, and which of them is shown when."""
    if drive is not None:
        if contrast is not None or orientation is not None:
            raise InvalidInput("give either contrast and orientation or drive, not both")
        rows = finite("drive", drive)
        if rows.ndim != 2 or rows.shape[1] != net.size or len(rows) == 0:
            raise InvalidInput(f"drive has shape {rows.shape}; it must be (T, {net.size}) with T at least 1")
        if (rows < 0.0).any():
            raise InvalidInput("drive has negative entries; a drive is at least 0")
        distinct, order = np.unique(rows, axis=0, return_inverse=True)
        return distinct, order.reshape(-1)
    if contrast is None or orientation is None:
        raise InvalidInput("give contrast and orientation, both (T, k), or drive, (T, n)")
    if not isinstance(net.stimuli, TunedDrives):
        raise InvalidInput("this network was made from drives and knows no orientations; give drive, (T, n)")
    c, theta = oriented(contrast, orientation)
    pairs, order = np.unique(np.hstack([c, theta]), axis=0, return_inverse=True)
    c, theta = np.hsplit(pairs, 2)
    f = np.asarray(net.stimuli.tuning(theta.ravel(), net.stimuli.preferred), dtype=float)
    x = (c[:, :, None] * f.reshape(*theta.shape, net.size)).sum(axis=1) + net.stimuli.b
    return np.maximum(x, 0.0) ** 2, order.reshape(-1)
