"""A result in a file is the same to the bit, goes on as if the process had never ended, and a bad file says so."""

import dataclasses
import json
import os
import platform
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from examples_of_results import GROUPS, examples, quadratic
from same import difference

import bifurcate as bf
from bifurcate.curves.compact_state import FactoredUnknowns
from bifurcate.errors import InvalidInput
from bifurcate.storage.atomic import written_atomically


def through_file(value, folder, map=None):
    bf.save(value, folder / "result.npz")
    return bf.load(folder / "result.npz", map)


@pytest.mark.parametrize("group", GROUPS)
def test_every_public_type_lasts_in_a_file(group, tmp_path):
    # Beside test_every_public_type_has_an_example: a type that cannot be saved fails here.
    again = through_file(examples(group), tmp_path)
    assert difference(examples(group), again) is None
    for value in examples(group):
        assert difference(value, through_file(value, tmp_path)) is None


def test_a_file_is_read_by_numpy_alone(tmp_path):
    branch = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (0.0, 0.3)})
    bf.save(branch, tmp_path / "branch.npz")
    with np.load(tmp_path / "branch.npz", allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        kinds = {file[name].dtype.kind for name in file.files}
    assert header["format"] == "bifurcate result" and header["version"] == 1 and header["written by"] == bf.__version__
    assert kinds <= set("biufc")


def test_equal_results_are_equal_files(tmp_path):
    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    for name in "ab":
        bf.save(branch, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_object_that_is_there_twice_is_one_object_again(tmp_path):
    diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.5)}, depth=2)
    again = through_file(diagram, tmp_path)
    assert again.graph.nodes[0]["point"] is again.special[0]
    assert again.branches[0].points[0].curve is again.branches[0].points[-1].curve
    assert again.branches_at(again.first("flip")) == tuple(again.branches[i] for i in again._branches_at(0))


# Without the map


def local_map():
    return bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5}, name="local")


def test_without_its_map_a_result_is_tabulated_and_drawn(tmp_path):
    branch = bf.trace(bf.cycles(local_map(), "r", [0.6]), {"r": (2.0, 3.5)})
    again = through_file(branch, tmp_path)
    assert str(again) == str(branch) and again.multipliers.tobytes() == branch.multipliers.tobytes()
    flip = again.first("flip")
    assert flip.form == "supercritical" and abs(flip.coefficients["b"] - 9.0) < 1e-6
    assert np.array_equal(flip.multipliers, branch.first("flip").multipliers)
    assert bf.plot.diagram([again], "r").lines
    for work in (
        lambda: bf.switch(flip),
        lambda: bf.trace(again.curve, {"r": (2.0, 3.0)}),
        lambda: again.curve.iterate.map([0.5]),
    ):
        with pytest.raises(InvalidInput, match=r"was loaded without its map, .* bf.load\(path, map=...\)"):
            work()


def test_with_its_map_a_result_goes_on_to_the_bit(tmp_path):
    branch = bf.trace(bf.cycles(local_map(), "r", [0.6]), {"r": (2.0, 3.5)})
    again = through_file(branch, tmp_path, local_map())
    doubled = [bf.trace(bf.switch(each.first("flip")), {"r": (2.9, 3.5)}) for each in (branch, again)]
    assert difference(*doubled) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (bf.maps.henon(), "map has the parameters a, b, but the result is of a map with r"),
        (bf.Map(lambda x, r: r * x * (1 - x) + 1e-7, {"r": 2.5}), "not the one .* at r = 2 it leaves 1.0e-07"),
        (bf.Map(quadratic, {"r": 2.5}, scale=2.0), r"map has scale 2.0, but the result is of a map with 1.0"),
        (bf.Map(quadratic, {"r": 2.5}, jvp=lambda x, v, r: r * (1 - 2 * x) * v), "map has jvp given, but .* with None"),
        (3, "map must be a Map, got int"),
    ],
)
def test_another_map_is_refused(other, words, tmp_path):
    branch = bf.trace(bf.cycles(local_map(), "r", [0.6]), {"r": (2.0, 3.5)})
    bf.save(branch, tmp_path / "branch.npz")
    with pytest.raises(InvalidInput, match=words):
        bf.load(tmp_path / "branch.npz", map=other)


# In a new process

GO_ON = """
import sys, bifurcate as bf
def go_on(found):
    branch, net = found
    flips = bf.trace(bf.locus(branch.first("flip"), "b"), {"a": (0.0, 1.0), "b": (0.0, 0.9)})
    doubled = bf.trace(bf.switch(branch.first("flip")), {"a": (0.2, 1.0)})
    diagram = bf.explore(branch.curve, {"a": (0.0, 0.95)}, depth=2)
    on_weights = bf.trace(bf.switch(net.first("flip")), {"alpha": (0.0, 2.0)})
    return [flips, doubled, diagram, on_weights]
"""


def test_a_new_process_goes_on_to_the_bit(tmp_path):
    net = bf.adaptation.ring(8, (0.8, 0.0), (0.8, 1.5), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    branches = [
        bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (0.0, 1.0)}),
        bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), {"alpha": (0.0, 2.0)}),
    ]
    bf.save(branches, tmp_path / "first.npz")
    there = GO_ON + "bf.save(go_on(bf.load(sys.argv[1])), sys.argv[2])"
    files = [str(tmp_path / name) for name in ("first.npz", "there.npz")]
    subprocess.run([sys.executable, "-c", there, *files], check=True)
    scope = {}
    exec(GO_ON, scope)
    assert difference(scope["go_on"](branches), bf.load(files[1])) is None


def test_the_weights_of_a_large_network_take_little_room(tmp_path):
    # 50 points of 360,000 weights are 144 MB as arrays.
    net = bf.adaptation.ring(600, (0.8, 0.0), (0.8, 1.5), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    control = bf.StepControl(max_steps=50, largest=2e-4, first=2e-4)
    curve = bf.cycles(net.update, "alpha", net.equilibrium()).replace(sides=(1,))
    branch = bf.trace(curve, {"alpha": (0.0, 2.0)}, control=control)
    assert len(branch) == 51 and all(isinstance(point.kept, bf.LowRank) for point in branch.points)
    again = through_file(branch, tmp_path)
    assert (tmp_path / "result.npz").stat().st_size < 12e6
    assert difference(branch, again) is None


def test_special_points_of_a_large_network_are_kept_as_factors_and_go_on_to_the_bit(tmp_path):
    net = bf.adaptation.ring(120, (0.8, 0.0), (0.8, 1.05), alpha=0.34, beta=-0.1, sigma=1 / 6, b=0.05)
    branch = bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), {"alpha": (0.34, 0.35)})
    first = branch.first("flip")
    assert isinstance(first.unknowns, FactoredUnknowns) and first.unknowns.matrix.rank <= 5
    assert first.u.shape == (120**2 + 1,) and first.residual < 1e-12 and not first.wrong_residual()
    again = through_file(branch, tmp_path)
    # One dense state, the start of the curve, though two curves hold it; 14,400 numbers for every other one would be
    # three times as much.
    dense = 8 * 120**2
    assert len(branch) + len(branch.special) > 15
    assert (tmp_path / "result.npz").stat().st_size < 0.3 * dense * (len(branch) + len(branch.special))
    for go_on in (lambda b: bf.extend(b, {"alpha": (0.34, 0.352)}), lambda b: bf.switch(b.first("flip"))):
        assert difference(go_on(branch), go_on(again)) is None


KILLED_WHILE_WRITING = """
import os, signal, sys
from bifurcate.storage.atomic import written_atomically
with written_atomically(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_was_writing_goes_with_the_next_file(tmp_path):
    target = tmp_path / "result.npz"
    subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(target)], check=False)
    assert [each.suffix for each in tmp_path.iterdir()] == [".part"]
    mine = tmp_path / f".result.npz.{os.getpid()}@{platform.node()}.x.part"  # of a process that is writing
    mine.write_bytes(b"half")
    with written_atomically(target) as file:
        file.write(b"whole")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([mine.name, target.name])
    assert target.read_bytes() == b"whole"


# Bad files


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.npz"
    bf.save(bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.4, 3.1)}), path)
    return path


def rewritten(path, change):
    """The file with its header changed, as somebody with an editor and NumPy would do it."""
    with np.load(path) as file:
        entries = dict(file)
    header = json.loads(entries["header"].tobytes())
    entries["header"] = np.frombuffer(json.dumps(change(header)).encode(), dtype=np.uint8)
    np.savez(path, **entries)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no result of bifurcate"),
        (b"r,x\n1,2\n", "is no result of bifurcate"),
        (b"\x80\x04\x95\x00", "is no result of bifurcate"),
        (None, "cannot be read: No such file"),
    ],
)
def test_foreign_files_are_refused(content, words, tmp_path):
    if content is not None:
        (tmp_path / "it.npz").write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        bf.load(tmp_path / "it.npz")


def test_other_archives_are_refused(tmp_path):
    np.savez(tmp_path / "it.npz", x=np.ones(3))
    with pytest.raises(InvalidInput, match="is no result of bifurcate"):
        bf.load(tmp_path / "it.npz")
    with zipfile.ZipFile(tmp_path / "it.zip", "w") as archive:
        archive.writestr("letter.txt", "dear reader")
    with pytest.raises(InvalidInput, match="is no result of bifurcate"):
        bf.load(tmp_path / "it.zip")


def test_files_of_a_later_version_are_refused(small):
    rewritten(small, lambda header: {**header, "version": 99, "written by": "9.9"})
    with pytest.raises(InvalidInput, match=r"by bifurcate 9.9, in version 99 .* up to version 1: install a later"):
        bf.load(small)


def test_files_that_were_edited_are_refused(small):
    rewritten(small, lambda header: {**header, "result": {"$float": "nan"}})
    with pytest.raises(InvalidInput, match="was changed after it was written"):
        bf.load(small)


def mutated(content, rng):
    """The content with bytes changed, cut out, put in, or cut off."""
    at, kind = int(rng.integers(len(content))), int(rng.integers(4))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([content[at] ^ (1 << int(rng.integers(8)))]) + content[at + 1 :]
    length = int(rng.integers(1, 64))
    if kind == 2:
        return content[:at] + content[at + length :]
    return content[:at] + rng.bytes(length) + content[at:]


def count_refused(path, count, seed):
    """How many of so many mutated files are refused; the others must be read as they were written."""
    rng, content, whole, refused = np.random.default_rng(seed), path.read_bytes(), bf.load(path), 0
    for _ in range(count):
        path.write_bytes(mutated(content, rng))
        try:
            again = bf.load(path)
        except InvalidInput as error:
            assert str(error) and "\n" not in str(error)
            refused += 1
        else:
            assert difference(whole, again) is None
    return refused


def test_mutated_files_are_refused_or_read_as_they_were_written(small):
    # A bit of the archive's own bookkeeping, as a file's time, may change without harm: few do.
    assert count_refused(small, 200, seed=0) > 160


def test_fields_that_later_versions_add_or_drop_are_told(small, monkeypatch):
    from bifurcate.continuation import step_control

    bf.save(bf.StepControl(), small)
    later = dataclasses.make_dataclass("StepControl", [("colour", str, "red")], bases=(bf.StepControl,), frozen=True)
    later.__module__ = step_control.__name__
    monkeypatch.setattr(step_control, "StepControl", later)
    assert bf.load(small).colour == "red"  # written by an earlier version: the field has its default
    bf.save(later(colour="blue"), small)
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="gives StepControl a field 'colour', which this version does not have"):
        bf.load(small)


# Saving


def test_a_folder_that_is_not_there_is_named_before_anything_is_computed(tmp_path):
    with pytest.raises(InvalidInput, match="there is no folder"):
        bf.save(bf.StepControl(), tmp_path / "none" / "it.npz")
    with pytest.raises(InvalidInput, match="which is a folder"):
        bf.save(bf.StepControl(), tmp_path)


def test_what_cannot_be_saved_leaves_the_old_file(small):
    before = small.read_bytes()
    with pytest.raises(InvalidInput, match="result is a generator; save takes what the package returns"):
        bf.save((each for each in ()), small)
    with pytest.raises(InvalidInput, match=r"list.* is a Generator; stored are numbers, text"):
        bf.save([np.random.default_rng(0)], small)
    with pytest.raises(InvalidInput, match="is an array of object"):
        bf.save([np.array([object()])], small)
    assert small.read_bytes() == before and [each.name for each in small.parent.iterdir()] == [small.name]


def test_plain_values_keep_their_types(tmp_path):
    values = {
        "numbers": [1, 2.5, -0.0, float("inf"), complex(1, -0.0), True, None, 10**30],
        "arrays": [np.float32(1.5), np.arange(3, dtype=np.int8), np.asfortranarray(np.arange(6.0).reshape(2, 3))],
        "text": ("σ", {"a", "b"}, {1: "one", (2, 3): "pair"}),
        "many": [float(i) for i in range(20)] + [float("nan")],
        "mixed": [None if i % 3 else float(i) for i in range(20)],
        "empty": [np.empty((0, 3)), [], (), {}],
        "large": np.asfortranarray(np.arange(20000.0).reshape(100, 200)),
        "words": ["flip", "fold"] * 10,
    }
    again = through_file(values, tmp_path)
    assert difference(values, again) is None
    assert again["large"].flags.f_contiguous and again["arrays"][2].flags.f_contiguous
