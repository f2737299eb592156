"""One file a result: a ``.npz`` that NumPy alone can read, with a header in JSON.

``np.load(path)["header"].tobytes()`` is the header's text: format, version, the objects, and where their arrays are.
Large arrays are entries of their own, written piece by piece; small ones are joined, one entry for each type of number.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.storage.atomic import written_atomically
from bifurcate.storage.kinds_of_values import DamagedFile
from bifurcate.validation import shown

__all__ = ["FORMAT", "VERSION", "ArrayReader", "ArrayWriter", "read_file", "write_file"]

Array = NDArray[Any]

FORMAT = "bifurcate result"
VERSION = 1  # grows when an older version of the package could no longer read what is written
SMALL = 2**12  # numbers in an array up to which it is joined with others: an entry of its own takes some 250 bytes
HEADER, DIGEST = "header", "digest"
DAY = (1980, 1, 1, 0, 0, 0)  # the time written into the archive: equal results are equal files
PIECE = 2**20  # bytes that are read at a time
# What reading an archive raises whose bytes were changed.
UNREADABLE = (ValueError, KeyError, EOFError, OSError, NotImplementedError, RuntimeError, SyntaxError, zlib.error)


class ArrayWriter:
    """Writes arrays to the archive; an :class:`~bifurcate.storage.encoding.ArrayStore`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names: dict[str, int] = {}
        self._small: dict[str, list[Array]] = {}
        self._lengths: dict[str, int] = {}
        self._written: dict[bytes, str] = {}  # entries by the digest of what they hold
        self.digest = hashlib.blake2b(digest_size=16)

    def add(self, array: Array, name: str) -> Any:
        """Store an array, by itself or joined with others."""
        order: Literal["C", "F"] = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        if array.size > SMALL or array.dtype.kind in "US":
            return {"entry": self._entry(array.T if order == "F" else array, name), "order": order}
        kind = array.dtype.str
        start = self._lengths.get(kind, 0)
        self._small.setdefault(kind, []).append(array.reshape(-1, order=order))
        self._lengths[kind] = start + array.size
        return {"kind": kind, "start": start, "shape": list(array.shape), "order": order}

    def add_stack(self, arrays: Sequence[Array], name: str) -> Any:
        """Store arrays of one shape, type and order as one entry, each written by itself."""
        first = arrays[0]
        order = "F" if first.flags.f_contiguous and not first.flags.c_contiguous else "C"
        turned = arrays if order == "C" else [each.T for each in arrays]
        return {"entry": self._write(turned, name, stacked=True), "order": order, "stack": True}

    def finish(self, header: dict[str, Any]) -> None:
        """Write what is joined, the header and the digest of all."""
        for kind, parts in self._small.items():
            self._write([np.concatenate(parts)], f"numbers {kind[1:]}", stacked=False, exact=True)
        text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        self._write([np.frombuffer(text, dtype=np.uint8)], HEADER, stacked=False, exact=True)
        digest = np.frombuffer(self.digest.digest(), dtype=np.uint8)
        self._write([digest], DIGEST, stacked=False, exact=True)

    def _entry(self, array: Array, name: str) -> str:
        """Where a large array is stored: one that holds the same numbers is not written twice."""
        about = f"{array.dtype.str} {array.shape} ".encode()
        content = hashlib.blake2b(about, digest_size=16)
        content.update(memoryview(np.ascontiguousarray(array)).cast("B") if array.size else b"")
        key = content.digest()
        if key not in self._written:
            self._written[key] = self._write([array], name, stacked=False)
        return self._written[key]

    def _write(self, arrays: Sequence[Array], name: str, *, stacked: bool, exact: bool = False) -> str:
        entry = name if exact else self._unused(name)
        first = arrays[0]
        shape = (len(arrays), *first.shape) if stacked else first.shape
        about = {"descr": np.lib.format.dtype_to_descr(first.dtype), "fortran_order": False, "shape": shape}
        info = zipfile.ZipInfo(f"{entry}.npy", date_time=DAY)
        info.compress_type = zipfile.ZIP_DEFLATED if name == HEADER else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        self.digest.update(f"{entry} {about}".encode())
        with self._archive.open(info, "w", force_zip64=True) as file:
            np.lib.format.write_array_header_2_0(file, about)
            together = max(PIECE // max(first.nbytes, 1), 1)  # small arrays are written many at a time
            for at in range(0, len(arrays), together):
                some = arrays[at : at + together]
                joined = np.ascontiguousarray(some[0]) if len(some) == 1 else np.array(some)
                content = memoryview(joined).cast("B") if joined.size else b""
                file.write(content)
                self.digest.update(content)
        return entry

    def _unused(self, name: str) -> str:
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name} ({count})"


class ArrayReader:
    """Reads arrays from the archive; an :class:`~bifurcate.storage.decoding.ArraySource`."""

    def __init__(self, entries: dict[str, Array]) -> None:
        self._entries = entries

    def get(self, key: Any) -> Array:
        """The array that a key finds: one of its own where it is joined with others, so that it can be let go."""
        order = key["order"]
        if "entry" in key:
            found = self._entries[key["entry"]]
            if "stack" in key and order == "F":
                return found.transpose(0, *range(found.ndim - 1, 0, -1))
            return found.T if order == "F" else found
        shape, start = tuple(key["shape"]), key["start"]
        joined = self._entries[f"numbers {key['kind'][1:]}"]
        part = joined[start : start + math.prod(shape)]
        return part.copy().reshape(shape, order=order)


@contextmanager
def write_file(path: str | os.PathLike[str]) -> Iterator[ArrayWriter]:
    """A writer to a new file, which is there only once all is written."""
    with written_atomically(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        yield ArrayWriter(archive)


def read_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], ArrayReader]:
    """The header of a file, and a reader of its arrays.

    Raises
    ------
    DamagedFile
        If it is no file of results, was written by a later version, or is not what was written.
    """
    if not isinstance(path, str | os.PathLike):  # a whole number would be taken for a file that is open already
        raise InvalidInput(f"path is {shown(path)}; it must be the path of a file")
    try:
        with open(path, "rb") as file:
            return _read(file, str(path))
    except OSError as error:
        raise InvalidInput(f"{str(path)!r} cannot be read: {error.strerror or error}") from error


def _read(file: BinaryIO, path: str) -> tuple[dict[str, Any], ArrayReader]:
    foreign = DamagedFile(f"{path!r} is no result of bifurcate: bf.save writes such files")
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if f"{HEADER}.npy" not in names or f"{DIGEST}.npy" not in names:
                raise foreign
            header = json.loads(_entry(archive, HEADER).tobytes())
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise foreign
            version = header.get("version")
            if not isinstance(version, int) or version > VERSION:
                raise DamagedFile(
                    f"{path!r} was written by bifurcate {header.get('written by')}, in version {version} of the "
                    f"format; this one reads up to version {VERSION}: install a later one"
                )
            digest = hashlib.blake2b(digest_size=16)
            entries = {}
            for name in names:
                if name.endswith(".npy") and name != f"{DIGEST}.npy":
                    entries[name[:-4]] = _entry(archive, name[:-4], digest)
            if digest.digest() != _entry(archive, DIGEST).tobytes():
                raise DamagedFile(f"{path!r} was changed after it was written: its digest is another one")
            return header, ArrayReader(entries)
    except DamagedFile:
        raise
    except zipfile.BadZipFile as error:
        if _starts_like_an_archive(file):
            raise DamagedFile(f"{path!r} is damaged or cut off: {error}") from error
        raise foreign from error
    except UNREADABLE as error:
        raise DamagedFile(f"{path!r} is damaged: {type(error).__name__}: {error}") from error


def _starts_like_an_archive(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(2) == b"PK"


def _entry(archive: zipfile.ZipFile, name: str, digest: Any = None) -> Array:
    """An entry's array, read into its own memory piece by piece."""
    size = archive.getinfo(f"{name}.npy").file_size
    with archive.open(f"{name}.npy") as file:
        is_long = np.lib.format.read_magic(file) != (1, 0)  # other tools write headers of version 1
        read = np.lib.format.read_array_header_2_0 if is_long else np.lib.format.read_array_header_1_0
        shape, is_column_major, kind = read(file)
        if is_column_major or kind.hasobject or math.prod(shape) * kind.itemsize > size:
            raise DamagedFile(f"the entry {name!r} is no array that bf.save writes")
        found = np.empty(shape, dtype=kind)
        if digest is not None:
            about = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
            digest.update(f"{name} {about}".encode())
        _fill(found, file, digest)
        if file.read(1):
            raise DamagedFile(f"the entry {name!r} is longer than its array")
    return found


def _fill(array: Array, file: Any, digest: Any) -> None:
    if not array.size:
        return
    content = memoryview(array).cast("B")
    at = 0
    while at < len(content):
        piece = content[at : at + PIECE]
        count = file.readinto(piece)
        if not count:
            raise EOFError("it ends before its array does")
        if digest is not None:
            digest.update(piece[:count])
        at += count
