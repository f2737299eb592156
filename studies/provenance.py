"""Where figures come from: one JSON beside each, with settings, versions and hashes; and which are out of date."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import bifurcate
from bifurcate.storage.atomic import written_atomically
from studies.run_settings import current

__all__ = ["check", "code_digest", "facts", "figure_metadata", "provenance_file", "write_provenance"]

ENDING = ".provenance.json"
LIBRARIES = ("numpy", "scipy", "matplotlib", "networkx")


def provenance_file(folder: Path, name: str) -> Path:
    """The file that says where a study's figure and numbers come from."""
    return folder / f"{name}{ENDING}"


def facts(name: str) -> dict[str, Any]:
    """What a study's outputs depend on: settings, versions, commit, and a digest of the code."""
    module = importlib.import_module(f"studies.{name}")
    return {
        "study": name,
        "quick": current().quick,
        "settings": {key: _plain(value) for key, value in vars(module).items() if key.isupper()},
        "versions": {
            "python": platform.python_version(),
            "bifurcate": bifurcate.__version__,
            **{library: metadata.version(library) for library in LIBRARIES},
        },
        "platform": platform.platform(),
        "commit": _commit(),
        "code": code_digest(name),
    }


def _plain(value: Any) -> Any:
    """A setting as JSON."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    # Others by their type: what Python writes of an object may hold its address.
    return value.__name__ if hasattr(value, "__name__") else type(value).__qualname__


def _commit() -> str:
    """The commit that is checked out, with "+" if files differ from it; "" outside a repository."""
    root = Path(__file__).parents[1]
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def code_digest(name: str) -> str:
    """A digest of the package's sources, and of the study's and of what it imports of the others."""
    package = Path(bifurcate.__file__).parent
    sources = sorted(package.rglob("*.py")) + sorted(_sources_of_study(name))
    digest = hashlib.blake2b(digest_size=16)
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sources_of_study(name: str) -> set[Path]:
    found, waiting = set[Path](), [f"studies.{name}"]
    while waiting:
        module = importlib.import_module(waiting.pop())
        path = Path(str(module.__file__))
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterable[str]:
    for line in path.read_text().splitlines():
        if line.startswith("from studies."):
            yield line.split()[1]


def figure_metadata(about: dict[str, Any], form: str) -> dict[str, Any]:
    """The facts as the metadata of a figure, without a date: it is the same whenever it is drawn."""
    text = json.dumps(about, ensure_ascii=False, sort_keys=True)
    title, maker = f"bifurcate study {about['study']}", f"bifurcate {about['versions']['bifurcate']}"
    if form == "png":
        return {"Title": title, "Software": maker, "Description": text}
    if form == "pdf":
        return {"Title": title, "Creator": maker, "Subject": text, "CreationDate": None}
    return {"Title": title, "Creator": maker, "Description": text, "Date": None}


def write_provenance(folder: Path, about: dict[str, Any], outputs: Iterable[Path]) -> None:
    """Write the facts and the hashes of the outputs, last of all."""
    hashes = {path.name: _hash(path) for path in outputs}
    with written_atomically(provenance_file(folder, about["study"])) as file:
        text = json.dumps({**about, "outputs": hashes}, indent=1, ensure_ascii=False, sort_keys=True)
        file.write(text.encode())


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(folder: Path, names: Iterable[str]) -> int:
    """Print which figures in a folder no longer match the code; returns how many."""
    count = 0
    for name in names:
        words = _difference(folder, name)
        if words is None:
            continue
        count += bool(words)
        print(f"{name}: {words or 'matches the code'}")
    return count


def _difference(folder: Path, name: str) -> str | None:
    """How what is on disk differs from what the code would make; "" if it does not, None if there is nothing."""
    path = provenance_file(folder, name)
    if not path.is_file():
        lone = [each.name for each in folder.glob(f"{name}.*")]
        return f"{', '.join(sorted(lone))} without {path.name}" if lone else None
    try:
        known = json.loads(path.read_text())
        outputs, code, versions = known["outputs"], known["code"], known["versions"]
    except (ValueError, KeyError, TypeError):
        return f"{path.name} is damaged"
    words = [f"it was interrupted: {known['interrupted']}"] if known.get("interrupted") else []
    for file, digest in outputs.items():
        if not (folder / file).is_file():
            words.append(f"{file} is missing")
        elif _hash(folder / file) != digest:
            words.append(f"{file} was changed after it was made")
    if code != code_digest(name):
        words.append(f"the code has changed since {known.get('commit', '')[:12] or 'then'}")
    now = facts(name)["versions"]
    differing = [key for key, value in versions.items() if now.get(key) != value]
    if differing:
        words.append(f"made with {', '.join(f'{key} {versions[key]}' for key in differing)}")
    return "; ".join(words)
