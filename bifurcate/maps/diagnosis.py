"""What is wrong with a map: one finding each for shape, parameters, changes in place, chance, precision, noise, kinks.

Noise is estimated from a table of differences along a line (Moré & Wild, SIAM J. Sci. Comput. 33 (2011) 1292); kinks
and jumps from second differences at two resolutions, which fall by 4 where f is smooth, by 2 at a kink, and not at a
jump.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.maps.batches import HOW_TO_BROADCAST, BatchRows, first_layout
from bifurcate.maps.checks import check_state, join_names
from bifurcate.maps.derivatives import DIFFERENCE_CALLS
from bifurcate.maps.iterated_map import LARGEST_DENSE
from bifurcate.maps.map import Map

__all__ = ["Finding", "diagnose"]

Array = NDArray[np.float64]
Verdict = Literal["good", "doubtful", "wrong"]

NOISE_POINTS = 9  # on the line along which noise is estimated; the table of their differences has as many rows
# Their distance, in units of the state's size: differences of order 4 of f itself are 1e-18 of it then, below rounding,
# while numbers in float32 differ from one point to the next.
NOISE_STEP = 3e-5
NOISE_ORDER = 4  # differences of this order are noise alone
FEW_BITS = 4096.0  # multiples of 1/4096 are numbers of float32 whatever they were computed in, and tell nothing
NOISY = 1e-12  # part of f's size from which on noise is told: Newton's method asks for 1e-11
KINK_REACH = 0.1  # on either side of the state, in units of its size, along which kinks are looked for
KINK_POINTS = 400  # on the line
SMOOTH_RATIO = 2.8  # ratio of second differences at two resolutions below which f is not smooth: between 4 and 2
JUMP_RATIO = 1.4  # ... below which it jumps: between 2 and 1
DIRECTIONS = 3  # random lines along which kinks and noise are looked for
PARAMETER_STEP = 1e-3  # part of a parameter's size, or of 1, by which it is changed to see whether f takes notice


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What: "parameters", "shape", "in-place change", "chance", "batches", "precision", "noise", "kinks", "domain",
        "jvp", "jacobian", "parameter derivative", "values".
    verdict : {"good", "doubtful", "wrong"}
    words : str
        What was found, and what to do about it.
    """

    name: str
    verdict: Verdict
    words: str

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


def diagnose(f: Map | Callable[..., Any], guess: Any, parameters: Mapping[str, float] | None = None) -> list[Finding]:
    """Look at a map, or at a function that is to become one, near a state.

    Parameters
    ----------
    f : Map or callable
        What is looked at.
    guess : array_like
        A state.
    parameters : mapping of str to float, optional
        Values of parameters, in place of the map's.

    Returns
    -------
    list of Finding
        One for each thing that was looked at; what cannot be looked at, because of an earlier finding, is left out.

    Examples
    --------
    >>> def rough(x, r):
    ...     return np.float32(r * x * (1 - x))
    >>> [finding.name for finding in diagnose(rough, [0.6], {"r": 2.5}) if finding.verdict != "good"]
    ['precision', 'noise']
    """
    try:
        map = f.replace(**dict(parameters or {})) if isinstance(f, Map) else Map(f, dict(parameters or {}))
    except InvalidInput as error:
        return [Finding("parameters", "wrong", f"{error}{_suggestion(str(error))}")]
    try:
        x = check_state(guess)
    except InvalidInput as error:
        return [Finding("shape", "wrong", str(error))]
    with np.errstate(all="ignore"):
        return _look(map, x)


def _suggestion(words: str) -> str:
    """The argument that a mistyped parameter may stand for."""
    if "is not an argument of f, which takes" not in words:
        return ""
    given, known = words.split("'")[1], words.rpartition("takes ")[2].split(", ")
    near = difflib.get_close_matches(given, known, 1)
    return f"; is {near[0]!r} meant?" if near else ""


def _look(map: Map, x: Array) -> list[Finding]:
    try:
        given = x.copy()
        y = np.asarray(map.f(given, **map.parameters))
    except Exception as error:  # f is the user's, and may raise anything
        return [Finding("shape", "wrong", f"f fails on a state of shape {x.shape}: {type(error).__name__}: {error}")]
    if y.shape != x.shape:
        return [Finding("shape", "wrong", f"f maps shape {x.shape} to shape {y.shape}; they must agree")]
    found = [Finding("shape", "good", f"f maps shape {x.shape} to itself")]
    found.append(_in_place(given, x))
    found.append(_values(y))
    if any(each.verdict == "wrong" for each in found):
        return found
    found.append(_domain(map, x))
    chance = _chance(map, x, y)
    found.append(chance)
    if chance.verdict != "good":
        return found
    found.append(_parameters(map, x, y))
    found.append(_batches(map, x))
    found.append(_precision(map, x, y))
    noise = max(_noise(map, x, v) for v in _directions(x))
    size = max(map.scale, float(np.abs(y).max()))
    found.append(_noise_finding(noise, size))
    found.append(_kinks(map, x, max(noise, np.finfo(float).eps * size)))
    return found + _derivatives(map, x)


def _directions(x: Array) -> list[Array]:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((DIRECTIONS, *x.shape))
    return [v / np.abs(v).max() for v in vectors]


def _in_place(given: Array, x: Array) -> Finding:
    if np.array_equal(given, x):
        return Finding("in-place change", "good", "f leaves the state that it is given alone")
    return Finding("in-place change", "wrong", "f changes the state that it is given; let it return a new array")


def _values(y: NDArray[Any]) -> Finding:
    if y.dtype.kind not in "fiub":
        return Finding("values", "wrong", f"f returns {y.dtype.name}; states are real (stack real and imaginary parts)")
    if not np.isfinite(y.astype(float)).all():
        return Finding("values", "wrong", "f returns NaN or infinity at this state")
    return Finding("values", "good", "f returns finite real numbers")


def _domain(map: Map, x: Array) -> Finding:
    if map.domain is None:
        return Finding("domain", "good", "none is declared: f is taken to be defined everywhere")
    margin = float(np.min(map.domain(x, **map.parameters)))
    if margin > 0:
        return Finding("domain", "good", f"the state is inside, with a margin of {margin:.3g}")
    return Finding("domain", "wrong", f"the state is outside the declared domain: its smallest margin is {margin:.3g}")


def _chance(map: Map, x: Array, y: NDArray[Any]) -> Finding:
    again = np.asarray(map.f(x.copy(), **map.parameters))
    if np.array_equal(y, again):
        return Finding("chance", "good", "f returns the same when it is called again")
    apart = float(np.abs(y.astype(float) - again.astype(float)).max())
    return Finding(
        "chance", "wrong", f"f returns something else when it is called again (by {apart:.2g}): seed it inside"
    )


def _parameters(map: Map, x: Array, y: NDArray[Any]) -> Finding:
    unused = []
    for name, value in map.parameters.items():
        moved = {**map.parameters, name: value + PARAMETER_STEP * max(1.0, abs(value))}
        if np.array_equal(np.asarray(map.f(x.copy(), **moved)), y):
            unused.append(name)
    if unused:
        return Finding("parameters", "doubtful", f"f takes no notice of {', '.join(unused)} at this state")
    return Finding("parameters", "good", f"f depends on {join_names(map.parameters)}")


def _batches(map: Map, x: Array) -> Finding:
    step = NOISE_STEP * max(map.scale, float(np.abs(x).max()))
    states = np.array([x, *(x + step * v for v in _directions(x))])
    if map.accelerate or first_layout(map, BatchRows(states, dict(map.parameters))) is not None:
        return Finding("batches", "good", "one call of f takes many states")
    return Finding("batches", "doubtful", HOW_TO_BROADCAST)


def _precision(map: Map, x: Array, y: NDArray[Any]) -> Finding:
    values = [y, *(np.asarray(map.f(x + NOISE_STEP * v, **map.parameters)) for v in _directions(x))]
    if any(value.dtype.kind in "iub" for value in values):
        return Finding("precision", "doubtful", "f returns whole numbers: it has no derivatives")
    is_single = all((value.astype(float) == value.astype(np.float32)).all() for value in values)
    if is_single and any((value * FEW_BITS != np.round(value * FEW_BITS)).any() for value in values):
        return Finding("precision", "wrong", "f computes in float32; ask for float64 (jax: jax_enable_x64)")
    return Finding("precision", "good", "f computes in float64")


def _noise(map: Map, x: Array, v: Array) -> float:
    """The size of what is random in f near x, along a direction."""
    step = NOISE_STEP * max(map.scale, float(np.abs(x).max()))
    values = np.array([map.f(x + (i - NOISE_POINTS // 2) * step * v, **map.parameters) for i in range(NOISE_POINTS)])
    differences = values.astype(float).reshape(NOISE_POINTS, -1)
    for _ in range(NOISE_ORDER):
        differences = np.diff(differences, axis=0)
    gamma = math.factorial(NOISE_ORDER) ** 2 / math.factorial(2 * NOISE_ORDER)
    return float(np.sqrt(gamma * np.mean(differences**2, axis=0)).max())


def _noise_finding(noise: float, size: float) -> Finding:
    relative = noise / size
    if relative <= NOISY:
        return Finding("noise", "good", f"f is smooth down to {relative:.0e} of its size")
    return Finding(
        "noise",
        "wrong" if relative > math.sqrt(NOISY) else "doubtful",
        f"f is noisy by {relative:.0e} of its size (an inner iteration or float32?): residuals below that are chance; "
        "lower its tolerance, or raise Corrector.tolerance",
    )


def _kinks(map: Map, x: Array, noise: float) -> Finding:
    reach = KINK_REACH * max(map.scale, float(np.abs(x).max()))
    worst: tuple[float, float] | None = None
    for v in _directions(x):
        t = np.linspace(-reach, reach, KINK_POINTS + 1)
        try:
            line = np.array([np.ravel(map.f(x + each * v, **map.parameters)) for each in t], dtype=float)
        except Exception:  # the line may leave where f is defined
            continue
        if not np.isfinite(line).all():
            continue
        found = _roughness(line, t, noise)
        if found is not None and (worst is None or found[0] < worst[0]):
            worst = found
    if worst is None:
        return Finding("kinks", "good", "f is smooth around this state")
    ratio, place = worst
    what = "jumps" if ratio < JUMP_RATIO else "has a kink"
    if map.borders is not None:
        return Finding("kinks", "good", f"f {what} {abs(place):.2g} from this state, and declares its borders")
    return Finding("kinks", "doubtful", f"f {what} {abs(place):.2g} from this state; declare it by borders=…")


def _roughness(line: Array, t: Array, noise: float) -> tuple[float, float] | None:
    """The ratio of second differences at two resolutions, and where they are largest; None where f is smooth."""
    fine = np.abs(np.diff(line, 2, axis=0))
    coarse = np.abs(np.diff(line[::2], 2, axis=0))
    column = int(np.argmax(fine.max(axis=0)))
    i = int(np.argmax(fine[:, column]))
    largest = float(fine[i, column])
    if largest <= 100.0 * noise or largest <= 10.0 * float(np.median(fine[:, column])):
        return None
    near = slice(max(0, i // 2 - 2), i // 2 + 3)
    ratio = float(coarse[near, column].max()) / largest
    return (ratio, float(t[i + 1])) if ratio < SMOOTH_RATIO else None


def _derivatives(map: Map, x: Array) -> list[Finding]:
    """Whether each derivative that is given agrees with differences of f."""
    found = []
    for part, name in (("jvp", "jvp"), ("jacobian", "jacobian"), ("parameter_derivative", "parameter derivative")):
        if getattr(map, part) is None:
            continue
        others: dict[str, Any] = {each: None for each in ("jvp", "jacobian", "parameter_derivative") if each != part}
        try:
            dataclasses.replace(map, **others).check(x)
            found.append(Finding(name, "good", "it agrees with differences of f"))
        except OutsideDomain:
            continue
        except Exception as error:  # the derivative is the user's, and may raise anything
            found.append(Finding(name, "wrong", str(error)))
    if map.jvp is None and map.jacobian is None and map.derivative == "central" and x.size > LARGEST_DENSE:
        words = f"none is given: every product with the Jacobian takes {DIFFERENCE_CALLS} calls of f; a jvp takes one"
        found.append(Finding("jvp", "doubtful", words))
    return found
