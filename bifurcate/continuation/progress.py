"""Progress: what a call that follows curves reports while it is under way."""

from __future__ import annotations

from dataclasses import dataclass

from bifurcate.continuation.branch import Branch, Point

__all__ = ["Progress"]


@dataclass(frozen=True, eq=False)
class Progress:
    """What was reached so far; ``progress=`` of every verb is called with one of these.

    Attributes
    ----------
    parameters : dict
        All parameters at the last point.
    points : int
        Points of the branch that is followed, or was just finished.
    special : int
        Special points found so far, of the branch (``trace``) or of the diagram (``explore``).
    branches : int
        Branches that are finished.
    point : Point or None
        The last point.
    branch : Branch or None
        The branch that was just finished.
    left : int
        Special points whose branches are still to be followed, in ``explore``.
    """

    parameters: dict[str, float]
    points: int
    special: int
    branches: int = 0
    point: Point | None = None
    branch: Branch | None = None
    left: int = 0
