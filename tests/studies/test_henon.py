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


def test_the_basin_and_its_edge_before_and_after_the_crisis(study):
    before, after = study.escapes
    assert before.a < study.crisis.parameters["a"] < after.a
    assert 0.2 < (before.times < 0).mean() < 0.8 and (after.times < 0).sum() == 0
    # Before the crisis the edge is the stable manifold: states a little to either side of it have different fates.
    henon_map, box = bf.maps.henon(a=before.a, b=0.1), [(-50.0, 50.0), (-50.0, 50.0)]
    curves = [branch.points for branch in before.manifolds[1].branches]
    parts = [np.interp(np.linspace(0, len(x) - 1, 400), np.arange(len(x)), x[:, i]) for x in curves for i in (0, 1)]
    points = np.vstack([np.column_stack(parts[i : i + 2]) for i in range(0, len(parts), 2)])
    points = points[(np.abs(points[:, 0]) < 1.6) & (np.abs(points[:, 1]) < 0.8)]
    moved = [points + np.array([away, 0.0]) for away in (-6e-3, 6e-3)]
    stays = [bf.escape_times(henon_map, each, box, steps=2000).times < 0 for each in moved]
    assert len(points) > 5 and (stays[0] != stays[1]).mean() > 0.9


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
