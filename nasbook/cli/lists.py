"""`nasbook methods`, `spaces` and `describe`: lists of methods and spaces, and the cost of an architecture."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from nasbook import sizes
from nasbook.cli.output import AsJson, print_facts, print_json, print_table
from nasbook.runtime.errors import UsageError
from nasbook.sizes import LIMITS

# The published network of the DARTS family for ImageNet (Liu et al. 2019, section 3.3).
IMAGENET = {"image_size": 224, "channels": 48, "layers": 14, "classes": 1000, "stem_stride": 8}


def methods(
    name: Annotated[
        str | None, typer.Argument(help="A method that runs here: print its card.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the methods: published error and cost, which of them search here, and their choice on each axis.

    With the name of one that runs here, its card: what it does and where in the code, how it differs from what was
    published, what was measured. Any name takes "+pt" behind it.
    """
    from nasbook.strategies.methods import AXES, all_methods

    if name is not None:
        from nasbook.course.method_card import method_card

        found = method_card(name)
        print_json(found.row()) if as_json else print(found)
        return
    rows = [method.row() for method in all_methods()]
    if as_json:
        print_json(rows)
    else:
        shown = [dict.fromkeys(AXES) | row for row in rows]
        print_table(shown, ("name", "title", "error_percent", "gpu_days", "runs", *AXES))
        print("Any method that runs here takes +pt behind its name (gdas+pt): selection by perturbation.")


def spaces(as_json: AsJson = False) -> None:
    """List the search spaces as published: operations, edges of a cell, and how many architectures they hold."""
    from nasbook.spaces import TITLES, get

    known = [get(name) for name in TITLES]
    rows = [
        {
            "name": space.name,
            "title": TITLES[space.name],
            "operations": list(space.operations),
            "edges": space.edges,
            "architectures": space.size(),
            "unique": space.unique(),
        }
        for space in known
    ]
    if as_json:
        print_json(rows)
    else:
        counted = [{**row, "operations": len(space.operations)} for row, space in zip(rows, known)]
        print_table(counted, ("name", "title", "operations", "edges", "architectures", "unique"))


def describe(
    genotype: Annotated[str, typer.Argument(help="A published name, the text form, or JSON.", show_default=False)],
    space: Annotated[
        str | None, typer.Option(help="Make sure that the architecture belongs to this space.", show_default=False)
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(
            min=2, max=LIMITS["channels"], help="Channels of a node in the first cells. By default as published."
        ),
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=2, max=LIMITS["layers"], help="Cells of the network. By default as published.")
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            min=2, max=LIMITS["classes"], help="Classes of the data set. By default 10, or 1000 with ImageNet's stem."
        ),
    ] = None,
    image_size: Annotated[
        int, typer.Option(min=1, max=LIMITS["image_size"], help="Height and width of an image, in pixels.")
    ] = 32,
    stem_stride: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many times smaller the stem makes the images. 1 is published for CIFAR-10, and 8 for ImageNet: "
            f"three strides of 2, the default for the DARTS family from {IMAGENET['image_size']} pixels.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count an architecture's parameters and multiply-adds at a width and a depth."""
    from nasbook.spaces import read
    from nasbook.supernet import describe as count

    architecture = read(genotype)
    if space is not None:
        _check_space(architecture, space)
    published = asdict(sizes.get("paper").of(architecture.family).train)
    large = image_size >= IMAGENET["image_size"] if stem_stride is None else stem_stride == IMAGENET["stem_stride"]
    if large and architecture.family == "darts":
        published |= IMAGENET
    numbers = {
        "channels": channels or published["channels"],
        "layers": layers or published["layers"],
        "classes": classes or published.get("classes", 10),
        "stem_stride": stem_stride or published["stem_stride"],
    }
    image = (3, image_size, image_size)
    facts = {"genotype": str(architecture), **count(architecture, image=image, **numbers), **numbers, "image": [*image]}
    if as_json:
        print_json(facts)
    else:
        print_facts(facts)


def _check_space(architecture: Any, name: str) -> None:
    """Make sure that an architecture belongs to a named space, whose cell is made as large as the architecture's."""
    from nasbook.spaces import family, get

    if family(name) == "darts" and architecture.family == "darts":
        reduction = "searched" if architecture.reduce else "fixed"
        get(name, nodes=architecture.nodes("normal"), reduction=reduction).check(architecture)
    elif family(name) == architecture.family:
        get(name).check(architecture)
    else:
        known = get(name)  # refuses a space that does not exist
        raise UsageError(
            f"This architecture is of the family {architecture.family}; space {name} holds those of {known.family}."
        )
