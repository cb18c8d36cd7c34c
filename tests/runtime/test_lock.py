"""A lock keeps a second process out, and falls with its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nasbook.runtime.errors import UsageError
from nasbook.runtime.run_folder import RunFolder

HOLD = "import sys, time; from nasbook.runtime.lock import Lock; from pathlib import Path; "
HOLD += "lock = Lock(Path(sys.argv[1]), busy='busy'); print('held', flush=True); time.sleep(600)"


def test_a_second_process_is_refused_until_the_first_one_is_killed(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run", {"seed": 0}).close()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "run" / ".lock")], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(UsageError, match="under way in another process"):
            RunFolder(tmp_path / "run", {"seed": 0})
    finally:
        holder.kill()
        holder.communicate()
    with RunFolder(tmp_path / "run", {"seed": 0}) as folder:
        folder.finish({"accuracy": 1.0})
        assert RunFolder(tmp_path / "run", {"seed": 0}).result() == {"accuracy": 1.0}  # a finished run is only read
