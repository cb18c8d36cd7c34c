"""One machine for every test: one thread a worker, pictures without a window, no settings of the person who tests."""

from __future__ import annotations

import os
import random
import tempfile

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
