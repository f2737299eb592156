"""How well the parameters of a curve of special points are known where its equations hold errors of derivatives."""

from __future__ import annotations

import numpy as np

from bifurcate.bifurcations.codimension_one.located_points import derivative_noise
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.linalg.operators import project_vectors

__all__ = ["parameter_noise"]


def parameter_noise(curve: Curve, node: CurvePoint) -> float:
    """The error δp of the parameters that an error δg of the singularity g(x, p) = 0 makes: |δp| = |δg|/‖∂g/∂p‖.

    g is ψᵀ(J ∓ I)φ over the normalisation of its vectors: known as well as the Jacobian's entries are. 0 on curves of
    other equations.
    """
    if not isinstance(node.at, AugmentedEvaluation) or node.at.Phi.shape[1] > 1:
        return 0.0
    k = len(curve.free)
    columns = project_vectors(node.at.jacobian, node.linear.B[:, :k])
    push = float(np.linalg.norm(node.at.system.solve(columns, np.zeros((1, k)))[1][0]))
    return derivative_noise(curve, node) / push if push > 0.0 else 0.0
