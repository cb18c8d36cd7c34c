"""The entries of the ledger: studies, and the claims that read their numbers (`data/claims.toml`).

A study is a measurement with its settings and seeds; a claim is one number of it on one side of a threshold.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from nasbook import sizes
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder

ABOVE, BELOW = "above", "below"
_STUDY_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_CLAIM_ID = re.compile(r"(\d\d)\.[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Study:
    """One measurement, made once per seed.

    Args:
        id: names its file of results.
        function: of `nasbook.claims.studies.STUDIES`.
        settings: what the function is handed, as plain JSON values.
        seeds: those that are reported.
        chosen_on: how the settings were chosen, and on which other seeds.
        size: "class" or "paper", where nothing else is asked for.
        sizes: the sizes that it can be measured at.
        accelerator: whether it can run on one; otherwise it is measured on the processor, whatever is asked for.
        corrected: what the package corrected after the book's results of the study were measured, as a sentence. Empty
            if the results are those of the present code.
    """

    id: str
    function: str
    settings: dict[str, Any]
    seeds: list[int]
    chosen_on: str
    size: str = "class"
    sizes: list[str] = field(default_factory=lambda: list(sizes.SIZES))
    accelerator: bool = True
    corrected: str = ""

    def __post_init__(self) -> None:
        if not _STUDY_ID.fullmatch(self.id):
            raise UsageError("a study is named with small letters, digits and hyphens.")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) != len(self.seeds):
            raise UsageError("seeds are whole numbers of at least 0, at least one and each once.")
        unknown = set(self.sizes) - set(sizes.SIZES)
        if unknown or self.size not in self.sizes:
            raise UsageError(f"size is one of sizes, and these are among {' and '.join(sizes.SIZES)}.")
        try:
            plain = json.loads(json.dumps(self.settings, allow_nan=False))
        except (TypeError, ValueError):
            raise UsageError(
                "settings are plain values: text, finite numbers, true, false, lists and tables."
            ) from None
        object.__setattr__(self, "settings", plain)  # compared with what a file of results says


@dataclass(frozen=True)
class Claim:
    """One number of a study, and the side of a threshold on which the lecture has it.

    Args:
        id: chapter, point, word: "06.memory".
        chapter: two digits.
        lecture: where it stands in the lecture.
        statement: one sentence.
        study: whose numbers it reads.
        value: which of them.
        expect: "above" or "below".
        threshold: in the unit of the value.
        unit: of the value; empty for a plain number.
        exact: the measurement is deterministic: no seed changes it, and one is enough.
    """

    id: str
    chapter: str
    lecture: str
    statement: str
    study: str
    value: str
    expect: str
    threshold: float
    unit: str
    exact: bool = False

    def __post_init__(self) -> None:
        match = _CLAIM_ID.fullmatch(self.id)
        if not match or match[1] != self.chapter:
            raise UsageError('the id of a claim is its chapter, a point and a word, like "06.memory" in chapter "06".')
        if self.expect not in (ABOVE, BELOW):
            raise UsageError(f"expect is {ABOVE} or {BELOW}, not {self.expect!r}.")


@dataclass(frozen=True)
class Ledger:
    """All entries.

    Args:
        studies: by id.
        claims: by chapter, and within one in the order of the file.
    """

    studies: Mapping[str, Study]
    claims: tuple[Claim, ...]

    def of_chapter(self, number: str) -> tuple[Claim, ...]:
        """The claims of one chapter.

        Raises:
            UsageError: no claim is of that chapter.
        """
        found = tuple(claim for claim in self.claims if claim.chapter == number)
        if not found:
            known = ", ".join(sorted({claim.chapter for claim in self.claims}))
            raise UsageError(f"No claim is of chapter {number!r}; there are claims of {known}.")
        return found

    def chosen(self, names: Iterable[str]) -> list[Study]:
        """The studies that these ids of claims or of studies name, each once; all of them without any.

        Raises:
            UsageError: an id is neither of a claim nor of a study.
        """
        by_claim = {claim.id: claim.study for claim in self.claims}
        names = list(names) or list(self.studies)
        for name in names:
            if name not in by_claim and name not in self.studies:
                close = get_close_matches(name, [*by_claim, *self.studies], cutoff=0.4)
                hint = f"did you mean {' or '.join(close)}? " if close else ""
                raise UsageError(
                    f"{name!r} is neither a claim nor a study; {hint}`nasbook claims` lists the claims, "
                    f"and the studies are {', '.join(self.studies)}."
                )
        return [self.studies[each] for each in dict.fromkeys(by_claim.get(name, name) for name in names)]

    def values_of(self, study: Study) -> list[str]:
        """The names of the numbers that claims read from a study."""
        return list(dict.fromkeys(claim.value for claim in self.claims if claim.study == study.id))


def load(path: Path | None = None) -> Ledger:
    """Read the entries.

    Args:
        path: another file than the book's own.

    Raises:
        UsageError: the file is missing, is not TOML, or has a wrong entry; the message names the entry.
    """
    path = path or data_folder() / "claims.toml"
    text = files.read_text(path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        raise UsageError(f"{path} is not a readable TOML file: {error}.") from None
    if set(content) - {"study", "claim"} or not _are_tables(content):
        raise UsageError(f"{path} holds tables [study.ID] and [[claim]] and nothing else.")
    studies = {name: _entry(Study, {"id": name, **table}, f"Study {name}") for name, table in _studies(content)}
    claims: dict[str, Claim] = {}
    for place, table in enumerate(content.get("claim", []), start=1):
        claim = _entry(Claim, table, f"Claim {table.get('id', f'number {place}')}")
        if claim.id in claims:
            raise UsageError(f"Claim {claim.id} stands there twice: each id is given once.")
        if claim.study not in studies:
            raise UsageError(f"Claim {claim.id}: there is no study {claim.study!r}; there are {', '.join(studies)}.")
        claims[claim.id] = claim
    return Ledger(studies, tuple(sorted(claims.values(), key=lambda claim: claim.chapter)))


def _are_tables(content: dict[str, Any]) -> bool:
    studies, claims = content.get("study", {}), content.get("claim", [])
    if not isinstance(studies, dict) or not isinstance(claims, list):
        return False
    return all(isinstance(table, dict) for table in (*studies.values(), *claims))


def _studies(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(content.get("study", {}).items())


Entry = TypeVar("Entry", Study, Claim)


def _entry(kind: type[Entry], table: dict[str, Any], place: str) -> Entry:
    """One table as a value of its class, every key checked."""
    types = get_type_hints(kind)
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    for name in needed:
        if name not in table:
            raise UsageError(f"{place}: the key {name} is missing.")
    for name, value in table.items():
        if name not in types:
            raise UsageError(f"{place}: there is no key {name!r}; there are {', '.join(types)}.")
        if not _fits(value, types[name]):
            raise UsageError(f"{place}: {name} is {_WORDS[types[name]]}, not {value!r}.")
    try:
        return kind(**table)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None


_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    float: "a finite number",
    list[int]: "a list of whole numbers",
    list[str]: "a list of texts",
    dict[str, Any]: "a table",
}


def _fits(value: Any, wanted: Any) -> bool:
    if get_origin(wanted) is list:
        return isinstance(value, list) and all(type(item) is get_args(wanted)[0] for item in value)
    if wanted is float:
        return type(value) in (int, float) and abs(value) < float("inf")
    return isinstance(value, get_origin(wanted) or wanted)
