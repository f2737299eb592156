"""One equilibrium of the network's weights, from W₀, against the solvers of SciPy."""

from __future__ import annotations

import numpy as np
from scipy.optimize import newton_krylov, root

import bifurcate as bf
from studies.benchmark.frame import Contest, Done, Row, Unavailable
from studies.benchmark.network import network

__all__ = ["ROWS"]

TOLERANCE = 1e-11  # of the residual, for everybody
MOST = 1000  # unknowns for which hybr may form its dense Jacobian by differences: more take minutes
XTOL = 1e-13  # relative error of hybr's solution, at which its residual is below the tolerance


def _equilibrium(quick: bool) -> Contest:
    net = network(8 if quick else 100)
    map, start, p = net.update, np.array(net.initial), dict(net.update.parameters)

    def residual(W: np.ndarray) -> np.ndarray:
        return np.asarray(map.f(W, **p) - W)

    def solved(method: bf.Newton | bf.NewtonKrylov | None) -> Done:
        found = bf.solve(map, start, method=method)
        return Done(found.iterations, (found.residual,))

    def reduced() -> Done:
        return Done(0, (float(np.abs(residual(np.asarray(net.equilibrium()))).max()),))

    def finished(W: np.ndarray, steps: int) -> Done:
        return Done(steps, (float(np.abs(residual(W.reshape(start.shape))).max()),))

    def scipy_krylov() -> Done:
        steps: list[np.ndarray] = []
        return finished(
            newton_krylov(residual, start, f_tol=TOLERANCE, callback=lambda x, f: steps.append(f)), len(steps)
        )

    def scipy_root(method: str) -> Done:
        if method == "hybr" and start.size > MOST:
            raise Unavailable(f"hybr forms a dense Jacobian of {start.size} × {start.size} by differences")
        options = {"fatol": TOLERANCE} if method == "krylov" else {"xtol": XTOL}
        found = root(lambda w: residual(w.reshape(start.shape)).ravel(), start.ravel(), method=method, options=options)
        return finished(found.x, int(found.nit if method == "krylov" else found.nfev))

    ours = {
        "bifurcate, matrix-free": lambda: solved(bf.NewtonKrylov(tolerance=TOLERANCE)),
        "bifurcate, structured": lambda: solved(bf.Newton(tolerance=TOLERANCE)),
        "bifurcate, through the reduction": reduced,
    }
    peers = {
        "scipy newton_krylov": scipy_krylov,
        "scipy root(krylov)": lambda: scipy_root("krylov"),
        "scipy root(hybr)": lambda: scipy_root("hybr"),
    }
    return Contest(start.size, ours, peers, repeats=15)


ROWS = (
    Row(
        "equilibrium-100",
        "one equilibrium of 10⁴ weights from W₀, to a residual of 1e-11",
        "matrix-free ≥ 2 ×, structured ≥ 10 × faster than newton_krylov",
        _equilibrium,
    ),
)
