"""Whole diagrams: every branch from every switch, as a graph."""

from bifurcate.diagram.audit import Audit
from bifurcate.diagram.exploration import explore
from bifurcate.diagram.graph import Diagram, Failed

__all__ = ["Audit", "Diagram", "Failed", "explore"]
