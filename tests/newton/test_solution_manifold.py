"""Solutions that form manifolds are said to, and constraints isolate them."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotIsolated


def exchange(x, k):
    """Two places that exchange what they hold: k x and y flow to and fro, and the total stays."""
    return x + 0.1 * np.array([x[1] - k * x[0], k * x[0] - x[1]])


def sir(z, b, g, w):
    """Susceptible, infected and recovered shares of a population whose total stays."""
    s, i, r = z
    return np.array([s - b * s * i + w * r, i + b * s * i - g * i, r + g * i - w * r])


def turned(z, p):
    """w ↦ w (1 + p − |w|²): it commutes with all rotations, and fixes the circle |w|² = p."""
    w2 = z @ z
    return z * (1 + p - w2)


def subspace(z, e):
    """Oja's rule for two vectors in three dimensions, of which any turned pair is another solution."""
    W, C = z.reshape(2, 3), np.diag([3.0, 2.0, 1.0])
    return (W + e * (W @ C - W @ C @ W.T @ W)).ravel()


EXACT = {"jacobian": lambda x, k: np.eye(2) + 0.1 * np.array([[-k, 1.0], [k, -1.0]])}


@pytest.mark.parametrize("parts", [{}, EXACT])
def test_deflation_returns_one_solution_of_a_continuum(parts):
    map = bf.Map(exchange, {"k": 1.0}, **parts)
    guesses = [[0.2, 0.6], [1.0, 2.0]]
    try:
        found = bf.deflate(map, guesses)
    except NotIsolated as error:
        assert "manifold of dimension 1" in str(error)
        return
    assert len(found) <= 1 and found.exhausted
    assert any("manifold of dimension 1" in attempt.reason for attempt in found.failures)
    for solution in found.solutions:
        assert "manifold of dimension 1" in solution.note
        assert abs(abs(solution.manifold[:, 0] @ [1, 1]) - np.sqrt(2)) < 1e-6


@pytest.mark.parametrize("parts", [{}, EXACT])
def test_one_solution_of_a_continuum_is_said_to_be_one(parts):
    map = bf.Map(exchange, {"k": 1.0}, **parts)
    try:
        found = bf.solve(map, [0.2, 0.6])
    except NotIsolated as error:
        assert "manifold of dimension 1 here, along" in str(error) and "bf.constrained" in str(error)
    else:
        assert "manifold of dimension 1" in found.note and found.manifold.shape == (2, 1)
    with pytest.raises(NotIsolated, match="manifold of dimension 1"):
        bf.trace(bf.cycles(map, "k", [0.4, 0.4]), {"k": (0.5, 2.0)})


@pytest.mark.parametrize(
    ("f", "p", "x"),
    [
        (lambda x, p: x + p - x**2, 0.0, 0.0),  # fold
        (lambda x, p: x + p * x - x**2, 0.0, 0.0),  # transcritical
        (lambda x, p: x + p * x - x**3, 0.0, 0.0),  # pitchfork
        (lambda x, p: x + p * x - x**5, 0.0, 0.0),
        (lambda x, p: x + p * x - x**7, 0.0, 0.0),
    ],
)
def test_multiple_solutions_are_no_manifolds(f, p, x):
    map = bf.Map(f, {"p": p})
    found = bf.solve(map, [x])
    assert found.manifold is None and found.note == ""


def test_a_total_that_is_held_makes_a_branch_with_its_bifurcations():
    map = bf.Map(sir, {"b": 0.5, "g": 0.2, "w": 0.05})
    with pytest.raises(NotIsolated, match="manifold of dimension 1"):
        bf.trace(bf.cycles(map, "b", [1.0, 0.0, 0.0]), {"b": (0.1, 0.5)})
    held = bf.constrained(map, [[1.0, 1.0, 1.0]], [1.0, 0.0, 0.0], totals=["N"])
    branch = bf.trace(bf.cycles(held, "b", [1.0, 0.0, 0.0]), {"b": (0.1, 0.6)})
    point = branch.first("branch point")
    assert abs(point.parameters["b"] - 0.2) <= point.errors["parameter"] < 1e-8  # b N = g
    endemic = bf.solve(held, [0.4, 0.1, 0.5])
    s = 0.2 / 0.5
    i = (1 - s) / (1 + 0.2 / 0.05)
    assert np.abs(endemic.state - [s, i, 1 - s - i]).max() < 1e-10 and endemic.manifold is None
    # The total itself continues: the same threshold at N = g/b.
    by_total = bf.trace(bf.cycles(held, "N", [1.0, 0.0, 0.0]), {"N": (0.1, 1.5)})
    assert abs(by_total.first("branch point").parameters["N"] - 0.4) < 1e-9


def test_constrained_multipliers_are_those_of_the_map_but_one():
    map = bf.Map(sir, {"b": 0.5, "g": 0.2, "w": 0.05})
    held = bf.constrained(map, lambda z, **_: z.sum(), [0.4, 0.12, 0.48])
    found = bf.solve(held, [0.4, 0.12, 0.48])
    own = bf.multipliers(map, found.state).values
    kept = np.delete(own, np.argmin(np.abs(own - 1.0)))
    assert np.abs(np.sort_complex(found.multipliers) - np.sort_complex(np.append(kept, 0.0))).max() < 1e-9


def test_a_phase_isolates_a_solution_of_a_continuous_symmetry():
    map = bf.Map(turned, {"p": 0.25})
    assert bf.solve(map, [0.5, 0.0]).manifold.shape == (2, 1)
    fixed = bf.constrained(map, [[0.0, 1.0]], [0.5, 0.0], along=[0.0, 1.0])
    found = bf.solve(fixed, [0.6, 0.1])
    assert np.abs(found.state - [0.5, 0.0]).max() < 1e-10
    assert np.abs(np.sort(found.multipliers.real) - [0.0, 1 - 2 * 0.25]).max() < 1e-9
    branch = bf.trace(bf.cycles(fixed, "p", [0.5, 0.0]), {"p": (0.04, 1.5)})
    assert np.abs(branch.states[:, 0] ** 2 - branch["p"]).max() < 1e-9
    assert abs(branch.first("flip").parameters["p"] - 1.0) < 1e-9  # 1 − 2p = −1


def test_ojas_subspace_is_a_manifold_that_a_phase_isolates():
    map = bf.Map(subspace, {"e": 0.05})
    W = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    found = bf.solve(map, W)
    assert found.manifold.shape == (6, 1) and "dimension 1" in found.note
    turn = np.array([0.0, 1.0, 0.0, -1.0, 0.0, 0.0])  # of both vectors together in their plane
    assert abs(abs(found.manifold[:, 0] @ turn) - np.sqrt(2)) < 1e-6
    fixed = bf.constrained(map, [turn], W, along=turn)
    isolated = bf.solve(fixed, W + 0.01)
    assert isolated.manifold is None and abs(turn @ isolated.state) < 1e-10
    assert bf.multipliers(fixed, isolated.state).stable


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"conserved": [[1.0, 1.0, 1.0]]}, "conserved has shape"),
        ({"conserved": [[1.0, 1.0], [2.0, 2.0]]}, "depend on each other"),
        ({"conserved": [[1.0, 1.0]], "along": [1.0, -1.0]}, "do not vary along"),
        ({"conserved": [[1.0, 1.0]], "totals": ["k"]}, "totals are k; 1 new names"),
        ({"conserved": lambda x, k: "a"}, "what conserved returns"),
    ],
)
def test_what_constraints_are_refused(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        bf.constrained(bf.Map(exchange, {"k": 1.0}), at=[0.4, 0.4], **arguments)
