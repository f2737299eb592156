"""What the pages say of the code is true: sizes, files, kinds, and the steps for those who carry on."""

import pathlib
import re

import bifurcate as bf
from bifurcate.bifurcations.kinds import KINDS

ROOT = pathlib.Path(bf.__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/sizes.md")]


def value_of(path, name):
    found = re.search(rf"^{name} = (\S+)", path.read_text(), flags=re.MULTILINE)
    return eval(found[1], {}) if found else None


def test_every_size_limit_is_on_the_page_with_its_value():
    rows = re.findall(r"^\| ([\d,]+)[^|]*\| `(\w+)` \| `([^`]+)` \|", (ROOT / "docs/sizes.md").read_text(), flags=re.M)
    for number, name, file in rows:
        assert value_of(ROOT / file, name) == int(number.replace(",", "")), (file, name)
    listed = {(file, name) for _, name, file in rows}
    marked = set()
    for path in (ROOT / "bifurcate").rglob("*.py"):
        lines = path.read_text().split("\n")
        for i, line in enumerate(lines):
            if re.search(r"[Ss]ize limit:", line):
                name = next(m[1] for m in (re.match(r"([A-Z_0-9]+) = ", each) for each in lines[i:]) if m)
                marked.add((path.relative_to(ROOT).as_posix(), name))
    assert marked == listed


def test_every_file_that_a_page_names_exists():
    for page in PAGES:
        for name in re.findall(r"`((?:bifurcate|studies|tests|docs)/[\w/]+\.\w+)`", page.read_text()):
            assert (ROOT / name).exists() or "NAME" in name, f"{page.name} names {name}"
    text = (ROOT / "docs/architecture.md").read_text()
    for name in re.findall(r"`((?:continuation|curves|bifurcations|linalg|maps|diagram)/[\w/]+\.py)`", text):
        assert (ROOT / "bifurcate" / name).exists(), name


def test_every_kind_is_on_the_page_of_results_with_its_label():
    text = (ROOT / "docs/reading_results.md").read_text()
    for kind in KINDS.values():
        if kind.codimension == 2:
            label = kind.name if kind.name == kind.label else f"{kind.name} ({kind.label})"
            assert label in text, label
        else:
            assert re.search(rf"^\| {re.escape(kind.name)} \| {kind.label} \|", text, flags=re.M | re.I) or (
                kind.name == "neimark-sacker" and "| Neimark–Sacker | NS |" in text
            ), kind.name


DOUBTS = (
    "counts of multipliers went from",
    "the parameter seems to turn near",
    "of which",
    "the branch may have gone on along another one there",
    "is 0 to within its error along this curve",
    "could not be located",
    "no point with a name of its own",
    "another multiplier reaches the unit circle",
    "noisy by",
    "the derivative from the two sides differs by",
    "the rotation number passes",
    "parity on branch",
    "balance at",
)


def test_every_doubt_is_on_the_page_of_results_in_the_words_of_the_code():
    page = (ROOT / "docs/reading_results.md").read_text().partition("## Doubts")[2].partition("## ")[0]
    code = "".join(path.read_text() for path in (ROOT / "bifurcate").rglob("*.py"))
    for words in DOUBTS:
        assert words in page and words in code, words


def test_the_page_of_results_lists_the_curves_that_hold_each_kind():
    text = (ROOT / "docs/reading_results.md").read_text()
    for curve, title in (("fold", "folds"), ("flip", "flips"), ("neimark-sacker", "Neimark–Sacker points")):
        row = re.search(rf"^\| {title} \| (.*) \|$", text, flags=re.M)[1]
        told = {name.split(" (")[0] for name in row.split(", ")}
        kinds = {k.name for k in KINDS.values() if k.codimension == 2 and curve in k.through and not k.is_double}
        assert told == kinds


def test_every_room_is_in_the_picture_of_the_architecture():
    text = (ROOT / "docs/architecture.md").read_text()
    for room in {p.name for p in (ROOT / "bifurcate").iterdir() if not p.name.startswith("__")}:
        assert re.search(rf"^ +{re.escape(room)}/? ", text, flags=re.M), room
