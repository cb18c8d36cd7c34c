"""A script: how far outputs and gradients of every operation in float32 are from float64, as JSON.

Kernels of the CPU differ by memory layout, number of threads and instruction set, and faults in them may end the
process. So test_gradients.py runs this file in processes of their own.
"""

import copy
import json
import sys
from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor, nn

from nasbook.spaces.operations import NAMES, FactorizedReduce, Normalising, build
from nasbook.supernet.nas_bench_201 import ResidualBlock
from nasbook.supernet.network import AuxiliaryHead
from nasbook.supernet.skeleton import Stem

NORMALISING = Normalising(running=False)
BATCH = 2


def contiguous(images: Tensor) -> Tensor:
    return images.clone()


def channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def first_channels(images: Tensor) -> Tensor:
    """As on an edge with partial channels: a part of the channels of a larger tensor."""
    return channels_last(torch.cat([images, images], dim=1))[:, : images.shape[1]]


LAYOUTS = (contiguous, channels_last, first_channels)


def modules() -> Iterator[tuple[str, nn.Module, tuple[int, int]]]:
    """Name, module, (channels, side): few channels and large maps are where kernels have failed."""
    for channels, side in ((2, 8), (4, 64), (12, 8)):
        for name, stride in product(NAMES, (1, 2)):
            if name != "noise":  # it is drawn
                yield (
                    f"{name} {stride}",
                    build(name, channels, stride, normalising=NORMALISING, pool_norm=True),
                    (channels, side),
                )
        yield "reduction", FactorizedReduce(channels, 20, NORMALISING), (channels, side)
        yield "residual block", ResidualBlock(channels, NORMALISING), (channels, side)
        yield "stem", Stem(channels, 4, 2, False), (channels, side)
    yield "auxiliary head", AuxiliaryHead(4, 3), (4, 8)


def passed(module: nn.Module, images: Tensor, cotangent: Tensor) -> list[Tensor]:
    """The output and the gradients with regard to the images and to each parameter."""
    images = images.requires_grad_() if images.is_leaf else images.detach().requires_grad_()
    wanted = [images, *module.parameters()]
    output = module(images)
    if not output.requires_grad:  # `none`
        return [output]
    return [output.detach(), *torch.autograd.grad(output, wanted, cotangent)]


def error(module: nn.Module, shape: tuple[int, int], layout: Callable[[Tensor], Tensor]) -> float:
    """The largest relative distance of a tensor from the one in float64."""
    channels, side = shape
    images = torch.randn(BATCH, channels, side, side)
    exact = copy.deepcopy(module).double()
    cotangent = torch.randn_like(exact(images.double()), dtype=torch.float32)
    right = passed(exact, images.double(), cotangent.double())
    if layout is not contiguous:
        module = copy.deepcopy(module).to(memory_format=torch.channels_last)
    found = passed(module, layout(images), cotangent)
    largest = max(float(tensor.norm()) for tensor in right)
    return max(
        float((a.double() - b).norm()) / max(float(b.norm()), 1e-3 * largest, 1e-9) for a, b in zip(found, right)
    )


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(int(sys.argv[1]))
    print(
        json.dumps(
            {
                f"{name}, {shape}, {layout.__name__}": error(module, shape, layout)
                for name, module, shape in modules()
                for layout in LAYOUTS
            }
        )
    )
