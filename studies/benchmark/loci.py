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


def _resonance(quick: bool) -> Contest:
    map = bf.maps.generalised_henon(2.0, 0.5, -0.5)
    branch = bf.trace(bf.cycles(map, "beta", [0.9, 0.9]), {"beta": (-0.9, 1.2)})
    near = {"beta": (0.5, 1.2), "alpha": (-0.5, 2.5)} if quick else BOUNDS
    point = bf.trace(bf.locus(branch.first("NS"), "alpha"), near).first("R4")

    def start_all() -> Done:
        found = bf.switches(point)
        return Done(len(found), tuple(curve.start[2] for curve in found), 4)

    return Contest(4, {"bifurcate": start_all}, repeats=3)


def _diagram(quick: bool) -> Contest:
    curve = bf.cycles(bf.maps.henon(a=0.2, b=0.3), "a", [0.6, 0.2])
    bounds, depth = ({"a": (-0.2, 0.5), "b": (0.1, 0.5)}, 2) if quick else ({"a": (-1.4, 5.0), "b": (-1.2, 0.9)}, 3)

    def explore() -> Done:
        found = bf.explore(curve, bounds, depth=depth)
        return Done(
            sum(len(branch) for branch in found.branches), (float(len(found.branches)), float(len(found.special)))
        )

    return Contest(2, {"bifurcate": explore}, repeats=1)


PROFILE = (
    "a step takes some 2000 calls of Python, none of them more than a twentieth of it: the gradients of the system are "
    "a fourth, its test functions as much"
)

ROWS = (
    Row(
        "loci",
        "curves of special points of the generalised Hénon map in two parameters, points of codimension two located",
        "≤ 0.5 ms a step",
        _loci,
        PROFILE,
    ),
    Row("resonance", "every curve that starts at a 1:4 resonance of a map of two unknowns", "≤ 1 s", _resonance),
    Row("explore-henon", "the Hénon map's diagram in both parameters, three generations", "≤ 3 s", _diagram, PROFILE),
)
