"""Tables hold what the results hold, number by number."""

import csv
import sys

import networkx as nx
import numpy as np
import pytest
from examples_of_results import (
    examples,
    of_attractors,
    of_continuation,
    of_manifolds,
    of_newton,
    of_orbits,
    of_sweeps,
)

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.storage.tabular import Tabular


@pytest.fixture(scope="module")
def branch():
    return bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-0.2, 0.5)})


@pytest.fixture(scope="module")
def diagram():
    return bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.5)}, depth=2)


def test_one_row_a_point(branch):
    frame = branch.to_dataframe()
    assert len(frame) == len(branch) and np.array_equal(frame["a"], branch["a"]) and (frame["b"] == 0.3).all()
    assert np.array_equal(frame[["x0", "x1"]], branch.states) and np.array_equal(frame["stable"], branch.stable)
    assert np.array_equal(frame["largest_multiplier_abs"], np.abs(branch.multipliers).max(axis=1))
    assert np.array_equal(frame["arclength"], branch.arclength) and (frame["residual"] < 1e-10).all()
    assert frame.attrs["map"] == "henon" and frame.attrs["free"] == "a" and "bound a = 0.5" in frame.attrs["last_point"]


def test_special_points_have_their_coefficients_with_errors(branch):
    row = branch.to_dataframe(special=True).set_index("label").loc["PD"]
    assert abs(row["a"] - 0.3675) < 1e-9 and row["parameter_error"] < 1e-9 and row["form"] == "supercritical"
    flip = branch.first("PD")
    assert row["coefficient_b"] == flip.coefficients["b"] and row["coefficient_b_error"] == flip.errors["b"] > 0


def test_a_dataset_has_parameters_as_coordinates(branch):
    data = branch.to_xarray()
    assert data["state"].dims == ("point", "x_0") and np.array_equal(data["state"], branch.states)
    assert np.array_equal(data["multiplier"], branch.multipliers) and np.array_equal(data.coords["a"], branch["a"])
    stable = data.where(data["stable"], drop=True)
    assert float(stable["a"].max()) < 0.3675 < float(data["a"].max())
    assert data.attrs["map"] == "henon"


def test_a_diagram_is_one_table_of_all_branches(diagram):
    frame = diagram.to_dataframe()
    assert frame.groupby("branch").size().tolist() == [len(branch) for branch in diagram.branches]
    doubled = frame[frame["period"] == 2]
    found = diagram.branches[int(doubled["branch"].iloc[0])]
    assert set(doubled["generation"]) == {2} and np.array_equal(doubled["r"], found["r"])
    assert diagram.to_dataframe(special=True)["label"].tolist() == [point.label for point in diagram.special]
    data = diagram.to_xarray()
    assert data.sizes["point"] == len(frame) and np.array_equal(data.coords["branch"], frame["branch"])


@pytest.mark.parametrize("special", [False, True])
def test_a_csv_file_reads_back_the_same(diagram, special, tmp_path):
    diagram.to_csv(tmp_path / "diagram.csv", special=special)
    frame = diagram.to_dataframe(special=special)
    with (tmp_path / "diagram.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(frame) and list(rows[0]) == list(frame.columns)
    assert [float(row["r"]) for row in rows] == frame["r"].tolist()
    assert [each.name for each in tmp_path.iterdir()] == ["diagram.csv"]


def test_a_csv_file_takes_no_pandas(branch, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    branch.to_csv(tmp_path / "branch.csv")
    with pytest.raises(InvalidInput, match=r"pandas, which is not installed: pip install 'bifurcate\[tables\]'"):
        branch.to_dataframe()
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(InvalidInput, match="xarray, which is not installed"):
        branch.to_xarray()
    with pytest.raises(InvalidInput, match="there is no folder"):
        branch.to_csv(tmp_path / "none" / "branch.csv")


def test_large_states_are_summarised():
    net = bf.adaptation.ring(12, (0.8, 0.0), (0.8, 1.5), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    branch = bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), {"alpha": (0.04, 0.06)})
    frame = branch.to_dataframe()
    assert "x0" not in frame and np.allclose(frame["x_max_abs"], np.abs(branch.states).max(axis=(1, 2)))
    assert branch.to_xarray()["state"].dims == ("point", "x_0", "x_1")
    reduced = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), {"alpha": (0.04, 0.06)})
    assert "x11" in reduced.to_dataframe()


def test_the_graph_is_read_by_other_tools(diagram, tmp_path):
    diagram.to_graphml(tmp_path / "diagram.graphml")
    graph = nx.read_graphml(tmp_path / "diagram.graphml", node_type=int)
    assert set(graph) == set(diagram.graph) and graph.number_of_edges() == diagram.graph.number_of_edges()
    assert graph.nodes[0]["label"] == diagram.special[0].label
    assert graph.nodes[0]["parameter_r"] == diagram.special[0].parameters["r"]
    assert {data["branch"] for *_, data in graph.edges(data=True)} == set(range(len(diagram.branches)))


def test_an_orbit_diagram_is_a_table_of_its_samples():
    seen = bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 2.5, 5.0], [0.3], lambda x, r: x[0], samples=2)
    frame = seen.to_dataframe()
    assert frame["r"].tolist() == [2.0, 2.0, 2.5, 2.5, 5.0, 5.0] and frame["sample"].tolist() == [0, 1] * 3
    assert frame["end"].tolist()[-1] == "diverged" and np.allclose(frame["value"][:4], [0.5, 0.5, 0.6, 0.6])
    data = seen.to_xarray()
    assert data["value"].sel(r=2.5).values.round(9).tolist() == [0.6, 0.6]


# What has a table, and what stands for its rows


def tabular_examples():
    rooms = (of_continuation, of_newton, of_orbits, of_attractors, of_manifolds, of_sweeps)
    found = [each for room in rooms for each in examples(room) if isinstance(each, Tabular)]
    return [*found, *(each.points[0] for each in found if isinstance(each, bf.ConnectingOrbits))]


def kinds_below(kind):
    return {kind, *(each for below in kind.__subclasses__() for each in kinds_below(below))}


def test_every_result_with_a_table_goes_to_pandas_and_to_a_file(tmp_path):
    tried = {Tabular}
    for each in tabular_examples():
        table, frame = each.table(), each.to_dataframe()
        assert list(frame.columns) == list(table) and len(frame) > 0, type(each)
        each.to_csv(tmp_path / "table.csv")
        with open(tmp_path / "table.csv", newline="") as file:
            names, *rows = csv.reader(file)
        assert names == list(table) and len(rows) == len(frame), type(each)
        for name, column in zip(names, zip(*rows)):
            if frame[name].dtype.kind == "f":
                assert np.array_equal(np.array(column, dtype=float), frame[name], equal_nan=True), (type(each), name)
        tried.add(type(each))
    assert tried == kinds_below(Tabular), f"no example of {kinds_below(Tabular) - tried}"


def test_tables_hold_what_the_results_hold():
    orbit = bf.orbit(bf.maps.logistic(r=2.0), [0.25], 5, transient=2)
    expected = [0.25]
    for _ in range(6):
        expected.append(2.0 * expected[-1] * (1.0 - expected[-1]))
    assert orbit.table() == {"step": [2, 3, 4, 5, 6], "x0": expected[2:]}
    found = bf.find_cycles(bf.maps.logistic(r=4.0), 2, [(0.0, 1.0)], max_starts=60)
    first = [row for row in zip(*(found.table()[name] for name in ("period", "x0", "stable")))]
    expected = (5.0 - np.sqrt(5.0)) / 8.0  # the lesser state of the cycle of period two at r = 4
    assert [period for period, _, _ in first] == [2, 1, 1] and abs(first[0][1] - expected) < 1e-12
    assert not any(stable for _, _, stable in first)
    plane = bf.basins(bf.Map(lambda x: x * x, {}), {0: (0.5, 1.5)} | {1: (0.5, 1.5)}, cells=2)
    rows = list(zip(*plane.table().values()))
    assert [row[2] == 0 for row in rows] == [True, False, False, False]  # the cell below 1 in both coordinates only
