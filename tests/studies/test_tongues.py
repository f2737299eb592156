"""The study of Arnold tongues, against closed forms, reference values, and simulation."""

import csv
import json
import pathlib

import numpy as np
import pytest

import bifurcate as bf
from studies import tongues

VALUES = {
    each["name"]: each["value"]
    for each in json.loads((pathlib.Path(__file__).parents[1] / "data/global.json").read_text())["entries"]
}


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("tongues")


def test_resonances_lie_where_the_angle_is_a_seventh_of_a_turn(study):
    first, second = (branch.first("1:7") for branch in study.curves)
    cosine = np.cos(2.0 * np.pi / 7.0)
    r = 1.0 + 2.0 * cosine
    assert first.parameters["r"] == pytest.approx(r, abs=1e-10)
    assert first.parameters["eps"] == pytest.approx(2.0 / r - 1.0, abs=1e-10)
    assert [second.parameters[name] for name in ("b", "a")] == pytest.approx(VALUES["resonance_pp_1_7"], abs=1e-10)


def test_the_line_crosses_the_tongue_in_the_known_window(study):
    assert np.abs(np.subtract(study.window, VALUES["lock_delayed_7"])).max() < 1e-11
    low, high = study.window
    for r, found in study.line:
        assert (found.fraction is not None and tongues.turns(found) == 1.0 / 7.0) == (low < r < high), (r, found)


def test_the_edges_of_the_predator_prey_map_are_the_known_ones(study):
    for distance in (0.02, 0.03):
        known = VALUES[f"tongue_pp_1_7_{distance}"]
        a = study.curves[1].first("1:7").parameters["a"] + distance
        ends = [
            bf.trace(edge, {"a": (1.8, a), "b": (2.8, 4.2)}, detect=False)[-1] for edge in study.tongues[1][0].edges
        ]
        assert np.abs(np.subtract(sorted(end.parameters["b"] for end in ends), known)).max() < 1e-12


def test_closed_curves_turn_as_orbits_on_them_do(study):
    for curve in study.closed:
        orbit = bf.rotation_number(bf.maps.delayed_logistic(curve.parameters["r"]), [0.5, 0.45], transient=4000)
        assert tongues.turns(curve.rotation_number) == pytest.approx(tongues.turns(orbit), abs=1e-10)
        assert tongues.turns(curve.rotation_number) > 1.0 / 7.0


def test_one_cycle_on_the_locked_curve_attracts_and_one_is_a_saddle(study):
    stable, saddle = study.cycles
    assert stable.stable and stable.period == saddle.period == 7
    moduli = np.abs(saddle.multipliers)
    assert moduli.max() > 1.0 > moduli.min()


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 50
