"""Figures: bifurcation diagrams and charts in two parameters. The only room that knows matplotlib."""

from matplotlib.figure import Figure

from bifurcate.plot.chart import chart
from bifurcate.plot.diagram import diagram, observe, stable_around
from bifurcate.plot.heatmap import heatmap

__all__ = ["Figure", "chart", "diagram", "heatmap", "observe", "stable_around"]
