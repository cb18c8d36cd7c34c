"""The search loop: what moves what, the order of steps, exact continuation, instruments that change nothing."""

import math

import pytest
import torch
from torch.nn import functional as F

from nasbook import datasets, sizes, spaces
from nasbook.relaxation import RELAXATIONS, Softmax
from nasbook.runtime.errors import DivergedError, UsageError
from nasbook.search import RECIPES, Recipe, Search, recipes
from nasbook.search.hypergradient import first_order
from nasbook.search.perturbation import PERTURBATIONS
from nasbook.search.schedule import cosine
from nasbook.selection import magnitude
from nasbook.supernet import MixedEdge, Mixing

SMALLEST = {
    "darts": {"layers": 3, "nodes": 2, "reduction": "searched"},
    "nas-bench-201": {"layers": 5, "nodes": None},
    "nas-bench-1shot1": {"layers": 3, "nodes": None},
}
TINY = {"epochs": 2, "images": 256, "batch": 32, "channels": 4, "layers": 3, "stem_stride": 2}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method="darts", space="s2", seed=0, recipe=None, **changes):
    numbers = sizes.override(sizes.get("class").search, TINY | changes)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        dataset,
        recipe=recipe or recipes.get(method),
        numbers=numbers,
        derive=magnitude,
        seed=seed,
    )


def silent(step, steps):
    pass


def run(stage, epochs=None):
    return [stage.run_epoch(silent) for _ in range(epochs or stage.epochs)]


def flat(stage):
    return torch.cat(
        [value.detach().flatten().double() for value in [*stage.supernet.parameters(), *stage.alpha.values()]]
    )


def without_time(records):
    return [{key: value for key, value in record.items() if key not in ("memory_mib", "seconds")} for record in records]


def test_an_epoch_moves_weights_and_alpha_and_is_recorded(dataset):
    stage = search(dataset)
    before = flat(stage)
    (record,) = run(stage, 1)
    assert not torch.equal(flat(stage), before)
    assert set(record) >= {
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_accuracy",
        "alpha",
        "weights",
        "genotype",
    }
    assert 0 <= record["valid_accuracy"] <= 100
    stage.space.parse(record["genotype"])
    torch.testing.assert_close(
        torch.softmax(torch.tensor(record["alpha"]["normal"]), -1), torch.tensor(record["weights"]["normal"])
    )


@pytest.mark.parametrize("method", list(RECIPES))
def test_two_runs_with_one_seed_are_equal(dataset, method):
    first, second, other = search(dataset, method), search(dataset, method), search(dataset, method, seed=1)
    assert without_time(run(first)) == without_time(run(second))
    assert torch.equal(flat(first), flat(second))
    run(other, 1)
    assert not torch.equal(flat(other), flat(first))


@pytest.mark.parametrize("method", list(RECIPES))
@pytest.mark.parametrize("space", spaces.names())
def test_every_method_searches_every_space(dataset, method, space):
    stack = SMALLEST[spaces.family(space)]
    stage = search(dataset, method, space, images=64, epochs=1, channels=2, **stack)
    run(stage)
    stage.space.check(stage.genotype())


@pytest.mark.parametrize("space", ["s2", "s4"])
def test_a_loaded_search_goes_on_bit_for_bit(dataset, space):
    """S4 draws noise at every forward pass, so module-level random numbers have to be resumed too."""
    whole = search(dataset, space=space, epochs=3)
    expected = run(whole, 3)
    first = search(dataset, space=space, epochs=3)
    run(first, 1)
    state = first.state_dict()
    resumed = search(dataset, space=space, epochs=3, seed=0)
    resumed.load_state_dict(state)
    assert without_time(run(resumed, 2)) == without_time(expected[1:])
    assert torch.equal(flat(resumed), flat(whole))


@pytest.mark.parametrize("space", ["s2", "s4"])
def test_measuring_more_often_changes_nothing(dataset, space):
    plain, measured = search(dataset, space=space), search(dataset, space=space)
    run(plain)
    measured.validate()
    run(measured, 1)
    assert measured.validate() == measured.validate()
    measured.genotype()
    run(measured, 1)
    assert torch.equal(flat(plain), flat(measured))


def test_the_process_random_state_neither_matters_nor_changes(dataset):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = search(dataset, space="s4")
    run(first)
    assert torch.equal(torch.rand(1), expected)
    second = search(dataset, space="s4")
    run(second)
    assert torch.equal(flat(first), flat(second))


def test_alpha_belongs_to_its_own_optimiser_alone(dataset):
    """Trap: alpha among the module's parameters would be moved by SGD, decayed and clipped."""
    stage = search(dataset, alpha_lr=0.0)
    alpha = {name: value.detach().clone() for name, value in stage.alpha.items()}
    run(stage, 1)
    assert all(torch.equal(stage.alpha[name], alpha[name]) for name in alpha)
    held = {id(value) for group in stage.w_optimizer.param_groups for value in group["params"]}
    assert not held & {id(value) for value in stage.alpha.values()}
    moved = {id(value) for group in stage.alpha_optimizer.param_groups for value in group["params"]}
    assert moved == {id(value) for value in stage.alpha.values()}


def test_the_alpha_step_does_not_touch_the_weights(dataset):
    stage = search(dataset, w_lr=0.0, w_lr_end=0.0)
    before = [value.detach().clone() for value in stage.supernet.parameters()]
    run(stage, 1)
    assert all(torch.equal(a, b) for a, b in zip(before, stage.supernet.parameters()))


def test_adam_decay_is_l2_in_the_gradient(dataset):
    """Against a hand computation of Adam's first step with L2 added to the gradient (not decoupled)."""
    stage = search(dataset, precision="float64", alpha_decay=0.5, alpha_scale=1.0, w_lr=0.0, w_lr_end=0.0)
    alpha = stage.alpha["normal"].detach().clone()
    train, valid = next(stage.weights_batches), next(stage.alpha_batches)
    loss = F.cross_entropy(stage.logits(valid[0], stage.mixing()), valid[1])
    gradient = torch.autograd.grad(loss, stage.alpha["normal"])[0] + 0.5 * alpha
    stage._outer_step(train, valid)
    expected = alpha - stage.numbers.alpha_lr * gradient / (gradient.abs() + 1e-8)
    torch.testing.assert_close(stage.alpha["normal"].detach(), expected)


@pytest.mark.parametrize(("order", "first"), [("alpha-first", "outer"), ("weights-first", "inner")])
def test_the_order_of_steps_is_an_option(dataset, order, first, monkeypatch):
    stage = search(dataset, order=order)
    calls = []
    outer, inner = stage._outer_step, stage._inner_step
    monkeypatch.setattr(stage, "_outer_step", lambda *batch: (calls.append("outer"), outer(*batch))[1])
    monkeypatch.setattr(stage, "_inner_step", lambda *batch: (calls.append("inner"), inner(*batch))[1])
    run(stage, 1)
    assert calls[:2] == [first, {"outer": "inner", "inner": "outer"}[first]]
    assert len(calls) == 2 * stage.weights_batches.per_epoch


def test_steps_cost_what_they_must(dataset):
    """First order: 2 forward passes an iteration; second order: 5; exact: 3 (methods' own accounting)."""
    for method, forwards in [("darts", 2), ("darts-2nd", 5), ("darts-exact", 3), ("rsps", 1)]:
        stage = search(dataset, method)
        calls = []
        hook = stage.supernet.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        stage.step()
        hook.remove()
        assert len(calls) == forwards, method


def test_no_step_computes_gradients_that_it_throws_away(dataset):
    """In the alpha step no weight gradient is computed (hooks never fire); in the weight step none for alpha."""
    stage = search(dataset)
    fired = []
    for name, value in stage.supernet.named_parameters():
        value.register_hook(lambda gradient, name=name: fired.append(name))
    stage._outer_step(next(stage.weights_batches), next(stage.alpha_batches))
    assert not fired
    for value in stage.alpha.values():
        value.register_hook(lambda gradient: fired.append("alpha"))
    stage._inner_step(next(stage.weights_batches))
    assert "alpha" not in fired
    assert "classifier.weight" in fired


def test_the_first_epoch_uses_the_full_learning_rate_and_each_epoch_its_own(dataset):
    stage = search(dataset, epochs=4)
    rates = [record["w_lr"] for record in run(stage)]
    expected = [0.001 + 0.049 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    assert rates == pytest.approx(expected)
    assert cosine(0.05, 0.001, 1.0) == pytest.approx(0.001)


def test_every_outer_step_sees_another_batch(dataset):
    """Trap: a loader that is started anew each step hands out the same first batch."""
    stage = search(dataset)
    first, second = next(stage.alpha_batches), next(stage.alpha_batches)
    assert not torch.equal(first[0], second[0])
    halves = [set(half.pixels.flatten(1).sum(1).tolist()) for half in (stage.weights_half, stage.alpha_half)]
    assert len(stage.weights_half) == len(stage.alpha_half) == 128
    assert not halves[0] & halves[1]


def test_each_stream_shows_its_own_half(dataset):
    stage = search(dataset)
    streams = ((stage.weights_batches, stage.weights_half), (stage.alpha_batches, stage.alpha_half))
    for batches, half in streams:
        shown = torch.cat([next(batches)[0] for _ in range(batches.per_epoch)])
        own = stage.dataset.normalisation(half.pixels)
        torch.testing.assert_close(shown.double().sum((1, 2, 3)).sort()[0], own.double().sum((1, 2, 3)).sort()[0])


def test_divergence_stops_with_advice(dataset):
    stage = search(dataset, w_lr=1e6, w_lr_end=1e6, clip=1e30, w_momentum=0.99, epochs=20)
    with pytest.raises(DivergedError, match="smaller w_lr"):
        run(stage)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": 10}, "fewer than one batch"),
        ({"images": 10**9}, "images"),
        ({"layers": 6, "stem_stride": 8}, "multiples of 32"),
        ({"layers": 2}, "at least 3 layers"),
    ],
)
def test_refusals_before_anything_runs(dataset, changes, says):
    with pytest.raises(UsageError, match=says):
        search(dataset, **changes)


def test_a_new_row_of_the_table_is_a_method(dataset):
    stage = search(dataset, recipe=Recipe("mine", hypergradient="exact"))
    run(stage, 1)
    assert stage.epoch == 1


class Gumbel(Softmax):
    """A stand-in for the sampling relaxations: a one-hot sample forward, the softmax's gradient backward."""

    def __call__(self, alpha, progress, generator):
        soft, weights, active = self.expected(alpha, progress), {}, {}
        for name, values in soft.items():
            chosen = torch.multinomial(values.detach(), 1, generator=generator)
            hard = torch.zeros_like(values).scatter(1, chosen, 1.0)
            weights[name] = hard - values.detach() + values
            active[name] = tuple(map(tuple, chosen.tolist()))
        return Mixing(weights, active)


class Proximal(Softmax):
    """A stand-in for NASP: one-hot at the largest alpha, identity backward, so every operation runs for alpha."""

    def __call__(self, alpha, progress, generator):
        hard = {name: F.one_hot(value.detach().argmax(1), value.shape[1]).double() for name, value in alpha.items()}
        return Mixing({name: hard[name] + (value - value.detach()) for name, value in alpha.items()})


def test_history_and_genotype_of_a_sampling_relaxation_hold_no_sample(dataset, monkeypatch):
    monkeypatch.setitem(RELAXATIONS, "gumbel", lambda space, *_: Gumbel(space))
    stage = search(dataset, recipe=Recipe("mine", relaxation="gumbel"), alpha_scale=1.0)
    (record,) = run(stage, 1)
    mean = torch.softmax(torch.tensor(record["alpha"]["normal"]), -1)
    torch.testing.assert_close(torch.tensor(record["weights"]["normal"]), mean)
    assert record["genotype"] == str(magnitude(stage.space, {"normal": mean}))


def test_the_weight_step_runs_no_operation_of_weight_zero(dataset, monkeypatch):
    """Alpha's step at a one-hot point still has to run all of them: their weights want a gradient."""
    monkeypatch.setitem(RELAXATIONS, "proximal", lambda space, *_: Proximal(space))
    stage = search(dataset, recipe=Recipe("mine", relaxation="proximal"), alpha_scale=1.0)
    ran = []
    for module in stage.supernet.modules():
        if isinstance(module, MixedEdge):
            for operation in module.operations:
                operation.register_forward_hook(lambda *_: ran.append(1))
    edges = 5 * sum(plan.kind == "normal" for plan in stage.supernet.plans)
    stage._outer_step(next(stage.weights_batches), next(stage.alpha_batches))
    assert len(ran) == 2 * edges
    assert (stage.alpha["normal"].grad != 0).all()
    ran.clear()
    stage._inner_step(next(stage.weights_batches))
    assert len(ran) == edges


def test_a_perturbation_sees_the_loss_in_evaluation_mode_and_leaves_no_trace(dataset, monkeypatch):
    seen = {}

    def ascend(mixing, loss, progress, generator):
        before = {name: value.clone() for name, value in stage.supernet.named_buffers()}
        variables = mixing.map(lambda values: values.clone().requires_grad_())
        value = loss(variables)
        (gradient,) = torch.autograd.grad(value, list(variables.weights.values()), retain_graph=True)
        seen["w"] = torch.autograd.grad(value, list(stage.supernet.parameters()), allow_unused=True)
        seen["modes"] = {module.training for module in stage.supernet.modules()}
        seen["moved"] = any(not torch.equal(before[name], value) for name, value in stage.supernet.named_buffers())
        return mixing.map(lambda values: values + 0.1 * gradient.sign())

    monkeypatch.setitem(PERTURBATIONS, "ascend", lambda numbers: ascend)
    stage = search(dataset, recipe=Recipe("mine", perturbation="ascend"), running=True)
    handed = []
    stage.supernet.register_forward_pre_hook(lambda module, inputs: handed.append((module.training, inputs[1])))
    stage._inner_step(next(stage.weights_batches))
    assert seen["modes"] == {False}
    assert not seen["moved"]
    assert all(gradient is None for gradient in seen["w"])
    assert [training for training, _ in handed] == [False, True]
    moved = handed[1][1].weights["normal"] - handed[0][1].weights["normal"].detach()
    torch.testing.assert_close(moved.abs(), torch.full_like(moved, 0.1))


def test_validation_by_batch_statistics_leaves_the_running_ones_alone(dataset):
    stage = search(dataset, running=True)
    run(stage, 1)
    before = {name: value.clone() for name, value in stage.supernet.state_dict().items()}
    loss, accuracy = stage.validate(batch_statistics=True)
    assert all(torch.equal(before[name], value) for name, value in stage.supernet.state_dict().items())
    assert stage.validate()[0] != loss
    plain = search(dataset, running=False)
    plain.supernet.load_state_dict(
        {name: value for name, value in before.items() if name in plain.supernet.state_dict()}
    )
    with torch.no_grad():
        plain.alpha["normal"].copy_(stage.alpha["normal"])
    assert plain.validate() == pytest.approx((loss, accuracy))


def test_evaluation_mode_uses_running_statistics_and_training_goes_on_in_training_mode(dataset):
    stage = search(dataset, running=True)
    modes = []
    stage.supernet.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    stage.validate()
    assert modes == [False]
    modes.clear()
    stage.step()
    assert modes == [True, True]


def test_a_half_with_one_image_over_can_be_measured(dataset):
    """Two cells' reductions and a stem of stride 2 leave 1x1 maps of 8x8 images: one image has no statistics."""
    digits = datasets.load("digits")
    stage = search(digits, images=2 * (4 * 32 + 1), layers=5)
    assert math.isfinite(stage.validate()[0])


def test_optimisers_and_supernet_are_built_by_the_numbers(dataset):
    numbers = {"w_lr": 0.07, "w_momentum": 0.8, "w_decay": 0.01, "alpha_lr": 0.3, "alpha_decay": 0.2}
    stage = search(dataset, **numbers, alpha_beta1=0.4, alpha_beta2=0.97, running=True)
    (w,), (alpha,) = stage.w_optimizer.param_groups, stage.alpha_optimizer.param_groups
    assert (w["lr"], w["momentum"], w["weight_decay"], w["nesterov"]) == (0.07, 0.8, 0.01, False)
    assert (alpha["lr"], alpha["betas"], alpha["weight_decay"]) == (0.3, (0.4, 0.97), 0.2)
    assert stage.supernet.stem[0].stride == (2, 2)
    assert search(dataset, stem_stride=1).supernet.stem[0].stride == (1, 1)
    assert stage.supernet.cells[0].preprocess.first.norm.running_mean is not None


def test_alpha_is_projected_after_its_step(dataset, monkeypatch):
    class Clipped(Softmax):
        def project(self, alpha, before):
            with torch.no_grad():
                for value in alpha.values():
                    value.clamp_(0.0, 0.001)

    monkeypatch.setitem(RELAXATIONS, "clipped", lambda space, *_: Clipped(space))
    stage = search(dataset, recipe=Recipe("mine", relaxation="clipped"), alpha_lr=0.5)
    stage.step()
    values = stage.alpha["normal"].detach()
    assert ((values == 0.0) | (values == 0.001)).all()


def test_the_weights_gradient_is_clipped(dataset):
    stage = search(dataset, clip=1e-3)
    stage.step()
    squares = sum(value.grad.double().square().sum() for value in stage.supernet.parameters() if value.grad is not None)
    assert squares.sqrt().item() == pytest.approx(1e-3, rel=1e-3)


def test_progress_ends_at_one(dataset):
    stage = search(dataset)
    stage.epoch = stage.epochs + 3
    assert stage.progress == 1.0


@pytest.mark.parametrize("turn", [0, 1])
def test_the_loop_looks_ahead_by_the_step_that_it_then_takes(dataset, turn):
    """With the clip out of reach, w' of the look-ahead is w after the weight step on the same batch."""
    stage = search(dataset, "darts-2nd", precision="float64", clip=1e9, w_decay=0.1, alpha_lr=0.0)
    stage.w_optimizer.param_groups[0]["lr"] = 0.02  # not the first epoch's
    for _ in range(turn):
        stage.step()
    train = next(stage.weights_batches)
    w = dict(stage.supernet.named_parameters())
    loss = stage._loss(train, stage.mixing(), w)
    gradients = dict(zip(w, torch.autograd.grad(loss, list(w.values()))))
    ahead = stage._look_ahead().take({name: value.detach().clone() for name, value in w.items()}, gradients)
    stage._inner_step(train)
    for name, value in w.items():
        torch.testing.assert_close(value.detach(), ahead[name])


def test_the_outer_problem_reads_the_batches_of_its_two_halves(dataset, monkeypatch):
    stage = search(dataset, precision="float64")
    seen = {}

    def spy(problem, w, alpha, look_ahead):
        seen["inner"], seen["outer"] = problem.inner(w, alpha).item(), problem.outer(w, alpha).item()
        return first_order(problem, w, alpha, look_ahead)

    monkeypatch.setattr(stage, "hypergradient", spy)
    train, valid = next(stage.weights_batches), next(stage.alpha_batches)
    losses = {"inner": stage._loss(train, stage.mixing()), "outer": stage._loss(valid, stage.mixing())}
    stage._outer_step(train, valid)
    assert seen == pytest.approx({name: loss.item() for name, loss in losses.items()})


def test_a_search_in_double_precision_starts_from_weights_drawn_in_double_precision(dataset):
    """Drawn in float32 and widened, every weight would be a float32 number, with the last digit of one processor."""
    stage = search(dataset, precision="float64")
    assert torch.get_default_dtype() == torch.float32
    weight = stage.supernet.classifier.weight.detach()
    assert weight.dtype == torch.float64
    assert not torch.equal(weight, weight.float().double())


@pytest.mark.parametrize("axis", ["relaxation", "hypergradient", "perturbation"])
def test_a_mistyped_row_is_refused_and_the_choices_are_listed(dataset, axis):
    with pytest.raises(UsageError, match=f"Recipe 'mine': {axis} 'sofmax' does not exist; there are"):
        search(dataset, recipe=Recipe("mine", **{axis: "sofmax"}))
