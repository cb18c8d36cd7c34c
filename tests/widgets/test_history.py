"""The cost explorer: what a budget buys, the state as text, every control at both ends, the view without a kernel."""

from __future__ import annotations

import math
import re
import time

import pytest

from nasbook.runtime.errors import UsageError
from nasbook.strategies import FAMILIES, PublishedMethod, published_methods
from nasbook.widgets import history_drawing
from nasbook.widgets.history import CostExplorer
from nasbook.widgets.history_drawing import CostState, compute


def method(name: str, error: float, gpu_days: float | None, family: str = "gradient") -> PublishedMethod:
    return PublishedMethod(
        *(name, name.title(), "Nobody 2020", 2020, family, "test", ""),
        error_percent=error,
        error_std=None,
        gpu_days=gpu_days,
        params_million=None,
    )


METHODS = [
    method("dear", 2.0, 1000, "evolution"),
    method("edge", 3.0, 10),
    method("cheap", 4.0, 0.1),
    method("unknown", 1.0, None),
]


def test_a_system_that_costs_the_whole_budget_fits_and_one_of_unknown_cost_never_does() -> None:
    result = compute(METHODS, CostState(10.0, ("evolution", "gradient")))
    assert [row.name for row in result.shown] == ["dear", "edge", "cheap"]
    assert [row.name for row in result.fitting] == ["edge", "cheap"]
    assert result.best is not None
    assert result.best.name == "edge"


def test_a_family_that_is_not_chosen_is_neither_shown_nor_best() -> None:
    result = compute(METHODS, CostState(30_000.0, ("evolution",)))
    assert [row.name for row in result.fitting] == ["dear"]
    assert compute(METHODS, CostState(30_000.0, ())).best is None


def test_the_best_error_only_falls_as_the_budget_grows() -> None:
    rows = published_methods()
    budgets = [10 ** (power / 10) for power in range(-15, 46)]
    best = [compute(rows, CostState(budget, FAMILIES)).best for budget in budgets]
    errors = [row.error_percent for row in best if row is not None]
    assert best[0] is None
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == min(row.error_percent for row in rows if row.gpu_days is not None)


def test_a_state_is_text_and_back() -> None:
    explorer = CostExplorer()
    explorer.budget, explorer.families = 2000.0, ("gradient", "evolution")
    assert explorer.state() == "budget=2000 families=evolution,gradient"
    again = CostExplorer(state=explorer.state())
    assert again.state() == explorer.state()
    assert again.result() == explorer.result()
    again.restore("budget=0.1 families=")
    assert (again.budget, again.families) == (0.1, ())


def test_every_control_sets_its_trait_and_follows_it() -> None:
    explorer = CostExplorer()
    explorer.restore("budget=100 families=evolution")
    assert explorer._slider.value == pytest.approx(2.0)
    assert {name for name, box in explorer._boxes.items() if box.value} == {"evolution"}
    explorer._boxes["gradient"].value = True
    assert explorer.families == ("evolution", "gradient")
    for end in (explorer._slider.min, explorer._slider.max):
        explorer._slider.value = end
        assert math.log10(explorer.budget) == pytest.approx(end, abs=0.01)
        assert CostExplorer(state=explorer.state()).budget == explorer.budget
    assert "2.08" in explorer._drawing.value


def test_the_view_says_without_colour_what_fits() -> None:
    explorer = CostExplorer(METHODS, state="budget=10 families=evolution,gradient")
    signs = re.findall(r">([●○▲△])<title>(\w+)<", explorer._drawing.value)
    assert sorted(signs) == [("△", "Dear"), ("●", "Cheap"), ("●", "Edge")]
    assert "2 of 3 systems fit 10 GPU-days; the lowest error among them is 3.00 %, of Edge." in explorer._drawing.value
    assert explorer.figure().alt in explorer._drawing.value  # as the drawing's label


def test_marks_in_the_picture_are_the_data() -> None:
    axis = CostExplorer(METHODS, state="budget=10 families=evolution,gradient").figure().axes[0]
    drawn = {(x, y): line.get_fillstyle() for line in axis.lines for x, y in zip(line.get_xdata(), line.get_ydata())}
    assert drawn[1000, 2.0] == "none"
    assert drawn[10, 3.0] == drawn[0.1, 4.0] == "full"
    assert axis.get_xscale() == "log"


def test_a_name_with_markup_is_shown_as_it_is() -> None:
    explorer = CostExplorer([method("<b>", 3.0, 1.0)])
    assert "<B>" not in explorer._drawing.value
    assert "&lt;B&gt;" in explorer._drawing.value


def test_without_a_kernel_there_is_a_picture_with_words(alt_of) -> None:
    data = CostExplorer()._repr_mimebundle_()
    assert alt_of(data) == data["text/plain"]
    assert "10 of 19 systems fit 1 GPU-days" in data["text/plain"]


def test_a_move_is_drawn_at_once() -> None:
    explorer = CostExplorer()
    start = time.process_time()
    for place in range(20):
        explorer.budget = 1.0 + place
    assert (time.process_time() - start) / 20 < 0.1


def test_controls_are_labelled() -> None:
    explorer = CostExplorer()
    for control in (explorer._slider, *explorer._boxes.values()):
        assert control.description
        assert control.tooltip


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("1", "reads like"),
        ("cost=1 families=gradient", "reads like"),
        ("budget=x families=gradient", "reads like"),
        ("budget=0 families=gradient", "lies between"),
        ("budget=nan families=gradient", "lies between"),
        ("budget=1 families=magic", "no family 'magic'"),
    ],
)
def test_a_malformed_state_is_refused(state: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CostExplorer(state=state)


def test_methods_without_costs_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one method"):
        CostExplorer([METHODS[-1]])


def test_every_family_has_a_sign() -> None:
    assert set(history_drawing.SIGNS) == set(FAMILIES)
