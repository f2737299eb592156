"""One thread of BLAS for small dense matrices, with nothing left changed behind a call.

BLAS and LAPACK divide the work on one matrix among as many threads as there are cores. Up to some hundred unknowns to
start and to join them takes longer than the work itself; and beside other work the threads wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import scipy.linalg  # noqa: F401  loads its BLAS
import threadpoolctl

__all__ = ["one_thread", "one_thread_for"]

# Unknowns below which no routine that is used here divides its work (singular values are the first that do).
SMALLEST_DIVIDED = 48

# size limit: unknowns up to which dense matrices are factored, multiplied and decomposed in one thread. On two cores an
# LU gains from the second one beyond 600 unknowns only, and eigenvalues not even there.
LARGEST_IN_ONE_THREAD = 500

_NOTHING: AbstractContextManager[None] = nullcontext()


# The libraries are looked for once, here: that takes a millisecond, and beside a thread that loads a library it could
# wait for ever. NumPy's and SciPy's are loaded by now.
_LIBRARIES = threadpoolctl.ThreadpoolController().select(user_api="blas")

# Held while the number is changed. Blocks in other threads see all libraries before a change or after it.
_CHANGING = threading.Lock()


@contextmanager
def _limited() -> Iterator[None]:
    # Where the number is one already, perhaps by a block in another thread, nothing is changed, so nothing set back:
    # so blocks may overlap in any order. One that is left alone by another's end goes on with all threads.
    with _CHANGING:
        if all(library.num_threads in (1, None) for library in _LIBRARIES.lib_controllers):
            limit = None
        else:
            limit = _LIBRARIES.limit(limits=1)
            limit.__enter__()
    try:
        yield
    finally:
        if limit is not None:
            with _CHANGING:
                limit.__exit__(None, None, None)


def one_thread(n: int) -> AbstractContextManager[None]:
    """A block in which BLAS runs in one thread, for matrices of n unknowns; without effect for tiny and large ones.

    Parameters
    ----------
    n : int
        Unknowns of the matrix that the block works on: limited if 48 ≤ n ≤ 500.

    Examples
    --------
    >>> import numpy as np
    >>> with one_thread(100):
    ...     float(np.linalg.eigvalsh(np.eye(100)).sum())
    100.0
    """
    return _limited() if SMALLEST_DIVIDED <= n <= LARGEST_IN_ONE_THREAD else _NOTHING


def one_thread_for(A: object) -> AbstractContextManager[None]:
    """The same for a block whose matrices are all like A: without effect unless A is an ndarray."""
    return one_thread(len(A)) if isinstance(A, np.ndarray) else _NOTHING
