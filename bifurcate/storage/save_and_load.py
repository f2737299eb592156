"""save and load: a result in one file, and back."""

from __future__ import annotations

import os
from importlib import metadata
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput
from bifurcate.storage.atomic import check_folder
from bifurcate.storage.decoding import Decoder
from bifurcate.storage.encoding import Encoder
from bifurcate.storage.kinds_of_values import DamagedFile, type_name
from bifurcate.storage.result_file import FORMAT, VERSION, read_file, write_file

__all__ = ["load", "save"]

ENDING = ".npz"


def save(result: Any, path: str | os.PathLike[str]) -> None:
    """Write a result to one file, which NumPy alone can read.

    Parameters
    ----------
    result : object
        A Branch, Diagram, Solution, SpecialPoint, Orbit, Ensemble, OrbitDiagram, Network, Run, or whatever else the
        package returns; also a list, tuple or dict of such.
    path : str or path-like
        The file, as "branch.npz". It is replaced when all is written, not before.

    Raises
    ------
    InvalidInput
        If the folder does not exist, or the result holds what is none of the package's.

    Notes
    -----
    The file is a ``.npz`` archive whose entry "header" is JSON, as bytes: every object with its fields, and where their
    arrays are. States that are stored as thin factors stay factors. Multipliers and normal forms are computed, if they
    were not before, and stored. Functions are stored by name, never by value: no code is in the file.

    Examples
    --------
    >>> import bifurcate as bf, pathlib, tempfile
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), {"r": (2.5, 3.2)})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bf.save(branch, pathlib.Path(folder, "branch.npz"))
    ...     again = bf.load(pathlib.Path(folder, "branch.npz"))
    >>> print(again.first("flip"), again.first("flip").form)
    PD at r = 3 ± 4e-15, period 1 supercritical
    """
    target = check_folder("path", path)
    if type_name(type(result)) is None and not isinstance(result, list | tuple | dict):
        raise InvalidInput(f"result is a {type(result).__name__}; save takes what the package returns")
    with np.errstate(all="ignore"), write_file(target) as writer:
        encoder = Encoder(writer)
        root = encoder.encode(result, type(result).__name__.lower())
        writer.finish(
            {
                "format": FORMAT,
                "version": VERSION,
                "written by": metadata.version("bifurcate"),
                "result": root,
                "objects": encoder.objects,
            }
        )


def load(path: str | os.PathLike[str], map: Any = None) -> Any:
    """Read a result that :func:`save` has written.

    Parameters
    ----------
    path : str or path-like
        The file.
    map : Map, optional
        The map that the result belongs to. Catalogue maps and networks come back by themselves; of any other map the
        file knows no more than the names of its functions, and without it the result can be printed, tabulated and
        drawn, with its multipliers and coefficients, but not continued.

    Returns
    -------
    object
        Of the type that was saved, equal to the bit.

    Raises
    ------
    InvalidInput
        If the file cannot be read, is no result, was written by a later version, was cut off or changed; if the map is
        another one: if it has other parameters, or if at a stored state x the norm ‖f^k(x) − x‖_∞ exceeds the stored
        residual by more than 10⁻⁹ max(scale, ‖x‖_∞).

    Examples
    --------
    >>> import bifurcate as bf, pathlib, tempfile
    >>> def f(x, r):
    ...     return r * x * (1 - x)
    >>> map = bf.Map(f, {"r": 2.5})
    >>> branch = bf.trace(bf.cycles(map, free="r", guess=[0.6]), {"r": (2.5, 3.2)})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bf.save(branch, pathlib.Path(folder, "branch.npz"))
    ...     again = bf.load(pathlib.Path(folder, "branch.npz"), map)
    >>> bf.switch(again.first("flip")).period
    2
    """
    header, reader = read_file(path)
    decoder = Decoder(reader)

    def finish(value: Any) -> None:
        if map is not None and hasattr(value, "take_functions_of"):
            value.take_functions_of(map)

    try:
        result = decoder.load(header["objects"], header["result"], finish)
    except InvalidInput:
        raise
    except Exception as error:  # what a header that is not one of ours leads to may be anything
        raise DamagedFile(f"{str(path)!r} is damaged: {type(error).__name__}: {error}") from error
    if map is not None:
        with np.errstate(all="ignore"):
            _check_residuals(decoder.objects)
    return result


def _check_residuals(objects: list[Any]) -> None:
    """Refuse a map with which stored states are no solutions; what can be checked so has ``wrong_residual``."""
    for value in objects:
        words = value.wrong_residual() if hasattr(value, "wrong_residual") else ""
        if words:
            raise InvalidInput(f"map is not the one that this result was computed with: {words}")
