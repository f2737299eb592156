"""The curve of cycles starts at a state, at a point of a branch, at a solution, or at a special point."""

import numpy as np
import pytest

import bifurcate as bf


def test_a_solution_brings_its_parameters_and_its_period():
    found = bf.solve(bf.maps.logistic(r=3.4), [0.45], period=2)
    curve = bf.cycles(bf.maps.logistic(), "r", found)
    assert curve.period == 2 and curve.start[-1] == 3.4
    branch = bf.trace(curve, {"r": (3.3, 3.45)})
    x, r = branch.states[:, 0], branch["r"]
    assert np.abs(r**2 * x**2 - r * (r + 1) * x + r + 1).max() < 1e-9  # the 2-cycle in closed form


def test_a_point_of_a_branch_begins_another_branch():
    first = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (0.0, 0.3)})
    across = bf.trace(bf.cycles(bf.maps.henon(), "b", first.points[-1]), {"b": (0.1, 0.5)})
    assert across["a"][0] == 0.3
    x, b = across.states[:, 0], across["b"]
    assert np.abs(0.3 * x**2 + (1 - b) * x - 1).max() < 1e-10


def test_a_fold_begins_its_branch():
    map = bf.Map(lambda x, p: x + 0.1 * (x**2 + p), {"p": -0.5})
    fold = bf.trace(bf.cycles(map, "p", [0.7]), {"p": (-1.0, 1.0)}).first("fold")
    branch = bf.trace(bf.cycles(map, "p", fold), {"p": (-1.0, 1.0)})
    assert branch["p"][[0, -1]].tolist() == [-1, -1] and np.allclose(branch.states[:, 0] ** 2, -branch["p"], atol=1e-9)


def test_a_flip_begins_its_branch_and_a_period_may_be_given():
    fixed = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.5, 3.4)})
    flip = fixed.first("flip")
    assert bf.cycles(bf.maps.logistic(), "r", flip).period == 1
    assert bf.cycles(bf.maps.logistic(), "r", flip, period=2).period == 2


# Numbers as they are read from files


@pytest.mark.parametrize(
    "number", [np.float32(2.5), np.array(2.5), np.float64(2.5), np.array(2.5, dtype=np.float32)], ids=repr
)
def test_arrays_without_axes_and_numpy_scalars_are_numbers(number):
    map = bf.maps.logistic(r=number)
    assert type(map.parameters["r"]) is float and map.replace(r=number)([0.5]) == 0.625
    branch = bf.trace(bf.cycles(map, "r", [0.6]), {"r": (np.array(2.0), number + 1)})
    assert branch["r"][-1] == 3.5
    assert bf.orbit(map, [0.3], np.array(3)).steps == 2 and bf.Newton(tolerance=np.array(1e-9)).tolerance == 1e-9


def test_a_row_of_a_table_gives_parameters():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.4]})
    map = bf.Map(lambda z, a, b: np.array([1 - a * z[0] ** 2 + z[1], b * z[0]]), table.loc[0])
    assert dict(map.parameters) == {"a": 0.1, "b": 0.3}
    assert map.replace(**table.loc[1]).parameters["b"] == 0.4
    assert bf.orbit(map, [0.0, 0.0], 2, parameters=table.loc[1]).states[1].tolist() == [1.0, 0.0]
    assert len(bf.ensemble(map, [[0.0, 0.0]], 2, parameters=table)) == 2


def test_values_of_xarray_are_numbers():
    xarray = pytest.importorskip("xarray")
    values = xarray.DataArray([2.5, 3.0], dims="r")
    assert bf.maps.logistic(r=values[0]).parameters["r"] == 2.5
