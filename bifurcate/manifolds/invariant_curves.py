"""invariant_curves: the curve of closed invariant curves through one, in one parameter or at fixed rotation in two."""

from __future__ import annotations

import dataclasses

import numpy as np

from bifurcate.curves.curve import Curve
from bifurcate.curves.invariant_curve_equations import KIND
from bifurcate.errors import InvalidInput
from bifurcate.manifolds.invariant_curve import InvariantCurve
from bifurcate.storage.functions import MissingFunction
from bifurcate.validation import check_instance, shown

__all__ = ["invariant_curves"]


def invariant_curves(curve: InvariantCurve, free: str | tuple[str, str]) -> Curve:
    """The curve of closed invariant curves in one free parameter; or in two, with the rotation number kept.

    Parameters
    ----------
    curve : InvariantCurve
        From :func:`invariant_curve`.
    free : str or (str, str)
        One parameter: the rotation number is unknown, and changes along the curve. Two: it stays what it is, so that an
        irrational one meets no resonance.

    Returns
    -------
    Curve
        To trace. ``branch["rotation number"]`` is the rotation number along it, ``branch.stable`` follows from the
        normal multipliers, and ``bf.invariant_curve(branch[i])`` is a point of it as an :class:`InvariantCurve`. The
        number of modes follows what the curves need. A resonance that is in the way of a step is stepped over, and
        named in ``branch.doubts``, as are folds, flips and Neimark–Sacker bifurcations of the curves; where none can be
        resolved any more the branch ends, "unresolved".

    Raises
    ------
    InvalidInput
        If the curve is none, comes without its map, or the map has no such parameters.

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.invariant_curve(bf.maps.delayed_logistic(2.05), [0.6, 0.6])
    >>> branch = bf.trace(bf.invariant_curves(curve, "r"), {"r": (2.04, 2.06)})
    >>> bool(branch["rotation number"][0] > branch["rotation number"][-1])
    True
    """
    check_instance("curve", curve, InvariantCurve, "bf.invariant_curve(map, start) makes one")
    iterate = curve.equations.iterate
    if isinstance(iterate.map.f, MissingFunction):
        raise InvalidInput("the curve comes without its map: load it with bf.load(path, map=…)")
    names = (free,) if isinstance(free, str) else tuple(free) if isinstance(free, tuple | list) else ()
    are_names = 1 <= len(names) <= 2 and all(isinstance(name, str) for name in names)
    if not are_names or len(set(names)) < len(names):
        raise InvalidInput(f"free is {shown(free)}; it must be the name of one parameter, or of two different ones")
    for name in names:
        iterate.map.require(name)
    fixed = {name: value for name, value in curve.parameters.items() if name not in names}
    values = curve.values.reshape(len(curve.values), -1)
    rho = curve.rotation_number
    equations = dataclasses.replace(
        curve.equations, fixed=fixed, free=names, reference=values, rotation_number=rho if len(names) == 2 else None
    )
    last = [curve.parameters[name] for name in names] + ([rho] if len(names) == 1 else [])
    start = np.concatenate([values.ravel(), last])
    direction = np.zeros(len(start))
    direction[values.size] = 1.0
    return Curve(equations, start, kind=KIND, direction=direction)
