"""Recordings of searches, from memory and from run folders."""

import json

import pytest

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.widgets.recordings import Recording, read, recording


def keep(folder, records, *, space="s3", command="search", nodes=2):
    """A run folder as a search leaves it."""
    folder.mkdir(exist_ok=True)
    config = {"command": command, "space": space, "search": {"nodes": nodes, "reduction": "fixed"}}
    (folder / "config.json").write_text(json.dumps(config))
    lines = [*records, {"stage": "train", "epoch": 1}]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_run_folder_gives_its_search_and_not_its_training(tmp_path, s3, make_history):
    keep(tmp_path / "mine", make_history(s3, 4))
    run = read(tmp_path / "mine")
    assert (run.title, run.space, run.epochs) == ("mine", s3, 4)


def test_a_run_folder_of_nas_bench_201_is_read(tmp_path, make_history):
    space = spaces.get("nas-bench-201")
    keep(tmp_path / "mine", make_history(space, 2), space=space.name, nodes=None)
    assert (read(tmp_path / "mine").space, read(tmp_path / "mine").epochs) == (space, 2)


def test_reloading_follows_a_run_that_goes_on_elsewhere(tmp_path, s3, make_history):
    keep(tmp_path / "mine", make_history(s3, 2))
    run = recording(str(tmp_path / "mine"), space=None, title="unused")
    keep(tmp_path / "mine", make_history(s3, 5))
    run.reload()
    assert run.epochs == 5


def test_the_record_of_an_epoch_is_the_nearest_before_it(s3, make_history):
    run = Recording("resumed", s3, make_history(s3, 3, first=5))
    assert [run.at(epoch)["epoch"] for epoch in (1, 5, 6, 99)] == [5, 5, 6, 7]
    assert Recording("new", s3).at(1) is None


@pytest.mark.parametrize(("spoil", "says"), [("weights", "another shape"), ("alpha", "lacks 'alpha'")])
def test_records_that_do_not_fit_are_refused(s3, darts, make_history, spoil, says):
    records = make_history(s3, 1)
    if spoil == "alpha":
        del records[0]["alpha"]
    with pytest.raises(UsageError, match=says):
        Recording("wrong", darts if spoil == "weights" else s3, records)


def test_what_is_not_a_search_is_refused(tmp_path, s3, make_history):
    with pytest.raises(UsageError, match="not a run folder"):
        read(tmp_path)
    keep(tmp_path / "training", [], command="train")
    with pytest.raises(UsageError, match="does not hold a search"):
        read(tmp_path / "training")
    with pytest.raises(UsageError, match="give space="):
        recording(make_history(s3, 1), space=None, title="run")
