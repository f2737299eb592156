"""Curves to trace: what a Curve is, and the functions that return one."""

from bifurcate.curves.curve import Curve, Equations, Evaluation, Linearisation
from bifurcate.curves.cycle import Cycle, cycles

__all__ = ["Curve", "Cycle", "Equations", "Evaluation", "Linearisation", "cycles"]
