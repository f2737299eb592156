"""Old spellings of the public interface: each warns, names the new one, and gives the same."""

import numpy as np
import pytest

import bifurcate as bf

BOX = {"r": (2.0, 3.2)}
BOX_AB = {"a": (0.2, 1.0), "b": (-0.1, 0.5)}


@pytest.fixture
def curve():
    return bf.cycles(bf.maps.logistic(), free="r", guess=[0.6])


def test_options_of_cycles_by_position():
    with pytest.warns(DeprecationWarning, match="period=…"):
        old = bf.cycles(bf.maps.logistic(r=3.2), "r", [0.8], 2)
    assert old.period == 2


def test_options_of_trace_by_position(curve):
    control = bf.StepControl(largest=0.01)
    with pytest.warns(DeprecationWarning, match="control=…, detect=…"):
        old = bf.trace(curve, BOX, control, False)
    new = bf.trace(curve, BOX, control=control, detect=False)
    assert np.array_equal(old["r"], new["r"]) and np.array_equal(old.states, new.states)


def test_options_and_names_of_steps(curve):
    with pytest.warns(DeprecationWarning, match="direction=…"):
        step = next(bf.steps(curve, BOX, -1))
    with pytest.warns(DeprecationWarning, match=r"write Step\.point"):
        assert step.node is step.point
    with pytest.warns(DeprecationWarning, match=r"write Step\.events"):
        assert step.finding is step.events


def test_options_of_explore(curve):
    with pytest.warns(DeprecationWarning, match="max_branches=…"):
        old = bf.explore(curve, BOX, most=1)
    with pytest.warns(DeprecationWarning, match="depth=…"):
        older = bf.explore(curve, BOX, 1)
    assert len(old.branches) == len(older.branches) == 1


def test_a_wrong_argument_is_still_a_type_error(curve):
    with pytest.raises(TypeError):
        bf.trace(curve, BOX, None, None, None, None, None, None, None)
    with pytest.raises(TypeError):
        bf.trace(curve, BOX, colour="blue")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Cycle", "CouplingCycle"),
        ("Energy", "LineIntegralEnergy"),
        ("Metric", "DiagonalMetric"),
        ("Pair", "ComplexPair"),
        ("Quadratic", "QuadraticLyapunov"),
        ("Search", "SearchResult"),
        ("Verdict", "TestResult"),
        ("Verdicts", "TestResults"),
    ],
)
def test_names_of_the_gradient_laboratory(old, new):
    with pytest.warns(DeprecationWarning, match=f"write {new}"):
        found = getattr(bf.gradient, old)
    assert found is getattr(bf.gradient, new)


def test_options_of_plots_and_switches(curve):
    branch = bf.trace(curve, BOX)
    with pytest.warns(DeprecationWarning, match="orbits=…"):
        bf.plot.diagram(branch, "r", 0, None)
    with pytest.warns(DeprecationWarning, match="coordinates=…"):
        bf.plot.heatmap(np.eye(2), [1.0, 2.0])
    flip = branch.first("flip")
    with pytest.warns(DeprecationWarning, match="which=…"):
        old = bf.switch(flip, 0)
    assert np.array_equal(old.start, bf.switch(flip).start)
    flips = bf.trace(bf.locus(bf.special_point(bf.maps.henon(a=0.3), "PD", "a", [1.0, 0.3]), "b"), BOX_AB)
    with pytest.warns(DeprecationWarning, match="ax=…"):
        bf.plot.chart(flips, "a", "b", None)


def test_flags_of_the_network_that_have_become_methods():
    net = bf.adaptation.Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    y = net.reduced_equilibrium()
    with pytest.warns(DeprecationWarning, match=r"write reduced_equilibrium\(\)"):
        assert np.array_equal(net.equilibrium(reduced=True), y)
    with pytest.warns(DeprecationWarning, match=r"write reduced_equilibrium\(\)"):
        assert np.array_equal(net.equilibrium(True), y)
    with pytest.warns(DeprecationWarning, match=r"write factored_equilibrium\(\)"):
        assert np.array_equal(np.asarray(net.equilibrium(factored=True)), np.asarray(net.factored_equilibrium()))
    with pytest.warns(DeprecationWarning, match=r"write equilibrium\(\)"):
        assert np.array_equal(net.equilibrium(reduced=False), net.equilibrium())
    with pytest.warns(DeprecationWarning, match=r"write reduced_equilibria\(\)"):
        assert len(net.equilibria("all", reduced=True)) == len(net.reduced_equilibria("all"))
    with pytest.warns(DeprecationWarning, match=r"write factored_lift\(\)"):
        assert np.array_equal(np.asarray(net.lift(y, factored=True)), np.asarray(net.factored_lift(y)))
    with pytest.raises(TypeError):
        net.equilibrium(True, True, True)


def test_flags_and_names_of_presentations_and_runs():
    net = bf.adaptation.Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    both = bf.adaptation.average(net, [[1.0, 0.5], [0.5, 1.0]])
    Y = both.reduced_equilibrium()
    with pytest.warns(DeprecationWarning, match=r"write reduced_response\(\)"):
        assert np.array_equal(both.response(Y, reduced=True), both.reduced_response(Y))
    with pytest.warns(DeprecationWarning, match=r"write reduced_spectrum\(\)"):
        assert np.array_equal(both.spectrum(Y, reduced=True).values, both.reduced_spectrum(Y).values)
    run = net.run(drive=[[1.0, 0.5], [0.5, 1.0]])
    with pytest.warns(DeprecationWarning, match=r"write Run\.presented"):
        assert np.array_equal(run.shown, run.presented)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Energy", "ResponseEnergy"),
        ("Ensemble", "StimulusEnsemble"),
        ("Fate", "OrbitFate"),
        ("Limit", "StabilityLimit"),
        ("Presentation", "StimulationSchedule"),
        ("Verdict", "StabilityVerdict"),
    ],
)
def test_names_of_the_network_s_results(old, new):
    with pytest.warns(DeprecationWarning, match=f"write {new}"):
        found = getattr(bf.adaptation, old)
    assert found is getattr(bf.adaptation, new)


def test_options_of_the_laboratory_and_of_the_network():
    net = bf.adaptation.Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    y = net.reduced_equilibrium()
    states = y * np.array([[0.9, 1.1], [1.0, 1.0], [1.1, 0.95]])
    with pytest.warns(DeprecationWarning, match="probes=…, seed=…"):
        old = bf.gradient.asymmetry(net.reduced, states[0], 5, 1)
    assert old.estimate == bf.gradient.asymmetry(net.reduced, states[0], probes=5, seed=1).estimate
    with pytest.warns(DeprecationWarning, match="every=…"):
        assert np.array_equal(net.spectrum(y, False).values, net.spectrum(y, every=False).values)
    with pytest.warns(DeprecationWarning, match="longest=…"):
        assert net.outcome(20_000).fate.outputs == net.outcome(longest=20_000).fate.outputs
    with pytest.warns(DeprecationWarning, match="samples=…"):
        assert net.limits("alpha", (0.1, 1.0), 5) == net.limits("alpha", (0.1, 1.0), samples=5)
