"""The line that says how far a call has come: where it appears, what it says, and that it goes."""

import io
import re

import pytest

import bifurcate as bf
from bifurcate.continuation import progress_line
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


def test_anything_else_is_refused():
    with pytest.raises(InvalidInput, match="progress is 3; it must be callable"):
        bf.trace(curve(), BOX, progress=3)
