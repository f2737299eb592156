"""The README's examples run as they stand, and its rooms and commands exist."""

import pathlib
import re

import pytest

import bifurcate as bf

ROOT = pathlib.Path(bf.__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_examples_run_as_they_stand(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(compile(BLOCKS[number], f"README block {number}", "exec"), space)
    said = capsys.readouterr().out
    if number == 0:
        assert "BP at r = 1 " in said and "PD at r = 3 " in said and "3.449489743" in said
        assert (tmp_path / "logistic.png").stat().st_size > 5000
    if number == 1:
        assert abs(space["flip"].parameters["alpha"] - 0.3429683468) < 1e-9
        assert space["flip"].spectrum.size == 32400


def test_the_two_commands_are_on_the_first_screen():
    screen = TEXT.splitlines()[:30]
    commands = [line for line in screen if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith("-m studies") and commands[1].endswith("-m pytest -n auto")


def test_every_room_is_in_the_picture():
    rooms = {p.name for p in (ROOT / "bifurcate").iterdir() if not p.name.startswith("__")}
    for room in rooms:
        assert re.search(rf"^ +{re.escape(room)}/? ", TEXT, flags=re.MULTILINE), room


def test_every_verb_named_exists():
    for name in set(re.findall(r"\bbf\.([A-Za-z_]+)", TEXT)):
        assert hasattr(bf, name), name
