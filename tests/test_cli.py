"""The command does what the functions do, says in one line what is wrong, and ends with a code for shells."""

import io
import re
import subprocess
import sys

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.cli import main
from bifurcate.maps.diagnosis import diagnose

MAPS = """
import random
import numpy as np
import bifurcate as bf

henon = bf.Map(lambda z, a, b: np.array([1 - a * z[0] ** 2 + z[1], b * z[0]]), {"a": 0.1, "b": 0.3}, name="henon")
number = 3

def logistic(x, r):
    return r * x * (1 - x)

def flat(x, r):
    return float(r * x[0])

def changing(x, r):
    x *= r
    return x

def by_chance(x, r):
    return r * x * (1 - x) + 1e-6 * random.random()

def rough(x, r):
    return np.float32(r * x * (1 - x))

def inner(x, r):
    return r * x * (1 - x) + 1e-9 * np.sin(1e9 * x)

def tent(x, r):
    return r * np.minimum(x, 1 - x)

def step(x, r):
    return r * x + (x > 0.5)

def unused(x, r, q):
    return r * x * (1 - x)

def failing(x, r):
    raise ZeroDivisionError("r is 0")

wrong = bf.Map(logistic, {"r": 2.5}, jvp=lambda x, v, r: r * v)
wrong_jacobian = bf.Map(logistic, {"r": 2.5}, jacobian=lambda x, r: np.array([[r]]))
"""


@pytest.fixture
def maps(tmp_path, monkeypatch):
    (tmp_path / "my_maps.py").write_text(MAPS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "my_maps.py"
    sys.modules.pop("my_maps", None)


def run(capsys, *words):
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_diagram_is_printed_drawn_and_saved(maps, capsys, tmp_path):
    line = f"diagram {maps}:logistic --free r --bounds 2.5 3.5 --guess 0.6 --set r=2.6"
    code, out, err = run(capsys, *f"{line} --plot out.pdf --save out.npz --csv out.csv".split())
    assert code == 0 and err == "" and "PD at r = 3 " in out
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    assert "supercritical" in (tmp_path / "out.csv").read_text()
    code, shown, _ = run(capsys, "show", "out.npz", "--csv", "points.csv")
    assert code == 0 and shown == out
    frame = bf.load("out.npz").to_dataframe()
    assert len((tmp_path / "points.csv").read_text().splitlines()) == len(frame) + 1
    assert run(capsys, "plot", "out.npz", "--out", "again.png")[0] == 0
    assert (tmp_path / "again.png").read_bytes()[1:4] == b"PNG"


def test_a_plain_function_begins_at_the_lower_bound(maps, capsys):
    words = ("--free", "r", "--bounds", "2.5", "3.2", "--guess", "0.6")
    code, out, _ = run(capsys, "diagram", f"{maps}:logistic", *words)
    assert code == 0 and "PD" in out
    code, _, err = run(capsys, "diagram", f"{maps}:unused", *words)
    assert code == 2 and "write --set q=VALUE" in err and err.count("\n") == 1


def test_any_result_with_rows_is_written_as_a_table(capsys, tmp_path):
    bf.save(bf.orbit(bf.maps.logistic(r=2.0), [0.5], 3), tmp_path / "orbit.npz")
    assert run(capsys, "show", str(tmp_path / "orbit.npz"), "--csv", str(tmp_path / "orbit.csv"))[0] == 0
    assert (tmp_path / "orbit.csv").read_text().splitlines()[0] == "step,x0"


def test_two_parameters_are_drawn_in_their_plane(maps, capsys, tmp_path):
    line = f"diagram {maps}:henon --free a --bounds 0 0.6 --second b 0 0.6 --guess 1 0.3 --depth 1"
    words = f"{line} --plot out.svg --journal notes".split()
    code, out, _ = run(capsys, *words)
    assert code == 0 and "PD" in out and "<svg" in (tmp_path / "out.svg").read_text()
    assert run(capsys, *words)[1] == out  # read from the journal


ERRORS = [
    ("", "the following arguments are required"),
    ("dance", "invalid choice"),
    ("diagram", "the following arguments are required: FILE.py:NAME, --guess, --free, --bounds"),
    ("diagram {}:logistic --free r --bounds 2 3 --guess x", "argument --guess: invalid float value: 'x'"),
    ("diagram {}:logistic --free r --bounds 2 --guess 0.6", "argument --bounds: expected 2 arguments"),
    ("diagram {}:logistic --free r --bounds 3 2 --guess 0.6 --set r=2.5", "low < high is needed"),
    ("diagram {}:logistic --free r --bounds 2 3 --guess 0.6 --set r", "'r' is not NAME=VALUE"),
    ("diagram {}:logistic --free r --bounds 2 3 --guess 0.6 --set r=a", "the value of r is 'a', which is no number"),
    ("diagram {}:logistic --free q --bounds 2 3 --guess 0.6 --set r=2.5", "has no parameter 'q'; it has r"),
    ("diagram {}:none --free r --bounds 2 3 --guess 0.6", "my_maps.py has no 'none'; it has the maps henon"),
    ("diagram {}:number --free r --bounds 2 3 --guess 0.6", "is a int; it must be a Map or a function"),
    ("diagram none.py:f --free r --bounds 2 3 --guess 0.6", "there is no file 'none.py'"),
    ("diagram nothing --free r --bounds 2 3 --guess 0.6", "write FILE.py:NAME"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 0.6", "henon failed on a state of shape"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --plot out.doc", "its ending must be .pdf or .png or .svg"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --plot none/out.pdf", "there is no folder 'none'"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --save out.txt", "its ending must be .npz"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --second b 0", "argument --second: expected 3 arguments"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --second b 0 x", "--second is b 0 x; write NAME LOW HIGH"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --workers 0", "--workers is 0; it must be at least 1"),
    ("diagram {}:henon --free a --bounds 0 1 --guess 1 0.3 --depth -1", "depth is -1; it must be a whole number"),
    ("show none.npz", "cannot be read: No such file"),
    ("show {}", "is no result of bifurcate"),
    ("plot {} --out x.pdf", "is no result of bifurcate"),
    ("plot {}", "the following arguments are required: --out"),
    ("check {}:henon", "the following arguments are required: --guess"),
]


@pytest.mark.parametrize(("line", "words"), ERRORS)
def test_errors_are_one_line_and_a_code(line, words, maps, capsys):
    code, _, err = run(capsys, *line.format(maps).split())
    assert code in (1, 2) and words in err and err.count("\n") == 1 and err.startswith("bifurcate")


def test_a_file_that_cannot_be_run_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "broken.py").write_text("def f(x: return x")
    code, _, err = run(capsys, "check", "broken.py:f", "--guess", "0.1")
    assert code == 2 and "broken.py cannot be run: SyntaxError" in err
    assert run(capsys, "--traceback", "check", "broken.py:f", "--guess", "0.1")[2].startswith("Traceback")


VERBS = ["diagram", "show", "plot", "check", "--traceback", "--help me"]
SOURCES = ["{}:logistic", "{}:henon", "{}", "none.py:f", ":", "", "σ", ".", "/", "\\0"]
OPTIONS = ["--free", "--bounds", "--guess", "--set", "--second", "--plot", "--save", "--depth", "--out", "--csv"]
VALUES = ["r", "a", "b", "2", "3.5", "-1", "1e400", "nan", "0.6", "r=2.5", "r==", "=3", "out.pdf", "--workers"]


def malformed(rng):
    """A command line that somebody may have typed with their eyes closed."""
    words = rng.choice(VERBS + SOURCES + OPTIONS + VALUES, int(rng.integers(0, 9)))
    return [str(word) for word in words]


def count_refused(maps, count, seed):
    """How many of so many malformed lines are refused with one line; none raises or hangs."""
    rng, refused = np.random.default_rng(seed), 0
    for _ in range(count):
        line = [word.format(maps) for word in malformed(rng)]
        out, err = io.StringIO(), io.StringIO()
        old = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        try:
            code = main(line)
        finally:
            sys.stdout, sys.stderr = old
        assert code in (0, 1, 2), line
        if code == 2:
            refused += 1
            assert err.getvalue().count("\n") == 1 and "Traceback" not in err.getvalue(), line
    return refused


def test_malformed_lines_are_refused_in_one_line(maps):
    assert count_refused(maps, 100, seed=0) > 90


def test_help_has_examples(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0 and "bifurcate diagram henon.py:henon --free a --bounds 0 1.2" in out
    assert run(capsys, "diagram", "--help")[0] == 0


def test_the_command_is_a_program_of_its_own(maps):
    words = [sys.executable, "-m", "bifurcate", "check", f"{maps}:henon", "--guess", "1", "0.3"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0 and "ok     shape" in done.stdout and done.stderr == ""


@pytest.mark.parametrize(
    ("name", "finding", "words"),
    [
        ("logistic", "parameters", "no value is given"),
        ("flat", "shape", "f maps shape (1,) to shape ()"),
        ("changing", "in-place change", "let it return a new array"),
        ("by_chance", "chance", "again"),
        ("rough", "precision", "computes in float32"),
        ("inner", "noise", "noisy by"),
        ("tent", "kinks", "has a kink"),
        ("step", "kinks", "jumps"),
        ("unused", "parameters", "takes no notice of q"),
        ("failing", "shape", "ZeroDivisionError: r is 0"),
        ("wrong", "jvp", "differs from differences of f"),
        ("wrong_jacobian", "jacobian", "differs from differences of f"),
    ],
)
def test_each_fault_of_a_map_is_named(name, finding, words, maps, capsys):
    settings = [] if name in ("logistic", "wrong", "wrong_jacobian") else ["--set", "r=2.5"]
    settings += ["--set", "q=1"] if name == "unused" else []
    code, out, err = run(capsys, "check", f"{maps}:{name}", "--guess", "0.48", *settings)
    (line,) = [line for line in out.splitlines() if re.match(rf"(WRONG|doubt)  {finding}:", line)]
    assert words in line and err == ""
    assert code == (1 if "WRONG" in out else 0)


def test_a_mistyped_parameter_is_told_with_what_may_be_meant():
    def f(x, gain):
        return gain * x

    (finding,) = diagnose(f, [0.1], {"gian": 2.0})
    assert "is 'gain' meant?" in finding.words


@pytest.mark.parametrize("name", ["logistic", "henon", "ricker", "ikeda", "standard", "predator_prey"])
def test_nothing_is_wrong_with_the_catalogue(name):
    map = getattr(bf.maps, name)()
    state = np.full({"logistic": 1, "ricker": 1}.get(name, 2), 0.37)
    bad = [str(each) for each in diagnose(map, state) if each.verdict != "good"]
    assert not bad


def test_a_declared_border_is_no_fault():
    found = {each.name: each for each in diagnose(bf.maps.lozi(), [0.01, 0.2])}
    assert found["kinks"].verdict == "good" and "declares its borders" in found["kinks"].words


def test_theorems_are_proved_again(maps, capsys, tmp_path):
    line = f"diagram {maps}:henon --free a --bounds 0 0.5 --guess 0.9 0.3 --depth 1 --save proved.npz"
    code, out, _ = run(capsys, *f"{line} --prove".split())
    assert code == 0 and "supercritical, proved" in out
    code, out, _ = run(capsys, "verify", "proved.npz", "--map", f"{maps}:henon")
    assert code == 0 and "proved again" in out and "supercritical flip at a = 0.3675" in out
    # Another map, by so little that its values look the same, has other special points.
    other = "\nother = bf.Map(lambda z, a, b: henon.f(z, a, b) + 1e-13, {'a': 0.1, 'b': 0.3}, name='henon')\n"
    (tmp_path / "others.py").write_text(MAPS + other)
    code, _, err = run(capsys, "verify", "proved.npz", "--map", "others.py:other")
    assert code in (1, 2) and err
    assert run(capsys, *line.split())[0] == 0
    code, _, err = run(capsys, "verify", "proved.npz", "--map", f"{maps}:henon")
    assert code == 2 and "no theorem" in err
