"""A diagram as one page for a browser, which needs no network: Plotly, the numbers and what shows them in one file."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.errors import InvalidInput
from bifurcate.orbits.observable import Observable, observable_name
from bifurcate.plot.drawing import HOLLOW_MARKERS, PERIOD_COLOURS, axis_name
from bifurcate.plot.observables import observe, observe_at, stable_around
from bifurcate.plot.proved import proved_arcs
from bifurcate.plot.two_parameter_chart import WIDTH_LOSS
from bifurcate.printing import number_text, values_text

if TYPE_CHECKING:
    from bifurcate.proofs.diagram_theorem import DiagramTheorem

__all__ = ["html_page"]

MOST_COMPONENTS = 6  # of a state that the page offers as projections of their own
MOST_MULTIPLIERS = 6  # that a point's text lists, the largest in modulus
MOST_FIXED = 4  # parameters that do not vary which the title names
CURVE_WIDTH = 2.4  # pixels, of curves in two parameters at period 1
SYMBOLS = {
    "s": "square",
    "o": "circle",
    "D": "diamond",
    "X": "x",
    "v": "triangle-down",
    "|": "line-ns-open",
    "P": "cross",
}
DIGITS = 10  # significant digits of the numbers in the page


def html_page(
    branches: Sequence[Branch],
    meetings: Sequence[tuple[SpecialPoint, Sequence[int]]],
    *,
    parameter: str | None = None,
    projections: Mapping[str, Observable] | None = None,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    theorem: DiagramTheorem | None = None,
) -> str:
    """Write branches and special points as one page of HTML.

    Parameters
    ----------
    branches : sequence of Branch
        Of cycles, and of special points in two parameters.
    meetings : sequence of (SpecialPoint, sequence of int)
        Every special point, with the numbers of the branches that meet there.
    parameter : str, optional
        On the horizontal axis of the diagram; the first free parameter of the first branch if not given.
    projections : mapping of str to observable, optional
        What the vertical axis offers, by name; the first components and the norm if not given.
    labels : mapping of str to str, optional
        How axes name parameters.
    title : str
    theorem : DiagramTheorem, optional
        What is proved of the branches and of the points, in their order: arcs get bands, points rings.

    Returns
    -------
    str

    Raises
    ------
    InvalidInput
        If there are no branches of cycles, or Plotly is not installed.
    """
    cycles = [(i, branch) for i, branch in enumerate(branches) if branch.curve.codimension == 0]
    if not cycles:
        raise InvalidInput("there are no branches of cycles; a page shows at least one")
    first = cycles[0][1]
    horizontal = parameter or first.curve.free[0]
    loci = [(i, branch) for i, branch in enumerate(branches) if branch.curve.codimension]
    curves = [(i, branch) for i, branch in loci if len(branch.curve.free) > 1]
    plane = tuple(curves[0][1].curve.free[:2]) if curves else ()
    shown = dict(projections or _default_projections(first))
    fixed = _fixed(branch for _, branch in cycles)
    where = f" at {values_text(fixed)}" if 0 < len(fixed) <= MOST_FIXED else ""
    content = {
        "title": title or f"{first.curve.iterate.map.name}: {len(branches)} branches{where}",
        "parameter": axis_name(horizontal, labels),
        "plane": [axis_name(name, labels) for name in plane],
        "projections": list(shown),
        "periods": sorted({branch.curve.period for _, branch in cycles}),
        "branches": [_branch(i, branch, horizontal, list(shown.values()), plane) for i, branch in cycles],
        "proved": _proved(theorem, [i for i, _ in cycles], horizontal, list(shown.values())),
        "curves": _curves(curves, plane),
        "special": [
            _special(k, point, list(met), branches, horizontal, list(shown.values()), plane) | _proved_point(theorem, k)
            for k, (point, met) in enumerate(meetings)
        ],
    }
    text = (files("bifurcate.plot") / "page.html").read_text(encoding="utf-8")
    # A script element ends at its first "</": inside a string of JSON, "<\\/" says the same.
    numbers = json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
    parts = {"@TITLE@": html.escape(str(content["title"])), "@DATA@": numbers, "@PLOTLY@": _plotly()}
    for mark, part in parts.items():
        before, after = text.split(mark)
        text = before + part + after
    return text


def _fixed(branches: Iterable[Branch]) -> dict[str, float]:
    """The parameters that have one value on all branches."""
    seen = [
        {name: p[name] for name in p if name not in each.curve.free} for each in branches for p in [each[0].parameters]
    ]
    return {name: value for name, value in seen[0].items() if all(other.get(name) == value for other in seen)}


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InvalidInput("interactive pages take Plotly: pip install 'bifurcate[html]'") from None
    return str(get_plotlyjs())


def _default_projections(branch: Branch) -> dict[str, Observable]:
    size = branch.curve.size
    components: dict[str, Observable] = {f"component {i}": i for i in range(min(size, MOST_COMPONENTS))}
    return components | ({observable_name("norm"): "norm"} if size > 1 else {})


def _number(value: float) -> float | None:
    """A number of few digits for JSON, which has no infinities."""
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _numbers(values: Any) -> list[Any]:
    array = np.asarray(values, dtype=float)
    return [_number(each) for each in array.tolist()] if array.ndim == 1 else [_numbers(row) for row in array]


def _multipliers_text(values: Any) -> str:
    shown = [complex(value) for value in np.asarray(values)[:MOST_MULTIPLIERS]]
    words = [f"{z.real:.6g}" if abs(z.imag) <= 1e-9 * max(1.0, abs(z)) else f"{z:.6g}" for z in shown]
    return ", ".join(words) + (", …" if len(values) > MOST_MULTIPLIERS else "")


def _branch(
    number: int, branch: Branch, parameter: str, observables: list[Observable], plane: tuple[str, ...]
) -> dict[str, Any]:
    texts = []
    for point in branch.points:
        spectrum = point.spectrum
        lines = [", ".join(f"{name} = {value:.{DIGITS}g}" for name, value in point.parameters.items())]
        lines.append(f"branch {number}, period {branch.curve.period}")
        if spectrum is not None:
            lines.append("stable" if spectrum.stable else "unstable")
            lines.append(f"multipliers {_multipliers_text(spectrum.values)}")
        texts.append("<br>".join(lines))
    known = all(point.spectrum is not None for point in branch.points)
    stable = branch.stable.tolist() if known else [True] * len(branch)
    where = _numbers(np.column_stack([branch[name] for name in plane])) if plane else [None] * len(branch)
    p, values = branch[parameter].tolist(), [observe(branch, each).tolist() for each in observables]
    # Lines reach the points where stability changes and where the cycle is born: these belong to the stable part.
    for at, special in _between(branch):
        p.insert(at, special.parameters[parameter])
        stable.insert(at, any(stable[max(at - 1, 0) : at + 1]))
        texts.insert(at, f"{special.label}, {special.curve.where(special.u, special.error)}")
        where.insert(at, _numbers([special.parameters[name] for name in plane]) if plane else None)
        for rows, each in zip(values, observables, strict=True):
            rows.insert(at, observe_at(branch, special, each))
    return {
        "number": number,
        "name": f"cycles of period {branch.curve.period}",
        "period": branch.curve.period,
        "colour": PERIOD_COLOURS[int(np.log2(branch.curve.period)) % len(PERIOD_COLOURS)],
        "parameter": _numbers(p),
        "values": [_numbers(rows) for rows in values],
        "stable": stable,
        "plane": where,
        "text": texts,
    }


def _between(branch: Branch) -> list[tuple[int, SpecialPoint]]:
    """The special points that lines go through, and where among the branch's own points, from the last to the first."""
    found = [(int(np.searchsorted(branch.arclength, each.arclength)), each) for each in branch.special]
    found = [(at, each) for at, each in found if stable_around(branch, each).changes]
    origin = branch.curve.origin
    if isinstance(origin, SpecialPoint) and len(branch.curve.sides) == 1:
        found.insert(0, (0, origin))
    return found[::-1]


def _proved_point(theorem: DiagramTheorem | None, number: int) -> dict[str, Any]:
    """Whether a special point is proved, and the theorem about it."""
    found = None if theorem is None else theorem.points[number]
    return {"proved": found is not None, "theorem": "" if found is None else str(found)}


def _proved(
    theorem: DiagramTheorem | None, numbers: list[int], parameter: str, observables: list[Observable]
) -> list[dict[str, Any]]:
    """The proved arcs of branches of cycles: their branch, period, parameters and the values of every observable."""
    found = []
    for number in numbers if theorem is not None else ():
        branch = theorem.branches[number] if theorem is not None else None
        if branch is None or branch.free != parameter:
            continue
        arcs = zip(*(proved_arcs(branch, observable) for observable in observables), strict=True)
        for piece, parts in zip(branch.pieces, arcs, strict=True):
            found.append(
                {
                    "branch": number,
                    "parameter": _numbers(parts[0][0]),
                    "values": [_numbers(values) for _, values in parts],
                    "text": f"branch {number}, proved: {html.escape(str(piece))}",
                }
            )
    return found


def _curves(curves: list[tuple[int, Branch]], plane: tuple[str, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, branch in curves:
        if not set(plane) <= set(branch.curve.free):
            continue
        kind = KINDS[branch.curve.kind]
        name = f"{kind.title}, period {branch.curve.period}"
        x, y = (_numbers(branch[each]) for each in plane)
        found.append(
            {
                "number": number,
                "name": name,
                "first": all(name != other["name"] for other in found),
                "colour": kind.colour,
                "width": round(CURVE_WIDTH / (1.0 + WIDTH_LOSS * float(np.log2(branch.curve.period))), 2),
                "dash": ",".join(f"{2 * length:g}px" for length in kind.line) if kind.line else "solid",
                "x": x,
                "y": y,
                "text": [f"{name}<br>{plane[0]} = {u}, {plane[1]} = {v}" for u, v in zip(x, y, strict=True)],
            }
        )
    return found


def _what(branch: Branch) -> str:
    kind = "cycles" if branch.curve.codimension == 0 else f"{branch.curve.kind} points"
    return f"{kind} of period {branch.curve.period}"


def _special(
    number: int,
    point: SpecialPoint,
    met: list[int],
    branches: Sequence[Branch],
    parameter: str,
    observables: list[Observable],
    plane: tuple[str, ...],
) -> dict[str, Any]:
    row, p = point.kind_row, point.parameters
    where = f"{point.curve.where(point.u, point.error)} ± {point.error:.0e}"
    forms = [
        f"{name} = {number_text(value, point.errors[name], 8)} ± {point.errors[name]:.0e}"
        for name, value in point.coefficients.items()
    ]
    form = f"{point.form}: {', '.join(forms)}" if forms else point.form
    lines = [f"{point.label}, period {point.period}", where, form]
    lines.append(f"multipliers {_multipliers_text(point.multipliers)}")
    owners = [branches[i] for i in met if branches[i].curve.codimension == 0]
    starts = [f"  branch {i}: {_what(branches[i])}, {len(branches[i])} points" for i in met]
    told = "\n".join(line for line in lines[1:] if line)
    return {
        "number": number,
        "label": point.label,
        "title": f"— {row.title}, period {point.period}",
        "codimension": row.codimension,
        "symbol": SYMBOLS.get(row.marker, "circle"),
        "hollow": row.marker in HOLLOW_MARKERS and bool(row.marker),
        "colour": row.colour or "#1a1a1a",
        "parameter": _number(p[parameter]) if parameter in p else None,
        "plane": _numbers([p[name] for name in plane]) if plane else None,
        "values": [_numbers(observe_at(owners[0], point, each)) for each in observables] if owners else [],
        "branches": met,
        "text": "<br>".join(line for line in lines if line),
        "told": f"{told}\nwhat meets here:\n" + "\n".join(starts),
    }
