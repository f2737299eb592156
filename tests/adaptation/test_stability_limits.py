"""Where the verdict changes, against closed forms, dense eigenvalues and the package's own continuation."""

import re

import numpy as np
import pytest
from network_cases import dense_jacobian, draw, near
from scipy.optimize import fsolve

import bifurcate as bf
from bifurcate.adaptation import Network, last_beta, literal, ring
from bifurcate.adaptation.equilibria.branch_fold import FACTOR, last_ratio
from bifurcate.adaptation.equilibria.equilibrium import scalar_of
from bifurcate.adaptation.long_run.parameter_scan import hidden_sign_changes
from bifurcate.adaptation.long_run.stability_limits import BOUNDS
from bifurcate.errors import InvalidInput

MADE = {"alpha": 0.5, "beta": -0.1, "sigma": 1 / 6, "b": 0.05}


def turned(**changed):
    return ring(16, (0.8, 0.0), (0.8, np.pi / 2), **{**MADE, **changed})


def bracket(r, R):
    return (R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)


def test_flip_at_beta_zero_is_closed_form(rng):
    for _ in range(30):
        net, r, _, _ = draw(rng, n=int(rng.integers(1, 6)), beta=0.0)
        n = len(r)
        mu = np.linalg.eigvals(bracket(r, net.baseline_response)).real.max()
        limit = net.limits("alpha", (0.0, 4 * n / mu))
        assert [each.kind for each in limit] == ["flip"]
        assert limit[0].value == pytest.approx(2 * n / mu, rel=1e-12)
        assert abs(limit[0].value - 2 * n / mu) < 1e3 * limit[0].error < 1e-9 * limit[0].value
        assert limit[0].outputs == (True, False)
        assert limit[0].below == ("neutral manifold" if n > 1 else "weights settle") and limit[0].above == "flips"


def test_without_adaptation_the_flip_lies_at_beta_minus_two(rng):
    net = draw(rng, n=3)[0].replace(alpha=0.0)
    assert [(each.kind, each.value, each.below, each.above) for each in net.limits("beta", (-3.0, 0.5))] == [
        ("flip", pytest.approx(-2.0, abs=1e-14), "flips", "weights settle"),
        ("beta zero", 0.0, "weights settle", "saddle"),
    ]


@pytest.mark.parametrize("name", ["alpha", "beta", "sigma"])
def test_multiplier_is_minus_one_there(rng, name):
    """At a flip the derivative of the full update, at an equilibrium found by fsolve, has the multiplier −1."""
    met = 0
    bounds = {"alpha": (0.0, 6.0), "beta": (-1.9, -1e-3), "sigma": (0.05, 1.5)}[name]
    for _ in range(12):
        net = draw(rng, n=3, beta=float(-rng.uniform(0.05, 0.6)))[0]
        net = net.replace(alpha=float(rng.uniform(0.3, 2.0)))
        for limit in net.limits(name, bounds, samples=40):
            assert limit.kind == "flip"
            here = net.replace(**{name: limit.value})
            start = here.reduced_equilibrium() * 1.01
            y = fsolve(lambda z, here=here: here.reduced(z) - z, start, xtol=1e-11)
            W = here.lift(y)
            lam = np.linalg.eigvals(dense_jacobian(here.update, W))
            assert np.abs(lam + 1).min() < 1e-6
            assert limit.error < 1e-10
            met += 1
    assert met >= 5


@pytest.mark.parametrize(
    ("name", "bounds"), [("alpha", (0.05, 1.5)), ("beta", (-0.9, -0.01)), ("sigma", (0.05, 0.6)), ("b", (0.0, 1.0))]
)
def test_continuation_meets_the_same_flips(name, bounds):
    net = turned()
    found = [limit.value for limit in net.limits(name, bounds)]
    start = net.replace(**{name: bounds[0]})
    branch = bf.trace(bf.cycles(start.reduced, name, start.reduced_equilibrium()), {name: bounds})
    flips = [p for p in branch.of("flip") if bf.plot.stable_around(branch, p).changes]
    assert near(found, [p.parameters[name] for p in flips], 1e-9)
    assert len(found) >= 1


def test_none_is_missed_between(rng):
    """On a fine grid the number of stable outputs, by dense eigenvalues, changes at the limits and nowhere else."""
    for name, bounds in (("orientation", (0.0, np.pi)), ("b", (0.0, 1.0)), ("sigma", (0.02, 1.0))):
        net = turned()
        found = np.array([limit.value for limit in net.limits(name, bounds)])
        grid = np.linspace(*bounds, 301)
        stable = []
        for value in grid:
            here = net.replace(**{name: float(value)})
            lam = np.linalg.eigvals(dense_jacobian(here.reduced, here.reduced_equilibrium()))
            stable.append(np.abs(lam).max() < 1)
        assert (np.histogram(found, grid)[0] == np.abs(np.diff(np.array(stable, dtype=int)))).all(), name


def test_fold_in_alpha_and_in_beta_is_one_ratio():
    """γ = α/β alone decides: (5 + γ)³ = 432 γ for equal neurons with r = σ = 1, and for others what last_beta says."""
    gamma = max(np.roots([1.0, 15.0, 75.0 - 432.0, 125.0]).real)
    net = Network(np.ones(3), np.ones(3), alpha=0.3, beta=0.01, sigma=1.0)
    (in_alpha,) = (limit for limit in net.limits("alpha", (0.0, 1.0)) if limit.kind == "fold")
    (in_beta,) = (limit for limit in net.limits("beta", (0.001, 0.5)) if limit.kind == "fold")
    assert in_alpha.value == pytest.approx(0.01 * gamma, rel=1e-8)
    assert in_beta.value == pytest.approx(0.3 / gamma, rel=1e-8)
    assert abs(in_alpha.value - 0.01 * gamma) < 10 * in_alpha.error < 1e-8
    assert (in_alpha.below, in_alpha.above) == ("no equilibrium", "saddle")
    assert (in_beta.below, in_beta.above) == ("saddle", "no equilibrium")
    other = turned(alpha=0.2, b=0.5, beta=0.0)
    fold = [limit for limit in other.limits("beta", (0.0, 0.1)) if limit.kind == "fold"]
    assert fold[0].value == pytest.approx(last_beta(other), rel=1e-9)


def test_continuation_meets_the_same_fold():
    net = turned(alpha=0.2, b=0.5, beta=1e-3)
    curve = bf.cycles(net.reduced, "beta", net.reduced_equilibrium())
    fold = bf.trace(curve, {"beta": (0.0, 0.004)}, control=bf.StepControl(farthest=60.0)).first("fold")
    (limit,) = (each for each in net.limits("beta", (0.0, 0.004)) if each.kind == "fold")
    assert abs(limit.value - fold.parameters["beta"]) < 10 * (limit.error + 1e-12)


@pytest.mark.slow
def test_fold_in_sigma_at_growth():
    net = turned(alpha=0.2, b=0.5, beta=1e-3)
    found = net.limits("sigma", (0.05, 1.2), samples=30)
    (fold,) = (limit for limit in found if limit.kind == "fold")
    assert (fold.below, fold.above) == ("saddle", "no equilibrium")
    net.replace(sigma=fold.value * (1 - 1e-7)).equilibrium()
    with pytest.raises(InvalidInput, match="no equilibrium"):
        net.replace(sigma=fold.value * (1 + 1e-7)).equilibrium()
    assert fold.error < 1e-8


def test_symmetric_modes_make_a_branch_point_before_the_fold():
    """Two equal neurons: 1 − λ of the antisymmetric mode vanishes on the branch, which goes on."""
    net = Network([1.0, 1.0], [1.0, 1.0], alpha=0.1, beta=1e-3, sigma=1.0)
    found = net.limits("beta", (1e-4, 0.02))
    assert [limit.kind for limit in found] == ["branch point", "fold"]
    here = net.replace(beta=found[0].value)
    lam = np.sort(np.linalg.eigvals(dense_jacobian(here.reduced, here.reduced_equilibrium())).real)
    assert lam[-1] == pytest.approx(1.0, abs=1e-8)
    assert found[0].outputs == (True, False)


def test_beta_zero_is_where_weights_change_their_mind():
    net = turned(alpha=0.01)
    found = {limit.kind: limit for limit in net.limits("beta", (-0.5, 0.5))}
    assert found["beta zero"].value == 0.0 and found["beta zero"].error == 0.0
    assert (found["beta zero"].below, found["beta zero"].above) == ("weights settle", "saddle")
    assert found["beta zero"].outputs == (True, True)
    assert "fold" in found


def test_border_where_a_neuron_falls_silent():
    """At β = 0 the verdict jumps where the last current passes 0: with a target and no drive the weights drift.

    On the other side, where its drive vanishes and its target does not, its gain R²/r has no bound: there it flips.
    """
    net = ring(6, (0.8, 0.0), (0.8, 0.4), alpha=0.05, beta=0.0, sigma=0.6, b=0.1, floor=0.2, target="frozen")
    found = net.limits("b", (-0.3, 0.2))
    border, flip = found[-2:]
    lowest = (net.stimuli.at(net.parameters).current - 0.1).min()
    assert (border.kind, flip.kind) == ("border", "flip")
    assert border.value == pytest.approx(-lowest, abs=1e-14) and border.error < 1e-14
    assert (border.below, border.above) == ("outputs settle", "flips")
    assert (flip.below, flip.above) == ("flips", "neutral manifold")
    here = net.replace(b=flip.value)
    R = here.response(here.reduced_equilibrium())
    assert 0.05 * np.linalg.eigvals(bracket(here.drive, R)).real.max() / 6 == pytest.approx(2.0, abs=1e-9)


def test_a_pair_between_samples_is_met_at_its_minimum():
    grid = np.linspace(0.0, 1.0, 12)
    (found,) = hidden_sign_changes(lambda x: (x - 0.49) ** 2 - 1e-6, grid)
    assert 0.489 < found < 0.491
    assert hidden_sign_changes(lambda x: (x - 0.49) ** 2 + 1e-6, grid) == []


def test_bounds_by_default_and_as_allowed():
    net = literal(8, (0.8, 0.0), (0.8, 1.5), alpha=0.5, beta=0.0, sigma=1 / 6, b=0.05)
    assert all(0 <= limit.value <= 1 for name in ("alpha", "beta") for limit in net.limits(name, samples=20))
    with pytest.raises(InvalidInput, match=re.escape("bounds is (-1, 1); it must be a rising pair of finite numbers")):
        net.limits("beta", (-1, 1))
    free = turned()
    for bad in ((1.0, 0.0), (0.0, np.inf), 3, ("a", 1), (0.0,)):
        with pytest.raises(InvalidInput, match="bounds is"):
            free.limits("alpha", bad)
    with pytest.raises(InvalidInput, match="no parameter 'gamma'; it has alpha, beta, sigma, b"):
        free.limits("gamma")
    with pytest.raises(InvalidInput, match="samples is 2"):
        free.limits("alpha", samples=2)


def test_nothing_changes_where_nothing_can():
    assert turned().limits("contrast", (0.0, 0.05)) == ()
    net = Network([1.0], [1.0], alpha=0.0, beta=-0.5, sigma=0.3)
    assert net.limits("sigma", (0.1, 1.0)) == ()


# Growth, where the branch from β = 0 can end and neurons can enter


def told(net, name, value):
    """The verdict asked anew; None where rounding decides (next to a pole or to the circle)."""
    try:
        found = net.replace(**{name: float(value)}).verdict()
    except InvalidInput:
        return "undefined", False
    if "too close to a pole" in found.reason or (found.stability is not None and found.stability.outputs == "neutral"):
        return None
    return found.kind, found.outputs_settle


def contradictions(net, name, bounds, found, points):
    """Points at which the verdict is another than the limits say."""
    edges = [bounds[0], *(limit.value for limit in found), bounds[1]]
    say = [(limit.below, limit.outputs[0]) for limit in found] + [(each.above, each.outputs[1]) for each in found[-1:]]
    after = [(limit.above, limit.outputs[1]) for limit in found]
    assert say[1:] == after
    say = say or [next(each for each in (told(net, name, value) for value in points) if each is not None)]
    width = bounds[1] - bounds[0]
    points = [value for value in points if np.abs(np.array(edges) - value).min() > 1e-7 * width]
    for k, limit in enumerate(found):
        points.append(limit.value - min(1e-5 * width, 0.5 * (limit.value - edges[k])))
        points.append(limit.value + min(1e-5 * width, 0.5 * (edges[k + 2] - limit.value)))
    want = [say[int(np.searchsorted(edges[1:-1], value))] for value in points]
    return [value for value, each in zip(points, want, strict=True) if told(net, name, value) not in (None, each)]


def any_network(rng):
    """Plain or a ring, of either sign of β down to 1e-9."""
    n = int(rng.integers(1, 5))
    made = {"alpha": 10 ** rng.uniform(-3, 0.5), "sigma": rng.uniform(0.05, 1.2)}
    made["beta"] = rng.choice([-1, 1]) * 10 ** rng.uniform(-9, -0.5)
    if rng.random() < 0.4:
        return Network(rng.uniform(0.02, 1.5, n), rng.uniform(0.02, 1.5, n), **made)
    stimulus = [(rng.uniform(0.2, 1), rng.uniform(0, np.pi)) for _ in range(rng.integers(1, 3))]
    if len(stimulus) == 2 and rng.random() < 0.4:
        stimulus[1] = (-0.3 * stimulus[1][0], stimulus[1][1])
    baseline, b = (rng.uniform(0.2, 1), rng.uniform(0, np.pi)), rng.choice([0.0, 0.05, 0.2])
    return ring(n, baseline, stimulus, b=float(b), target=str(rng.choice(["baseline", "frozen"])), **made)


@pytest.mark.slow
def test_limits_are_where_the_verdict_changes_and_nowhere_else(rng):
    met, lines = 0, 0
    while lines < 150:
        try:
            net = any_network(rng)
        except InvalidInput:  # no neuron is driven
            continue
        name = str(rng.choice(list(net.parameters)))
        bounds = BOUNDS.get(name.partition("_")[0], (0.0, np.pi))
        if name == "beta" and rng.random() < 0.5:
            bounds = tuple(np.array([-1.0, 1.0]) * 10 ** rng.uniform(-6, -1))
        found = net.limits(name, bounds, samples=40)
        edges = np.array([bounds[0], *(limit.value for limit in found), bounds[1]])
        points = (edges[:-1] + rng.uniform(0.01, 0.99, (2, len(edges) - 1)) * np.diff(edges)).ravel().tolist()
        if lines % 50 == 0:
            points += np.linspace(*bounds, 402)[1:-1].tolist()
        assert contradictions(net, name, bounds, found, points) == [], (net, name, bounds, found)
        met, lines = met + len(found), lines + 1
    assert met >= 100


def test_where_a_neuron_enters_and_where_two_folds_are_born():
    """β > 0: the whole line agrees with the verdict, from silence on and past jumps of the branch's end."""
    flat = ring(4, (0.8, 0.5), (0.8, 0.5), alpha=0.5, beta=0.002, sigma=0.3)
    turning = ring(2, (0.6, 0.0), (0.363527, 0.870499), alpha=0.368827, beta=0.001, sigma=0.704795)
    frozen = ring(2, (0.55, 1.1), (0.52, 0.08), alpha=0.3, beta=0.01, sigma=1.0, target="frozen")
    mixed = ring(1, (0.787, 0.563), [(-0.197, 0.886), (0.694, 0.373)], alpha=0.05, beta=0.01, sigma=1.0)
    for net, name, bounds, known in (
        (flat, "contrast", (0.0, 1.0), [("flip", 0.0546658)]),
        (turning, "orientation", (0.0, np.pi), [("border", 0.5545319), ("border", 2.5870607)]),
        (frozen, "sigma", (0.0, 10.0), [("border", 8.0290586)]),
        (mixed, "contrast_2", (0.06, 1.0), [("flip", 0.2750369), ("border", 0.5505976)]),
    ):
        found = net.limits(name, bounds)
        assert [(limit.kind, round(limit.value, 7)) for limit in found] == known
        assert contradictions(net, name, bounds, found, np.linspace(*bounds, 32)[1:-1].tolist()) == []


def test_continuation_meets_a_fold_where_two_were_born_and_none_before():
    net = ring(1, (0.787, 0.563), [(-0.197, 0.886), (0.694, 0.373)], alpha=0.05, beta=0.01, sigma=1.0)
    _, born = net.limits("contrast_2", (0.06, 1.0))
    folds = []
    for side in (-1e-2, 1e-2):
        here = net.replace(contrast_2=born.value + side, beta=1e-5)
        curve = bf.cycles(here.reduced, "beta", here.reduced_equilibrium())
        folds.append(len(bf.trace(curve, {"beta": (1e-6, 0.01)}, control=bf.StepControl(farthest=1e4)).of("fold")))
    assert folds[0] == 0 and folds[1] >= 1


def test_a_narrow_gap_between_two_folds_is_met():
    """Just before the two folds are born there is none; just after, they are closer than samples of γ."""
    net = ring(2, (0.55, 1.1), (0.52, 0.08), alpha=0.3, beta=0.01, sigma=1.0, target="frozen")
    there, gone = (scalar_of(net.replace(sigma=sigma)) for sigma in (8.0291, 8.02905))
    assert last_ratio(there) is None
    end = last_ratio(gone)
    scan = end * np.linspace(1.02, 0.9, 4000)
    depths = np.array([gone.at(gamma).depth() for gamma in scan.tolist()])
    missing = scan[depths > 0.0]
    assert missing[0] <= end <= missing[0] * 1.0001
    assert missing[-1] > missing[0] * FACTOR


def test_a_root_that_is_born_anew_is_no_end_of_the_branch():
    """Towards larger σ the scalar equation has a root again before the branch itself reaches β."""
    made = {"alpha": 0.079685, "beta": 0.00155503, "b": 0.2}
    net = ring(2, (0.62896578, 1.80674122), (0.30521811, 0.17411907), sigma=0.0721943, target="frozen", **made)
    net = net.replace(target=[0.21241808, 1.75566943])
    found = net.limits("sigma")
    assert [limit.kind for limit in found] == ["border", "flip"]
    again = net.replace(sigma=found[0].value * (1 - 1e-3))
    assert scalar_of(again).branch() is not None and again.verdict().kind == "no equilibrium"
    assert contradictions(net, "sigma", (0.0, 10.0), found, np.linspace(0.0, 10.0, 42)[1:-1].tolist()) == []


def test_no_fold_at_a_ratio_that_is_only_large():
    """One neuron of little drive: the branch reaches every β, and the scan's own ends are no folds."""
    net = Network([0.2], [1.0], alpha=1.0, beta=1e-3, sigma=1.0)
    assert [limit.kind for limit in net.limits("alpha", (0.0, 1e-5))] == ["flip"]
    assert [limit.kind for limit in net.replace(alpha=1e-5).limits("beta")] == ["flip", "flip"]
    assert last_beta(net, 1e9) == 1e9


def test_a_fold_next_to_beta_zero():
    net = ring(6, (0.38016575, 0.90049885), (0.7944276, 2.32705707), alpha=3.0, beta=-0.1, sigma=1.0)
    zero, fold = net.limits("beta", (-0.01, 0.01))
    assert (zero.kind, zero.value, zero.below, zero.above) == ("beta zero", 0.0, "weights settle", "saddle")
    assert (fold.kind, fold.below, fold.above) == ("fold", "saddle", "no equilibrium")
    low, high = 2.3e-9, 2.5e-9
    while high - low > 1e-13 * high:
        middle = 0.5 * (low + high)
        gone = net.replace(beta=middle).verdict().kind == "no equilibrium"
        low, high = (low, middle) if gone else (middle, high)
    assert fold.value == pytest.approx(low, rel=1e-11)
