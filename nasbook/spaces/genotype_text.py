"""Genotypes read from text: the published form, JSON, and the forms that other repositories print.

    Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), ...)   Liu et al. 2019, and what `str` gives
    genotype = Genotype(...)                          a line of a program or of a log: what stands before it is left out
    normal=[[('sep_conv_3x3', 0), ('skip_connect', 1)], ...]                      nested by node
    normal=[('sep_conv_3x3', 0, 0.21), ...]           a weight behind each pair: the weight is left out
    normal=[('sep_conv_3x3', 2, 0), ...]              operation, target, source
    normal_concat=list(range(2, 6)), np.int64(2)      lists and numbers of such kinds
    connectN=None                                     further fields that hold None

Every other form is refused in one sentence. Nothing in a text is ever evaluated.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nasbook.runtime.errors import UsageError
from nasbook.spaces.genotype import CELL_INPUTS, FIELDS, Genotype, Pair, brief, targets

MARK = "Genotype("
LONGEST = 100_000
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a log
_LISTS, _NUMBERS = ("list", "tuple"), ("int", "float", "int32", "int64", "float32", "float64")
_FORM = (
    "A genotype reads Genotype(normal=[('operation', source), ...], normal_concat=range(2, 6), "
    "reduce=[...], reduce_concat=range(2, 6))"
)


def parse_genotype(text: str) -> Genotype:
    """Read a genotype from its published text form, from JSON, or from another form above.

    Raises:
        UsageError: the text is malformed; the sentence says what was wrong and what is allowed.
    """
    if not isinstance(text, str):
        raise UsageError(f"A genotype is read from text, not from {type(text).__name__}.")
    if len(text) > LONGEST:
        raise UsageError(f"{_FORM}; a text of {len(text)} characters is not one (at most {LONGEST}).")
    fields = _json_fields(text) if text.lstrip().startswith("{") else _call_fields(text)
    fields = {name: value for name, value in fields.items() if name in FIELDS or value is not None}
    unknown, missing = sorted(set(fields) - set(FIELDS)), [name for name in FIELDS if name not in fields]
    if unknown:
        raise UsageError(
            f"The genotype has the unknown field {brief(unknown[0])}: remove it; its fields are {', '.join(FIELDS)}."
        )
    if missing:
        raise UsageError(f"The genotype lacks the field {missing[0]!r}; its fields are {', '.join(FIELDS)}.")
    cells = {kind: _edges(kind, fields[kind]) for kind in ("normal", "reduce")}
    concats = {kind: _numbers(f"{kind}_concat", fields[f"{kind}_concat"]) for kind in cells}
    for kind, edges in cells.items():
        _check_targets(kind, edges, concats[kind])
    normal, reduce = (tuple((edge.name, edge.source) for edge in edges) for edges in cells.values())
    return Genotype(normal, concats["normal"], reduce, concats["reduce"])


@dataclass(frozen=True)
class _Edge:
    """One pair of a cell, with the node that it feeds if the text names the node."""

    name: str
    source: int
    target: int | None = None


def _edges(kind: str, value: Any) -> list[_Edge]:
    """The edges of a cell in the order of their targets, from a flat list or from one list for each node."""
    sentence = (
        f"The genotype's field {kind!r} must list ('operation', source) pairs, flat or in one list for each node."
    )
    if not isinstance(value, list | tuple):
        raise UsageError(sentence)
    if value and all(isinstance(node, list | tuple) and node and not isinstance(node[0], str) for node in value):
        edges = [_edge(pair, sentence, node) for node, pairs in enumerate(value, CELL_INPUTS) for pair in pairs]
    else:
        edges = [_edge(pair, sentence) for pair in value]
    if len({edge.target is None for edge in edges}) > 1:
        raise UsageError(f"The {kind} cell names the target of some of its pairs only: name all, or none.")
    return sorted(edges, key=lambda edge: edge.target or 0)  # stable: the order within a node stays


def _edge(entry: Any, sentence: str, node: int | None = None) -> _Edge:
    match entry:
        case [str(name), int(source)] | [str(name), int(source), float() | None] if type(source) is int:
            return _Edge(name, source, node)
        # An edge leads from a lower to a higher node, so that the order of the two does not matter.
        case [str(name), int(one), int(other)] if type(one) is type(other) is int and node is None:
            return _Edge(name, min(one, other), max(one, other))
    raise UsageError(sentence)


def _check_targets(kind: str, edges: Sequence[_Edge], concat: tuple[int, ...]) -> None:
    """Make sure that the named targets are those that follow from the list's length and the cell's output."""
    named = [edge.target for edge in edges]
    pairs: list[Pair] = [(edge.name, edge.source) for edge in edges]
    if named and named[0] is not None and tuple(named) != targets(pairs, concat):
        raise UsageError(
            f"The {kind} cell feeds its nodes by {', '.join(str(named.count(node)) for node in dict.fromkeys(named))} "
            f"pairs; each node from {CELL_INPUTS} on takes two pairs, or one from every earlier node, and "
            f"{kind}_concat names the last node in the latter case."
        )


def _numbers(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not all(type(number) is int for number in value):
        raise UsageError(f"The genotype's field {name!r} must list node numbers.")
    return tuple(value)


def _json_fields(text: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(text, object_pairs_hook=_unique)
    except UsageError:
        raise
    except (ValueError, RecursionError):  # a number with thousands of digits raises a plain ValueError
        raise UsageError("The genotype starts like JSON but is not a JSON object.") from None
    return value  # starts with a brace, so it is an object


def _unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) < len(items):
        names = [name for name, _ in items]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"The genotype names the field {brief(twice)} twice.")
    return found


def _call_fields(text: str) -> dict[str, Any]:
    call = _call(_alone(text))
    fields: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in fields:
            raise UsageError(f"{_FORM}; this one has a field without a name, or one twice.")
        fields[keyword.arg] = _literal(keyword.arg, keyword.value)
    return fields


def _alone(text: str) -> str:
    """The call alone, without the text before it in the line and without a comma or a full stop after it."""
    text = _COLOURS.sub("", text)
    if text.count(MARK) > 1:
        raise UsageError(f"The text holds {text.count(MARK)} genotypes: give one of them.")
    before, mark, behind = text.partition(MARK)
    if not mark or any(quote in before for quote in "'\""):
        raise UsageError(f"{_FORM}.")
    return mark + behind.rstrip(" \t\r\n,;.")


def _call(text: str) -> ast.Call:
    try:
        with warnings.catch_warnings():  # Python warns about some strings and numbers
            warnings.simplefilter("ignore")
            call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f"{_FORM}: give it alone, up to its closing bracket.") from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise UsageError(f"{_FORM}.")
    return call


def _literal(name: str, node: ast.expr) -> Any:
    try:
        return _value(node)
    except (ValueError, RecursionError):
        raise UsageError(
            f"The genotype's field {brief(name)} must be a plain list or a range, such as range(2, 6)."
        ) from None


def _value(node: ast.expr) -> Any:
    """The value of a literal, of a range, or of a list or a number that is made by a call.

    Raises:
        ValueError: it is something else.
    """
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return node.value
        case ast.List() | ast.Tuple():
            return [_value(each) for each in node.elts]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Call(args=arguments, keywords=[]):
            return _called(_called_name(node.func), [_value(argument) for argument in arguments])
    raise ValueError


def _called(name: str, arguments: list[Any]) -> Any:
    match arguments:
        case [list() as value] if name in _LISTS:
            return value
        case [int() | float() as value] if name in _NUMBERS:
            return value
        case [int(), *more] if name == "range" and len(more) < 3:
            if all(type(bound) is int and abs(bound) < 100 for bound in arguments) and arguments[2:] != [0]:
                return list(range(*arguments))
    raise ValueError


def _called_name(function: ast.expr) -> str:
    """The name of what is called, also as an attribute of a module (np.int64)."""
    match function:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(), attr=name):
            return name
    raise ValueError
