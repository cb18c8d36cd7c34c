"""The help of a command. It lists options under headings and never shortens a name, however narrow the window is."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

OWN = "Options"  # heading of the options that have none
LONGEST = 200  # characters of a command's first sentence


class Command(TyperCommand):
    """A command whose help lists its arguments, then its options by heading (`rich_help_panel`)."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the lists. A long name gets its own line."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                usual = "Arguments" if parameter.param_type_name == "argument" else OWN
                headings.setdefault(getattr(parameter, "rich_help_panel", None) or usual, []).append(record)
        own = headings.pop(OWN)  # --help is the last parameter and belongs to the command's own options
        for heading, records in [*_first(headings), (OWN, own), *headings.items()]:
            with formatter.section(heading):
                formatter.write_dl(records)


class Group(TyperGroup):
    """A group of commands whose help shows the whole first sentence of each command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(LONGEST)) for name, each in commands if each])


def _first(headings: dict[str, list[tuple[str, str]]]) -> list[tuple[str, list[tuple[str, str]]]]:
    return [("Arguments", headings.pop("Arguments"))] if "Arguments" in headings else []
