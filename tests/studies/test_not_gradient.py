"""The study of where the update is no gradient: its numbers against a model written anew."""

import csv

import numpy as np
import pytest

N, ALPHA, BETA, SIGMA, B = 16, 0.1, -0.01, 1 / 6, 0.05


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("not_gradient")


def drive(contrast, orientation):
    """r of raised cosines of floor 0.1 and half width 30°."""
    p = np.log(0.5) / np.log(np.cos(np.pi / 6) ** 2)
    f = 0.1 + 0.9 * (np.cos(orientation - np.pi * np.arange(N) / N) ** 2) ** p
    return (contrast * f + B) ** 2


def drawn(number, stimuli):
    rng = np.random.default_rng([0, number])
    contrast, orientation = rng.uniform(0.2, 1.0, stimuli), rng.uniform(0.0, np.pi, stimuli)
    return np.array([drive(c, t) for c, t in zip(contrast, orientation)])


def model(Y, r):
    """Y⁺."""
    r0 = drive(0.8, 0.0)
    R0 = r0 / (SIGMA**2 + r0.mean())
    R = r / (SIGMA**2 + Y)
    m = len(r)
    out = (1 + BETA) * Y
    for s in range(m):
        for q in range(m):
            out[s] += ALPHA / (N * m) * R[q] * (R[q] @ r[s])
        out[s] -= (ALPHA + BETA) / N * R0 * (R0 @ r[s])
    return out


def test_the_pair_is_one_of_the_model_written_anew(study):
    pair = study.pair
    found = study.searches[3]
    r = drawn(found.number, 3)
    assert np.abs(model(pair.state.copy(), r) - pair.state).max() < 1e-14
    assert (SIGMA**2 + pair.state > 0).all()
    h, columns = 1e-5, []
    for e in np.eye(pair.state.size):
        step = h * e.reshape(pair.state.shape)
        columns.append(((model(pair.state + step, r) - model(pair.state - step, r)) / (2 * h)).ravel())
    values = np.linalg.eigvals(np.array(columns).T)
    assert np.abs(values - pair.multiplier).min() < 1e-6 < 1e-2 * pair.multiplier.imag
    assert pair.error < 1e-4 * pair.multiplier.imag
    assert pair.multiplier.imag == pytest.approx(8.9977e-4, rel=1e-3) and found.number == 25


def test_the_lyapunov_function_falls_along_an_orbit(study):
    pair = study.pair
    V, r = pair.lyapunov, drawn(study.searches[3].number, 3)
    rng = np.random.default_rng(1)
    d = rng.standard_normal(pair.state.shape)
    Y = pair.state + d * np.sqrt(0.9 * V.level / (d.ravel() @ V.P @ d.ravel()))
    before = V(Y)
    assert before < V.level
    for _ in range(300):
        Y = model(Y.copy(), r)
        assert V(Y) < before
        before = V(Y)


def test_shares_rise_with_the_number_of_stimuli_from_none(study):
    refuted = [found.refuted for found in study.searches.values()]
    assert refuted[0] == 0 and refuted[1] >= 1 and refuted[2] >= refuted[1]
    assert all(found.tried == found.solved == 26 for found in study.searches.values())


def test_circulations_grow_like_areas_or_vanish(study):
    sizes = np.array([np.linalg.norm(loop.path.u) for loop in study.circulations["weights W, Euclidean"]])
    for name in ("weights W, Euclidean", "three stimuli, diag(R¹, R², R³)", "y = W r/n, Euclidean"):
        loops = study.circulations[name]
        assert all(loop.significant for loop in loops)
        value = np.abs([loop.value for loop in loops])
        assert np.polyfit(np.log(sizes), np.log(value), 1)[0] == pytest.approx(2.0, abs=0.01)
    assert not any(loop.significant for loop in study.circulations["y = W r/n, diag(R)"])
    # Stokes: for small ellipses the circulation in the weights is π ρ² (v·Ju − u·Jv), J of the formula in W.
    loop = study.circulations["weights W, Euclidean"][0]
    r, u, v = drive(0.8, np.pi / 2), loop.path.u, loop.path.v
    W = np.ones((N, N))

    def tangent(V):
        bottom = SIGMA**2 + W @ r / N
        R, dR = r / bottom, -r / bottom**2 * (V @ r / N)
        return ALPHA * (np.outer(dR, R) + np.outer(R, dR)) + BETA * V

    expected = np.pi * ((v * tangent(u)).sum() - (u * tangent(v)).sum())
    assert loop.value == pytest.approx(expected, rel=1e-4)


def test_what_is_left_on_disk(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        lines = list(csv.DictReader(file))
    multipliers = [complex(float(line["x"]), float(line["value"])) for line in lines if line["what"] == "multiplier"]
    assert multipliers == study.pair.multipliers.tolist()
    shares = {int(line["x"]): int(line["value"]) for line in lines if "complex pairs" in line["what"]}
    assert shares == {m: found.refuted for m, found in study.searches.items()}
