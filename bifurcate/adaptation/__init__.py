"""The adaptation network: divisive normalisation whose weights adapt, a map on n² weights that closes in n unknowns."""

from bifurcate.adaptation.energy import Energy
from bifurcate.adaptation.equilibria.equilibrium import last_beta
from bifurcate.adaptation.equilibria.local_stability import Stability
from bifurcate.adaptation.long_run.orbit_fate import Fate
from bifurcate.adaptation.long_run.stability_limits import Limit
from bifurcate.adaptation.long_run.stability_verdict import Outcome, Verdict
from bifurcate.adaptation.maps.reduction import Reduction
from bifurcate.adaptation.maps.weight_update import Update
from bifurcate.adaptation.network import Network
from bifurcate.adaptation.presets import literal, ring
from bifurcate.adaptation.simulation import protocols, settling
from bifurcate.adaptation.simulation.protocols import Ensemble, Protocol
from bifurcate.adaptation.simulation.simulate import Run
from bifurcate.adaptation.simulation.stimulation_schedule import Presentation, average, periodic
from bifurcate.adaptation.stimuli.tuning import raised_cosine

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
