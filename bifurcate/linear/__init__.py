"""Linear algebra on four kinds of Jacobian behind one face: structure belongs to the operator, method to the solver."""

from bifurcate.linear.bordered import Bordered, Krylov, bordered
from bifurcate.linear.low_rank import LowRank
from bifurcate.linear.null_space import across, near_null, oriented, orthonormal
from bifurcate.linear.operators import (
    DiagonalLowRank,
    Operator,
    ShiftedLowRank,
    apply,
    compose,
    dense,
    essence,
    lifted,
    projected,
    quadratic,
    shifted,
    size,
    transposed,
)
from bifurcate.linear.spectrum import Spectrum, spectrum

__all__ = [
    "Bordered",
    "DiagonalLowRank",
    "Krylov",
    "LowRank",
    "Operator",
    "ShiftedLowRank",
    "Spectrum",
    "across",
    "apply",
    "bordered",
    "compose",
    "dense",
    "essence",
    "lifted",
    "near_null",
    "oriented",
    "orthonormal",
    "projected",
    "quadratic",
    "shifted",
    "size",
    "spectrum",
    "transposed",
]
