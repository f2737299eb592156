"""Random networks, and the rule written out plainly: what several tests of the network are held against."""

import numpy as np

from bifurcate.adaptation import Network, ring


def plain(W, r, C, alpha, beta, sigma):
    """W⁺, as the rule is written, with every matrix formed."""
    R = np.array([ri / (sigma**2 + yi) if ri > 0 else 0.0 for ri, yi in zip(r, W @ r / len(r), strict=True)])
    return W + alpha * (np.outer(R, R) - C) + beta * (W - C)


def baseline_target(r0, sigma, W0):
    R0 = np.array([ri / (sigma**2 + yi) if ri > 0 else 0.0 for ri, yi in zip(r0, W0 @ r0 / len(r0), strict=True)])
    return np.outer(R0, R0)


def draw(rng, n=None, silent=False, beta=None):
    """A random network from drives, and what it was made of."""
    n = n or int(rng.integers(1, 7))
    r, r0 = rng.uniform(0.05, 1.5, n), rng.uniform(0.05, 1.5, n)
    if silent and n > 1:
        r[rng.integers(n)] = 0.0
    made = {
        "alpha": float(rng.uniform(0.0, 1.0)),
        "beta": float(rng.uniform(-1.9, 0.5)) if beta is None else beta,
        "sigma": float(rng.uniform(0.2, 1.0)),
    }
    return Network(r, r0, **made), r, r0, made


def draw_ring(rng, k=1, n=6, **extra):
    """A random ring; currents may be negative."""
    stimulus = [(float(c), float(t)) for c, t in zip(rng.uniform(-0.4, 1.0, k), rng.uniform(0, np.pi, k), strict=True)]
    stimulus[0] = (float(rng.uniform(0.5, 1.0)), stimulus[0][1])
    made = {
        "alpha": float(rng.uniform(0.05, 0.5)),
        "beta": float(rng.uniform(-0.5, 0.1)),
        "sigma": float(rng.uniform(0.3, 1.0)),
        "b": float(rng.uniform(0.0, 0.3)),
    }
    return ring(n, (0.8, 0.3), stimulus, **{**made, **extra})


def slope(f, step=1e-4):
    """f'(0) by a central difference of fourth order."""
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step)


def dense_jacobian(f, x):
    """Columns of central differences of f on the flattened state."""
    columns = []
    for j in range(x.size):
        e = np.zeros(x.size)
        e[j] = 1.0
        columns.append(slope(lambda t, e=e: f(x + t * e.reshape(x.shape)).ravel()))
    return np.array(columns).T


def near(x, expected, tolerance=1e-11):
    x, expected = np.asarray(x), np.asarray(expected)
    return x.shape == expected.shape and np.abs(x - expected).max() <= tolerance * max(1.0, np.abs(expected).max())
