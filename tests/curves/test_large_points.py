"""Points of large states keep their place only; what is computed again is the same to the bit."""

import pickle

import numpy as np
import pytest

import bifurcate as bf
import bifurcate.curves.curve_point as curve_point
from bifurcate.linalg.operators import DiagonalLowRank


def dense_map():
    return bf.maps.henon(a=0.1, b=0.3), "a", [1.0, 0.3], {"a": (-0.2, 1.0)}


def structured_map():
    d = np.array([0.2, 0.4, -0.3])

    def J(x, p):
        return DiagonalLowRank(d - p * 2.0 * x, np.ones((3, 1)), 0.1 * np.ones((3, 1)))

    map = bf.Map(lambda x, p: d * x - p * x**2 + 0.1 * x.sum() + 0.2, {"p": 1.0}, jacobian=J)
    return map, "p", [0.3, 0.4, 0.2], {"p": (0.5, 8.0)}


@pytest.mark.parametrize("made", [dense_map, structured_map])
def test_branches_are_the_same_to_the_bit(made, monkeypatch):
    map, free, start, bounds = made()
    usual = bf.trace(bf.cycles(map, free, start), bounds)
    monkeypatch.setattr(curve_point, "LARGEST_KEPT", 0)
    frugal = bf.trace(bf.cycles(map, free, start), bounds)
    assert len(usual) == len(frugal) > 10 and usual.special
    assert np.array_equal(usual.states, frugal.states) and np.array_equal(usual[free], frugal[free])
    for one, other in zip(usual.special, frugal.special, strict=True):
        assert one.kind == other.kind and np.array_equal(one.u, other.u) and one.error == other.error


def test_what_was_dropped_is_there_when_it_is_asked_for(monkeypatch):
    map, free, start, bounds = dense_map()
    usual = [step.point for step in bf.steps(bf.cycles(map, free, start), bounds)]
    monkeypatch.setattr(curve_point, "LARGEST_KEPT", 0)
    frugal = [step.point for step in bf.steps(bf.cycles(map, free, start), bounds)]
    for one, other in zip(usual[1:], frugal[1:], strict=True):
        assert "at" not in vars(other) and "linear" not in vars(other)
        again = pickle.loads(pickle.dumps(other))
        for point in (other, again):
            assert np.array_equal(one.at.residual, point.at.residual)
            assert np.array_equal(one.linear.jacobian, point.linear.jacobian)
        factored = other.with_factors(np.append(np.zeros(2), 1.0), None)
        assert factored.system is not None and np.array_equal(factored.linear.B, one.linear.B)
        with pytest.raises(AttributeError):
            getattr(other, "nothing")  # noqa: B009
