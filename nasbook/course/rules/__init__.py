"""What every chapter holds to, as small functions: cells a reader can take in, one anatomy, clean outputs.

`problems(draft)` lists what a chapter breaks, in sentences; the tests ask for none.
"""

from nasbook.course.rules import anatomy, cells, outputs
from nasbook.course.rules.draft import Draft, Rule

RULES: tuple[Rule, ...] = (*cells.RULES, *anatomy.RULES, *outputs.RULES)


def problems(draft: Draft, rules: tuple[Rule, ...] = RULES) -> list[str]:
    """Every rule that the chapter breaks, one sentence each."""
    return [problem for rule in rules for problem in rule(draft)]


__all__ = ["RULES", "Draft", "Rule", "problems"]
