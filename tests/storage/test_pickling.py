"""Everything public pickles and copies, and is the same to the bit afterwards."""

import copy
import inspect
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from examples_of_results import GROUPS, examples, fail, follow, quadratic
from same import difference, types_in

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotConverged

# Types of which there are no values: interfaces, what belongs to other libraries, and factored systems, which are
# functions of their own and are made again where they are needed.
WITHOUT_EXAMPLE = {"Rule", "Figure", "StableAround", "Bordered"}


def public_types():
    rooms = [bf, bf.adaptation, bf.gradient, bf.linalg, bf.maps, bf.errors, bf.plot]
    named = {(name, getattr(room, name)) for room in rooms for name in getattr(room, "__all__", vars(room))}
    return {kind for name, kind in named if inspect.isclass(kind) and name not in WITHOUT_EXAMPLE}


def test_every_public_type_has_an_example():
    found = set().union(*(types_in(examples(group)) for group in GROUPS))
    missing = sorted(kind.__name__ for kind in public_types() - found)
    assert not missing, f"add examples of {', '.join(missing)} to tests/helpers/examples_of_results.py"


@pytest.mark.parametrize("group", GROUPS)
def test_every_example_pickles(group):
    for value in examples(group):
        assert difference(value, pickle.loads(pickle.dumps(value))) is None


@pytest.mark.parametrize("group", GROUPS)
def test_every_example_is_copied(group):
    for value in examples(group):
        assert difference(value, copy.copy(value)) is None
        assert difference(value, copy.deepcopy(value)) is None


def test_a_copy_of_a_map_shares_no_array_with_it():
    map = bf.Map(quadratic, {"r": 2.5}, at=np.array([0.5]))
    again = copy.deepcopy(map)
    assert again.f is map.f and again.at is not map.at and again.parameters == map.parameters
    with pytest.raises(TypeError):
        again.parameters["r"] = 3.0


def test_a_map_pickles_by_the_name_of_its_function():
    assert pickle.loads(pickle.dumps(bf.Map(quadratic, {"r": 2.5}))).f is quadratic
    assert b"lambda" not in pickle.dumps(bf.maps.henon())
    # Values that were changed stay changed, and parts that were taken away stay away.
    import dataclasses

    bare = dataclasses.replace(bf.maps.henon(a=0.3), jacobian=None)
    again = pickle.loads(pickle.dumps(bare))
    assert again.jacobian is None and again.parameters["a"] == 0.3 and again([1.0, 2.0]).tolist() == [2.7, 0.3]


def test_lambdas_travel_with_cloudpickle_and_are_refused_without_it(monkeypatch):
    pytest.importorskip("cloudpickle")
    local = bf.Map(lambda x, r: r * x, {"r": 2.0})
    assert pickle.loads(pickle.dumps(local))([1.0]) == 2.0
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(InvalidInput, match=r"f of 'map' is a lambda .* define it with def .* or install cloudpickle"):
        pickle.dumps(local)
    assert copy.deepcopy(local)([1.0]) == 2.0  # nothing has to travel


def test_results_and_failures_cross_a_pool_of_processes():
    map = bf.maps.logistic()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        failed = pool.submit(fail, 2.5)
        with pytest.raises(NotConverged, match="no step made the residual fall"):
            failed.result()
        branch = pool.submit(follow, map).result()  # the pool is still there
    assert difference(branch, follow(map)) is None
    doubled = bf.trace(bf.switch(branch.first("flip")), {"r": (2.9, 3.5)})
    assert difference(doubled, bf.trace(bf.switch(follow(map).first("flip")), {"r": (2.9, 3.5)})) is None


def test_a_pickle_is_read_in_a_new_process(tmp_path):
    path = tmp_path / "branch.pickle"
    branch = follow(bf.maps.logistic())
    path.write_bytes(pickle.dumps(branch))
    code = f"import pickle; print(pickle.loads(open({str(path)!r}, 'rb').read()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(branch)
