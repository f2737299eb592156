"""What all weights do, known from what the outputs come to.

W_t = C + g^t (W₀ − C) + α Σ_{s<t} g^{t−1−s} (R_s R_sᵀ − C), g = 1+β, where outputs come to a cycle of period q, is

    W_t = W̄_t + g^t L,    L = W₀ − C + α Σ_s g^{−1−s} (R_s R_sᵀ − C),                                  (1.2)

with W̄ of period q, unless g^q = 1. The sum is over the whole future; at g = −1 it is Abel's, with half of each
last turn. L r = 0, or outputs would not return: L = 0 for one neuron, else only from special starts.

- |g| < 1: the last term dies out, and where outputs rest at R* weights rest at (1+γ) C − γ R* R*ᵀ, γ = α/β;
- |g| > 1: W stays bounded only if L = 0, as from W₀ = 𝟏 under a uniform drive
  (test_uniform_drive_settles_on_a_special_line). L is applied to a few random vectors, which costs O(n) a step and
  misses L ≠ 0 with probability 0;
- g = −1, q odd: W has period 2q unless L = 0 (test_at_beta_minus_two_weights_alternate_where_outputs_settle);
- g^q = 1: W moves by D = α Σ g^{q−1−s} (R_s R_sᵀ − C) a turn. D r = 0, but D = 0 only by exception: past the flip at
  β = 0 outputs cycle and weights drift (test_at_beta_zero_weights_drift_where_outputs_cycle).

Neurons that are left behind at g = 1 no longer answer in the limit, which D is taken in. Where D = 0 weights are still
unbounded: a neuron with k = 0 is pushed out by its own answer r/u, and u grows like √t.
"""

from __future__ import annotations

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import norm_of_sum, respond
from bifurcate.adaptation.long_run.orbit_findings import OrbitFindings
from bifurcate.adaptation.long_run.orbit_follower import OrbitFollower

__all__ = ["weights"]

# error taken for each term of L, relative to it: far above rounding, as the orbit's states are settled to that only
TERM_ERROR = 1e-9
BLOCKS = 8  # into which the states of chaos are split to see how well their mean is known
NOTHING = 1e-8  # error of L, in units of its terms, up to which L counts as 0 if it is not larger


def weights(net: Model, search: OrbitFollower, course: OrbitFindings) -> tuple[str, float, bool]:
    """What W does; its rate; and whether it stays bounded only from where it started."""
    g, outputs, cycle = search.rule.growth, course.outputs, course.cycle
    if course.kind == "diverges":
        return (*_leaving(net, course), False) if g == 1.0 else ("diverge", abs(g), False)
    if abs(g) < 1.0 or net.size == 1 or search.broken is not None:
        return outputs, np.nan, False
    if abs(g) > 1.0 or (cycle is not None and g < 0.0 and len(cycle.states) % 2):
        assert search.growing is not None
        size, error, scale = search.growing.limit(search.rule, course, search.y)
        if size > error:
            return ("diverge", abs(g), False) if abs(g) > 1.0 else ("cycle", np.nan, False)
        none = cycle is not None and error <= NOTHING * scale
        return (outputs, np.nan, abs(g) > 1.0) if none else ("undecided", np.nan, False)
    if not len(course.states):
        return "undecided", np.nan, False
    rate, error = _drift(net, course)
    if rate > error:
        return "drift", rate, False
    return (outputs if cycle is not None else "undecided"), np.nan, False


def _leaving(net: Model, course: OrbitFindings) -> tuple[str, float]:
    """At g = 1, where neurons are left behind. W r/n of those moves by −k in the limit."""
    certain = bool((course.rule.k[course.left] != 0.0).any())
    if len(course.end.states):
        rate, error = _drift(net, course.end)
        if rate > error:
            return "drift", rate
        if not certain and course.end.kind != "chaos":
            return "creep", np.nan
    return ("drift" if certain else "undecided"), np.nan


def _drift(net: Model, course: OrbitFindings) -> tuple[float, float]:
    """‖D‖ a step, for g = ±1, and its error: of rounding for a cycle, of sampling for the many states of chaos."""
    rule, states, F = course.rule, course.states, net.target_rule.factor(net.parameters)
    q = len(states)
    R = np.zeros((net.size, q))
    if len(rule.r):
        R[rule.driven] = respond(rule.r[:, None], (rule.floor + states).T)
    signs = rule.growth ** np.arange(q - 1, -1, -1.0)
    columns, shares = np.column_stack([R, F]), np.append(signs, np.full(F.shape[1], -signs.sum()))
    scale = net.alpha / q
    error = TERM_ERROR * scale * float((R * R).sum() + abs(signs.sum()) * (F * F).sum())
    if course.cycle is None and q >= BLOCKS**2:
        # blocks of the orbit scatter around its mean
        parts = []
        for own in np.split(np.arange(q)[: q // BLOCKS * BLOCKS], BLOCKS):
            off = -signs / q
            off[own] += signs[own] / len(own)
            parts.append(norm_of_sum(R, off))
        error = 3.0 * net.alpha * float(np.linalg.norm(parts)) / BLOCKS
    return scale * norm_of_sum(columns, shares), error
