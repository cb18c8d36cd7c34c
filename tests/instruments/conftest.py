"""Small searches on which everything of this room can be measured, in double precision where digits count."""

import pytest

from nasbook import datasets, sizes, spaces
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

TINY = {"epochs": 2, "images": 128, "batch": 32, "channels": 2, "layers": 3, "stem_stride": 2, "alpha_scale": 0.5}


@pytest.fixture(scope="session")
def dataset():
    return datasets.load("street_numbers")


@pytest.fixture
def make_search(dataset):
    """A function that makes a search of space s2 with two nodes; numbers by name."""

    def make(method="darts", space="s2", *, instruments=None, seed=0, **changes):
        numbers = sizes.override(sizes.get("class").search, TINY | changes)
        return Search(
            spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
            dataset,
            recipe=recipes.get(method),
            numbers=numbers,
            derive=magnitude,
            seed=seed,
            instruments=instruments,
        )

    return make


@pytest.fixture
def exact(make_search):
    """A search in double precision after one epoch: neither weights nor alpha are where they began."""
    search = make_search(precision="float64")
    search.run_epoch(lambda step, steps: None)
    return search
