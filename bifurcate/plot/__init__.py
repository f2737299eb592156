"""Figures: bifurcation diagrams and charts in two parameters. The only room that knows matplotlib."""

from matplotlib.figure import Figure

from bifurcate.plot.bifurcation_diagram import diagram, observe, stable_around
from bifurcate.plot.heat_map import heatmap
from bifurcate.plot.two_parameter_chart import chart

__all__ = ["Figure", "chart", "diagram", "heatmap", "observe", "stable_around"]
