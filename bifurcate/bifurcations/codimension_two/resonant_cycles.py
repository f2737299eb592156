"""Cycles of q times the period near a resonance p:q, at a given amplitude and phase; both parameters are solved for.

With l and v the left and right eigenvectors of e^{2πip/q}, lᵀv = 1, |v| = 1, the cycle x₀, …, x_{qk−1} obeys

    f(x_j; μ) − x_{j+1} = 0   for all j,        (1/q) Σ_i e^{−2πipi/q} lᵀ(x_{ik} − x*) = r e^{iφ}

qkn + 2 real equations for as many unknowns (x, μ₁, μ₂). It is the Lyapunov–Schmidt reduction of the cycles' equations
in polar form: the sum is the projection that commutes with the shift along the cycle, so that μ is an exactly
(2π/q)-periodic function of φ, with

    μ(r, φ) = μ* + A r² + … + B r^{q−2} e^{−iqφ} + …

(Kuznetsov, Elements of Applied Bifurcation Theory, 2004, section 9.5; Arnold, Geometrical Methods, 1988, section 34).
At a given r the matrix is regular: its columns for μ are of order r in the critical plane, so that μ is known to
rounding over r.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_two.center_manifold import critical_space
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.linalg.bordered_system import SingularSystem, bordered
from bifurcate.linalg.operators import dense, shifted
from bifurcate.maps.iterated_map import LARGEST_DENSE
from bifurcate.maps.orbit_map import OrbitMap

__all__ = ["ResonantCycle", "ResonantCycles", "cycles_near"]

Array = NDArray[np.float64]

ITERATIONS = 25  # of Newton's method, which needs six from a guess that is right to first order
NO_LONGER_FALLS = 0.5  # a Newton step that is not shorter than this part of the last one consists of rounding
LARGEST_LAST_STEP = 1e-6  # amplitudes that the last step of the states may be long: at rounding it is far shorter
AMPLIFIED = 100.0  # ... or errors of f's values, which the nearly singular equations enlarge
LEFT = 30.0  # amplitudes from the point beyond which a cycle belongs to something else


@dataclass(frozen=True, eq=False)
class ResonantCycle:
    """A cycle at a given amplitude and phase.

    Attributes
    ----------
    states : ndarray, shape (qk, n)
    parameters : ndarray, shape (2,)
        The free ones.
    by_position : (ndarray of shape (qk, n, 2), ndarray of shape (2, 2))
        Derivatives of states and parameters by the real and imaginary part of r e^{iφ}.
    step : ndarray, shape (2,)
        What Newton's last step moved the parameters by: their error.
    """

    states: Array
    parameters: Array
    by_position: tuple[Array, Array]
    step: Array


@dataclass(frozen=True, eq=False)
class ResonantCycles:
    """The equations of the cycles near a resonance.

    Attributes
    ----------
    point : SpecialPoint
    resonance : (int, int)
        p and q.
    map : OrbitMap
        Of all qk states.
    centre : ndarray, shape (qk, n)
        The point's own cycle, q times.
    right, left : ndarray, shape (n,), complex
        v and l.
    """

    point: SpecialPoint
    resonance: tuple[int, int]
    map: OrbitMap
    centre: Array
    right: NDArray[np.complex128]
    left: NDArray[np.complex128]

    @cached_property
    def _rows(self) -> Array:
        """Real and imaginary part of the projection, shape (2, qkn)."""
        p, q = self.resonance
        rows = np.zeros(self.centre.shape, dtype=complex)
        turns = np.exp(-2j * np.pi * p * np.arange(q) / q)
        rows[:: self.point.period] = np.outer(turns, self.left) / q
        return np.array([rows.real.ravel(), rows.imag.ravel()])

    @property
    def parameters(self) -> Array:
        """The free parameters at the point, shape (2,)."""
        n = self.point.curve.size
        return self.point.u[n : n + 2]

    def guess(self, amplitude: float, phase: float) -> tuple[Array, Array]:
        """States and parameters to first order in the amplitude."""
        p, q = self.resonance
        turns = np.exp(2j * np.pi * p * np.arange(q) / q)
        k, x = self.point.period, self.centre.copy()
        at = {name: float(value) for name, value in self.point.parameters.items()}
        moved = 2.0 * np.real(amplitude * np.exp(1j * phase) * np.outer(turns, self.right))
        for j in range(k):  # the critical vector carried along the cycle
            x[j::k] += moved
            if j < k - 1:
                A = dense(self.map.single.jacobian([self.centre[j], self.centre[j]], at))
                moved = moved @ A.T
        return x, self.parameters.copy()

    def angle(self, states: Array) -> float:
        """qφ of a cycle's states."""
        first, second = self._rows @ (states - self.centre).ravel()
        return self.resonance[1] * float(np.arctan2(second, first))

    def solve(self, amplitude: float, phase: float, guess: tuple[Array, Array] | None = None) -> ResonantCycle | None:
        """The cycle at an amplitude and a phase; None where Newton's method finds none near the point."""
        x, mu = self.guess(amplitude, phase) if guess is None else (guess[0].copy(), guess[1].copy())
        target = amplitude * np.array([np.cos(phase), np.sin(phase)])
        noise = self.map.map.precision.value_error * max(self.map.map.scale, float(np.abs(self.centre).max()))
        longest = max(LARGEST_LAST_STEP * amplitude, AMPLIFIED * noise)
        last = np.inf
        for _ in range(ITERATIONS):
            try:
                dx, step, slopes = self._newton(x, mu, target)
            except (SingularSystem, MapFailed, np.linalg.LinAlgError):
                return None
            x, mu = x + dx, mu + step
            size = float(np.linalg.norm(dx))
            if not np.isfinite(size) or np.abs(x - self.centre).max() > LEFT * amplitude:
                return None
            if size == 0.0 or (size > NO_LONGER_FALLS * last and size <= longest):
                return ResonantCycle(x, mu, slopes, step)
            last = size
        return None

    def _newton(self, x: Array, mu: Array, target: Array) -> tuple[Array, Array, tuple[Array, Array]]:
        """A step of Newton's method, and the derivatives by position there."""
        names = self.point.curve.free
        p = {**self.point.parameters, **dict(zip(names, mu.tolist()))}
        u, rows = x.ravel(), self._rows
        orbit = self.map.orbit(u, p)
        if not self.map.margin(orbit, p) > 0:
            raise MapFailed("a state is outside the domain")
        columns = np.column_stack([self.map.parameter_derivative(orbit, p, name) for name in names])
        system = bordered(shifted(self.map.jacobian(orbit, p), 1.0), columns, rows, np.zeros((2, 2)))
        missing = target - rows @ (x - self.centre).ravel()
        dx, step = system.solve(u - orbit[1], missing)
        by_x, by_mu = system.solve(np.zeros((len(u), 2)), np.eye(2))
        return dx.reshape(x.shape), step, (by_x.reshape(*x.shape, 2), by_mu)


def cycles_near(point: SpecialPoint, resonance: tuple[int, int]) -> ResonantCycles:
    """The equations of cycles of q times the period near a point of a Neimark–Sacker curve.

    Raises
    ------
    InvalidInput
        If the map has more than 200 unknowns and gives no Jacobian: all states of the cycles are solved for.
    """
    map, shape = point.iterate.map, point.iterate.state_shape
    n = int(np.prod(shape))
    if map.jacobian is None and n > LARGEST_DENSE:
        raise InvalidInput(f"edges of tongues take Jacobians as matrices: {map.name} has {n} unknowns and gives none")
    p, q = resonance
    A = dense(point.jacobian)
    Q, P = critical_space(A, (), [float(np.cos(2.0 * np.pi * p / q))])
    values, vectors = np.linalg.eig(P.T @ A @ Q)
    i = int(np.argmin(np.abs(values - np.exp(2j * np.pi * p / q))))
    right, left = Q @ vectors[:, i], P @ np.linalg.inv(vectors)[i]
    size = float(np.linalg.norm(right))
    states = np.array([state.ravel() for state in point.cycle_states()][: point.period])
    k = q * point.period
    return ResonantCycles(
        point, resonance, OrbitMap(map, (k, *shape), k), np.tile(states, (q, 1)), right / size, left * size
    )
