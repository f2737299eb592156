"""What results print fits a screen, names the next verb, and has no digit that is smaller than its error."""

import dataclasses
import re

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.printing import number_text

SCREEN = 6 * 120  # characters


@pytest.fixture(scope="module")
def diagram():
    return bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.56)}, depth=3)


def test_long_results_have_short_representations(diagram):
    logistic = bf.maps.logistic()
    net = bf.adaptation.ring(16, (0.8, 0.0), (0.8, 1.5), alpha=0.2, beta=-0.1, sigma=1 / 6, b=0.05)
    branch = diagram.branches[0]
    starts = np.linspace(0.1, 0.9, 40)[:, None]
    long = [
        diagram,
        branch,
        branch[3],
        branch.curve,
        logistic,
        net.update,
        net.outcome(),
        bf.orbit(logistic, [0.3], 5000),
        bf.ensemble(logistic, starts, 200),
        bf.orbit_diagram(logistic, "r", starts.ravel() + 2.0, [0.3], lambda x, r: x[0]),
        bf.solve(net.update, net.equilibrium()),
        bf.deflate(logistic, [[0.6], [0.1]]),
        next(iter(bf.steps(branch.curve, {"r": (0.5, 3.0)}))),
    ]
    for result in long:
        assert len(repr(result)) < SCREEN, type(result).__name__
        assert type(result).__name__ in repr(result)


def test_representations_name_verbs_that_exist(diagram):
    branch = diagram.branches[0]
    for result in (diagram, branch, branch.curve, branch.curve.iterate.map):
        verbs = re.findall(r"\bbf\.([\w.]+)\(", repr(result).split("next:")[1])
        for verb in verbs:
            found = bf
            for name in verb.split("."):
                found = getattr(found, name)
            assert callable(found)
    henon = bf.maps.henon(a=1.2, b=0.3)
    found = bf.find_cycles(henon, 2, [(-2, 2), (-1, 1)])
    settled = bf.attractors(henon, [(-2, 2), (-1, 1)], starts=20)
    saddle = bf.solve(henon, [0.6, 0.2])
    results = [
        found,
        settled,
        saddle,
        bf.basins(settled, {0: (-1, 1), 1: (-1, 1)}, cells=4),
        bf.manifold(saddle, length=1.0),
        bf.orbit(henon, [0.1, 0.1], 10),
        bf.solve_many(henon, [[0.6, 0.2]]),
        bf.invariant_curve(bf.maps.delayed_logistic(r=2.1), [0.5, 0.45]),
    ]
    for result in results:
        shown, following = repr(result).split("\nnext: ")
        assert len(shown) < SCREEN and len(str(result).splitlines()) < 20
        for name in re.findall(r"\bbf\.((?:plot\.)?\w+)\(", following):
            assert callable(getattr(bf.plot, name[5:]) if name.startswith("plot.") else getattr(bf, name))
    space = {"bf": bf, "branch": branch, "curve": branch.curve, "diagram": diagram, "low": 2.0, "high": 2.5}
    assert len(eval(repr(branch.curve).split("next: ")[1], space)) > 2
    assert eval(repr(branch).split("next: ")[1], space)[2].period == 1


def test_results_of_numbers_print_them_with_their_errors():
    henon = bf.maps.henon(a=1.4, b=0.3)
    assert str(bf.solve(henon, [0.6, 0.2])).splitlines()[:3] == [
        "fixed point of henon at a = 1.4, b = 0.3",
        "  state 0.631354477, 0.189406343",  # (−0.7 + √6.09)/2.8
        "  unstable, multipliers -1.92374, 0.155946",
    ]
    # A turn of the circle has the exponent 0: what is smaller than its error is printed so.
    spun = bf.lyapunov(bf.Map(lambda x, w: x + w, {"w": 2**0.5 - 1}, jvp=lambda x, v, w: v), [0.2], steps=200)
    unsure = dataclasses.replace(spun, values=np.array([3e-12]), errors=np.array([1e-11]))
    assert [str(each).splitlines()[1][:6] for each in (spun, unsure)] == ["  0 ± ", "  0 ± "]
    assert str(bf.zero_one_test(bf.orbit(henon, [0.1, 0.1], 2000).states[:, 0])).startswith("chaotic: K = ")


def test_a_locus_says_what_it_is_and_its_ranges():
    # x + p + q x − x³ has its folds at q = 3x², p = −2x³: q is greatest at both ends of the curve, and least inside.
    cusp = bf.Map(lambda x, p, q: x + p + q * x - x**3, {"p": -1.0, "q": 0.5})
    cycles = bf.trace(bf.cycles(cusp, "p", [-1.5]), {"p": (-1.0, 1.0)})
    folds = bf.trace(bf.locus(cycles.first("fold"), free="q"), {"p": (-1.0, 1.0), "q": (-1.0, 0.75)})
    assert folds["q"].min() < 0.1 and folds["q"][[0, -1]] == pytest.approx(0.75)
    assert "p from -0.25 to 0.25, q from " in str(folds) and "to 0.75" in str(folds)
    assert "fold points" in repr(folds) and "bf.plot.chart(branch, 'p', 'q')" in repr(folds)


def test_a_number_smaller_than_its_error_is_zero():
    assert number_text(-6.7e-17, 2e-12) == "0" and number_text(3e-12, 2e-12) == "3e-12"
    cubic = bf.Map(lambda x, p: x + p * x - x**3, {"p": 0.5})
    (point,) = bf.trace(bf.cycles(cubic, "p", [0.0]), {"p": (-1.0, 1.0)}).special
    assert str(point).startswith("BP at p = 0 ±")
    assert re.match(r"pitchfork, a = 0 ±", str(bf.normal_form(point))), str(bf.normal_form(point))


def test_what_was_not_followed_is_counted_by_kind():
    diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.56)}, depth=1)
    lines = [line for line in str(diagram).split("\n") if "not followed" in line]
    assert [line.split(": ")[1] for line in lines] == ["1 BP of period 1", "1 PD of period 1"]
