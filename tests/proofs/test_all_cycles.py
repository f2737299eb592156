"""All cycles in a box, and coordinates on circles."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotProved
from bifurcate.proofs.all_cycles import prove_all_cycles
from bifurcate.proofs.check import check_theorem


def test_the_cycles_of_the_logistic_map():
    # r = 4: f^k has the fixed points sin²(jπ/(2^k ± 1)), 2^k of them.
    known = {3: [], 2: []}
    for k in known:
        for j in range(2**k):
            known[k].append([np.sin(j * np.pi / (2**k - 1)) ** 2])
            known[k].append([np.sin(j * np.pi / (2**k + 1)) ** 2])
        found = prove_all_cycles(bf.maps.logistic(4.0), k, [(-0.3, 1.3)], known[k])
        assert found.complete, found.gaps
        points = {round(x[0].middle, 9) for theorem in found.theorems for x in theorem.states}
        assert len(points) == 2**k


def test_a_cycle_that_is_not_known_is_not_excluded():
    found = prove_all_cycles(bf.maps.logistic(3.2), 2, [(0.3, 0.9)], [[0.6875]])
    assert not found.complete and found.exclusion.undecided
    low, high = found.exclusion.undecided[0]
    assert any(low[0] - 1e-3 < x < high[0] + 1e-3 for x in (0.5130445095, 0.7994554905))


def test_the_fixed_points_and_two_cycles_of_henon():
    map = bf.maps.henon(a=1.4, b=0.3)
    fixed = [(-0.7 + s * np.sqrt(0.49 + 5.6)) / 2.8 for s in (1, -1)]
    states = [[x, 0.3 * x] for x in fixed]
    found = prove_all_cycles(map, 1, [(-2.0, 2.0), (-1.0, 1.0)], states)
    assert found.complete and len(found.theorems) == 2
    # x of the 2-cycle solves a²x² − a(1 − b)x + (1 − b)² − a = 0.
    x = np.roots([1.96, -0.98, 0.49 - 1.4])
    found = prove_all_cycles(map, 2, [(-2.0, 2.0), (-1.0, 1.0)], [*states, [x[0], 0.3 * x[1]]])
    assert found.complete and sorted(theorem.period for theorem in found.theorems) == [1, 1, 2]


def test_all_cycles_are_proved_again_from_a_file(tmp_path):
    found = prove_all_cycles(bf.maps.logistic(3.2), 2, [(-0.5, 1.5)], [[0.0], [0.6875], [0.5130445095]])
    bf.save(found, tmp_path / "cycles.npz")
    check_theorem(bf.load(tmp_path / "cycles.npz"))
    with pytest.raises(NotProved, match="box"):
        check_theorem(dataclasses.replace(found, theorems=found.theorems[:2]))
    partial = prove_all_cycles(bf.maps.logistic(3.2), 2, [(-0.5, 1.5)], [[0.0], [0.6875]])
    check_theorem(partial)  # with the parts that it leaves open
    with pytest.raises(NotProved, match="box"):
        check_theorem(dataclasses.replace(partial, exclusion=dataclasses.replace(partial.exclusion, undecided=())))


def test_a_cycle_that_is_left_out_is_never_excluded():
    # x ↦ x + s q(x) for random polynomials q: all solutions of f(x) = x and f²(x) = x by bisection on a fine grid.
    generator, complete = np.random.default_rng(3), 0
    for _ in range(40):
        roots = np.sort(generator.uniform(-1.0, 1.0, int(generator.integers(2, 5))))
        if np.diff(roots).min() < 0.05:
            continue
        coefficients = tuple(np.poly(roots) * generator.uniform(0.3, 1.0) * generator.choice([-1, 1]))
        k = int(generator.integers(1, 3))

        def f(x, s, coefficients=coefficients):
            y = 0.0 * x
            for each in coefficients:
                y = y * x + each
            return x + s * y

        def h(x, f=f, k=k):
            return (f(f(x, 1.0), 1.0) if k == 2 else f(x, 1.0)) - x

        grid = np.linspace(-1.25, 1.25, 4001)
        signs = np.sign(h(grid))
        changes = np.flatnonzero(signs[:-1] * signs[1:] < 0)
        known = [brentq(h, grid[j], grid[j + 1], xtol=1e-14) for j in changes]
        map = bf.Map(f, {"s": 1.0})
        box = [(-1.25, 1.25)]
        complete += prove_all_cycles(map, k, box, [[x] for x in known], most_boxes=20_000).complete
        out = known[int(generator.integers(len(known)))]
        cycle = {round(out, 9), round(float(f(out, 1.0)), 9)}
        if any(abs(x) > 1.24 for x in cycle):
            continue
        rest = [[x] for x in known if round(x, 9) not in cycle]
        assert not prove_all_cycles(map, k, box, rest, most_boxes=20_000).complete
    assert complete > 30


def test_boxes_are_checked():
    with pytest.raises(InvalidInput, match="interval"):
        prove_all_cycles(bf.maps.logistic(3.2), 1, [(1.0, 0.0)], [])
    with pytest.raises(InvalidInput, match="at most 3"):
        prove_all_cycles(bf.maps.logistic_ring(n=4), 1, [(0.0, 1.0)] * 4, [])


def circle(omega=0.02, K=0.9):
    turn = 2.0 * np.pi
    return bf.Map(lambda x, omega, K: x + omega + K / turn * np.sin(turn * x), {"omega": omega, "K": K}, periodic=1.0)


def test_cycles_on_a_circle():
    # Rotation number 1/2: x, x + 1/2 + …, which is a cycle modulo 1 only.
    map = circle(omega=0.5)
    solution = bf.solve(map, guess=[0.0], period=2)
    theorem = bf.prove(solution)
    assert theorem.period == 2 and abs((theorem.states[1][0].middle - theorem.states[0][0].middle) % 1.0 - 0.5) < 0.3
    check_theorem(theorem)
    # The fold of the fixed points is at omega = K/2π.
    fold = bf.special_point(circle(omega=0.14), "fold", free="omega", guess=[0.75])
    assert abs(bf.prove(fold).parameter.middle - 0.9 / (2.0 * np.pi)) < 1e-15
    found = prove_all_cycles(circle(), 1, [(0.0, 1.0)], [s.state for s in fixed_points()])
    assert found.complete and len(found.theorems) == 2


def fixed_points():
    return [bf.solve(circle(), guess=[x]) for x in (0.52, 0.98)]
