"""The adaptation network under the engine: weights and reduction agree, and every point is where the theory puts it."""

import numpy as np
import pytest
import scipy.optimize

import bifurcate as bf
from bifurcate.errors import NotConverged, NotIsolated

CONTRACT = {"baseline": (0.8, 0.0), "stimulus": (0.8, 1.05), "alpha": 0.05, "beta": -0.1, "sigma": 1 / 6, "b": 0.05}


def drives(n, rng):
    return rng.uniform(0.2, 1.0, n), rng.uniform(0.2, 1.0, n)


def network(n, rng, **changed):
    r, r0 = drives(n, rng)
    return bf.adaptation.Network(r, r0, **{"alpha": 0.3, "beta": -0.4, "sigma": 0.5, **changed})


def bracket(net, y):
    """(R·r) diag(R²/r) + R (R²)ᵀ, whose eigenvalues μ give the multipliers 1 + β − α μ/n."""
    r = net.drive
    R = r / (net.sigma**2 + y)
    return (R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)


def traced(map, free, guess, bounds, **options):
    return bf.trace(bf.cycles(map, free, guess), {free: bounds}, **options)


def unstructured(net):
    """The update with nothing but its values: derivatives by differences, a dense Jacobian, all n² multipliers."""
    return bf.Map(net.update.f, dict(net.update.parameters))


def matched(a, b):
    return np.abs(np.sort(np.real(a)) - np.sort(np.real(b))).max()


@pytest.mark.parametrize("n", [4, 7, 12])
def test_weights_and_reduction_have_one_branch(n, rng):
    net = network(n, rng)
    bounds = {
        "alpha": (
            0.05,
            1.2 * (2 + net.beta) * n / np.linalg.eigvals(bracket(net, net.reduced_equilibrium())).real.max() * 3,
        )
    }
    small = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), bounds)
    assert small.of("flip") and {point.kind for point in small.special} == {"flip"}
    structured = bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), bounds)
    dense = bf.trace(bf.cycles(unstructured(net), "alpha", net.equilibrium()), bounds)
    for branch in (structured, dense):
        assert branch.doubts == ()
        assert [(p.label, p.multiplicity) for p in branch.special] == [(p.label, p.multiplicity) for p in small.special]
        for mine, exact in zip(branch.special, small.special):
            assert abs(mine.parameters["alpha"] - exact.parameters["alpha"]) < 1e-9
            assert np.abs(net.project(mine.state) - exact.state).max() < 1e-8
        for point in branch.points[:: max(1, len(branch) // 7)]:
            here = net.replace(alpha=point.free[0])
            exact = here.reduced_equilibrium()
            assert np.abs(here.project(point.state) - exact).max() < 1e-8
            core = 1 + net.beta - point.free[0] / n * np.linalg.eigvals(bracket(here, exact))
            all_of_them = np.append(core, np.full(n * (n - 1), 1 + net.beta))
            found = np.repeat(point.spectrum.values, point.spectrum.multiplicity)
            assert matched(found, all_of_them) < 1e-6


def test_every_flip_at_beta_zero(rng):
    n = 6
    net = network(n, rng, beta=0.0, alpha=0.1)
    y = net.drive / net.baseline_response - net.sigma**2
    exact = np.sort(2 * n / np.linalg.eigvals(bracket(net, y)).real)
    branch = traced(net.reduced, "alpha", y, (0.05, 1.05 * exact[-1]), control=bf.StepControl(first=1e-4))
    assert [point.label for point in branch.special] == ["PD"] * n
    found = np.array([point.parameters["alpha"] for point in branch.special])
    assert np.abs(found / exact - 1).max() < 1e-10


@pytest.mark.slow
def test_the_contract_network_on_32400_weights():
    net = bf.adaptation.ring(n=180, **CONTRACT)
    bounds = {"alpha": (0.01, 0.36)}
    weights = bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), bounds)
    small = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), bounds)
    both = list(zip(weights.special, small.special, strict=True))
    assert len(both) == 10 and {p.kind for p in weights.special} == {"flip"}
    for mine, exact in both:
        assert abs(mine.parameters["alpha"] - exact.parameters["alpha"]) < 1e-10
        here = net.replace(alpha=mine.parameters["alpha"])
        mu = np.linalg.eigvals(bracket(here, here.reduced_equilibrium())).real
        assert np.abs(here.alpha * mu / 180 - (2 + net.beta)).min() < 1e-9
    flip = weights.first("flip")
    assert flip.spectrum.size == 32400 and flip.spectrum.multiplicity.max() == 180 * 179
    doubled = bf.trace(bf.switch(flip), {"alpha": (0.3, 0.36)})
    lower = bf.trace(bf.switch(small.first("flip")), {"alpha": (0.3, 0.36)})
    for point in doubled.points[::6]:
        y = net.project(point.state)
        guess = bf.solve(net.reduced.replace(alpha=point.free[0]), y, period=2)
        assert np.abs(guess.state - y).max() < 1e-8
    assert doubled.points[-1].free == lower.points[-1].free == (0.36,)
    last = doubled.spectra[-1]
    assert np.abs(last.values[last.multiplicity > 1] - (1 + net.beta) ** 2).max() < 1e-12
    assert matched(last.values[last.multiplicity == 1], lower.spectra[-1].values) < 1e-7


@pytest.mark.slow
def test_the_matrix_free_path_finds_the_flip_behind_the_cluster():
    # 400 unknowns known only through products: the cluster of 380 multipliers at 1 + β must not hide the one at −1.
    net = bf.adaptation.ring(n=20, **CONTRACT)
    free = bf.Map(net.update.f, dict(net.update.parameters), jvp=net.update.jvp)
    exact = traced(net.reduced, "alpha", net.reduced_equilibrium(), (0.05, 0.352))
    branch = traced(free, "alpha", net.equilibrium(), (0.05, 0.352), control=bf.StepControl(first=0.1, largest=0.2))
    assert [point.label for point in branch.special] == ["PD"] * len(exact.special) and exact.special
    for mine, theirs in zip(branch.special, exact.special):
        assert abs(mine.parameters["alpha"] - theirs.parameters["alpha"]) < 1e-9
    known = branch.spectra[0].values
    assert np.abs(known - (1 + net.beta)).min() < 1e-8


def test_no_neimark_sacker_point_under_a_constant_stimulus(rng):
    seen = 0
    for _ in range(25):
        n = int(rng.integers(2, 9))
        net = network(n, rng, beta=float(rng.uniform(-1.5, -0.05)), sigma=float(rng.uniform(0.2, 1.0)))
        branch = traced(net.reduced, "alpha", net.reduced_equilibrium(), (0.05, 30.0))
        assert {point.kind for point in branch.special} <= {"flip"}
        assert branch.doubts == () and not np.abs(np.nan_to_num(branch.multipliers.imag)).any()
        seen += len(branch.special)
    assert seen > 25


def test_the_branch_crosses_beta_zero_and_folds():
    net = bf.adaptation.Network([1.0, 0.8, 0.6], [0.7, 0.9, 1.0], alpha=0.3, beta=-0.2, sigma=0.6)
    branch = traced(net.reduced, "beta", net.reduced_equilibrium(), (-0.5, 0.5))
    fold = branch.first("fold")
    assert fold.parameters["beta"] > 1e-3
    here = net.replace(beta=0.0)
    mu = np.linalg.eigvals(bracket(net, fold.state)).real
    assert abs(net.alpha * mu.min() / 3 - fold.parameters["beta"]) < 1e-9
    through = min((p for p in branch.points if p.arclength < fold.arclength), key=lambda p: abs(p.free[0]))
    y = net.drive / here.baseline_response - net.sigma**2
    assert np.abs(through.state - y).max() < 30 * abs(through.free[0]) + 1e-8
    assert branch["beta"].max() <= fold.parameters["beta"] + 1e-12


@pytest.mark.parametrize("wrap", [lambda net: net.update, unstructured])
def test_the_manifold_at_beta_zero_is_refused(wrap, rng):
    net = network(5, rng, beta=0.0)
    with pytest.raises((NotIsolated, NotConverged), match=r"not isolated|manifold"):
        traced(wrap(net), "alpha", net.equilibrium(), (0.05, 1.0))
    with pytest.raises(NotIsolated, match=r"at least 20 dimensions.*net\.reduced"):
        bf.solve(net.update, net.equilibrium() + 1e-3)


@pytest.mark.parametrize("wrap", [lambda net: net.update, unstructured])
def test_the_weights_stop_before_beta_zero_and_say_why(wrap, rng):
    net = network(5, rng, beta=-0.2)
    branch = traced(wrap(net), "beta", net.equilibrium(), (-0.5, 0.2))
    assert branch.stop[1].reason == "not-isolated"
    assert -0.05 < branch["beta"].max() < 0
    if wrap(net).advice:
        assert "net.reduced" in str(branch.stop[1])
    for point in branch.points[::5]:
        assert np.abs(point.state - net.replace(beta=point.free[0]).equilibrium()).max() < 1e-7


def scalar_cycle(a, period):
    """Multiplier of the cycle of v ↦ v + a (v⁻² − 1) of a period that the doublings from v = 1 lead to."""
    v = 0.9
    for _ in range(20000):
        v = v + a * (v**-2 - 1)

    def defect(x):
        y = x
        for _ in range(period):
            y = y + a * (y**-2 - 1)
        return y - x

    v = scipy.optimize.newton(defect, v, tol=1e-14)
    slope = 1.0
    for _ in range(period):
        slope *= 1 - 2 * a / v**3
        v = v + a * (v**-2 - 1)
    return slope


def test_the_uniform_slice_and_its_first_four_doublings():
    r, sigma = 0.5, 0.6
    R0 = r / (sigma**2 + r)
    net = bf.adaptation.Network([r], [r], alpha=0.5 / R0**3, beta=0.0, sigma=sigma)
    bounds = {"alpha": (0.5 / R0**3, 1.4 / R0**3)}
    branch = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), bounds)
    found = []
    for period in (1, 2, 4, 8):
        flip = branch.first("flip")
        found.append(flip.parameters["alpha"] * R0**3)
        assert flip.period == period
        branch = bf.trace(bf.switch(flip), bounds)
    assert np.abs(np.array(found) - [1.0, 1.258, 1.320, 1.334]).max() < 6e-4
    assert abs(found[0] - 1.0) < 1e-10
    for period, a in list(zip((2, 4, 8), found[1:])):
        # The scalar map's own cycle, reached by iteration just before the flip: its multiplier tends to −1 there.
        steps = np.array([2e-4, 1e-4])
        slopes = [scalar_cycle(a - step, period) for step in steps]
        at = slopes[1] + (slopes[1] - slopes[0])
        assert abs(at + 1.0) < 2e-3 * 8 ** np.log2(period)
    flip = branch.first("flip")
    assert abs(flip.parameters["alpha"] * R0**3 - 1.337) < 6e-4


def test_the_uniform_slice_meets_its_pole():
    r, sigma = 0.5, 0.6
    R0 = r / (sigma**2 + r)
    limit = np.sqrt(27 / 4)
    for a, end in ((0.999 * limit, "steps"), (1.001 * limit, "domain")):
        net = bf.adaptation.Network([r], [r], alpha=a / R0**3, beta=0.0, sigma=sigma)
        # v = u/u₀ falls lowest from v = (2a)^(1/3), to 3/2 (2a)^(1/3) − a.
        start = (sigma**2 + r) * (2 * a) ** (1 / 3) - sigma**2
        assert bf.orbit(net.reduced, [start], 2).end == ("steps" if end == "steps" else "domain")


def test_a_branch_that_runs_into_the_pole_ends_there(rng):
    net = bf.adaptation.Network([1.0, 0.8], [0.7, 0.9], alpha=0.002, beta=0.1, sigma=0.6)
    # For β > 0 the other root of a neuron goes to R = ∞ (u = 0) as α → 0.
    states = [y for y in net.reduced_equilibria(patterns="all") if (net.sigma**2 + y > 0).all()]
    ends = []
    for y in states:
        branch = traced(net.reduced, "alpha", y, (0.0, 0.003))
        ends += [(stop.reason, branch) for stop in branch.stop if stop.reason == "domain"]
    assert ends
    for _, branch in ends:
        pole = branch.first("pole")
        assert abs(pole.parameters["alpha"]) < 1e-6
        assert 0 < (net.sigma**2 + pole.state).min() < 1e-3
