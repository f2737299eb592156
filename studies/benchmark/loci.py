"""Rows of curves in two parameters: a map of two unknowns, with everything of codimension two found and told apart."""

from __future__ import annotations

import bifurcate as bf
from studies.benchmark.frame import Contender, Contest, Done, Row

__all__ = ["ROWS"]

BOUNDS = {"beta": (-2.0, 3.0), "alpha": (-5.0, 8.0)}


def _loci(quick: bool) -> Contest:
    map = bf.maps.generalised_henon(2.0, 0.5, -0.5)
    by_beta = bf.trace(bf.cycles(map, "beta", [0.9, 0.9]), {"beta": (-0.9, 1.2)})
    by_alpha = bf.trace(bf.cycles(map.replace(alpha=0.9), "alpha", [0.5, 0.5]), {"alpha": (-5.0, 3.0)})

    def following(point: bf.SpecialPoint, free: str) -> Contender:
        def trace() -> Done:
            branch = bf.trace(bf.locus(point, free), BOUNDS)
            return Done(len(branch), tuple(p.parameters["alpha"] for p in branch.special), 4)

        return trace

    return Contest(
        4,
        {
            "bifurcate, flips": following(by_beta.first("PD"), "alpha"),
            "bifurcate, folds": following(by_alpha.first("LP"), "beta"),
            "bifurcate, Neimark–Sacker": following(by_beta.first("NS"), "alpha"),
        },
    )


ROWS = (
    Row(
        "loci",
        "curves of special points of the generalised Hénon map in two parameters, points of codimension two located",
        "≤ 3 ms a step",
        _loci,
    ),
)
