"""One step of many states: in one call where f takes a batch, checked; in one call each where it does not."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.maps.accelerated_batches import MapOnRows
from bifurcate.maps.batch_calls import DoesNotBroadcast, images_at_once, images_one_by_one
from bifurcate.maps.batches import BatchRows

STATES = np.linspace(0.1, 0.9, 12).reshape(4, 3)
P = {"r": np.array([1.0, 2.0, 3.0, 4.0]), "c": 0.5}


def entries(x, r, c):
    return r * x * (1 - x) + c


def known():
    return P["r"][:, None] * STATES * (1 - STATES) + 0.5


@pytest.mark.parametrize("layout", ["trailing", "leading"])
def test_a_batch_and_single_calls_give_the_closed_form(layout):
    assert np.array_equal(images_at_once(entries, STATES, P, layout, compared=range(4)), known())
    assert np.array_equal(images_one_by_one(entries, STATES, P), known())


@pytest.mark.parametrize(
    "f",
    [
        lambda x, r, c: r * x + x.max(),  # mixes up the rows
        lambda x, r, c: (r * x)[0],  # another shape
        lambda x, r, c: r * x + 1j,
        lambda x, r, c: r * x if np.ndim(r) else [][0],  # fails for a state by itself
    ],
)
def test_what_single_calls_do_not_yield_is_refused(f):
    with pytest.raises(DoesNotBroadcast):
        images_at_once(f, STATES, P, "trailing", compared=(2,))


def test_only_the_rows_named_are_compared():
    def wrong_in_the_last_row(x, r, c):
        y = entries(x, r, c)
        if np.ndim(r):
            y[:, -1] += 1.0
        return y

    found = images_at_once(wrong_in_the_last_row, STATES, P, "trailing", compared=(0, 1, 2))
    assert np.array_equal(found[:3], known()[:3])
    with pytest.raises(DoesNotBroadcast):
        images_at_once(wrong_in_the_last_row, STATES, P, "trailing", compared=(3,))


def test_a_state_that_fails_is_nan_in_the_words_of_f():
    def f(x, r, c):
        if r == 2.0:
            raise ArithmeticError("no such state")
        return entries(x, r, c)

    words = {}
    found = images_one_by_one(f, STATES, P, failures=words)
    assert np.isnan(found[1]).all() and np.array_equal(found[[0, 2, 3]], known()[[0, 2, 3]])
    assert list(words) == [1] and "ArithmeticError: no such state" in words[1]


def test_work_begins_again_one_by_one_where_a_batch_turns_out_wrong():
    """f passes the trial on small states and mixes up the rows of larger ones: what was done is done again."""

    def f(x, r):
        return r * x if np.abs(x).max() < 1.0 else r * x + (x - x.mean())

    map, rows = bf.Map(f, {"r": 3.0}), BatchRows(np.array([[0.1], [0.2]]), {"r": 3.0})
    several = MapOnRows(map, rows)

    def thrice(step):
        x = rows.states
        for _ in range(3):
            x = step.images(x, rows.parameters)
        return x

    assert several.step.layout == "trailing" and several.step.by == "differences"
    assert np.allclose(several.run(thrice), 27.0 * rows.states)
    assert several.step.by == "one by one"  # for good
