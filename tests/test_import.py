"""What ``import bifurcate`` costs and shows: heavy libraries are loaded by what uses them, every public name exists."""

import ast
import pathlib
import subprocess
import sys

import bifurcate as bf

STUB = pathlib.Path(bf.__file__).with_suffix(".pyi")


def loaded_after(statement):
    shown = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_no_heavy_library():
    assert not loaded_after("import bifurcate") & {"numpy", "scipy", "matplotlib", "networkx", "scipy.optimize"}


def test_following_a_branch_loads_neither_matplotlib_nor_networkx():
    code = (
        "import bifurcate as bf\n"
        "bf.trace(bf.cycles(bf.maps.logistic(), free='r', guess=[0.6]), {'r': (2.0, 3.2)}).first('flip')"
    )
    assert not loaded_after(code) & {"matplotlib", "networkx"}


def test_every_public_name_can_be_loaded():
    for name in bf.__all__:
        assert getattr(bf, name) is not None


def test_the_stub_exports_every_name_under_itself():
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1
            assert all(alias.asname == alias.name for alias in node.names)


def test_the_version_is_that_of_the_distribution():
    text = (pathlib.Path(bf.__file__).parents[1] / "pyproject.toml").read_text()
    assert f'version = "{bf.__version__}"' in text
