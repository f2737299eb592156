"""Every code block of the documentation runs as it stands."""

import importlib.util
import pathlib
import re
import sys

import pytest

import bifurcate as bf

DOCS = pathlib.Path(bf.__file__).parents[1] / "docs"
# Not among what is tested from Python 3.12 on: nolds, a library beside what the package needs, has no version for it.
ABSENT = () if sys.version_info < (3, 12) else ("import nolds\n",)
BLOCKS = [
    pytest.param(page.name, block, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
    if not any(line in block for line in ABSENT)
]


@pytest.mark.parametrize("page, block", BLOCKS)
def test_a_block_runs_as_it_stands(page, block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, page, "exec"), {"__name__": "docs"})


def test_every_page_is_in_the_index():
    index = (DOCS / "index.md").read_text()
    for page in DOCS.glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", index, flags=re.M), page.name


def test_links_between_pages_resolve():
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([\w/.]+\.md)\)", page.read_text()):
            assert (DOCS / target).exists(), f"{page.name} links {target}"


def test_every_verb_that_a_page_names_exists():
    for page in DOCS.glob("*.md"):
        for name in set(re.findall(r"\bbf\.([A-Za-z_]+)", page.read_text())):
            assert hasattr(bf, name), f"{page.name} names bf.{name}"


def test_every_reason_for_an_end_is_explained():
    from bifurcate.errors import _ADVICE

    text = (DOCS / "reading_results.md").read_text()
    for reason in _ADVICE:
        assert f"| `{reason}` |" in text, reason


def test_no_public_name_is_without_a_page():
    spec = importlib.util.spec_from_file_location("build_help", DOCS / "build_help.py")
    build_help = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build_help)
    listed = {name for names in build_help.public_names().values() for name in names}
    rooms = {room.split(".")[-1] for room in build_help.ROOMS}
    assert set(bf.__all__) - listed - rooms - {"__version__"} == set()
    index = (DOCS / "index.md").read_text()
    for module in build_help.public_names():
        room = module.partition(".")[2].replace("simulation.", "") or "bifurcate"
        assert f"reference/{room}\n" in index
