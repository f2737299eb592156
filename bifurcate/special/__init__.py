"""Special points of a branch: their kinds, how they are noticed and located, and the curves that start there."""

from bifurcate.special.detection import Finding, branch_point_near, examine
from bifurcate.special.point import LABELS, SpecialPoint, of_kind
from bifurcate.special.switching import switch, switches
from bifurcate.special.two_parameters.loci import THROUGH, locus

__all__ = [
    "LABELS",
    "THROUGH",
    "Finding",
    "SpecialPoint",
    "branch_point_near",
    "examine",
    "locus",
    "of_kind",
    "switch",
    "switches",
]
