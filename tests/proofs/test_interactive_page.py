"""The interactive page of a diagram with a theorem: proved arcs have bands, proved points rings and their statement."""

import json
import re

import numpy as np
import pytest

import bifurcate as bf


@pytest.fixture(scope="module")
def diagram():
    curve = bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6])
    return bf.explore(curve, {"r": (2.5, 3.3)}, depth=2, prove=True)


@pytest.fixture(scope="module")
def content(diagram, tmp_path_factory):
    text = diagram.to_html(tmp_path_factory.mktemp("page") / "proved.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)[1])


def test_bands_lie_on_the_branches_that_are_proved(diagram, content):
    pieces = [piece for branch in diagram.theorem.branches for piece in branch.pieces]
    assert len(content["proved"]) == len(pieces) and {arc["branch"] for arc in content["proved"]} == {0, 1}
    for arc in content["proved"]:
        r, x = np.array(arc["parameter"]), np.array(arc["values"][0])
        if x.shape[1] == 1:
            assert np.allclose(x[:, 0], 1 - 1 / r, rtol=0, atol=1e-6)
        else:  # the 2-cycle in closed form
            root = np.sqrt(np.maximum((r - 3) * (r + 1), 0.0))
            both = np.stack([(r + 1 - root) / (2 * r), (r + 1 + root) / (2 * r)], axis=1)
            assert np.allclose(np.sort(x, axis=1), both, rtol=0, atol=1e-3)


def test_a_point_that_is_proved_has_a_ring_and_its_theorem(content):
    (flip,) = [point for point in content["special"] if point["label"] == "PD"]
    assert flip["proved"] and "flip" in flip["theorem"]


def test_without_a_theorem_nothing_is_marked(tmp_path):
    plain = bf.explore(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), {"r": (2.5, 2.9)}, depth=1)
    text = plain.to_html(tmp_path / "plain.html").read_text(encoding="utf-8")
    content = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)[1])
    assert content["proved"] == [] and not any(point["proved"] for point in content["special"])
