"""A map's parameter may have the name of any argument, in every verb; old spellings still work, with a warning."""

import numpy as np
import pytest

import bifurcate as bf

NAMES = [
    "steps", "start", "starts", "count", "map", "period", "guess", "control", "free", "transient", "layout", "executor",
    "parameters", "parameter", "values", "samples", "observable", "seed", "method", "name", "f", "self_",
]  # fmt: skip


def made(name, value=2.5):
    scope = {}
    exec(f"def f(x, {name}): return {name} * x * (1 - x)", scope)
    return bf.Map(scope["f"], {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_takes_a_parameter_of_this_name(name):
    map = made(name)
    assert np.isclose(bf.orbit(map, [0.3], 1, transient=200, parameters={name: 2.0}).states[0, 0], 0.5)
    assert np.allclose(
        bf.ensemble(map, [[0.3]], 1, transient=200, parameters={name: [2.0, 2.5]}).states[:, 0, 0], [0.5, 0.6]
    )
    found = bf.lyapunov(map, [0.3], steps=64, transient=64, parameters={name: 2.4})
    assert np.isclose(found.values[0], np.log(0.4))
    seen = bf.orbit_diagram(map, name, [2.0, 2.5], [0.3], lambda x, **p: x[0], samples=2)
    assert np.allclose(seen.samples, [[0.5, 0.5], [0.6, 0.6]])
    assert np.isclose(bf.solve(map, [0.5]).state[0], 0.6)
    assert len(bf.deflate(map, [[0.5], [0.1]]).solutions) == 2
    branch = bf.trace(bf.cycles(map, name, [0.6]), {name: (0.5, 3.2)})
    assert [point.label for point in branch.special] == ["BP", "PD"]
    assert abs(branch.first("flip").parameters[name] - 3.0) < 1e-9
    doubled = bf.trace(bf.switch(branch.first("flip")), {name: (2.9, 3.2)})
    assert doubled.curve.period == 2
    assert len(bf.plot.observe(branch, lambda x, **p: p[name] * x[0])) == len(branch)


@pytest.mark.parametrize("name", ["steps", "control", "depth"])
def test_a_whole_diagram_takes_a_parameter_of_this_name(name):
    diagram = bf.explore(bf.cycles(made(name), name, [0.6]), {name: (0.5, 3.2)}, depth=2)
    assert sorted(point.label for point in diagram.special) == ["BP", "PD"]


def test_old_spellings_warn_and_give_the_same():
    map, x0 = bf.maps.logistic(), [0.3]
    with pytest.warns(DeprecationWarning, match=r"parameters=\{'r': …\}"):
        old = bf.orbit(map, x0, 3, r=3.2)
    assert np.array_equal(old.states, bf.orbit(map, x0, 3, parameters={"r": 3.2}).states)
    with pytest.warns(DeprecationWarning, match="transient="):
        old = bf.orbit(map, x0, 3, 10)
    assert np.array_equal(old.states, bf.orbit(map, x0, 3, transient=10).states)
    with pytest.warns(DeprecationWarning):
        old = bf.ensemble(map, [x0], 3, r=[3.0, 3.2])
    assert np.array_equal(old.states, bf.ensemble(map, [x0], 3, parameters={"r": [3.0, 3.2]}).states)
    with pytest.warns(DeprecationWarning):
        old = bf.lyapunov(map, x0, 100)
    assert old.values == bf.lyapunov(map, x0, steps=100).values
    with pytest.warns(DeprecationWarning, match="samples="):
        old = bf.orbit_diagram(map, "r", [3.2], x0, lambda x, r: x[0], keep=4)
    assert np.array_equal(old.samples, bf.orbit_diagram(map, "r", [3.2], x0, lambda x, r: x[0], samples=4).samples)


def test_an_unknown_parameter_is_refused_in_the_words_of_the_map():
    with pytest.raises(bf.errors.InvalidInput, match="has no parameter 'q'"):
        bf.orbit(bf.maps.logistic(), [0.3], 3, parameters={"q": 1.0})
    with pytest.raises(bf.errors.InvalidInput, match="parameters must be a dict"):
        bf.orbit(bf.maps.logistic(), [0.3], 3, parameters=[1.0])
