"""Linear algebra for Jacobians of every kind: structure belongs to the operator, the method to the solver.

A Jacobian is an :data:`Operator`: an ndarray, a SciPy sparse array, a SciPy LinearOperator, or one of the two
structured kinds below. Who writes a model with a structured Jacobian, or an analysis of one, finds here:

=============================  ======================================================================================
Operators
=============================  ======================================================================================
``Operator``                   the type of all of them
``DiagonalLowRank(d, U, V)``   diag(d) + U Vᵀ
``ShiftedLowRank(s, L, P)``    s I + L P, which depends on N unknowns through m ≪ N products only
``LowRank(U, V)``              U Vᵀ, a state stored as its factors
``apply(A, x)``                A x, for a vector or columns, real or complex
``compose(A, B)``              A B
``shifted(A, t)``              A − t I
``quadratic(A, c)``            A² − 2c A + I
``transposed(A)``              Aᵀ, or None where A cannot say
``dense(A)``                   A as an ndarray
``size(A)``                    number of unknowns
``core_operator(A)``           the smallest operator with the same multipliers, and
``lift_vectors(A, w)``         vectors of the core as vectors of A,
``project_vectors(A, x)``      and back
=============================  ======================================================================================

===================================  ================================================================================
Linear systems and multipliers
===================================  ================================================================================
``bordered(M, B, C, D)``             factor the bordered system [M B; C D]: a ``Bordered``, with ``.solve(f, g)``
``bordered_by(M, W, V)``             the same with rows Vᴴ and corner 0
``Krylov``                           how GMRES solves where M is a LinearOperator
``approximate_null_space(M, m)``     the m directions that M shrinks most
``orthonormal(X)``, ``fix_sign(q)``  an orthonormal basis; the sign of a vector
``spectrum(A)``                      multipliers of A: a ``Spectrum`` with multiplicities, counts and what is certain
===================================  ================================================================================

:func:`bifurcate.multipliers` gives the spectrum of a map at a state.

Examples
--------
>>> import numpy as np
>>> from bifurcate import linalg
>>> A = linalg.DiagonalLowRank(np.array([0.5, -0.5]), np.ones((2, 1)), np.ones((2, 1)))
>>> linalg.dense(linalg.shifted(A, 1.0))
array([[ 0.5,  1. ],
       [ 1. , -0.5]])
>>> linalg.spectrum(A).values.real.round(6)
array([ 2.118034, -0.118034])
"""

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
