"""One thread at class size on a CPU, unless somebody says otherwise; and the caller's number comes back."""

from __future__ import annotations

import pytest
import torch

from nasbook.runtime import devices, threads
from nasbook.runtime.errors import UsageError

CPU = torch.device("cpu")


def test_the_default_is_one_at_class_size_and_what_torch_has_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    with threads.scope(3):
        assert threads.default("class", CPU) == threads.default("paper", CPU) == 3
    assert threads.default("class", CPU) == 1
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    assert threads.default("class", CPU) == 1
    assert threads.default("paper", CPU) == threads.default("class", torch.device("cuda")) == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert threads.default("class", CPU) == 5


def test_the_number_from_before_comes_back_after_an_error() -> None:
    before, within = torch.get_num_threads(), []

    def broken() -> None:
        with threads.scope(before + 1):
            within.append(torch.get_num_threads())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert within == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", ["cpu", "cpu:0", torch.device("cpu"), torch.device("cpu", 0)])
def test_a_device_may_be_a_word_or_torchs_own(device: str | torch.device) -> None:
    assert devices.pick(device) == CPU


@pytest.mark.parametrize("device", ["", "cpu:x", "cpu:1", "tpu", "cuda:99", "CPU", None, 0, torch.device("meta")])
def test_a_device_that_is_not_here_is_refused(device: object) -> None:
    with pytest.raises(UsageError, match=r"is not available; this machine has .*cpu"):
        devices.pick(device)  # type: ignore[arg-type]


def test_mps_has_no_double_precision() -> None:
    devices.check_precision(CPU, "float64")
    devices.check_precision(torch.device("mps"), "float32")
    with pytest.raises(UsageError, match="float64"):
        devices.check_precision(torch.device("mps"), "float64")
