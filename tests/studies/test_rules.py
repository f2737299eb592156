"""The two rules side by side, against both written anew."""

import numpy as np
import pytest

from studies import rules


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("rules")


def test_fixed_points_are_those_of_iteration(study):
    schedule, _ = rules.both_rules(rules.ALPHA)
    net, r, p = schedule.network, schedule.drives, rules.ensemble()[1]
    r0 = net.baseline_drive
    R0 = r0 / (rules.SIGMA**2 + r0.mean())
    for name, found in study.after.items():
        W = np.ones((16, 16))
        for _ in range(600):
            R = r / (rules.SIGMA**2 + r @ W.T / 16)
            push = (R.T * p) @ (R if name.startswith("adaptation") else r)
            push = push - np.outer(R0, R0 if name.startswith("adaptation") else r0)
            W = W + rules.ALPHA * push + rules.BETA * (W - np.outer(R0, R0))
        assert np.abs(found - r[0] / (rules.SIGMA**2 + W @ r[0] / 16)).max() < 1e-9


def test_adaptation_weakens_what_comes_often_and_the_gradient_rule_does_not(study):
    at = 8
    assert study.after["adaptation, R Rᵀ"][at] < study.before[at] < study.after["gradient, R rᵀ"][at]


def test_the_gradient_rule_ascends_and_has_real_multipliers(study):
    course = study.objective["gradient, R rᵀ"]
    assert (np.diff(course) > -1e-10).all() and course[-1] == pytest.approx(study.top, abs=1e-8)
    assert study.objective["adaptation, R Rᵀ"][-1] < study.top - 1
    assert np.abs(study.multipliers["gradient, R rᵀ"].imag).max() == 0
    assert np.abs(study.multipliers["adaptation, R Rᵀ"].imag).max() > rules.CLEAR
