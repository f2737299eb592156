"""The rooms of the package import downwards only."""

import ast
import pathlib
import re

import bifurcate

ROOT = pathlib.Path(bifurcate.__file__).parent

# From the bottom up; a room imports only from rooms before it (and from itself).
ROOMS = [
    "errors",
    "linear",
    "maps",
    "gradient",
    "orbits",
    "solvers",
    "curves",
    "corrector",
    "special",
    "walk",
    "staying",
    "stepping",
    "branch",
    "recognition",
    "continuation",
    "deflation",
    "plot",
    "diagram",
]

# The flagship model is a user of the package: it knows maps, operators and orbits, nothing of continuation.
MODEL = {"adaptation": {"errors", "linear", "maps", "orbits"}}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bifurcate":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("bifurcate."))


def sources():
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room != "__init__":
            yield room, path


def test_every_room_is_known():
    assert {room for room, _ in sources()} <= {*ROOMS, *MODEL}


def test_imports_point_downwards():
    for room, path in sources():
        allowed = MODEL[room] | {room} if room in MODEL else set(ROOMS[: ROOMS.index(room) + 1])
        assert set(imported(path)) <= allowed, f"{path.name} imports {set(imported(path)) - allowed}"


def test_only_plot_imports_matplotlib():
    for room, path in sources():
        text = path.read_text()
        assert room == "plot" or "matplotlib" not in text, f"{path.name} knows matplotlib"


def test_tests_that_derivations_name_exist():
    tests = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    named = {name for _, path in sources() for name in re.findall(r"\btest_\w+(?=[,)]|\s)", path.read_text())}
    missing = [name for name in named if name != "test_functions" and f"def {name}(" not in tests]
    assert not missing
    assert len(named) > 20


def test_nothing_is_printed():
    for _, path in sources():
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        assert not [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"], path.name


def test_files_and_functions_stay_small():
    for _, path in sources():
        text = path.read_text()
        assert text.count("\n") <= 450, f"{path.name} has {text.count(chr(10))} lines: look for the missing room"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                words = len((ast.get_docstring(node) or "").splitlines())
                assert node.end_lineno - node.lineno + 1 - words <= 60, f"{path.name}: {node.name} is too long"
