"""Is an update x ↦ x + G(x) a gradient flow? Probes, certificates, metrics and energies for any Map.

| verb | claim | needs |
|---|---|---|
| :func:`euclidean` | G = −∇E | products DG v alone |
| :func:`conformal` | φ(x) G = −∇E | products DG v alone |
| :func:`diagonal` | mᵢ(xᵢ) Gᵢ = −∂E/∂xᵢ; finds mᵢ and E | DG, at some states |
| :func:`any_metric` | M(x) G = −∇E near an equilibrium | DG there |

:func:`verdict` asks all of them, :func:`search` looks for maps that no metric makes a gradient. The parts can
be used alone: :func:`asymmetry`, :func:`circulation`, :func:`restrict`. An energy of the flow ẋ = G is not yet one of
the map: :func:`largest_step` measures up to which step it is, and :func:`lyapunov` gives the quadratic Lyapunov
function of a stable equilibrium, whatever the flow is.
"""

from bifurcate.deprecation import old_names
from bifurcate.gradient.all_tests import TestResults, restrict, verdict
from bifurcate.gradient.any_metric_test import any_metric, lyapunov
from bifurcate.gradient.certificates import Asymmetry, ComplexPair, Coupling, CouplingCycle, Ellipse, Loop, Separability
from bifurcate.gradient.descent import LargestStep, largest_step
from bifurcate.gradient.diagonal_metric import diagonal
from bifurcate.gradient.line_integrals import LineIntegralEnergy, circulation
from bifurcate.gradient.metric_on_a_box import DiagonalMetric
from bifurcate.gradient.quadratic_lyapunov import QuadraticLyapunov
from bifurcate.gradient.random_search import SearchResult, search
from bifurcate.gradient.result_types import Check, Consistent, Reconstructed, Refuted, TestResult
from bifurcate.gradient.symmetry import asymmetry, conformal, euclidean

__all__ = [
    "Asymmetry",
    "Check",
    "ComplexPair",
    "Consistent",
    "Coupling",
    "CouplingCycle",
    "DiagonalMetric",
    "Ellipse",
    "LargestStep",
    "LineIntegralEnergy",
    "Loop",
    "QuadraticLyapunov",
    "Reconstructed",
    "Refuted",
    "SearchResult",
    "Separability",
    "TestResult",
    "TestResults",
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

# Names until version 0.1 that other rooms use for other things.
__getattr__ = old_names(
    __name__,
    {
        "Cycle": ("CouplingCycle", CouplingCycle),
        "Energy": ("LineIntegralEnergy", LineIntegralEnergy),
        "Metric": ("DiagonalMetric", DiagonalMetric),
        "Pair": ("ComplexPair", ComplexPair),
        "Quadratic": ("QuadraticLyapunov", QuadraticLyapunov),
        "Search": ("SearchResult", SearchResult),
        "Verdict": ("TestResult", TestResult),
        "Verdicts": ("TestResults", TestResults),
    },
)
