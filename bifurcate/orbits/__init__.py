"""Orbits: iteration with a reason for the end, of one state or of many, orbit diagrams, and Lyapunov exponents."""

from bifurcate.orbits.diagram import OrbitDiagram, orbit_diagram
from bifurcate.orbits.ensemble import Ensemble, ensemble
from bifurcate.orbits.exponents import Exponents, lyapunov
from bifurcate.orbits.single import Orbit, orbit

__all__ = ["Ensemble", "Exponents", "Orbit", "OrbitDiagram", "ensemble", "lyapunov", "orbit", "orbit_diagram"]
