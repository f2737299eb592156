"""``python -m studies [alpha|beta|sigma|b|all ...] [--quick] [--out FOLDER]``: the bifurcation diagrams."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from studies import alpha, b, beta, sigma
from studies.report import FIGURES, Study

STUDIES = {"alpha": alpha.run, "beta": beta.run, "sigma": sigma.run, "b": b.run}


def main(arguments: Sequence[str] | None = None) -> list[Study]:
    """Run the studies that are asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m studies", description="Bifurcation diagrams of the network.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(STUDIES)} or all (the default)")
    parser.add_argument("--quick", action="store_true", help="to period 4 only, and fewer simulated orbits")
    parser.add_argument("--out", type=Path, default=FIGURES, help="folder of figures and numbers (%(default)s)")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in (*STUDIES, "all"):
            parser.error(f"there is no study {name!r}; choose from {', '.join(STUDIES)}, all")
    names = list(STUDIES) if not chosen.names or "all" in chosen.names else chosen.names
    return [STUDIES[name](chosen.out, chosen.quick) for name in names]


if __name__ == "__main__":
    main()
