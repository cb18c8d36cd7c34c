"""Batches are read as pickle would read them, and nothing in a file is ever executed."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbook.datasets import plain_pickle
from nasbook.runtime.errors import UsageError

# What Python 2 wrote for {'data': numpy.arange(6, dtype='uint8').reshape(2, 3), 'labels': [1, 300]} at protocol 2.
PYTHON_2 = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85q\x05"
    b"U\x01bq\x06\x87q\x07Rq\x08(K\x01K\x02K\x03\x86q\tcnumpy\ndtype\nq\nU\x02u1q\x0bK\x00K\x01\x87q\x0cRq\r(K\x03"
    b"U\x01|q\x0eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0fb\x89U\x06\x00\x01\x02\x03\x04\x05q\x10tq\x11b"
    b"U\x06labelsq\x12]q\x13(K\x01M,\x01eu."
)


@given(
    protocol=st.sampled_from([2, 3, 4]),
    labels=st.lists(st.integers(-(2**40), 2**40)),
    dtype=st.sampled_from(["u1", "<i4", ">i4", "<i8", "<f4", ">f8", "?"]),
    shape=st.lists(st.integers(0, 4), max_size=3),
    fortran=st.booleans(),
)
def test_plain_batches_are_read_as_pickle_reads_them(
    protocol: int, labels: list[int], dtype: str, shape: list[int], fortran: bool
) -> None:
    array = (np.arange(np.prod(shape, dtype=int)) % 100).reshape(shape).astype(dtype)
    array = np.asfortranarray(array) if fortran and array.ndim else array
    batch = {"data": array, "labels": labels, "name": "Zürich", "ratio": 0.5, "more": (None, True, [1, (2, 3)])}
    result = plain_pickle.read(pickle.dumps(batch, protocol=protocol))
    assert np.array_equal(result["data"], array)
    assert result["data"].dtype == array.dtype
    assert {**result, "data": 0} == {**batch, "data": 0}


def test_a_batch_of_python_2_is_read() -> None:
    result = plain_pickle.read(PYTHON_2)
    assert result["data"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert result["data"].dtype == np.uint8
    assert result["labels"] == [1, 300]


def test_shared_values_are_read_once_and_used_twice() -> None:
    array = np.arange(3)
    result = plain_pickle.read(pickle.dumps({"a": array, "b": array}, protocol=2))
    assert result["a"] is result["b"]


class Malicious:
    """Unpickling runs a command; so would many of the instructions below."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> Any:
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "executed"
    content = pickle.dumps({"data": Malicious(os.mkdir, str(mark))}, protocol=protocol)
    with pytest.raises(UsageError, match=r"refers to \w+\.mkdir|instruction"):
        plain_pickle.read(content)
    assert not mark.exists()
    pickle.loads(content)
    assert mark.exists()  # it would have worked


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pickle.dumps({"a": Malicious(eval, "1")}, 2), "refers to __builtin__.eval"),
        (pickle.dumps({"a": np.array([{}], dtype=object)}, 2), "neither plain data nor an array"),
        (pickle.dumps({"a": np.array(["text"])}, 2), "neither plain data nor an array"),
        (pickle.dumps({"a": np.ndarray}, 2), "neither plain data nor an array"),
        (pickle.dumps({"a": {1, 2}}, 4), "instruction EMPTY_SET"),
        (pickle.dumps([1, 2], 2), "a list, not a dictionary"),
        (b"\x80\x02cnumpy\nndarray\n(tR.", "neither plain data nor an array"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00utf-7\x86R.", "neither plain data"),
        (b"\x80\x02}}b.", "sets the state of an object"),
        (b"\x80\x02}K\x01a.", "appends to something that is not a list"),
        (b"\x80\x02]K\x01K\x02s.", "not a dictionary"),
        (b"\x80\x02\x85.", "takes more than there is"),
        (b"\x80\x02}h\x07.", "damaged"),
        (b"", "damaged"),
        (b"\x80\x02.", "damaged"),
        (b"not a pickle", "damaged|instruction"),
        (PYTHON_2[:-40], "damaged"),
        (PYTHON_2.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86"), "damaged"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        plain_pickle.read(content)


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def test_a_key_nested_a_million_deep_is_refused() -> None:
    with pytest.raises(UsageError, match="keys"):
        plain_pickle.read(b"\x80\x02})" + b"\x85" * 1_000_000 + b"K\x01s.")


def test_a_text_is_not_copied_again_and_again() -> None:
    encode = b"c_codecs\nencode\nq\x00" + _text("a" * 10**6) + _text("latin1") + b"\x86q\x01R"
    content = b"\x80\x02}" + _text("k") + b"](" + encode + b"h\x00h\x01R" * 2000 + b"es."
    tracemalloc.start()
    with pytest.raises(UsageError, match="copies"):
        plain_pickle.read(content)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * 2**20


def test_the_number_of_instructions_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_pickle, "_MOST_INSTRUCTIONS", 20)
    assert plain_pickle.read(b"\x80\x02}.") == {}
    with pytest.raises(UsageError, match="more than 20 instructions"):
        plain_pickle.read(b"\x80\x02}" + _text("k") + b"]" + b"]a" * 20 + b"s.")


@pytest.mark.parametrize("order", [b"9", b"99999999", b"u1,"])
def test_a_byte_order_is_one_sign(order: bytes) -> None:
    changed = PYTHON_2.replace(b"U\x01|", b"U" + bytes([len(order)]) + order)
    with pytest.raises(UsageError):
        plain_pickle.read(changed)


@given(position=st.integers(0, len(PYTHON_2) - 1), value=st.integers(0, 255))
def test_a_damaged_batch_never_raises_anything_but_a_sentence(position: int, value: int) -> None:
    damaged = bytearray(PYTHON_2)
    damaged[position] = value
    try:
        plain_pickle.read(bytes(damaged))
    except UsageError:
        return  # every other error fails the test
