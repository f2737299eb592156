"""Special points exactly on a bound, exactly at the start, and loci in parameters of their own."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput

PARABOLA = bf.Map(lambda x, p: x + p - x * x, {"p": 0.5})
CROSSING = bf.Map(lambda x, p: x + p * x - x * x, {"p": -0.5})


def shifted(map, by, width):
    """The map with its state moved by a number and its parameter measured in another unit."""
    return bf.Map(lambda x, q: map.f(x - by, p=q * width) + by, {"q": map.parameters["p"] / width})


@pytest.mark.parametrize(("by", "width"), [(0.0, 1.0), (3.0, 1e-3), (-20.0, 50.0)])
def test_points_on_a_bound_are_reported(by, width):
    fold = bf.trace(bf.cycles(shifted(PARABOLA, by, width), "q", [by + np.sqrt(0.5)]), {"q": (0.0, 0.9 / width)})
    assert [point.label for point in fold.special] == ["LP"]
    assert abs(fold.special[0].parameters["q"]) <= max(fold.special[0].error, 1e-11 / width)
    crossing = bf.trace(bf.cycles(shifted(CROSSING, by, width), "q", [by]), {"q": (-1.0 / width, 0.0)})
    assert [point.label for point in crossing.special] == ["BP"]
    assert [stop.reason for stop in crossing.stop] == ["bound", "bound"] and crossing["q"][-1] == 0.0


def test_flips_and_pairs_on_a_bound_are_reported_once():
    for bounds in ((1.5, 3.0), (3.0, 3.4)):
        start = 2.0 if bounds[0] < 2 else 3.2
        branch = bf.trace(bf.cycles(bf.maps.logistic(r=start), "r", [1 - 1 / start]), {"r": bounds})
        assert [point.label for point in branch.special] == ["PD"]
        assert abs(branch.special[0].parameters["r"] - 3.0) < 1e-12
    pair = bf.trace(bf.cycles(bf.maps.delayed_logistic(r=1.8), "r", [4 / 9, 4 / 9]), {"r": (1.5, 2.0)})
    assert [point.label for point in pair.special] == ["NS"]


def test_points_just_beyond_a_bound_are_not_reported():
    branch = bf.trace(bf.cycles(bf.maps.logistic(r=2.0), "r", [0.5]), {"r": (1.5, 3.0 - 1e-7)})
    assert not branch.special
    assert not bf.trace(bf.cycles(CROSSING, "p", [0.0]), {"p": (-1.0, -1e-6)}).special


def test_a_start_exactly_at_a_fold_or_branch_point():
    fold = bf.trace(bf.cycles(PARABOLA.replace(p=0.0), "p", [0.0]), {"p": (-1.0, 0.9)})
    assert [point.label for point in fold.special] == ["LP"] and abs(fold.special[0].parameters["p"]) < 1e-12
    assert [stop.reason for stop in fold.stop] == ["bound", "bound"]
    crossing = bf.trace(bf.cycles(CROSSING.replace(p=0.0), "p", [0.0]), {"p": (-1.0, 1.0)})
    assert [point.label for point in crossing.special] == ["BP"]
    assert sorted(crossing["p"][[0, -1]]) == [-1.0, 1.0]


def test_every_restart_from_a_located_fold_finds_it_again():
    for b in np.linspace(0.1, 0.8, 12):
        start = bf.maps.henon(a=0.5, b=b)
        x = (-(1 - b) + np.sqrt((1 - b) ** 2 + 2.0)) / 1.0
        fold = bf.trace(bf.cycles(start, "a", [x, b * x]), {"a": (-1.0, 0.6)}).first("LP")
        again = bf.trace(bf.cycles(start.replace(a=fold.parameters["a"]), "a", fold.state), {"a": (-1.0, 0.6)})
        assert len(again.of("LP")) == 1
        assert abs(again.first("LP").parameters["a"] + (1 - b) ** 2 / 4) < 1e-12
        across = bf.trace(bf.cycles(start.replace(a=fold.parameters["a"]), "b", fold.state), {"b": (-0.5, 0.9)})
        assert [round(point.parameters["b"] - b, 9) for point in across.of("LP")] == [0.0]


def three_parameters():
    """x + a + b x − c x²: folds where b² + 4 a c = 0."""
    return bf.Map(lambda x, a, b, c: x + a + b * x - c * x * x, {"a": 0.5, "b": 0.2, "c": 1.0})


def test_a_locus_in_parameters_other_than_the_branch_s_own():
    fold = bf.trace(bf.cycles(three_parameters(), "a", [0.8]), {"a": (-1.0, 0.6)}).first("LP")
    curve = bf.trace(bf.locus(fold, free=("b", "c")), {"b": (-1.0, 1.0), "c": (0.5, 3.0)})
    a = fold.parameters["a"]
    assert len(curve) > 5 and np.abs(curve["b"] ** 2 + 4 * a * curve["c"]).max() < 1e-9
    same = bf.trace(bf.locus(fold, free=("b", "a")), {"b": (-1.0, 1.0), "a": (-1.0, 1.0)})
    assert np.abs(same["b"] ** 2 + 4 * same["a"]).max() < 1e-9


def test_a_locus_from_an_ordinary_point_of_another_one():
    fold = bf.trace(bf.cycles(three_parameters(), "a", [0.8]), {"a": (-1.0, 0.6)}).first("LP")
    first = bf.trace(bf.locus(fold, free="b"), {"a": (-1.0, 1.0), "b": (-1.0, 1.0)})
    middle = first[len(first) // 3]
    curve = bf.trace(bf.locus(middle, free=("a", "c")), {"a": (-1.0, 1.0), "c": (0.5, 3.0)})
    b = middle.parameters["b"]
    assert len(curve) > 5 and np.abs(b**2 + 4 * curve["a"] * curve["c"]).max() < 1e-9
    pair = bf.trace(bf.cycles(bf.maps.delayed_logistic(r=1.8), "r", [4 / 9, 4 / 9]), {"r": (1.5, 2.2)}).first("NS")
    turned = bf.trace(bf.locus(pair, free="eps"), {"r": (1.0, 3.0), "eps": (-0.5, 0.5)})
    back = bf.trace(bf.locus(turned[3]), {"r": (1.0, 3.0), "eps": (-0.5, 0.5)})
    assert abs(back["r"][0] - turned["r"][0]) < 1e-9 or abs(back["r"][-1] - turned["r"][0]) < 1e-9


def test_an_ordinary_point_of_a_branch_of_cycles_is_refused():
    branch = bf.trace(bf.cycles(PARABOLA, "p", [np.sqrt(0.5)]), {"p": (-1.0, 0.9)})
    with pytest.raises(InvalidInput, match="no special point"):
        bf.locus(branch[3], free="p")


def test_the_edge_of_the_domain_lies_within_the_error_of_the_pole():
    # x = p + √x ends at p = 0, where x = p²: the derivative grows without bound, and steps fail a way before the edge.
    root = bf.Map(lambda x, p: p + np.sqrt(x), {"p": -0.1}, domain=lambda x, p: x)
    (pole,) = bf.trace(bf.cycles(root, "p", [0.5]), {"p": (-1.0, 0.5)}).of("pole")
    assert abs(pole.parameters["p"]) <= pole.error < 1e-2
    for power in (0.5, 1.0, 2.0, 3.0):
        margin = lambda x, p, power=power: np.sign(x - 0.37) * np.abs(x - 0.37) ** power  # noqa: E731
        line = bf.Map(lambda x, p: x + 0.3 * (p - x), {"p": 1.0}, domain=margin)
        (pole,) = bf.trace(bf.cycles(line, "p", [1.0]), {"p": (-1.0, 2.0)}).of("pole")
        assert abs(pole.parameters["p"] - 0.37) <= pole.error < 1e-6


def _turned(z, p, q):
    return (1 + p + q) * np.array([[0.6, -0.8], [0.8, 0.6]]) @ z * (1 - 0.1 * (z @ z))


STARTS = {
    "fold": (lambda x, p, q: x + 0.3 * (p + q - x * x), [0.5], 0.25, "fold"),
    "transcritical": (lambda x, p, q: x + 0.3 * ((p + q) * x - x * x), [0.0], -0.5, "branch point"),
    "pitchfork": (lambda x, p, q: x + 0.3 * ((p + q) * x - x**3), [0.0], -0.5, "branch point"),
    "flip": (lambda x, p, q: -(1 + p + q) * x + x**3, [0.0], -0.5, "flip"),
    "neimark-sacker": (_turned, [0.0, 0.0], -0.5, "neimark-sacker"),
}


@pytest.mark.parametrize("by", [0.0, 0.3])
@pytest.mark.parametrize("name", STARTS)
def test_a_point_located_in_one_parameter_is_met_in_another_one(name, by):
    f, x, p, kind = STARTS[name]
    map = bf.Map(lambda z, p, q: f(z - by, p, q) + by, {"p": p, "q": 0.0})
    point = bf.trace(bf.cycles(map, "p", np.array(x) + by), {"p": (-1.0, 1.0)}).first(kind)
    for start in (bf.cycles(map, "q", point), bf.cycles(map.replace(p=point.parameters["p"]), "q", point.state)):
        branch = bf.trace(start, {"q": (-0.3, 0.35)})
        (again,) = branch.special
        assert again.kind == kind and abs(again.parameters["q"]) <= again.error + point.error and not branch.doubts
