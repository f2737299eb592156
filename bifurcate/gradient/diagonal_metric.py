"""A diagonal metric diag(m₁(x₁), …, mₙ(xₙ)): is there one in which G is a gradient, and which?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from bifurcate.deprecation import old_positions
from bifurcate.errors import OutsideDomain
from bifurcate.gradient.certificates import Separability
from bifurcate.gradient.couplings import (
    Ratios,
    logarithms,
    potentials,
    ratios,
    unresolved,
    worst_coupling,
    worst_cycle,
)
from bifurcate.gradient.derivative_errors import entries, sizes
from bifurcate.gradient.field import SURE, TOLERANCE, Field, above, checked, generator, worst_of
from bifurcate.gradient.metric_on_a_box import DiagonalMetric
from bifurcate.gradient.reconstruction import integrate
from bifurcate.gradient.result_types import Check, Consistent, Refuted, TestResult
from bifurcate.maps.map import Map
from bifurcate.validation import check_count

__all__ = ["diagonal"]

CLAIM = "M G = −∇E in a metric M = diag(mᵢ(xᵢ))"
LEVELS = (9, 17, 33, 65, 129)  # nested Chebyshev–Lobatto points on a coordinate's interval
NODE_DECIMALS = 15  # to which nodes of nested levels agree
FINE = 1e-11  # a series that misses its points by no more than this is not refined
NEIGHBOURS = 4  # couplings from which a coordinate's metric is read
MARGIN = 0.01  # the metric is known on the states' box widened by this, so that E can be differenced at its edge


@old_positions("loops", "tolerance", "seed")
def diagonal(map: Map, states: Any, *, loops: int = 8, tolerance: float = TOLERANCE, seed: int = 0) -> TestResult:
    """Is G = f − id a gradient in a diagonal metric, mᵢ(xᵢ) Gᵢ = −∂E/∂xᵢ with all mᵢ > 0? Which metric, which energy?

    Then mᵢ Jᵢⱼ = mⱼ Jⱼᵢ for i ≠ j, J = DG. In turn, and refuted where one fails by more than ten times its error:

    1. at every state Jᵢⱼ and Jⱼᵢ have one sign, and neither vanishes alone (:class:`Coupling`): one counts as vanishing
       only if no bit of the image shows it, so that metrics are excluded whose entries, in units of the states' sizes,
       differ by less than 1e10 at least; one that is merely below its error is named in the note;
    2. at every state Jᵢⱼ Jⱼₖ Jₖᵢ = Jᵢₖ Jₖⱼ Jⱼᵢ, and the like around longer cycles (:class:`Cycle`);
    3. log(Jᵢⱼ/Jⱼᵢ) = log mⱼ(xⱼ) − log mᵢ(xᵢ): mᵢ is read along the i-th coordinate line through a base point (one of
       the states), as a Chebyshev series, and put to the test at all states (:class:`Separability`);
    4. circulations of M G around triangles of states vanish (:class:`Loop`);
    5. E by integration along lines from the first state; ∇E, by differences, is compared with −M G.

    Conditions 1 and 2 are those of a metric diag(mᵢ(x)) of any dependence on x only where G = 0. A metric that is not
    separable (a conformal factor, say) is not looked for: refuted here, G may still be a gradient in that.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x). Its n × n Jacobian is formed at every state.
    states : sequence of array_like
        Where to test, of 1500 numbers at most. Metric and energy are found on the box that they and their images span.
    loops : int
        Triangles for step 4.
    tolerance : float
        E counts as reconstructed if its relative residual ≤ tolerance.
    seed : int
        Of triangles and of the directions in which derivatives are checked.

    Returns
    -------
    Refuted, Consistent or Reconstructed

    Raises
    ------
    InvalidInput
        If an argument is unusable, or states have more than 1500 numbers.

    Examples
    --------
    >>> import numpy as np
    >>> hidden = Map(lambda x: x - 0.1 * (x + x.sum()) * x, {})  # of E = (|x|² + (Σx)²)/2 in the metric diag(1/x)
    >>> found = diagonal(hidden, np.random.default_rng(1).uniform(1.0, 2.0, (6, 3)))
    >>> found.kind
    'reconstructed'
    >>> x = np.array([1.1, 1.3, 1.5])
    >>> bool(np.ptp(found.metric(x) * x) < 1e-8)
    True
    """
    field, X = checked(map, states)
    field.dense()
    loops, rng, tolerance = check_count("loops", loops, 0), generator(seed), above("tolerance", tolerance, 0.0)
    size = sizes(field, X)
    found = [ratios(field, x, size, rng) for x in X]
    bad = [coupling for each in found if (coupling := worst_coupling(field, each)) is not None]
    if bad:
        return Refuted(CLAIM, max(bad, key=lambda each: each.clear))
    cycles = [worst_cycle(field, each) for each in found]
    check = Check(
        "log of the quotient of products around cycles",
        sum(number for _, number, _, _ in cycles),
        max(worst for *_, worst, _ in cycles),
        max(resolution for *_, resolution in cycles),
    )
    broken = [cycle for cycle, *_ in cycles if cycle is not None]
    if broken:
        return Refuted(CLAIM, max(broken, key=lambda each: abs(each.forward - each.backward) / each.error), (check,))
    return _fitted(field, X, found, check, tolerance, loops, rng)


def _fitted(
    field: Field,
    X: np.ndarray,
    found: list[Ratios],
    check: Check,
    tolerance: float,
    loops: int,
    rng: np.random.Generator,
) -> TestResult:
    """The verdict once the couplings of every state by itself have passed."""
    try:
        metric = _recover(field, X, found)
    except OutsideDomain as left:
        why = unresolved(found, np.arange(field.size))
        return Consistent(CLAIM, (check,), _joined(f"the metric was not recovered: {left}", why))
    why = unresolved(found, metric.group)
    fit, (s, i, j) = _misfit(field, metric, found)
    checks = (check, fit)
    if s >= 0:
        unlike = _four(field, metric, found[s], i, j)
        if unlike is not None:
            return Refuted(CLAIM, unlike, checks)
        note = f"no metric was found: the best misses J[{i},{j}]/J[{j},{i}] by {fit.worst:.1e}, which is not certified"
        return Consistent(CLAIM, checks, _joined(note, why))
    elsewhere = "where no state was given (give more), or more weakly than could be resolved"
    said = integrate(CLAIM, field, X, metric, checks, tolerance, loops, rng, why or elsewhere)
    if isinstance(said, Consistent) and why not in said.note:
        return Consistent(CLAIM, said.checks, _joined(said.note, why))
    return said


def _joined(note: str, why: str) -> str:
    return f"{note}; {why}" if why else note


def _recover(field: Field, X: np.ndarray, found: list[Ratios]) -> DiagonalMetric:
    """Shapes along coordinate lines through the base, then the constants that fit them together."""
    edges = [int(np.isfinite(each.error).sum()) for each in found]
    apart = np.linalg.norm(X - X.mean(axis=0), axis=1)
    base = found[min(range(len(X)), key=lambda s: (-edges[s], apart[s]))]
    noise = np.max([each.noise for each in found], axis=0)
    lower, upper = _box(field, X)
    shapes = []
    for i in range(field.size):
        # Where the base says nothing of a coordinate its line goes through the state that says most of it.
        own_base = base if np.isfinite(base.error[i]).any() else min(found, key=lambda each: float(each.error[i].min()))
        near = np.argsort(own_base.error[i], kind="stable")[:NEIGHBOURS]
        near = near[np.isfinite(own_base.error[i, near])]
        shapes.append(_shape(field, own_base, i, near, lower[i], upper[i], noise) if len(near) else (np.zeros(1), 0.0))
    series = np.zeros((max(len(c) for c, _ in shapes), field.size))
    for i, (c, _) in enumerate(shapes):
        series[: len(c), i] = c
    own = np.array([error for _, error in shapes])
    metric = DiagonalMetric(field.shape, base.state, lower, upper, series, np.zeros(field.size, dtype=int), 0.0)
    # The best ratio known of every pair, freed of the shapes, leaves the differences of the constants.
    every = np.array([each.error for each in found])
    best = every.argmin(axis=0)
    free = np.array([each.log + (g := metric.logarithm(each.state))[:, None] - g[None, :] for each in found])
    error = np.take_along_axis(every, best[None], axis=0)[0]
    constants, doubt, _, group = potentials(np.take_along_axis(free, best[None], axis=0)[0], error)
    series[0] += constants
    for each in range(group.max() + 1):
        series[0, group == each] -= metric.logarithm(base.state)[group == each].mean()
    return DiagonalMetric(field.shape, base.state, lower, upper, series, group, float(2.0 * own.max() + doubt.max()))


def _box(field: Field, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Around the states and those of their images that the map can take up, a little widened."""
    images = [y for x in X if field.inside(y := field.image(x))]
    points = np.array([*X, *images])
    margin = MARGIN * np.ptp(points, axis=0)
    return points.min(axis=0) - margin, points.max(axis=0) + margin


def _shape(
    field: Field, base: Ratios, i: int, near: np.ndarray, lower: float, upper: float, noise: np.ndarray
) -> tuple[np.ndarray, float]:
    """log mᵢ along the i-th coordinate line through the base, less its value there: a series, and its largest miss."""
    values: dict[float, tuple[float, float]] = {}

    def at(s: float) -> tuple[float, float]:
        if s not in values:
            x = base.state.copy()
            x[i] = 0.5 * (lower + upper) + 0.5 * (upper - lower) * s
            values[s] = _along(field, base, i, near, x, noise)
        return values[s]

    for nodes in LEVELS:
        s = np.sin(0.5 * np.pi * np.linspace(-1.0, 1.0, nodes))
        y, error = np.array([at(float(each)) for each in s.round(NODE_DECIMALS)]).T
        known = np.isfinite(error)
        if known.sum() < nodes / 2 + 1:
            raise OutsideDomain(f"its couplings say nothing of coordinate {i} on most of [{lower:.4g}, {upper:.4g}]")
        c = chebyshev.chebfit(s[known], y[known], (nodes - 1) // 2, w=1.0 / error[known])
        miss = np.abs(chebyshev.chebval(s[known], c) - y[known])
        if (miss <= np.maximum(FINE, SURE * error[known])).all():
            break
    # Where nothing is known the series is as good as series of other degrees agree with it there.
    beyond = [
        np.abs(chebyshev.chebval(s[~known], c - np.append(other, np.zeros(less))))
        for less in (1, 2)
        for other in [chebyshev.chebfit(s[known], y[known], len(c) - 1 - less, w=1.0 / error[known])]
    ]
    return c, float(max(miss.max(), np.median(error[known]), np.max(beyond, initial=0.0)))


def _along(
    field: Field, base: Ratios, i: int, near: np.ndarray, x: np.ndarray, noise: np.ndarray
) -> tuple[float, float]:
    """log mᵢ(xᵢ) − log mᵢ at the base, from its couplings to its neighbours, and its error."""
    if not field.inside(x):
        raise OutsideDomain(f"the line through the base along coordinate {i} leaves the domain at {x[i]:.6g}")
    columns = field.columns(x, np.array([i, *near]))
    log, error = logarithms(columns[i, 1:], columns[near, 0], noise[i, near], noise[near, i])
    weight = 1.0 / (error**2 + base.error[i, near] ** 2)
    if not weight.sum() > 0.0:
        return 0.0, np.inf
    return float(weight @ (base.log[i, near] - log) / weight.sum()), float(weight.sum() ** -0.5)


def _misfit(field: Field, metric: DiagonalMetric, found: list[Ratios]) -> tuple[Check, tuple[int, ...]]:
    """The metric against every ratio at every state; which state and pair it misses most clearly, or negative ones."""
    size = (len(found), field.size, field.size)
    defect, error = np.zeros(size), np.full(size, np.inf)
    for s, each in enumerate(found):
        g = metric.logarithm(each.state)
        known = np.isfinite(each.error)
        defect[s][known] = np.abs(each.log - (g[None, :] - g[:, None]))[known]
        error[s][known] = each.error[known] + metric.error
    known = np.isfinite(error)
    check = Check(
        "|log(J_ij/J_ji) − log m_j + log m_i|",
        int(known.sum()) // 2,
        float(defect.max()),
        SURE * float(error[known].max(initial=0.0)),
    )
    worst = worst_of(defect, error)
    return check, worst if defect[worst] > SURE * error[worst] else (-1, -1, -1)


def _four(field: Field, metric: DiagonalMetric, found: Ratios, i: int, j: int) -> Separability | None:
    """The four states that show why the metric misses a ratio, if they do."""
    states = np.array([found.state, metric.base, metric.base, metric.base])
    states[1, i], states[2, j] = found.state[i], found.state[j]
    logs, errors = [], []
    for x in states:
        if not field.inside(x):
            return None
        pair = field.columns(x, np.array([i, j]))
        J = np.zeros((field.size, field.size))
        J[:, [i, j]] = pair
        noise = np.maximum(found.noise[np.ix_([i, j], [i, j])], entries(field, x, J, [i, j], found.size))
        log, error = logarithms(pair[i, 1:], pair[j, :1], noise[:1, 1], noise[1:, 0])
        logs.append(float(log[0]))
        errors.append(float(error[0]))
    shown = Separability(states.reshape(4, *field.shape), i, j, np.array(logs), float(np.sum(errors)))
    return shown if abs(shown.defect) > SURE * shown.error else None
