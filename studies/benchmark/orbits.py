"""An orbit diagram of the logistic map, in a batch, one by one, and as one would write it by hand."""

from __future__ import annotations

from typing import Literal

import numpy as np

import bifurcate as bf
from studies.benchmark.frame import Contest, Done, Row

__all__ = ["ROWS"]

KEEP = 60


def _diagram(quick: bool) -> Contest:
    values, steps = np.linspace(2.5, 4.0, 50 if quick else 2000), 200 if quick else 2000
    map = bf.maps.logistic()

    def ours(layout: Literal["single"] | None, share: int) -> Done:
        some = values[::share]
        seen = bf.orbit_diagram(
            map, "r", some, [0.3], lambda x, r: x[0], transient=steps - KEEP, samples=KEEP, layout=layout
        )
        return Done(steps, (float(seen.samples[0, -1]), float(np.nanmax(seen.samples))), len(some))

    def numpy_by_hand() -> Done:
        x, kept = np.full(len(values), 0.3), []
        for k in range(steps - 1):
            if k >= steps - KEEP:
                kept.append(x)
            x = values * x * (1.0 - x)
        samples = np.array([*kept, x]).T
        return Done(steps, (float(samples[0, -1]), float(samples.max())))

    def python_by_hand() -> Done:
        samples = []
        for r in values.tolist():
            x, row = 0.3, []
            for k in range(steps - 1):
                if k >= steps - KEEP:
                    row.append(x)
                x = r * x * (1.0 - x)
            samples.append([*row, x])
        return Done(steps, (samples[0][-1], max(max(row) for row in samples)))

    ours_all = {
        "bifurcate": lambda: ours(None, 1),
        "bifurcate, one by one, every 20th": lambda: ours("single", 20),
    }
    peers = {"NumPy by hand, unchecked": numpy_by_hand, "Python by hand, a loop over values": python_by_hand}
    return Contest(len(values), ours_all, peers)


ROWS = (Row("orbit-diagram", "the logistic map's orbit diagram, 2000 values × 2000 iterations", "≤ 0.3 s", _diagram),)
