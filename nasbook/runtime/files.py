"""Files that are either the old version or the new one, whatever happens in between."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from nasbook.runtime.errors import UsageError

_TEMPORARY = ".partial"


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, then rename it: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sweep(folder: Path, name: str = "*") -> None:
    """Remove the temporary files that killed processes left of the file `name`, or of all files, in a folder.

    Call it only while no other process writes there. Files that cannot be removed stay.
    """
    for temporary in folder.glob(f".{name}.????????{_TEMPORARY}"):
        try:
            temporary.unlink()
        except OSError:
            continue


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically (see `write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document atomically; numbers that JSON does not have (NaN) are refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: the text is not JSON, is nested too deeply, or holds a number with thousands of digits.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it holds a number with thousands of digits") from None


def read_text(path: Path) -> str:
    """Read a UTF-8 text file.

    Raises:
        UsageError: the file is missing, cannot be read or is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error}.") from None


def read_json(path: Path) -> Any:
    """Read one JSON document.

    Raises:
        UsageError: the file is missing, cannot be read or is not JSON.
    """
    try:
        return parse_json(read_text(path))
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"{path} is not a readable JSON file: {error}.") from None


def reason(error: OSError) -> str:
    """What the system says about a failed file operation, as a short phrase."""
    return error.strerror or str(error) or type(error).__name__


def check_folder(path: Path) -> None:
    """Make sure that files can be written to a folder, before the work whose results go there; makes it if need be.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise UsageError(f"Nothing can be written to {path}: {reason(error)}.") from None
