"""The README says what is there: every chapter, every command and option, every file that it shows."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from nasbook.cli import app
from nasbook.course.book import load_book

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^nasbook .*$", README, flags=re.MULTILINE)


def test_the_two_set_up_commands_are_the_only_ones_and_stand_in_both_forms():
    """Windows PowerShell does not know `&&`: there each command is a line of its own."""
    set_up = [("python -m pip install -e .", "nasbook lab"), ('python -m pip install -e ".[test]"', "pytest")]
    found = [line for line in README.splitlines() if line.startswith("python -m pip")]
    assert found == [line for install, then in set_up for line in (f"{install} && {then}", install)]
    blocks = re.findall(r"^```powershell\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    assert [tuple(block.splitlines()) for block in blocks] == set_up


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_exists(line):
    words = shlex.split(line, comments=True)
    command = typer.main.get_command(app).commands[words[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[2:] if word.startswith("--")} <= known


def test_every_chapter_is_listed():
    listed = re.findall(r"\(notebooks/(\w+)\.ipynb\)", README)
    assert listed == [chapter.name for chapter in load_book()]


def test_every_file_that_is_shown_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
