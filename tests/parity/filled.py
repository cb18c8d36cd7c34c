"""Weights, images and noise that nothing draws, and the numbers that the released codes compute from them.

Weights are filled in the order of the parameters, so a parameter may be renamed.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from nasbook import spaces
from nasbook.supernet import Mixing, Supernet

KNOWN = json.loads(Path(__file__).with_name("constants.json").read_text(encoding="utf-8"))


def fill(parameters: Iterable[Tensor]) -> None:
    """Kernels and matrices get sines of the size of He's start; vectors get 1 + sine / 2."""
    with torch.no_grad():
        for place, value in enumerate(parameters, start=1):
            count = value.numel()
            sine = torch.sin(torch.arange(count, dtype=torch.float64) * 12.9898 + 78.233 * place)
            sine = sine * math.sqrt(2.0 / (count / value.shape[0])) if value.dim() > 1 else 0.5 * sine + 1.0
            value.copy_(sine.reshape(value.shape))


def filled(module: nn.Module) -> nn.Module:
    """The module in training mode, its parameters filled."""
    fill(module.parameters())
    return module.train()


def supernet(name: str, channels: int, layers: int, **more: object) -> Supernet:
    """A filled supernet of the DARTS family with running statistics."""
    return filled(Supernet(spaces.get(name), channels=channels, layers=layers, classes=10, running=True, **more))


def images(count: int, channels: int = 3, side: int = 32) -> Tensor:
    """(count, channels, side, side)."""
    index = torch.arange(count * channels * side * side, dtype=torch.float64)
    return torch.sin(index * 0.37 + 0.01 * index.sqrt()).reshape(count, channels, side, side)


def labels(count: int, classes: int = 10) -> Tensor:
    """(count,), whole numbers."""
    return torch.arange(count) * 7 % classes


def wave(shape: tuple[int, ...], phase: float = 1.0) -> Tensor:
    """Architecture parameters."""
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * 3.7 + phase).reshape(shape)


def uniform(shape: tuple[int, ...], phase: float) -> Tensor:
    """Numbers between 0.05 and 0.95 in the place of uniform noise."""
    return 0.5 + 0.45 * torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * 7.3 + phase).reshape(shape)


def gumbel(shape: tuple[int, ...], phase: float) -> Tensor:
    """Numbers in the place of Gumbel noise."""
    return -torch.log(-torch.log(uniform(shape, phase)))


def alphas(columns: int = 8) -> dict[str, Tensor]:
    """Alpha of both cells."""
    return {"normal": wave((14, columns), 1.0), "reduce": wave((14, columns), 2.0)}


def leaves(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies that take a gradient."""
    return {name: value.clone().requires_grad_() for name, value in values.items()}


def softmax(alpha: dict[str, Tensor]) -> Mixing:
    """The mixing of DARTS."""
    return Mixing({name: torch.softmax(value, -1) for name, value in alpha.items()})


def check(found: Tensor, known: object, tolerance: float = 1e-9) -> None:
    """Compare with a known number or list of numbers, in the order of the elements; kernels may round otherwise."""
    wanted = torch.tensor(known, dtype=torch.float64).flatten()
    size = float(wanted.abs().max())
    torch.testing.assert_close(found.detach().flatten(), wanted, rtol=0.0, atol=tolerance * max(size, 1e-12))
