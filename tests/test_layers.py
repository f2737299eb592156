"""The house: rooms import downwards only, files never in a circle, and every file and function stays small."""

import ast
import pathlib
import re

import bifurcate

ROOT = pathlib.Path(bifurcate.__file__).parent

# Rooms from the bottom up. A file imports only from its own room and from rooms before it.
ROOMS = [
    "errors",
    "printing",
    "interrupts",
    "executors",
    "deprecation",
    "validation",
    "progress",
    "progress_line",
    "storage",
    "linalg",
    "maps",
    "newton",
    "gradient",
    "orbits",
    "curves",
    "bifurcations",
    "continuation",
    "proofs",
    "attractors",
    "manifolds",
    "plot",
    "diagram",
    "sweep_calls",
    "sweep_result",
    "sweep",
    "cli",
    "__main__",
]

# The flagship model is a user of the package: it knows maps, operators, Newton's method, orbits and tests of gradients,
# nothing of continuation.
MODEL = {"adaptation": {*ROOMS[: ROOMS.index("newton") + 1], "gradient", "orbits"}}

# Rooms that know the model: theorems about the network are proved from its own identities.
KNOW_THE_MODEL = {"proofs"}

# The model's own rooms, from the bottom up.
MODEL_ROOMS = [
    "without_caches",
    "kernels",
    "validation",
    "stimuli",
    "maps",
    "equations",
    "equilibria",
    "convex_bounds",
    "energy",
    "mirror_descent",
    "certificate",
    "all_weights",
    "long_run",
    "simulation",
    "network",
    "presets",
]


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported(path):
    """Modules of the package that a file imports, anywhere in it and for type checkers only, too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "bifurcate":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else node.module
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)


IMPORTS = {name: set(imported(path)) - {name} for name, path in FILES.items()}


def room(name):
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_room_is_known():
    assert {room(name) for name in FILES} - {""} <= {*ROOMS, *MODEL}


def test_imports_point_downwards():
    for name, targets in IMPORTS.items():
        own = room(name)
        if not own:
            continue
        allowed = MODEL[own] | {own} if own in MODEL else set(ROOMS[: ROOMS.index(own) + 1])
        allowed |= {"adaptation"} if own in KNOW_THE_MODEL else set()
        assert {room(target) for target in targets} <= allowed, f"{name} imports {sorted(targets)}"


def test_rooms_of_the_model_import_downwards():
    def inner(name):
        parts = name.split(".")
        return parts[2] if len(parts) > 2 else ""

    for name, targets in IMPORTS.items():
        if room(name) != "adaptation" or not inner(name):
            continue
        below = MODEL_ROOMS[: MODEL_ROOMS.index(inner(name)) + 1]
        own = {inner(target) for target in targets if room(target) == "adaptation"}
        assert own <= set(below), f"{name} imports {sorted(targets)}"


def test_no_file_imports_a_whole_room():
    # A room's __init__ is for users. Inside the package every import names the file, so that the arrows are true.
    for name, targets in IMPORTS.items():
        if room(name):
            rooms = [target for target in targets if FILES[target].name == "__init__.py"]
            assert not rooms, f"{name} imports {rooms}"


def test_no_circle_of_files():
    def reached(start):
        seen, waiting = set(), list(IMPORTS[start])
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting.extend(IMPORTS[here])
        return seen

    circle = sorted(name for name in FILES if FILES[name].name != "__init__.py" and name in reached(name))
    assert not circle


def test_no_module_is_hidden_by_a_name_of_its_package():
    for name, path in FILES.items():
        if path.name != "__init__.py":
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    shown = f"{name}.{alias.asname or alias.name}"
                    assert shown not in FILES or f"{node.module}.{alias.name}" == shown, shown


def test_only_plot_imports_matplotlib():
    for name, path in FILES.items():
        if room(name) != "plot":  # others may name its Axes for type checkers
            found = re.findall(r"^\s*(?:import|from) matplotlib.*", path.read_text(), re.M)
            assert {line.strip() for line in found} <= {"from matplotlib.axes import Axes"}, name


def test_tests_that_derivations_name_exist():
    tests = "".join(path.read_text() for path in pathlib.Path(__file__).parent.rglob("test_*.py"))
    named = {name for path in FILES.values() for name in re.findall(r"\btest_\w+(?=[,)]|\s)", path.read_text())}
    missing = [name for name in named if name != "test_functions" and f"def {name}(" not in tests]
    assert not missing
    assert len(named) > 20


def test_nothing_is_printed():
    for name, path in FILES.items():
        if room(name) == "cli":  # the command prints: it is what it is for
            continue
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        assert not [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"], name


def test_files_and_functions_stay_small():
    for name, path in FILES.items():
        text = path.read_text()
        assert text.count("\n") <= 450, f"{name} has {text.count(chr(10))} lines: look for the missing room"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                words = len((ast.get_docstring(node) or "").splitlines())
                assert node.end_lineno - node.lineno + 1 - words <= 60, f"{name}: {node.name} is too long"
