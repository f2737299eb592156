"""Metrics and coordinates of very different scales: what is a gradient is never refuted, what is none still is."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate import gradient
from bifurcate.errors import InvalidInput

RATE = 0.1


def made(f, exact):
    """A map with a derivative by complex steps, exact up to rounding, or by differences."""

    def jvp(x, v):
        h = 1e-30 / np.abs(v).max(initial=1e-300)
        with np.errstate(over="ignore", invalid="ignore"):
            return f(x + 1j * h * v).imag / h

    return bf.Map(f, {}, jvp=jvp if exact else None)


def convex(rng, n):
    """∇E of E = Σ log cosh(Bx + c) + xᵀAx/2."""
    B, c, A = rng.standard_normal((n + 1, n)), rng.standard_normal(n + 1), rng.standard_normal((n, n))
    A = A @ A.T / n + 0.2 * np.eye(n)
    return lambda x: B.T @ np.tanh(B @ x + c) + A @ x


def hidden(rng, kind, exact):
    """A gradient in a diagonal metric of the kind named, and states."""
    n, k = int(rng.integers(2, 4)), int(rng.integers(3, 6))
    X, s, slope = rng.standard_normal((k, n)), np.ones(n), convex(rng, n)
    if kind == "lotka":
        A, r = rng.uniform(0.1, 1.0, (n, n)), rng.uniform(0.5, 1.5, n)
        A, X = A + A.T + np.eye(n), rng.uniform(0.2, 0.8, (k, n))
        gone = rng.random((k, n)) < 0.3
        X[gone] = 10.0 ** -rng.uniform(3, 18, gone.sum())
        return made(lambda x: x + RATE * x * (r - A @ x), exact), X
    if kind == "inverse":
        X = rng.uniform(0.05, 1.0, (k, n))
    a, b = rng.uniform(-25, 25, n), rng.uniform(-1, 1, n)
    constant, curved = 10.0 ** rng.uniform(-5, 5, n), rng.choice([1.0, 5.0, 20.0, 100.0], n)
    m = {
        "constant": lambda x: constant / constant.min(),
        "gauss": lambda x: np.exp(curved * x * x / 2),
        "inverse": lambda x: 1.0 / x,
        "steep": lambda x: np.exp(a * x),
        "scaled": lambda x: np.exp(b * np.sin(x)),
        "wavy": lambda x: np.exp(a * x * x / 2 + 2.0 * np.sin(5.0 * x)),
    }[kind]
    if kind == "scaled":
        s = 10.0 ** np.append(0.0, rng.uniform(-4, 8, n - 1))
    return made(lambda z: z - RATE * s * slope(z / s) / m(z / s), exact), X * s


def broken(rng, kind, exact):
    """No gradient in any diagonal metric, in coordinates of scale 1 or of very different ones, and states."""
    n, size = int(rng.integers(3, 5)), 10.0 ** -rng.uniform(0, 4)
    s = 10.0 ** rng.uniform(-4, 4, n) if rng.integers(2) else np.ones(n)
    m, A, S = np.exp(rng.uniform(-1, 1, n)), rng.standard_normal((n, n)), rng.standard_normal((n, n))
    A = A @ A.T / n + 0.2 * np.eye(n)
    i, j = rng.choice(n, 2, replace=False)
    if kind == "turned":
        A += size * (S - S.T) * np.linalg.norm(A) / np.linalg.norm(S - S.T)
    elif kind == "cycle":
        A[i, j] *= 1.0 + size
    else:
        A[i, j], A[j, i] = size, 0.0 if kind == "one way" else -size * 10.0 ** rng.uniform(-1, 1)
    X = rng.standard_normal((3, n)) * s
    return made(lambda z: z - RATE * s * (A @ (z / s) + 0.5 * (z / s) ** 3) / m, exact), X


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", ["constant", "gauss", "inverse", "steep", "scaled", "wavy", "lotka"])
def test_no_hidden_metric_is_refuted_however_large_its_quotients(kind, exact):
    asked = 0
    for seed in range(3):
        map, states = hidden(np.random.default_rng([seed, 5]), kind, exact)
        try:
            found = gradient.diagonal(map, states, loops=1)
        except InvalidInput as refused:  # a jvp in badly scaled coordinates, by which a Map's own check is misled
            assert "jvp" in str(refused)
            continue
        asked += 1
        assert found.kind != "refuted", f"{seed}: {found}"
        assert kind != "inverse" or found.kind == "reconstructed"
    assert asked > 0


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", ["turned", "cycle", "one way", "signs"])
def test_what_is_no_gradient_is_refuted_at_all_scales(kind, exact):
    for seed in range(6):
        map, states = broken(np.random.default_rng([seed, 6]), kind, exact)
        assert gradient.diagonal(map, states).kind == "refuted", seed


def extinct(least):
    A, r = np.array([[2.0, 0.5, 0.3], [0.5, 1.5, 0.4], [0.3, 0.4, 1.8]]), np.array([1.0, 1.2, 0.9])
    states = np.random.default_rng(1).uniform(0.2, 0.8, (5, 3))
    states[0, 0] = least
    return bf.Map(lambda x: x + RATE * x * (r - A @ x), {}), states


@pytest.mark.parametrize("least", [1e-3, 1e-8, 1e-12, 1e-20])
def test_a_species_near_extinction_does_not_refute(least):
    """G = −x ∂E/∂x with E quadratic: the metric 1/x."""
    map, states = extinct(least)
    assert gradient.diagonal(map, states, loops=1).kind != "refuted"
    states[:, 0] = least  # in all states: no magnitude of another one says how large it may be
    assert gradient.diagonal(map, states, loops=1).kind != "refuted"


@pytest.mark.parametrize("scale", [2e3, 1e5, 1e9])
def test_badly_scaled_coordinates_are_reconstructed(scale):
    """x ↦ x − RATE (S x + tanh x) in z = s x: the metric 1/s²."""
    s = np.array([1.0, scale])
    J = s[:, None] * np.array([[2.0, 1.0], [1.0, 3.0]]) / s
    map = bf.Map(lambda z: z - RATE * J @ z - RATE * s * np.tanh(z / s), {})
    states = np.random.default_rng(0).standard_normal((5, 2)) * s
    found = gradient.diagonal(map, states)
    assert found.kind == "reconstructed"
    m = found.metric(states[0])
    assert m[0] / m[1] == pytest.approx(scale**2, rel=1e-7)


def test_a_coupling_below_rounding_is_unresolved_and_the_note_says_by_how_much():
    """G₂ = 1e-17 (…) changes no bit: m₂/m₁ = 1e17, and no number of states could show it."""
    map = bf.Map(lambda x: x - RATE * np.array([2 * x[0] + x[1], 1e-17 * (x[0] + 3 * x[1])]), {})
    found = gradient.diagonal(map, np.random.default_rng(0).standard_normal((5, 2)))
    assert found.kind == "consistent"
    assert "J[1,0] could not be resolved" in found.note and "m[1]/m[0] >" in found.note
    assert "give more" not in found.note
    few = gradient.diagonal(map, np.eye(2))
    assert "three states" in few.note and "J[1,0] could not be resolved" in few.note


@pytest.mark.parametrize("exact", [False, True])
def test_a_one_way_coupling_says_which_metrics_it_excludes(exact):
    A = np.array([[2.0, 0.3], [0.0, 1.0]])
    found = gradient.diagonal(made(lambda x: x - RATE * A @ x, exact), np.eye(2))
    shown = found.certificate
    assert found.kind == "refuted" and (shown.i, shown.j, shown.backward) == (0, 1, 0.0)
    assert abs(shown.forward + 0.03) < shown.forward_error < 1e-10
    assert abs(shown.forward) / shown.backward_error > (1e300 if exact else 1e13)
    assert "or is none" in str(found)


def test_a_wrong_zero_of_a_derivative_is_no_one_way_coupling():
    """The jvp forgets a coupling of 1e-9, which the map has: J[1,0] is not 0."""
    A = np.array([[2.0, 1e-9], [1e-9, 1.0]])
    B = A * [[1, 1], [0, 1]]
    off = bf.Map(lambda x: x - RATE * A @ x, {}, jvp=lambda x, v: v - RATE * B @ v)
    assert gradient.diagonal(off, np.eye(2)).kind != "refuted"
