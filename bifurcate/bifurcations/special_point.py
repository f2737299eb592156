"""SpecialPoint: a bifurcation, or another event on a branch, with the certificate of its location."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from bifurcate.bifurcations.codimension_one.border_normal_form import BorderCollision, classify_collision
from bifurcate.bifurcations.codimension_one.normal_forms import coefficients, neimark_sacker_coefficient
from bifurcate.bifurcations.codimension_one.unfolding import Unfolding, unfold
from bifurcate.bifurcations.codimension_two.normal_forms import two_parameter_coefficients
from bifurcate.bifurcations.kinds import KINDS, Kind, KindName, find_kind
from bifurcate.curves.compact_state import FactoredUnknowns, compact_unknowns
from bifurcate.curves.curve import Curve
from bifurcate.errors import MapFailed, NoSuchPoint
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.linalg.operators import Operator, lift_vectors
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.printing import notebook_html, number_text
from bifurcate.validation import check_instance

__all__ = ["NormalForm", "SpecialPoint", "first_of_kind", "normal_form", "points_of_kind"]

RESONANCE = re.compile(r"[1-9][0-9]*:[1-9][0-9]*")  # the label of a weak resonance


@dataclass(frozen=True)
class NormalForm:
    """The normal form at a special point.

    Attributes
    ----------
    coefficients : dict of str to float
        By name, as in :attr:`SpecialPoint.coefficients`.
    errors : dict of str to float
        Estimated absolute errors, by the same names.
    form : str
        What the coefficients say, as in :attr:`SpecialPoint.form`.
    """

    coefficients: dict[str, float]
    errors: dict[str, float]
    form: str

    def __str__(self) -> str:
        values = {name: number_text(value, self.errors[name]) for name, value in self.coefficients.items()}
        terms = [f"{name} = {text} ± {self.errors[name]:.0e}" for name, text in values.items()]
        return ", ".join([self.form, *terms])


def normal_form(point: SpecialPoint) -> NormalForm:
    """The normal form at a special point: coefficients, their errors, and what they say.

    Parameters
    ----------
    point : SpecialPoint
        From a branch, :func:`special_point`, or a point of a curve of special points.

    Returns
    -------
    NormalForm
        Without coefficients at multiple points, poles and borders.

    Raises
    ------
    InvalidInput
        If ``point`` is none.

    Examples
    --------
    >>> import bifurcate as bf
    >>> flip = bf.special_point(bf.maps.logistic(r=2.9), "flip", free="r", guess=[0.66])
    >>> bf.normal_form(flip).form, round(bf.normal_form(flip).coefficients["b"], 6)
    ('supercritical', 9.0)
    """
    check_instance("point", point, SpecialPoint, "branch.first(kind) and special_point(…) give one")
    errors = {name: error for name, error in point.errors.items() if name != "parameter"}
    return NormalForm(point.coefficients, errors, point.form)


@dataclass(frozen=True, eq=False, repr=False)
class SpecialPoint:
    """A special point on a branch.

    Attributes
    ----------
    kind : str
        "fold", "flip", "neimark-sacker", "branch point", "pole", "border" or "event"; on curves in two parameters
        "cusp", "generalised flip", "chenciner", "R1", "R2", "R3", "R4", "weak resonance", "fold-flip", "fold-ns",
        "flip-ns", "ns-ns", "fold-fold" or "flip-flip".
    curve : Curve
        Where it was found.
    unknowns : ndarray, shape (n + k,), or FactoredUnknowns
        State and free parameters; a large matrix state is kept as thin factors, where these reproduce it to rounding.
    period : int
        Of the cycle that bifurcates.
    multiplicity : int
        How many multipliers cross there together (pairs, for Neimark–Sacker).
    arclength : float
        Where on its branch.
    residual : float
        ‖f^k(x) − x‖_∞ at the state.
    iterations : int
        Steps of the extended system's Newton iteration.
    error : float
        Estimated absolute error of the free parameters.
    angle : float
        θ of the critical multiplier e^{iθ}, at a Neimark–Sacker point.
    note : str
        What else is to be said of it.
    widths : ndarray or None
        Widths of the parameters' bounds on the branch: the units in which curves that start here are begun.
    tangent : ndarray or None
        The branch's tangent, where the curves that start here depend on it.
    is_sure : bool
        False at a branch point where the curves touch, to the error of their curvature: ``error`` is wide then.
    together : tuple of str
        Kinds of bifurcations that other multipliers undergo at the same place. Beside a fold or branch point a flip and
        a Neimark–Sacker point have no coefficients.
    event : str
        The name of the user's :class:`Event` of which it is a point.
    title : str
        That name, with the value that was asked for.
    resonance : (int, int) or None
        (p, q) of a weak resonance, where θ = 2πp/q: ``label`` is "p:q" with these numbers, as "1:7".
    """

    kind: KindName
    curve: Curve
    unknowns: np.ndarray | FactoredUnknowns
    period: int
    multiplicity: int = 1
    arclength: float = 0.0
    residual: float = 0.0
    iterations: int = 0
    error: float = 0.0
    angle: float = 0.0
    note: str = ""
    widths: np.ndarray | None = None
    tangent: np.ndarray | None = None
    quadratic: np.ndarray | None = (
        None  # of the reduced equation of a simple branch point, on the kernel as it was found
    )
    is_sure: bool = True
    together: tuple[KindName, ...] = ()  # other kinds of bifurcations at the same place
    event: str = ""
    title: str = ""
    switching: tuple[int, float] | None = None  # at a border: which function changes sign, and its sign before
    null: np.ndarray | None = None  # the kernel as it was found, in the coordinates of the Jacobian's essence
    resonance: tuple[int, int] | None = None

    stored_beside_fields: ClassVar = (
        "_normal_form",
        "border",
        "spectrum",
        "_later_states",
    )  # it takes the map to compute them

    def __post_init__(self) -> None:
        if isinstance(self.unknowns, np.ndarray):
            object.__setattr__(self, "unknowns", compact_unknowns(self.unknowns, self.curve.iterate.shape))

    @property
    def u(self) -> np.ndarray:
        """State and free parameters, shape (n + k,)."""
        return self.unknowns if isinstance(self.unknowns, np.ndarray) else self.unknowns.dense()

    @cached_property
    def _later_states(self) -> list[np.ndarray]:
        return self.curve.iterate.later_states(self.u[: self.curve.size], self.parameters)

    def cycle_states(self) -> list[np.ndarray]:
        """All points of the cycle, as one of the curve's period, beginning with the state; k − 1 evaluations of f."""
        return [self.state, *self._later_states]

    def wrong_residual(self) -> str:
        """How f^k(x) − x at the state differs from what is stored; "" if it does not."""
        return self.iterate.excess_residual(self.u[: self.curve.size], self.parameters, self.residual)

    @property
    def kind_row(self) -> Kind:
        """The row of the table of kinds, with what holds for all points of this kind."""
        return KINDS[self.kind]

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the map there."""
        return self.curve.parameters(self.u)

    @property
    def state(self) -> np.ndarray:
        """The state, in the map's shape."""
        return self.curve.state(self.u)

    @property
    def iterate(self) -> IteratedMap:
        """f^period."""
        if not self.kind_row.is_of_cycles:
            return self.curve.iterate
        return IteratedMap(self.curve.iterate.map, self.curve.iterate.state_shape, self.period)

    @property
    def jacobian(self) -> Operator:
        """The Jacobian of f^period at the state."""
        return self.iterate.jacobian(self._orbit, self.parameters)

    @property
    def _orbit(self) -> list[np.ndarray]:
        """The state and its images under f, f^period being the last; those of multiple shooting where it was solved."""
        x, p, all_states = self.u[: self.curve.size], self.parameters, self.curve.iterate
        if all_states.shape == all_states.state_shape:
            return self.iterate.orbit(x, p)
        return all_states.iterate_orbit(all_states.orbit(x, p))[: self.period + 1]

    @cached_property
    def _normal_form(self) -> tuple[dict[str, float], dict[str, float]]:
        # Those of a flip, and of a Neimark–Sacker point, have (A − I)⁻¹ in them.
        is_undefined = self.kind in ("flip", "neimark-sacker") and {"fold", "branch point"} & set(self.together)
        row = self.kind_row
        if self.multiplicity != 1 or is_undefined or row.is_double or not (row.is_bifurcation and row.is_of_cycles):
            return {}, {}
        with np.errstate(all="ignore"):
            if self.kind_row.degree or self.resonance:
                x = self.state.reshape(-1)
                given = self.iterate, x, self.parameters, self.spectrum
                return two_parameter_coefficients(self.kind, *given, self.resonance)
            return coefficients(self.kind, self.iterate, self._orbit, self.parameters, self.angle)

    @cached_property
    def border(self) -> BorderCollision | None:
        """What becomes of a cycle that meets a border of the map; None at other points, and where that is not known.

        Computed when first asked for.
        """
        if self.switching is None or len(self.curve.free) != 1:
            return None
        (index, side), p, free = self.switching, self.parameters, self.curve.free[0]
        states = self._orbit[: self.period]
        try:
            with np.errstate(all="ignore"):
                return classify_collision(self.iterate, states, p, free, index, side)
        except (MapFailed, np.linalg.LinAlgError):
            return None

    @property
    def coefficients(self) -> dict[str, float]:
        """Normal-form coefficients: "a" of folds, "b" of flips, "d" of Neimark–Sacker, "a" and "c" of branch points.

        At points of codimension two those listed in ``special/two_parameters/normal_forms.py``; the others' conventions
        stand in ``special/normal_forms.py``. Computed when first asked for; empty at multiple points.
        """
        return self._normal_form[0]

    @property
    def errors(self) -> dict[str, float]:
        """Estimated absolute errors: of "parameter" (the free one) and of every coefficient, by its name."""
        return {"parameter": self.error, **self._normal_form[1]}

    @property
    def form(self) -> str:
        """What the coefficients say: "supercritical", "subcritical", "transcritical", "pitchfork" or "degenerate".

        A coefficient that is not larger than twice its error, or not defined, says nothing: "degenerate". Folds are
        "fold" or "degenerate"; points of codimension two "generic", if all of their coefficients are sure, or
        "degenerate"; borders have the form of a :class:`BorderCollision`; multiple points and poles no verdict, "".
        """
        if self.kind == "border":
            return "" if self.border is None else self.border.form
        values, errors = self._normal_form
        sure = {name: abs(value) > 2.0 * errors[name] for name, value in values.items()}
        if not values:
            has_one = self.multiplicity == 1 and self.kind_row.is_bifurcation and self.kind_row.is_of_cycles
            return "degenerate" if has_one else ""
        if self.resonance and "c" not in values:
            return ""
        if self.kind_row.codimension == 2:
            decided = values["s"] != 0.0 if "s" in values else all(sure.values())
            return "generic" if decided else "degenerate"
        if self.kind == "branch point":
            if not self.is_sure:
                return "degenerate"
            return "transcritical" if sure["a"] else "pitchfork" if sure["c"] else "degenerate"
        (name,) = values
        if not sure[name]:
            return "degenerate"
        if self.kind == "fold":
            return "fold"
        return "supercritical" if (values[name] > 0) == (self.kind == "flip") else "subcritical"

    @property
    def criticality(self) -> str:
        """ "supercritical" or "subcritical" of a flip, a Neimark–Sacker point or a pitchfork; "" of all others.

        Supercritical: what is born is stable where all other multipliers lie inside the unit circle.
        """
        if self.form == "pitchfork":
            return "supercritical" if self.coefficients["c"] < 0.0 else "subcritical"
        return self.form if self.form in ("supercritical", "subcritical") else ""

    @cached_property
    def complex_coefficient(self) -> tuple[complex, float] | None:
        """D of a Neimark–Sacker point's normal form w ↦ e^{iθ} w (1 + D |w|²), and its error; None elsewhere.

        Its real part is the coefficient "d"; its imaginary part says how rotation depends on amplitude.
        """
        if self.kind != "neimark-sacker" or not self.coefficients:
            return None
        with np.errstate(all="ignore"):
            return neimark_sacker_coefficient(self.iterate, self._orbit, self.parameters, self.angle)

    @cached_property
    def unfolding(self) -> Unfolding | None:
        """How fast the critical multiplier moves with the parameter, and how large what is born grows; with errors.

        None at multiple points, at other kinds than fold, flip and Neimark–Sacker, and on curves in two parameters.
        """
        if self.kind not in ("fold", "flip", "neimark-sacker") or not self.coefficients or len(self.curve.free) != 1:
            return None
        if self.kind == "neimark-sacker":
            cubic = self.complex_coefficient
        else:
            (name,) = self.coefficients
            cubic = complex(self.coefficients[name]), self.errors[name]
        if cubic is None:
            return None
        with np.errstate(all="ignore"):
            given = self.iterate, self._orbit, self.parameters, self.curve.free[0], self.angle, cubic
            return unfold(self.kind, *given)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The multipliers with their multiplicities; computed when first asked for."""
        all_states = self.curve.iterate
        if all_states.shape != all_states.state_shape and self.period == self.curve.period:
            x, p = self.u[: self.curve.size], self.parameters
            return spectrum(all_states.jacobian([x, x], p))
        return spectrum(self.jacobian)

    @property
    def kernel(self) -> np.ndarray:
        """Critical directions as columns: (n, m); at a branch point of state and parameter, (n + 1, m + 1)."""
        found, size, n = self.full_kernel, self.curve.size, self.iterate.size
        if n == size or not found.size:
            return found
        return np.vstack([found[:n], found[size:]])

    @property
    def full_kernel(self) -> np.ndarray:
        """The critical directions of all that is unknown: in multiple shooting of all states of the cycle."""
        if self.null is None:
            return np.zeros((self.curve.size, 0))
        J = self.jacobian if len(self.null) < self.curve.size else None
        return lift_vectors(J, self.null) if J is not None else self.null

    @property
    def tangents(self) -> np.ndarray:
        """Unit tangents (x, p) of the two curves that cross at a simple branch point, as columns; (n + 1, 0) elsewhere.

        They are the roots of the reduced equation's quadratic form (the algebraic branching equation; Kuznetsov,
        Elements of Applied Bifurcation Theory, 2004, section 10.3). At a pitchfork one of them leaves the parameter
        alone.
        """
        if self.quadratic is None or self.null is None or self.null.shape[1] != 2:
            return np.zeros((len(self.u), 0))
        (a, b), (_, c) = self.quadratic
        root = np.sqrt(max(b * b - a * c, 0.0))
        far = b + np.copysign(root, b) or 1.0
        ways = self.null @ np.array([[-far, c], [a, -far]])
        return np.asarray(ways / np.linalg.norm(ways, axis=0))

    @property
    def label(self) -> str:
        """The literature's abbreviation, as LP, PD, NS, BP, CP, GPD, CH, R1 to R4, 1:7, LPPD; the title of an event."""
        if self.resonance:
            return f"{self.resonance[0]}:{self.resonance[1]}"
        return self.title or self.kind_row.label

    @property
    def multipliers(self) -> np.ndarray:
        """The multipliers, by falling modulus."""
        return self.spectrum.values

    def __str__(self) -> str:
        times = f" ×{self.multiplicity}" if self.multiplicity > 1 else ""
        others = f" (with {', '.join(KINDS[kind].label for kind in self.together)})" if self.together else ""
        where = self.curve.where(self.u, self.error)
        return f"{self.label}{times}{others} at {where} ± {self.error:.0e}, period {self.period}"

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        return f"SpecialPoint({self})"


def points_of_kind(points: Iterable[SpecialPoint], kind: str, events: Collection[str] = ()) -> tuple[SpecialPoint, ...]:
    """Those of a kind ("flip"), label ("PD", "1:7") or event, in order; an unknown name is refused.

    Parameters
    ----------
    points : iterable of SpecialPoint
    kind : str
    events : collection of str
        Names of the events that were looked for, whether or not there is one.
    """
    points = tuple(points)
    named = tuple(point for point in points if point.event and kind in (point.event, point.title))
    if named or (isinstance(kind, str) and kind in events):
        return named
    if isinstance(kind, str) and RESONANCE.fullmatch(kind):
        return tuple(point for point in points if point.resonance and point.label == kind)
    name = find_kind(kind).name
    return tuple(point for point in points if point.kind == name)


def first_of_kind(points: Iterable[SpecialPoint], kind: str, place: str, events: Collection[str] = ()) -> SpecialPoint:
    """The first one of a kind, label or event.

    Parameters
    ----------
    points : iterable of SpecialPoint
    kind, events
        As for :func:`points_of_kind`.
    place : str
        Where the points lie, for the message, as "on this branch of 20 points".

    Raises
    ------
    NoSuchPoint
        If there is none; the message lists the labels of the others.
    """
    points = tuple(points)
    found = points_of_kind(points, kind, events)
    if not found:
        others = ", ".join(dict.fromkeys(point.label for point in points)) or "none"
        raise NoSuchPoint(f"no {kind} {place} (special points: {others})")
    return found[0]
