"""Map: a function with named parameters and its derivatives; and a catalogue of textbook maps."""

from bifurcate.maps.catalogue import (
    delayed_logistic,
    generalised_henon,
    henon,
    ikeda,
    logistic,
    logistic_ring,
    lozi,
    predator_prey,
    ricker,
    standard,
)
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.rule import Rule

__all__ = [
    "IteratedMap",
    "Map",
    "Rule",
    "delayed_logistic",
    "generalised_henon",
    "henon",
    "ikeda",
    "logistic",
    "logistic_ring",
    "lozi",
    "predator_prey",
    "ricker",
    "standard",
]
