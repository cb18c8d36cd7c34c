"""The book without the repository: a wheel is built, installed into a fresh environment and used in an empty folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from nasbook.course.book import load_book
from nasbook.runtime.resources import book_folder, data_folder

ROOT = book_folder()
TOKEN = "for-this-test"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; its dependencies are read from the environment of the tests.

    A folder named in a .pth file has its own .pth files left alone, so the checkout's editable install stays unseen.
    """
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    library = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(program(place, "python")), "install", "--quiet"]
    # the folder of the dependencies holds an older nasbook's record, which must not count as installed here
    alone = ["--no-deps", "--no-index", "--ignore-installed", str(wheel)]
    subprocess.run([*pip, *alone], check=True, timeout=300)
    return place


def program(environment: Path, name: str) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin") / name


def variables(home: Path) -> dict[str, str]:
    """The environment of a reader with an empty home, whose JupyterLab lies where the tests' own does."""
    share = Path(sys.prefix) / "share" / "jupyter"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "NASBOOK"))}
    jupyter = {"JUPYTER_PATH": str(share), "JUPYTERLAB_DIR": str(share / "lab"), "JUPYTER_TOKEN": TOKEN}
    return {**kept, **jupyter, "HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}


def test_the_wheel_carries_the_book_and_its_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = {name.partition("nasbook/_book/")[2] for name in archive.namelist() if "nasbook/_book/" in name}
        tops = {name.partition("/")[0] for name in archive.namelist()}
    wanted = {"book.yml"}
    wanted |= {f"notebooks/{chapter.name}{suffix}" for chapter in load_book() for suffix in (".py", ".ipynb")}
    wanted |= {path.relative_to(ROOT).as_posix() for path in data_folder().rglob("*") if path.is_file()}
    assert wanted <= carried
    assert tops == {"nasbook", next(top for top in tops if top.endswith(".dist-info"))}


def test_an_editable_install_leaves_no_copies_of_chapters_and_data(tmp_path: Path) -> None:
    """They would grow stale; the checkout's own are read."""
    code = f"from hatchling.build import build_editable; print(build_editable({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert sorted(names) == ["_nasbook.pth", "nasbook/_book/book.yml"]


def test_the_installed_package_is_the_wheels_own(environment: Path, tmp_path: Path) -> None:
    code = "import nasbook; from nasbook.runtime import resources as r; print(nasbook.__file__, r.book_folder())"
    answer = subprocess.run(
        [program(environment, "python"), "-c", code],
        cwd=tmp_path,
        env=variables(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert answer.startswith(str(environment))
    assert Path(answer.strip().partition("__init__.py ")[2]).is_relative_to(environment)


def test_the_lab_serves_a_copy_of_the_book_in_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    here, log = tmp_path / "reader", tmp_path / "log.txt"
    here.mkdir()
    port = free_port()
    with log.open("w") as out:
        lab = subprocess.Popen(
            [program(environment, "nasbook"), "lab", "--no-browser", "--port", str(port)],
            cwd=here,
            env=variables(tmp_path),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            listing = ask(f"http://127.0.0.1:{port}/api/contents/?token={TOKEN}", lab, log)
            page = ask(f"http://127.0.0.1:{port}/lab?token={TOKEN}", lab, log)
        finally:
            lab.send_signal(signal.SIGTERM)
            status = lab.wait(timeout=30)
    served = {entry["name"] for entry in json.loads(listing)["content"]}
    assert served == {f"{chapter.name}.ipynb" for chapter in load_book()}
    assert "jupyter-config-data" in page
    assert {path.name for path in (here / "nasbook-book").glob("*.ipynb")} == served
    assert status == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={TOKEN}", timeout=5)


def test_a_search_runs_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    command = ["search", "--data", "digits", "--space", "s2", "--epochs", "1", "--channels", "4", "--layers", "3"]
    command += ["--images", "128", "--train-epochs", "1"]
    done = subprocess.run(
        [program(environment, "nasbook"), *command, "--json", "--run", "tiny"],
        cwd=tmp_path,
        env=variables(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["method"], result["data"], result["space"]) == ("darts", "digits", "s2")
    assert 0 <= result["valid_accuracy"] <= 100
    assert (tmp_path / "tiny" / "result.json").is_file()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    """The answer to a request, tried until the server is up."""
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return str(answer.read().decode("utf-8"))
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.25)
    raise AssertionError(f"no answer within a minute: {log.read_text()}")
