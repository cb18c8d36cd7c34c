"""Files are replaced whole, or not at all."""

import json
import os

import pytest

from nasbook.runtime import files
from nasbook.runtime.errors import UsageError


def test_round_trip_and_no_leftovers(tmp_path):
    path = tmp_path / "deep" / "value.json"
    files.write_json(path, {"a": [1, 2.5, "ü"]})
    assert files.read_json(path) == {"a": [1, 2.5, "ü"]}
    assert os.listdir(path.parent) == ["value.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "value.json"
    files.write_json(path, 1)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_json(path, 2)
    assert json.loads(path.read_text()) == 1
    assert os.listdir(tmp_path) == ["value.json"]


def test_numbers_that_json_lacks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "value.json", float("nan"))
    assert not os.listdir(tmp_path)


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        files.read_json(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(UsageError, match="not a readable JSON"):
        files.read_json(tmp_path / "bad.json")


def test_a_folder_that_can_be_written_is_made_and_left_empty(tmp_path):
    files.check_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("taken")
    with pytest.raises(UsageError, match="Nothing can be written to"):
        files.check_folder(tmp_path / "file")
