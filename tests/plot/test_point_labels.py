"""Labels beside points: none overlaps another, however many there are; those of one place are joined."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from bifurcate.plot.point_labels import add_point_labels


def boxes(ax):
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    shown = [text for text in ax.texts if text.get_visible()]
    return shown, [Text.get_window_extent(text, canvas.get_renderer()) for text in shown]


def test_twenty_labels_on_one_line_do_not_overlap():
    ax = Figure(figsize=(4.0, 3.0), layout="constrained").add_subplot()
    ax.plot([0.0, 1.0], [0.0, 1.0])
    points = [(0.3 + 0.018 * i, 0.3 + 0.018 * i, f"LPPD{i}") for i in range(20)]
    add_point_labels(ax, points)
    shown, found = boxes(ax)
    assert len(shown) == 20
    assert not [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])]
    assert all(ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 for box in found)


def test_labels_of_one_place_are_joined():
    ax = Figure().add_subplot()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    add_point_labels(ax, [(0.5, 0.5, "GPD"), (0.5, 0.5 + 1e-6, "GPD"), (0.5, 0.5, "R2"), (0.9, 0.1, "CP")])
    shown, _ = boxes(ax)
    assert [text.get_text() for text in shown] == ["2 GPD, R2", "CP"]


def test_a_label_leaves_a_line_free():
    ax = Figure(figsize=(4.0, 3.0)).add_subplot()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.plot([0.0, 1.0], [0.0, 1.0])
    add_point_labels(ax, [(0.5, 0.5, "PD")])
    _, (box,) = boxes(ax)
    (x0, y0), (x1, y1) = ax.transData.inverted().transform([(box.x0, box.y0), (box.x1, box.y1)])
    assert y0 > x1 or y1 < x0  # above the line, or below
