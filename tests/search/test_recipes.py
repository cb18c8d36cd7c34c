"""The table of methods: which numbers each reads, and the traps of each in a search of it."""

from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy import special
from torch.nn import functional as F

from nasbook import datasets, selection, sizes, spaces
from nasbook.relaxation import RELAXATIONS
from nasbook.runtime.errors import UsageError
from nasbook.search import HYPERGRADIENTS, RECIPES, Recipe, Search, progressive, recipes
from nasbook.search.perturbation import PERTURBATIONS
from nasbook.search.recipes import READERS, check_numbers
from nasbook.supernet import MixedEdge, edges_of

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
FAMILIES = ("darts", "nas-bench-201", "nas-bench-1shot1")
TINY = {"images": 128, "batch": 32, "channels": 4, "layers": 3, "frozen_epochs": 0, "precision": "float64"}
# What each number may be instead of the value that leaves it out.
ASKED = {
    "early_stop": 1.3,
    "temperature": 5.0,
    "temperature_end": 0.1,
    "anchor_kl": 1e-3,
    "cost_weight": 0.5,
    "unsampled": "ones",
    "partial": 4,
    "partial_end": 2,
    "operations_end": 3,
}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method, space=SPACE, **changes):
    recipe = recipes.get(method)
    numbers = sizes.override(sizes.get("class").of(space.family, method).search, TINY | changes)
    return Search(space, dataset, recipe=recipe, numbers=numbers, derive=selection.derive(recipe.selection))


def mixings(stage):
    """The mixing of every forward pass from now on."""
    seen = []
    stage.supernet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    return seen


def one_outer_step(stage):
    """Takes an outer step; returns alpha before it, and the gradient of the loss at the same draw."""
    alpha = {name: value.detach().clone() for name, value in stage.alpha.items()}
    train, valid = next(stage.weights_batches), next(stage.alpha_batches)
    state = stage.stream.generator.get_state()
    loss = F.cross_entropy(stage.logits(valid[0], stage.mixing()), valid[1])
    gradient = dict(zip(alpha, torch.autograd.grad(loss, list(stage.alpha.values())), strict=True))
    stage.stream.generator.set_state(state)
    stage._outer_step(train, valid)
    return alpha, gradient


def first_adam_step(alpha, gradient, lr):
    """Bias-corrected means of a first step are the gradient and its square."""
    return alpha - lr * gradient / (gradient.abs() + 1e-8)


def test_every_word_of_the_table_is_a_choice_that_exists():
    tables = {
        "relaxation": RELAXATIONS,
        "hypergradient": HYPERGRADIENTS,
        "perturbation": PERTURBATIONS,
        "selection": selection.SELECTIONS,
        "memory": ("all", "active", "partial"),
    }
    for axis, choices in tables.items():
        assert {getattr(recipe, axis) for recipe in RECIPES.values()} <= set(choices)
    numbers = {number.name for number in fields(sizes.SearchNumbers)}
    for name, (axis, words, _) in READERS.items():
        assert name in numbers
        assert set(words) <= set(tables[axis])


@pytest.mark.parametrize("method", list(RECIPES))
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", ["class", "paper"])
def test_the_tables_ask_of_a_method_what_it_does(size, family, method):
    numbers = sizes.get(size).of(family, method).search
    check_numbers(recipes.get(method), numbers)
    progressive.check(numbers)
    assert numbers.frozen_epochs < numbers.epochs
    assert sizes.override(numbers, {}) == numbers  # every one is in its range


@pytest.mark.parametrize("method", list(RECIPES))
@pytest.mark.parametrize("name", list(READERS))
def test_a_number_is_taken_by_its_readers_and_refused_by_all_other_methods(method, name):
    recipe, (axis, words, left_out) = recipes.get(method), READERS[name]
    numbers = sizes.get("class").of("darts").search
    asked = replace(numbers, **{name: ASKED[name]}) if name in ASKED else numbers
    given = () if name in ASKED else (name,)
    if getattr(recipe, axis) in words:
        check_numbers(recipe, asked, given)
        return
    check_numbers(recipe, numbers)
    with pytest.raises(UsageError) as refused:
        check_numbers(recipe, asked, given)
    sentence = str(refused.value)
    assert sentence.startswith(f"Method {method!r} does not read {name}: it belongs to the {axis} {words[0]}")
    assert sentence.endswith(f"and this method's is {getattr(recipe, axis)}.")
    assert sentence.count(".") == 1
    if name in ASKED:  # asked for by name it is refused at any value
        assert getattr(numbers, name) == left_out
        with pytest.raises(UsageError, match=f"does not read {name}"):
            check_numbers(recipe, numbers, (name,))


def test_a_search_refuses_a_number_that_its_method_does_not_read(dataset):
    with pytest.raises(UsageError, match="Method 'darts' does not read temperature"):
        search(dataset, "darts", temperature=5.0)


def test_an_unknown_method_is_refused_with_those_that_run():
    with pytest.raises(UsageError, match=r"Method 'walk' does not run here; there are darts, "):
        recipes.get("walk")
    with pytest.raises(UsageError, match=r"Method 'GDAS' does not run here \(did you mean gdas\?\)"):
        recipes.get("GDAS")
    with pytest.raises(UsageError, match=r"\(did you mean sdarts-rs or sdarts-adv\?\)"):
        recipes.get("sdarts")
    with pytest.raises(UsageError, match=r"\(did you mean sdarts-rs\+pt or sdarts-adv\+pt\?\)"):
        recipes.get("sdarts+pt")


@pytest.mark.parametrize(("method", "stage"), [("pc-darts", 20), ("drnas-progressive", 10), ("snas", 20)])
def test_frozen_epochs_leave_an_epoch_in_each_stage(method, stage):
    numbers = sizes.get("class").of("darts", method).search
    check_numbers(recipes.get(method), replace(numbers, frozen_epochs=stage - 1))
    with pytest.raises(UsageError, match=f"would never move: a stage of this search has {stage} epochs"):
        check_numbers(recipes.get(method), replace(numbers, frozen_epochs=stage))


def test_a_cost_without_a_weight_is_refused():
    recipe, numbers = recipes.get("proxylessnas"), sizes.get("class").of("darts", "proxylessnas").search
    check_numbers(recipe, replace(numbers, cost_weight=0.1), ("cost", "cost_weight"))
    with pytest.raises(UsageError, match="cost says what cost_weight weighs"):
        check_numbers(recipe, numbers, ("cost",))


@pytest.mark.parametrize("method", list(RECIPES))
def test_alpha_is_out_of_reach_of_the_weights_optimiser(dataset, method):
    """Trap 3: SGD would decay it, and clipping "all parameters" would include it."""
    stage = search(dataset, method)
    alpha = {id(value) for value in stage.alpha.values()}
    weights = {id(value) for group in stage.w_optimizer.param_groups for value in group["params"]}
    moved = {id(value) for group in stage.alpha_optimizer.param_groups for value in group["params"]}
    assert moved == alpha
    assert not weights & alpha
    assert not {id(value) for value in stage.supernet.parameters()} & alpha


@pytest.mark.parametrize("method", ["snas", "dsnas"])
def test_a_single_level_method_moves_both_by_one_loss_of_the_training_batch(dataset, method):
    """Trap 15: SNAS and DSNAS never look at alpha's half, and take one backward pass a step."""
    stage = search(dataset, method, alpha_clip=0.0)
    state, data = stage.stream.generator.get_state(), stage.weights_batches.state_dict()
    train = next(stage.weights_batches)
    loss = F.cross_entropy(stage.logits(train[0], stage.mixing()), train[1])
    expected = torch.autograd.grad(loss, stage.alpha["normal"])[0]
    stage.weights_batches.load_state_dict(data)
    stage.stream.generator.set_state(state)
    stage.alpha_batches = None
    seen = mixings(stage)
    stage.step()
    assert len(seen) == 1
    torch.testing.assert_close(stage.alpha["normal"].grad, expected)


@pytest.mark.parametrize("method", ["snas", "dsnas"])
def test_a_single_level_architecture_keeps_every_edge(dataset, method):
    """Trap 15: not two edges a node; DrNAS's run of SNAS is another method, bilevel and with two."""
    stage = search(dataset, method, alpha_scale=1.0)
    cell = SPACE.normal
    chosen = stage.alpha["normal"].argmax(-1).tolist()
    held = {(source, target): name for source, target, name in stage.genotype().edges("normal")}
    assert held == {edge: names[k] for edge, names, k in zip(cell.edges, cell.operations, chosen, strict=True)}
    assert len(search(dataset, "snas-bilevel").genotype().normal) == 4
    assert recipes.get("snas-bilevel").hypergradient == "first-order"


def test_dsnas_multiplies_the_score_of_an_edge_by_its_credit(dataset):
    """Trap 15: by hand from what each edge put out, R_e = sum over cells of <dL/dy_e, y_e>, times (delta - p)."""
    stage = search(dataset, "dsnas", alpha_scale=1.0)
    p = special.softmax(stage.alpha["normal"].detach().numpy(), axis=-1)
    outputs, seen = [], mixings(stage)

    def keep(row, output):
        if output is not None:  # `none` puts nothing out
            output.retain_grad()
            outputs.append((row, output))

    for _, row, edge in stage.supernet.mixed_edges():
        edge.register_forward_hook(lambda _module, _inputs, output, row=row: keep(row, output))
    stage.step()
    (mixing,) = seen
    by_hand = np.zeros((5, 3))
    for row, output in outputs:
        (drawn,) = mixing.active["normal"][row]
        credit = float((output.grad * output.detach()).sum())
        by_hand[row] += credit * (np.eye(3)[drawn] - p[row])
    np.testing.assert_allclose(stage.alpha["normal"].grad.numpy(), by_hand, rtol=1e-8, atol=1e-12)
    assert (np.abs(by_hand).sum(-1) > 0).sum() >= 2


def test_gdas_draws_anew_and_hard_in_both_steps(dataset):
    """Trap 13: the weight step does not train a mixture; its draw is not that of alpha's step."""
    stage = search(dataset, "gdas")
    seen = mixings(stage)
    for _ in range(4):
        stage.step()
    assert len(seen) == 8
    for mixing in seen:
        weights = mixing.weights["normal"]
        assert ((weights == 0) | (weights == 1)).all()
        assert all(len(columns) <= 1 for columns in mixing.active["normal"])
    draws = [mixing.weights["normal"].detach() for mixing in seen]
    assert any(not torch.equal(alpha, w) for alpha, w in zip(draws[::2], draws[1::2], strict=True))


def test_gdas_counts_what_was_not_drawn_as_its_released_cells_do_and_ends_cold(dataset):
    """Trap 13: only the released cell of NAS-Bench-201 adds the zero weights (AutoDL-Projects, search_cells.py)."""
    for size, (family, unsampled) in product(
        ("class", "paper"), (("darts", "nothing"), ("nas-bench-201", "ones"), ("nas-bench-1shot1", "nothing"))
    ):
        numbers = sizes.get(size).of(family, "gdas").search
        assert (numbers.unsampled, numbers.temperature, numbers.temperature_end) == (unsampled, 10.0, 0.1)
    for unsampled in ("ones", "nothing"):
        stage = search(dataset, "gdas", epochs=4, unsampled=unsampled)
        edges = [module for module in stage.supernet.modules() if isinstance(module, MixedEdge)]
        assert {edge.settings.unsampled for edge in edges} == {unsampled}
    found = []
    for stage.epoch in range(4):
        found.append(stage.relaxation.temperature(stage.progress))
    assert found == pytest.approx([10.0, 6.7, 3.4, 0.1])


def test_nasp_takes_the_gradient_at_the_architecture_and_moves_the_continuous_alpha(dataset):
    """Trap 14: Adam's first step by hand from the continuous alpha, then clipped to [0, 1]."""
    stage = search(dataset, "nasp", alpha_lr=0.6, alpha_scale=0.1, alpha_decay=0.0)
    seen = mixings(stage)
    alpha, gradient = one_outer_step(stage)
    weights = seen[-1].weights["normal"].detach()
    assert ((weights == 0) | (weights == 1)).all()
    assert (weights.sum(-1) == 1).sum() == 4  # two edges into each of two nodes
    expected = first_adam_step(alpha["normal"], gradient["normal"], 0.6)
    assert (gradient["normal"] != 0).any(-1).all()  # the edges that it drops get a gradient too
    assert ((expected < 0) | (expected > 1)).any()
    torch.testing.assert_close(stage.alpha["normal"].detach(), expected.clamp(0.0, 1.0))


def test_drnas_decays_its_parameters_and_not_its_concentrations(dataset):
    """Trap 12: L2 on alpha pulls concentrations to one, uniform; on the concentrations it would pull them to zero."""
    stage = search(dataset, "drnas", alpha_decay=0.5, alpha_scale=1.0)
    alpha, gradient = one_outer_step(stage)
    expected = first_adam_step(alpha["normal"], gradient["normal"] + 0.5 * alpha["normal"], stage.numbers.alpha_lr)
    torch.testing.assert_close(stage.alpha["normal"].detach(), expected)


def test_pc_darts_leaves_operations_and_edges_alone_in_its_frozen_epochs(dataset):
    """Trap 11: both."""
    stage = search(dataset, "pc-darts", epochs=2, frozen_epochs=1)
    before = {name: value.detach().clone() for name, value in stage.alpha.items()}
    assert set(before) == {"normal", edges_of("normal")}
    stage.run_epoch(lambda *_: None)
    assert all(torch.equal(stage.alpha[name].detach(), value) for name, value in before.items())
    stage.run_epoch(lambda *_: None)
    assert all((stage.alpha[name].detach() != value).any() for name, value in before.items())


@pytest.mark.parametrize(
    "method", ["snas", "gdas", "dsnas", "drnas", "proxylessnas", "proxylessnas-two-paths", "proxylessnas-r"]
)
def test_random_weights_are_the_same_for_two_things_that_are_compared(dataset, method):
    """Trap 20: two validations of one state, and the losses at two points of one outer step."""
    stage = search(dataset, method)
    assert stage.validate() == stage.validate()
    problem = stage._problem(next(stage.weights_batches), next(stage.alpha_batches))
    w = dict(stage.supernet.named_parameters())
    first, second = (float(problem.outer(w, stage.alpha).detach()) for _ in range(2))
    assert first == second
    stage.mixing()
    fresh = stage._problem(next(stage.weights_batches), next(stage.alpha_batches))
    assert float(fresh.outer(w, stage.alpha).detach()) != first  # another step draws anew


def test_proxylessnas_moves_no_operation_that_it_did_not_sample(dataset):
    """Its table has no momentum of the gradient (beta1 = 0) and no decay: either would move all."""
    for size in ("class", "paper"):
        numbers = sizes.get(size).of("darts", "proxylessnas-two-paths").search
        assert (numbers.alpha_beta1, numbers.alpha_decay) == (0.0, 0.0)
    stage = search(dataset, "proxylessnas-two-paths", alpha_scale=1.0)
    for _ in range(3):
        seen = mixings(stage)
        before = stage.alpha["normal"].detach().clone()
        stage._outer_step(next(stage.weights_batches), next(stage.alpha_batches))
        pairs = torch.tensor(seen[0].active["normal"])
        sampled = torch.zeros(5, 3, dtype=torch.bool).scatter(1, pairs, True)
        after = stage.alpha["normal"].detach()
        assert torch.equal(after[~sampled], before[~sampled])
        p, q = torch.softmax(before, -1), torch.softmax(after, -1)
        torch.testing.assert_close(p[~sampled], q[~sampled])
        assert (after != before).any()


def test_a_new_row_is_plain_darts_unless_it_says_otherwise():
    assert replace(Recipe("mine"), name="darts") == recipes.get("darts")


@pytest.mark.parametrize("space", ["s3", "nas-bench-201"])
def test_a_path_of_nothing_but_none_moves_no_alpha(dataset, monkeypatch, space):
    """With `unsampled` "nothing" the loss of such a path depends on no alpha: its gradient is zero, and no error."""
    searched = spaces.get(space, nodes=2, reduction="fixed") if space == "s3" else spaces.get(space)
    numbers = sizes.override(
        sizes.get("class").of(searched.family, "gdas").search,
        {"epochs": 1, "images": 64, "batch": 32, "channels": 2, "unsampled": "nothing", "alpha_decay": 0.0},
    )
    stage = Search(searched, dataset, recipe=recipes.get("gdas"), numbers=numbers, derive=selection.derive("top-pairs"))
    with torch.no_grad():
        for name, group in searched.groups.items():
            for row, names in enumerate(group.operations):
                stage.alpha[name][row, names.index("none")] = 1e6
    before = {name: values.detach().clone() for name, values in stage.alpha.items()}
    stage.step()
    assert all(torch.equal(stage.alpha[name], before[name]) for name in before)
