"""Bifurcations of several kinds at one parameter value: each is located as such, with what starts there."""

import numpy as np
import pytest

import bifurcate as bf


def turn(p, x, y, angle=1.0):
    r, c, s = 1 + p - (x * x + y * y), np.cos(angle), np.sin(angle)
    return r * (c * x - s * y), r * (s * x + c * y)


def flip_and_pair(z, p):
    x, y, w = z
    return np.array([*turn(p, x, y), -(1 + p) * w + w**3])


def crossing_and_pair(z, p):
    x, y, w = z
    return np.array([*turn(p, x, y), w + p * w - w**3])


def crossing_and_flip(z, p):
    w, v = z
    return np.array([w + p * w - w**2 + 0.3 * v**2, -(1 + p) * v + v**3 + 0.2 * w * v])


def all_three(z, p):
    x, y, w, v = z
    return np.array([*turn(p, x, y), w + p * w - w**2, -(1 + p) * v + v**3])


def hidden(f, n, seed):
    """The map in other coordinates: z = A s(w), with a shear s that adds quadratic terms, and a shifted parameter."""
    rng = np.random.default_rng(seed)
    A = np.linalg.qr(rng.standard_normal((n, n)))[0] * np.exp(rng.uniform(-0.5, 0.5, n))
    bend, shift, at = 0.2 * rng.standard_normal(n), rng.standard_normal(n), float(rng.uniform(-2, 2))

    def there(w):
        s = np.array(w)
        for i in range(1, n):
            s[i] += bend[i] * s[i - 1] ** 2
        return A @ s + shift

    def back(z):
        s = np.linalg.solve(A, z - shift)
        for i in range(n - 1, 0, -1):
            s[i] -= bend[i] * s[i - 1] ** 2
        return s

    return bf.Map(lambda z, p: there(f(back(z), p - at)), {"p": at - 0.1}, derivative="complex"), shift, at


CASES = {
    "flip and pair": (flip_and_pair, 3, {"PD", "NS"}),
    "crossing and pair": (crossing_and_pair, 3, {"BP", "NS"}),
    "crossing and flip": (crossing_and_flip, 2, {"BP", "PD"}),
    "all three": (all_three, 4, {"BP", "PD", "NS"}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(6))
def test_every_kind_is_located(name, seed):
    f, n, labels = CASES[name]
    map, start, at = hidden(f, n, seed)
    branch = bf.trace(bf.cycles(map, "p", start), {"p": (at - 0.3, at + 0.3)})
    assert sorted(point.label for point in branch.special) == sorted(labels) and not branch.doubts
    for point in branch.special:
        assert abs(point.parameters["p"] - at) <= 3 * point.error
        assert {branch_label(kind) for kind in point.together} == labels - {point.label}


def branch_label(kind):
    return {"branch point": "BP", "flip": "PD", "neimark-sacker": "NS"}[kind]


def test_a_crossing_and_a_flip_at_once_with_all_that_starts_there():
    # f² is r x (1 − x) in either coordinate: beside x = 0 and 1 − 1/r there is the 2-cycle (1 − 1/r, 0), on both sides.
    map = bf.Map(lambda z, r: np.array([z[1], r * z[0] * (1 - z[0])]), {"r": 0.5})
    found = bf.explore(bf.cycles(map, "r", [0.0, 0.0]), {"r": (0.2, 1.5)}, audit=True)
    assert sorted(branch.curve.period for branch in found.branches) == [1, 1, 2, 2]
    assert not found.failures and found.audit.clean
    crossing, flip = found.special
    assert (crossing.label, flip.label) == ("BP", "PD")
    assert crossing.form == "transcritical" and flip.form == "degenerate"
    for branch in found.branches:
        if branch.curve.period == 2:
            for point in branch.points:
                assert np.abs(np.sort(np.abs(point.state)) - [0.0, abs(1 - 1 / point.free[0])]).max() < 1e-8


def test_kinds_that_lie_apart_are_told_apart():
    for gap in (1e-3, 1e-5, 1e-6):
        map = bf.Map(lambda z, p, gap=gap: flip_and_pair(z, p) - np.array([0, 0, gap]) * z, {"p": -0.1})
        branch = bf.trace(bf.cycles(map, "p", [0.0, 0.0, 0.0]), {"p": (-0.3, 0.3)})
        places = {point.label: point.parameters["p"] for point in branch.special}
        assert set(places) == {"PD", "NS"} and abs(places["NS"]) < 1e-12 and abs(places["PD"] + gap) < 1e-12


@pytest.mark.parametrize("to_side", [1.0, -1.0])
def test_a_crossing_and_a_flip_in_opposite_senses_are_no_collision(to_side):
    # On x = p the multiplier of x comes back through +1 where that of y leaves through −1: their counts add up to 0.
    map = bf.Map(
        lambda z, p: np.array([z[0] + 0.3 * (p * z[0] - z[0] ** 2), -(1 + to_side * p) * z[1] + z[1] ** 3]), {"p": -0.2}
    )
    for start in (-0.3, -0.02, -0.02 + 3e-7, 0.25):
        for state in (0.0, start):
            branch = bf.trace(bf.cycles(map.replace(p=start), "p", [state, 0.0]), {"p": (-0.5, 0.4)})
            assert sorted(point.kind for point in branch.special) == ["branch point", "flip"] and not branch.doubts
            assert all(abs(point.parameters["p"]) <= point.error for point in branch.special)
