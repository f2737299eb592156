"""The page on theorems runs as it stands."""

import pathlib
import re

import pytest

import bifurcate as bf

PAGE = pathlib.Path(bf.__file__).parents[1] / "docs" / "proofs.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_examples_run_as_they_stand(number):
    exec(compile(BLOCKS[number], f"{PAGE.name} block {number}", "exec"), {})


def test_the_kinds_of_rounding_that_the_page_names_exist():
    import bifurcate.proofs.balls as balls

    for name in ("magnitude", "upper_bound", "lower_bound", "mignitude", "nearest"):
        assert callable(getattr(balls, name))
