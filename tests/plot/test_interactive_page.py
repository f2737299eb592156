"""The interactive page, in a real browser: it loads without errors, hover has the right numbers, toggles toggle."""

import json
import re

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from tests.helpers.browser import act

# What a person would do on the page.
ACTIONS = """
  const points = traces().findIndex(t => t.meta.special !== undefined && data.special[t.meta.special].label === "PD");
  Plotly.Fx.hover(by("diagram"), [{ curveNumber: points, pointNumber: 0 }]);
  by("diagram").emit("plotly_hover", { points: [{ customdata: traces()[points].customdata[0] }] });
  await wait(300);
  said.hover = by("diagram").querySelector(".hoverlayer").textContent;
  const line = traces().findIndex(t => t.meta.branch === 0 && t.meta.stable);
  said.lineText = traces()[line].text[5]; said.lineX = traces()[line].x[5];
  said.linked = (by("chart").layout || {}).shapes;
  said.periods = [...new Set(traces().map(t => t.meta.period).filter(Boolean))];
  by("period-2").click(); await wait(200);
  said.without = [...new Set(traces().map(t => t.meta.period).filter(Boolean))];
  by("period-2").click(); await wait(200);
  by("unstable").click(); await wait(200);
  said.stableOnly = traces().filter(t => t.meta.stable === false).length;
  by("unstable").click(); await wait(200);
  by("special").click(); await wait(200);
  said.unmarked = traces().filter(t => t.meta.special !== undefined).length;
  by("special").click(); await wait(200);
  by("projection").value = "1"; by("projection").dispatchEvent(new Event("change")); await wait(200);
  said.axis = by("diagram").layout.yaxis.title.text;
  const special = traces().find(t => t.meta.special !== undefined);
  by("diagram").emit("plotly_click", { points: [{ data: special }] }); await wait(100);
  said.told = by("told").textContent;
  said.buttons = by("told").querySelectorAll("button").length;
  by("told").querySelector("button").click(); await wait(200);
  said.alone = [...new Set(traces().map(t => t.meta.branch).filter(n => n !== undefined))];
"""


@pytest.fixture(scope="module")
def diagram():
    henon = bf.maps.henon(a=0.1, b=0.3)
    curve = bf.cycles(henon, "a", [1.0, 0.3])
    return bf.explore(curve, {"a": (-0.4, 1.2), "b": (0.1, 0.8)}, depth=2)


@pytest.fixture(scope="module")
def page(diagram, tmp_path_factory):
    return diagram.to_html(tmp_path_factory.mktemp("page") / "henon.html", labels={"a": "parameter a"})


def numbers_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)[1])


def test_the_page_has_the_numbers_of_the_diagram(diagram, page):
    data = numbers_of(page)
    assert data["parameter"] == "parameter a" and data["periods"] == [1, 2]
    drawn = {each["number"]: each for each in data["branches"]}
    for number, branch in enumerate(diagram.branches):
        if branch.curve.codimension == 0:
            own = [i for i, text in enumerate(drawn[number]["text"]) if "<br>branch" in text]
            assert np.allclose(np.array(drawn[number]["parameter"])[own], branch["a"], rtol=1e-9)
            assert np.allclose(np.array(drawn[number]["values"][0])[own, 0], branch.states[:, 0], rtol=1e-9)
            # Lines go through the points where stability changes, and begin where the cycle is born.
            between = [drawn[number]["text"][i][:2] for i in range(len(drawn[number]["text"])) if i not in own]
            assert sorted(between) == (["LP", "PD"] if number == 0 else ["PD", "PD"])
    flip = next(point for point in data["special"] if point["label"] == "PD" and "period 1" in point["text"])
    assert abs(flip["parameter"] - 0.75 * 0.7**2) < 1e-9 and "supercritical" in flip["text"]


def test_nothing_on_the_page_comes_from_a_network(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//', text)


def test_in_a_browser(page, tmp_path):
    said = act(page, ACTIONS, tmp_path)
    assert said["errors"] == [] and said["outside"] == 0
    assert "PD, period 1" in said["hover"] and "a = 0.3675 ±" in said["hover"] and "supercritical" in said["hover"]
    assert f"a = {said['lineX']:.8g}"[:10] in said["lineText"] and "multipliers" in said["lineText"]
    assert said["linked"][0]["xanchor"] == pytest.approx(0.3675)
    assert sorted(said["periods"]) == [1, 2] and said["without"] == [1]
    assert said["stableOnly"] == 0 and said["unmarked"] == 0
    assert said["axis"] == "component 1"
    assert "what meets here" in said["told"] and said["buttons"] >= 1
    assert len(said["alone"]) == 1


def test_what_cannot_be_shown_is_refused(diagram, monkeypatch):
    from bifurcate.plot import interactive_page

    loci = [branch for branch in diagram.branches if branch.curve.codimension]
    with pytest.raises(InvalidInput, match="no branches of cycles"):
        interactive_page.html_page(loci, [])
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    with pytest.raises(InvalidInput, match=r"pip install 'bifurcate\[html\]'"):
        interactive_page.html_page(diagram.branches, [])


def test_a_notebook_shows_table_and_picture(diagram):
    shown = diagram._repr_html_()
    assert shown.startswith("<pre>diagram of henon") and shown.count("<svg") == 2


def test_a_notebook_shows_other_results_with_their_pictures():
    logistic = bf.maps.logistic(r=3.2)
    found = bf.solve(logistic, [0.6])
    branch = bf.trace(bf.cycles(logistic, "r", found), {"r": (2.5, 3.4)})
    plane = bf.parameter_plane(bf.maps.henon(), {"a": [0.1, 0.5], "b": [0.2, 0.3]}, [0.0, 0.0], transient=50)
    with_picture = [
        found,
        branch,
        branch.first("PD"),
        bf.orbit(logistic, [0.3], 40),
        bf.orbit_diagram(logistic, "r", [2.8, 3.2], [0.3], 0),
        plane,
    ]
    for result in with_picture:
        shown = result._repr_html_()
        assert shown.startswith("<pre>") and shown.count("<svg") == 1, type(result).__name__
    for result in (bf.ensemble(logistic, [[0.3], [0.4]], 5), bf.lyapunov(logistic, [0.3], steps=50)):
        assert result._repr_html_().startswith("<pre>") and "<svg" not in result._repr_html_()
    assert "&lt;" in bf.orbit(logistic, [0.3], 40)._repr_html_()
