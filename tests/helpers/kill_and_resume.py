"""Calls that are killed and interrupted at random moments, and go on to the same result.

The tests do this a few times; ``python tests/helpers/kill_and_resume.py --count 20`` as often as is asked for.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from long_calls import CALLS
from same import difference
from swept_functions import slow

import bifurcate as bf

HELPERS, ROOT = Path(__file__).parent, Path(__file__).parents[2]
FINISHED, MARKED, UNMARKED, LOST = 0, 10, 11, 12  # exit codes of a process that was to be interrupted
GRID = {"n": range(120)}
STUDIES = ("outcome", "charts")  # those that sweep

POOL = """
import sys
sys.path.insert(0, sys.argv[1])
from swept_functions import slow
import bifurcate as bf
if __name__ == "__main__":
    print("begins", flush=True)
    bf.sweep(slow, {"n": range(120)}, workers=2, journal=sys.argv[2])
"""
CLUSTER = """
import sys
sys.path.insert(0, sys.argv[1])
from swept_functions import slow
import bifurcate as bf
from dask.distributed import Client
if __name__ == "__main__":
    with Client(sys.argv[3]) as client:
        print("begins", flush=True)
        bf.sweep(slow, {"n": range(120)}, executor=client, journal=sys.argv[2])
"""


def is_marked(found):
    if hasattr(found, "interrupted"):
        return found.interrupted
    return any(stop.reason == "interrupted" for stop in found.stop)


def in_child(call, path, seconds, kind):
    """Make a call in a copy of this process, which is sent a signal after so many seconds; its exit status."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(MARKED if is_marked(call(path)) else FINISHED)
        except KeyboardInterrupt:
            os._exit(LOST)
        except BaseException:
            os._exit(UNMARKED)
    time.sleep(seconds)
    os.kill(child, kind)
    return os.waitpid(child, 0)[1]


def tally(name, count, seed, kind, folder):
    """How often a call was ended before it was done; every time it must go on to the same result."""
    call, rng, ended = CALLS[name], np.random.default_rng(seed), 0
    whole = call()
    began = time.perf_counter()
    call(folder / "timed")
    seconds = time.perf_counter() - began
    for i in range(count):
        path = folder / f"{name} {kind} {i}"
        status = in_child(call, path, float(rng.uniform(0.01, 1.0)) * seconds, kind)
        if kind == signal.SIGKILL:
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == FINISHED, status
            ended += os.WIFSIGNALED(status)
        else:
            code = os.WEXITSTATUS(status)
            assert os.WIFEXITED(status) and code in (FINISHED, MARKED, LOST), status
            # An interrupt before the call has found anything is the caller's: there is nothing to return.
            assert code != LOST or not path.exists() or path.stat().st_size < 2000, path.stat().st_size
            ended += code == MARKED
        assert difference(whole, call(path)) is None, (name, i)
    assert not [each for each in folder.iterdir() if each.suffix == ".part"]
    return ended


def tally_program(program, arguments, count, seed, kind, folder, seconds):
    """The same for a sweep in a program of its own."""
    rng, ended = np.random.default_rng(seed), 0
    whole = bf.sweep(slow, GRID)
    for i in range(count):
        path = folder / f"sweep {kind} {i}"
        words = [sys.executable, "-c", program, str(HELPERS), str(path), *arguments]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout.readline() == "begins\n"
            time.sleep(float(rng.uniform(0.0, seconds)))
            process.send_signal(kind)
        size = path.stat().st_size if path.exists() else 0
        assert difference(whole, bf.sweep(slow, GRID, journal=path)) is None, i
        ended += not path.exists() or path.stat().st_size > size
    return ended


def tally_cluster(count, seed, kind, folder):
    from dask.distributed import LocalCluster

    environment = {"PYTHONPATH": os.pathsep.join([str(HELPERS), *sys.path])}
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, env=environment) as cluster:
        return tally_program(CLUSTER, [cluster.scheduler_address], count, seed, kind, folder, 2.5)


def tally_study(name, count, seed, kind, folder):
    """The same for a study: its files are the same, byte for byte, and none is there in part."""
    words = [sys.executable, "-m", "studies", name, "--quick", "--out"]
    began = time.perf_counter()
    subprocess.run([*words, str(folder / "whole")], cwd=ROOT, check=True, capture_output=True)
    seconds, rng, ended = time.perf_counter() - began, np.random.default_rng(seed), 0
    files = [each.name for each in (folder / "whole").iterdir()]
    assert f"{name}.provenance.json" in files and f"{name}.png" in files
    for i in range(count):
        out = folder / f"study {kind} {i}"
        out.mkdir()
        with subprocess.Popen([*words, str(out)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(float(rng.uniform(0.2, 1.0)) * seconds)
            process.send_signal(kind)
            process.communicate()
        ended += process.returncode != 0
        assert process.returncode in (0, 130, -kind), process.returncode
        is_whole = [
            (out / file).read_bytes() == (folder / "whole" / file).read_bytes()
            for file in files
            if (out / file).exists()
        ]
        assert all(is_whole), i
        subprocess.run([*words, str(out), "--resume"], cwd=ROOT, check=True, capture_output=True)
        assert all((out / file).read_bytes() == (folder / "whole" / file).read_bytes() for file in files), i
        left = {each.name for each in out.iterdir()} - set(files)
        assert not left, (i, left)
    return ended


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("names", nargs="*", default=[*CALLS, "pool", "cluster", *STUDIES])
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what runs in the background ignore it
    for name in chosen.names:
        for kind in (signal.SIGKILL, signal.SIGINT):
            with tempfile.TemporaryDirectory() as made:
                given = chosen.count, chosen.seed, kind, Path(made)
                if name == "pool":
                    ended = tally_program(POOL, [], *given, 3.5)
                elif name == "cluster":
                    ended = tally_cluster(*given)
                elif name in STUDIES:
                    ended = tally_study(name, *given)
                else:
                    ended = tally(name, *given)
            print(
                f"{name}: {chosen.count} × {kind.name}, {ended} before the end; every one went on to the same",
                flush=True,
            )


if __name__ == "__main__":
    main()
