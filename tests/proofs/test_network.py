"""Theorems about the adaptation network, against its closed forms, exact spectra and its own orbits."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.adaptation import Network, ring
from bifurcate.errors import InvalidInput
from bifurcate.proofs.balls import Enclosure
from bifurcate.proofs.check import check_theorem
from bifurcate.proofs.evaluation import BallMap


def small(n=4, **changed):
    values = {"alpha": 0.05, "beta": -0.1, "sigma": 1 / 6, "b": 0.05, **changed}
    return ring(n, (0.8, 0.0), (0.8, 1.05), **values)


@pytest.mark.parametrize(
    "net",
    [
        small(),
        Network([1.0, 0.5, 0.0], [1.0, 0.2, 0.3], alpha=0.1, beta=-0.2, sigma=0.5),
        ring(5, [(0.8, 0.0), (0.3, 1.0)], [(0.5, 0.3), (0.4, 1.2)], alpha=0.1, beta=-0.2, sigma=0.4, b=0.1),
        small(target="ensemble", ensemble=[(0.8, 0.0), (0.4, 1.0)]),
        small(target="frozen"),
        small(initial=np.eye(4) + 1.0),
    ],
)
def test_plain_formulas_agree_with_the_maps(net):
    generator = np.random.default_rng(1)
    n = net.size
    for map, shape in ((net.reduced, (n,)), (net.update, (n, n))):
        state = generator.uniform(0.2, 2.0, shape)
        ball_map = BallMap(map, shape, map.parameters)
        image = ball_map.image([float(v) for v in state.ravel()])
        there = map(state).ravel()
        assert max(abs(float(x.mid()) - y) for x, y in zip(image, there)) < 1e-13 * max(1.0, abs(there).max())


def test_flips_on_all_weights():
    # The reduced map and the map of all weights flip at one α. Usual difference steps give b = 12.36 ± 25: the weights
    # are large beside the lengths over which the map bends.
    for n, b in ((4, 11.97358520), (8, 8.1648299)):
        net = small(n)
        branch = bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), {"alpha": (0.01, 4.0)})
        flip = branch.first("flip")
        theorem = bf.prove(flip)
        assert flip.form == "supercritical" and abs(flip.coefficients["b"] - b) < 1e-6
        assert theorem.form == "supercritical" and theorem.outside == 0
        assert abs(theorem.coefficients["b"].middle - b) < 1e-7 and len(theorem.discs) == n * n
        reduced = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), {"alpha": (0.01, 0.45)})
        assert theorem.parameter.overlaps(bf.prove(reduced.first("flip")).parameter)


def test_multipliers_of_all_weights_and_of_the_reduction():
    net = small(4)
    full = bf.prove(bf.solve(net.update, net.equilibrium()))
    inner = bf.prove(bf.solve(net.reduced, net.reduced_equilibrium()))
    assert full.stable and inner.stable and len(full.discs) == 16
    for disc in inner.discs:
        assert any(abs(disc.centre - other.centre) <= disc.radius + other.radius for other in full.discs)
    shared = [disc for disc in full.discs if disc.contains(0.9)]
    assert len(shared) == 12


def test_the_reduced_branch_has_exactly_its_flips():
    for n in (4, 8):
        net = small(n)
        branch = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), {"alpha": (0.01, 0.85)})
        theorem = bf.prove(branch)
        assert theorem.complete and len(theorem.special) == len(branch.special)
        # Each flip satisfies α μ/n = 2 + β for a mode μ of the exact spectrum.
        for point in theorem.special:
            at = net.replace(alpha=point.parameter.middle)
            values = at.spectrum(at.reduced_equilibrium()).values
            assert np.abs(values + 1.0).min() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, bounds", [("alpha", (0.01, 0.8)), ("beta", (-1.5, -0.001)), ("sigma", (0.02, 0.5)), ("b", (0.01, 0.5))]
)
def test_the_four_branches_of_sixteen_neurons(name, bounds):
    net = small(16)
    branch = bf.trace(bf.cycles(net.reduced, name, net.reduced_equilibrium()), {name: bounds})
    theorem = bf.prove(branch)
    assert theorem.complete, theorem.gaps
    assert [point.kind for point in theorem.special] == [point.kind for point in branch.special]
    for proved, located in zip(theorem.special, branch.special):
        assert abs(proved.parameter.middle - located.parameters[name]) < 1e-9


@pytest.mark.slow
def test_a_hundred_and_eighty_neurons():
    net = small(180)
    theorem = bf.prove(bf.solve(net.reduced, net.reduced_equilibrium()))
    assert theorem.stable and theorem.radius < 1e-13
    point = bf.special_point(
        net.reduced.replace(alpha=0.34), "flip", free="alpha",
        guess=net.replace(alpha=0.34).reduced_equilibrium(), reach=3.0,
    )  # fmt: skip
    flip = bf.prove(point)
    assert flip.form == "supercritical" and flip.parameter.contains(0.342968346778414)


@pytest.mark.parametrize(
    "alpha, beta, kind",
    [(0.05, -0.1, "weights settle"), (0.45, -0.1, "flips"), (0.04, 0.0, "neutral manifold"), (1e-3, 1e-8, "saddle")],
)
def test_verdicts(alpha, beta, kind):
    net = small(6, alpha=alpha, beta=beta)
    theorem, verdict = bf.prove(net), net.verdict()
    assert theorem.kind == verdict.kind == kind
    for name, margin in verdict.margins.items():
        assert theorem.margins[name].overlaps(Enclosure(margin, 1e-9 * (1.0 + abs(margin))))
    check_theorem(theorem.equilibrium)


def test_largest_alpha_of_a_uniform_drive():
    # u⁺ = u + α R₀³ …: the multiplier of the uniform mode is 1 − 2a with a = α R₀³, so that α* = 1/R₀³ (R₀ = ½: 8).
    net = Network([1.0, 1.0], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=1.0)
    assert bf.prove(net).largest_alpha.contains(8.0)


def test_regions_of_convergence_are_entered_and_true():
    generator, entered = np.random.default_rng(4), 0
    for _ in range(25):
        n = int(generator.integers(2, 9))
        net = Network(
            generator.uniform(0.1, 1.0, n), generator.uniform(0.1, 1.0, n), sigma=float(generator.uniform(0.2, 1.0)),
            alpha=float(10 ** generator.uniform(-3, 0.5)), beta=-float(10 ** generator.uniform(-1.5, -0.2)),
        )  # fmt: skip
        theorem = bf.prove(net)
        assert theorem.kind in ("", net.verdict().kind)
        if theorem.region is None or theorem.region.entered is None:
            continue
        entered += 1
        y, rest = net.project(net.initial), net.reduced_equilibrium()
        energy = net.energy("y")
        last = np.inf
        for update in range(2000):
            y = net.reduced(y)
            if theorem.region.entered <= update < theorem.region.entered + 50:
                assert energy(y) <= last + 1e-12 * (1.0 + abs(last))
                last = energy(y)
        assert np.abs(y - rest).max() < 1e-9 * np.abs(rest).max()
    assert entered >= 15


def test_no_region_where_the_equilibrium_is_unstable():
    theorem = bf.prove(small(6, alpha=0.45))
    assert theorem.region is None and not theorem.complete


def test_the_clip_is_refused():
    with pytest.raises(InvalidInput, match="clip"):
        bf.prove(small(clip=True))
