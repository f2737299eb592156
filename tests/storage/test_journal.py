"""A journal cut off anywhere, as a killed process leaves it, leads to the same result to the bit."""

import os
import signal

import numpy as np
import pytest
from kill_and_resume import POOL, tally, tally_program
from long_calls import CALLS, without_journal
from same import difference

import bifurcate as bf
from bifurcate.errors import InvalidInput, Stop
from bifurcate.storage.journal import Journal, Section


@pytest.mark.parametrize("name", CALLS)
def test_a_journal_changes_nothing_and_a_finished_one_is_read(name, tmp_path):
    plain = CALLS[name]()
    assert difference(plain, CALLS[name](tmp_path / "journal")) is None
    size = (tmp_path / "journal").stat().st_size
    assert difference(plain, CALLS[name](tmp_path / "journal")) is None
    assert (tmp_path / "journal").stat().st_size == size  # nothing was computed again


@pytest.mark.parametrize("name", CALLS)
def test_a_journal_that_was_cut_off_anywhere_is_gone_on_with(name, tmp_path):
    path = tmp_path / "journal"
    whole = CALLS[name](path)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for cut in rng.integers(0, len(content), 5).tolist():
        path.write_bytes(content[:cut])
        assert difference(whole, CALLS[name](path)) is None


def test_what_was_noted_is_not_computed_again(tmp_path):
    calls = []

    def f(x, r):
        calls.append(1)
        return r * x * (1 - x)

    def follow(path):
        calls.clear()
        bf.trace(bf.cycles(bf.Map(f, {"r": 2.5}), "r", [0.6]), {"r": (0.5, 3.5)}, journal=path)
        return len(calls)

    path = tmp_path / "journal"
    first = follow(path)
    content = path.read_bytes()
    assert follow(path) < first / 10
    path.write_bytes(content[: len(content) * 9 // 10])
    assert follow(path) < first / 4


def test_a_call_with_other_arguments_is_refused(tmp_path):
    path = tmp_path / "journal"
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    bf.trace(curve, {"r": (2.0, 3.2)}, journal=path)
    with pytest.raises(InvalidInput, match="belongs to another call, with another bounds: name another file"):
        bf.trace(curve, {"r": (2.0, 3.3)}, journal=path)
    with pytest.raises(InvalidInput, match="with another curve"):
        bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.61]), {"r": (2.0, 3.2)}, journal=path)


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("dear reader")
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    with pytest.raises(InvalidInput, match="is no journal of bifurcate; nothing was changed"):
        bf.trace(curve, {"r": (2.0, 3.2)}, journal=path)
    assert path.read_text() == "dear reader"
    with pytest.raises(InvalidInput, match="there is no folder"):
        bf.trace(curve, {"r": (2.0, 3.2)}, journal=tmp_path / "none" / "journal")


def test_a_journal_belongs_to_one_call_at_a_time(tmp_path):
    first = Journal(tmp_path / "journal", {"a": 1})
    with pytest.raises(InvalidInput, match="is in use by another process"):
        Journal(tmp_path / "journal", {"a": 1})
    first.close()
    Journal(tmp_path / "journal", {"a": 1}).close()


def test_a_changed_record_is_told(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(path, {})
    for key in "abc":
        journal.write(key, np.arange(100.0))
    at = journal._places["b"][0]
    journal.close()
    content = bytearray(path.read_bytes())
    content[at + 200] ^= 1
    path.write_bytes(content)
    journal = Journal(path, {})
    assert journal.read("a").tolist() == journal.read("c").tolist() and journal.read("none") is None
    with pytest.raises(InvalidInput, match="is damaged at 'b': delete it"):
        journal.read("b")
    journal.close()


def test_what_is_replaced_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("bifurcate.storage.journal.WASTE", 10**5)
    journal = Journal(tmp_path / "journal", {})
    journal.write("first", "stays")
    for i in range(100):
        journal.write("state", np.full(1000, float(i)))
    assert (tmp_path / "journal").stat().st_size < 3e5
    journal.close()
    journal = Journal(tmp_path / "journal", {})
    assert journal.read("state")[0] == 99.0 and journal.read("first") == "stays"
    journal.close()


def test_computations_are_remembered_with_their_errors(tmp_path):
    def fail():
        raise InvalidInput("no")

    for again in (False, True):
        journal = Journal(tmp_path / "journal", {})
        notes = Section(journal)
        assert notes.remember("sum", (lambda: 1 / 0) if again else lambda: (1, 2.0)) == (1, 2.0)
        with pytest.raises(InvalidInput, match=r"^no$"):
            notes.remember("failure", (lambda: 1 / 0) if again else fail)
        journal.close()


# Interrupts


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_an_interrupted_call_returns_what_it_has_and_goes_on(name, share, tmp_path, monkeypatch):
    written, write = [], Journal.write

    def counting(journal, key, value):
        written.append(key)
        if len(written) == limit:
            os.kill(os.getpid(), signal.SIGINT)
        write(journal, key, value)

    limit = 0
    monkeypatch.setattr(Journal, "write", counting)
    whole = CALLS[name](tmp_path / "first")
    limit = max(2, int(share * len(written)))  # the first record is the call's own
    written.clear()
    found = CALLS[name](tmp_path / "second")
    limit = 0
    assert found.interrupted if hasattr(found, "interrupted") else Stop("interrupted") in found.stop
    assert difference(whole, CALLS[name](tmp_path / "second")) is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("name", "is_marked"), list(without_journal()))
def test_an_interrupted_iteration_or_search_is_marked(name, is_marked):
    assert is_marked()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupted_audit_keeps_the_diagram():
    reports = []

    def report(progress):
        reports.append(progress)

    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    whole = bf.explore(curve, {"r": (0.5, 3.5)}, depth=2, progress=report)
    calls = []

    def f(x, r):
        calls.append(1)
        if len(calls) == limit:
            raise KeyboardInterrupt
        return r * x * (1 - x)

    limit = 0
    curve = bf.cycles(bf.Map(f, {"r": 2.5}), "r", [0.6])
    bf.explore(curve, {"r": (0.5, 3.5)}, depth=2)
    limit = len(calls) + 200
    calls.clear()
    found = bf.explore(curve, {"r": (0.5, 3.5)}, depth=2, audit=True)
    assert found.interrupted and found.audit.interrupted and not found.audit.clean
    assert len(found.branches) == len(whole.branches) and "audit, interrupted by the user" in str(found)


def test_a_second_interrupt_is_raised_at_once():
    from bifurcate.interrupts import interruptible, protected

    with pytest.raises(KeyboardInterrupt), protected():
        os.kill(os.getpid(), signal.SIGINT)  # waits
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second one was not raised")
    with protected():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interruptible(len, "abc")
        assert interruptible(len, "abc") == 3


def test_handlers_of_the_user_are_left_alone():
    from bifurcate.interrupts import protected

    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        with protected():
            os.kill(os.getpid(), signal.SIGINT)
        assert seen == [1]
    finally:
        signal.signal(signal.SIGINT, before)


# Kills


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("name", CALLS)
def test_a_process_that_is_ended_at_any_moment_goes_on_to_the_bit(name, kind, tmp_path):
    tally(name, 2, 0, kind, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_is_ended_at_any_moment_goes_on_to_the_bit(kind, tmp_path):
    tally_program(POOL, [], 1, 0, kind, tmp_path, 3.0)
