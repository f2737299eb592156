"""What is claimed of branch points: their errors, and that curves which touch are said to be degenerate."""

import numpy as np
import pytest

import bifurcate as bf


def hidden_crossing(seed, cubic):
    """x + q x − c x² (or x³) beside a second unknown, in other coordinates; q = p − p₀ + 0.2 (p − p₀)²."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((2, 2)) + 2 * np.eye(2)
    inverse, bend, shift, at = np.linalg.inv(A), 0.3 * rng.standard_normal(), rng.standard_normal(2), rng.uniform(-2, 2)
    c, mu = rng.uniform(0.3, 1.5) * rng.choice([-1, 1]), rng.uniform(-0.7, 0.7)

    def f(z, p):
        x, y = inverse @ (z - shift)
        y = y - bend * x**2
        q = (p - at) * (1 + 0.2 * (p - at))
        x, y = x + q * x - c * x ** (3 if cubic else 2) + 0.2 * x * y, mu * y + 0.3 * x**2
        return A @ np.array([x, y + bend * x**2]) + shift

    return f, shift, at


@pytest.mark.parametrize("derivative", ["central", "complex"])
@pytest.mark.parametrize("cubic", [False, True])
def test_errors_of_branch_points_hold(derivative, cubic):
    excess = []
    for seed in range(40):
        f, start, at = hidden_crossing(seed, cubic)
        map = bf.Map(f, {"p": at - 0.2}, derivative=derivative)
        branch = bf.trace(bf.cycles(map, "p", start), {"p": (at - 0.4, at + 0.4)})
        (point,) = branch.of("BP")
        assert point.form == ("pitchfork" if cubic else "transcritical")
        excess.append(abs(point.parameters["p"] - at) / point.error)
    assert np.mean(np.array(excess) <= 1) >= 0.95 and max(excess) <= 3


@pytest.mark.parametrize("derivative", ["central", "complex"])
def test_curves_that_touch_are_degenerate_and_their_error_is_true(derivative):
    # x = 0 and x = p³ touch at p = 0.
    map = bf.Map(lambda x, p: x - 0.3 * x * (x - p**3), {"p": -1.0}, derivative=derivative)
    (point,) = bf.trace(bf.cycles(map, "p", [0.0]), {"p": (-1.0, 1.0)}).of("BP")
    assert point.form == "degenerate" and abs(point.parameters["p"]) <= point.error <= 0.01


def test_a_parabola_that_touches_is_found_once_by_the_audit_and_followed():
    map = bf.Map(lambda x, p: x - 0.3 * x * (x - p * p), {"p": -1.0})
    found = bf.explore(bf.cycles(map, "p", [0.0]), {"p": (-1.0, 1.0)}, audit=True)
    (point,) = found.special
    assert point.form == "degenerate" and abs(point.parameters["p"]) <= point.error <= 1e-3
    assert len(found.audit.touching) == 1 and not found.audit.parity and not found.failures
    side = found.branches[1]
    assert max(abs(each.state[0] - each.free[0] ** 2) for each in side.points) < 1e-8


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 3e-7, 1e-8])
def test_two_crossings_close_together_are_two_or_one_that_covers_both(gap):
    map = bf.Map(
        lambda z, p: np.array([z[0] + z[0] * (p - z[0]), z[1] + z[1] * (p - gap - z[1])]),
        {"p": -0.5},
    )
    branch = bf.trace(bf.cycles(map, "p", [0.0, 0.0]), {"p": (-0.5, 0.5)})
    assert sum(point.multiplicity for point in branch.special) == 2
    for place in (0.0, gap):
        assert any(abs(point.parameters["p"] - place) <= point.error for point in branch.special)
