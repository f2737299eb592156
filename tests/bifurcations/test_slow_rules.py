"""Slow rules x + ε g(x): what lies on the unit circle is measured by how far multipliers move, not by 1e-9."""

import numpy as np
import pytest

import bifurcate as bf

RATES = [1.0 / 8, 1e-3, 1e-6, 1e-7, 1e-8]


def special(f, start, p=-0.5):
    branch = bf.trace(bf.cycles(bf.Map(f, {"p": p}), "p", start), {"p": (-1.0, 1.0)})
    (point,) = branch.special
    assert not branch.doubts
    return point


@pytest.mark.parametrize("eps", RATES)
@pytest.mark.parametrize("by", [0.0, 0.7])
def test_folds_of_slow_rules(eps, by):
    point = special(lambda x, p: x + eps * (p - (x - by) ** 2), [by + np.sqrt(0.5)], 0.5)
    assert point.label == "LP" and abs(point.parameters["p"]) <= point.error <= 1e-10 / eps


@pytest.mark.parametrize("eps", RATES)
def test_crossings_of_slow_rules(eps):
    pitchfork = special(lambda x, p: x + eps * (p * x - x**3), [0.0])
    transcritical = special(lambda x, p: x + eps * (p * x - x**2), [0.0])
    for point in (pitchfork, transcritical):
        assert point.label == "BP" and abs(point.parameters["p"]) <= point.error <= 1e-10 / eps


@pytest.mark.parametrize("eps", RATES)
def test_pairs_of_slow_rules(eps):
    def f(z, p):
        x, y = z
        return z + eps * np.array([p * x - y - x * (x * x + y * y), x + p * y - y * (x * x + y * y)])

    point = special(f, [0.0, 0.0])
    # |1 + ε (p ± i)|² = 1 at p = −ε/2 − p²ε/2
    exact = (-1.0 + np.sqrt(1.0 - eps * eps)) / eps if eps > 1e-4 else -eps / 2
    assert point.label == "NS" and abs(point.parameters["p"] - exact) <= point.error <= 1e-10 / eps


@pytest.mark.parametrize("eps", [1e-6, 1e-8])
def test_a_slow_rule_beside_a_fast_unknown(eps):
    point = special(lambda z, p: np.array([z[0] + eps * (p * z[0] - z[0] ** 3), 0.3 * z[1] + z[0]]), [0.0, 0.0])
    assert point.label == "BP" and abs(point.parameters["p"]) <= point.error


@pytest.mark.parametrize("eps", [1e-7, 1e-8, 1e-9])
def test_a_pair_that_differences_do_not_see_move_is_in_doubt(eps, rng):
    L, by, angle = np.eye(2) + 0.3 * rng.standard_normal((2, 2)), rng.uniform(-1, 1, 2), rng.uniform(0.3, 2.8)

    def f(x, p):
        w = np.linalg.solve(L, x - by)
        turned = np.array([[np.cos(angle * eps), -np.sin(angle * eps)], [np.sin(angle * eps), np.cos(angle * eps)]]) @ w
        return L @ ((1.0 + eps * (p - w @ w)) * turned) + by

    branch = bf.trace(bf.cycles(bf.Map(f, {"p": -0.3}), "p", by), {"p": (-0.4, 0.5)})
    if branch.special:
        assert branch.special[0].label == "NS" and abs(branch.special[0].parameters["p"]) <= branch.special[0].error
    else:
        assert any("counts of multipliers went from" in doubt for doubt in branch.doubts)
