"""Branches: exact arrival, loops, folds, jumps avoided, reasons for the end, and what is refused."""

import numpy as np
import pytest
import scipy.sparse as sp

import bifurcate as bf
from bifurcate.errors import BifurcateError, InvalidInput, NoSuchPoint, NotConverged

LONG = bf.StepControl(first=0.1, largest=0.2)


def circle(p=0.0):
    return bf.Map(lambda x, p: x + 0.1 * (x**2 + p**2 - 1.0), {"p": p})


def test_a_loop_closes_on_its_first_point_and_has_its_two_folds():
    branch = bf.trace(bf.cycles(circle(), "p", [-1.0]), {"p": (-2.0, 2.0)})
    assert [stop.reason for stop in branch.stop] == ["closed", "closed"]
    assert np.abs(branch.states[:, 0] ** 2 + branch["p"] ** 2 - 1.0).max() < 1e-8
    assert np.abs(branch.states[0] - branch.states[-1]).max() < 1e-12
    assert sorted(round(point.parameters["p"], 9) for point in branch.of("LP")) == [-1.0, 1.0]
    turned = np.unwrap(np.arctan2(branch["p"], branch.states[:, 0]))
    assert abs(abs(turned[-1] - turned[0]) - 2 * np.pi) < 1e-9


def test_bounds_are_reached_exactly_in_both_directions():
    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.7, 2.9)})
    assert (branch["r"][0], branch["r"][-1]) == (0.7, 2.9)
    assert [stop.reason for stop in branch.stop] == ["bound", "bound"]
    assert (np.diff(branch["r"]) > 0).all() and (np.diff(branch.arclength) > 0).all()
    assert np.abs(branch.states[:, 0] - (1 - 1 / branch["r"])).max() < 1e-9


def test_a_start_on_the_bound_goes_one_way():
    branch = bf.trace(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), {"r": (2.5, 3.2)})
    assert branch["r"][0] == 2.5 and branch["r"][-1] == 3.2


@pytest.mark.parametrize("gap", [1e-2, 1e-3, 1e-4, 1e-5])
def test_an_imperfect_pitchfork_is_followed_without_a_jump(gap):
    imperfect = bf.Map(lambda x, p: x + 0.3 * (p * x - x**3 + gap), {"p": -0.8})
    branch = bf.trace(
        bf.cycles(imperfect, "p", [gap]), {"p": (-1.0, 1.0)}, control=bf.StepControl(first=0.02, largest=0.1)
    )
    assert branch["p"][-1] == 1.0 and abs(branch.states[-1, 0] - 1.0) < 0.01
    assert (branch.states > 0).all() and branch.special == ()


def test_stability_agrees_with_the_closed_form():
    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.8)})
    assert np.array_equal(branch.stable, np.abs(2 - branch["r"]) < 1)
    # A residual ε of x moves x by ε/|1 − λ|, and the multiplier r (1 − 2x) by 2 r times that.
    residual = np.array([point.residual for point in branch.points])
    allowed = 1e-12 + 2 * branch["r"] * residual / np.abs(branch["r"] - 1)
    assert (np.abs(branch.multipliers[:, 0] - (2 - branch["r"])) < 1.1 * allowed).all()


def test_states_of_any_shape():
    square = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5})
    branch = bf.trace(bf.cycles(square, "r", np.full((2, 3), 0.6)), {"r": (2.0, 3.2)})
    assert branch.states.shape[1:] == (2, 3)
    assert branch.first("flip").multiplicity == 6
    scalar = bf.trace(bf.cycles(square, "r", 0.6), {"r": (2.0, 3.2)})
    assert scalar.first("flip").state.shape == ()


@pytest.mark.parametrize("kind", ["jvp", "sparse"])
def test_matrix_free_and_sparse_paths_agree_with_the_closed_form(kind, rng):
    n = 320
    d = np.append(-1.0, rng.uniform(-0.7, 0.7, n - 1))
    sparse = {"jacobian": lambda x, p: sp.diags_array(p * d - 3 * x**2).tocsr()}
    given = {"jvp": lambda x, v, p: (p * d - 3 * x**2) * v} if kind == "jvp" else sparse
    map = bf.Map(lambda x, p: p * d * x - x**3, {"p": 0.9}, **given)
    fixed = bf.trace(bf.cycles(map, "p", np.zeros(n)), {"p": (0.8, 1.2)}, control=LONG)
    flip = fixed.first("flip")
    assert flip.multiplicity == 1 and abs(flip.parameters["p"] - 1.0) < 1e-10
    assert [point.label for point in fixed.special] == ["PD"]
    doubled = bf.trace(bf.switch(flip), {"p": (0.8, 1.2)}, control=LONG)
    # In the first component −p x − x³ has the 2-cycle x² = −(p − 1), on the side p < 1.
    assert np.abs(doubled.states[:, 0] ** 2 - (1 - doubled["p"])).max() < 1e-8


def test_interrupt_keeps_what_was_found():
    def impatient(point, seen=[]):  # noqa: B006
        seen.append(point)
        if len(seen) == 10:
            raise KeyboardInterrupt

    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)}, progress=impatient)
    assert len(branch) in (9, 10) and "interrupted" in {stop.reason for stop in branch.stop}


def test_steps_run_out_with_that_reason():
    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.9)}, control=bf.StepControl(max_steps=5))
    assert [stop.reason for stop in branch.stop] == ["steps", "steps"] and len(branch) == 11


def test_keep_and_detect():
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    branch = bf.trace(curve, {"a": (0.0, 0.5)}, keep=lambda state: state[0])
    assert branch.states.shape == (len(branch),)
    bare = bf.trace(curve, {"a": (0.0, 0.5)}, detect=False)
    assert bare.special == ()
    with pytest.raises(InvalidInput, match="detect=False"):
        _ = bare.stable


def test_the_generator_yields_the_same_points_as_trace():
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    walked = [step.point.u for step in bf.steps(curve, {"r": (2.0, 3.2)})]
    traced = bf.trace(curve, {"r": (2.0, 3.2)})
    assert np.array_equal(np.array(walked)[:, 1], traced["r"][traced["r"] >= 2.5])


def test_missing_kind_quotes_the_ends():
    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 2.9)})
    with pytest.raises(NoSuchPoint, match=r"no flip on this branch.*bound r = 2\.9 exactly"):
        branch.first("flip")
    with pytest.raises(InvalidInput, match="no kind 'hopf'"):
        branch.first("hopf")


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "bounds must give an interval for 'r'"),
        ({"r": (3.0, 2.0)}, r"low < high"),
        ({"r": (0.0, np.inf)}, r"both finite"),
        ({"r": (2.6, 3.0)}, r"the start has r = 2.5, outside its bounds"),
        ({"r": (2.0, 3.0), "q": (0, 1)}, "bounds name 'q'"),
    ],
)
def test_unusable_bounds(bounds, words):
    with pytest.raises(InvalidInput, match=words):
        bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), bounds)


def test_unusable_curves():
    with pytest.raises(InvalidInput, match="has no parameter 'q'; it has r"):
        bf.cycles(bf.maps.logistic(), "q", [0.6])
    with pytest.raises(InvalidInput, match="period is 0"):
        bf.cycles(bf.maps.logistic(), "r", [0.6], period=0)
    with pytest.raises(InvalidInput, match="wrap the function"):
        bf.cycles(lambda x, r: x, "r", [0.6])
    with pytest.raises(InvalidInput, match="NaN"):
        bf.cycles(bf.maps.logistic(), "r", [np.nan])


def test_hopeless_and_singular_starts():
    no_solution = bf.Map(lambda x, p: x + 1.0 + x**2 + p**2, {"p": 0.0})
    with pytest.raises(NotConverged, match="could not be corrected"):
        bf.trace(bf.cycles(no_solution, "p", [3.0]), {"p": (-1.0, 1.0)})
    crossing = bf.trace(bf.cycles(bf.maps.logistic(r=1.0), "r", [0.0]), {"r": (0.5, 1.5)})
    assert [point.label for point in crossing.special] == ["BP"]
    line = bf.Map(lambda z, p: np.array([z[0], 0.5 * z[1] + p]), {"p": 0.1})
    with pytest.raises(BifurcateError, match="not isolated"):
        bf.trace(bf.cycles(line, "p", [0.0, 0.2]), {"p": (-1.0, 1.0)})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: bf.trace(c, {"r": 3.0}), "an interval"),
        (lambda c: bf.trace(c, {"r": (1.0, 2.0, 3.0)}), "an interval"),
        (lambda c: bf.trace(c, None), "bounds must be a dict"),
        (lambda c: bf.trace(c, {"r": (2.0, 3.0)}, control={}), "control must be a StepControl"),
        (lambda c: bf.StepControl(angle=float("nan")), "angle is nan"),
        (lambda c: bf.StepControl(max_steps=2.5), "max_steps is 2.5"),
        (lambda c: bf.StepControl(largest=1e-9), "0 < smallest ≤ first ≤ largest"),
        (lambda c: bf.switch(c), "point must be a SpecialPoint"),
        (lambda c: bf.switch(bf.trace(c, {"r": (2.0, 3.2)}).first("PD"), amplitude=-1), "amplitude is -1"),
        (lambda c: bf.solve(lambda x: x, [0.5]), "map must be a Map"),
    ],
)
def test_unusable_calls_name_the_argument(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(bf.cycles(bf.maps.logistic(), "r", [0.6]))


@pytest.mark.parametrize("sides", [(1, -1), (-1, 1), (1,), (-1,)])
def test_a_loop_closes_at_both_of_its_ends(sides):
    isola = bf.Map(lambda x, p: x + 0.1 * (1 - x**2 - p**2), {"p": 0.0})
    branch = bf.trace(bf.cycles(isola, "p", [1.0]).replace(sides=sides), {"p": (-2.0, 2.0)})
    assert branch.stop.first.reason == branch.stop.last.reason == "closed"
    assert sorted(round(point.parameters["p"], 9) for point in branch.special) == [-1.0, 1.0]
    assert np.abs(branch.states[0] - branch.states[-1]).max() < 1e-9


@pytest.mark.parametrize("sides", [(1, -1), (-1, 1)])
def test_the_ends_belong_to_their_points_whichever_side_is_followed_first(sides):
    branch = bf.trace(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]).replace(sides=sides), {"r": (2.0, 2.9)})
    for point, stop in ((branch[0], branch.stop.first), (branch[-1], branch.stop.last)):
        assert stop.reason == "bound" and stop.detail == f"r = {point.parameters['r']:.10g}"
