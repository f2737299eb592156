"""tongue: the Arnold tongue at a weak resonance, or of a map of a circle."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np

from bifurcate.bifurcations.codimension_two.circle_tongue import circle_tongue
from bifurcate.bifurcations.codimension_two.tongue import Tongue
from bifurcate.bifurcations.codimension_two.tongue_edges import tongue_at
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.curve import Curve
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.maps.map import Map
from bifurcate.validation import check_count, check_positive, shown

__all__ = ["edges_at_resonance", "tongue"]

# Of cycles on a circle: all their states are solved for together, and doubles hold so many turns beside a state.
LONGEST_CYCLE, MOST_TURNS = 1000, 10**6


def tongue(
    at: SpecialPoint | Map,
    p: int | None = None,
    q: int | None = None,
    *,
    free: Sequence[str] | None = None,
    amplitude: float | None = None,
) -> Tongue:
    """The Arnold tongue in which orbits lock to a rotation number p/q: its width, and both edges as curves.

    Parameters
    ----------
    at : SpecialPoint or Map
        A weak resonance, from a curve of Neimark–Sacker points traced with ``resonances=``; or a map of a circle: with
        one coordinate that has a period (``Map(…, periodic=…)``), and f(x + period) = f(x) + period, whether or not f
        returns it reduced.
    p, q : int, optional
        The rotation number, in lowest terms, q ≥ 1, for a map of a circle: cycles obey f^q(x) = x + p periods. Where f
        returns states reduced, p counts modulo q.
    free : (str, str), optional
        Of a map of a circle: the parameter that pushes all states the same way, as Ω in x + Ω + g(x), and another one.
        The tongue is looked at where the map has the second, and its edges are found in the first.
    amplitude : float, optional
        At a weak resonance: of the cycles at which the tongue is looked at, in units of the map's scale, between 0 and
        1. By default the smallest at which its edges can be told apart.

    Returns
    -------
    Tongue
        ``.edges`` are two curves of folds of cycles of q times the period, to trace; a tongue that doubles cannot tell
        from a line has none, but a width with an error, and a note.

    Raises
    ------
    InvalidInput
        If an argument is unusable, or the map is none of a circle.
    NotConverged
        If no edge of a circle map's tongue is found.

    Notes
    -----
    The cycles of rotation number p/q are solved for with amplitude r and phase φ given and both parameters unknown (the
    Lyapunov–Schmidt reduction in polar form). Newton's method stops when a step is no shorter than half the last one
    and shorter than 1e-6 r (1e-8 periods on a circle). The parameters are a loop over φ, which is sampled; edges are
    its extremes, and then folds, solved for to the corrector's accuracy. A width counts as more than rounding where it
    is ten times the error of the loop's values; edges are curves where the multiplier between them differs from 1 by
    1e-8.

    References
    ----------
    Arnold, Geometrical Methods in the Theory of Ordinary Differential Equations, Springer 1988, section 34; Kuznetsov,
    Elements of Applied Bifurcation Theory, 2004, sections 7.3 and 9.5; Boyland, Comm. Math. Phys. 106 (1986) 353.

    Examples
    --------
    >>> import bifurcate as bf
    >>> import numpy as np
    >>> turn = 2.0 * np.pi
    >>> sine = bf.Map(lambda x, w, K: x + w - K / turn * np.sin(turn * x), {"w": 0.1, "K": 0.5}, periodic=1.0)
    >>> locked = bf.tongue(sine, 0, 1, free=("w", "K"))
    >>> bool(np.allclose(locked.interval, [-0.5 / turn, 0.5 / turn], atol=1e-14))
    True
    >>> [edge.period for edge in locked.edges]
    [1, 1]
    """
    if isinstance(at, SpecialPoint):
        if at.resonance is None:
            raise InvalidInput(
                f"a tongue starts at a weak resonance, and this is a {at.kind}: trace a curve of Neimark–Sacker points "
                'with resonances=12, and take branch.first("1:7")'
            )
        if not (p is None and q is None and free is None):
            raise InvalidInput("p, q and free go with a map of a circle; a weak resonance has its own")
        if amplitude is not None and not check_positive("amplitude", amplitude) < 1.0:
            raise InvalidInput(f"amplitude is {amplitude!r}; it must lie between 0 and 1, in units of the state")
        with np.errstate(all="ignore"):
            return tongue_at(at, at.resonance, amplitude)
    if not isinstance(at, Map):
        raise InvalidInput(f"at must be a weak resonance or a Map of a circle, got {shown(at)}")
    if amplitude is not None:
        raise InvalidInput("amplitude goes with a weak resonance; on a circle it is the second parameter that is held")
    names = _names(at, free)
    if at.periods is None or len(at.periods) != 1:
        raise InvalidInput(
            f"{at.name} is no map of a circle: tongues from a map alone need one coordinate, with a period, "
            "Map(…, periodic=…); others start at a weak resonance of a curve of Neimark–Sacker points"
        )
    p, q = check_count("p", p, -MOST_TURNS, MOST_TURNS), check_count("q", q, 1, LONGEST_CYCLE)
    if gcd(p, q) != 1:
        raise InvalidInput(f"{p}/{q} is not in lowest terms: write p={p // gcd(p, q)}, q={q // gcd(p, q)}")
    at.check(np.zeros(1))
    with np.errstate(all="ignore"):
        return circle_tongue(at, p, q, names)


def _names(map: Map, free: Sequence[str] | None) -> tuple[str, str]:
    if not isinstance(free, tuple | list) or len(free) != 2 or not all(isinstance(name, str) for name in free):
        raise InvalidInput(f"free is {shown(free)}; it must name two parameters, as ('Omega', 'K')")
    first, second = free
    for name in free:
        map.require(name)
    if first == second:
        raise InvalidInput(f"free names {first!r} twice; it must name two parameters")
    return first, second


def edges_at_resonance(point: SpecialPoint, amplitude: float | None) -> tuple[Curve, ...]:
    """Both edges of the tongue at a weak resonance.

    Raises
    ------
    NotConverged
        If doubles do not tell them apart; the message says how wide the tongue is.
    """
    found = tongue(point, amplitude=amplitude)
    if not found.edges:
        raise NotConverged(
            f"no edges of the {found.label} tongue were told apart ({found})",
            point.state,
            (found.width,),
            "bf.tongue(point) says how wide it is; a larger amplitude finds it wider.",
        )
    return found.edges
