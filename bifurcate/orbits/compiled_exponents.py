"""Tangent vectors along an orbit of an accelerated map, made orthonormal at every step, in a loop that JAX compiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.interrupts import interrupted_meanwhile
from bifurcate.maps.accelerated import import_jax
from bifurcate.orbits.compiled_loops import ENDS, GOES_ON, CompiledRule, OrbitEnd, longest_buffer

__all__ = ["exponents_loop"]

Array = NDArray[np.float64]

# Tangent vectors up to which Gram–Schmidt is written out, which JAX joins with f into one operation; beyond, LAPACK.
FEW_VECTORS = 8
LEAST = 1e-300  # in place of the length 0 of a vector that was annihilated, by which 0 is divided


def exponents_loop(
    rule: CompiledRule, x: Array, vectors: Array, p: Mapping[str, float], count: int
) -> tuple[Array, Array, Array, int, OrbitEnd]:
    """``count`` steps of an orbit with tangent vectors, made orthonormal after each; fewer where it ends.

    Parameters
    ----------
    rule : CompiledRule
    x : ndarray
        The state.
    vectors : ndarray, shape (n, k)
        Orthonormal tangent vectors.
    p : mapping of str to float
        All parameters.
    count : int

    Returns
    -------
    x, vectors : ndarray
        After the last step.
    growth : ndarray, shape (steps, k)
        The factors by which the vectors grew.
    steps : int
    end : OrbitEnd
        "steps", "diverged", "domain" or "interrupted".
    """
    names, q = tuple(p), np.array([*p.values()], dtype=float)
    parts, done, end = [np.empty((0, vectors.shape[1]))], 0, GOES_ON
    while done < count and not end:
        if interrupted_meanwhile():
            return x, vectors, np.concatenate(parts), done, "interrupted"
        length = longest_buffer(count - done, vectors.size)
        program = partial(_exponents_program, names=names, length=length)
        until = min(length, count - done)
        found = rule.run(("exponents", names, length), program, x, vectors, q, until)
        x, vectors, steps, end, growth = found
        parts.append(growth[: int(steps)])
        done, end = done + int(steps), int(end)
    return x, vectors, np.concatenate(parts), done, ENDS[end]  # type: ignore[return-value]


def _exponents_program(f: Any, rule: CompiledRule, *, names: tuple[str, ...], length: int) -> Callable[..., Any]:
    jax = import_jax()
    jnp = jax.numpy

    def exponents(x: Any, vectors: Any, q: Any, until: Any) -> Any:
        p = dict(zip(names, q))
        orthonormal = _orthonormal if vectors.shape[1] <= FEW_VECTORS else _orthonormal_many

        def body(carry: Any) -> Any:
            x, V, done, _, out = carry
            push = partial(jax.jvp, lambda y: f(y, p), (x,))
            images = jax.vmap(lambda v: push((v.reshape(x.shape),))[1].ravel(), in_axes=1, out_axes=1)(V)
            y = f(x, p)
            end = rule.end(y, p)
            W, growth = orthonormal(images)
            goes_on = end == GOES_ON
            out = jax.lax.dynamic_update_index_in_dim(out, growth, done, 0)
            return jnp.where(goes_on, y, x), jnp.where(goes_on, W, V), done + goes_on, end, out

        start = x, vectors, jnp.asarray(0), jnp.asarray(GOES_ON), jnp.empty((length, vectors.shape[1]))
        return jax.lax.while_loop(lambda carry: (carry[2] < until) & (carry[3] == GOES_ON), body, start)

    return exponents


def _orthonormal(images: Any) -> tuple[Any, Any]:
    """Gram–Schmidt, twice for each vector, which is enough (Giraud, Langou & Rozložník, Comput. Math. Appl. 50 (2005)).

    A vector that was annihilated is 0 from then on, and so are the factors by which it grows.
    """
    jnp = import_jax().numpy
    done: list[Any] = []
    lengths: list[Any] = []
    for j in range(images.shape[1]):
        v = images[:, j]
        for _ in range(2):
            for q in done:
                v = v - q * jnp.sum(q * v)
        lengths.append(jnp.sqrt(jnp.sum(v * v)))
        done.append(v / jnp.maximum(lengths[-1], LEAST))
    return jnp.stack(done, axis=1), jnp.stack(lengths)


def _orthonormal_many(images: Any) -> tuple[Any, Any]:
    """The same of many vectors, by Householder reflections."""
    jnp = import_jax().numpy
    Q, R = jnp.linalg.qr(images)
    return Q, jnp.abs(jnp.diag(R))
