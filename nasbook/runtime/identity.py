"""Digests that show which run a file belongs to, and whether the file has changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

# For a later stage of a run, the keys of the configuration that no earlier stage reads.
Late = Mapping[str, Sequence[str]]

MEASURED = ("seconds", "instrument_seconds", "memory_mib")  # numbers of a record in which equal runs differ


def digest(config: Mapping[str, Any], late: Late | None = None) -> str:
    """SHA-256 of a configuration, in hexadecimal digits.

    Args:
        config: plain JSON values.
        late: the keys of these stages are left out.
    """
    return hashlib.sha256(json.dumps(without(config, late or {}), sort_keys=True).encode()).hexdigest()


def without(config: Mapping[str, Any], late: Late) -> dict[str, Any]:
    """The part of a configuration that every stage reads."""
    names = {name for keys in late.values() for name in keys}
    return {name: value for name, value in config.items() if name not in names}


def digest_of_history(records: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of the records, without the values in which equal runs differ."""
    return digest({"records": [{**record, **{name: 0 for name in MEASURED if name in record}} for record in records]})


def digest_of_result(result: Mapping[str, Any]) -> str:
    """SHA-256 of a result without the values in which equal runs differ: times, memory and the folder's name."""
    return digest({name: 0 if name in ("memory_mib", "run") or "seconds" in name else result[name] for name in result})
