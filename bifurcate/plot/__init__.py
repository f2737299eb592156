"""Figures: bifurcation diagrams and charts in two parameters. The only room that knows matplotlib."""

from matplotlib.figure import Figure

from bifurcate.plot.chart import MARKERS as MARKED
from bifurcate.plot.chart import chart
from bifurcate.plot.diagram import diagram, observe, stable_around

__all__ = ["MARKED", "Figure", "chart", "diagram", "observe", "stable_around"]
