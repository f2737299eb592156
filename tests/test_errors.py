"""Exceptions keep their data and survive pickling; a branch ends for one of a fixed set of reasons."""

import pickle

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NoEnergy, NotConverged, Stop


def test_not_converged_keeps_its_data_through_a_pickle():
    with pytest.raises(NotConverged) as caught:
        bf.solve(bf.Map(lambda x: x + 1.0 + x**2, {}), [3.0])
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.history == caught.value.history
    assert np.array_equal(again.last, caught.value.last) and again.advice == caught.value.advice
    assert str(again).startswith(again.what)


def test_no_energy_keeps_its_certificate_through_a_pickle():
    again = pickle.loads(pickle.dumps(NoEnergy("it turns round", ("loop", 3))))
    assert again.reason == "it turns round" and again.certificate == ("loop", 3)


def test_a_stop_says_its_reason_with_advice_and_refuses_other_words():
    assert "raise StepControl.max_steps" in str(Stop("steps", "10"))
    with pytest.raises(InvalidInput, match="reason is 'tired'; allowed are bound, closed"):
        Stop("tired")
