"""Linear algebra on four kinds of Jacobian behind one face: structure belongs to the operator, method to the solver."""

from bifurcate.linalg.bordered_system import Bordered, Krylov, bordered
from bifurcate.linalg.low_rank import LowRank
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.linalg.null_space import approximate_null_space, bordered_by, fix_sign, orthonormal
from bifurcate.linalg.operators import (
    DiagonalLowRank,
    Operator,
    ShiftedLowRank,
    apply,
    compose,
    core_operator,
    dense,
    lift_vectors,
    project_vectors,
    quadratic,
    shifted,
    size,
    transposed,
)

__all__ = [
    "Bordered",
    "DiagonalLowRank",
    "Krylov",
    "LowRank",
    "Operator",
    "ShiftedLowRank",
    "Spectrum",
    "apply",
    "approximate_null_space",
    "bordered",
    "bordered_by",
    "compose",
    "core_operator",
    "dense",
    "fix_sign",
    "lift_vectors",
    "orthonormal",
    "project_vectors",
    "quadratic",
    "shifted",
    "size",
    "spectrum",
    "transposed",
]
