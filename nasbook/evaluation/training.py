"""Training a discrete architecture from scratch (Liu et al. 2019, section 3.2; the recipe of the released code)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from nasbook.datasets import Batches, Dataset, Images, in_order
from nasbook.evaluation.trained import state_of
from nasbook.runtime import devices
from nasbook.runtime.errors import DivergedError, UsageError
from nasbook.runtime.random import RandomStream
from nasbook.search.loop import CHECK_EVERY
from nasbook.search.schedule import cosine
from nasbook.sizes import TrainNumbers
from nasbook.spaces import Architecture
from nasbook.supernet import families, loss_with_auxiliary, multiply_adds, parameters
from nasbook.supernet.network import check_auxiliary


class Training:
    """One training in progress: the network, its optimiser and its stream of images.

    Args:
        architecture: of any family.
        dataset: trained on its training images, `numbers.images` of them; tested on its test images.
        numbers: hyperparameters.
        seed: every random number follows from it, the choice of the training images too.
        device: where the network runs.

    Raises:
        UsageError: the images are too few, or of a size that the network cannot halve.
    """

    name = "train"

    def __init__(
        self,
        architecture: Architecture,
        dataset: Dataset,
        *,
        numbers: TrainNumbers,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        check(dataset, numbers, architecture.family)
        self.architecture, self.dataset, self.numbers = architecture, dataset, numbers
        self.device, self.dtype = torch.device(device), getattr(torch, numbers.precision)
        self.epochs, self.epoch = numbers.epochs, 0
        self.stream = RandomStream(seed, device=self.device)
        with self.stream.scope() as generator, devices.precision(self.dtype):
            network = self._build().to(self.device)
            self.network = network.to(memory_format=devices.memory_format(self.dtype))
            images = _draw(dataset.train, numbers.images, generator)
        self.batches = Batches(
            images,
            numbers.batch,
            dataset=dataset,
            generator=self.stream.generator,
            augment=numbers.augment,
            cutout=numbers.cutout,
            device=self.device,
            dtype=self.dtype,
        )
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            numbers.lr,
            numbers.momentum,
            weight_decay=numbers.decay,
            nesterov=numbers.nesterov,
        )

    def run_epoch(self, on_step: Callable[[int, int], None]) -> dict[str, Any]:
        """One pass over the training images, then the accuracy on the validation images where the data set has some.

        Raises:
            DivergedError: the training loss is no longer finite.
        """
        progress = self.epoch / self.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = cosine(self.numbers.lr, 0.0, progress)
        loss = torch.zeros((), device=self.device, dtype=self.dtype)
        correct = torch.zeros((), device=self.device, dtype=torch.long)
        steps = self.batches.per_epoch
        self.network.train()
        with self.stream.scope():
            for step in range(1, steps + 1):
                images, labels = next(self.batches)
                outputs = self.network(images, self.numbers.drop_path * progress)
                step_loss = loss_with_auxiliary(outputs, labels, self.numbers.auxiliary)
                self.optimizer.zero_grad()
                step_loss.backward()
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.numbers.clip or math.inf)
                self.optimizer.step()
                loss += step_loss.detach()
                correct += (outputs[0].argmax(1) == labels).sum()
                if step % CHECK_EVERY == 0 or step == steps:
                    self._check_finite(float(loss))
                on_step(step, steps)
        self.epoch += 1
        record = {
            "train_loss": float(loss) / steps,
            "train_accuracy": 100.0 * int(correct) / (steps * self.numbers.batch),
            "lr": self.optimizer.param_groups[0]["lr"],
        }
        if self.dataset.valid is not None:
            record["valid_loss"], record["valid_accuracy"] = self.measure(self.dataset.valid)
        return record

    def measure(self, images: Images) -> tuple[float, float]:
        """Loss (nats) and accuracy (percent) on images, in evaluation mode."""
        loss, correct = 0.0, 0
        self.network.eval()
        # A noise operation draws at evaluation too: from a stream of its own, the same every time.
        with torch.no_grad(), RandomStream(0, device=self.device).scope():
            for batch, labels in in_order(
                images, 4 * self.numbers.batch, dataset=self.dataset, device=self.device, dtype=self.dtype
            ):
                logits = self.network(batch)
                loss += float(F.cross_entropy(logits, labels, reduction="sum"))
                correct += int((logits.argmax(1) == labels).sum())
        self.network.train()
        return loss / len(images), 100.0 * correct / len(images)

    def result(self) -> dict[str, Any]:
        """Test accuracy (percent), parameters and multiply-adds of the trained network."""
        _, accuracy = self.measure(self.dataset.test)
        return {
            "test_accuracy": accuracy,
            "params": parameters(self.network),
            "macs": multiply_adds(self._build(), self.dataset.image),
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser, random numbers and the place in the data."""
        return {
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stream": self.stream.state_dict(),
            "batches": self.batches.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, bit for bit on a CPU."""
        self.epoch = state["epoch"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.stream.load_state_dict(state["stream"])
        self.batches.load_state_dict(state["batches"])

    def trained(self) -> dict[str, Any]:
        """The network with all that a new image needs, as tensors and plain values (see `evaluation.load`)."""
        return state_of(self.architecture, self.network, self._built_with(), self.dataset)

    def _built_with(self) -> dict[str, Any]:
        return {
            "channels": self.numbers.channels,
            "layers": self.numbers.layers,
            "classes": self.dataset.classes,
            "image_channels": self.dataset.image[0],
            "stem_stride": self.numbers.stem_stride,
            "auxiliary": self.numbers.auxiliary > 0,
        }

    def _build(self) -> nn.Module:
        return families.of(self.architecture).network(self.architecture, **self._built_with())

    def _check_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise DivergedError(
                f"The training loss is no longer finite in epoch {self.epoch + 1}: try a smaller lr "
                f"(now {self.numbers.lr:g}) or a smaller clip (now {self.numbers.clip:g}); "
                "the run folder keeps the last good epoch."
            )


def check(dataset: Dataset, numbers: TrainNumbers, family: str = "darts") -> None:
    """Make sure that a network can be trained on a data set with these numbers, before any long work.

    Args:
        dataset: its images.
        numbers: hyperparameters.
        family: of the architecture.

    Raises:
        UsageError: there are too few images, they are of a size that the network cannot halve, or the family's networks
            have no auxiliary classifier.
    """
    families.FAMILIES[family].check(dataset.image, numbers.stem_stride, numbers.layers)
    if numbers.auxiliary and family != "darts":
        raise UsageError(f"Networks of {family} have no auxiliary classifier: leave auxiliary at 0.")
    if numbers.auxiliary:
        check_auxiliary(dataset.image, numbers.stem_stride)
    count = len(dataset.train) if numbers.images is None else numbers.images
    if count > len(dataset.train):
        raise UsageError(f"{count} training images are asked for; the data set has {len(dataset.train)}.")
    if count < numbers.batch:
        raise UsageError(
            f"There are {count} training images, fewer than one batch of {numbers.batch}: choose a batch of at most "
            f"{count} (--batch; after a search --train-batch)."
        )


def _draw(images: Images, count: int | None, generator: torch.Generator) -> Images:
    if count is None or count == len(images):
        return images
    return images.subset(torch.randperm(len(images), generator=generator)[:count])
