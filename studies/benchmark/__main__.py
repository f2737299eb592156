"""``python -m studies.benchmark [row …] [--quick] [--out FOLDER]``: all rows, or those named."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from studies.benchmark import accelerators, equilibrium, large, loci, many, network, orbits, scale, small, theorems
from studies.benchmark.frame import Measurement, Row, measure, table, write

__all__ = ["ROWS", "main"]

MODULES = (small, large, many, orbits, equilibrium, network, scale, loci, theorems, accelerators)
ROWS: dict[str, Row] = {row.name: row for module in MODULES for row in module.ROWS}


def main(arguments: Sequence[str] | None = None) -> list[Measurement]:
    """Run the rows that are asked for, print them as they come, and write ``benchmark.json``."""
    parser = argparse.ArgumentParser(prog="python -m studies.benchmark", description="Time and memory, beside peers.")
    parser.add_argument("rows", nargs="*", metavar="row", help=f"{', '.join(ROWS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small forms of the rows, once each")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder of benchmark.json (%(default)s)")
    chosen = parser.parse_args(arguments)
    for name in chosen.rows:
        if name not in ROWS:
            parser.error(f"there is no row {name!r}; choose from {', '.join(ROWS)}")
    measured: list[Measurement] = []
    for name in chosen.rows or ROWS:
        lines = measure(ROWS[name], chosen.quick)
        print(table(ROWS[name], lines), flush=True)
        measured.extend(lines)
        write(measured, chosen.out / "benchmark.json")
    return measured


if __name__ == "__main__":
    main()
