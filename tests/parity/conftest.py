"""Everything here is computed in double precision."""

import pytest
import torch

from nasbook.runtime.devices import precision


@pytest.fixture(autouse=True)
def _double():
    with precision(torch.float64):
        yield
