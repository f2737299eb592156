"""The interactive page of a diagram with a theorem: proved arcs have bands, proved points rings and their statement."""

import json
import re

import numpy as np
import pytest

import bifurcate as bf
from tests.helpers.browser import act


@pytest.fixture(scope="module")
def diagram():
    curve = bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6])
    return bf.explore(curve, {"r": (2.5, 3.3)}, depth=2, prove=True)


@pytest.fixture(scope="module")
def page(diagram, tmp_path_factory):
    return diagram.to_html(tmp_path_factory.mktemp("page") / "proved.html")


@pytest.fixture(scope="module")
def content(page):
    text = page.read_text(encoding="utf-8")
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


# What a person would do with the mark "what is proved", with a branch, and with a point.
ACTIONS = """
  const bands = () => traces().filter(t => t.meta.arc !== undefined);
  const rings = () => traces().filter(t => t.meta.ring !== undefined);
  const marks = () => traces().filter(t => t.meta.special !== undefined);
  said.offered = !by("proofs").hidden;
  said.bands = bands().length; said.rings = rings().length;
  said.under = traces().findIndex(t => t.meta.arc === undefined);
  said.drawn = by("diagram").querySelectorAll(".scatterlayer .trace").length;
  said.around = [rings()[0].x[0], rings()[0].y[0], marks()[0].x[0], marks()[0].y[0]];
  by("proved").click(); await wait(200);
  said.without = [bands().length, rings().length, marks().length];
  by("proved").click(); await wait(200);
  said.again = [bands().length, rings().length];
  by("period-2").click(); await wait(200);
  said.branches = [...new Set(bands().map(t => t.meta.arc))];
  by("period-2").click(); await wait(200);
  by("special").click(); await wait(200);
  said.ringsAlone = rings().length;
  by("special").click(); await wait(200);
  by("diagram").emit("plotly_click", { points: [{ data: marks()[0] }] }); await wait(100);
  said.told = by("told").textContent;
"""


def test_in_a_browser_what_is_proved_is_shown_hidden_and_told(diagram, content, page, tmp_path):
    said = act(page, ACTIONS, tmp_path)
    assert said["errors"] == [] and said["outside"] == 0 and said["offered"]
    arcs = sum(
        len(branch.pieces) * branch.period for branch in diagram.theorem.branches
    )  # one for each state of a cycle
    assert said["bands"] == said["under"] == arcs and said["rings"] == 1
    assert said["drawn"] > arcs
    x, y, at, height = said["around"]
    assert (x, y) == (at, height) and abs(x - 3) < 1e-9 and abs(y - 2 / 3) < 1e-9
    assert said["without"] == [0, 0, 1] and said["again"] == [arcs, 1]
    assert said["branches"] == [0] and said["ringsAlone"] == 0
    (flip,) = [point for point in content["special"] if point["label"] == "PD"]
    assert f"proved: {flip['theorem']}" in said["told"]


def test_without_a_theorem_nothing_is_marked(tmp_path):
    plain = bf.explore(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), {"r": (2.5, 2.9)}, depth=1)
    text = plain.to_html(tmp_path / "plain.html").read_text(encoding="utf-8")
    content = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)[1])
    assert content["proved"] == [] and not any(point["proved"] for point in content["special"])
