"""Small steps that the maps share: divisive responses with silent neurons, and products with thin factors."""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dgemm, get_blas_funcs

__all__ = [
    "add_outer_product",
    "divide_where_driven",
    "multiply_weights",
    "norm_of_sum",
    "outer_product",
    "respond",
    "response_gain",
    "stack_columns",
]


def divide_where_driven(numerator: np.ndarray, u: np.ndarray, r: np.ndarray) -> np.ndarray:
    """numerator/u where r > 0, else 0; infinite or NaN at a pole, without a warning.

    Examples
    --------
    >>> divide_where_driven(np.array([1.0, 1.0]), np.array([0.5, 0.0]), np.array([1.0, 0.0]))
    array([2., 0.])
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        out = np.divide(numerator, u)
    if not r.min() > 0.0:  # seldom; a masked division is several times slower
        out[~(r > 0.0)] = 0.0
    return np.asarray(out)


def respond(r: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The response R = r/u; 0 for a silent neuron whatever its u."""
    return divide_where_driven(r, u, r)


def response_gain(r: np.ndarray, u: np.ndarray) -> np.ndarray:
    """g = −∂R/∂u = r/u²; 0 for a silent neuron."""
    return divide_where_driven(divide_where_driven(r, u, r), u, r)


def multiply_weights(W: np.ndarray | None, v: np.ndarray) -> np.ndarray:
    """W @ v for v of shape (n,) or (n, m); None stands for the matrix of ones.

    Examples
    --------
    >>> multiply_weights(None, np.array([1.0, 3.0]))
    array([4., 4.])
    """
    return np.broadcast_to(v.sum(axis=0), v.shape).copy() if W is None else W @ v


def stack_columns(*parts: np.ndarray) -> np.ndarray:
    """Vectors and matrices as the columns of one matrix, in the order that BLAS takes without a copy.

    Examples
    --------
    >>> stack_columns(np.array([1.0, 2.0]), np.array([[3.0], [4.0]]))
    array([[1., 3.],
           [2., 4.]])
    """
    return np.concatenate([part.T if part.ndim == 2 else part[None] for part in parts]).T


def outer_product(U: np.ndarray, V: np.ndarray) -> np.ndarray:
    """U Vᵀ for factors of few columns, C-contiguous: one pass over the result.

    Examples
    --------
    >>> outer_product(np.array([[1.0], [2.0]]), np.array([[1.0], [10.0]]))
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    # Straight to BLAS: numpy's matmul is several times slower on factors as thin as these.
    return np.asarray(get_blas_funcs("gemm", (U, V))(1.0, V, U, trans_b=True).T)


def add_outer_product(out: np.ndarray, U: np.ndarray, V: np.ndarray) -> None:
    """Add U Vᵀ to a C-contiguous array of floats, in place: one pass over it.

    Examples
    --------
    >>> W = np.zeros((2, 2))
    >>> add_outer_product(W, np.array([[1.0], [2.0]]), np.array([[1.0], [10.0]]))
    >>> W
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    dgemm(1.0, V, U, beta=1.0, c=out.T, trans_b=True, overwrite_c=True)


def norm_of_sum(columns: np.ndarray, weights: np.ndarray) -> float:
    """‖Σⱼ wⱼ vⱼ vⱼᵀ‖ (Frobenius) for columns vⱼ of shape (n,), from a QR factorisation in O(n m²).

    Examples
    --------
    >>> norm_of_sum(np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([1.0, -1.0])) ** 2
    337.0
    """
    T = np.asarray(np.linalg.qr(columns, mode="r"))
    return float(np.linalg.norm((T * weights) @ T.T))
