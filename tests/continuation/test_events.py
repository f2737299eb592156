"""The user's events along a curve: zeros, values and ends, where they lie in closed form."""

import copy
import pickle

import numpy as np
import pytest
from global_reference import GLOBAL
from same import difference

import bifurcate as bf
from bifurcate.errors import InvalidInput, MapFailed, NoSuchPoint

LOGISTIC = bf.maps.logistic(r=2.5)  # the fixed point is x = 1 − 1/r


def follow(bounds=(1.5, 3.9), map=LOGISTIC, guess=(0.6,), **options):
    return bf.trace(bf.cycles(map, "r", list(guess)), {"r": bounds}, **options)


def above(x):
    return x[0] - 0.7


def test_zeros_of_a_function_are_located_within_their_errors():
    branch = follow(events={"half": lambda x, r: x[0] - 0.5, "x": bf.Event("x", lambda x: x[0], values=(0.6, 2 / 3))})
    half, point = branch.first("half"), branch.first("x")
    assert half.kind == "event" and half.label == "half" and half.form == "" and half.multiplicity == 0
    assert abs(half.parameters["r"] - 2) <= half.error < 1e-13
    assert abs(point.parameters["r"] - 2.5) <= point.error < 1e-13 and point.label == "x = 0.6"
    assert [abs(each.parameters["r"] - r) <= each.error for each, r in zip(branch.of("x"), (2.5, 3.0))] == [True, True]
    assert branch.of("x = 0.6") == (point,) and len(branch.of("event")) == 3
    assert "half at r = 2 ±" in str(half) and "1 half" in repr(branch)


def test_values_of_a_parameter_are_reached_exactly_ends_and_start_included():
    branch = follow(events={"r": (3.2, 3.3, 2.5, 1.5, 3.9)})
    found = [point.parameters["r"] for point in branch.of("r")]
    assert found == [1.5, 2.5, 3.2, 3.3, 3.9]
    errors = [abs(point.state[0] - (1 - 1 / r)) for point, r in zip(branch.of("r"), found)]
    assert max(errors[:1] + errors[2:]) < 1e-14 and errors[1] < 1e-11  # the start is as exact as the corrector's points


def test_a_value_on_both_sides_of_a_fold_is_met_twice():
    # x ↦ x + p − x²: fixed points x = ±√p.
    fold = bf.Map(lambda x, p: x + p - x * x, {"p": 0.25})
    branch = bf.trace(bf.cycles(fold, "p", [0.5]), {"p": (-1.0, 1.0)}, events={"p": 0.09, "x": lambda x: x[0] + 0.25})
    assert np.allclose([point.state[0] for point in branch.of("p")], [0.3, -0.3]) or np.allclose(
        [point.state[0] for point in branch.of("p")], [-0.3, 0.3]
    )
    assert abs(branch.first("x").parameters["p"] - 0.0625) <= branch.first("x").error < 1e-13


def test_the_branch_ends_at_an_event_in_either_direction():
    stop = [bf.Event("above", above, stop=True), bf.Event("r", values=2.0, stop=True)]
    branch = follow(events=stop)
    assert [end.reason for end in branch.stop] == ["event", "event"]
    assert branch["r"][0] == 2.0 and abs(branch["r"][-1] - 10 / 3) < 1e-13
    assert str(branch.stop.last).startswith("the branch was ended at the event above (r = 3.333333333)")
    assert [point.label for point in branch.special] == ["r = 2", "PD", "above"]
    assert branch.points[-1].spectrum.outside == 1 and len(branch.first("PD").coefficients) == 1


def test_the_branch_ends_at_the_first_point_of_a_kind():
    branch = follow((0.5, 3.9), guess=(0.6,), events={"PD": "stop", "branch point": "stop"})
    assert [end.reason for end in branch.stop] == ["event", "event"]
    assert np.allclose(branch["r"][[0, -1]], [1.0, 3.0], rtol=0, atol=1e-12)
    assert [point.label for point in branch.special] == ["BP", "PD"] and branch.doubts == ()


def test_two_zeros_in_one_step_and_one_that_only_comes_near():
    # x = 1 − 1/r; (x − 0.6)² − 10⁻⁴ has its zeros at x = 0.59 and 0.61, nearer to each other than a step.
    control = bf.StepControl(first=0.3, largest=0.3)
    events = {
        "pair": lambda x: (x[0] - 0.6) ** 2 - 1e-4,
        "near": lambda x: (x[0] - 0.6) ** 2 + 1e-4,
    }
    branch = follow((2.0, 3.9), guess=(0.55,), map=LOGISTIC.replace(r=2.2), events=events, control=control)
    assert np.allclose([point.state[0] for point in branch.of("pair")], [0.59, 0.61], rtol=0, atol=1e-12)
    assert branch.of("near") == ()
    with pytest.raises(NoSuchPoint, match="no near on this branch"):
        branch.first("near")


def test_a_jump_is_bracketed_and_said_to_be_one():
    branch = follow(events={"step": lambda x: 1.0 if x[0] > 0.55 else -1.0})
    point = branch.first("step")
    assert abs(point.parameters["r"] - 1 / 0.45) <= point.error < 1e-9 and point.note == "step jumps here"


def test_large_and_small_units_change_nothing():
    small = bf.Map(lambda x, r: r * x * (1 - x * 1e9), {"r": 2.5}, scale=1e-9)
    branch = bf.trace(bf.cycles(small, "r", [6e-10]), {"r": (1.5, 3.9)}, events={"half": lambda x: x[0] - 5e-10})
    point = branch.first("half")
    assert abs(point.parameters["r"] - 2) <= point.error < 1e-12


def test_cycles_and_curves_in_two_parameters_have_events():
    henon = bf.maps.henon(a=0.1, b=0.3)
    flip = follow_henon(henon).first("flip")
    curve = bf.locus(flip, free="b")
    events = {"b": 0.0, "a is one": lambda z, a, b: a - 1.0, "R2": "stop"}
    flips = bf.trace(curve, {"a": (-2, 5), "b": (-1.2, 0.9)}, events=events)  # a = 3 (1 − b)²/4
    assert abs(flips.first("b").parameters["a"] - 0.75) < 1e-12
    point = flips.first("a is one")
    assert abs(point.parameters["b"] - (1 - np.sqrt(4 / 3))) < 1e-12
    assert "event" in [end.reason for end in flips.stop] and flips.first("R2") is not None
    assert min(flips["b"]) == pytest.approx(-1.0, abs=1e-10)
    two = bf.trace(bf.switch(flip), {"a": (0.1, 0.9)}, events=[bf.Event("sum", lambda z: z[0] + z[1], (0.1,))])
    assert all(abs(sum(point.state) - 0.1) < 1e-12 for point in two.of("sum"))


def follow_henon(henon):
    return bf.trace(bf.cycles(henon, "a", [1.0, 0.3]), {"a": (-1, 2)})


def test_a_closed_branch_has_the_event_at_its_start_once():
    # x ↦ x + (p² + x² − 1) x/…: the circle p² + x² = 1 is a closed curve of fixed points.
    ring = bf.Map(lambda x, p: x + 0.1 * (p * p + x * x - 1.0), {"p": 0.6})
    branch = bf.trace(bf.cycles(ring, "p", [0.8]), {"p": (-2.0, 2.0)}, events={"p": (0.6, 0.0)})
    assert branch.stop.first.reason == "closed"
    assert sorted(point.parameters["p"] for point in branch.of("p")) == [0.0, 0.0, 0.6, 0.6]


def test_steps_report_them():
    following = bf.steps(bf.cycles(LOGISTIC, "r", [0.6]), {"r": (2.0, 3.2)}, events={"r": (2.5, 3.0)})
    found = [point for step in following for point in step.special]
    assert [point.label for point in found] == ["r = 2.5", "PD", "r = 3"] or [point.label for point in found] == [
        "r = 2.5",
        "r = 3",
        "PD",
    ]


def test_they_change_no_point_of_the_branch():
    plain, watched = follow(), follow(events={"half": lambda x: x[0] - 0.5, "r": 3.3})
    assert np.array_equal(plain["r"], watched["r"]) and np.array_equal(plain.states, watched.states)


def test_extending_goes_on_beyond_the_event_with_the_same_events():
    ended = follow((1.5, 3.5), events=[bf.Event("above", above, stop=True), bf.Event("r", values=3.6)])
    longer = bf.extend(ended, {"r": (1.5, 3.9)})
    assert longer["r"][-1] == 3.9 and longer.stop.last.reason == "bound"
    assert [point.label for point in longer.special] == ["PD", "above", "r = 3.6"]
    at_flip = bf.extend(follow((1.5, 3.5), events={"PD": "stop"}), {"r": (1.5, 3.5)})
    assert at_flip["r"][-1] == 3.5 and [point.label for point in at_flip.special] == ["PD"]


def test_they_last_in_files_journals_and_copies(tmp_path):
    def call(journal=None):
        return follow((1.5, 3.5), events=[bf.Event("above", above), bf.Event("r", values=2.25)], journal=journal)

    branch = call()
    assert difference(branch, call(tmp_path / "journal")) is None
    assert difference(branch, call(tmp_path / "journal")) is None
    assert difference(branch, pickle.loads(pickle.dumps(branch))) is None
    assert difference(branch, copy.deepcopy(branch)) is None
    again = bf.load(bf.save(branch, tmp_path / "branch.npz") or tmp_path / "branch.npz")
    assert again.first("above").parameters == branch.first("above").parameters and len(again.of("r")) == 1
    with pytest.raises(InvalidInput, match="give events=… again"):
        bf.extend(again, {"r": (1.4, 3.9)})
    longer = bf.extend(again, {"r": (1.4, 3.9)}, events={"above": above, "r": 3.75})
    assert [point.label for point in longer.of("event")] == ["r = 2.25", "above", "r = 3.75"]


def test_a_diagram_has_the_events_of_every_branch():
    curve = bf.cycles(LOGISTIC, "r", [0.6])
    diagram = bf.explore(curve, {"r": (2.5, 3.4)}, depth=2, events={"r": 3.2}, audit=True)
    assert [point.period for point in diagram.of("r")] == [1, 2] and diagram.audit.clean
    x = np.sort(np.concatenate(diagram.of("r")[1].cycle_states()))
    assert np.allclose(x, (4.2 + np.array([-1, 1]) * np.sqrt(0.2 * 4.2)) / 6.4)  # the 2-cycle in closed form
    ax = diagram.plot("r")
    assert any("r = 3.2" in text.get_text() for text in ax.texts) or ax.get_legend() is not None


def test_an_event_that_fails_ends_the_branch_with_its_words():
    def fails(x, r):
        if r > 3.0:
            raise ArithmeticError("no value beyond three")
        return x[0] - 0.5

    branch = follow(events={"fails": fails})
    assert branch.stop.last.reason == "failed" and "no value beyond three" in str(branch.stop.last)
    assert abs(branch.first("fails").parameters["r"] - 2) < 1e-12 and 2.9 < branch["r"][-1] <= 3.0
    with pytest.raises(MapFailed, match="must return a finite number"):
        follow(events={"odd": lambda x: np.array([1.0, 2.0])})


@pytest.mark.parametrize(
    "events, words",
    [
        (3, "events is 3"),
        ({"r": "end"}, "stop"),
        ({"nobody": (1.0,)}, "must be a parameter"),
        ({"nobody": "stop"}, "no kind"),
        ({"f": lambda x, q: x[0]}, "takes q"),
        ([bf.Event("a", above), bf.Event("a", above)], "two events are called 'a'"),
        ({"b": bf.Event("a", above)}, "under the name"),
    ],
)
def test_events_that_make_no_sense_are_refused(events, words):
    with pytest.raises(InvalidInput, match=words):
        follow(events=events)


@pytest.mark.parametrize("given", [("",), ("a",), ("a", 3), (3, above), ("a", above, "x"), ("a", above, (), 2)])
def test_events_that_are_none_are_refused(given):
    with pytest.raises(InvalidInput):
        bf.Event(*given)


def image(r, times):
    x = 0.5
    for _ in range(times):
        x = r * x * (1.0 - x)
    return x


def test_where_bands_merge_and_where_a_window_ends():
    # The critical point comes down on a repelling fixed point or cycle.
    curve = bf.cycles(bf.maps.logistic(r=3.6), "r", [1.0 - 1.0 / 3.6])
    (found,) = bf.trace(curve, {"r": (3.5, 3.9)}, events={"merging": lambda x, r: image(r, 3) - x[0]}).of("event")
    assert abs(found.parameters["r"] - GLOBAL["band_merging"]["value"]) < 1e-13

    def apart(x, r):
        y = r * x[0] * (1.0 - x[0])
        return (image(r, 6) - x[0]) * (image(r, 6) - y) * (image(r, 6) - r * y * (1.0 - y))

    curve = bf.cycles(bf.maps.logistic(r=3.85), "r", [0.1725856], period=3)
    found = bf.trace(curve, {"r": (3.84, 3.88)}, events={"crisis": apart}).of("event")
    assert [abs(point.parameters["r"] - GLOBAL["interior_crisis_3"]["value"]) < 1e-13 for point in found] == [True]
