"""Arrays of an .npz file: what is damaged or claims too much is refused before it costs memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasbook.datasets import npz
from nasbook.runtime.errors import UsageError

VALUES = {"x": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "y": np.array([1, 0])}


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.encode().ljust(117) + b"\n"


def archive(compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, values in VALUES.items():
            content = io.BytesIO()
            np.save(content, values)
            file.writestr(f"{name}.npy", members.get(name, content.getvalue()))
    return stream.getvalue()


def patched(place: int, central: int, value: int) -> bytes:
    """An archive of which one byte is changed, in a member's own header and in the list at the end."""
    content = bytearray(archive())
    content[place] = content[content.find(b"PK\x01\x02") + central] = value
    return bytes(content)


def read(path: Path, content: bytes) -> dict[str, np.ndarray[Any, Any]]:
    file = path / "own.npz"
    file.write_bytes(content)
    with npz.opened(file) as opened:
        for name in opened.names:
            assert opened.claim(name).shape == opened.read(name).shape
        return {name: opened.read(name) for name in opened.names}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path, save: Any, order: Any) -> None:
    stream = io.BytesIO()
    save(stream, **{name: np.asarray(values, order=order) for name, values in VALUES.items()}, empty=np.zeros((0, 3)))
    found = read(tmp_path, stream.getvalue())
    assert set(found) == {*VALUES, "empty"}
    assert all(np.array_equal(found[name], values) for name, values in VALUES.items())


@pytest.mark.parametrize(
    "content",
    [
        archive(x=header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4(")),
        archive(x=header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 3), }")),
        archive(x=b"hello"),
        archive(x=header("{'descr': '|u1', 'fortran_order': False, 'shape': (24,), }") + bytes(23)),
        archive(x=header("{'descr': '|u1', 'fortran_order': False, 'shape': (24,), }") + bytes(25)),
        archive(x=header("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000000,), }")),
        archive(x=header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")),
        patched(6, 8, 1),  # encrypted
        patched(8, 10, 99),  # an unknown compression
        patched(4, 6, 99),  # an unknown version
        archive(zipfile.ZIP_LZMA),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(UsageError):
        read(tmp_path, content)
    assert not recwarn.list


def test_a_claim_takes_no_memory(tmp_path: Path) -> None:
    claimed = header("{'descr': '|u1', 'fortran_order': False, 'shape': (3000000, 32, 32, 1), }")
    (tmp_path / "own.npz").write_bytes(archive(x=claimed))
    tracemalloc.start()
    with npz.opened(tmp_path / "own.npz") as opened:
        assert opened.claim("x").nbytes == 3_072_000_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**22


def test_more_than_the_memory_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "_memory", lambda: 30)
    with pytest.raises(UsageError, match="memory"):
        read(tmp_path, archive())


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10**6), value=st.binary(max_size=4), compressed=st.booleans())
def test_a_mutated_file_is_read_or_refused(tmp_path: Path, place: int, value: bytes, compressed: bool) -> None:
    content = archive(zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
    place %= len(content)
    try:
        read(tmp_path, content[:place] + value + content[place + len(value) :])
    except UsageError:
        return  # every other error fails the test
