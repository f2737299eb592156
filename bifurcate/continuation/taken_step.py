"""TakenStep: a step of the stepper that was accepted, before it is told."""

from __future__ import annotations

from typing import NamedTuple

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.errors import Stop

__all__ = ["TakenStep"]


class TakenStep(NamedTuple):
    """A step that was accepted: its point, the reason to stop there, its length, and the events in it."""

    point: CurvePoint
    stop: Stop | None
    length: float
    events: StepEvents
