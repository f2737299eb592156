"""The study of the paths that a map can take: all find the same multiplier; no time is asserted."""

import csv

import numpy as np
import pytest

from studies import paths
from studies.report import Files


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("paths")


def test_every_path_finds_the_least_multiplier(study):
    assert {line.path for line in study.lines} == set(paths.SIZES)
    for line in study.lines:
        # On the uniform state the Jacobian is (2 − r) times a coupling whose largest eigenvalue is 1.
        # Krylov methods end early for multipliers that are far from the unit circle, as this one is.
        assert abs(line.least - (2.0 - line.r)) < (1e-5 if line.path in ("sparse", "products") else 1e-9)
        assert line.seconds > 0.0
        assert 1e6 * line.megabytes > 8.0 * line.unknowns


def test_exponents_are_those_of_powers(tmp_path):
    lines = tuple(paths.Line("dense", n, 1e-9 * n**3, 1e-6 * n**2, 2.5, -0.5) for n in (10, 100, 1000, 10_000))
    made = paths.Paths(lines, 1e10, Files("paths", tmp_path))
    assert abs(made.exponent("dense") - 3.0) < 1e-12
    assert abs(made.exponent("dense", "megabytes") - 2.0) < 1e-12
    assert np.isnan(made.exponent("sparse"))


def test_the_figure_and_its_numbers_are_written(study):
    assert study.files.png.stat().st_size > 20_000
    with study.files.numbers.open() as file:
        assert [row["path"] for row in csv.DictReader(file)] == [line.path for line in study.lines]
