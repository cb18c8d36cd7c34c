"""What a step of each method costs: seconds, and the most activations that it holds at once.

A step is the search's own: outer step, inner step, optimisers and all. Second order runs the supernet more often than
first order; a method that samples one path runs a fraction of it (Liu et al. 2019, section 2.3; Cai et al. 2019,
section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from nasbook.analysis.cost import MIB, fastest
from nasbook.datasets import Dataset
from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space


@dataclass(frozen=True)
class MethodCost:
    """The cost of one step of a search.

    Args:
        method: the recipe's name.
        seconds: the least of the repeats.
        saved_mib: the most activations kept for backward passes at one moment of the step, in MiB.
        device_mib: the accelerator's peak during the step, everything counted, in MiB; None on a processor.
    """

    method: str
    seconds: float
    saved_mib: float
    device_mib: float | None


def of_methods(
    methods: Sequence[str],
    space: Space,
    dataset: Dataset,
    *,
    numbers: SearchNumbers,
    repeats: int = 5,
    device: torch.device | str = "cpu",
) -> list[MethodCost]:
    """Measure one step of some methods on one space; the methods take turns.

    Args:
        methods: names of recipes.
        space: the search space.
        dataset: the images.
        numbers: size of the supernet and of the batches.
        repeats: timed steps of each; one more goes before them and is not timed.
        device: where the steps run.

    Raises:
        UsageError: no method, one that does not run here, or fewer than one repeat.
    """
    rows = [recipes.get(name) for name in methods]
    searches = [
        Search(space, dataset, recipe=row, numbers=numbers, derive=magnitude, seed=0, device=device) for row in rows
    ]
    return of_searches(searches, repeats=repeats)


def of_searches(searches: Sequence[Search], *, repeats: int = 5) -> list[MethodCost]:
    """Measure a step of searches that are set up already, such as each by its own method's numbers; they take turns.

    Args:
        searches: on one device; each goes on by the steps that are measured.
        repeats: timed steps of each; one more goes before them and is not timed.

    Raises:
        UsageError: no search, or fewer than one repeat.
    """
    if not searches or repeats < 1:
        raise UsageError("The cost is measured of at least one method, and in at least one repeat.")
    device = searches[0].device
    steps = [_step(search) for search in searches]
    seconds = fastest(steps, repeats, device)
    saved = [most_saved_mib(step, _owned(search)) for step, search in zip(steps, searches, strict=True)]
    peaks = [_device_peak(step, device) for step in steps]
    names = [search.recipe.name for search in searches]
    return [MethodCost(*each) for each in zip(names, seconds, saved, peaks, strict=True)]


def most_saved_mib(step: Callable[[], object], owned: Iterable[Tensor]) -> float:
    """The most activations, in MiB, that are kept for backward passes at any one moment of a step.

    A storage that is saved several times, or as a view, counts once and whole, from when it is first saved to when the
    last graph that holds it is gone.

    Args:
        step: does forward and backward passes.
        owned: tensors that are there anyway and do not count (parameters).
    """
    meter = _Meter({value.untyped_storage().data_ptr() for value in owned})
    with saved_tensors_hooks(meter.pack, lambda held: held.tensor):
        step()
    return meter.most / MIB


class _Meter:
    """Counts the storages that are held now, and remembers the most."""

    def __init__(self, owned: set[int]) -> None:
        self.owned, self.holders, self.now, self.most = owned, dict[int, int](), 0, 0

    def pack(self, tensor: Tensor) -> _Held:
        return _Held(self, tensor)

    def take(self, storage: torch.UntypedStorage) -> None:
        if storage.data_ptr() in self.owned:
            return
        if self.holders.get(storage.data_ptr(), 0) == 0:
            self.now += storage.nbytes()
            self.most = max(self.most, self.now)
        self.holders[storage.data_ptr()] = self.holders.get(storage.data_ptr(), 0) + 1

    def give(self, storage: torch.UntypedStorage) -> None:
        if storage.data_ptr() in self.owned:
            return
        self.holders[storage.data_ptr()] -= 1
        if self.holders[storage.data_ptr()] == 0:
            self.now -= storage.nbytes()


class _Held:
    """A saved tensor that says when its graph lets go of it."""

    def __init__(self, meter: _Meter, tensor: Tensor) -> None:
        self.meter, self.tensor = meter, tensor
        meter.take(tensor.untyped_storage())

    def __del__(self) -> None:
        self.meter.give(self.tensor.untyped_storage())


def _step(search: Search) -> Callable[[], object]:
    def step() -> object:
        with search.stream.scope():
            return search.step()

    return step


def _owned(search: Search) -> list[Tensor]:
    return [*search.supernet.parameters(), *search.supernet.buffers(), *search.alpha.values()]


def _device_peak(step: Callable[[], object], device: torch.device) -> float | None:
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    return devices.memory_mib(device)
