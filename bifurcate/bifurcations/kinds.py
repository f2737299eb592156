"""The kinds of special points: the one table from which labels, detection, switching, plots and the pages follow.

A row says by which multipliers a kind is defined, which curves of special points pass through it, and which curves of
cycles of a multiple of its period start there (Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge
2019, chapters 3 and 5). A new kind is a row here and its defining system.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bifurcate.errors import InvalidInput
from bifurcate.validation import shown

__all__ = ["CURVE_KINDS", "KINDS", "Kind", "KindName", "find_kind", "kind_of_double_event", "kinds_where"]

KindName = Literal[
    "fold",
    "flip",
    "neimark-sacker",
    "branch point",
    "tangency",
    "cusp",
    "generalised flip",
    "chenciner",
    "R1",
    "R2",
    "R3",
    "R4",
    "weak resonance",
    "fold-flip",
    "fold-ns",
    "flip-ns",
    "ns-ns",
    "fold-fold",
    "flip-flip",
    "pole",
    "border",
    "event",
]


@dataclass(frozen=True)
class Kind:
    """A kind of special point.

    Attributes
    ----------
    name : str
        As in ``point.kind``.
    label : str
        The literature's abbreviation, as in ``point.label``.
    title : str
        For legends.
    codimension : int
        Parameters that must be free for such a point to be met on a curve: 1 or 2; 0 for poles, borders and the
        user's events, which are no bifurcations.
    real : tuple of float
        The real critical multipliers, +1 or −1 each as often as it has an eigenvector of its own.
    pairs : int
        How many complex pairs lie on the unit circle.
    cosine : float or None
        cos θ of the critical pair, at the strong resonances.
    degree : int
        Degree of the Taylor expansion that the normal form in two parameters needs; 0 if it has none.
    vanishing : (str, str) or None
        The kind of curve and the normal-form coefficient along it that vanishes here.
    has_pole : bool
        True where a linear system for a coefficient of the curves through it is singular, so that the coefficient has a
        pole, not a zero.
    through : tuple of str
        Kinds of the curves of special points, of cycles of the same period, that pass through it.
    born : (int, tuple of str) or None
        What starts there beside: a multiple of the period, and the kinds of curves of such cycles.
    is_switchable : bool
        True if a branch of cycles starts there.
    is_of_cycles : bool
        False where orbits between saddles meet: such points have no multipliers and no normal form of a cycle.
    marker, colour : str
        How it is drawn: the shape tells kinds apart in grey, too.
    line : tuple
        Dash pattern (in line widths) of curves of this kind; () for a solid line.
    line_width : float
        Width of such curves, in points.
    """

    name: KindName
    label: str
    title: str
    codimension: int
    real: tuple[float, ...] = ()
    pairs: int = 0
    cosine: float | None = None
    degree: int = 0
    vanishing: tuple[str, str] | None = None
    has_pole: bool = False
    through: tuple[KindName, ...] = ()
    born: tuple[int, tuple[KindName, ...]] | None = None
    is_switchable: bool = False
    is_of_cycles: bool = True
    marker: str = ""
    colour: str = ""
    line: tuple[float, ...] = ()
    line_width: float = 1.6

    @property
    def is_bifurcation(self) -> bool:
        """True unless it is an end, a kink of the map, or an event of the user's."""
        return self.codimension > 0

    @property
    def is_strong_resonance(self) -> bool:
        """True for R1 to R4, where the critical pair is a root of unity of order at most 4."""
        return self.cosine is not None

    @property
    def is_double(self) -> bool:
        """True where a symmetry, or uncoupled parts, let two eigenvectors share a multiplier."""
        return len(self.real) > len(set(self.real))


_NS: KindName = "neimark-sacker"

_TABLE = (
    Kind("fold", "LP", "fold (LP)", 1, (1.0,), through=("fold",), marker="s", colour="#d95f02"),
    Kind(
        "flip", "PD", "flip (PD)", 1, (-1.0,), through=("flip",), is_switchable=True,
        marker="o", colour="#1b6ca8", line=(6, 2),
    ),
    Kind(
        _NS, "NS", "Neimark–Sacker (NS)", 1, pairs=1, through=(_NS,),
        marker="D", colour="#7570b3", line=(5, 1.5, 1, 1.5),
    ),
    Kind(
        "branch point", "BP", "branch point (BP)", 1, (1.0,), through=("branch point",), is_switchable=True,
        marker="X", colour="#1a1a1a", line=(1, 1), line_width=1.8,
    ),
    Kind(
        "tangency", "TAN", "tangency of manifolds (TAN)", 1, (1.0,), through=("tangency",), is_of_cycles=False,
        marker="^", colour="#1b7837", line=(3, 1.5),
    ),
    Kind("cusp", "CP", "cusp (CP)", 2, (1.0,), degree=3, through=("fold",)),
    Kind(
        "generalised flip", "GPD", "generalised flip (GPD)", 2, (-1.0,), degree=5,
        vanishing=("flip", "b"), through=("flip",), born=(2, ("fold",)),
    ),
    Kind("chenciner", "CH", "Chenciner point (CH)", 2, pairs=1, degree=5, vanishing=(_NS, "d"), through=(_NS,)),
    Kind(
        "R1", "R1", "1:1 resonance (R1)", 2, pairs=1, cosine=1.0, degree=2, has_pole=True,
        through=("fold", _NS),
    ),
    Kind(
        "R2", "R2", "1:2 resonance (R2)", 2, pairs=1, cosine=-1.0, degree=3, has_pole=True,
        through=("flip", _NS), born=(2, (_NS,)),
    ),
    Kind(
        "R3", "R3", "1:3 resonance (R3)", 2, pairs=1, cosine=-0.5, degree=3, has_pole=True,
        through=(_NS,), born=(3, (_NS,)),
    ),
    Kind(
        "R4", "R4", "1:4 resonance (R4)", 2, pairs=1, cosine=0.0, degree=3,
        through=(_NS,), born=(4, (_NS, "fold")),
    ),
    Kind("weak resonance", "p:q", "weak resonance (p:q)", 2, pairs=1, through=(_NS,)),  # q times the period: folds
    Kind(
        "fold-flip", "LPPD", "fold-flip (LPPD)", 2, (1.0, -1.0), degree=2, has_pole=True,
        through=("fold", "flip"), born=(2, (_NS,)),
    ),
    Kind(
        "fold-ns", "LPNS", "fold–Neimark–Sacker (LPNS)", 2, (1.0,), 1, degree=2, has_pole=True,
        through=("fold", _NS),
    ),
    Kind(
        "flip-ns", "PDNS", "flip–Neimark–Sacker (PDNS)", 2, (-1.0,), 1, degree=3,
        through=("flip", _NS), born=(2, (_NS,)),
    ),
    Kind("ns-ns", "NSNS", "double Neimark–Sacker (NSNS)", 2, pairs=2, degree=3, through=(_NS,)),
    Kind("fold-fold", "LPLP", "double fold (LPLP)", 2, (1.0, 1.0), through=("fold",)),
    Kind("flip-flip", "PDPD", "double flip (PDPD)", 2, (-1.0, -1.0), through=("flip",)),
    Kind("pole", "POLE", "pole", 0, marker="v", colour="#b2182b"),
    Kind("border", "BORDER", "border", 0, marker="|", colour="#4d4d4d"),
    Kind("event", "EVENT", "event", 0, marker="P", colour="#4d4d4d"),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}

# The kinds of points that form curves in two parameters.
CURVE_KINDS: tuple[KindName, ...] = tuple(kind.name for kind in _TABLE if kind.codimension == 1)


def find_kind(name: str) -> Kind:
    """The kind of a name ("flip") or label ("PD").

    Raises
    ------
    InvalidInput
        If there is none; the message lists the names.

    Examples
    --------
    >>> find_kind("PD").name
    'flip'
    """
    for kind in _TABLE if isinstance(name, str) else ():
        if name in (kind.name, kind.label):
            return kind
    raise InvalidInput(f"no kind {shown(name)}; kinds are {', '.join(KINDS)}")


def kinds_where(**fields: object) -> tuple[KindName, ...]:
    """Names of the kinds whose fields have these values, in the table's order.

    Examples
    --------
    >>> kinds_where(codimension=0)
    ('pole', 'border', 'event')
    """
    return tuple(kind.name for kind in _TABLE if all(getattr(kind, name) == value for name, value in fields.items()))


def kind_of_double_event(curve_kind: str, real: Iterable[float] = (), pairs: int = 0) -> KindName | None:
    """The kind of point at which, on a curve of special points, further multipliers become critical.

    Parameters
    ----------
    curve_kind : str
        What the curve consists of.
    real : iterable of float
        The further real multipliers, +1 or −1.
    pairs : int
        How many further complex pairs.

    Returns
    -------
    str or None
        Its name; None if that has no name of its own.

    Examples
    --------
    >>> kind_of_double_event("fold", [-1.0]), kind_of_double_event("branch point", [-1.0])
    ('fold-flip', None)
    """
    if curve_kind == "branch point":
        return None
    curve = KINDS[curve_kind]
    critical = sorted((*curve.real, *real))
    for kind in _TABLE:
        alike = sorted(kind.real) == critical and kind.pairs == curve.pairs + pairs
        if alike and kind.codimension == 2 and not kind.is_strong_resonance and kind.vanishing is None:
            return kind.name
    return None
