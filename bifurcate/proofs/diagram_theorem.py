"""DiagramTheorem: what was proved of a whole diagram."""

from __future__ import annotations

from dataclasses import dataclass

from bifurcate.proofs.branch_theorem import BranchTheorem
from bifurcate.proofs.exclusion import Exclusion
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.two_parameter_points import TwoParameterTheorem

__all__ = ["DiagramTheorem"]


@dataclass(frozen=True, eq=False)
class DiagramTheorem:
    """A theorem about a diagram; ``str(theorem)`` is its statement.

    Attributes
    ----------
    branches : tuple of BranchTheorem or None
        For each branch of the diagram, in its order; None for curves of special points, of which nothing is proved.
    points : tuple of PointTheorem, TwoParameterTheorem or None
        For each special point of the diagram, in its order; None if it was not proved.
    gaps : tuple of str
        Everything that was not proved, with reasons, those of the branches included.
    exclusion : Exclusion or None
        What was proved about a box: that there is nothing else.
    """

    branches: tuple[BranchTheorem | None, ...]
    points: tuple[PointTheorem | TwoParameterTheorem | None, ...]
    gaps: tuple[str, ...]
    exclusion: Exclusion | None = None

    @property
    def complete(self) -> bool:
        """True if no gap is left."""
        return not self.gaps

    def summary(self) -> list[str]:
        """What is proved of each branch, a line each, and the number of gaps."""
        lines = []
        for i, branch in enumerate(self.branches):
            if branch is not None:
                arcs = "; ".join(str(piece) for piece in branch.pieces) or "nothing proved"
                lines.append(f"branch {i}: {arcs}")
        if self.exclusion is not None:
            lines.append(str(self.exclusion))
        return [*lines, f"{len(self.gaps)} gaps, listed in theorem.gaps"] if self.gaps else lines

    def __str__(self) -> str:
        proved = sum(point is not None for point in self.points)
        lines = [f"{proved} of {len(self.points)} special points of the diagram are proved."]
        for i, branch in enumerate(self.branches):
            if branch is not None:
                text = [line for line in str(branch).split("\n") if not line.startswith(("Assumed", "Not proved"))]
                lines += [f"Branch {i}: {text[0]}", *text[1:]]
        if self.exclusion is not None:
            lines.append(str(self.exclusion))
        assumed = dict.fromkeys(line for branch in self.branches if branch is not None for line in branch.hypotheses)
        lines += [f"Assumed: {each}." for each in assumed]
        return "\n".join([*lines, *(f"Not proved, {gap}." for gap in self.gaps)])

    def __repr__(self) -> str:
        proved = sum(point is not None for point in self.points)
        return f"DiagramTheorem({proved} of {len(self.points)} special points, {len(self.gaps)} gaps)"
