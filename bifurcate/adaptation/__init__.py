"""The adaptation network: divisive normalisation whose weights adapt, a map on n² weights that closes in n unknowns."""

from bifurcate.adaptation.energy import Energy
from bifurcate.adaptation.equilibria import last_beta
from bifurcate.adaptation.network import Network
from bifurcate.adaptation.presentation import Presentation, average, periodic
from bifurcate.adaptation.presets import literal, ring
from bifurcate.adaptation.reduction import Reduction
from bifurcate.adaptation.stability import Stability
from bifurcate.adaptation.tuning import raised_cosine
from bifurcate.adaptation.update import Update

__all__ = [
    "Energy",
    "Network",
    "Presentation",
    "Reduction",
    "Stability",
    "Update",
    "average",
    "last_beta",
    "literal",
    "periodic",
    "raised_cosine",
    "ring",
]
