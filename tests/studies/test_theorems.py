"""The study of theorems: closed forms inside, and gaps where nothing can be proved."""

import csv

import pytest

from bifurcate.proofs import check_theorem


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("theorems")


def test_closed_forms_are_proved(study):
    values = [point.parameter for point in study.logistic.theorem.points if point is not None]
    assert [sum(value.contains(known) for value in values) for known in (1.0, 3.0)] == [1, 1]
    assert any(abs(value.middle - (1 + 6**0.5)) < 1e-14 for value in values)
    values = [point.parameter for point in study.henon.theorem.points if point is not None]
    assert all(any(abs(v.middle - known) < 1e-15 for v in values) for known in (-0.1225, 0.3675))
    assert any(abs(v.middle - 0.9125) < 1e-14 for v in values)


def test_the_flip_of_the_ring_is_that_of_its_exact_spectrum(study):
    (point,) = study.ring.theorem.points
    assert point.form and point.parameter.middle == pytest.approx(0.649427677, abs=1e-9)
    assert study.ring.theorem.complete


def test_what_is_not_proved_is_listed(study):
    assert study.logistic.theorem.gaps and all("branch" in gap for gap in study.logistic.theorem.gaps)


def test_the_theorems_hold(study):
    for each in study.all:
        check_theorem(each.theorem)


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG")
    with study.files.numbers.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(each.proved_points for each in study.all)
    assert all(float(row["radius"]) < 1e-12 for row in rows)
