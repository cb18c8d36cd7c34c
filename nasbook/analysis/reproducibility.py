"""How far the same search drifts on other machines: thread counts and processor kernels, in both precisions.

    python -m nasbook.analysis.reproducibility

Another machine is imitated by another number of threads, or by forbidding the libraries this processor's newer
instructions. Each imitation is a process of its own, since the libraries read these settings once, at their start.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

from nasbook.runtime import files
from nasbook.runtime.manifest import manifest
from nasbook.runtime.resources import data_folder

MACHINES: dict[str, dict[str, str]] = {
    "one thread": {"OMP_NUM_THREADS": "1"},
    "one thread again": {"OMP_NUM_THREADS": "1"},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "kernels without AVX": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default"},
    "convolutions limited to SSE4.1": {"OMP_NUM_THREADS": "1", "ONEDNN_MAX_CPU_ISA": "SSE41"},
}
PRECISIONS = ("float32", "float64")
STEPS = (1, 5, 10, 20, 50, 100, 200, 300)  # class size: 31 steps an epoch


def losses(precision: str, steps: int, *, space: str = "s2", seed: int = 0) -> dict[str, Any]:
    """The training losses of a first-order DARTS search at class size, step by step, in this process.

    The learning rate stays at its start, so that one number of steps means the same whatever the number of epochs.

    Returns:
        "losses" (nats, one a step), "accuracy" (percent, of the supernet at the end), "genotype", and "seconds".
    """
    from nasbook import datasets, sizes, spaces
    from nasbook.search import Search, recipes
    from nasbook.selection import magnitude

    numbers = sizes.override(sizes.get("class").search, {"precision": precision})
    search = Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        datasets.load("street_numbers"),
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
        seed=seed,
    )
    found: list[float] = []
    start = time.process_time()
    with search.stream.scope():
        while len(found) < steps:
            found.append(float(search.step()[0]))
    seconds = time.process_time() - start
    return {
        "losses": found,
        "accuracy": search.validate()[1],
        "genotype": str(search.genotype()),
        "seconds": seconds,
    }


def measure(steps: int = STEPS[-1]) -> dict[str, Any]:
    """Every imitation in both precisions, compared with one thread; takes some minutes.

    Returns:
        For each precision and machine the largest relative difference of the loss up to each of `STEPS`, the
        difference of the final accuracy (percentage points), whether the genotype is the same, and CPU seconds.
    """
    start = time.perf_counter()
    table: dict[str, Any] = {}
    for precision in PRECISIONS:
        runs = {name: _in_process(settings, precision, steps) for name, settings in MACHINES.items()}
        reference = runs["one thread"]
        table[precision] = {name: _compare(run, reference) for name, run in runs.items()}
    command = "python -m nasbook.analysis.reproducibility"
    return {
        "manifest": manifest(command=command, seeds=[0], seconds=time.perf_counter() - start),
        "steps": [step for step in STEPS if step <= steps],
        "drift": table,
    }


def _in_process(settings: dict[str, str], precision: str, steps: int) -> dict[str, Any]:
    call = f"losses({precision!r}, {steps})"
    code = f"import json; from nasbook.analysis.reproducibility import losses; print(json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **settings}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _compare(run: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    drift = [abs(a - b) / abs(b) for a, b in zip(run["losses"], reference["losses"], strict=True)]
    return {
        "loss": [max(drift[:step]) for step in STEPS if step <= len(drift)],
        "accuracy_points": abs(run["accuracy"] - reference["accuracy"]),
        "same_genotype": run["genotype"] == reference["genotype"],
        "seconds": round(run["seconds"], 1),
    }


if __name__ == "__main__":
    explained = "Measure how far a search drifts (about five minutes) and write data/results/reproducibility.json."
    argparse.ArgumentParser(prog="python -m nasbook.analysis.reproducibility", description=explained).parse_args()
    result = measure()
    files.write_json(data_folder() / "results" / "reproducibility.json", result)
    print(json.dumps(result["drift"], indent=2))
