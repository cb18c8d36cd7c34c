"""Drift over machines: the same settings give the same losses, and the comparison measures what it says."""

from nasbook.analysis import reproducibility
from nasbook.runtime import files, resources


def test_the_same_settings_give_the_same_losses():
    first, second = (reproducibility.losses("float64", 3) for _ in range(2))
    assert first["losses"] == second["losses"]
    assert first["genotype"] == second["genotype"]


def test_drift_is_the_largest_relative_difference_so_far():
    reference = {"losses": [2.0, 1.0, 4.0], "accuracy": 50.0, "genotype": "a", "seconds": 1.0}
    run = {"losses": [2.0, 1.5, 4.0], "accuracy": 48.0, "genotype": "b", "seconds": 2.0}
    compared = reproducibility._compare(run, reference)
    assert compared == {"loss": [0.0], "accuracy_points": 2.0, "same_genotype": False, "seconds": 2.0}


def test_what_the_chapters_rely_on_was_measured():
    """Compared digits are printed from float64 runs, to 4 significant digits: the stored drift must be far below."""
    stored = files.read_json(resources.data_folder() / "results" / "reproducibility.json")
    assert stored["manifest"]["command"] == "python -m nasbook.analysis.reproducibility"
    for machine, drift in stored["drift"]["float64"].items():
        assert max(drift["loss"]) < 1e-6, machine
        assert drift["same_genotype"]
    again = stored["drift"]["float32"]["one thread again"]
    assert max(again["loss"]) == 0.0
    assert again["accuracy_points"] == 0.0
