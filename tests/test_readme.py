"""The README's examples run as they stand, and what it names exists."""

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


def test_every_picture_and_page_that_is_linked_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_pictures_are_small():
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", TEXT)
    assert len(pictures) == 7 and sum("thumbnails" in each for each in pictures) == 6
    assert sum((ROOT / each).stat().st_size for each in pictures) < 250_000


def test_every_verb_named_exists():
    for name in set(re.findall(r"\bbf\.([A-Za-z_]+)", TEXT)):
        assert hasattr(bf, name), name
