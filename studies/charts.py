"""Where the equilibrium loses stability, in two parameters at a time: (α, σ), (α, β) and (σ, b).

Network: 32 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2). Curves of flips and folds of
the exact reduction to y = W r/n, 32 unknowns; on each chart circles are points of the same curve found on all 1,024
weights, from products with the Jacobian alone (GMRES, no matrix): the multiplier that crosses is computed there once
more, from the closed form of the spectrum.

(a) (α, σ), β = −0.1, b = 0.05: the first three flips. (b) (α, β) for decay, σ = 1/6, b = 0.5: the first flip turns from
supercritical to subcritical at a generalised flip; the folds of the doubled cycle start there. (c) (α, β) for growth:
the fold beyond which there is no equilibrium, met by flips in fold-flip points. (d) (σ, b), α = 0.7, β = −0.1.

Where a chart shows no generalised flip, the flip's normal-form coefficient has one sign all along its curves; the table
gives its range.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import FIGURES, Files, Records, new_figure, publish
from studies.ring import BASELINE, STIMULUS
from studies.run_settings import study, sweep_of_study

NEURONS = 32
CURVES, QUICK_CURVES = 3, 1  # of special points of the equilibrium, at the most, on every chart
AXES = {
    "alpha": "rate of adaptation α",
    "beta": "decay (< 0) or growth, β",
    "sigma": "semi-saturation σ",
    "b": "input b",
}
MARKED = ("generalised flip", "fold-flip", "cusp")  # where flips of different symmetry meet, points crowd
Bounds = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Plan:
    """What a chart shows.

    Attributes
    ----------
    title : str
    rates : dict of str to float
        Parameters of the network where they differ from β = −0.1, σ = 1/6, b = 0.05.
    kind : str
        Of the equilibrium's special points that are followed.
    along : str
        The parameter in which these are found.
    second : str
        The parameter that is freed then.
    bounds : dict
        Of both; the first is drawn to the right.
    """

    title: str
    rates: dict[str, float]
    kind: str
    along: str
    second: str
    bounds: Bounds


PLANS = (
    Plan(
        title="(a) β = −0.1, b = 0.05",
        rates={"alpha": 0.4},
        kind="flip",
        along="alpha",
        second="sigma",
        bounds={"alpha": (0.3, 1.2), "sigma": (0.02, 0.3)},
    ),
    Plan(
        title="(b) decay: σ = 1/6, b = 0.5",
        rates={"alpha": 0.1, "b": 0.5},
        kind="flip",
        along="alpha",
        second="beta",
        bounds={"alpha": (0.01, 1.2), "beta": (-1.4, -0.005)},
    ),
    Plan(
        title="(c) growth: σ = 1/6, b = 0.5",
        rates={"alpha": 0.2, "beta": -0.001, "b": 0.5},
        kind="fold",
        along="beta",
        second="alpha",
        bounds={"alpha": (0.01, 1.2), "beta": (-0.005, 0.02)},
    ),
    Plan(
        title="(d) α = 0.7, β = −0.1",
        rates={"alpha": 0.7, "sigma": 0.35},
        kind="flip",
        along="sigma",
        second="b",
        bounds={"sigma": (0.05, 0.4), "b": (0.0, 0.9)},
    ),
)
LONG = bf.StepControl(first=0.05, largest=0.12, max_steps=2)  # five points: the weights only check the curve
SAMPLED = 12  # points of a curve at which the coefficient is computed
FAR = bf.StepControl(farthest=60.0)  # curves may leave the first point by 60 scales: R → 0 near their ends


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart.

    Attributes
    ----------
    title : str
    network : Network
        With the parameters that the chart holds fixed.
    bounds : dict
        Of the two parameters; the first is drawn to the right.
    curves : tuple of Branch
        On the reduction.
    weights : Branch or None
        Points of the first curve on all weights, matrix-free.
    error : float
        The largest distance, at these points, of a multiplier of the closed form from the one that is critical.
    ranges : tuple of (float, float)
        Smallest and largest normal-form coefficient b along each curve of flips of the equilibrium; NaN elsewhere.
    """

    title: str
    network: bf.adaptation.Network
    bounds: Bounds
    curves: tuple[bf.Branch, ...]
    weights: bf.Branch | None
    error: float
    ranges: tuple[tuple[float, float], ...]

    @property
    def special(self) -> tuple[bf.SpecialPoint, ...]:
        """The points of codimension two."""
        return tuple(point for curve in self.curves for point in curve.special)


@dataclass(frozen=True, eq=False)
class Charts:
    """What the study found, and where it was written."""

    charts: tuple[Chart, ...]
    files: Files


def network(n: int, **rates: float) -> bf.adaptation.Network:
    """The network of the charts."""
    given: dict[str, Any] = {"beta": -0.1, "sigma": 1 / 6, "b": 0.05, **rates}
    return bf.adaptation.ring(n, BASELINE, STIMULUS, **given)


def curves_of(
    net: bf.adaptation.Network, kind: str, along: str, second: str, bounds: Bounds, most: int
) -> list[bf.Branch]:
    """The curves of the equilibrium's special points of a kind, that at which it loses its stability first.

    Parameters
    ----------
    net : Network
    kind : str
        Of the points.
    along, second : str
        The parameter in which the points are located, and the one that is freed then.
    bounds : dict
        Of both.
    most : int
        Curves at the most.
    """
    start = net.reduced_equilibrium()
    branch = bf.trace(bf.cycles(net.reduced, along, start), {along: bounds[along]}, control=FAR)
    points = branch.of(kind)
    # The point at which stability changes comes first, then its neighbours.
    first = next((point for point in points if bf.plot.stable_around(branch, point).changes), points[0])
    points = tuple(sorted(points, key=lambda point: abs(point.arclength - first.arclength)))
    return [bf.trace(bf.locus(point, second), bounds, control=FAR) for point in points[:most]]


def on_the_weights(net: bf.adaptation.Network, curve: bf.Branch, bounds: Bounds) -> tuple[bf.Branch, float]:
    """A few points of a curve on all weights, from products alone, and how far they are from the closed form."""
    point = curve.points[len(curve) // 2]
    here = net.replace(**dict(zip(curve.curve.free, point.free)))
    rule = here.update
    products = bf.Map.from_rule(
        rule, rule.parameters, without=("jacobian", "borders"), scale=rule.scale, name=rule.name
    )
    W = here.lift(np.asarray(point.state))
    first, second = curve.curve.free
    low, high = bounds[first]
    start = bf.special_point(products, curve.curve.kind, first, W, reach=high - low)
    found = bf.trace(bf.locus(start, second), bounds, control=LONG, detect=False)
    target = -1.0 if curve.curve.kind == "flip" else 1.0
    errors = []
    for each in found.points:
        there = here.replace(**dict(zip(found.curve.free, each.free)))
        errors.append(float(np.abs(there.spectrum(each.state).values - target).min()))
    return found, max(errors)


def coefficients(curve: bf.Branch) -> tuple[float, float]:
    """The range of b along a curve of flips."""
    if curve.curve.kind != "flip":
        return np.nan, np.nan
    values = []
    for i in range(0, len(curve), max(1, len(curve) // SAMPLED)):
        values.append(bf.normal_form(curve.as_special_point(i)).coefficients["b"])
    return min(values), max(values)


def chart_of_plan(plan: int, *, n: int, most: int) -> Chart:
    """One of the four charts, with at most ``most`` curves of a kind."""
    chosen = PLANS[plan]
    net = network(n, **chosen.rates)
    curves = curves_of(net, chosen.kind, chosen.along, chosen.second, chosen.bounds, most)
    longer = [
        bf.trace(curve, chosen.bounds, control=FAR)
        for point in curves[0].of("generalised flip")
        for curve in bf.switches(point)
    ]
    weights, error = on_the_weights(net, curves[0], chosen.bounds)
    every = (*curves, *longer)
    return Chart(
        title=chosen.title,
        network=net,
        bounds=chosen.bounds,
        curves=every,
        weights=weights,
        error=error,
        ranges=tuple(coefficients(curve) for curve in every),
    )


@study
def run(out: Path = FIGURES, quick: bool = False) -> Charts:
    """Continue, compare, draw, and write the special points as JSON; with one curve each if quick."""
    function = partial(chart_of_plan, n=NEURONS, most=QUICK_CURVES if quick else CURVES)
    swept = sweep_of_study(out, "charts", "plans", function, {"plan": range(len(PLANS))})
    found: tuple[Chart, ...] = swept.values
    study = Charts(found, Files("charts", out, "json"))
    publish(study.files, lambda: _draw(found), Records([record(chart) for chart in found]))
    for chart in found:
        _print(chart)
    return study


def _draw(charts: tuple[Chart, ...]) -> Figure:
    drawn = new_figure(
        "Flips and folds of the equilibrium, and where it loses its stability",
        f"{NEURONS} neurons; baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°.\n"
        f"Shaded: the side on which outputs, or a cycle of them, are stable. Open circles: points on all {NEURONS**2}\n"
        "weights, from products with the Jacobian alone. Where flips of several symmetries meet: see the numbers.",
        (6.8, 6.6),
    )
    for chart, ax in zip(charts, drawn.subplots(2, 2).ravel(), strict=True):
        draw_chart(chart, ax)
    return drawn


def _print(chart: Chart) -> None:
    print(f"\n{chart.title}: all weights within {chart.error:.1e} of the closed form")
    for curve, (low, high) in zip(chart.curves, chart.ranges, strict=True):
        b = f", coefficient b from {low:.4g} to {high:.4g}" if np.isfinite(low) else ""
        print(f"  {curve.curve.kind}s of period {curve.curve.period}: {len(curve)} points{b}")
    for point in chart.special:
        if point.kind != "flip-flip":
            print(f"    {point}")
    double = sum(point.kind == "flip-flip" for point in chart.special)
    if double:
        print(f"    and {double} points where flips of different symmetry meet (PDPD)")


def record(chart: Chart) -> dict[str, Any]:
    """A chart's special points and curves as numbers."""
    points = [
        {"kind": point.kind, **{name: point.parameters[name] for name in chart.bounds}, "error": point.error}
        for point in chart.special
    ]
    curves = [
        {
            "kind": curve.curve.kind,
            "period": curve.curve.period,
            **{name: curve[name].tolist() for name in chart.bounds},
        }
        for curve in chart.curves
    ]
    return {"chart": chart.title, "error_on_all_weights": chart.error, "points": points, "curves": curves}


def draw_chart(chart: Chart, ax: Axes) -> None:
    """Curves by kind and period, the points on them, and the circles."""
    first, second = chart.bounds
    bf.plot.chart(
        chart.curves,
        first,
        second,
        ax=ax,
        xlabel=AXES[first],
        ylabel=AXES[second],
        kinds=MARKED,
        stable_side=True,
    )
    if chart.weights is not None:
        style: Any = {"ls": "", "marker": "o", "ms": 4.5, "mfc": "none", "color": "#b2182b"}
        ax.plot(chart.weights[first], chart.weights[second], zorder=6, **style)
    low, high = chart.bounds[second]
    ax.set(xlim=chart.bounds[first], ylim=(0.0 if second == "beta" and high > 0.0 else low, max(high, 0.0)))
    above = ax.get_legend()
    assert above is not None
    above.set_title(chart.title)
    above.set_alignment("left")
