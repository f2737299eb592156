"""Reference values of global analysis, with their maps."""

import json
import pathlib

import numpy as np

import bifurcate as bf

ENTRIES = json.loads((pathlib.Path(__file__).parents[1] / "data/global.json").read_text())["entries"]
GLOBAL = {entry["name"]: entry for entry in ENTRIES}


def reference_map(name, **options):
    """The map of an entry, at its parameters."""
    space = {"np": np}
    exec(GLOBAL[name]["map"], space)
    return bf.Map(space["f"], GLOBAL[name]["parameters"], name=name, **options)
