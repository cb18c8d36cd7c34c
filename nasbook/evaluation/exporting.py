"""Trained networks in the formats of other programs."""

from __future__ import annotations

import importlib.util
import io
import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nasbook.evaluation.trained import Trained
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError

FACTS = "nasbook.json"  # the name of the facts inside an exported program
PER_CHANNEL = "divide pixels by 255, subtract the mean of each channel, divide by its std"
PER_IMAGE = (
    "divide pixels by 255, subtract from each channel its mean in the image, divide by the std of what is left (one "
    "for all channels)"
)
ONNX_PACKAGES = ("onnx", "onnxscript")


def facts(trained: Trained) -> dict[str, Any]:
    """What a user of the exported network must know: its input, the normalisation of pixels, and its classes."""
    mean, std = trained.normalisation.mean, trained.normalisation.std
    return {
        "architecture": str(trained.architecture),
        "input": ["batch", *trained.image],
        "precision": str(trained.dtype).removeprefix("torch."),
        "normalisation": PER_IMAGE if mean is None else PER_CHANNEL,
        "mean": mean and list(mean),
        "std": std and list(std),
        "class_names": list(trained.class_names),
    }


def export(trained: Trained, path: Path) -> Path:
    """Write a trained network to a file, in the format that the file's name ends with.

    Args:
        trained: the network.
        path: `.pt2` for a program of `torch.export`, `.onnx` for ONNX, `.pt` or `.pth` for the weights alone (a
            `state_dict`). The first two take normalised images (N, channels, height, width) for any N, and give logits.

    Raises:
        UsageError: there is no such format, it needs a package that is not installed, or the file cannot be written.
    """
    path = Path(path)
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise UsageError(f"A network is exported to a file that ends in {', '.join(FORMATS)}, not to {path.name!r}.")
    content = write(trained)
    try:
        files.write_bytes(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _program(trained: Trained) -> torch.export.ExportedProgram:
    example = torch.zeros(2, *trained.image, dtype=trained.dtype)
    batch = torch.export.Dim("batch", min=1)
    return torch.export.export(trained.network, (example,), dynamic_shapes={"images": {0: batch}})


def _pt2(trained: Trained) -> bytes:
    buffer = io.BytesIO()
    torch.export.save(_program(trained), buffer, extra_files={FACTS: json.dumps(facts(trained))})
    return buffer.getvalue()


def _onnx(trained: Trained) -> bytes:
    missing = [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"ONNX needs {' and '.join(missing)}: `python -m pip install {' '.join(missing)}`.")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        whole = Path(folder) / "network.onnx"
        exported: Any = torch.onnx.export(_program(trained), dynamo=True, verbose=False)
        exported.model.metadata_props[FACTS] = json.dumps(facts(trained))
        exported.save(whole, external_data=False)
        return whole.read_bytes()


def _state(trained: Trained) -> bytes:
    buffer = io.BytesIO()
    torch.save(trained.network.state_dict(), buffer)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[Trained], bytes]] = {".pt2": _pt2, ".onnx": _onnx, ".pt": _state, ".pth": _state}
