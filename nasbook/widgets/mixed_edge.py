"""One mixed edge to play with: move alpha, see the softmax weights and the picture that comes out of the edge."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ipywidgets as widgets
import numpy as np
import torch
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from nasbook.figures import mixed, style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream
from nasbook.spaces.operations import Normalising
from nasbook.supernet import MixedEdge
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import beside, row

OPERATIONS = ("skip_connect", "max_pool_3x3", "sep_conv_3x3")
LARGEST = 10.0
SIDE = 224  # of the live picture, in pixels of the screen


@dataclass(frozen=True)
class EdgeOutputs:
    """What each operation of an edge makes of some images, computed once.

    Args:
        names: the operations, in the order of alpha.
        images: float64 (images, 3, H, W).
        outputs: float64 (operations, images, 3, H, W); zeros for `none`.
    """

    names: tuple[str, ...]
    images: Tensor
    outputs: Tensor

    @classmethod
    def of(cls, images: Tensor, names: Sequence[str] = OPERATIONS, *, seed: int = 0) -> EdgeOutputs:
        """Run every operation of a supernet's mixed edge, with freshly drawn weights, on normalised images.

        Args:
            images: (images, 3, H, W); batch normalisation uses the statistics of all of them.
            names: the candidate operations.
            seed: draws the weights.

        Raises:
            UsageError: the images have not three channels.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise UsageError(
                f"The edge is shown on colour images (images, 3, height, width), not {tuple(images.shape)}."
            )
        with RandomStream(seed).scope(), torch.no_grad():
            edge = MixedEdge(tuple(names), 3, 1, Normalising(affine=False, running=False)).double()
            outputs = [operation(images.double()) for operation in edge.operations]
        return cls(tuple(names), images.double(), torch.stack(outputs))

    @cached_property
    def limits(self) -> tuple[Tensor, Tensor]:
        """Smallest and largest value of each image's outputs: black and white of its pictures. (images,) each."""
        values = self.outputs.transpose(0, 1).flatten(1)
        return values.amin(1), values.amax(1)


@dataclass(frozen=True)
class MixedEdgeState:
    """What the widget shows: which image, and the architecture parameter of each operation."""

    picture: int
    alpha: tuple[float, ...]

    def __str__(self) -> str:
        return f"picture={self.picture} alpha={','.join(f'{value:g}' for value in self.alpha)}"

    @classmethod
    def parse(cls, text: str) -> MixedEdgeState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form.
        """
        try:
            picture, alpha = (part.split("=")[1] for part in text.split())
            state = cls(int(picture), tuple(float(value) for value in alpha.split(",")))
        except (ValueError, IndexError):
            raise UsageError(f"A state reads like 'picture=0 alpha=0,1.5,-2', not {text!r}.") from None
        if not all(abs(value) <= LARGEST for value in state.alpha):
            raise UsageError(f"Each alpha lies between -{LARGEST:g} and {LARGEST:g}.")
        return state


@dataclass(frozen=True, eq=False)
class MixedEdgeResult:
    """What the edge computes in one state.

    Args:
        weights: softmax of alpha, one an operation.
        output: pixels in [0, 1], (H, W, 3), on the scale of the image's own outputs.
        distances: how far the mixed output is from each operation's own, as root mean square.
    """

    weights: tuple[float, ...]
    output: NDArray[np.float64]
    distances: tuple[float, ...]


def compute(outputs: EdgeOutputs, state: MixedEdgeState) -> MixedEdgeResult:
    """Softmax, weighted sum, distances: no operation runs."""
    weights = torch.softmax(torch.tensor(state.alpha, dtype=torch.float64), dim=0)
    parts = outputs.outputs[:, state.picture]  # (operations, 3, H, W)
    mixture = torch.tensordot(weights, parts, dims=1)  # (3, H, W)
    distances = (parts - mixture).square().mean((1, 2, 3)).sqrt()
    return MixedEdgeResult(tuple(weights.tolist()), _pixels(outputs, state.picture, mixture), tuple(distances.tolist()))


class MixedEdgeSliders(Stateful[MixedEdgeState]):
    """Sliders for alpha, bars for the softmax weights, and the picture that the mixed edge puts out.

    Args:
        outputs: of `EdgeOutputs.of`.
        state: where to begin, as `state()` returned it; all alpha zero on the first image without.

    Raises:
        UsageError: the state is of another form, of another edge, or of an image that is not there.
    """

    state_type = MixedEdgeState

    picture = traitlets.Int(0)
    alpha = traitlets.Tuple()

    def __init__(self, outputs: EdgeOutputs, *, state: str | None = None) -> None:
        self.outputs = outputs
        self._sliders = [_slider(name) for name in outputs.names]
        self._picture = widgets.Dropdown(
            options=[(f"image {index + 1}", index) for index in range(len(outputs.images))],
            description="Image",
            tooltip="Which image goes into the edge",
        )
        double = self._button("Double each α", "One step towards a single operation", self.step)
        nought = (0.0,) * len(outputs.names)
        zero = self._button("All to zero", "Begin again with equal weights", lambda: self.set_trait("alpha", nought))
        self._drawing = widgets.HTML()
        begin = MixedEdgeState(0, nought) if state is None else self._read(state)
        controls = [self._picture, *self._sliders, row([double, zero])]
        super().__init__([beside(controls, self._drawing)], picture=begin.picture, alpha=begin.alpha)
        for index, slider in enumerate(self._sliders):
            slider.observe(lambda change, index=index: self._on_slider(index, change["new"]), names="value")
        self._picture.observe(lambda change: self.set_trait("picture", change["new"]), names="value")
        self.observe(self._redraw, names=["picture", "alpha"])
        self._redraw()

    def step(self) -> None:
        """Double every alpha, or go as far as the sliders do: the largest weight grows."""
        largest = max(abs(value) for value in self.alpha)
        factor = min(2.0, LARGEST / largest) if largest > 0 else 1.0
        self.alpha = tuple(round(factor * value, 1) for value in self.alpha)

    def result(self) -> MixedEdgeResult:
        """What the edge computes now."""
        return compute(self.outputs, self._state())

    def figure(self) -> Picture:
        """Input, the operations' outputs with their weights, and the mixed output, side by side."""
        names, parts, weights = self.outputs.names, self.outputs.outputs[:, self.picture], self.result().weights
        mixture = torch.tensordot(torch.tensor(weights, dtype=torch.float64), parts, dims=1)
        image = self.outputs.images[self.picture]
        return mixed.edge(image, dict(zip(names, parts)), dict(zip(names, weights)), mixture)

    def sentence(self) -> str:
        """The weights in words, and what the mixed output is nearest to."""
        result = self.result()
        weights = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(self.outputs.names, result.weights))
        nearest = self.outputs.names[int(np.argmin(result.distances))]
        return (
            f"A mixed edge on image {self.picture + 1}: the input, what each operation makes of it, and their weighted "
            f"sum. The weights are {weights}; the sum is nearest to the output of {nearest}."
        )

    @traitlets.validate("picture")
    def _check_picture(self, proposal: Any) -> int:
        picture: int = proposal["value"]
        if not 0 <= picture < len(self.outputs.images):
            raise UsageError(f"There are the images 0 to {len(self.outputs.images) - 1}, not {picture}.")
        return picture

    @traitlets.validate("alpha")
    def _check_alpha(self, proposal: Any) -> tuple[float, ...]:
        alpha = tuple(float(value) for value in proposal["value"])
        if len(alpha) != len(self.outputs.names) or not all(abs(value) <= LARGEST for value in alpha):
            raise UsageError(f"alpha is {len(self.outputs.names)} numbers between -{LARGEST:g} and {LARGEST:g}.")
        return alpha

    def _read(self, text: str) -> MixedEdgeState:
        state = MixedEdgeState.parse(text)
        if len(state.alpha) != len(self.outputs.names) or not 0 <= state.picture < len(self.outputs.images):
            raise UsageError(
                f"This edge has {len(self.outputs.names)} operations and the images 0 to "
                f"{len(self.outputs.images) - 1}; the state {text!r} is of another one."
            )
        return state

    def _on_slider(self, index: int, value: float) -> None:
        if self.alpha[index] != value:
            self.alpha = (*self.alpha[:index], value, *self.alpha[index + 1 :])

    def _draw(self, _change: Any = None) -> None:
        for slider, value in zip(self._sliders, self.alpha):
            slider.value = value
        self._picture.value = self.picture
        self._drawing.value = _html(self.outputs, self.result(), self.picture, self.sentence())


def _slider(name: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        min=-LARGEST,
        max=LARGEST,
        step=0.1,
        description=f"α {style.operation(name).label}",
        tooltip=f"The architecture parameter of {name}",
        readout_format=".1f",
        style={"description_width": "6em"},
    )


def _html(outputs: EdgeOutputs, result: MixedEdgeResult, picture: int, words: str) -> str:
    """Bars with names and numbers (colour never alone), the input and the mixed output."""
    rows = "".join(
        f'<tr><td style="padding-right:8px">{html.escape(style.operation(name).label)}</td>'
        f'<td style="width:50%"><div style="width:{100 * weight:.1f}%;min-width:1px;height:12px;'
        f'background:{style.operation(name).colour}"></div></td><td style="padding-left:8px">{weight:.3f}</td></tr>'
        for name, weight in zip(outputs.names, result.weights)
    )
    pictures = "".join(
        f'<figure style="display:inline-block;margin:4px 8px"><img alt="{html.escape(alt)}" width="{SIDE // 2}" '
        f'style="image-rendering:pixelated" src="data:image/png;base64,{_png(pixels)}">'
        f"<figcaption>{label}</figcaption></figure>"
        for label, alt, pixels in (
            ("input", "the input of the edge", _stretched(outputs.images[picture])),
            ("mixed output", words, result.output),
        )
    )
    return f'<div><table style="width:100%;max-width:24em">{rows}</table>{pictures}</div>'


def _png(pixels: NDArray[np.float64]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray((255 * pixels).round().astype(np.uint8)).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _pixels(outputs: EdgeOutputs, picture: int, image: Tensor) -> NDArray[np.float64]:
    """(3, H, W) -> pixels in [0, 1], (H, W, 3), on the scale of all outputs for this picture."""
    low, high = (float(limit[picture]) for limit in outputs.limits)
    return ((image - low) / (high - low)).clamp(0, 1).permute(1, 2, 0).numpy()


def _stretched(image: Tensor) -> NDArray[np.float64]:
    """(3, H, W) -> pixels in [0, 1], (H, W, 3), from the image's smallest to its largest value."""
    return ((image - image.min()) / (image.max() - image.min())).permute(1, 2, 0).numpy()
