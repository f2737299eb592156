"""The network's rules as plain formulas on arrays of objects, for proofs: no BLAS, no caches, no conversions to floats.

f of the network's maps calls BLAS and remembers stimuli, which take floats only. These are the same equations, written
for numbers of any kind (test_plain_formulas_agree_with_the_maps); parameters are such numbers, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.adaptation.kernels import multiply_weights
from bifurcate.adaptation.stimuli.drive import Drives, GivenDrives
from bifurcate.adaptation.stimuli.target import Target

__all__ = ["plain_drive", "plain_factor", "plain_reduction", "plain_update"]

Objects = NDArray[Any]


def plain_reduction(stimuli: Drives, target: Target, y: Objects, p: Mapping[str, Any]) -> Objects:
    """y⁺ = (1+β) y + (α/n) R (R·r) − ((α+β)/n) C r, with R = r/(σ² + y)."""
    r, n = plain_drive(stimuli, p), len(y)
    F = plain_factor(target, p)
    R = _respond(r, p["sigma"] * p["sigma"] + y)
    pull = (p["alpha"] + p["beta"]) * (F @ (F.T @ r))
    return np.asarray((1.0 + p["beta"]) * y + (p["alpha"] * R * (R @ r) - pull) / n)


def plain_update(stimuli: Drives, target: Target, clip: bool, W: Objects, p: Mapping[str, Any]) -> Objects:
    """W⁺ = (1+β) W + α R Rᵀ − (α+β) C, with R = r/(σ² + W r/n); clipped at 0 if ``clip``."""
    r = plain_drive(stimuli, p)
    F = plain_factor(target, p)
    R = _respond(r, p["sigma"] * p["sigma"] + W @ r / len(W))
    out = (1.0 + p["beta"]) * W + p["alpha"] * np.outer(R, R) - (p["alpha"] + p["beta"]) * (F @ F.T)
    return np.maximum(out, 0.0) if clip else np.asarray(out)


def _respond(r: Objects, u: Objects) -> Objects:
    """R = r/u; 0 for a silent neuron whatever its u."""
    return np.array([drive / below if drive > 0.0 else drive * 0.0 for drive, below in zip(r, u)], dtype=object)


def _rectified(x: Objects) -> Objects:
    """max(x, 0)²."""
    positive = np.maximum(x, 0.0)
    return np.asarray(positive * positive)


def plain_drive(stimuli: Drives, p: Mapping[str, Any]) -> Objects:
    """r."""
    if isinstance(stimuli, GivenDrives):
        return stimuli.drive
    k = len(stimuli.stimulus.contrast)
    names = stimuli.names
    contrast = np.array([p[name] for name in names[1 : k + 1]], dtype=object)
    orientation = np.array([p[name] for name in names[k + 1 :]], dtype=object)
    return _rectified(contrast @ np.asarray(stimuli.tuning(orientation, stimuli.preferred)) + p["b"])


def _references(target: Target, p: Mapping[str, Any]) -> Objects:
    """r₀ of the stimuli that make the target, shape (n, m)."""
    stimuli = target.stimuli
    if isinstance(stimuli, GivenDrives):
        return stimuli.references({}, target.ensemble).T
    shown = stimuli.ensemble if target.ensemble and stimuli.ensemble is not None else (stimuli.baseline,)
    # Tuning curves at orientations that are fixed: the doubles that the tuning function gives.
    currents = [each.contrast @ np.asarray(stimuli.tuning(each.orientation, stimuli.preferred)) for each in shown]
    return _rectified(np.array(currents, dtype=object) + p["b"]).T


def plain_factor(target: Target, p: Mapping[str, Any]) -> Objects:
    """F of C = F Fᵀ, shape (n, m)."""
    if target.given is not None:
        return target.given
    r = _references(target, p)
    u = p["sigma"] * p["sigma"] + multiply_weights(target.initial_weights, r) / len(r)
    columns = [_respond(a, b) / float(np.sqrt(r.shape[1])) for a, b in zip(r.T, u.T)]
    return np.array(columns, dtype=object).T
