"""Curves to trace: what a Curve is, and the functions that return one."""

from bifurcate.curves.branch_points import BranchPointLocus
from bifurcate.curves.curve import Curve, Equations, Evaluation, Linearisation
from bifurcate.curves.cycle import Cycle, cycles
from bifurcate.curves.locus import Augmented, PairLocus, RealLocus, borders, orthonormal

__all__ = [
    "Augmented",
    "BranchPointLocus",
    "Curve",
    "Cycle",
    "Equations",
    "Evaluation",
    "Linearisation",
    "PairLocus",
    "RealLocus",
    "borders",
    "cycles",
    "orthonormal",
]
