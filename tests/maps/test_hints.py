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
    for f in (lambda x, p: p[0] * x, lambda x, p: np.float64(p)[1] * x, lambda x, p: (lambda a, b: a)(*p) * x):
        with pytest.raises(MapFailed, match=r"one number with a name.* write f\(x, a, b\)"):
            bf.solve(bf.Map(f, {"p": 2.5}), [0.6])
    with pytest.raises(InvalidInput, match=r"give each of its numbers a name of its own"):
        bf.Map(lambda x, p: p[0] * x, {"p": [2.5, 1.0]})
    with pytest.raises(InvalidInput, match=r"names and values, as \{'a': 1.4"):
        bf.Map(lambda x, p: p[0] * x, [2.5, 1.0])
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


@pytest.mark.parametrize(
    "f",
    [lambda z, a, b: [1 - a * z[0] ** 2 + z[1], b * z[0]], lambda z, a, b: (1 - a * z[0] ** 2 + z[1], b * z[0])],
)
def test_lists_and_tuples_of_arrays_take_batches_as_arrays_do(f):
    map, starts = bf.Map(f, {"a": 1.4, "b": 0.3}), np.linspace(-0.2, 0.2, 40).reshape(20, 2)
    found, array = bf.ensemble(map, starts, 3), bf.ensemble(bf.maps.henon(), starts, 3)
    assert found.layout == "trailing" and "hint" not in repr(found)
    assert np.array_equal(found.states, array.states)
    assert bf.solve_many(map, starts).layout == "trailing"
    (finding,) = [each for each in diagnose(map, [0.1, 0.2]) if each.name == "batches"]
    assert finding.verdict == "good"


def test_a_function_of_floats_is_told_how_to_take_batches():
    def f(z, a, b):
        x, y = float(z[0]), float(z[1])
        return [1 - a * x * x + y, b * x]

    map, starts = bf.Map(f, {"a": 1.4, "b": 0.3}), [[0.6, 0.2], [0.5, 0.1]]
    words = "if f computes with x[0], x[1], … as arrays"
    assert words in repr(bf.ensemble(map, starts, 3))
    assert words not in repr(bf.ensemble(map, starts[:1], 3))
    assert words in str(bf.solve_many(map, starts))
    (finding,) = [each for each in diagnose(map, [0.1, 0.2]) if each.name == "batches"]
    assert finding.verdict == "doubtful" and words in finding.words
