"""Files that are whole or not there: written under a temporary name beside the place, and renamed."""

from __future__ import annotations

import os
import platform
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bifurcate.errors import InvalidInput

__all__ = ["check_folder", "written_atomically"]

PERMISSIONS = 0o666  # of a new file, less what the process's mask takes away, as for every file that Python opens


def check_folder(name: str, path: str | os.PathLike[str]) -> Path:
    """The path of a file that can be written: its folder exists, and lets files be made in it.

    Examples
    --------
    >>> check_folder("path", "no such folder/result.npz")
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: path is 'no such folder/result.npz'; there is no folder 'no such folder'
    """
    try:
        found = Path(path)
    except TypeError as error:
        raise InvalidInput(f"{name} is {path!r}; it must be the path of a file") from error
    if not found.parent.is_dir():
        raise InvalidInput(f"{name} is {str(path)!r}; there is no folder {str(found.parent)!r}")
    if found.is_dir():
        raise InvalidInput(f"{name} is {str(path)!r}, which is a folder; it must be the path of a file")
    if not os.access(found.parent, os.W_OK):
        raise InvalidInput(f"{name} is {str(path)!r}; files cannot be made in the folder {str(found.parent)!r}")
    return found


@contextmanager
def written_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of ``path`` when all is written, and is gone if that fails.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder, "numbers.txt")
    ...     with written_atomically(target) as file:
    ...         _ = file.write(b"1 2 3")
    ...     [each.name for each in pathlib.Path(folder).iterdir()], target.read_text()
    (['numbers.txt'], '1 2 3')
    """
    target = Path(path)
    _remove_orphans(target)
    prefix = f".{target.name}.{os.getpid()}@{platform.node()}."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, PERMISSIONS & ~mask)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_orphans(target: Path) -> None:
    """Remove what processes of this machine that are no more were writing when they were killed."""
    owner = re.compile(re.escape(f".{target.name}.") + r"(\d+)@" + re.escape(platform.node()) + r"\.[^.]*\.part")
    for each in target.parent.glob(".*.part"):
        found = owner.fullmatch(each.name)
        if found is not None and not _is_running(int(found[1])):
            each.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # where signal 0 does not merely ask
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
