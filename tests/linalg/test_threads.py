"""Small dense matrices are worked on in one thread of BLAS, and whoever asked has his own number of them afterwards."""

import threading

import numpy as np
import pytest
import threadpoolctl

import bifurcate as bf
from bifurcate.linalg.threads import one_thread

SMALL, LARGE = 100, 1000


LIBRARIES = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers


def counts():
    return {library.num_threads for library in LIBRARIES}


@pytest.fixture(autouse=True)
def two_threads():
    before = [library.num_threads for library in LIBRARIES]
    for library in LIBRARIES:
        library.set_num_threads(2)
    getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda: None)()
    yield
    for library, number in zip(LIBRARIES, before, strict=True):
        library.set_num_threads(number)
    getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda: None)()


def tanh_network(n, seen):
    W = np.random.default_rng(1).standard_normal((n, n)) / np.sqrt(n)

    def f(x, g):
        seen.append(counts())
        return g * np.tanh(W @ x) + 0.1

    def jacobian(x, g):
        return g * (1.0 - np.tanh(W @ x) ** 2)[:, None] * W

    return bf.Map(f, {"g": 0.2}, jacobian=jacobian, parameter_derivative=lambda x, name, g: np.tanh(W @ x))


def test_the_number_of_threads_is_one_within_and_what_it_was_before():
    assert counts() == {2}
    with one_thread(SMALL):
        assert counts() == {1}
        with one_thread(SMALL):
            assert counts() == {1}
        assert counts() == {1}
    assert counts() == {2}


@pytest.mark.parametrize("n", [2, LARGE])
def test_matrices_that_gain_from_threads_or_never_divide_are_left_alone(n):
    with one_thread(n):
        assert counts() == {2}


def test_an_exception_sets_the_number_back():
    with pytest.raises(ZeroDivisionError), one_thread(SMALL):
        raise ZeroDivisionError
    assert counts() == {2}


def test_blocks_that_overlap_in_several_threads_leave_nothing_changed():
    begun, seen = threading.Barrier(8), []

    def work(number):
        for i in range(50):
            begun.wait(10.0)
            with one_thread(SMALL):
                seen.append((number, i, counts()))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(seen) == 400 and any(found == {1} for _, _, found in seen)
    assert counts() == {2}


def test_a_block_that_outlasts_the_one_that_set_the_number_leaves_nothing_changed():
    begun, ended = threading.Event(), threading.Event()

    def work():
        with one_thread(SMALL):
            begun.set()
            ended.wait(10.0)

    worker = threading.Thread(target=work)
    with one_thread(SMALL):
        worker.start()
        begun.wait(10.0)
    ended.set()
    worker.join()
    assert counts() == {2}


def test_a_continuation_runs_in_one_thread_step_by_step():
    seen = []
    walk = bf.steps(bf.cycles(tanh_network(SMALL, seen), "g", np.zeros(SMALL)), {"g": (0.2, 0.4)})
    next(walk)
    for _ in range(3):
        seen.clear()
        next(walk)
        assert seen and set().union(*seen) == {1}
        assert counts() == {2}
    walk.close()
    assert counts() == {2}
