"""Each rule passes a good chapter and says what is wrong with a bad one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nbformat.v4 import new_output

from nasbook.course.predictions import Question
from nasbook.course.rules import Draft, anatomy, cells, outputs
from nasbook.widgets.predict import page

Make = Callable[..., Draft]


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        (cells.code_is_python, "%time x = 1", "magic"),
        (cells.code_is_python, "# %matplotlib inline", "magic"),
        (cells.code_is_python, "!pip install x", "shell"),
        (cells.code_is_python, "x = (", "not valid Python"),
        (cells.code_is_short, "\n".join("x = 1" for _ in range(21)), "21 lines"),
        (cells.code_is_narrow, "x = '" + "a" * 100 + "'", "106 characters"),
        (cells.definitions_are_small, "class A:\n    x = 1", "class A"),
        (cells.definitions_are_small, "def f():\n" + "    x = 1\n" * 12, "function f is longer"),
        (cells.imports_are_plain, "from nasbook.spaces import *", "star"),
        (cells.imports_are_plain, "from . import spaces", "relative"),
        (cells.imports_are_plain, "import nasbook as nb", "renames"),
        (cells.no_machine_in_code, "x.to('cuda')", "device 'cuda'"),
        (cells.no_machine_in_code, "open('/home/me/x')", "path"),
        (cells.no_machine_in_code, "open('../data/x')", "path"),
    ],
)
def test_bad_code_is_named(rule: Callable[[Draft], list[str]], code: str, message: str, draft: Make) -> None:
    (problem,) = rule(draft("# T", (code,)))
    assert message in problem
    assert "Cell 1" in problem


def test_good_code_passes(draft: Make) -> None:
    lines = "\n\n".join("x = 1" for _ in range(20))
    function = "def f(a):\n" + "    a = a + 1\n" * 11
    good = draft("# T", (lines,), (function,), ("import nasbook\nfrom nasbook import spaces\n'a/b'; x = 7 % 3",))
    assert [problem for rule in cells.RULES for problem in rule(good)] == []
    assert cells.code_is_short(draft(("x = 1\n" * 30, "long-cell"))) == []


def test_prose_is_short_and_alternates_with_code(draft: Make) -> None:
    assert "151 words" in cells.prose_is_short(draft("word " * 151))[0]
    hint = "<details><summary>Hint</summary>" + "word " * 200 + "</details>"
    assert cells.prose_is_short(draft("word " * 147 + "$a + b$ $$c\n+ d$$ <br/> end" + hint)) == []
    assert cells.prose_and_code_alternate(draft("a", "b", ("1",), "c", "d")) == []
    assert cells.prose_and_code_alternate(draft(("1",), "a", "b", "c")) == [
        "Cells 1 to 3 are three Markdown cells in a row."
    ]


CARD = (
    "# 04. Continuous relaxation\n\n**You will be able to**\n\n- a\n- b\n- c\n\n"
    "**Before this:** 03. **Time:** 60 minutes. **Lecture:** L."
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# 04. Continuous", "# 4. Continuous", "first line must be '# 04. Continuous relaxation'"),
        ("- b\n- c", "- b", "3 to 5 goals"),
        ("**Lecture:**", "Lecture", "**Lecture:**"),
        ("60 minutes", "an hour", "60 minutes"),
    ],
)
def test_the_front_card_is_complete(old: str, new: str, message: str, draft: Make) -> None:
    assert anatomy.front_card(draft(CARD)) == []
    (problem,) = anatomy.front_card(draft(CARD.replace(old, new)))
    assert message in problem


def test_a_chapter_begins_with_its_card_and_setup(draft: Make) -> None:
    assert "front card" in anatomy.front_card(draft(("x",)))[0]
    assert anatomy.setup_cell(draft(CARD, ('nb = nasbook.start("04")',))) == []
    assert "open the chapter" in anatomy.setup_cell(draft(CARD, ('nb = nasbook.start("05")',)))[0]
    assert "9 lines" in anatomy.setup_cell(draft(('nb = nasbook.start("04")\n' + "import a\n" * 8,)))[0]


def test_each_main_result_has_its_own_prediction(draft: Make) -> None:
    ask, main = ("nb.predict('?')",), ("run()", "main-result")
    assert anatomy.prompt_before_main_result(draft(ask, main, ask, main)) == []
    assert "cell 2" in anatomy.prompt_before_main_result(draft(ask, main, main))[0]
    assert "No cell" in anatomy.prompt_before_main_result(draft(ask))[0]


ASKED = {
    "04.1": Question("Which?", ("a", "b"), answer="a", explain="It is 'a' & no other."),
    "04.2": Question("How many?", explain="By counting."),
}


def test_the_predictions_of_the_data_are_asked_and_revealed(draft: Make) -> None:
    def found(*cells: Any) -> list[str]:
        return anatomy.predictions_are_those_of_the_data(replace(draft(*cells), predictions=ASKED))

    first, second, reveal = ('nb.predict("04.1")',), ('nb.predict("04.2")',), ('nb.reveal("04.2", len(x))',)
    assert found(first, second, reveal) == []
    assert "asked are not 04.1, 04.2" in found(second, first, reveal)[0]
    assert "asked are not" in found(first, second, second, reveal)[0]
    assert "revealed are not 04.2" in found(first, second)[0]
    assert "revealed are not 04.2" in found(first, second, ('nb.reveal("04.1", 0)',), reveal)[0]
    assert "before it is asked" in found(first, reveal, second)[0]
    assert "before it is asked" in found(first, ('nb.predict("04.2"); nb.reveal("04.2", 3)',))[0]


@pytest.mark.parametrize("more", ['answer="a"', '("a", "b")', 'explain="why"', "*options"])
def test_a_prediction_is_asked_by_its_id_alone(more: str, draft: Make) -> None:
    rule = anatomy.predictions_hide_their_answers
    assert rule(draft(('nb.predict("04.1")',))) == []
    assert "more than its id" in rule(draft((f'nb.predict("04.1", {more})',)))[0]
    assert "more than its id" in rule(draft(("nb.predict(which)",)))[0]


def test_no_answer_is_stored(draft: Make) -> None:
    def stored(*given: Any, **metadata: Any) -> list[str]:
        made = shown(replace(draft(('nb.predict("04.1")',)), predictions=ASKED), *given)
        made.notebook.cells[0].metadata.update(metadata)
        return outputs.answers_are_not_stored(made)

    question = new_output("execute_result", data=page("Which?", ("a", "b")))
    assert stored(question) == []
    assert "more of prediction 04.1" in stored(html("<details>It is a.</details>"))[0]
    assert "more of prediction 04.1" in stored(question, new_output("stream", text="a"))[0]
    for hidden in (
        stored(question, note="It is 'a' & no other."),
        stored(new_output("display_data", data={"text/html": '<img alt="By counting.">'})),
    ):
        assert "explanation of prediction 04." in hidden[-1]


def test_the_checkpoint_asks_three_to_six_compared_questions(draft: Make) -> None:
    ask = ("nb.predict('?')", "nbval-check-output")
    assert anatomy.checkpoint(draft("## Checkpoint", ask, ask, ask, "## Next", ("nb.predict('?')",))) == []
    assert "2 questions" in anatomy.checkpoint(draft("## Checkpoint", ask, ask, "## Next", ask))[0]
    assert "tagged" in anatomy.checkpoint(draft("## Checkpoint", ask, ask, ("nb.predict('?')",)))[0]
    assert "no section" in anatomy.checkpoint(draft(ask, ask, ask))[0]


HINTS = "<details><summary>Hint 1</summary>a</details>\n<details>\n<summary>Hint 2</summary>b</details>"
TASK = f"### Exercise 04.1 (easy, 5 minutes)\n\nDo it.\n\n{HINTS}"
STUB = ('def f():\n    raise nasbook.NotAttempted\n\nnb.check("04.1", f)',)
SOLUTION = ('nb.check_solution("04.1", solution_f)', "solution", "nbval-check-output")


def folded(made: Draft, text: str | None = None) -> Draft:
    made.notebook.cells[-1].metadata["jupyter"] = {"source_hidden": True}
    if text is not None:
        made.notebook.cells[-1].outputs = [new_output("stream", text=text)]
    return made


def test_an_exercise_is_complete(draft: Make) -> None:
    rule = anatomy.exercises_are_complete
    assert rule(folded(draft(TASK, STUB, SOLUTION), "The book's solution of 04.1: right.\n")) == []
    assert "no heading" in rule(draft(TASK.replace("easy", "hard"), STUB, SOLUTION))[0]
    assert "two folded hints" in rule(folded(draft(TASK.replace("Hint 2", "More"), STUB, SOLUTION)))[0]
    assert "check_solution" in rule(draft(TASK, STUB))[0]
    both = ('nb.check("04.1", f); nb.check_solution("04.1", f)', "solution", "nbval-check-output")
    assert "one nb.check" in rule(draft(TASK, STUB, both))[0]  # a solution that writes the reader's verdict
    assert "NotAttempted" in rule(folded(draft(TASK, ('f = 1; nb.check("04.1", f)',), SOLUTION)))[0]
    assert "folded" in rule(draft(TASK, STUB, SOLUTION))[0]
    assert "tagged solution" in rule(folded(draft(TASK, STUB, SOLUTION[:2])))[0]
    assert "does not pass" in rule(folded(draft(TASK, STUB, SOLUTION), "The book's solution of 04.1: not yet."))[0]
    attempted = folded(draft(TASK, STUB, SOLUTION))
    attempted.notebook.cells[1].outputs = [new_output("stream", text="Exercise 04.1: right.\n")]
    assert "counts as attempted" in rule(attempted)[0]
    assert "no exercises" in rule(replace(draft(TASK), exercises=()))[0]


def test_goals_and_takeaways_match(draft: Make) -> None:
    assert anatomy.takeaways(draft(CARD, "## Takeaways\n\n- a\n- b\n- c")) == []
    assert "3 goals have 2" in anatomy.takeaways(draft(CARD, "## Takeaways\n\n- a\n- b"))[0]
    assert "no section" in anatomy.takeaways(draft(CARD))[0]


def test_the_other_parts_are_there(draft: Make) -> None:
    assert anatomy.has_widget(draft(("w()", "widget"))) == []
    assert anatomy.has_widget(draft(("w()",))) != []
    assert anatomy.what_breaks(draft("## What breaks")) == []
    assert anatomy.what_breaks(draft("What breaks")) != []
    compared = ("x", "nbval-check-output")
    assert anatomy.enough_is_compared(draft(*[compared] * 5)) == []
    assert anatomy.enough_is_compared(draft(*[compared] * 4)) != []


def shown(made: Draft, *given: Any) -> Draft:
    made.notebook.cells[0].outputs = list(given)
    return made


def html(text: str) -> Any:
    return new_output("display_data", data={"text/html": text})


def png(content: str = "AAAA", alt: str = "A curve rises.") -> Any:
    return html(f'<img alt="{alt}" src="data:image/png;base64,{content}">')


def bare_png(**metadata: Any) -> Any:
    """As matplotlib shows its figures: notebooks leave out the words in the metadata."""
    return new_output("display_data", data={"image/png": "AAAA"}, metadata=metadata)


def test_execution_runs_from_one_to_n_without_noise(draft: Make) -> None:
    good = draft(("a",), "text", ("b",))
    assert outputs.executed_in_order(good) == []
    good.notebook.cells[2].execution_count = 3
    assert "[1, 3]" in outputs.executed_in_order(good)[0]
    error = new_output("error", ename="E", evalue="v", traceback=[])
    assert "raised E: v" in outputs.no_errors(shown(draft(("a",)), error))[0]
    noise = new_output("stream", name="stderr", text="a warning\n")
    assert "standard error: a warning" in outputs.no_errors(shown(draft(("a",)), noise))[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("read /home/somebody/data", "absolute path"),
        ("C:\\Users\\x", "absolute path"),
        ("in ~/data", "absolute path"),
        ("at 2026-01-31 12:30", "time stamp"),
        ("<Axes at 0x7f12ab34>", "memory address"),
    ],
)
def test_private_output_is_found(text: str, what: str, draft: Make) -> None:
    for output in (html(text), new_output("stream", text=text)):
        (problem,) = outputs.nothing_private(shown(draft(("a",)), output))
        assert what in problem


def test_public_output_passes(draft: Make) -> None:
    fine = (
        "<p>3/4 and</p><a href='https://a.org/b/c/d'>runs/first/x.png</a> 0x10 "
        "<img src='data:image/png;base64,+/aa/bb/cc='>"
    )
    assert outputs.nothing_private(shown(draft(("a",)), html(fine))) == []


def test_pictures_have_words(draft: Make) -> None:
    rule = outputs.pictures_have_words
    assert rule(shown(draft(("a",)), png(), html('<img alt="A cell"> <svg aria-label="A graph">'))) == []
    for bad in (png(alt=" "), html("<img src='x'>"), html('<img alt="">'), html("<svg>")):
        assert "no a" in rule(shown(draft(("a",)), bad))[0]
    for bad in (bare_png(), bare_png(**{"image/png": {"alt": "A curve rises."}})):
        assert "without alt text" in rule(shown(draft(("a",)), bad))[0]


def test_sizes_are_bounded(draft: Make) -> None:
    assert outputs.pictures_are_small(shown(draft(("a",)), png("A" * 79_000))) == []
    assert "67 KB" in outputs.pictures_are_small(shown(draft(("a",)), png("A" * 90_000)))[0]
    assert outputs.file_is_small(draft(("a",))) == []
    assert "600 KB" in outputs.file_is_small(shown(draft(("a",)), html("x" * 600_000)))[0]


def test_metadata_is_fixed(draft: Make) -> None:
    assert outputs.metadata_is_fixed(draft(("a",), "b")) == []
    bad = draft(("a",), "b")
    bad.notebook.metadata.update({"kernelspec": {"name": "mine"}, "widgets": {}})
    bad.notebook.cells[0].metadata["execution"] = {}
    bad.notebook.cells[1]["id"] = "random"
    assert len(outputs.metadata_is_fixed(bad)) == 4
