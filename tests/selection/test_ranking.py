"""Ranking by shared weights: the scores are the supernet's own accuracies, and the best one wins."""

from dataclasses import replace

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import magnitude, ranking, shared_weight_accuracies
from nasbook.supernet import one_hot


@pytest.fixture(scope="module")
def search():
    numbers = sizes.override(
        sizes.get("class").search, {"epochs": 1, "images": 256, "batch": 32, "channels": 4, "layers": 3}
    )
    space = spaces.get("s1", nodes=2, reduction="fixed")
    data = datasets.load("street_numbers")
    stage = Search(space, data, recipe=recipes.get("rsps"), numbers=numbers, derive=magnitude, seed=3)
    stage.run_epoch(lambda step, steps: None)
    return stage


def test_scores_are_accuracies_counted_by_hand(search):
    genotype = search.space.sample(torch.Generator().manual_seed(0))
    (score,) = shared_weight_accuracies(search, [genotype])
    images = search.dataset.normalisation(search.alpha_half.pixels)
    mixing = one_hot(search.space, genotype).map(torch.Tensor.float)
    right = 0
    with torch.no_grad():
        for batch, labels in zip(images.split(128), search.alpha_half.labels.split(128)):
            right += int((search.supernet(batch, mixing).argmax(1) == labels).sum())
    assert score == pytest.approx(100 * right / len(images))


def test_the_winner_has_the_best_score_of_what_was_drawn(search):
    winner = ranking(search)
    generator = torch.Generator().manual_seed(search.seed)
    drawn = {search.space.sample(generator).canonical() for _ in range(100)}
    scores = dict(zip(drawn, shared_weight_accuracies(search, drawn)))
    assert winner in drawn
    assert scores[winner] == max(scores.values())


def test_scores_do_not_read_running_statistics(search):
    """They are averages over all paths, and fit none (released code of NAS-Bench-201 ranks by them, badly)."""
    numbers = replace(search.numbers, running=True)
    kept = Search(search.space, search.dataset, recipe=search.recipe, numbers=numbers, derive=magnitude, seed=3)
    kept.supernet.load_state_dict(search.supernet.state_dict(), strict=False)
    genotypes = [search.space.sample(torch.Generator().manual_seed(seed)) for seed in range(4)]
    assert shared_weight_accuracies(kept, genotypes) == shared_weight_accuracies(search, genotypes)


def test_scoring_trains_nothing(search):
    before = {name: value.clone() for name, value in search.supernet.state_dict().items()}
    ranking(search)
    assert all(torch.equal(before[name], value) for name, value in search.supernet.state_dict().items())


def test_alpha_never_moves_and_unused_operations_keep_no_gradient(search):
    assert all((value == 0).all() for value in search.alpha.values())
    search.step()
    idle = [name for name, value in search.supernet.named_parameters() if value.grad is None]
    assert idle  # operations outside the path: neither momentum nor decay may touch them


def test_a_foreign_architecture_is_refused(search):
    with pytest.raises(UsageError, match="not in space s1"):
        shared_weight_accuracies(search, [spaces.read("DARTS_V2")])
