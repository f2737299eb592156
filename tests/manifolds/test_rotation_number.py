"""Rotation numbers against closed forms, reference values, and averages over far longer orbits."""

import numpy as np
import pytest
from global_reference import GLOBAL, reference_map

import bifurcate as bf

GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
TURN = 2 * np.pi


def sine(x, w, K):
    return x + w - K / (2 * np.pi) * np.sin(2 * np.pi * x)


def circle(w=0.2, K=0.5):
    return bf.Map(sine, {"w": w, "K": K}, jacobian=lambda x, w, K: 1 - K * np.cos(2 * np.pi * x), periodic=1.0)


def rigid(z, w, mu):
    """An attracting circle of radius √mu, on which every state goes round by w turns; and a contracting third axis."""
    u, v, s = z
    g = 1 + mu - u * u - v * v
    c, d = np.cos(2 * np.pi * w), np.sin(2 * np.pi * w)
    return np.array([g * (c * u - d * v), g * (d * u + c * v), 0.5 * s + u * v])


@pytest.mark.parametrize(
    ("name", "start"),
    [("curve_delayed_2.1", [0.6, 0.6]), ("curve_gh3", [0.6, 0.6, 0.6]), ("curve_hidden_circle", [0.2, 0.1])],
)
def test_reference_values_of_curves(name, start):
    found = bf.rotation_number(reference_map(name, at=None), start, parameters=GLOBAL[name]["parameters"] or None)
    assert found.kind == "quasi-periodic" and found.error < 1e-12
    assert abs(abs(found.value) - GLOBAL[name]["value"][0]) < 2e-12


def test_reference_value_of_the_sine_circle_map():
    entry = GLOBAL["rotation_circrho_0.2_0.5"]
    found = bf.rotation_number(reference_map(entry["name"], periodic=1.0), [0.1])
    assert abs(found.value - entry["value"]) <= found.error < 1e-13


def test_golden_mean_at_the_break_up_of_the_sine_circle_map():
    omega = GLOBAL["golden_circle_K1"]["value"]
    found = bf.rotation_number(circle(omega, 1.0), [0.1], steps=2**15)
    assert abs(found.value - GOLDEN) <= found.error < 1e-7
    below, above = (bf.rotation_number(circle(omega + d, 1.0), [0.1], steps=2**13) for d in (-1e-5, 1e-5))
    assert below.value < GOLDEN < above.value


@pytest.mark.parametrize("w", [0.1234567890123, -0.3, GOLDEN / 2])
def test_rigid_rotation_to_rounding_with_its_sign_from_the_plane(w):
    found = bf.rotation_number(bf.Map(rigid, {"w": w, "mu": 0.1}), [0.2, 0.1, 0.0])
    assert abs(found.value - w) <= found.error < 1e-12
    turned = bf.rotation_number(bf.Map(rigid, {"w": w, "mu": 0.1}), [0.2, 0.1, 0.0], centre=[0.05, -0.1])
    assert abs(turned.value - w) <= turned.error


def test_a_locked_orbit_has_its_exact_fraction():
    found = bf.rotation_number(circle(0.34), [0.1])
    assert found.kind == "locked" and found.fraction == (1, 3) and found.value == 1 / 3 and found.error == 0.0
    low, high = GLOBAL["tongue_circle_2_5_0.9"]["value"]
    for w in (low + 1e-8, 0.5 * (low + high), high - 1e-8):
        assert bf.rotation_number(circle(w, 0.9), [0.3]).fraction == (2, 5)


def test_a_lift_counts_whole_turns_and_a_reduced_coordinate_does_not():
    lift, reduced = circle(2.2), bf.Map(lambda x, w, K: sine(x, w, K) % 1.0, {"w": 2.2, "K": 0.5}, periodic=1.0)
    once = bf.rotation_number(circle(0.2), [0.1]).value
    assert abs(bf.rotation_number(lift, [0.1]).value - once - 2.0) < 1e-12
    assert abs(bf.rotation_number(reduced, [0.1]).value - once) < 1e-12


@pytest.mark.parametrize("distance", [1e-4, 1e-6, 1e-9, 1e-12])
def test_an_orbit_that_creeps_past_a_lost_fixed_point_does_not_pass_for_a_locked_one(distance):
    # f(x) − x = ε + πK(x − ¼)² + …: the gap takes π/√(ε πK) steps, of which one turn consists where ε is small
    K = 0.5
    found = bf.rotation_number(circle(K / (2 * np.pi) + distance, K), [0.1], steps=2**14)
    expected = np.sqrt(distance * np.pi * K) / np.pi
    assert found.kind != "locked" and abs(found.value - expected) <= found.error + 1e-2 * expected


@pytest.mark.slow
def test_claimed_errors_hold_against_orbits_eight_times_as_long():
    rng = np.random.default_rng(3)
    w, K = rng.uniform(0.0, 1.0, 20), rng.uniform(0.3, 1.0, 20)
    count = 2**17
    t = (np.arange(count) + 1.0) / (count + 1.0)
    weight = np.exp(-1.0 / (t * (1.0 - t)))
    x, expected = np.full(20, 0.1), np.zeros(20)
    for i in range(count):
        y = sine(x, w, K)
        expected += weight[i] / weight.sum() * (y - x)
        x = y - np.floor(y)
    found = [bf.rotation_number(circle(*each), [0.1], steps=2**14) for each in zip(w.tolist(), K.tolist())]
    assert sum(abs(a.value - b) > a.error + 1e-12 for a, b in zip(found, expected)) <= 1
    assert sum(each.error < 1e-10 for each in found) >= 10


def test_a_crescent_whose_middle_lies_outside():
    def bent(x, w):
        u, v = np.arctan2(x[1], x[0]) / 2.6, 4.0 * (np.hypot(x[0], x[1]) - 1.0)
        g, c, d = 1.9 - u * u - v * v, np.cos(TURN * w), np.sin(TURN * w)
        u, v = g * (c * u - d * v), g * (d * u + c * v)
        return (1.0 + 0.25 * v) * np.array([np.cos(2.6 * u), np.sin(2.6 * u)])

    found = bf.rotation_number(bf.Map(bent, {"w": GOLDEN / 3}), [-0.46, 1.08])
    assert abs(abs(found.value) - GOLDEN / 3) <= found.error < 1e-11


def test_what_has_no_rotation_number_says_so():
    chaotic = bf.rotation_number(bf.maps.henon(), [0.1, 0.1], steps=2**13)
    assert chaotic.kind == "not quasi-periodic" and np.isnan(chaotic.value) and "chaotic" in str(chaotic)
    settled = bf.rotation_number(bf.maps.delayed_logistic(1.9), [0.5, 0.4])
    assert settled.kind == "not quasi-periodic" and "fixed point" in settled.note
    beside = bf.rotation_number(bf.Map(rigid, {"w": GOLDEN, "mu": 0.1}), [0.2, 0.1, 0.0], centre=[2.0, 2.0])
    assert beside.kind == "undecided" and "goes round 0 times" in beside.note
    with pytest.raises(bf.errors.MapFailed, match="diverges"):
        bf.rotation_number(bf.maps.henon(), [9.0, 9.0])


def test_an_invariant_circle_and_an_island_of_the_standard_map():
    def f(z, K):
        p = z[1] + K / (2 * np.pi) * np.sin(2 * np.pi * z[0])
        return np.array([z[0] + p, p])

    standard = bf.Map(f, {"K": 0.5}, periodic=(1.0, None))
    assert bf.rotation_number(standard, [0.1, 0.3819]).kind == "quasi-periodic"
    island = bf.rotation_number(standard, [0.5, 0.1])
    assert abs(island.value) <= island.error < 1e-11


def test_bad_arguments_are_refused_in_words():
    with pytest.raises(bf.errors.InvalidInput, match="declare its period"):
        bf.rotation_number(bf.maps.logistic(), [0.3])
    with pytest.raises(bf.errors.InvalidInput, match="name one"):
        bf.rotation_number(bf.Map(lambda z: z + 0.1, {}, periodic=(1.0, 1.0)), [0.1, 0.2])
    with pytest.raises(bf.errors.InvalidInput, match="plane is"):
        bf.rotation_number(bf.maps.henon(), [0.1, 0.1], plane=(0, 2))
    with pytest.raises(bf.errors.InvalidInput, match="goes round 2 times"):
        bf.rotation_number(bf.Map(lambda x: 2 * x, {}, periodic=1.0), [0.1])
