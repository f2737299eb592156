"""Maps with known diagrams, and what the tests ask of a diagram."""

import bifurcate as bf


def bubble(e=0.1):
    """Flips at p = ±√e; the doubled cycle x² = e − p² joins them."""
    return bf.Map(lambda x, p: -(1.0 + e - p * p) * x + x**3, {"p": -0.6})


def pitchfork():
    return bf.Map(lambda x, p: x + 0.3 * (p * x - x**3), {"p": -0.5})


def values_at(diagram, kind, name):
    return sorted(round(float(point.parameters[name]), 9) for point in diagram.of(kind))


def edges(diagram):
    """Edges as (label of one end, label of the other, period, stable)."""
    nodes = diagram.graph.nodes
    return sorted(
        (*sorted((nodes[a]["label"], nodes[b]["label"])), data["period"], data["stable"])
        for a, b, data in diagram.graph.edges(data=True)
        if data["kind"] == "cycle"
    )
