"""How the documentation is built: ``python -m sphinx -W -b html docs docs/_build/html``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from build_help import escape_stars_and_bars, figure_scraper, write_reference  # noqa: E402

import bifurcate as bf  # noqa: E402

project = "bifurcate"
author = copyright = "The bifurcate developers"
release = version = str(bf.__version__)

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "gallery", "sg_execution_times.rst", "**/sg_execution_times.rst"]
suppress_warnings = ["config.cache", "myst.xref_missing"]  # links of included pages point into the repository

myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath", "colon_fence"]
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
autosummary_generate = True
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "bifurcate"
html_static_path = ["_static"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 3,  # their titles are long: more would push the search into a second row
}
html_sidebars = {"*": []}  # pages at the top have no pages below them, and an empty sidebar takes the code's room

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"/plot_",
    "image_scrapers": (figure_scraper,),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 10**6,
    "show_memory": False,
}

write_reference(HERE / "reference")


def setup(app: Any) -> None:
    """Escape formulas after numpydoc has made its markup."""
    app.connect("autodoc-process-docstring", escape_stars_and_bars, priority=900)
