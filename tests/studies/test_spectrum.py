"""The multipliers of all weights and of the reduction, against the model written anew."""

import csv

import numpy as np
import pytest
from ring_model import N, RingModel


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("spectrum")


def test_spectrum_has_its_cluster_and_its_few(study):
    (alpha,) = study.dense
    values = study.dense[alpha]
    assert len(values) == N * N
    model = RingModel(alpha, -0.1)
    inner = 1 - model.rates(model.rest())
    assert (np.abs(values - 0.9) < 1e-7).sum() >= N * (N - 1)
    assert study.spread < 1e-7
    assert all(np.abs(values - each).min() < 1e-7 for each in inner)
    assert values.real.min() == pytest.approx(-1.0, abs=1e-7)  # this α is that of the flip
    assert study.flip.value == pytest.approx(alpha, abs=1e-9)
    for j in (4, 12):
        model = RingModel(float(study.alpha[j]), -0.1)
        assert np.abs(np.sort(1 - model.rates(model.rest())) - study.inner[j]).max() < 1e-7


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10
