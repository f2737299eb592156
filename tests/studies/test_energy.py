"""The energy along orbits, against the formula written out."""

import csv

import numpy as np
import pytest
from ring_model import N, RingModel


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("energy")


@pytest.mark.slow
def test_energy_courses_are_differences_of_the_energy_written_out(study):
    model = RingModel(0.5, -0.1)
    lowest = model.energy(model.rest())
    for course in study.courses:
        assert np.abs(model.run(20, course.h) - course.y[:21]).max() < 1e-10
        for y, excess in list(zip(course.y, course.excess))[:60:7]:
            assert model.energy(y) - lowest == pytest.approx(excess, rel=1e-7, abs=1e-13)


def test_energy_rises_past_the_flip_only(study):
    below, close, past = study.courses
    assert len(below.raised) == len(close.raised) == 0
    assert len(past.raised) > 30
    model = RingModel(0.5, -0.1)
    values = [model.energy(y) for y in past.y[50:100]]
    assert (np.diff(values) > 0).sum() >= 20


def test_energy_divergence_is_the_difference(study):
    assert np.abs(study.subtracted - study.divergence).max() < 1e-12
    assert np.abs(study.parts.sum(axis=1) - study.divergence).max() < 1e-15
    assert (study.parts >= -1e-300).all()
    assert (np.diff(study.divergence) < 0).all()
    model = RingModel(0.2, 0.0, b=0.8)
    R, rest = model.response(model.run(3)[3]), model.R0  # at β = 0 the stimulus is erased
    p, delta = model.r * rest / (model.r @ rest), np.log(R / rest)
    published = 0.2 / N * (model.r @ rest) ** 2 * (0.5 * ((p @ np.exp(delta)) ** 2 - 1) - p @ delta)
    assert study.divergence[3] == pytest.approx(published, rel=1e-10)


def test_largest_step_of_descent_is_where_the_energy_first_rises(study):
    assert (study.largest <= study.flip * 1.001).all()
    assert study.largest[0] < 0.9 * study.flip[0]  # far from rest E rises before the equilibrium flips
    for beta, largest in list(zip(study.beta, study.largest))[:2]:
        model = RingModel(0.5, float(beta))
        for factor, rises in ((0.998, False), (1.002, True)):
            states = model.run(300, factor * largest)
            values = np.array([model.energy(y) for y in states])
            assert (np.diff(values) > 1e-12).any() == rises


def test_energy_in_the_plane_of_two_neurons(study):
    slow, below, past = study.plane
    model = RingModel(0.5, -0.1, n=2)
    assert np.abs(model.run(10, below.h) - below.y[:11]).max() < 1e-12
    assert len(slow.raised) == 0 and len(past.raised) > 0
    assert np.abs(past.y[-1] - past.y[-3]).max() < 1e-2 < np.abs(past.y[-1] - past.y[-2]).max() * 10


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10
