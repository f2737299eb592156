"""Is an update x ↦ x + G(x) a gradient flow? Probes, certificates, metrics and energies for any Map."""

from bifurcate.gradient.descent import LargestStep, largest_step
from bifurcate.gradient.equilibrium import Pair, any_metric, lyapunov
from bifurcate.gradient.lyapunov import Quadratic
from bifurcate.gradient.metric import Coupling, Cycle, Metric, Separability, diagonal
from bifurcate.gradient.paths import Ellipse, Energy, Loop, circulation
from bifurcate.gradient.probes import Asymmetry, asymmetry, conformal, euclidean
from bifurcate.gradient.search import Search, search
from bifurcate.gradient.verdict import Verdicts, restrict, verdict
from bifurcate.gradient.verdicts import Check, Consistent, Reconstructed, Refuted, Verdict

__all__ = [
    "Asymmetry",
    "Check",
    "Consistent",
    "Coupling",
    "Cycle",
    "Ellipse",
    "Energy",
    "LargestStep",
    "Loop",
    "Metric",
    "Pair",
    "Quadratic",
    "Reconstructed",
    "Refuted",
    "Search",
    "Separability",
    "Verdict",
    "Verdicts",
    "any_metric",
    "asymmetry",
    "circulation",
    "conformal",
    "diagonal",
    "euclidean",
    "largest_step",
    "lyapunov",
    "restrict",
    "search",
    "verdict",
]
