"""What stands beside every stored result: the command that makes it again, and what it was made with."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from typing import Any


def manifest(*, command: str, seeds: Sequence[int], seconds: float, device: str = "cpu") -> dict[str, Any]:
    """The manifest of a result made now by this process.

    Args:
        command: what makes the result again.
        seeds: the seeds it was made with.
        seconds: how long it took.
        device: where it was made.
    """
    import torch

    import nasbook

    return {
        "command": command,
        "seeds": list(seeds),
        "device": device,
        "threads": torch.get_num_threads(),
        "nasbook": nasbook.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "seconds": round(seconds),
    }
