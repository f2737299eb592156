"""Bordered linear systems: the one linear problem of continuation, for every kind of Jacobian.

    ┌ M  B ┐ ┌ x ┐   ┌ f ┐        M  n × n, any kind of Operator, may be singular by up to k dimensions
    │      │ │   │ = │   │        B  n × k, C  k × n, D  k × k
    └ C  D ┘ └ y ┘   └ g ┘

The bordered matrix is regular where M alone is not (Govaerts, Numerical Methods for Bifurcations of Dynamical
Equilibria, SIAM 2000, section 3.2), so that no method here ever solves with M by itself.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bifurcate.linalg.cyclic_product import CyclicProduct
from bifurcate.linalg.dense_elimination import factor_dense
from bifurcate.linalg.factored_system import Array, Bordered, SingularSystem, accept_complex
from bifurcate.linalg.matrix_free import Krylov, solve_by_gmres
from bifurcate.linalg.operators import DiagonalLowRank, Operator, ShiftedLowRank
from bifurcate.linalg.sparse_elimination import factor_sparse
from bifurcate.linalg.structured_elimination import factor_diagonal_low_rank, factor_shifted_low_rank

__all__ = ["Bordered", "Krylov", "SingularSystem", "bordered"]


def bordered(
    M: Operator,
    B: Array,
    C: Array,
    D: Array,
    *,
    krylov: Krylov | None = None,
    tolerance: float = 0.0,
    start: Array | None = None,
) -> Bordered:
    """Factor the bordered system of M with columns B, rows C and corner D.

    Parameters
    ----------
    M : Operator
        The n × n block: ndarray, sparse, DiagonalLowRank, ShiftedLowRank, CyclicProduct or LinearOperator.
    B, C, D : ndarray
        Shapes (n, k), (k, n) and (k, k); k may be 0 except for a LinearOperator M.
    krylov : Krylov, optional
        How GMRES solves, for a LinearOperator M only.
    tolerance : float, optional
        For a LinearOperator M, the relative residual at which GMRES stops in this one system, if that is larger than
        ``krylov.tolerance``.
    start : ndarray, shape (n + k,), optional
        For a LinearOperator M, the vector where GMRES starts; by default 0.

    Returns
    -------
    Bordered
        With ``solve(f, g)``, which returns x and y.

    Raises
    ------
    SingularSystem
        If the system is singular to working precision. From ``solve``, if GMRES fails.
    NotIsolated
        If M is a ShiftedLowRank with shift 0: then M has a kernel of n − m dimensions, more than borders make up for.

    Examples
    --------
    >>> import numpy as np
    >>> system = bordered(np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1)))
    >>> x, y = system.solve(np.array([2.0]), np.array([3.0]))
    >>> float(x[0]), float(y[0])
    (3.0, 2.0)
    """
    if isinstance(M, np.ndarray):
        return factor_dense(M, B, C, D)
    if isinstance(M, ShiftedLowRank):
        return accept_complex(factor_shifted_low_rank(M, B, C, D), B, C, D, np.asarray(M.shift))
    if isinstance(M, DiagonalLowRank):
        return accept_complex(factor_diagonal_low_rank(M, B, C, D), B, C, D, M.diagonal)
    if isinstance(M, CyclicProduct):
        return accept_complex(factor_sparse(M.matrix, B, C, D), B, C, D, M.matrix.data)
    if sp.issparse(M):
        system = factor_sparse(M, B, C, D)
    else:
        system = solve_by_gmres(M, B, C, D, krylov=krylov or Krylov(), tolerance=tolerance, start=start)
    return accept_complex(system, B, C, D, np.empty(0, dtype=M.dtype or float))
