"""``python -m studies [name|all ...] [--quick] [--out FOLDER]``: the bifurcation diagrams, and further figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies import (
    adaptation,
    alpha,
    b,
    beta,
    charts,
    energy,
    not_gradient,
    outcome,
    protocols,
    scaling,
    sigma,
    spectrum,
    step,
    theorems,
)
from studies.report import FIGURES

DIAGRAMS: dict[str, Any] = {"alpha": alpha.run, "beta": beta.run, "sigma": sigma.run, "b": b.run}
STUDIES: dict[str, Any] = {
    **DIAGRAMS,
    "adaptation": adaptation.run,
    "charts": charts.run,
    "not_gradient": not_gradient.run,
    "outcome": outcome.run,
    "energy": energy.run,
    "spectrum": spectrum.run,
    "step": step.run,
    "theorems": theorems.run,
    "protocols": protocols.run,
    "scaling": scaling.run,
}


def main(arguments: Sequence[str] | None = None) -> list[Any]:
    """Run the studies that are asked for, the four bifurcation diagrams by default."""
    parser = argparse.ArgumentParser(prog="python -m studies", description="Bifurcation diagrams and other figures.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"{', '.join(STUDIES)} or all; {', '.join(DIAGRAMS)} if none"
    )
    parser.add_argument("--quick", action="store_true", help="to period 4 only, and fewer simulated orbits")
    parser.add_argument("--out", type=Path, default=FIGURES, help="folder of figures and numbers (%(default)s)")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in (*STUDIES, "all"):
            parser.error(f"there is no study {name!r}; choose from {', '.join(STUDIES)}, all")
    names = list(STUDIES) if "all" in chosen.names else chosen.names or list(DIAGRAMS)
    return [STUDIES[name](chosen.out, chosen.quick) for name in names]


if __name__ == "__main__":
    main()
