"""Figures: diagrams, charts, portraits and heat maps. The only room that knows Matplotlib.

Every function takes ``ax=`` and returns the Axes; none shows or saves anything.
"""

from matplotlib.figure import Figure

from bifurcate.plot.basin_map import basins
from bifurcate.plot.bifurcation_diagram import diagram
from bifurcate.plot.branches_together import many_branches
from bifurcate.plot.chaos_plots import alignment_indices, finite_time_exponents
from bifurcate.plot.figure_style import style
from bifurcate.plot.heat_map import heatmap
from bifurcate.plot.multiplier_plots import animate_multipliers, multipliers, multipliers_along
from bifurcate.plot.observables import StableAround, observe, stable_around
from bifurcate.plot.orbit_plots import cobweb, convergence, orbit_diagram
from bifurcate.plot.period_map import parameter_plane
from bifurcate.plot.phase_space import phase_portrait
from bifurcate.plot.surface_plot import surface
from bifurcate.plot.two_parameter_chart import chart

__all__ = [
    "Figure",
    "StableAround",
    "alignment_indices",
    "animate_multipliers",
    "basins",
    "chart",
    "cobweb",
    "convergence",
    "diagram",
    "finite_time_exponents",
    "heatmap",
    "many_branches",
    "multipliers",
    "multipliers_along",
    "observe",
    "orbit_diagram",
    "parameter_plane",
    "phase_portrait",
    "stable_around",
    "style",
    "surface",
]
