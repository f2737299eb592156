"""The adaptation network: divisive normalisation whose weights adapt, a map on n² weights that closes in n unknowns."""

from bifurcate.adaptation.all_weights import HiddenPart, WeightCoordinates, coordinates
from bifurcate.adaptation.certificate import DescentRegion, SettlingCertificate, largest_region
from bifurcate.adaptation.energy import ResponseEnergy
from bifurcate.adaptation.equilibria.equilibrium import last_beta
from bifurcate.adaptation.equilibria.local_stability import Stability
from bifurcate.adaptation.long_run.orbit_fate import OrbitFate
from bifurcate.adaptation.long_run.stability_limits import StabilityLimit
from bifurcate.adaptation.long_run.stability_verdict import Outcome, StabilityVerdict, outcomes
from bifurcate.adaptation.maps.reduction import Reduction
from bifurcate.adaptation.maps.weight_update import Update
from bifurcate.adaptation.mirror_descent import MirrorDescent
from bifurcate.adaptation.network import Network
from bifurcate.adaptation.presets import literal, ring
from bifurcate.adaptation.simulation import protocols, settling
from bifurcate.adaptation.simulation.average_and_periodic import average, periodic
from bifurcate.adaptation.simulation.contraction import Contraction
from bifurcate.adaptation.simulation.gradient_rule import GradientRule, gradient_rule
from bifurcate.adaptation.simulation.protocols import Protocol, StimulusEnsemble
from bifurcate.adaptation.simulation.schedule_energy import ScheduleEnergy
from bifurcate.adaptation.simulation.simulate import Run
from bifurcate.adaptation.simulation.stimulation_schedule import StimulationSchedule
from bifurcate.adaptation.stimuli.tuning import raised_cosine
from bifurcate.deprecation import old_names

__all__ = [
    "Contraction",
    "DescentRegion",
    "GradientRule",
    "HiddenPart",
    "MirrorDescent",
    "Network",
    "OrbitFate",
    "Outcome",
    "Protocol",
    "Reduction",
    "ResponseEnergy",
    "Run",
    "ScheduleEnergy",
    "SettlingCertificate",
    "Stability",
    "StabilityLimit",
    "StabilityVerdict",
    "StimulationSchedule",
    "StimulusEnsemble",
    "Update",
    "WeightCoordinates",
    "average",
    "coordinates",
    "gradient_rule",
    "largest_region",
    "last_beta",
    "literal",
    "outcomes",
    "periodic",
    "protocols",
    "raised_cosine",
    "ring",
    "settling",
]

# Names until version 0.1 that other rooms use for other things, or that did not say what they are.
__getattr__ = old_names(
    __name__,
    {
        "Energy": ("ResponseEnergy", ResponseEnergy),
        "Ensemble": ("StimulusEnsemble", StimulusEnsemble),
        "Fate": ("OrbitFate", OrbitFate),
        "Limit": ("StabilityLimit", StabilityLimit),
        "Presentation": ("StimulationSchedule", StimulationSchedule),
        "Verdict": ("StabilityVerdict", StabilityVerdict),
    },
)
