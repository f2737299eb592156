"""Checks of arguments: what is allowed passes as a plain number or array, all else is refused by name."""

import numpy as np
import pytest

from bifurcate import validation
from bifurcate.errors import InvalidInput


def test_numpy_numbers_become_plain_ones():
    assert type(validation.check_count("n", np.int64(3))) is int
    assert type(validation.check_number("a", np.float32(0.5))) is float
    assert type(validation.check_flag("clip", np.True_)) is bool


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: validation.check_count("n", True), "n is True; it must be a whole number of at least 1"),
        (lambda: validation.check_count("n", np.True_), "a whole number of at least 1"),
        (lambda: validation.check_count("n", 2.0), r"n is 2\.0"),
        (lambda: validation.check_count("n", 0), "n is 0"),
        (lambda: validation.check_count("n", 4, 0, 3), "from 0 to 3"),
        (lambda: validation.check_seed(-1), "seed is -1; it must be a whole number of at least 0"),
        (lambda: validation.check_positive("power", 0), "power is 0; it must be a positive, finite number"),
        (lambda: validation.check_positive("power", True), "power is True"),
        (lambda: validation.check_positive("power", "2"), "power is '2'"),
        (lambda: validation.check_number("a", np.nan), "a is nan; it must be a finite real number$"),
        (lambda: validation.check_number("a", 1j), "a finite real number$"),
        (lambda: validation.check_number("a", -1, 0.0), "a finite real number of at least 0$"),
        (lambda: validation.check_number("a", 1, high=0.0), "a finite real number of at most 0$"),
        (lambda: validation.check_number("a", 3, 0.0, 2.0), r"a finite real number in \[0, 2\]"),
        (lambda: validation.check_flag("clip", 1), "clip is 1; it must be True or False"),
        (lambda: validation.check_choice("layout", "both", ("trailing", "leading")), "allowed are trailing, leading"),
        (lambda: validation.check_array("x", ["a"]), "x is .* must be made of real numbers"),
        (lambda: validation.check_array("x", [1.0, np.inf]), "x has entries that are NaN, infinite or complex"),
        (lambda: validation.check_array("x", [1j]), "NaN, infinite or complex"),
        (lambda: validation.check_array("x", [1.0], (None, 2)), r"x has shape \(1,\); it must be \(any, 2\)"),
    ],
)
def test_what_is_not_allowed_is_named(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()


def test_arrays_are_copied():
    given = np.ones(2)
    validation.check_array("x", given, (2,))[0] = 5.0
    assert given[0] == 1.0
