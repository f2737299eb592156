"""Every study once, in its quick form: the tests of a study share what it found."""

import functools
import importlib
import pathlib
import sys

import pytest

# The studies are no part of the installed package.
sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))


@pytest.fixture(scope="session")
def run_study(tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    return functools.cache(lambda name: importlib.import_module(f"studies.{name}").run(out, quick=True))
