"""Whatever is passed to a public verb, it works or is refused in the package's own words, and in no time."""

import warnings

import numpy as np
import pytest
from bad_arguments import VALUES, Material, call

import bifurcate as bf
from bifurcate.errors import BifurcateError, InvalidInput

SAMPLED = 1500  # of the calls, in every run: chosen by a seed

# Started by a valid value: processes, which take a second to start.
SLOW = {(name, "workers", "two") for name in ("sweep", "attractors", "basins", "attractor_continuation")}
# The protocol of sequences asks for an IndexError where a number is beyond the end.
ALLOWED = {"branch[…]": IndexError}


@pytest.fixture(scope="module")
def verbs(tmp_path_factory):
    return Material(tmp_path_factory.mktemp("files")).verbs()


def refused_in_foreign_words(verbs, calls):
    """The calls that raise anything but the package's own errors."""
    found = []
    for name, parameter, value in calls:
        verb, arguments = verbs[name]
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                call(verb, {**arguments, parameter: VALUES[value]()})
        except BifurcateError as error:
            assert str(error)
        except ALLOWED.get(name, ()):
            pass
        except Exception as error:
            found.append(f"{name}({parameter} = {value}): {type(error).__name__}: {error}")
    return found


def all_calls(verbs):
    calls = [(name, parameter, value) for name, (_, given) in verbs.items() for parameter in given for value in VALUES]
    # A function that is called as progress(record) and takes no argument raises an error of its own: it passes through.
    own = {("progress", "a class"), ("progress", "a function")}
    return [each for each in calls if each not in SLOW and each[1:] not in own]


def test_the_arguments_that_are_spoiled_work(verbs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(verbs) > 60
    for verb, arguments in verbs.values():
        call(verb, arguments)


def test_every_public_verb_is_spoiled(verbs):
    functions = {name for name in bf.__all__ if callable(getattr(bf, name)) and name.islower()}
    assert functions <= set(verbs)


def test_a_sample_of_bad_arguments_is_refused(verbs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a text is a path that can be written to
    calls = all_calls(verbs)
    chosen = np.random.default_rng(18).choice(len(calls), SAMPLED, replace=False)
    assert not refused_in_foreign_words(verbs, [calls[i] for i in chosen])


@pytest.mark.slow
def test_all_bad_arguments_are_refused(verbs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = all_calls(verbs)
    assert len(calls) > 12_000
    assert not refused_in_foreign_words(verbs, calls)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda c, b: bf.trace(c, {"r": (2.7, 3.1)}, control="abc"), "control must be a StepControl"),
        (lambda c, b: bf.explore(c, {"r": (2.7, 3.1)}, control="abc"), "control must be a StepControl"),
        (lambda c, b: bf.deflated_continuation(b, {"r": (2.8, 3.0)}, values=-1), "values is -1"),
        (lambda c, b: bf.Newton(tolerance=np.inf), "tolerance is inf"),
        (lambda c, b: bf.orbit(bf.maps.logistic(), [0.3], 10**400), "steps is 1000.*it must be a whole number"),
        (lambda c, b: bf.orbit(bf.maps.logistic(), [0.3], 3, transient=10**5000), "thousands of digits"),
        (lambda c, b: bf.maps.logistic(r=10**400), "'r' is 1000.*finite real number"),
        (lambda c, b: bf.plot.diagram(b, "r", kinds=("flipp",)), "no kind 'flipp'; kinds are"),
        (lambda c, b: bf.plot.chart(b, "r", "r", kinds=("flipp",)), "no kind 'flipp'; kinds are"),
        (lambda c, b: bf.solve(bf.maps.logistic(), np.ma.masked_array([0.4], mask=[True])), "array of real numbers"),
        (lambda c, b: bf.load(0), "path is 0; it must be the path of a file"),
    ],
)
def test_what_is_refused_in_which_words(use, words):
    curve = bf.cycles(bf.maps.logistic(r=2.8), "r", [0.6])
    branch = bf.trace(curve, {"r": (2.7, 3.1)}, control=bf.StepControl(first=0.1, largest=0.1))
    with pytest.raises(InvalidInput, match=words):
        use(curve, branch)


def test_an_unmasked_masked_array_is_a_state():
    found = bf.solve(bf.maps.logistic(r=2.5), np.ma.masked_array([0.4], mask=[False]))
    assert abs(found.state[0] - 0.6) < 1e-11
