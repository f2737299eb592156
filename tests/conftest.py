import json
import pathlib
import signal

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
# A shell that starts the tests in the background has them ignore Ctrl-C, which many of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def reference():
    """Special points of standard maps: closed forms, and what other tools printed (see the file's "about")."""
    tables = json.loads((pathlib.Path(__file__).parent / "data" / "maps.json").read_text())["maps"]
    return {table["name"]: table["points"] for table in tables}
