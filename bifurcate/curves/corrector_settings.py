"""Corrector: how Newton's method brings a prediction onto a curve, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bifurcate.validation import check_choice, check_count, check_positive

__all__ = ["TO_ROUNDING", "Corrector"]


@dataclass(frozen=True)
class Corrector:
    """Newton's method on the bordered system of a curve.

    Attributes
    ----------
    tolerance : float
        A point is accepted when the residual's maximum norm is ≤ tolerance · max(scale, ‖x‖_∞), or, where rounding
        keeps it above that (large multipliers amplify it), when the last step's length in the metric was ≤ 10⁻¹³.
    max_iterations : int
        Newton steps after which the prediction counts as failed.
    until : {"tolerance", "stagnation"}
        "stagnation": go on until the residual no longer falls by half, and accept it if it is
        ≤ 10⁻¹⁰ · max(scale, ‖x‖_∞), whatever the tolerance: as exact as rounding allows.

    Raises
    ------
    InvalidInput
        If a value is unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.cycles(bf.maps.logistic(), free="r", guess=[0.6])
    >>> rough = bf.trace(curve, {"r": (2.0, 2.9)}, corrector=bf.Corrector(tolerance=1e-6))
    >>> bool(max(point.residual for point in rough.points) <= 1e-6)
    True
    """

    tolerance: float = 1e-11
    max_iterations: int = 8
    until: Literal["tolerance", "stagnation"] = "tolerance"

    def __post_init__(self) -> None:
        check_positive("tolerance", self.tolerance)
        check_count("max_iterations", self.max_iterations)
        check_choice("until", self.until, ("tolerance", "stagnation"))


TO_ROUNDING = Corrector(tolerance=1e-14, until="stagnation")  # for points whose place is compared or reported
