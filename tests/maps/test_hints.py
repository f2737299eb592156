"""What a user is told who writes a map, an observable or a derivative in another way than the package reads it."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.maps.diagnosis import diagnose


def test_an_observable_takes_the_state_alone_or_with_some_of_the_parameters():
    henon = bf.maps.henon(a=0.1, b=0.3)
    branch = bf.trace(bf.cycles(henon, "a", [1.0, 0.3]), {"a": (0.05, 0.3)})
    first = branch.states[:, 0]
    for observable in (lambda x: x[0], lambda x, a: x[0], lambda x, b, a: x[0], lambda x, **p: x[0], 0):
        assert np.array_equal(bf.plot.observe(branch, observable)[:, 0], first)
        seen = bf.orbit_diagram(henon, "a", [0.1, 0.2], [0.5, 0.1], observable, samples=1)
        assert np.allclose(seen.samples[:, 0], np.interp([0.1, 0.2], branch["a"], first), atol=1e-4)
    with pytest.raises(InvalidInput, match="observable takes c, but the map's parameters are b, a"):
        bf.plot.observe(branch, lambda x, c: x[0])


def test_a_number_for_a_state_of_one_component_is_explained():
    scalar = bf.Map(lambda x, r: r * float(x[0]) * (1 - float(x[0])), {"r": 2.5})
    with pytest.raises(MapFailed, match=r"compute with x, not with x\[0\], or return np.array"):
        bf.solve(scalar, [0.6])


def test_a_vector_of_parameters_is_explained():
    with pytest.raises(InvalidInput, match=r"If p holds all of them: parameters have names here; write f\(x, a, b\)"):
        bf.Map(lambda x, p: p[0] * x, {"a": 1.0, "b": 2.0})
    with pytest.raises(InvalidInput) as plain:  # a misspelt name is no vector
        bf.Map(lambda x, gain: gain * x, {"gian": 1.0})
    assert "holds all of them" not in str(plain.value)


def test_what_a_jvp_saves_is_said_where_products_take_differences():
    def f(x, r):
        return r * x * (1 - x)

    calls = []

    def counted(x, r):
        calls.append(1)
        return f(x, r)

    start = np.full(300, 0.6)
    large, small = bf.Map(f, {"r": 2.5}), bf.cycles(bf.Map(f, {"r": 2.5}), "r", [0.6])
    given = bf.Map(f, {"r": 2.5}, jvp=lambda x, v, r: r * (1 - 2 * x) * v)
    assert "without jvp: 4 calls of f a product" in repr(bf.cycles(large, "r", start))
    assert "jvp" not in repr(bf.cycles(given, "r", start)) and "jvp" not in repr(small)
    bf.Map(counted, {"r": 2.5}).tangent(start, np.ones(300), {"r": 2.5})
    assert len(calls) == 4  # as is said
    (found,) = [each for each in diagnose(large, start) if each.name == "jvp"]
    assert found.verdict == "doubtful" and "a jvp takes one" in found.words
    assert not [each for each in diagnose(given, start) if each.name == "jvp" and each.verdict != "good"]
