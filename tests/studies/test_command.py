"""The command that runs the studies."""

import os
import pathlib
import subprocess
import sys

import pytest

from studies import __main__ as command

ROOT = pathlib.Path(command.__file__).parents[1]


def test_the_command_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "studies", "--quick", "--out", str(tmp_path), "alpha"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    assert "alpha = 0.6494276" in done.stdout
    made = {"alpha.png", "alpha.pdf", "alpha.csv", "alpha.provenance.json"}
    assert {path.name for path in tmp_path.iterdir()} == made


def test_the_command_knows_its_studies(capsys):
    with pytest.raises(SystemExit):
        command.main(["gamma"])
    assert "no study 'gamma'" in capsys.readouterr().err


def test_bare_studies_are_the_four_diagrams():
    assert list(command.DIAGRAMS) == ["alpha", "beta", "sigma", "b"] and "not_gradient" in command.STUDIES
    assert {"outcome", "energy", "spectrum", "step"} <= command.STUDIES.keys() - command.DIAGRAMS.keys()


def test_help_says_what_each_study_shows_and_how_long_it_takes(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    said = capsys.readouterr().out
    for name in command.STUDIES:
        assert f"  {name} " in said
    assert command.SECONDS.keys() <= command.STUDIES.keys() and said.count("--quick: ") == len(command.STUDIES)
