"""Help for the documentation's build: pages of every public name, and pictures of the gallery's examples."""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf

ROOMS = (
    "plot",
    "maps",
    "linalg",
    "gradient",
    "adaptation",
    "adaptation.protocols",
    "adaptation.settling",
    "errors",
)
TITLES = {
    "plot": "Plots",
    "maps": "Textbook maps",
    "linalg": "Linear algebra",
    "gradient": "Is it a gradient?",
    "adaptation": "The adaptation network",
    "adaptation.protocols": "Protocols and ensembles of stimuli",
    "adaptation.settling": "When weights settle",
    "errors": "Exceptions and reasons",
}


def public_names() -> dict[str, list[str]]:
    """Every public name, by the module through which it is reached."""
    top = [name for name in bf.__all__ if name not in ROOMS and not name.startswith("_")]
    names = {"bifurcate": sorted(top, key=str.lower)}
    listed = {id(getattr(bf, name)) for name in top}
    for room in ROOMS:
        own: list[str] = []
        module = attrgetter(room)(bf)
        for name in getattr(module, "__all__", None) or [each for each in dir(module) if not each.startswith("_")]:
            found = getattr(module, name)
            where = getattr(found, "__module__", "bifurcate")  # constants have none
            if not isinstance(found, ModuleType) and id(found) not in listed and where.startswith("bifurcate"):
                listed.add(id(found))
                own.append(name)
        names[module.__name__] = sorted(own, key=str.lower)
    return names


def escape_stars_and_bars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let stars and bars of formulas in docstrings, as in ``f(x, **p)`` and ‖x‖ or |λ|, be no markup."""
    for i, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...", "..", ":")):
            continue
        parts = re.split(r"(``[^`]*``)", line)
        lines[i] = "".join(part if part.startswith("``") else _escape(part) for part in parts)


def _escape(text: str) -> str:
    text = text.replace("|", r"\|")
    if text.count("**") % 2:
        text = re.sub(r"\*\*(?=\w+(?!\*))", r"\\*\\*", text)
    return re.sub(r"(?<=[(\s,])\*(?=\w[\w']*[\s,)])", r"\\*", text)


def write_reference(folder: Path) -> None:
    """Write a page for each module, which lists its public names and makes a page of each."""
    folder.mkdir(exist_ok=True)
    for module, names in public_names().items():
        room = module.partition(".")[2].replace("simulation.", "")
        title = TITLES.get(room, "Verbs and results")
        lines = [title, "=" * len(title), "", f".. currentmodule:: {module}", "", ".. autosummary::"]
        lines += ["   :toctree: generated", "", *(f"   {name}" for name in names), ""]
        _write(folder / f"{room or 'bifurcate'}.rst", "\n".join(lines))


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:  # Sphinx reads again what has changed
        path.write_text(text)


def figure_scraper(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save every figure that an example's block has made, for the gallery: axes, figures, and studies' files."""
    from sphinx_gallery.scrapers import figure_rst

    space = block_vars["example_globals"]
    seen: set[int] = space.setdefault("_figures_seen", set())
    images = []
    for value in list(space.values()):
        figure = value.figure if isinstance(value, Axes) else value
        if isinstance(figure, Figure) and id(figure) not in seen:
            seen.add(id(figure))
            images.append(next(block_vars["image_path_iterator"]))
            figure.savefig(images[-1], dpi=150)
    return str(figure_rst(images, gallery_conf["src_dir"]))
