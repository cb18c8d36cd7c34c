"""Random numbers that belong to one purpose and can be stopped, saved and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from nasbook.runtime import values


class RandomStream:
    """All random numbers of one purpose: a generator for explicit draws, and torch's global state for modules.

    Data order, augmentation and architecture samples draw from `generator`. Modules that cannot be handed a generator
    (weight initialisation, drop path, the noise operation) draw from torch's global state; within `stream.scope()` that
    state is this stream's own, and the state from before comes back afterwards. So a search neither disturbs nor
    depends on what else the process draws, and an instrument with a stream of its own changes nothing in the run.

    Args:
        seed: a whole number of at least 0; equal seeds give equal streams.
        device: the device that modules run on (an accelerator has a global state of its own).

    Raises:
        UsageError: the seed is another value.
    """

    def __init__(self, seed: int, *, device: torch.device | str = "cpu") -> None:
        self.device, seed = torch.device(device), values.whole("seed", seed, 0)
        self.generator = torch.Generator().manual_seed(seed)
        with self._preserved():
            torch.random.default_generator.manual_seed(seed)
            if self.device.type == "cuda":
                with torch.cuda.device(self.device):  # the device's own state, be it the first accelerator or not
                    torch.cuda.manual_seed(seed)
            elif self.device.type == "mps":
                torch.mps.manual_seed(seed)
            self._global = self._read()

    @contextmanager
    def scope(self) -> Iterator[torch.Generator]:
        """Let torch's global state be this stream's; yields `generator`."""
        with self._preserved():
            self._write(self._global)
            try:
                yield self.generator
            finally:
                self._global = self._read()

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on from here, as tensors."""
        return {"generator": self.generator.get_state(), **self._global}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.generator.set_state(state["generator"])
        # What a state of another device lacks of this one's stays as it follows from the seed.
        self._global = {name: state.get(name, value) for name, value in self._global.items()}

    def mark(self) -> dict[str, torch.Tensor]:
        """Where the stream stands now, within `scope()`: for `rewind`."""
        return {"generator": self.generator.get_state(), **self._read()}

    def rewind(self, mark: dict[str, torch.Tensor]) -> None:
        """Go back to a mark, within `scope()`: what was drawn since will be drawn again."""
        self.generator.set_state(mark["generator"])
        self._write(mark)

    @contextmanager
    def _preserved(self) -> Iterator[None]:
        before = self._read()
        try:
            yield
        finally:
            self._write(before)

    def _read(self) -> dict[str, torch.Tensor]:
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        elif self.device.type == "mps":
            state["mps"] = torch.mps.get_rng_state()
        return state

    def _write(self, state: dict[str, torch.Tensor]) -> None:
        torch.set_rng_state(state["cpu"])
        if "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"], self.device)
        if "mps" in state:
            torch.mps.set_rng_state(state["mps"])
