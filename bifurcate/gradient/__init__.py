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

from bifurcate.gradient.all_tests import Verdicts, restrict, verdict
from bifurcate.gradient.any_metric_test import Pair, any_metric, lyapunov
from bifurcate.gradient.descent import LargestStep, largest_step
from bifurcate.gradient.diagonal_metric import Coupling, Cycle, Metric, Separability, diagonal
from bifurcate.gradient.line_integrals import Ellipse, Energy, Loop, circulation
from bifurcate.gradient.quadratic_lyapunov import Quadratic
from bifurcate.gradient.random_search import Search, search
from bifurcate.gradient.result_types import Check, Consistent, Reconstructed, Refuted, Verdict
from bifurcate.gradient.symmetry import Asymmetry, asymmetry, conformal, euclidean

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
