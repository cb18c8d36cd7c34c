"""`nasbook doctor`: what is installed here, whether it works together, and what it can compute on."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nasbook.cli.book import BOOK_PACKAGES
from nasbook.cli.output import AsJson, print_facts, print_json, tell

CORE = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "tqdm", "typer")
REMEDY = "`python -m pip install --force-reinstall torch torchvision` installs a pair that fits"
# Run in a process of its own: a broken pair stops at import, and the doctor must live to tell.
PROBE = """
import json, time
facts, seconds = {}, {}
def load(name):
    start = time.perf_counter()
    __import__(name)
    seconds[name] = round(time.perf_counter() - start, 3)
try:
    for name in ("nasbook", "torch", "torchvision"):
        load(name)
except Exception as error:
    facts["broken"] = [name, f"{type(error).__name__}: {error}".splitlines()[0]]
if "torch" in seconds:
    import torch
    facts["devices"] = [f"cuda ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    facts["devices"] += ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    facts["threads"] = torch.get_num_threads()
print(json.dumps({**facts, "import_seconds": seconds}))
"""


def doctor(
    root: Annotated[Path | None, typer.Option(help="Folder of the real data sets.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is installed, what it computes on, and which data sets are at hand; exit 1 if something is broken."""
    tell("Loading PyTorch to see what works, which takes some seconds.")
    report = examine(root)
    if as_json:
        print_json(report)
    else:
        print_facts(_readable(report))
    for problem in report["problems"]:
        tell(problem)
    if report["problems"]:
        raise typer.Exit(1)


def examine(root: Path | None = None) -> dict[str, Any]:
    """What `nasbook doctor --json` prints; `problems` holds one sentence for each thing that is broken."""
    versions = {name: _version(name) for name in ("nasbook", *CORE)}
    probe = _probe()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    return {
        "python": platform.python_version(),
        "packages": versions,
        "book_packages": {name: importlib.util.find_spec(name) is not None for name in BOOK_PACKAGES},
        "devices": probe.get("devices", []),
        "threads": probe.get("threads"),
        "cores": os.cpu_count(),
        "memory_mib": pages // 2**20 if pages else None,
        "disk_free_mib": shutil.disk_usage(Path.cwd()).free // 2**20,
        "import_seconds": probe.get("import_seconds", {}),
        "datasets": _at_hand(root),
        "problems": _problems(versions, probe),
    }


def _probe() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    try:
        facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return facts
    except (IndexError, json.JSONDecodeError):  # the process died, as it does where a library is built for another CPU
        return {"broken": ["torch", (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]]}


def _problems(versions: dict[str, str | None], probe: dict[str, Any]) -> list[str]:
    missing = [name for name in CORE if versions[name] is None]
    if missing:
        return [f"{', '.join(missing)} missing: `python -m pip install {' '.join(missing)}`."]
    if "broken" not in probe:
        return []
    name, reason = probe["broken"]
    if name == "torchvision":
        return [
            f"torchvision {versions['torchvision']} was not built for torch {versions['torch']} ({reason}): {REMEDY}."
        ]
    return [f"{name} {versions[name]} does not import ({reason}): {REMEDY}."]


def _at_hand(root: Path | None) -> list[str]:
    from nasbook.datasets import available

    return [row["name"] for row in available(root) if row["available"]]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _readable(report: dict[str, Any]) -> dict[str, Any]:
    book = report["book_packages"]
    absent = [BOOK_PACKAGES[name] for name, there in book.items() if not there]
    return {
        "Python": report["python"],
        **report["packages"],
        "book packages": "all there" if not absent else f"without {', '.join(absent)} (searches do not need them)",
        "devices": report["devices"],
        "threads": f"{report['threads']} on {report['cores']} cores",
        "memory": "-" if report["memory_mib"] is None else f"{report['memory_mib']:,} MiB",
        "free disk": f"{report['disk_free_mib']:,} MiB",
        "import": ", ".join(f"{name} {seconds:.2f} s" for name, seconds in report["import_seconds"].items()),
        "data at hand": report["datasets"],
    }
