"""Progress: what a long call reports while it is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Progress"]


@dataclass(frozen=True, eq=False)
class Progress:
    """What was reached so far; ``progress=`` of every verb is called with one of these.

    Attributes
    ----------
    parameters : dict
        All parameters at the last point.
    points : int
        Points of the branch that is followed, or was just finished; in ``sweep`` the points of the grid that are done,
        in ``ensemble``, ``orbit_diagram`` and ``parameter_plane`` the orbits, in ``solve`` Newton's steps; elsewhere
        what the verb says that it counts.
    special : int
        Special points found so far, of the branch (``trace``) or of the diagram (``explore``).
    branches : int
        Branches that are finished.
    point : Point or None
        The last point.
    branch : Branch or None
        The branch that was just finished.
    left : int
        What is left: special points whose branches are still to be followed, in ``explore``; points or orbits.
    residual : float or None
        ‖F‖_∞ of the last iterate, in ``solve``.
    """

    parameters: dict[str, float]
    points: int
    special: int = 0
    branches: int = 0
    point: Any = None
    branch: Any = None
    left: int = 0
    residual: float | None = None
