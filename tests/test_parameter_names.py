"""A map's parameter may have the name of any argument, in every verb."""

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
    flip = bf.special_point(map, "flip", name, [0.6])
    assert abs(flip.parameters[name] - 3.0) < 1e-9 and str(bf.normal_form(flip)).startswith("supercritical")
    assert abs(bf.multipliers(map, [0.6]).values[0] + 0.5) < 1e-8
    axes = bf.plot.diagram([branch, doubled], name, observable=lambda x, **p: p[name] * x[0], orbits=seen)
    assert axes.get_xlabel() == name
    assert len(bf.plot.observe(branch, lambda x, **p: p[name] * x[0])) == len(branch)


@pytest.mark.parametrize("name", NAMES)
def test_branches_not_connected_are_found_with_a_parameter_of_this_name(name):
    bounds = {name: (0.5, 1.5)}
    scope = {}
    exec(f"def f(x, {name}): return x + 0.2 * (x - 1.0) * (x + {name})", scope)
    first = bf.trace(bf.cycles(bf.Map(scope["f"], {name: 0.7}), name, [1.0]), bounds)
    found = bf.deflated_continuation(first, bounds, values=[0.7])
    assert len(found.branches) == 1
    assert np.allclose(found.branches[0].states[:, 0], -found.branches[0][name])


@pytest.mark.parametrize("name", NAMES)
def test_two_parameters_may_have_such_names(name):
    # x ↦ a x (1 − x) + b: its flips lie at a² − 2a + 4ab = 3, whatever the parameters are called.
    other = "control" if name != "control" else "guess"
    scope = {}
    exec(f"def f(x, {name}, {other}): return {name} * x * (1 - x) + {other}", scope)
    map = bf.Map(scope["f"], {name: 2.5, other: 0.0})
    branch = bf.trace(bf.cycles(map, name, [0.6]), {name: (2.0, 3.2)})
    bounds = {name: (2.5, 3.5), other: (-0.1, 0.1)}
    flips = bf.trace(bf.locus(branch.first("flip"), other), bounds)
    a, b = flips[name], flips[other]
    assert len(flips) > 5 and np.abs(a**2 - 2 * a + 4 * a * b - 3).max() < 1e-7


@pytest.mark.parametrize("name", ["steps", "control", "depth"])
def test_a_whole_diagram_takes_a_parameter_of_this_name(name):
    diagram = bf.explore(bf.cycles(made(name), name, [0.6]), {name: (0.5, 3.2)}, depth=2)
    assert sorted(point.label for point in diagram.special) == ["BP", "PD"]


def test_an_unknown_parameter_is_refused_in_the_words_of_the_map():
    with pytest.raises(bf.errors.InvalidInput, match="has no parameter 'q'"):
        bf.orbit(bf.maps.logistic(), [0.3], 3, parameters={"q": 1.0})
    with pytest.raises(bf.errors.InvalidInput, match="parameters must be a dict"):
        bf.orbit(bf.maps.logistic(), [0.3], 3, parameters=[1.0])
