"""The adaptation network: divisive normalisation whose weights adapt, a map on n² weights that closes in n unknowns."""

from bifurcate.adaptation import protocols, settling
from bifurcate.adaptation.energy import Energy
from bifurcate.adaptation.equilibria import last_beta
from bifurcate.adaptation.fate import Fate
from bifurcate.adaptation.limits import Limit
from bifurcate.adaptation.network import Network
from bifurcate.adaptation.outcome import Outcome, Verdict
from bifurcate.adaptation.presentation import Presentation, average, periodic
from bifurcate.adaptation.presets import literal, ring
from bifurcate.adaptation.protocols import Ensemble, Protocol
from bifurcate.adaptation.reduction import Reduction
from bifurcate.adaptation.running import Run
from bifurcate.adaptation.stability import Stability
from bifurcate.adaptation.tuning import raised_cosine
from bifurcate.adaptation.update import Update

__all__ = [
    "Energy",
    "Ensemble",
    "Fate",
    "Limit",
    "Network",
    "Outcome",
    "Presentation",
    "Protocol",
    "Reduction",
    "Run",
    "Stability",
    "Update",
    "Verdict",
    "average",
    "last_beta",
    "literal",
    "periodic",
    "protocols",
    "raised_cosine",
    "ring",
    "settling",
]
