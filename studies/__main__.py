"""``python -m studies [name|all ...] [--quick] [--out FOLDER] …``: the bifurcation diagrams, and further figures."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies import (
    adaptation,
    alpha,
    b,
    basins,
    beta,
    chaos,
    charts,
    energy,
    henon,
    not_gradient,
    outcome,
    paths,
    posed,
    protocols,
    rules,
    scaling,
    sigma,
    spectrum,
    step,
    theorems,
    tongues,
)
from studies.provenance import check
from studies.report import FIGURES
from studies.run_settings import FORMATS, Interrupted, RunSettings, use

INTERRUPTED = 130  # the exit code that shells give after Ctrl-C
DIAGRAMS: dict[str, Any] = {"alpha": alpha.run, "beta": beta.run, "sigma": sigma.run, "b": b.run}
STUDIES: dict[str, Any] = {
    **DIAGRAMS,
    "adaptation": adaptation.run,
    "basins": basins.run,
    "chaos": chaos.run,
    "charts": charts.run,
    "henon": henon.run,
    "not_gradient": not_gradient.run,
    "outcome": outcome.run,
    "posed": posed.run,
    "energy": energy.run,
    "spectrum": spectrum.run,
    "step": step.run,
    "theorems": theorems.run,
    "tongues": tongues.run,
    "protocols": protocols.run,
    "rules": rules.run,
    "scaling": scaling.run,
    "paths": paths.run,
}

# About how long each takes on one core, in full and quickly.
SECONDS: dict[str, tuple[int, int]] = {
    "alpha": (20, 2),
    "beta": (40, 5),
    "sigma": (15, 2),
    "b": (15, 5),
    "basins": (10, 3),
    "adaptation": (15, 10),
    "chaos": (60, 5),
    "charts": (40, 15),
    "henon": (45, 10),
    "not_gradient": (10, 5),
    "outcome": (700, 25),
    "posed": (140, 10),
    "energy": (60, 5),
    "spectrum": (10, 2),
    "step": (15, 5),
    "theorems": (15, 5),
    "tongues": (30, 10),
    "protocols": (80, 10),
    "rules": (15, 5),
    "scaling": (45, 5),
    "paths": (30, 5),
}


def description() -> str:
    """What each study shows, by the first line of its module, and how long it takes."""
    lines = ["Bifurcation diagrams and other figures.", ""]
    for name, run in STUDIES.items():
        first = str(sys.modules[run.__module__].__doc__).split("\n", 1)[0]
        full, quick = (_duration(name, is_quick) for is_quick in (False, True))
        lines.append(f"  {name:13} {first} [{full}; --quick: {quick}]")
    return "\n".join(lines)


def _duration(name: str, is_quick: bool) -> str:
    seconds = SECONDS[name][is_quick]
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"


def main(arguments: Sequence[str] | None = None) -> list[Any]:
    """Run the studies that are asked for, the four bifurcation diagrams by default."""
    parser = argparse.ArgumentParser(
        prog="python -m studies", description=description(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"{', '.join(STUDIES)} or all; {', '.join(DIAGRAMS)} if none; or check: which figures are out of date",
    )
    parser.add_argument("--quick", action="store_true", help="to period 4 only, and fewer simulated orbits")
    parser.add_argument("--out", type=Path, default=FIGURES, help="folder of figures and numbers (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes for sweeps (%(default)s)")
    parser.add_argument("--format", action="append", choices=FORMATS, help="of figures; repeatable (png and pdf)")
    parser.add_argument("--resume", action="store_true", help="go on with sweeps of a run that was ended")
    parser.add_argument("--no-titles", action="store_true", help="figures without titles, for a journal")
    parser.add_argument("--no-footers", action="store_true", help="figures without footers")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in (*STUDIES, "all", "check"):
            parser.error(f"there is no study {name!r}; choose from {', '.join(STUDIES)}, all, check")
    if chosen.workers < 1:
        parser.error(f"--workers is {chosen.workers}; it must be at least 1")
    if chosen.names == ["check"]:
        sys.exit(1 if check(chosen.out, STUDIES) else 0)
    _check_folder(parser, chosen.out)
    names = list(STUDIES) if "all" in chosen.names else chosen.names or list(DIAGRAMS)
    formats = tuple(dict.fromkeys(chosen.format or RunSettings().formats))
    settings = RunSettings(
        chosen.quick,
        chosen.workers,
        formats,
        keeps_journals=True,
        resumes=chosen.resume,
        titles=not chosen.no_titles,
        footers=not chosen.no_footers,
    )
    before = {each: signal.signal(each, _interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with use(settings):
            return [_run(name, chosen.out, chosen.quick) for name in names]
    except Interrupted as end:
        print(f"interrupted: {end.published}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _run(name: str, out: Path, quick: bool) -> Any:
    """Run a study, after saying on the error stream about how long it will take."""
    print(f"{name}: about {_duration(name, quick)} …", file=sys.stderr, flush=True)
    return STUDIES[name](out, quick)


def _interrupt(*_: Any) -> None:
    raise Interrupted


def _check_folder(parser: argparse.ArgumentParser, folder: Path) -> None:
    """Refuse a folder in which no files can be made, before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out is {str(folder)!r}: {error.strerror}")
    if not os.access(folder, os.W_OK):
        parser.error(f"--out is {str(folder)!r}, in which files cannot be made")


if __name__ == "__main__":
    main()
