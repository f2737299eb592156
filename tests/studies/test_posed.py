"""The box as it was posed, against the formula of its limit and iteration of all weights written anew."""

import numpy as np
import pytest

from studies import posed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("posed")


def model(stimulus, b, sigma):
    """Drives and R₀, written out."""
    preferred = np.arange(16) * np.pi / 16
    power = np.log(0.5) / np.log(np.cos(np.pi / 6) ** 2)

    def drive(contrast, angle):
        f = [0.1 + 0.9 * (np.cos(preferred - t) ** 2) ** power for t in np.atleast_1d(angle)]
        return np.maximum(np.atleast_1d(contrast) @ np.array(f) + b, 0.0) ** 2

    r0 = drive(0.8, 0.0)
    return drive(*posed.STIMULI[stimulus]), r0 / (sigma**2 + r0.mean())


def test_limits_are_the_formula(study):
    for (name, sigma), values in study.limits.items():
        for b, found in zip(study.b[::5], values[::5]):
            r, R = model(name, b, sigma)
            mu = np.linalg.eigvals((R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)).real.max()
            assert found == pytest.approx(2 * 16 / mu, rel=1e-9)


def test_orbits_beside_the_limit(study):
    for *_, share, rests in study.tested:
        assert not (rests and share > 1)
    rest = sum(rests for *_, rests in study.tested)
    assert study.proved == rest > len(study.tested) / 4


def test_weights_rest_nowhere_at_positive_beta(study):
    assert "weights and outputs rest" not in study.growth and "outputs rest, weights diverge" in study.growth


def test_weights_leave_in_time(study):
    assert (study.left <= study.bound).all() and (np.diff(study.left) < 0).all()
    r, R0 = model(posed.STIMULUS, posed.B, posed.SIGMA)
    C, W, t = np.outer(R0, R0), np.ones((16, 16)), 0
    calm = np.ones((16, 16))
    for _ in range(40_000):
        R = r / (posed.SIGMA**2 + calm @ r / 16)
        calm = calm + posed.SLOW_ALPHA * (np.outer(R, R) - C)
    away, beta = np.linalg.norm(calm - 1), study.rates[-2]
    while np.linalg.norm(W - calm) <= away:
        R = r / (posed.SIGMA**2 + W @ r / 16)
        W, t = W + posed.SLOW_ALPHA * (np.outer(R, R) - C) + beta * (W - C), t + 1
    assert abs(t - study.left[-2]) <= 1
