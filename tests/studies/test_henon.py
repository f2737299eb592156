"""The study of the Hénon map's tangle, against numbers from Taylor parametrisations in 40 digits."""

import csv
import json
import pathlib

import numpy as np
import pytest

import bifurcate as bf
from studies import henon

VALUES = {
    each["name"]: each["value"]
    for each in json.loads((pathlib.Path(__file__).parents[1] / "data/global.json").read_text())["entries"]
}


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("henon")


def test_the_primary_homoclinic_orbit(study):
    found = np.array([each.point for each in study.homoclinic])
    primary = np.array(VALUES["primary_homoclinic_henon_1.4"])
    assert np.abs(found - primary).max(axis=1).min() < 1e-12
    assert len(study.homoclinic.orbits) >= 1 and study.homoclinic.doubts == ()


def test_the_crisis_and_its_curve(study):
    assert abs(study.crisis.parameters["a"] - VALUES["crisis_henon_b0.1"]) < 1e-12
    curve = study.curves[1]
    i = int(np.argmin(np.abs(curve["b"] - 0.2)))
    fit = np.polynomial.Polynomial.fit(curve["b"][i - 3 : i + 4], curve["a"][i - 3 : i + 4], 6)
    assert fit(0.2) == pytest.approx(VALUES["crisis_henon_b0.2"], abs=1e-6)
    # One known from orbits: just below no orbit of the attractor escapes, a little above they do.
    a = study.crisis.parameters["a"]
    ends = {}
    for value in (a - 1e-3, a + 2e-2):
        starts = np.column_stack([np.linspace(-0.1, 0.1, 20), np.zeros(20)])
        ends[value] = bf.ensemble(bf.maps.henon(a=value, b=0.1), starts, 1, transient=20_000).ends
    assert set(ends[a - 1e-3]) == {"steps"} and set(ends[a + 2e-2]) == {"diverged"}


def test_below_the_first_tangency_the_manifolds_do_not_meet(study):
    a, counts = study.tangency.parameters["a"], []
    for value in (a - 2e-3, a + 2e-3):
        inner = henon.saddle(value, henon.B, 1.0)
        pair = henon.manifolds(inner, inner, 3.0, 1e-4)
        counts.append(len(bf.connecting_orbits(*pair).orbits))
    assert counts[0] == 0 and counts[1] >= 2
    assert study.tangency.error < 1e-12


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10
