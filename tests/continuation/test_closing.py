"""Closed curves of cycles are run through once, whatever their period."""

import numpy as np
import pytest

import bifurcate as bf


def locked_rotation(q):
    """z ↦ e^{2πi/q} (z + radial pull + 0.1 i z (p − cos qθ)): one closed curve of q-cycles, with folds at p = ±1."""
    turn = np.exp(2j * np.pi / q)

    def f(x, p):
        z = x[0] + 1j * x[1]
        r = abs(z)
        new = turn * (z + 0.3 * (1 - r * r) * z + 0.1j * z * (p - np.real(z**q) / r**q))
        return np.array([new.real, new.imag])

    return bf.Map(f, {"p": 0.2})


@pytest.mark.parametrize("q", [1, 2, 3, 5])
def test_a_closed_curve_of_cycles_is_run_through_once(q):
    map = locked_rotation(q)
    theta = np.arccos(0.2) / q
    guess = bf.solve(map, [np.cos(theta), np.sin(theta)], period=q)
    branch = bf.trace(bf.cycles(map, "p", guess.state, period=q), {"p": (-2.0, 2.0)})
    assert branch.stop.last.reason == "closed"
    # Where |z| follows p a little, folds lie beside ±1; symmetric about 0 in no way, but two in number.
    assert len(branch.of("LP")) == 2
    assert sorted(np.round([point.parameters["p"] for point in branch.of("LP")], 1)) == [-1.0, 1.0]


def test_exploration_of_a_closed_curve_finds_one_branch():
    map = locked_rotation(3)
    theta = np.arccos(0.2) / 3
    guess = bf.solve(map, [np.cos(theta), np.sin(theta)], period=3)
    found = bf.explore(bf.cycles(map, "p", guess.state, period=3), {"p": (-2.0, 2.0)}, audit=True)
    assert len(found.branches) == 1 and found.audit.clean
