"""Special points located from a guess: closed forms, and what they offer is what a traced point offers."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotConverged


@pytest.mark.parametrize("b", [0.3, -0.4, 0.8])
@pytest.mark.parametrize("kind", ["fold", "flip"])
def test_henon(kind, b, rng):
    # Fold a = −(1 − b)²/4 at x = −(1 − b)/(2a); flip a = 3(1 − b)²/4 at x = (1 − b)/(2a); y = b x.
    exact = (-0.25 if kind == "fold" else 0.75) * (1 - b) ** 2
    x = (-1.0 if kind == "fold" else 1.0) * (1 - b) / (2 * exact)
    x = abs(x) if kind == "flip" else (1 - b) / (-2 * exact)
    for _ in range(5):
        a = exact * (1 + rng.uniform(-0.1, 0.1))
        guess = np.array([x, b * x]) * (1 + rng.uniform(-0.05, 0.05, 2))
        point = bf.special_point(bf.maps.henon(a=a, b=b), kind, "a", guess)
        assert abs(point.parameters["a"] - exact) <= max(3 * point.error, 1e-12)
        assert abs(point.state[0] - x) < 1e-6


def test_neimark_sacker_and_branch_point():
    point = bf.special_point(bf.maps.delayed_logistic(r=1.9), "NS", "r", [0.47, 0.47])
    assert abs(point.parameters["r"] - 2.0) < 1e-12 and abs(point.angle - np.pi / 3) < 1e-9
    point = bf.special_point(bf.maps.logistic(r=1.2), "branch point", "r", [0.1])
    assert abs(point.parameters["r"] - 1.0) < 1e-10 and point.form == "transcritical"


def test_cycles_of_longer_period():
    point = bf.special_point(bf.maps.logistic(r=3.4), "flip", "r", [0.45], period=2)
    assert abs(point.parameters["r"] - (1 + np.sqrt(6))) < 1e-10 and point.period == 2
    point = bf.special_point(bf.maps.logistic(r=3.83), "fold", "r", [0.51], period=3)
    assert abs(point.parameters["r"] - (1 + np.sqrt(8))) < 1e-10


def test_it_offers_what_a_traced_point_offers():
    bounds = {"r": (2.0, 3.4)}
    traced = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), bounds).first("flip")
    direct = bf.special_point(bf.maps.logistic(r=2.95), "flip", "r", [0.66])
    assert direct.coefficients["b"] == pytest.approx(traced.coefficients["b"], rel=1e-9)
    one, two = (bf.trace(bf.switch(point), bounds) for point in (traced, direct))
    assert one.curve.period == two.curve.period == 2
    assert abs(one[-1].state - two[-1].state).max() < 1e-9 or one.stop.last.reason == two.stop.last.reason
    henon = bf.special_point(bf.maps.henon(a=0.36, b=0.3), "flip", "a", [0.95, 0.3])
    flips = bf.trace(bf.locus(henon, free="b"), {"a": (0.05, 2.0), "b": (-0.5, 0.6)})
    assert np.abs(flips["a"] - 0.75 * (1 - flips["b"]) ** 2).max() < 1e-9


def test_the_network_on_all_weights_and_in_its_reduction():
    net = bf.adaptation.ring(
        n=12, baseline=(0.8, 0.0), stimulus=(0.8, 1.05), alpha=0.33, beta=-0.1, sigma=1 / 6, b=0.05
    )
    start = net.reduced_equilibrium()
    branch = bf.trace(bf.cycles(net.reduced, "alpha", start), {"alpha": (0.01, 1.0)})
    exact = branch.first("flip").parameters["alpha"]
    here = net.replace(alpha=0.97 * exact)
    for map, guess in ((here.reduced, here.reduced_equilibrium()), (here.update, here.equilibrium())):
        point = bf.special_point(map, "flip", "alpha", guess, reach=0.1)
        assert abs(point.parameters["alpha"] - exact) < 1e-10


def test_normal_form_has_names():
    flip = bf.special_point(bf.maps.logistic(r=2.9), "flip", "r", [0.66])
    found = bf.normal_form(flip)
    assert found.coefficients == flip.coefficients and found.form == flip.form
    assert set(found.errors) == set(found.coefficients) == {"b"}
    assert "supercritical" in str(found)


def test_points_of_a_locus_are_special_points():
    fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1, b=0.3), "a", [1.0, 0.3]), {"a": (-1, 2)})
    flips = bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (0.05, 2.0), "b": (-0.5, 0.6)})
    here = flips.as_special_point(len(flips) // 2)
    direct = bf.special_point(bf.maps.henon(**here.parameters), "flip", "a", here.state)
    assert here.coefficients["b"] == pytest.approx(direct.coefficients["b"], rel=1e-6)
    with pytest.raises(InvalidInput, match="are cycles"):
        fixed.as_special_point(0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "flipp"}, "no kind 'flipp'"),
        ({"kind": "cusp"}, "directly located are fold, flip"),
        ({"free": "q"}, "has no parameter 'q'"),
        ({"period": 0}, "period is 0"),
        ({"reach": -1.0}, "reach is -1.0"),
        ({"guess": [np.nan]}, "NaN"),
        ({"map": 3}, "map must be a Map"),
    ],
)
def test_refusals(change, words):
    given = {"map": bf.maps.logistic(r=2.9), "kind": "flip", "free": "r", "guess": [0.66], **change}
    with pytest.raises(InvalidInput, match=words):
        bf.special_point(given.pop("map"), given.pop("kind"), given.pop("free"), given.pop("guess"), **given)


def test_where_there_is_none_it_says_so():
    with pytest.raises(NotConverged, match="no neimark-sacker was located"):
        bf.special_point(bf.maps.logistic(r=2.9), "NS", "r", [0.66])
    linear = bf.Map(lambda x, p: 0.5 * x + p, {"p": 1.0})
    with pytest.raises(NotConverged, match="no flip was located from p = 1"):
        bf.special_point(linear, "flip", "p", [2.0])
