"""Journal: a file to which a long call adds what it has computed, so that the same call goes on after it was ended.

A journal is a sequence of records, each with its length and checksum: one that was being written when the process was
killed is left out. Records are encoded like files of results; what the call was given is not written again, but
referred to, since the same call brings it along.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.storage.atomic import check_folder, written_atomically
from bifurcate.storage.decoding import Decoder
from bifurcate.storage.encoding import Encoder
from bifurcate.storage.kinds_of_values import DamagedFile

__all__ = ["Journal", "Section", "open_journal"]

T = TypeVar("T")
Array = NDArray[Any]

MAGIC = b"bifurcate journal 1\n"
HEAD = struct.Struct("<QII")  # of a record: length of its content, length of its key, checksum of both
ALIGNED = 8  # bytes at whose multiples arrays begin
WASTE = 2**26  # bytes of replaced records from which on a journal is written anew, once they are more than half of it


class _Buffer:
    """Arrays of one record, one after the other."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.length = 0

    def add(self, array: Array, name: str) -> Any:
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        content = array.tobytes("F" if order == "F" else "C")
        start = self.length
        padding = -len(content) % ALIGNED
        self.parts += [content, bytes(padding)]
        self.length += len(content) + padding
        return [array.dtype.str, start, list(array.shape), order]

    def add_stack(self, arrays: Sequence[Array], name: str) -> Any:
        keys = [self.add(each, name) for each in arrays]
        return [*keys[0], len(keys)]


class _Content:
    """The arrays of a record that was read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def get(self, key: Any) -> Any:
        kind, start, shape, order, *count = key
        one = np.dtype(kind).itemsize * int(np.prod(shape, dtype=int))
        starts = [start + i * (one + -one % ALIGNED) for i in range(count[0] if count else 1)]
        found = [
            np.frombuffer(self._content[at : at + one], dtype=kind).copy().reshape(shape, order=order) for at in starts
        ]
        return found if count else found[0]


class Section:
    """A part of a journal, under keys of its own.

    Parameters
    ----------
    journal : Journal
        The whole.
    prefix : str
        What the keys of this part begin with.
    """

    def __init__(self, journal: Journal, prefix: str = "") -> None:
        self._journal, self._prefix, self._calls = journal, prefix, 0

    @property
    def is_new(self) -> bool:
        """True if nothing was noted in this part."""
        return not self._journal.holds(self._prefix)

    def section(self, name: str) -> Section:
        """A part of this part."""
        return Section(self._journal, f"{self._prefix}{name}/")

    def numbered_section(self, name: str) -> Section:
        """A part for the next of the calls that are made in the same order every time."""
        self._calls += 1
        return self.section(f"{self._calls} {name}")

    def keys(self) -> list[str]:
        """The keys of this part, in the order in which they were written."""
        return self._journal.keys(self._prefix)

    def get(self, key: str) -> Any:
        """What was put under a key last; None if nothing was."""
        return self._journal.read(self._prefix + key)

    def put(self, key: str, value: Any) -> None:
        """Add a value under a key, in place of what may be there."""
        self._journal.write(self._prefix + key, value)

    def share(self, value: Any) -> None:
        """Let later records refer to an object that the same call makes again every time, at the same place."""
        self._journal.share(value)

    def remember(self, name: str, compute: Callable[[], T]) -> T:
        """What a computation returned, or raised, when it was made the last time; else it is made and noted.

        Computations must come in the same order every time.
        """
        own = self.numbered_section(name)
        known = own.get("outcome")
        if known is None:
            try:
                known = {"value": compute()}
            except BifurcateError as error:
                known = {"error": error}
            own.put("outcome", known)
        if "error" in known:
            raise known["error"]
        return cast(T, known["value"])


class Journal:
    """A journal file that is open for one call.

    Parameters
    ----------
    path : str or path-like
        The file; made if it does not exist.
    call : mapping of str to object
        What the call was given, by argument: the same call must be made again for a journal to go on.

    Raises
    ------
    InvalidInput
        If the file is no journal, belongs to another call, or is in use.
    """

    def __init__(self, path: str | os.PathLike[str], call: Mapping[str, Any]) -> None:
        self.path = check_folder("journal", path)
        self._base = Encoder(_Buffer(), complete=False)
        prints = {name: self._fingerprint(name, value) for name, value in call.items()}
        self._places: dict[str, tuple[int, int]] = {}
        self._replaced = 0
        self._file = _open_locked(self.path)
        try:
            self._end = self._scan()
            known = self.read("call")
            if known is None:
                self.write("call", prints)
            elif known != prints:
                differing = [name for name in {**known, **prints} if known.get(name) != prints.get(name)]
                raise InvalidInput(
                    f"the journal {str(path)!r} belongs to another call, with another {', '.join(differing)}: name "
                    "another file, or delete this one"
                )
        except BaseException:
            self.close()
            raise

    def _fingerprint(self, name: str, value: Any) -> str:
        """A short text that differs for different values; objects in the value get their numbers."""
        store = cast(_Buffer, self._base.store)
        parts, objects = len(store.parts), len(self._base.objects)
        encoded = [self._base.encode(value, name), self._base.objects[objects:]]
        digest = hashlib.blake2b(json.dumps(encoded, sort_keys=True).encode(), digest_size=12)
        for part in store.parts[parts:]:
            digest.update(part)
        return digest.hexdigest()

    def _scan(self) -> int:
        """Find the records of the file; returns where the last whole one ends."""
        size = os.fstat(self._file).st_size
        start = os.pread(self._file, len(MAGIC), 0)
        if not MAGIC.startswith(start):
            raise InvalidInput(f"{str(self.path)!r} is no journal of bifurcate; nothing was changed in it")
        if len(start) < len(MAGIC):
            os.ftruncate(self._file, 0)
            _write_all(self._file, MAGIC, 0)
            return len(MAGIC)
        at = len(MAGIC)
        while at + HEAD.size <= size:
            length, key_length, _ = HEAD.unpack(os.pread(self._file, HEAD.size, at))
            after = at + HEAD.size + key_length + length
            if after > size or (after == size and self._content(at) is None):
                break
            key = os.pread(self._file, key_length, at + HEAD.size).decode(errors="replace")
            self._note(key, at, after - at)
            at = after
        os.ftruncate(self._file, at)
        return at

    def _note(self, key: str, at: int, length: int) -> None:
        if key in self._places:
            self._replaced += self._places[key][1]
        self._places[key] = at, length

    def _content(self, at: int) -> bytes | None:
        """The content of the record at a place; None if its checksum is another one."""
        length, key_length, checksum = HEAD.unpack(os.pread(self._file, HEAD.size, at))
        both = os.pread(self._file, key_length + length, at + HEAD.size)
        return both[key_length:] if zlib.crc32(both) == checksum else None

    def read(self, key: str) -> Any:
        """What was written under a key last; None if nothing was."""
        if key not in self._places:
            return None
        content = self._content(self._places[key][0])
        if content is None:
            raise DamagedFile(f"the journal {str(self.path)!r} is damaged at {key!r}: delete it, and begin anew")
        (length,) = struct.unpack_from("<Q", content)
        try:
            header = json.loads(content[8 : 8 + length])
            known = self._base.values[: header["known"]]
            decoder = Decoder(_Content(content[8 + length :]), known, self._base.functions)
            return decoder.load(header["objects"], header["value"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedFile(f"the journal {str(self.path)!r} is damaged at {key!r}: {error}") from error

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, without it."""
        return [key.removeprefix(prefix) for key in self._places if key.startswith(prefix)]

    def holds(self, prefix: str) -> bool:
        """True if a record other than the call's own begins with a prefix."""
        return any(key.startswith(prefix) and key != "call" for key in self._places)

    def share(self, value: Any) -> None:
        """Let later records refer to an object that the same call makes again every time, at the same place."""
        self._fingerprint("shared", value)

    def write(self, key: str, value: Any) -> None:
        """Add a record."""
        store = _Buffer()
        encoder = Encoder(store, self._base, complete=False)
        encoded = encoder.encode(value, key)
        about = {"value": encoded, "objects": encoder.objects, "known": len(self._base.values)}
        header = json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()
        header += b" " * (-len(header) % ALIGNED)
        name = key.encode()
        content = b"".join([name, struct.pack("<Q", len(header)), header, *store.parts])
        record = HEAD.pack(len(content) - len(name), len(name), zlib.crc32(content)) + content
        _write_all(self._file, record, self._end)
        self._note(key, self._end, len(record))
        self._end += len(record)
        if self._replaced > max(WASTE, self._end // 2):
            self._write_anew()

    def _write_anew(self) -> None:
        """Write a new file without what was replaced, and put it in the old one's place."""
        places = sorted((at, length, key) for key, (at, length) in self._places.items())
        with written_atomically(self.path) as file:
            file.write(MAGIC)
            for at, length, _ in places:
                file.write(os.pread(self._file, length, at))
        self.close()
        self._places, self._replaced = {}, 0
        self._file = _open_locked(self.path)
        self._end = self._scan()

    def close(self) -> None:
        """Close the file, so that another call may open it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class open_journal:
    """A journal for the time of a call: ``with open_journal(path, call) as journal``; None without a path.

    A :class:`Section` of a journal that is open already is taken as it is.
    """

    def __init__(self, journal: str | os.PathLike[str] | Section | None, call: Mapping[str, Any]) -> None:
        self._given, self._call, self._opened = journal, call, cast("Journal | None", None)

    def __enter__(self) -> Section | None:
        if self._given is None or isinstance(self._given, Section):
            return self._given
        self._opened = Journal(self._given, self._call)
        return Section(self._opened)

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()


def _write_all(file: int, content: bytes, at: int) -> None:
    """Write at a place, and take back what was written if that is interrupted."""
    rest, where = memoryview(content), at
    try:
        while rest:
            count = os.pwrite(file, rest, where)
            rest, where = rest[count:], where + count
    except BaseException:
        os.ftruncate(file, at)
        raise


def _open_locked(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise InvalidInput(f"the journal {str(path)!r} is in use by another process") from error
    return file
