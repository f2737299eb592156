"""Figures: bifurcation diagrams, charts in two parameters and heat maps. The only room that knows Matplotlib."""

from matplotlib.figure import Figure

from bifurcate.plot.bifurcation_diagram import diagram
from bifurcate.plot.heat_map import heatmap
from bifurcate.plot.observables import StableAround, observe, stable_around
from bifurcate.plot.two_parameter_chart import chart

__all__ = ["Figure", "StableAround", "chart", "diagram", "heatmap", "observe", "stable_around"]
