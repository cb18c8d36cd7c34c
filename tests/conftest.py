"""One machine for every test: one thread a worker, pictures without a window, no settings of the person who tests."""

from __future__ import annotations

import base64
import os
import random
import tempfile
from collections.abc import Callable
from html.parser import HTMLParser

import hypothesis
import pytest

# before torch is imported: two workers with a thread each share the cores better than two with two
os.environ["OMP_NUM_THREADS"] = "1"
for name in ("NASBOOK_SIZE", "NASBOOK_DEVICE", "NASBOOK_EDGES", "MPLBACKEND"):
    os.environ.pop(name, None)
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the debugger's remark about frozen modules
if "IPYTHONDIR" not in os.environ:  # kernels of the chapters read no start-up files of the person who tests
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="nasbook-ipython-")

hypothesis.settings.register_profile("nasbook", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("nasbook")


def pytest_configure() -> None:
    """Draw without a window; MPLBACKEND stays unset: chapters' kernels inherit it and must draw inline."""
    import matplotlib

    matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _fresh_global_generators() -> None:
    """A test that draws from a global generator does not depend on the tests before it."""
    import numpy as np
    import torch

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)


class _Pictures(HTMLParser):
    """The attributes of every picture in a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append({name: value or "" for name, value in attrs})


@pytest.fixture(scope="session")
def alt_of() -> Callable[[dict[str, str]], str]:
    """The alternative text of the one PNG picture that an output shows, as a browser reads it."""

    def read(output: dict[str, str]) -> str:
        (picture,) = _Pictures(output["text/html"]).found
        kind, content = picture["src"].split(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content, validate=True).startswith(b"\x89PNG")
        assert not any(name.startswith("image/") for name in output), "the picture comes twice"
        return picture["alt"]

    return read
