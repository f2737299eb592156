"""The line that says how far a call has come: where it appears, what it says, and that it goes."""

import io
import re

import pytest

import bifurcate as bf
from bifurcate import progress_line
from bifurcate.errors import InvalidInput

BOX = {"r": (0.5, 3.56)}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def curve():
    return bf.cycles(bf.maps.logistic(), "r", [0.6])


def watched(monkeypatch, quiet=0.0):
    # Within the test, since pytest puts its own stream in place after fixtures.
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress_line, "BETWEEN_SECONDS", 0.0)
    monkeypatch.setattr(progress_line, "QUIET_SECONDS", quiet)
    return stream


def test_short_calls_say_nothing(monkeypatch):
    terminal = watched(monkeypatch, quiet=60.0)
    bf.trace(curve(), BOX)
    assert terminal.getvalue() == ""


def test_long_calls_say_how_far_they_are_and_clean_up(monkeypatch):
    terminal = watched(monkeypatch)
    diagram = bf.explore(curve(), BOX, depth=3)
    lines = [line for line in terminal.getvalue().split("\r") if line.strip()]
    assert re.match(r"explore logistic: r = [\d.]+, \d+ points, \d+ special points", lines[0])
    assert re.search(r"4 special points, 4 branches, \d to follow *$", lines[-1]) and len(diagram.branches) == 4
    assert terminal.getvalue().split("\r")[-2].strip() == "" and terminal.getvalue().endswith("\r")
    assert max(map(len, lines)) < 120 and "\n" not in terminal.getvalue()


def test_nothing_is_said_where_nobody_watches(capsys, monkeypatch):
    monkeypatch.setattr(progress_line, "QUIET_SECONDS", 0.0)
    bf.trace(curve(), BOX)
    assert capsys.readouterr().err == ""
    bf.trace(curve(), BOX, progress=True)
    assert "trace logistic: r = " in capsys.readouterr().err


def test_false_and_functions_keep_calls_inside_silent(monkeypatch):
    terminal = watched(monkeypatch)
    bf.explore(curve(), BOX, depth=2, progress=False)
    heard = []
    bf.explore(curve(), BOX, depth=2, progress=heard.append)
    assert terminal.getvalue() == ""
    assert {type(record) for record in heard} == {bf.Progress} and heard[-1].left == 0
    bf.trace(curve(), BOX, progress=heard.append)
    assert {type(record) for record in heard} == {bf.Progress}


def test_sweeps_ensembles_and_solutions_say_how_far_they_are(monkeypatch):
    logistic, values = bf.maps.logistic(), [2.0 + 0.01 * i for i in range(50)]
    henon = bf.maps.henon()
    calls = [
        (lambda **k: bf.sweep(lambda r: r, {"r": values}, **k), r"sweep <lambda>: r = 2.49, 50 points of the grid, 0"),
        (
            lambda **k: bf.ensemble(logistic, [[0.3]], 5, parameters={"r": values}, **k),
            r"ensemble logistic: 50 orbits, 0",
        ),
        (
            lambda **k: bf.orbit_diagram(logistic, "r", values, [0.3], 0, samples=2, **k),
            r"ensemble logistic: 50 orbits",
        ),
        (
            lambda **k: bf.parameter_plane(henon, {"a": [0.1], "b": [0.2, 0.3]}, [0.0, 0.0], **k),
            r"ensemble henon: 2 orb",
        ),
        (lambda **k: bf.solve(logistic, [0.5], **k), r"solve logistic: \d+ Newton steps, residual \d"),
    ]
    for call, words in calls:
        terminal = watched(monkeypatch)
        call(progress=True)
        lines = [line for line in terminal.getvalue().split("\r") if line.strip()]
        assert re.match(words, lines[-1]), lines
        heard = []
        call(progress=heard.append)
        assert {type(record) for record in heard} == {bf.Progress} and heard[-1].points > 0 and heard[-1].left == 0
        terminal = watched(monkeypatch, quiet=60.0)
        call()
        assert terminal.getvalue() == ""


def longer_calls():
    henon, cubic = bf.maps.henon(), bf.Map(lambda x, a: a * x - x**3, {"a": 1.5})
    saddle = bf.solve(henon, [0.6, 0.2])
    curves = bf.manifold(saddle, length=2.0), bf.manifold(saddle, stable=True, length=2.0)
    orbit = bf.connecting_orbits(*curves).orbits[0]
    tangency = bf.trace(bf.connections(orbit, "a"), {"a": (1.1, 1.45)}).first("tangency")
    values = [2.5, 3.0, 3.5]
    basins = bf.basins(cubic, {0: (-1, 1), 1: (-1, 1)}, cells=6)
    traced = bf.trace(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), {"r": (2.0, 2.8)})
    found, start = bf.attractors(cubic, [(-1, 1)], starts=20), [0.1, 0.1]
    return {
        "orbit henon: 300 iterations, 0 left": lambda **k: bf.orbit(henon, start, 301, **k),
        "lyapunov henon: 50 iterations, 0 left": lambda **k: bf.lyapunov(henon, start, steps=50, transient=9, **k),
        "finite_time_exponents henon: \\d+ iterations": lambda **k: bf.finite_time_exponents(
            henon, start, windows=5, **k
        ),
        "alignment_indices henon: 40 iterations, 0 left": lambda **k: bf.alignment_indices(henon, start, steps=40, **k),
        "expansion_entropy henon: \\d+ iterations": lambda **k: bf.expansion_entropy(
            henon, [(-1.5, 1.5), (-0.5, 0.5)], points=1000, steps=6, **k
        ),
        "return_times henon: 200 iterations, 0 left": lambda **k: bf.return_times(
            henon, start, [(0, 2), (-1, 1)], steps=200, **k
        ),
        "fatal shock of map: \\d+ shocks": lambda **k: bf.fatal_shock(found, directions=4, **k),
        "prove a branch of logistic: r = [\\d.]+, \\d+ tubes": lambda **k: bf.prove(traced, **k),
        "orbit diagram of logistic: r = 3.5, 3 orbits, 0 left": lambda **k: bf.orbit_diagram(
            bf.maps.logistic(), "r", values, [0.3], 0, samples=2, carry=True, **k
        ),
        "connecting orbits of henon: \\d+ meetings": lambda **k: bf.connecting_orbits(*curves, **k),
        "crisis of henon: \\d+ orbits": lambda **k: bf.crisis(tangency, steps=10, **k),
        "attractors of map: 20 starts, 0 left": lambda **k: bf.attractors(cubic, [(-1, 1)], starts=20, **k),
        "basins of map: 36 starts, 0 left": lambda **k: bf.basins(cubic, {0: (-1, 1), 1: (-1, 1)}, cells=6, **k),
        "deflate logistic: \\d+ attempts": lambda **k: bf.deflate(bf.maps.logistic(r=2.5), [[0.4]], **k),
        "escape times of henon: \\d+ iterations": lambda **k: bf.escape_times(
            henon, [[0.1, 0.1], [0.9, 0.9]], [(-1, 1), (-1, 1)], steps=50, **k
        ),
        "edge state of map: \\d+ iterations": lambda **k: bf.edge_state(cubic, [0.9], [-0.4], **k),
        "uncertainty exponent: 4 distances, 0 left": lambda **k: bf.uncertainty_exponent(
            basins, points=100, epsilons=[0.1, 0.2], **k
        ),
    }


def test_other_long_calls_say_how_far_they_are(monkeypatch):
    for words, call in longer_calls().items():
        terminal = watched(monkeypatch)
        call(progress=True)
        lines = [line for line in terminal.getvalue().split("\r") if line.strip()]
        assert re.match(words, lines[-1]), lines
        heard = []
        call(progress=heard.append)
        assert {type(record) for record in heard} == {bf.Progress} and heard[-1].points > 0, words


def test_a_sweep_of_text_says_its_numbers_only(monkeypatch):
    terminal = watched(monkeypatch)
    bf.sweep(lambda what, r: r, {"what": ["a", "b"], "r": [1.0, 2.0]})
    assert "r = 2, 4 points of the grid, 0 left" in terminal.getvalue() and "what" not in terminal.getvalue()


def test_calls_inside_a_sweep_say_nothing(monkeypatch):
    terminal = watched(monkeypatch)
    bf.sweep(lambda r: bf.solve(bf.maps.logistic(r=r), [0.6]).state, {"r": [2.0, 2.5]})
    assert "solve" not in terminal.getvalue() and "sweep" in terminal.getvalue()


def test_anything_else_is_refused():
    with pytest.raises(InvalidInput, match="progress is 3; it must be callable"):
        bf.trace(curve(), BOX, progress=3)
