"""What a Jacobian may be, and what is done with it: apply, shift, multiply, transpose, make dense.

An operator is an ndarray, a SciPy sparse array, a SciPy LinearOperator, a :class:`DiagonalLowRank`, a
:class:`ShiftedLowRank` or a :class:`~.cyclic_product.CyclicProduct`. Every function here keeps the structure of its
argument where the result has it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from bifurcate.errors import InvalidInput
from bifurcate.linalg.cyclic_product import CyclicProduct
from bifurcate.linalg.matrix_with_own_multipliers import MatrixWithOwnMultipliers
from bifurcate.linalg.threads import one_thread
from bifurcate.storage.pickling import Portable

__all__ = [
    "DiagonalLowRank",
    "Operator",
    "ShiftedLowRank",
    "apply",
    "compose",
    "core_operator",
    "dense",
    "lift_vectors",
    "project_vectors",
    "quadratic",
    "shifted",
    "size",
    "target_part",
    "transposed",
]


Array: TypeAlias = NDArray[Any]  # real or complex


@dataclass(frozen=True, eq=False)
class DiagonalLowRank:
    """The matrix diag(d) + U Vᵀ.

    Solved by elimination of the diagonal in O(n k²); closed under products and shifts. With k = 1 and
    uᵢ vᵢ of one sign a diagonal similarity makes it symmetric, so that its multipliers are real
    (Golub, SIAM Review 15 (1973) 318, section 5).

    Parameters
    ----------
    diagonal : ndarray, shape (n,)
    left, right : ndarray, shape (n, k)
        U and V.

    Examples
    --------
    >>> import numpy as np
    >>> A = DiagonalLowRank(np.array([1.0, 2.0]), np.ones((2, 1)), np.ones((2, 1)))
    >>> dense(A)
    array([[2., 1.],
           [1., 3.]])
    """

    diagonal: Array
    left: Array
    right: Array

    def __post_init__(self) -> None:
        n = len(self.diagonal)
        if self.left.shape != self.right.shape or self.left.ndim != 2 or len(self.left) != n:
            raise InvalidInput(
                f"left {self.left.shape} and right {self.right.shape} must both have shape ({n}, k), like the diagonal"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return (len(self.diagonal), len(self.diagonal))

    @property
    def T(self) -> DiagonalLowRank:
        """The transpose."""
        return DiagonalLowRank(self.diagonal, self.right, self.left)

    def __matmul__(self, x: Array) -> Array:
        d = self.diagonal if x.ndim == 1 else self.diagonal[:, None]
        product: Array = d * x + self.left @ (self.right.T @ x)
        return product


@dataclass(frozen=True, eq=False)
class ShiftedLowRank(Portable):
    """The operator s I + L P on N unknowns, where P projects them to m ≪ N numbers and L lifts these back.

    Its multipliers are s, N − m times, and those of the m × m core s I + P L. Every linear system with it reduces to
    one with the core. The Jacobian of a rule that depends on N weights only through m products with them is of this
    kind.

    Parameters
    ----------
    shift : float
        s.
    lift : LinearOperator or ndarray, shape (N, m)
        L. A LinearOperator must have ``rmatvec``.
    project : LinearOperator or ndarray, shape (m, N)
        P.
    core : ndarray or DiagonalLowRank, shape (m, m), optional
        P L, without the shift; formed from m products if it is not given.
    projection_key : hashable, optional
        Names P: operators with equal keys must have equal P. The product of two such operators keeps their P and its
        rank m; without a key, or with different ones, the rank of a product is the sum of the two ranks.

    Raises
    ------
    InvalidInput
        If the shapes of L and P do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> A = ShiftedLowRank(0.5, np.ones((3, 1)), np.array([[0.2, 0.0, 0.1]]))
    >>> dense(A)
    array([[0.7, 0. , 0.1],
           [0.2, 0.5, 0.1],
           [0.2, 0. , 0.6]])
    >>> float(A.core[0, 0].round(12))
    0.3
    >>> compose(A, A).lift.shape  # no key: P is taken for two different projections
    (3, 2)
    """

    shift: complex
    lift: LinearOperator
    project: LinearOperator
    core: Array | DiagonalLowRank | None = None
    projection_key: Hashable | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lift", aslinearoperator(self.lift))
        object.__setattr__(self, "project", aslinearoperator(self.project))
        rows, rank = self.lift.shape
        if self.project.shape != (rank, rows):
            raise InvalidInput(
                f"project has shape {self.project.shape}; lift {self.lift.shape} asks for {(rank, rows)}"
            )
        if self.core is None:
            core = np.column_stack([self.project @ (self.lift @ e) for e in np.eye(rank)])
            object.__setattr__(self, "core", core)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, N)."""
        return (self.lift.shape[0], self.lift.shape[0])

    def __matmul__(self, x: Array) -> Array:
        product: Array = self.shift * x + self.lift @ (self.project @ x)
        return product

    @property
    def T(self) -> ShiftedLowRank:
        """The transpose."""
        return ShiftedLowRank(self.shift, self.project.T, self.lift.T, self.core.T)  # type: ignore[union-attr]


Operator: TypeAlias = (
    Array
    | sp.sparray
    | sp.spmatrix
    | LinearOperator
    | DiagonalLowRank
    | ShiftedLowRank
    | CyclicProduct
    | MatrixWithOwnMultipliers
)


def size(A: Operator) -> int:
    """Number of unknowns that A acts on."""
    return int(A.shape[0])


def apply(A: Operator, x: Array) -> Array:
    """A @ x for x of shape (n,) or (n, m), real or complex, one column at a time where A knows no more.

    Examples
    --------
    >>> import numpy as np
    >>> apply(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 1.0]))
    array([3., 7.])
    """
    if not isinstance(A, LinearOperator | ShiftedLowRank):
        return np.asarray(A @ x)
    if x.ndim == 2:
        if x.shape[1] == 1:
            return apply(A, x[:, 0])[:, None]
        return np.column_stack([apply(A, column) for column in x.T]) if x.shape[1] else np.zeros((A.shape[0], 0))
    if np.iscomplexobj(x) and _is_real(A):
        return (A @ x.real) + 1j * (A @ x.imag)
    return np.asarray(A @ x)


def _is_real(A: LinearOperator | ShiftedLowRank) -> bool:
    if isinstance(A, ShiftedLowRank):
        return not np.iscomplexobj(A.shift)
    return not np.issubdtype(A.dtype or np.dtype(float), np.complexfloating)


def dense(A: Operator) -> Array:
    """A as an ndarray of shape (n, n).

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> dense(sp.eye_array(2))
    array([[1., 0.],
           [0., 1.]])
    """
    if isinstance(A, np.ndarray):
        return A
    if isinstance(A, MatrixWithOwnMultipliers):
        return A.matrix
    if sp.issparse(A) or isinstance(A, CyclicProduct):
        return np.asarray((A.matrix if isinstance(A, CyclicProduct) else A).toarray())  # type: ignore[union-attr]
    if isinstance(A, DiagonalLowRank):
        return np.asarray(np.diag(A.diagonal) + A.left @ A.right.T)
    return apply(A, np.eye(size(A)))


@overload
def shifted(A: Array, target: complex) -> Array: ...
@overload
def shifted(A: DiagonalLowRank, target: complex) -> DiagonalLowRank: ...
@overload
def shifted(A: ShiftedLowRank, target: complex) -> ShiftedLowRank: ...
@overload
def shifted(A: Operator, target: complex) -> Operator: ...
def shifted(A: Operator, target: complex) -> Operator:
    """A − target·I, of A's own kind.

    Examples
    --------
    >>> import numpy as np
    >>> shifted(np.array([[2.0]]), 1.0)
    array([[1.]])
    """
    if isinstance(A, MatrixWithOwnMultipliers):
        return shifted(A.matrix, target)
    if isinstance(A, np.ndarray):
        real = A.dtype == np.float64 and isinstance(target, float)
        out = A.copy() if real else A.astype(np.result_type(A, target))
        out.flat[:: len(A) + 1] -= target
        return out
    if sp.issparse(A):
        return A - target * sp.eye_array(size(A), format="csr")
    if isinstance(A, CyclicProduct):
        return A.shifted(target)
    if isinstance(A, DiagonalLowRank):
        return DiagonalLowRank(A.diagonal - target, A.left, A.right)
    if isinstance(A, ShiftedLowRank):
        return ShiftedLowRank(A.shift - target, A.lift, A.project, A.core, A.projection_key)
    kind = np.result_type(A.dtype or float, type(target))
    return LinearOperator(A.shape, matvec=lambda x: apply(A, x) - target * x, dtype=kind)


def transposed(A: Operator) -> Operator | None:
    """The transpose, of A's own kind; None for a LinearOperator without ``rmatvec``.

    Examples
    --------
    >>> import numpy as np
    >>> transposed(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[0., 0.],
           [1., 0.]])
    """
    if isinstance(A, LinearOperator):
        try:
            A.rmatvec(np.zeros(A.shape[0]))
        except NotImplementedError:
            return None
    return A.matrix.T.tocsc() if isinstance(A, CyclicProduct) else A.T


def target_part(A: Operator, columns: Array) -> Array:
    """What multiplies −τ in (A − τ I) times columns: the columns, or their part at a cycle's first state.

    Examples
    --------
    >>> import numpy as np
    >>> target_part(CyclicProduct((np.eye(1), np.eye(1))), np.array([[2.0], [3.0]])).ravel()
    array([2., 0.])
    """
    return A.target_part(columns) if isinstance(A, CyclicProduct) else columns


def project_vectors(A: Operator, columns: Array) -> Array:
    """Vectors that A acts on as vectors that its core operator acts on: P x for s I + L P, x itself otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> project_vectors(ShiftedLowRank(0.5, np.ones((3, 1)), np.array([[0.2, 0.0, 0.1]])), np.array([1.0, 1.0, 0.0]))
    array([0.2])
    """
    return apply(A.project, columns) if isinstance(A, ShiftedLowRank) else columns


def quadratic(A: Operator, cosine: float) -> Operator:
    """A² − 2κA + I, of A's own kind where products are: singular where A has the multipliers e^{±i arccos κ}.

    Examples
    --------
    >>> import numpy as np
    >>> abs(quadratic(np.array([[0.0, 1.0], [-1.0, 0.0]]), 0.0))
    array([[0., 0.],
           [0., 0.]])
    """
    moved = shifted(A, cosine)  # A² − 2κA + I = (A − κ)² + 1 − κ²
    square = _product_of_one_projection(moved, moved) if isinstance(moved, ShiftedLowRank) else compose(moved, moved)
    return shifted(square, cosine**2 - 1.0)


def core_operator(A: Operator) -> Operator:
    """The smallest operator with A's multipliers: the core s I + P L of a shifted low-rank one, A itself otherwise.

    An eigenvector w of the core lifts to the eigenvector L w of A.

    Examples
    --------
    >>> import numpy as np
    >>> float(core_operator(ShiftedLowRank(0.5, np.ones((3, 1)), np.array([[0.2, 0.0, 0.1]])))[0, 0].round(12))
    0.8
    """
    if isinstance(A, MatrixWithOwnMultipliers):
        return A.matrix
    return shifted(_core(A.core), -A.shift) if isinstance(A, ShiftedLowRank) else A


def lift_vectors(A: Operator, columns: Array) -> Array:
    """Vectors that A's core operator acts on as orthonormal ones that A acts on: the range of L w for s I + L P.

    For other operators the columns are returned as they are.

    Examples
    --------
    >>> import numpy as np
    >>> A = ShiftedLowRank(0.5, np.ones((4, 1)), np.array([[0.2, 0.0, 0.1, 0.0]]))
    >>> abs(lift_vectors(A, np.ones((1, 1)))).ravel()
    array([0.5, 0.5, 0.5, 0.5])
    """
    if not isinstance(A, ShiftedLowRank):
        return columns
    return np.asarray(scipy.linalg.qr(apply(A.lift, columns), mode="economic", check_finite=False)[0])


def compose(outer: Operator, inner: Operator) -> Operator:
    """The product outer · inner.

    Parameters
    ----------
    outer, inner : Operator
        The operators, on the same number of unknowns; ``inner`` acts first.

    Returns
    -------
    Operator
        Of the factors' kind if both are of one kind; an ndarray if each is an ndarray or a DiagonalLowRank; a
        LinearOperator otherwise. Ranks of low-rank operators add up, except those of two ShiftedLowRank with equal
        ``projection_key``: their product has the rank of either.

    Examples
    --------
    >>> import numpy as np
    >>> compose(np.array([[2.0]]), np.array([[3.0]]))
    array([[6.]])
    """
    if isinstance(outer, np.ndarray) and isinstance(inner, np.ndarray):
        with one_thread(len(inner)):
            return outer @ inner
    if sp.issparse(outer) and sp.issparse(inner):
        return outer @ inner  # type: ignore[operator]
    if isinstance(outer, DiagonalLowRank) and isinstance(inner, DiagonalLowRank):
        return _diagonal_product(outer, inner)
    if isinstance(outer, ShiftedLowRank) and isinstance(inner, ShiftedLowRank):
        return _shifted_product(outer, inner)
    if isinstance(outer, np.ndarray | DiagonalLowRank) and isinstance(inner, np.ndarray | DiagonalLowRank):
        return dense(outer) @ dense(inner)
    return LinearOperator(inner.shape, matvec=lambda x: apply(outer, apply(inner, x)), dtype=float)


def _diagonal_product(a: DiagonalLowRank, b: DiagonalLowRank) -> DiagonalLowRank:
    # (D₁ + U₁V₁ᵀ)(D₂ + U₂V₂ᵀ) = D₁D₂ + (D₁U₂) V₂ᵀ + U₁ (D₂V₁ + V₂ U₂ᵀV₁)ᵀ
    left = np.hstack([a.diagonal[:, None] * b.left, a.left])
    right = np.hstack([b.right, b.diagonal[:, None] * a.right + b.right @ (b.left.T @ a.right)])
    return DiagonalLowRank(a.diagonal * b.diagonal, left, right)


def _shifted_product(a: ShiftedLowRank, b: ShiftedLowRank) -> ShiftedLowRank:
    if a.projection_key is not None and a.projection_key == b.projection_key:
        return _product_of_one_projection(a, b)
    # Different projections are stacked: (s + L₁P₁)(t + L₂P₂) = st + [s L₂, L₁] [P₂; t P₁ + (P₁L₂) P₂].
    s, t = a.shift, b.shift
    mixed = np.column_stack([a.project @ (b.lift @ e) for e in np.eye(b.lift.shape[1])])
    m = b.lift.shape[1]
    lift = _operator(
        (b.lift.shape[0], m + a.lift.shape[1]),
        lambda w: s * (b.lift @ w[:m]) + a.lift @ w[m:],
        lambda x: np.concatenate([s * b.lift.rmatvec(x), a.lift.rmatvec(x)]),
    )

    def project(x: Array) -> Array:
        through = b.project @ x
        return np.concatenate([through, t * (a.project @ x) + mixed @ through])

    def project_adjoint(w: Array) -> Array:
        return np.asarray(b.project.rmatvec(w[:m] + mixed.T @ w[m:]) + t * a.project.rmatvec(w[m:]))

    return ShiftedLowRank(s * t, lift, _operator((lift.shape[1], lift.shape[0]), project, project_adjoint))


def _product_of_one_projection(a: ShiftedLowRank, b: ShiftedLowRank) -> ShiftedLowRank:
    # (s + L₁P)(t + L₂P) = st + [s L₂ + L₁ (t + K₂)] P,  K₂ = P L₂
    s, t = a.shift, b.shift
    inner = _core(shifted(_core(b.core), -t))
    lift = _operator(
        b.lift.shape,
        lambda w: s * (b.lift @ w) + a.lift @ apply(inner, w),
        lambda x: s * b.lift.rmatvec(x) + apply(inner.T, a.lift.rmatvec(x)),
    )
    core = _core(shifted(compose(shifted(_core(a.core), -s), inner), s * t))
    return ShiftedLowRank(s * t, lift, b.project, core, b.projection_key)


def _core(A: Operator | None) -> Array | DiagonalLowRank:
    assert isinstance(A, np.ndarray | DiagonalLowRank)
    return A


def _operator(
    shape: tuple[int, int], matvec: Callable[[Array], Array], rmatvec: Callable[[Array], Array]
) -> LinearOperator:
    return LinearOperator(shape, matvec=matvec, rmatvec=rmatvec, dtype=float)
