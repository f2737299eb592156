"""Bifurcation analysis of discrete maps.

One idea: a Map's fixed points and cycles are a Curve; tracing it gives a Branch with SpecialPoints on it; switching
at one gives the next Curve.
"""

from bifurcate import adaptation, errors, gradient, maps, plot
from bifurcate.branch import Branch, Point
from bifurcate.continuation import steps, trace
from bifurcate.curves import Curve, cycles
from bifurcate.deflation import Attempt, Continued, Deflated, deflate, deflated_continuation
from bifurcate.diagram import Audit, Diagram, Failed, explore
from bifurcate.linear import DiagonalLowRank, Krylov, LowRank, ShiftedLowRank, Spectrum
from bifurcate.maps import Map
from bifurcate.orbits import Ensemble, Exponents, Orbit, OrbitDiagram, ensemble, lyapunov, orbit, orbit_diagram
from bifurcate.solvers import Deflation, Newton, NewtonKrylov, Solution, solve
from bifurcate.special import SpecialPoint, locus, switch, switches
from bifurcate.stepping import Step
from bifurcate.walk import StepControl

__all__ = [
    "Attempt",
    "Audit",
    "Branch",
    "Continued",
    "Curve",
    "Deflated",
    "Deflation",
    "DiagonalLowRank",
    "Diagram",
    "Ensemble",
    "Exponents",
    "Failed",
    "Krylov",
    "LowRank",
    "Map",
    "Newton",
    "NewtonKrylov",
    "Orbit",
    "OrbitDiagram",
    "Point",
    "ShiftedLowRank",
    "Solution",
    "SpecialPoint",
    "Spectrum",
    "Step",
    "StepControl",
    "adaptation",
    "cycles",
    "deflate",
    "deflated_continuation",
    "ensemble",
    "errors",
    "explore",
    "gradient",
    "locus",
    "lyapunov",
    "maps",
    "orbit",
    "orbit_diagram",
    "plot",
    "solve",
    "steps",
    "switch",
    "switches",
    "trace",
]
