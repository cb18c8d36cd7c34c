"""The parts that every chapter has, in the same places."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from nasbook.course.rules.cells import parsed
from nasbook.course.rules.draft import Draft, Rule, tags

if TYPE_CHECKING:
    from nasbook.course.exercises import Exercise

COMPARED = "nbval-check-output"
MAIN_RESULT = "main-result"
SOLUTION = "solution"
WIDGET = "widget"


def front_card(draft: Draft) -> list[str]:
    """The first cell: title as in `book.yml`, 3 to 5 goals, what comes before, minutes, lecture."""
    cells = draft.notebook.cells
    if not cells or cells[0].cell_type != "markdown":
        return ["The first cell must be the front card, in Markdown."]
    card = cells[0].source
    title = f"# {draft.chapter.number}. {draft.chapter.title}"
    found = [] if card.splitlines()[0] == title else [f"The first line must be {title!r}."]
    if not 3 <= len(_bullets(card)) <= 5:
        found.append("The front card must list 3 to 5 goals as bullets.")
    found += [
        f"The front card must say **{part}**."
        for part in ("You will be able to", "Before this:", "Time:", "Lecture:")
        if f"**{part}**" not in card
    ]
    if f"{draft.chapter.minutes} minutes" not in card:
        found.append(f"The front card must say {draft.chapter.minutes} minutes, as book.yml does.")
    return found


def setup_cell(draft: Draft) -> list[str]:
    """The first code cell: at most eight lines that import and open the chapter."""
    first = next((cell for _, cell in draft.code()), None)
    if first is None or f'nb = nasbook.start("{draft.chapter.number}")' not in first.source:
        return [f'The first code cell must open the chapter: nb = nasbook.start("{draft.chapter.number}").']
    lines = sum(1 for line in first.source.splitlines() if line.strip())
    return [] if lines <= 8 else [f"The setup cell has {lines} lines; the limit is 8."]


def prompt_before_main_result(draft: Draft) -> list[str]:
    """A cell tagged `main-result`, and before each one a prediction of its own."""
    mains, asked = draft.tagged(MAIN_RESULT), [place for place, cell in draft.code() if "nb.predict(" in cell.source]
    if not mains:
        return [f"No cell is tagged {MAIN_RESULT}."]
    return [
        f"The main result in cell {main} has no nb.predict(...) of its own before it."
        for before, main in zip([-1, *mains], mains)
        if not any(before < place < main for place in asked)
    ]


def predictions_are_those_of_the_data(draft: Draft) -> list[str]:
    """Each prediction is asked once, in order. If its data have no answer, a later cell reveals the answer once."""
    asked, revealed = (_ids(draft, method) for method in ("predict", "reveal"))
    found = []
    if [name for name, _ in asked] != list(draft.predictions):
        found.append(f"The predictions that are asked are not {', '.join(draft.predictions) or 'none'}, in this order.")
    open_ones = [name for name, question in draft.predictions.items() if question.answer is None]
    if [name for name, _ in revealed] != open_ones:
        found.append(f"The predictions that are revealed are not {', '.join(open_ones) or 'none'}, in this order.")
    places = dict(asked)
    found += [
        f"Prediction {name} is revealed before it is asked." for name, at in revealed if at <= places.get(name, -1)
    ]
    return found


def predictions_hide_their_answers(draft: Draft) -> list[str]:
    """No call in the source contains an answer. A prediction is asked by its id alone."""
    return [
        f"Cell {place} gives a prediction more than its id; question and answer belong in data/predictions."
        for place, cell in draft.code()
        for call in _calls(cell.source, "predict")
        if len(call.args) != 1 or call.keywords or not isinstance(call.args[0], ast.Constant)
    ]


def has_widget(draft: Draft) -> list[str]:
    """At least one cell tagged `widget`."""
    return [] if draft.tagged(WIDGET) else [f"No cell is tagged {WIDGET}."]


def checkpoint(draft: Draft) -> list[str]:
    """A section "Checkpoint" of 3 to 6 questions, compared like any other output."""
    section = draft.section("Checkpoint")
    if section is None:
        return ["There is no section ## Checkpoint."]
    questions = [cell for cell in section if cell.cell_type == "code" and "nb.predict(" in cell.source]
    found = [] if 3 <= len(questions) <= 6 else [f"The checkpoint has {len(questions)} questions; 3 to 6 are asked."]
    if not all(COMPARED in tags(cell) for cell in questions):
        found.append(f"Each question of the checkpoint must be tagged {COMPARED}.")
    return found


def exercises_are_complete(draft: Draft) -> list[str]:
    """Each exercise of the chapter's module: task, level, minutes, two hints, stub, hidden tested solution."""
    if not draft.exercises:
        return [f"Chapter {draft.chapter.number} has no exercises."]
    return [problem for exercise in draft.exercises for problem in _exercise(draft, exercise)]


def what_breaks(draft: Draft) -> list[str]:
    """A section "What breaks"."""
    return [] if draft.section("What breaks") else ["There is no section ## What breaks."]


def takeaways(draft: Draft) -> list[str]:
    """A section "Takeaways" whose bullets answer the goals one to one."""
    section = draft.section("Takeaways")
    if section is None:
        return ["There is no section ## Takeaways."]
    goals, answers = len(_bullets(draft.notebook.cells[0].source)), len(_bullets(section[0].source))
    return [] if goals == answers else [f"{goals} goals have {answers} takeaways; they must match one to one."]


def enough_is_compared(draft: Draft) -> list[str]:
    """At least five cells whose output the tests compare."""
    compared = len(draft.tagged(COMPARED))
    return [] if compared >= 5 else [f"Only {compared} cells are tagged {COMPARED}; at least 5 must be."]


def _calls(source: str, method: str) -> list[ast.Call]:
    """The calls of `nb.METHOD(...)` in a cell, in order."""
    calls = [node for node in ast.walk(parsed(source) or ast.Module([], [])) if isinstance(node, ast.Call)]
    named = [call for call in calls if ast.unparse(call.func) == f"nb.{method}"]
    return sorted(named, key=lambda call: (call.lineno, call.col_offset))


def _ids(draft: Draft, method: str) -> list[tuple[str, int]]:
    """(id, position of the cell) of each prediction that the chapter asks or reveals."""
    return [
        (str(ast.literal_eval(call.args[0])), place)
        for place, cell in draft.code()
        for call in _calls(cell.source, method)
        if call.args and isinstance(call.args[0], ast.Constant)
    ]


def _exercise(draft: Draft, exercise: Exercise) -> list[str]:
    name, cells = f"Exercise {exercise.id}", draft.notebook.cells
    heading = f"### {name} ({exercise.level}, {exercise.minutes} minutes)"
    place = next((at for at, cell in draft.markdown() if heading in cell.source.splitlines()), None)
    if place is None:
        return [f"There is no heading {heading!r}."]
    found = []
    task = cells[place].source.partition(heading)[2].partition("\n### ")[0]
    if len(re.findall(r"<details>\s*<summary>Hint [12]</summary>", task)) != 2:
        found.append(f"{name} must have two folded hints.")
    code = [cell for cell in cells[place:] if cell.cell_type == "code"]
    stubs, solutions = (
        [cell for cell in code if f'nb.{check}("{exercise.id}"' in cell.source] for check in ("check", "check_solution")
    )
    if len(stubs) != 1 or len(solutions) != 1:
        return [*found, f"{name} must have one nb.check in its stub and one nb.check_solution in its solution."]
    return found + _stub_and_solution(name, stubs[0], solutions[0])


def _stub_and_solution(name: str, stub: Any, solution: Any) -> list[str]:
    found = []
    if "nasbook.NotAttempted" not in stub.source and "= ..." not in stub.source:
        found.append(f"The stub of {name} must raise nasbook.NotAttempted.")
    if stub.get("outputs") and f"{name}: not attempted" not in "".join(o.get("text", "") for o in stub.outputs):
        found.append(f"The stub of {name} counts as attempted.")
    if not {SOLUTION, COMPARED} <= set(tags(solution)):
        found.append(f"The solution of {name} must be tagged {SOLUTION} and {COMPARED}.")
    if not solution.metadata.get("jupyter", {}).get("source_hidden"):
        found.append(f"The solution of {name} must be folded (jupyter.source_hidden).")
    if solution.get("outputs") and f"The book's solution of {name.removeprefix('Exercise ')}: right." not in "".join(
        o.get("text", "") for o in solution.outputs
    ):
        found.append(f"The solution of {name} does not pass its check.")
    return found


def _bullets(text: str) -> list[str]:
    return re.findall(r"^- .+$", text, flags=re.MULTILINE)


RULES: tuple[Rule, ...] = (
    front_card,
    setup_cell,
    prompt_before_main_result,
    predictions_are_those_of_the_data,
    predictions_hide_their_answers,
    has_widget,
    checkpoint,
    exercises_are_complete,
    what_breaks,
    takeaways,
    enough_is_compared,
)
