"""
Study: Arnold tongues
=====================

The quick form of ``python -m studies tongues``; its figure is drawn here again.
"""

import tempfile
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.image import imread

from studies import tongues

with tempfile.TemporaryDirectory() as folder:
    study = tongues.run(Path(folder), quick=True)
    pixels = imread(study.files.png)

figure = Figure(figsize=(6.4, 6.4 * pixels.shape[0] / pixels.shape[1]))
ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
ax.imshow(pixels)
ax.set_axis_off()
