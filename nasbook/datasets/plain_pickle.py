"""Reads pickled batches of images without unpickling: nothing in the file is imported, called or executed.

A pickle is a program for a small stack machine. `pickletools` splits it into instructions; the machine here knows those
that numbers, texts, lists, dictionaries and NumPy arrays need (protocols 2 to 4, also as Python 2 wrote them), and
builds these by itself. Any other instruction, and any name outside the few below, is refused.
"""

from __future__ import annotations

import pickletools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasbook.runtime.errors import UsageError

_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): "array",
    ("numpy._core.multiarray", "_reconstruct"): "array",
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("_codecs", "encode"): "encode",
    ("__builtin__", "bytes"): "bytes",
}
_PUSHED = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_IGNORED = {"PROTO", "FRAME"}
# A batch of ImageNet16 has about 130,000 labels; each instruction can make an object of up to 100 bytes or so.
_MOST_INSTRUCTIONS = 2_000_000


def read(content: bytes) -> dict[str, Any]:
    """The dictionary that a pickle describes; its arrays become NumPy arrays.

    Raises:
        UsageError: it holds anything else than plain data and arrays, or is damaged.
    """
    try:
        result = _Machine().run(content)
        if not isinstance(result, dict):
            raise UsageError(f"It holds a {type(result).__name__}, not a dictionary.")
        return {_text(key): _finished(value) for key, value in result.items()}
    except UsageError:
        raise
    except Exception as error:  # whatever a damaged program does to the machine
        raise UsageError(f"It is damaged ({type(error).__name__}: {error}).") from None


@dataclass(frozen=True)
class _Name:
    """One of the few names that are known here; it stands for itself and leads to no code."""

    meaning: str


@dataclass(eq=False)
class _Type:
    """A number type, its byte order to come."""

    code: str
    order: str = "|"


@dataclass(eq=False)
class _Array:
    """An array, its content to come."""

    value: np.ndarray[Any, Any] | None = None


class _Machine:
    """The stack, the marks in it, and the memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0  # bytes made from texts; a sound pickle never makes more bytes than its own size
        self.size = 0

    def run(self, content: bytes) -> Any:
        self.size = len(content)
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count == _MOST_INSTRUCTIONS:
                raise UsageError(f"It has more than {_MOST_INSTRUCTIONS:,} instructions.")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _PUSHED:
                self.stack.append(argument)
            elif opcode.name in _CONSTANTS:
                self.stack.append(_CONSTANTS[opcode.name])
            elif opcode.name not in _IGNORED:
                step = getattr(self, f"_do_{opcode.name.lower()}", None)
                if step is None:
                    raise UsageError(f"It holds the instruction {opcode.name}, which plain data does not need.")
                step(argument)
        raise UsageError("It ends too early.")

    def _do_mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def _do_empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def _do_empty_list(self, _: Any) -> None:
        self.stack.append([])

    def _do_empty_tuple(self, _: Any) -> None:
        self.stack.append(())

    def _do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self._since_mark()))

    def _do_tuple1(self, _: Any) -> None:
        self.stack.append(tuple(self._last(1)))

    def _do_tuple2(self, _: Any) -> None:
        self.stack.append(tuple(self._last(2)))

    def _do_tuple3(self, _: Any) -> None:
        self.stack.append(tuple(self._last(3)))

    def _do_append(self, _: Any) -> None:
        self._extend(self._last(1))

    def _do_appends(self, _: Any) -> None:
        self._extend(self._since_mark())

    def _do_setitem(self, _: Any) -> None:
        self._set(self._last(2))

    def _do_setitems(self, _: Any) -> None:
        self._set(self._since_mark())

    def _do_binput(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    _do_long_binput = _do_binput

    def _do_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _do_binget(self, place: int) -> None:
        self.stack.append(self.memo[place])

    _do_long_binget = _do_binget

    def _do_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._name(module, name)

    def _do_stack_global(self, _: Any) -> None:
        module, name = self._last(2)
        self._name(module, name)

    def _do_reduce(self, _: Any) -> None:
        name, arguments = self._last(2)
        match (name, arguments):
            case (_Name("array"), (_Name("ndarray"), (0,), _)):
                self.stack.append(_Array())
            case (_Name("dtype"), (str(code), *_)) if re.fullmatch(r"b1|[iu][1248]|f[248]", code):
                self.stack.append(_Type(code))
            case (_Name("encode"), (str(text), "latin1")):  # how protocol 2 writes bytes
                self.stack.append(self._copied(text))
            case (_Name("bytes"), ()):
                self.stack.append(b"")
            case _:
                raise UsageError("It makes an object that is neither plain data nor an array of numbers.")

    def _do_build(self, _: Any) -> None:
        (state,) = self._last(1)
        match (self.stack[-1], state):
            case (_Type() as kind, (int(), ("<" | ">" | "|" | "=" | b"<" | b">" | b"|" | b"=") as order, *_)):
                kind.order = _text(order)
            case (_Array() as array, (1, tuple(shape), _Type() as kind, bool(fortran), str() | bytes() as raw)) if all(
                type(side) is int and side >= 0 for side in shape
            ):
                raw = self._copied(raw) if isinstance(raw, str) else raw  # Python 2 wrote bytes as text
                values = np.frombuffer(raw, np.dtype(kind.order + kind.code))
                array.value = values.reshape(shape, order="F" if fortran else "C")
            case _:
                raise UsageError("It sets the state of an object that is not an array of numbers.")

    def _name(self, module: str, name: str) -> None:
        if (module, name) not in _NAMES:
            raise UsageError(f"It refers to {module}.{name}, which plain data does not need.")
        self.stack.append(_Name(_NAMES[module, name]))

    def _last(self, count: int) -> list[Any]:
        taken = self.stack[-count:]
        del self.stack[-count:]
        if len(taken) < count:
            raise UsageError("It takes more than there is.")
        return taken

    def _since_mark(self) -> list[Any]:
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def _extend(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise UsageError("It appends to something that is not a list.")
        self.stack[-1].extend(values)

    def _set(self, pairs: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise UsageError("It sets an item of something that is not a dictionary.")
        if not all(isinstance(key, str | bytes) for key in pairs[::2]):  # the hash of a deep tuple overflows the stack
            raise UsageError("It holds a dictionary whose keys are not texts.")
        self.stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))

    def _copied(self, text: str) -> bytes:
        self.copied += len(text)
        if self.copied > self.size:
            raise UsageError("It copies its texts again and again, which plain data never does.")
        return text.encode("latin1")


def _finished(value: Any) -> Any:
    if isinstance(value, _Array):
        if value.value is None:
            raise UsageError("It holds an array without content.")
        return value.value
    if isinstance(value, _Name | _Type):
        raise UsageError("It holds a value that is neither plain data nor an array of numbers.")
    return value


def _text(value: str | bytes) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else value
