"""The update is mirror descent: y⁺ = y − ∇E(z) with y = ∇φ(z), at every step size, since the step is 1.

Take zᵢ = rᵢ ln uᵢ of driven neurons, u = σ² + y, and φ(z) = Σ (rᵢ e^{zᵢ/rᵢ} − σ² zᵢ), which is strictly convex. Then
∂φ/∂zᵢ = uᵢ − σ² = yᵢ, and with Rᵢ = rᵢ e^{−zᵢ/rᵢ}, ∂ ln Rᵢ/∂zᵢ = −1/rᵢ, the energy E of ``energy.py`` has

    ∂E/∂zᵢ = −(α/n) (R·r) Rᵢ + kᵢ − β uᵢ = −(yᵢ⁺ − yᵢ),

so that the update of all weights, seen through y = W r/n, is

    y⁺ = y − ∇E(z),     z⁺ = argmin_ζ ⟨∇E(z), ζ⟩ + D(ζ, z),     D(z', z) = Σ rᵢ (uᵢ ln(uᵢ/u'ᵢ) − uᵢ + u'ᵢ)         (1)

(test_update_is_mirror_descent_at_every_sign): descent of E with the Bregman divergence D of φ in place of a squared
distance (Nemirovsky & Yudin, Problem complexity and method efficiency in optimization, 1983; Beck & Teboulle, Oper.
Res. Lett. 31 (2003) 167), or natural-gradient descent (Raskutti & Mukherjee, IEEE Trans. Inf. Theory 61 (2015) 1451).

Relative to ∇²φ = diag(1/R) the Hessian of E has the eigenvalues of

    (α/n) [(R·r) diag(R²/r) + R^{3/2} (R^{3/2})ᵀ] − β I                                                   (2)

which at rest are 1 − λ, one for each multiplier λ of the outputs. For β ≤ 0 E is convex in z, and strongly convex
relative to φ with modulus −β (Lu, Freund & Nesterov, SIAM J. Optim. 28 (2018) 333).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bifurcate.adaptation.energy import ResponseEnergy
from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.validation import finite
from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.linalg.multipliers import spectrum
from bifurcate.linalg.operators import DiagonalLowRank

__all__ = ["MirrorDescent"]


@dataclass(frozen=True, eq=False)
class MirrorDescent:
    """The descent of E in the mirror variable z = r ln u, u = σ² + y, of the driven neurons.

    Arrays have shape (n,); silent neurons, who have no part in E, have z = 0 and a gradient of 0.

    Attributes
    ----------
    objective : ResponseEnergy
        E, of a network under one constant stimulus.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> mirror, y = net.mirror(), np.array([0.7, 0.8])
    >>> z = mirror.mirrored(y)
    >>> bool(np.allclose(net.reduced(y), y - mirror.gradient(z), rtol=0, atol=1e-15))
    True
    >>> bool(np.allclose(mirror.state(mirror.step(z)), net.reduced(y), rtol=0, atol=1e-15))
    True
    """

    objective: ResponseEnergy

    @property
    def network(self) -> Model:
        """The network whose outputs descend."""
        return self.objective.network

    @cached_property
    def _driven(self) -> np.ndarray:
        return self.network.drive > 0.0

    def mirrored(self, y: Any) -> np.ndarray:
        """The mirror variable z = r ln(σ² + y).

        Raises
        ------
        OutsideDomain
            If σ² + y of a driven neuron is not positive.
        """
        net, on = self.network, self._driven
        y, z = self._checked("y", y), np.zeros(net.size)
        u = net.sigma**2 + y[on]
        if not (u > 0.0).all():
            raise OutsideDomain("sigma^2 + y of a driven neuron is not positive: beyond a pole there is no z = r ln u")
        z[on] = net.drive[on] * np.log(u)
        return z

    def state(self, z: Any) -> np.ndarray:
        """The gradient of φ: y = e^{z/r} − σ²; 0 of silent neurons."""
        y, on = np.zeros(self.network.size), self._driven
        y[on] = self._denominators(z) - self.network.sigma**2
        return y

    def potential(self, z: Any) -> float:
        """φ(z) = Σ (r e^{z/r} − σ² z), over the driven neurons."""
        r = self.network.drive[self._driven]
        return float(r @ self._denominators(z) - self.network.sigma**2 * self._checked("z", z)[self._driven].sum())

    def divergence(self, to: Any, of: Any) -> float:
        """D(to, of) = φ(to) − φ(of) − ⟨∇φ(of), to − of⟩ = Σ r (u ln(u/u') − u + u'), u that of ``of``; at least 0."""
        r = self.network.drive[self._driven]
        step = (self._checked("to", to) - self._checked("of", of))[self._driven] / r  # ln(u'/u)
        return float((r * self._denominators(of)) @ (np.expm1(step) - step))

    def energy(self, z: Any) -> float:
        """E as a function of z, without a constant."""
        return self.objective.of("log R")(self._logarithms(z))

    def gradient(self, z: Any) -> np.ndarray:
        """∇E with respect to z, from the formula of E: minus what one update adds to y."""
        slope, on = self.objective.of("log R").gradient(self._logarithms(z)), self._driven
        out = np.zeros(len(slope))
        out[on] = -slope[on] / self.network.drive[on]
        return out

    def step(self, z: Any) -> np.ndarray:
        """z after one update, the minimiser in (1).

        Raises
        ------
        OutsideDomain
            If the update crosses a pole, where the minimum is not attained.
        """
        return self.mirrored(self.state(z) - self.gradient(z))

    def relative_hessian(self, z: Any) -> DiagonalLowRank:
        """The matrix (2), of the d driven neurons: (∇²φ)^{−1/2} ∇²E (∇²φ)^{−1/2}, diagonal plus rank one."""
        net, on = self.network, self._driven
        r, a = net.drive[on], net.alpha / net.size
        R = r / self._denominators(z)
        side = R**1.5
        return DiagonalLowRank(a * (R @ r) * R * R / r - net.beta, a * side[:, None], side[:, None])

    def moduli(self, z: Any) -> tuple[float, float]:
        """The least and the largest eigenvalue of (2) at z: relative strong convexity and smoothness there."""
        values = spectrum(self.relative_hessian(z)).values.real
        return float(values.min()), float(values.max())

    def _denominators(self, z: Any) -> np.ndarray:
        """The u = e^{z/r} of driven neurons."""
        on = self._driven
        return np.asarray(np.exp(self._checked("z", z)[on] / self.network.drive[on]))

    def _logarithms(self, z: Any) -> np.ndarray:
        """The ln R = ln r − z/r of driven neurons, 0 of silent ones."""
        z, r, on = self._checked("z", z), self.network.drive, self._driven
        out = np.zeros(len(r))
        out[on] = np.log(r[on]) - z[on] / r[on]
        return out

    def _checked(self, name: str, value: Any) -> np.ndarray:
        x = finite(name, value)
        if x.shape != (self.network.size,):
            raise InvalidInput(f"{name} has shape {x.shape}; it must be {(self.network.size,)}")
        return x
