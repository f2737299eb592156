"""Chaos: what the network does beyond its doublings, up to the crisis at the pole; and that W₀ decides it, too.

(a) The network of the study alpha, α from 0.6 to the crisis: long-run orbits, each from a state of the attractor at
α = 0.9, the equilibrium and its doubled cycles laid over them, seen through u = σ² + y of the neuron tuned to the
baseline, whose response is r/u. Its pole is at u = 0. With growing α the lowest point of the attractor comes down to
it, and there the attractor ends: the least value at which an orbit was seen to leave the domain u > 0 is the crisis.
With all other neurons at rest u goes by a map of one number, whose minimum meets the pole at a value that needs no
orbit (the dashed line).
(b) The two largest Lyapunov exponents along these orbits, each with its standard error; they are those of the n²
weights, too, beside ln(1 + β) for all directions that the rule does not see. The largest is 0 at the flips.
(c) The network of the study basins, two neurons that double together, at α = 0.8: the long-run orbits of both against
W₀ = C + s A + t B on a line in the plane of the weights; neuron 1 is 0, 1, 2 or 3 updates ahead of neuron 0. (d) Their
largest exponents, which hardly differ: the neurons hardly feel each other. Those of 1 and 3 updates are mirror images,
and have the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

import bifurcate as bf
from studies import basins
from studies.cascade import trace_doublings
from studies.report import BLACK, BLUE, FIGURES, ORANGE, Files, Table, finish_axes, name_axes, new_figure, publish
from studies.ring import TO_BASELINE, N, network
from studies.run_settings import study

Array = NDArray[np.float64]

FIRST = 0.6  # of α: before the first flip
BRACKET = (0.9, 1.1)  # of α: around the crisis
MAGNIFIED = 1e7  # by which factor differences of exponents are drawn
HEIGHT = 0.1  # t, at which the line of W₀ runs through the plane
ACROSS = (-0.02, 0.30)  # s along it
COLOURS = {0: BLACK, 1: BLUE, 2: ORANGE, 3: "#1f7a45"}
MARKS = {0: "o", 1: "^", 2: "s", 3: "v"}


@dataclass(frozen=True)
class Settings:
    """How fine the picture is.

    Attributes
    ----------
    values : int
        Of α.
    transient, samples, steps : int
        Iterations before samples are taken, samples, and iterations over which exponents are averaged.
    longest : int
        Period to which doublings are followed.
    search : int
        Iterations in which an orbit must leave if it does.
    starts : int
        Of W₀ on the line.
    """

    values: int
    transient: int
    samples: int
    steps: int
    longest: int
    search: int
    starts: int


FULL = Settings(values=400, transient=1000, samples=120, steps=2000, longest=8, search=20_000, starts=240)
QUICK = Settings(values=30, transient=200, samples=24, steps=300, longest=4, search=800, starts=20)


@dataclass(frozen=True, eq=False)
class Chaos:
    """What was found, and where it was written.

    Attributes
    ----------
    branches : tuple of Branch
        The equilibrium and its doubled cycles in α.
    orbits : OrbitDiagram
        u of the neuron tuned to the baseline.
    exponents, errors : ndarray, shape (values, 2)
        Along the orbits; NaN beyond the crisis.
    crisis : tuple of float
        Between which values of α it lies: at the first all orbits stay, at the second one leaves.
    meets : float
        Where the one neuron alone meets its pole.
    s, shifts : ndarray
        W₀ along the line, and by how many updates neuron 1 is ahead in the end; −1 where the orbit is beyond the pole.
    inputs : ndarray, shape (starts, 4, 2)
        u of the neurons 0 and 1 at four successive updates, the first one where that of neuron 0 is largest.
    start_exponents : ndarray, shape (starts, 2)
        The largest exponent of the cycle that the orbit is on, and the residual of that.
    files : Files
    """

    branches: tuple[bf.Branch, ...]
    orbits: bf.OrbitDiagram
    exponents: Array
    errors: Array
    crisis: tuple[float, float]
    meets: float
    s: Array
    shifts: NDArray[np.int_]
    inputs: Array
    start_exponents: Array
    files: Files


def in_batches(net: bf.adaptation.Network) -> bf.Map:
    """The reduced rule in y = W r/n with α as its parameter, for many states at once: rows of shape (m, n)."""
    beta, sigma = net.beta, net.sigma
    r = net.stimuli.at(dict(net.parameters)).drive
    rest = np.asarray(net.reduced_equilibrium())
    R = r / (sigma**2 + rest)
    # At rest β y + α R (R·r)/n − (α + β) C r/n = 0, by which the target is known.
    target = (beta * rest + net.alpha * R * (R @ r) / N) / (net.alpha + beta)

    def f(y: Array, alpha: Any) -> Array:
        R = r / (sigma**2 + y)
        return np.asarray((1.0 + beta) * y + alpha * R * (R @ r)[..., None] / N - (alpha + beta) * target)

    def jacobian(y: Array, alpha: Any) -> Array:
        R = r / (sigma**2 + y)
        S = (R @ r)[..., None]
        steep = np.asarray(alpha)[..., None] if np.ndim(alpha) else alpha
        own = np.eye(N) * (S * R**2 / r)[..., None, :]
        return np.asarray((1.0 + beta) * np.eye(N) - steep / N * (own + R[..., :, None] * (R**2)[..., None, :]))

    return bf.Map(
        f,
        {"alpha": net.alpha},
        jacobian=jacobian,
        domain=lambda y, alpha: sigma**2 + y,
        scale=net.reduced.scale,
        name="16 neurons",
    )


def alone(net: bf.adaptation.Network, alpha: float) -> float:
    """The lowest u to which the neuron tuned to the baseline can go in one update, all others at rest."""
    here = net.replace(alpha=alpha)
    r = here.stimuli.at(dict(here.parameters)).drive
    rest, i, beta, sigma = np.asarray(here.reduced_equilibrium()), TO_BASELINE, here.beta, here.sigma
    R = r / (sigma**2 + rest)
    others = R @ r - R[i] * r[i]
    constant = beta * rest[i] + alpha * R[i] * (R @ r) / N

    def image(u: float) -> float:
        own = r[i] / u
        return float((1.0 + beta) * (u - sigma**2) + alpha * own * (own * r[i] + others) / N - constant + sigma**2)

    found = minimize_scalar(image, bounds=(1e-3, 0.5), method="bounded", options={"xatol": 1e-12})
    return float(found.fun)


def crisis_of(map: bf.Map, start: Array, steps: int, digits: float = 1e-4) -> tuple[float, float]:
    """Between which values of α orbits begin to leave, by halving: each goes on from where the last one stayed."""
    low, high = BRACKET
    while high - low > digits:
        middle = 0.5 * (low + high)
        starts = np.concatenate([start[None], *[start[None] * (1 + 1e-3 * k) for k in range(1, 8)]])
        found = bf.ensemble(map, starts, 1, transient=steps, parameters={"alpha": middle})
        if all(end == "steps" for end in found.ends):
            low, start = middle, found.states[0, -1]
        else:
            high = middle
    return low, high


def exponents_along(map: bf.Map, values: Array, start: Array, settings: Settings) -> tuple[Array, Array]:
    """The two largest exponents at every value, and their errors; NaN where the orbit has left."""
    found, errors = np.full((2, len(values), 2), np.nan)
    for i, alpha in enumerate(values.tolist()):
        p = {"alpha": alpha}
        seen = bf.lyapunov(map, start, steps=settings.steps, transient=settings.transient, count=2, parameters=p)
        if seen.end == "steps":
            found[i], errors[i] = seen.values, seen.errors
    return found, errors


def along_starts(settings: Settings) -> tuple[Array, NDArray[np.int_], Array, Array]:
    """W₀ on the line: s, what neuron 1 is ahead by, four successive inputs of both, and the largest exponents."""
    net = basins.ring()
    map, plane = basins.reduced(net), basins.weights_plane(net)
    s = np.linspace(*ACROSS, settings.starts)
    starts = np.array([plane.state(each, HEIGHT) for each in s])
    seen = bf.ensemble(map, starts, 4, transient=basins.STEPS)
    inputs, exponents = np.full((len(s), 4, 2), np.nan), np.full((len(s), 2), np.nan)
    shifts = np.full(len(s), -1)
    for i, (states, end) in enumerate(zip(seen.states, seen.ends, strict=True)):
        if end != "steps":
            continue
        u = states[:, :2] + basins.SIGMA**2
        u = np.roll(u, -int(np.argmax(u[:, 0])), axis=0)
        inputs[i] = u
        apart = [float(np.abs(np.roll(u[:, 0], -k) - u[:, 1]).sum()) for k in range(4)]
        shifts[i] = int(np.argmin(apart))
        cycle = bf.solve(map, states[-1], period=4)
        exponents[i] = np.log(np.abs(cycle.multipliers).max()) / cycle.period, cycle.residual
    return s, shifts, inputs, exponents


@study
def run(out: Path = FIGURES, quick: bool = False) -> Chaos:
    """Continue, iterate, average, draw."""
    settings = QUICK if quick else FULL
    net = network(alpha=FIRST)
    map = in_batches(net)
    rest = np.asarray(net.reduced_equilibrium())
    warm = bf.orbit(map, rest * 1.01, 500, parameters={"alpha": BRACKET[0]}).states[-1]
    crisis = crisis_of(map, warm, settings.search)
    meets = float(brentq(lambda alpha: alone(net, alpha), *BRACKET))
    equilibrium = bf.trace(bf.cycles(map, "alpha", rest), {"alpha": (FIRST, crisis[0])})
    branches = trace_doublings(equilibrium, (FIRST, crisis[0]), settings.longest)
    values = np.linspace(FIRST, 1.02 * crisis[1], settings.values)
    counts: dict[str, Any] = {"transient": settings.transient, "samples": settings.samples}
    orbits = bf.orbit_diagram(map, "alpha", values, warm, input_of_one, **counts)
    exponents, errors = exponents_along(map, values, warm, settings)
    s, shifts, inputs, start_exponents = along_starts(settings)
    result = Chaos(
        branches, orbits, exponents, errors, crisis, meets, s, shifts, inputs, start_exponents, Files("chaos", out)
    )
    publish(result.files, lambda: _draw(result, settings), _table(result))
    print(f"crisis at the pole: α between {crisis[0]:.5f} and {crisis[1]:.5f}; one neuron alone: {meets:.5f}")
    print(f"positive exponents at {int((exponents[:, 0] > 3 * errors[:, 0]).sum())} of {len(values)} values of α")
    return result


def input_of_one(y: Array) -> float:
    """u = σ² + y of the neuron tuned to the baseline."""
    return float(y[TO_BASELINE] + (1 / 6) ** 2)


def _draw(result: Chaos, settings: Settings) -> Figure:
    drawn = new_figure(
        "Beyond the doublings: chaos, its crisis at the pole, and attractors that W₀ chooses",
        f"16 neurons in a ring; β = −0.1, σ = 1/6, b = 0.05. (a), (b) {settings.samples} samples after "
        f"{settings.transient} updates, exponents over {settings.steps}; "
        "red: orbits\nthat cross the pole. (c), (d) two neurons that are driven alike, "
        f"α = {basins.ALPHA}, W₀ on the line t = {HEIGHT} of the study basins.",
        (9.6, 6.4),
    )
    axes = drawn.subplot_mosaic("ac;bd", width_ratios=(1.5, 1.0), height_ratios=(1.35, 1.0))
    _draw_diagram(axes["a"], result)
    _draw_exponents(axes["b"], result)
    _draw_starts(axes["c"], axes["d"], result)
    return drawn


def _draw_diagram(ax: Axes, result: Chaos) -> None:
    bf.plot.diagram(
        result.branches,
        "alpha",
        input_of_one,
        orbits=result.orbits,
        ax=ax,
        xlabel="",
        ylabel="σ² + input of the neuron\ntuned to the baseline, u",
        point_labels=False,
        legend=False,
    )
    ax.axvline(result.crisis[0], color=BLACK, lw=0.8, ls="-")
    ax.axvline(result.meets, color=BLACK, lw=0.8, ls=(0, (5, 3)))
    ax.set(yscale="log", xlim=(FIRST, result.orbits.values[-1]), xlabel="")
    for text, place in (("period 1", (0.603, 0.034)), ("2", (0.69, 0.052)), ("4", (0.762, 0.071))):
        ax.text(*place, text, fontsize="small")
    name_axes(ax, "(a) orbits and branches; lines: crisis, and pole of one neuron alone")


def _draw_exponents(ax: Axes, result: Chaos) -> None:
    values = result.orbits.values
    for k, (colour, style) in enumerate(((BLACK, "-"), (ORANGE, (0, (5, 1.5))))):
        mean, error = result.exponents[:, k], result.errors[:, k]
        ax.fill_between(values, mean - error, mean + error, color=colour, alpha=0.25, lw=0.0)
        ax.plot(values, mean, color=colour, ls=style, lw=1.0, label=f"λ$_{k + 1}$")
    ax.axhline(0.0, color="0.4", lw=0.8)
    ax.axhline(np.log(0.9), color=BLUE, lw=1.0, ls=":", label="ln(1 + β), of the other weights")
    ax.axvline(result.crisis[0], color=BLACK, lw=0.8)
    for branch in result.branches:
        for point in branch.of("flip"):
            if point.period == branch.curve.period and bf.plot.stable_around(branch, point).changes:
                ax.plot(point.parameters["alpha"], 0.0, "d", ms=4.5, mfc="white", mec=BLACK, mew=1.0, zorder=5)
    ax.set(xlabel="rate of adaptation α", ylabel="Lyapunov exponents", xlim=(FIRST, values[-1]), ylim=(-0.8, 0.75))
    ax.legend(frameon=False, fontsize="small", loc="lower left", ncols=3)
    finish_axes(ax, "(b) exponents, with standard errors; diamonds: flips")


def _draw_starts(upper: Axes, lower: Axes, result: Chaos) -> None:
    middle = float(np.nanmean(result.start_exponents[:, 0]))
    for shift in range(4):
        chosen = result.shifts == shift
        look: dict[str, Any] = {"ls": "", "marker": MARKS[shift], "ms": 3.0, "color": COLOURS[shift], "mew": 0.0}
        upper.plot(result.s[chosen], result.inputs[chosen, 0, 1], label=f"{shift} ahead", **look)
        lower.plot(result.s[chosen], MAGNIFIED * (result.start_exponents[chosen, 0] - middle), **look)
    upper.set(yscale="log", ylabel="u of neuron 1, where that\nof neuron 0 is largest")
    upper.legend(frameon=False, fontsize="small", ncols=2, loc="best", markerscale=1.6)
    lower.set(xlabel="W₀ along the line, s", ylabel="exponent − mean, × 10⁷")
    lower.margins(y=0.2)
    finish_axes(upper, "(c) four attractors, chosen by W₀")
    finish_axes(lower, f"(d) their largest exponents, mean −{-middle:.6f}")


def _table(result: Chaos) -> Table:
    def rows() -> Iterator[list[Any]]:
        for i, alpha in enumerate(result.orbits.values.tolist()):
            yield ["alpha", alpha, "", *result.exponents[i], *result.errors[i], result.orbits.ends[i]]
        for i, s in enumerate(result.s.tolist()):
            value, error = result.start_exponents[i]
            yield ["s", s, int(result.shifts[i]), value, "", error, "", ""]

    return Table(("along", "value", "ahead", "exponent_1", "exponent_2", "error_1", "error_2", "end"), rows())
