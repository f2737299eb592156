"""What a network accepts, what it refuses and in which words, and how it is changed, copied and shown."""

import pickle
import re

import numpy as np
import pytest
from network_cases import draw, draw_ring, near

import bifurcate as bf
from bifurcate.adaptation import Network, last_beta, literal, raised_cosine, ring
from bifurcate.errors import InvalidInput

RATES = {"alpha": 0.1, "beta": -0.1, "sigma": 0.5}


def made(**changed):
    return Network(changed.pop("drive", [1.0, 0.5]), changed.pop("baseline_drive", [1.0, 1.0]), **{**RATES, **changed})


def turned(**changed):
    arguments = {"n": 4, "baseline": (0.8, 0.0), "stimulus": (0.8, 1.0), **RATES, **changed}
    return ring(**arguments)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"alpha": -0.1}, "alpha is -0.1; it must be a finite real number of at least 0"),
        ({"alpha": np.nan}, "alpha is nan; it must be a finite real number"),
        ({"beta": np.inf}, "beta is inf; it must be a finite real number"),
        ({"beta": "a"}, "beta is 'a'; it must be a finite real number"),
        ({"beta": 1j}, "beta is 1j; it must be a finite real number"),
        ({"sigma": -1e-9}, "sigma is -1e-09; it must be a finite real number of at least 0"),
        ({"drive": [0.0, 0.0]}, "leaves all neurons silent"),
        ({"drive": [1.0, -1.0]}, "drive has negative entries"),
        ({"drive": [1.0, np.nan]}, "drive has entries that are NaN"),
        ({"drive": [1.0, 1j]}, "drive has entries that are NaN, infinite or complex"),
        ({"drive": ["a", "b"]}, "must be made of real numbers"),
        ({"drive": []}, "drive has shape (0,); it must be (n,) with n ≥ 1"),
        ({"drive": [[1.0, 2.0]]}, "drive has shape (1, 2)"),
        ({"baseline_drive": [1.0]}, "baseline_drive has shape (1,); it must be (2,)"),
        ({"baseline_drive": None}, "baseline_drive"),
        ({"initial": np.ones((2, 3))}, "initial has shape (2, 3); it must be (2, 2)"),
        ({"initial": np.full((2, 2), np.nan)}, "initial has entries that are NaN"),
        ({"initial": -np.ones((2, 2))}, "beyond a pole"),
        ({"initial": -np.ones((2, 2)), "sigma": 0.0, "target": [1.0, 1.0]}, "sigma is 0"),
        ({"target": "mean"}, "target is 'mean'; allowed are baseline, frozen, ensemble"),
        ({"target": "ensemble"}, "no ensemble is given"),
        ({"target": [1.0, 1.0, 1.0]}, "target has shape (3, 1)"),
        ({"target": [1.0, np.nan]}, "target has entries that are NaN"),
        ({"target": "ensemble", "ensemble": [[1.0]]}, "ensemble has shape (1,); it must be (2,)"),
        ({"target": "ensemble", "ensemble": []}, "ensemble is []; give a list of at least one drive"),
        ({"target": "ensemble", "ensemble": 5}, "ensemble is 5"),
        ({"clip": "no"}, "clip is 'no'; it must be True or False"),
    ],
)
def test_networks_refuse(changed, words):
    with pytest.raises(InvalidInput, match=re.escape(words)):
        made(**changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"n": 0}, "n is 0; it must be a whole number of at least 1"),
        ({"n": 2.0}, "n is 2.0"),
        ({"n": True}, "n is True"),
        ({"stimulus": 0.8}, "stimulus is 0.8; give (contrast, orientation)"),
        ({"stimulus": (0.8, 90.0)}, "the orientation of stimulus has the entry 90; orientations are in radians"),
        ({"stimulus": (0.8,)}, "give (contrast, orientation)"),
        ({"stimulus": (0.8, np.nan)}, "the orientation of stimulus has entries that are NaN"),
        ({"stimulus": ([0.8, 0.2], [1.0])}, "contrasts of shape (2,) and orientations of shape (1,)"),
        ({"stimulus": [(0.8, 0.1), (0.2,)]}, "not all pairs"),
        ({"baseline": ("a", 0.0)}, "the contrast of baseline is 'a'"),
        ({"stimulus": (0.0, 1.0)}, "leaves all neurons silent"),
        ({"stimulus": (-0.5, 1.0), "b": 0.0}, "leaves all neurons silent"),
        ({"b": np.nan}, "b has entries that are NaN"),
        ({"b": [0.1, 0.2]}, "b has shape (2,)"),
        ({"floor": 1.5}, "floor is 1.5"),
        ({"half_width": 2.0}, "half_width is 2.0"),
        ({"tuning": lambda t, p: np.ones(3)}, "tuning returns shape (3,) for 1 orientations; it must be (1, 4)"),
        ({"tuning": lambda t, p: np.full((len(t), len(p)), np.nan)}, "tuning returns numbers that are NaN"),
        ({"ensemble": 3, "target": "ensemble"}, "ensemble is 3"),
        ({"ensemble": [(0.5, np.inf)], "target": "ensemble"}, "the orientation of ensemble[0]"),
    ],
)
def test_rings_refuse(changed, words):
    with pytest.raises(InvalidInput, match=re.escape(words)):
        turned(**changed)


@pytest.mark.parametrize("name", ["alpha", "beta", "b"])
def test_literal_confines_to_the_unit_interval(name):
    good = {"alpha": 0.1, "beta": 0.1, "sigma": 0.5, "b": 0.1}
    net = literal(4, (0.8, 0.0), (0.8, 1.0), **good)
    for value in (-0.01, 1.01):
        words = re.escape(f"{name} is {value}; it must be a finite real number in [0, 1]")
        with pytest.raises(InvalidInput, match=words):
            literal(4, (0.8, 0.0), (0.8, 1.0), **{**good, name: value})
        with pytest.raises(InvalidInput, match=words):
            net.replace(**{name: value})
        with pytest.raises(InvalidInput, match=words):
            net.replace(sigma=0.3).replace(**{name: value})
    for value in (0.0, 1.0):
        assert net.replace(**{name: value}).parameters[name] == value
    with pytest.raises(InvalidInput, match="sigma is -1"):
        net.replace(sigma=-1.0)


def test_elsewhere_rates_are_free():
    assert turned(alpha=3.0, beta=-2.5, b=-0.01, floor=0.2).beta == -2.5
    assert turned(beta=7.0).beta == 7.0


def test_the_maps_tell_each_others_states():
    net = made()
    with pytest.raises(InvalidInput, match=re.escape("the state has shape (2, 2); W r/n has shape (2,)")):
        bf.solve(net.reduced, net.equilibrium())
    with pytest.raises(InvalidInput, match=re.escape("the state has shape (2,); weights have shape (2, 2)")):
        bf.cycles(net.update, "alpha", net.reduced_equilibrium())


def test_states_of_wrong_shape_are_refused():
    net = made()
    for call in (net.project, net.response, net.lift, net.spectrum, net.stability):
        with pytest.raises(InvalidInput, match="a state has shape"):
            call(np.ones(3))
    with pytest.raises(InvalidInput, match="y has shape"):
        net.lift(np.ones((2, 2)))
    with pytest.raises(InvalidInput, match="patterns is"):
        net.equilibria(patterns="some")
    with pytest.raises(InvalidInput, match="which makes 2\\^13 choices"):
        Network(np.ones(13), np.ones(13), **RATES).equilibria(patterns="all")
    with pytest.raises(InvalidInput, match="highest"):
        last_beta(net, highest=-1.0)


def test_names_of_parameters():
    assert list(made().parameters) == ["alpha", "beta", "sigma"]
    assert list(turned().parameters) == ["alpha", "beta", "sigma", "b", "contrast", "orientation"]
    two = turned(stimulus=([0.8, -0.2], [1.0, 0.3]))
    assert two.parameters["contrast_2"] == -0.2
    assert two.parameters["orientation_1"] == 1.0
    assert len(two.parameters) == 8
    assert dict(two.update.parameters) == dict(two.reduced.parameters) == two.parameters


def test_ways_to_write_a_stimulus():
    pairs = turned(stimulus=[(0.8, 1.0), (-0.2, 0.3)])
    for same in (([0.8, -0.2], [1.0, 0.3]), np.array([[0.8, 1.0], [-0.2, 0.3]]), [[0.8, 1.0], [-0.2, 0.3]]):
        assert near(turned(stimulus=same).drive, pairs.drive, 0.0)
    assert near(turned(stimulus=[0.8, 1.0]).drive, turned().drive, 0.0)
    f = raised_cosine([1.0, 0.3], np.arange(4) * np.pi / 4)
    assert near(pairs.drive, np.maximum(0.8 * f[0] - 0.2 * f[1], 0) ** 2, 1e-15)


def test_tuning_of_ones_own():
    def bumps(orientation, preferred):
        return 0.1 + 0.9 * np.exp(2.0 * (np.cos(2.0 * np.subtract.outer(orientation, preferred)) - 1.0))

    net = turned(tuning=bumps, b=0.2)
    assert near(net.drive, (0.8 * bumps([1.0], np.arange(4) * np.pi / 4)[0] + 0.2) ** 2, 1e-15)
    net.update.check(net.initial)


def test_replace(rng):
    net = draw_ring(rng)
    other = net.replace(contrast=0.33, sigma=0.7, b=0.01)
    assert (other.parameters["contrast"], other.sigma, other.parameters["b"]) == (0.33, 0.7, 0.01)
    assert other.alpha == net.alpha
    W = rng.uniform(0.5, 1.5, (6, 6))
    assert near(other.update(W), net.update(W, contrast=0.33, sigma=0.7, b=0.01), 1e-15)
    assert net.replace(clip=True).clip
    many = net.replace(target="ensemble", ensemble=[(0.5, 0.0), (0.4, 1.0)])
    assert many.replace(sigma=0.9).target_rule.ensemble
    assert near(many.replace(target="baseline").target(), net.target(), 0.0)
    for bad in ("gamma", "drive", "n"):
        with pytest.raises(InvalidInput, match=f"a network has no '{bad}' to replace; it has alpha, beta"):
            net.replace(**{bad: 1.0})
    with pytest.raises(InvalidInput, match="contrast is nan"):
        net.replace(contrast=np.nan)
    given = draw(rng, n=3)[0]
    assert near(given.replace(drive=[1.0, 2.0, 3.0]).drive, [1.0, 2.0, 3.0], 0.0)
    with pytest.raises(InvalidInput, match="baseline_drive has shape"):
        given.replace(baseline_drive=[1.0])


def test_a_network_does_not_share_what_it_was_made_of():
    r, W0 = np.array([1.0, 0.5]), np.ones((2, 2))
    net = Network(r, r, **RATES, initial=W0)
    r[0], W0[0, 0] = 9.0, 9.0
    assert net.drive[0] == 1.0
    assert net.initial[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        net.initial[0, 0] = 2.0
    with pytest.raises(AttributeError):
        net.alpha = 0.3


def test_networks_travel_between_processes(rng):
    for net in (draw_ring(rng, 2), draw(rng)[0], draw_ring(rng, target="frozen")):
        W = np.array(net.initial)
        expected = net.update(W)
        copy = pickle.loads(pickle.dumps(net))
        assert near(copy.update(W), expected, 0.0)
        assert copy.parameters == net.parameters
        assert len(pickle.dumps(net)) < 5000


def test_advice_names_the_manifold_and_the_way_out():
    advice = made(beta=0.0).update.advice
    assert "n(n-1) dimensions" in advice
    assert "net.reduced" in advice


def test_shown_as_its_parameters():
    assert repr(made()) == "Network(n=2, alpha=0.1, beta=-0.1, sigma=0.5)"
