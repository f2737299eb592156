"""Functions for sweeps, where other processes find them."""

import os
import signal
import time

import numpy as np

import bifurcate as bf


def last_state(r, x):
    for _ in range(100):
        x = r * x * (1 - x)
    return x


def noisy(r, k, seed):
    rng = np.random.default_rng(seed)
    if k == 3:
        raise ValueError(f"no value at {r}")
    return {"mean": float(r + rng.standard_normal()), "kind": "small" if r < 2 else "large", "both": rng.random(2)}


def counting(n, log):
    with open(log, "a") as file:
        file.write(f"{n}\n")
    time.sleep(0.002)
    return n * n


def deadly(n, log):
    """Kills its process at n = 5, every time; at n = 9, the first time."""
    if n == 5 or (n == 9 and not os.path.exists(log)):
        open(log, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def outcome(alpha, beta):
    net = bf.adaptation.ring(8, (0.8, 0.0), (0.8, 1.5), alpha=alpha, beta=beta, sigma=1 / 6, b=0.05)
    found = net.outcome(longest=500)
    return {"fate": found.fate.kind, "verdict": found.local.kind}


def slow(n):
    time.sleep(0.02)
    return float(np.sin(n))


def interrupting(n, log, process):
    """Interrupts the sweep's own process at n = 50, the first time."""
    if n == 50 and not os.path.exists(log):
        open(log, "w").close()
        os.kill(process, signal.SIGINT)
    time.sleep(0.005)
    return n


def noisy_batch(r, k, seed):
    """What ``noisy`` does, for arrays of points; a failing point spoils its batch."""
    return [noisy(*point) for point in zip(r.tolist(), k.tolist(), seed.tolist())]


def counting_batch(n, log):
    with open(log, "a") as file:
        file.writelines(f"{each}\n" for each in n.tolist())
    return n * n
