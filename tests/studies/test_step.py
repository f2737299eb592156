"""The rule in steps of h, against the model written anew."""

import csv

import numpy as np
import pytest
from ring_model import RingModel


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("step")


def test_step_flips_where_two_over_the_largest_rate_is(study):
    model = RingModel(0.5, -0.1)
    rates = model.rates(model.rest())
    assert np.abs(rates - study.rates).max() < 1e-7
    flip = study.branches[0].first("flip")
    assert flip.parameters["h"] == pytest.approx(2 / rates.max(), abs=1e-6)
    assert study.flip == pytest.approx(flip.parameters["h"], abs=1e-11)
    worst = [np.abs(1 - h * rates).max() for h in (study.best * 0.99, study.best, study.best * 1.01)]
    assert worst[1] < min(worst[0], worst[2])
    assert {branch.curve.period for branch in study.branches} >= {1, 2}


def test_steps_below_the_flip_are_proved_to_settle(study):
    assert np.isfinite(study.proved).all() and study.proved[-1, 0] == pytest.approx(0.99 * study.flip)
    assert study.proved[:, 1].max() < 200


def test_step_cycles_are_cycles_of_the_stepped_rule(study):
    model = RingModel(0.5, -0.1)
    branch = study.branches[1]
    for point, h in list(zip(branch.points, branch["h"]))[::4]:
        y = point.state
        once = y + h * model.move(y)
        assert np.abs(once + h * model.move(once) - y).max() < 1e-9
        assert np.abs(once - y).max() > 1e-6
    equilibrium = study.branches[0]
    assert np.ptp([point.state for point in equilibrium.points], axis=0).max() < 1e-9  # it does not move with h


def test_step_orbits_settle_below_the_flip_only(study):
    spread = np.ptp(study.orbits.samples, axis=1)
    away = (np.abs(study.orbits.values - study.flip) > 0.05) & (study.orbits.values > 0.4)  # elsewhere they are slow
    assert ((spread < 1e-6) == (study.orbits.values < study.flip))[away].all()


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10
