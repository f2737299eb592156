"""The oldest versions that are allowed are those that .ci/versions runs the tests with."""

import pathlib
import re
import tomllib

ROOT = pathlib.Path(__file__).parents[1]


def lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    groups = [project["dependencies"], *(extras[name] for name in ("test", "jax", "tables", "proofs", "dask"))]
    for line in (line for group in groups for line in group):
        found = re.fullmatch(r"([A-Za-z_-]+)(?:\[\w+\])?>=([\d.]+)", line)
        if found:
            yield found[1], found[2]


def padded(version):
    parts = [int(part) for part in version.split(".")]
    return (*parts, 0, 0, 0)[:3]


def test_the_oldest_versions_are_the_lower_bounds():
    lines = (ROOT / ".ci" / "oldest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    bounds = dict(lower_bounds())
    assert len(bounds) > 10 and {name: padded(pinned[name]) for name in bounds} == {
        name: padded(version) for name, version in bounds.items()
    }


def test_ci_uses_them():
    text = (ROOT / ".ci" / "versions").read_text()
    assert "-c .ci/oldest.txt" in text and "find_python 3.11" in text
    assert "\n.ci/versions\n" in (ROOT / ".ci" / "run").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
