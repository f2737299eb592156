"""Every figure says where it comes from, old ones are told, and a study that was ended leaves nothing half done."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from studies import __main__ as command
from studies import outcome, provenance, run_settings

ROOT = pathlib.Path(command.__file__).parents[1]
TINY = outcome.Settings(decay_cells=(3, 2), growth_cells=(3, 2), decay_updates=100, growth_updates=100, rows=9)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(outcome, "QUICK", TINY)
    monkeypatch.setattr(outcome, "SAMPLES", 8)


def made(folder, *more):
    command.main(["outcome", "--quick", "--out", str(folder), *more])
    return json.loads((folder / "outcome.provenance.json").read_text())


def test_settings_versions_and_hashes_are_written_beside_the_figure(tiny, tmp_path):
    known = made(tmp_path, "--format", "svg", "--format", "png", "--format", "pdf")
    assert known["quick"] and known["settings"]["QUICK"] == json.loads(json.dumps(dataclasses.asdict(TINY)))
    assert known["versions"]["numpy"] == np.__version__ and len(known["commit"].rstrip("+")) == 40
    assert set(known["outputs"]) == {"outcome.svg", "outcome.png", "outcome.pdf", "outcome.csv"}
    assert {path.name for path in tmp_path.iterdir()} == {*known["outputs"], "outcome.provenance.json"}
    from PIL import Image

    facts = json.loads(Image.open(tmp_path / "outcome.png").text["Description"])
    assert facts == {key: value for key, value in known.items() if key != "outputs"}
    assert known["code"].encode() in (tmp_path / "outcome.svg").read_bytes()
    assert b"bifurcate study outcome" in (tmp_path / "outcome.pdf").read_bytes()


def test_check_tells_what_is_out_of_date(tiny, tmp_path, capsys, monkeypatch):
    def checked():
        with pytest.raises(SystemExit) as end:
            command.main(["check", "--out", str(tmp_path)])
        return end.value.code, capsys.readouterr().out

    assert checked() == (0, "")
    made(tmp_path)
    capsys.readouterr()
    assert checked() == (0, "outcome: matches the code\n")
    with (tmp_path / "outcome.csv").open("a") as file:
        file.write("by hand\n")
    (tmp_path / "outcome.pdf").unlink()
    code, words = checked()
    assert code == 1 and "outcome.csv was changed after it was made" in words and "outcome.pdf is missing" in words
    monkeypatch.setattr(provenance, "code_digest", lambda name: "another")
    assert "the code has changed since" in checked()[1]
    (tmp_path / "outcome.provenance.json").write_text("{")
    assert "outcome.provenance.json is damaged" in checked()[1]
    (tmp_path / "outcome.provenance.json").unlink()
    assert "without outcome.provenance.json" in checked()[1]


def test_the_digest_follows_what_a_study_imports():
    assert {path.name for path in provenance._sources_of_study("alpha")} >= {"alpha.py", "cascade.py", "ring.py"}
    assert provenance.code_digest("alpha") != provenance.code_digest("outcome")


def test_the_folder_is_checked_first(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit):
        command.main(["outcome", "--out", str(tmp_path / "file")])
    assert "--out is" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["outcome", "--workers", "0"])


def test_an_interrupted_study_publishes_nothing_and_goes_on(tiny, tmp_path, monkeypatch, capsys):
    cells, first, whole = [], True, outcome.cells_together

    def interrupting(alpha, other, **more):
        cells.extend(alpha.tolist())
        if len(cells) == 5 and first:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(alpha, other, **more)

    interrupting.__module__, interrupting.__qualname__ = whole.__module__, whole.__qualname__
    monkeypatch.setattr(outcome, "cells_together", interrupting)
    monkeypatch.setattr(outcome, "CELLS_TOGETHER", 1)
    with pytest.raises(SystemExit) as end:
        made(tmp_path)
    assert end.value.code == 130 and "nothing of this study was published" in capsys.readouterr().err
    assert [path.suffix for path in tmp_path.iterdir()] == [".journal"]
    cells.clear()
    first = False
    known = made(tmp_path, "--resume")
    assert len(cells) == 3 * 6 - 4  # those four were noted
    assert known["outputs"] == made(tmp_path / "again")["outputs"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_is_not_taken_for_a_result():
    # Continuation answers a KeyboardInterrupt with what it has: a study must not go on with that.
    assert not issubclass(run_settings.Interrupted, KeyboardInterrupt | Exception)


def killed_study(folder, seconds, *more, kind=signal.SIGKILL):
    words = [sys.executable, "-m", "studies", "outcome", "--quick", "--out", str(folder), *more]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.send_signal(kind)
        process.communicate()
    return process.returncode


@pytest.mark.slow
def test_a_killed_study_goes_on_to_the_same_files(tmp_path):
    words = [sys.executable, "-m", "studies", "outcome", "--quick", "--out"]
    subprocess.run([*words, str(tmp_path / "whole")], cwd=ROOT, check=True, capture_output=True)
    assert killed_study(tmp_path / "killed", 6.0) == -signal.SIGKILL
    left = [path for path in (tmp_path / "killed").iterdir() if path.suffix != ".journal"]
    assert not left or (tmp_path / "killed" / "outcome.provenance.json").exists()
    more = ["--resume", "--workers", "2"]
    subprocess.run([*words, str(tmp_path / "killed"), *more], cwd=ROOT, check=True, capture_output=True)
    for name in ("outcome.csv", "outcome.png", "outcome.pdf"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
