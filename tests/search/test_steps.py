"""What one step of each method is: passes, gradients, what runs, when alpha rests, and that no step waits."""

import pytest
import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nasbook import datasets, sizes, spaces
from nasbook.analysis.cost import repeated
from nasbook.analysis.method_cost import most_saved_mib
from nasbook.search import RECIPES, Recipe, Search, progressive, recipes
from nasbook.selection import PerturbationSelection, derive
from nasbook.spaces.operations import Noise

LAYERS = {"darts": 3, "nas-bench-201": 5, "nas-bench-1shot1": 3}
TINY = {"epochs": 2, "images": 64, "batch": 16, "channels": 8, "stem_stride": 2, "frozen_epochs": 0}
TINY |= {"attack_steps": 3}
SINGLE_LEVEL = [name for name, recipe in RECIPES.items() if recipe.hypergradient == "single-level"]
LEARNING = [name for name, recipe in RECIPES.items() if recipe.hypergradient != "none"]


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method="darts", space="s2", recipe=None, **changes):
    """A search by the method's own numbers, but for its size; `space` is a name, or a space of the DARTS family."""
    family = spaces.family(space) if isinstance(space, str) else "darts"
    preset = sizes.get("class").of(family, method).search
    numbers = sizes.override(preset, TINY | {"layers": LAYERS[family]} | changes)
    recipe = recipe or recipes.get(method)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction) if isinstance(space, str) else space,
        dataset,
        recipe=recipe,
        numbers=numbers,
        derive=derive(recipe.selection),
    )


def take(stage, steps=1):
    with stage.stream.scope():
        return [stage.step() for _ in range(steps)]


def copied(tensors):
    return {name: value.detach().clone() for name, value in tensors.items()}


def moved(before, after):
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


@pytest.mark.parametrize("method", list(RECIPES))
@pytest.mark.parametrize("space", ["s4", "nas-bench-201", "nas-bench-1shot1-2"])
def test_every_method_steps_by_its_own_numbers(dataset, method, space):
    stage = search(dataset, method, space, reduction="searched" if space == "s4" else "fixed")
    alpha, weights = copied(stage.alpha), copied(stage.supernet.state_dict())
    results = take(stage, 4 if space.startswith("nas-bench-1shot1") else 2)  # a node that no draw reads learns nothing
    assert all(loss.isfinite() and 0 <= correct <= 16 for loss, correct in results)
    assert moved(weights, stage.supernet.state_dict())
    assert moved(alpha, stage.alpha) == (set(alpha) if method in LEARNING else set())
    assert all(value.isfinite().all() for value in stage.alpha.values())


class Passes:
    """Counts forward passes of a supernet and backward passes of anything."""

    def __init__(self, stage, monkeypatch):
        self.forward = self.backward = 0
        stage.supernet.register_forward_hook(self._ran)
        run_backward, grad = torch.Tensor.backward, torch.autograd.grad
        monkeypatch.setattr(torch.Tensor, "backward", lambda *a, **k: self._went_back(run_backward, *a, **k))
        monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: self._went_back(grad, *a, **k))

    def _ran(self, *_):
        self.forward += 1

    def _went_back(self, function, *arguments, **named):
        self.backward += 1
        return function(*arguments, **named)


PASSES = {  # forward and backward passes of a step
    "darts": (2, 2),
    "darts-2nd": (5, 5),
    "rsps": (1, 1),
    "gdas": (2, 2),
    "proxylessnas": (2, 2),
    "proxylessnas-r": (4 + 1, 2),  # four plays, of which none is differentiated: the score function is
    "nasp": (2, 2),
    "sdarts-rs": (2, 2),
    "sdarts-adv": (2 + 3 + 2, 2 + 3),  # three steps of ascent, then the clean and the attacked loss
    **dict.fromkeys(SINGLE_LEVEL, (1, 1)),
}


@pytest.mark.parametrize("method", list(PASSES))
def test_the_passes_of_a_step(dataset, method, monkeypatch):
    assert SINGLE_LEVEL == ["snas", "dsnas"]
    stage = search(dataset, method)
    passes = Passes(stage, monkeypatch)
    take(stage)
    assert (passes.forward, passes.backward) == PASSES[method]


@pytest.mark.parametrize("clip", [0.0, 1e-3])
@pytest.mark.parametrize("method", SINGLE_LEVEL)
def test_single_level_moves_alpha_by_the_gradient_of_the_training_loss(dataset, method, clip):
    """The loss of the very pass that trains the weights, at the same draw; clipped where that is asked for."""
    stage = search(dataset, method, precision="float64", alpha_clip=clip, clip=1e9)
    train = next(stage.weights_batches)
    before = stage.stream.generator.get_state()
    weights = dict(stage.supernet.named_parameters())
    loss = F.cross_entropy(stage.logits(train[0], stage.mixing()), train[1])
    wanted = torch.autograd.grad(loss, [*stage.alpha.values(), *weights.values()], allow_unused=True)
    norm = torch.stack([value.square().sum() for value in wanted[: len(stage.alpha)]]).sum().sqrt()
    assert norm > 1e-3
    stage.stream.generator.set_state(before)
    stage.steps += 1
    found, _ = stage._joint_step(train)
    torch.testing.assert_close(found, loss.detach())
    for value, expected in zip(stage.alpha.values(), wanted):
        torch.testing.assert_close(value.grad, expected * (clip / norm if clip else 1.0), rtol=1e-4, atol=1e-12)
    for value, expected in zip(weights.values(), wanted[len(stage.alpha) :]):
        assert (value.grad is None) == (expected is None)
        assert expected is None or torch.allclose(value.grad, expected)


def test_the_gradient_of_alpha_is_clipped_in_bilevel_search_too(dataset):
    for clip, says in ((1e-4, 1e-4), (1e9, None)):
        stage = search(dataset, alpha_clip=clip)
        take(stage)
        norm = float(torch.linalg.vector_norm(torch.cat([value.grad.flatten() for value in stage.alpha.values()])))
        assert norm == pytest.approx(says, rel=1e-2) if says else norm > 1e-3


@pytest.mark.parametrize("method", ["darts", "dsnas", "pc-darts", "proxylessnas-r"])
def test_alpha_rests_in_frozen_epochs_and_weights_do_not(dataset, method):
    stage = search(dataset, method, epochs=3, frozen_epochs=2)
    seen = []
    for epoch in range(3):
        stage.epoch = epoch
        alpha, weights = copied(stage.alpha), copied(stage.supernet.state_dict())
        take(stage, 2)
        assert "classifier.weight" in moved(weights, stage.supernet.state_dict())
        seen.append((moved(alpha, stage.alpha), stage.baseline is not None))
    assert seen[:2] == [(set(), False)] * 2
    assert seen[2] == (set(stage.alpha), method == "proxylessnas-r")


@pytest.mark.parametrize("order", ["alpha-first", "weights-first"])
@pytest.mark.parametrize("method", ["darts", "snas"])
def test_alpha_moves_every_so_many_steps_of_the_weights(dataset, method, order):
    stage = search(dataset, method, alpha_every=3, order=order)
    seen = []
    for _ in range(7):
        alpha, weights = copied(stage.alpha), copied(stage.supernet.state_dict())
        take(stage)
        assert "classifier.weight" in moved(weights, stage.supernet.state_dict())
        seen.append(bool(moved(alpha, stage.alpha)))
    assert seen == [False, False, True, False, False, True, False]
    assert stage.steps == 7


@pytest.mark.parametrize("relaxation", ["dirichlet", "gumbel-softmax"])
@pytest.mark.parametrize(("hypergradient", "evaluations"), [("second-order", 4), ("exact", 2)])
def test_all_evaluations_of_one_outer_step_see_one_draw(dataset, relaxation, hypergradient, evaluations):
    """Else a finite difference would compare two draws. The weight step draws anew, and so does the next step."""
    stage = search(dataset, recipe=Recipe("mine", relaxation=relaxation, hypergradient=hypergradient))
    seen = []
    stage.supernet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].weights["normal"].detach()))
    alpha = copied(stage.alpha)
    take(stage, 2)
    assert moved(alpha, stage.alpha) == {"normal"}
    assert len(seen) == 2 * (evaluations + 1)
    for outer in (seen[:evaluations], seen[evaluations + 1 : -1]):
        assert all(torch.equal(outer[0], each) for each in outer)
    distinct = [seen[0], seen[evaluations], seen[evaluations + 1], seen[-1]]
    assert len({tuple(each.flatten().tolist()) for each in distinct}) == 4


@pytest.mark.parametrize(("hypergradient", "evaluations"), [("second-order", 4), ("exact", 2)])
def test_all_evaluations_of_one_outer_step_see_the_same_noise(dataset, hypergradient, evaluations):
    """The noise operation draws from torch's global state, not from the generator."""
    stage = search(dataset, space="s4", recipe=Recipe("mine", hypergradient=hypergradient))
    noise = next(module for module in stage.supernet.modules() if isinstance(module, Noise))
    seen = []
    noise.register_forward_hook(lambda module, inputs, output: seen.append(output.detach().flatten()[:3].tolist()))
    take(stage, 1)
    assert len(seen) == evaluations + 1
    assert all(each == seen[0] for each in seen[:evaluations])
    assert seen[-1] != seen[0]


ALL = 4  # operations of every edge
RUNNING = {  # operations of an edge that run, pass by pass: the outer step's, then the inner step's
    "darts": [ALL, ALL],
    "rsps": [1],
    "snas": [ALL],
    "snas-bilevel": [ALL, ALL],
    "gdas": [1, 1],
    "dsnas": [1],
    "drnas": [ALL, ALL],
    "pc-darts": [ALL, ALL],
    "proxylessnas": [ALL, 1],
    "proxylessnas-two-paths": [2, 1],
    "proxylessnas-r": [1, 1, 1, 1, 1],
    "nasp": [ALL, 1],
    "sdarts-rs": [ALL, ALL],
    "sdarts-adv": [ALL] * 7,
}


@pytest.mark.parametrize("method", list(RUNNING))
def test_what_of_an_edge_runs(dataset, method):
    stage, passes = search(dataset, method, repeated("sep_conv_3x3", ALL, nodes=1)), []
    places = [(place, edge) for place, (_, _, edge) in enumerate(stage.supernet.mixed_edges())]
    stage.supernet.register_forward_pre_hook(lambda *_: passes.append([0] * len(places)))
    for place, edge in places:
        for operation in edge.operations:
            operation.register_forward_hook(lambda *_, at=place: passes[-1].__setitem__(at, passes[-1][at] + 1))
    take(stage)
    assert passes == [[count] * len(places) for count in RUNNING[method]]


GROWS = {"darts": True, "snas": True, "drnas": True} | {
    name: False for name, recipe in RECIPES.items() if recipe.memory == "active"
}


@pytest.mark.parametrize("method", list(GROWS))
def test_the_memory_of_a_sampled_path_does_not_grow_with_the_operations(dataset, method):
    few, many = (_saved(dataset, method, count) for count in (2, 6))
    assert many > 2 * few if GROWS[method] else many == pytest.approx(few, rel=0.01)


def _saved(dataset, method, count):
    stage = search(dataset, method, repeated("sep_conv_3x3", count, nodes=1))
    take(stage)
    owned = [*stage.supernet.parameters(), *stage.supernet.buffers(), *stage.alpha.values()]
    return most_saved_mib(lambda: take(stage), owned)


# Each hands a number, or the size of a result, from the device to the host: an accelerator would have to be waited for.
READS = ("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "_unique2", "bincount")
CALLS = ("item", "tolist", "numpy", "cpu", "__array__", "__bool__", "__float__", "__int__", "__index__")


class Readbacks(TorchDispatchMode):
    """Lists what is read of a search's device tensors, and of all that is computed from them.

    On a processor nothing tells a device's tensor from the host's, so each is followed: those of the supernet and of
    the images are the device's, and so is what any of them enters. Alpha alone is the host's again: its gradient comes
    home, once a step.
    """

    def __init__(self, stage):
        super().__init__()
        half = [
            value for batches in (stage.weights_batches, stage.alpha_batches) for value in vars(batches.images).values()
        ]
        tensors = [value for value in half if isinstance(value, torch.Tensor)]
        self.home = {_place(value) for value in stage.alpha.values()}
        self.kept = {}  # the tensors too, so that no storage is freed and its place taken by another
        self.found = []
        self.follow([*tensors, *stage.supernet.parameters(), *stage.supernet.buffers()])

    def follow(self, values):
        for value in values:
            if isinstance(value, torch.Tensor) and _place(value) not in self.home:
                self.kept[_place(value)] = value

    def holds(self, value):
        return isinstance(value, torch.Tensor) and value.numel() > 0 and _place(value) in self.kept

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        values = tree_leaves((arguments, named))
        touched = [value for value in values if self.holds(value)]
        name = function.overloadpacket.__name__
        masked = name.startswith("index") and any(value.dtype == torch.bool for value in touched)
        if touched and (name in READS or masked):
            self.found.append(name)
        results = function(*arguments, **(named or {}))
        if touched:
            self.follow(tree_leaves(results))
        return results


class Calls(TorchFunctionMode):
    """Adds to a list of readbacks what never reaches a dispatcher, since a processor's memory is read as it is."""

    def __init__(self, readbacks):
        super().__init__()
        self.readbacks = readbacks

    def __torch_function__(self, function, types, arguments=(), named=None):
        name = getattr(function, "__name__", "")
        to_host = name == "to" and "cpu" in [
            value for value in tree_leaves((arguments, named)) if isinstance(value, str)
        ]
        if (name in CALLS or to_host) and self.readbacks.holds(arguments[0]):
            self.readbacks.found.append(name)
        return function(*arguments, **(named or {}))


def _place(value):
    return value.untyped_storage().data_ptr()


def readbacks(stage, steps=2):
    mode = Readbacks(stage)
    with mode, Calls(mode):
        take(stage, steps)
    assert len(mode.kept) > 100  # it followed the step
    return mode.found


@pytest.mark.parametrize("method", list(RECIPES))
def test_no_step_reads_anything_back_from_the_device(dataset, method):
    stage = search(dataset, method, drop_path=0.2, augment=True, running=True)
    stage.epoch = 1  # drop path starts at zero
    alpha = copied(stage.alpha)
    assert readbacks(stage) == []
    assert moved(alpha, stage.alpha) == (set(alpha) if method in LEARNING else set())


def test_nor_does_one_of_the_second_stage_or_one_that_weighs_costs(dataset):
    later = search(dataset, "drnas-progressive", "nas-bench-201")
    progressive.begin(later, progressive.kept(later.space, later.alpha, 3))
    assert readbacks(later) == []
    assert readbacks(search(dataset, "proxylessnas", "s3", cost_weight=1.0, alpha_clip=1.0)) == []
    assert readbacks(search(dataset, "drnas", anchor_kl=1.0, alpha_decay=0.0, order="weights-first")) == []


@pytest.mark.parametrize("method", ["darts+pt", "sdarts-adv+pt", "gdas+pt"])
def test_nor_does_one_between_two_decisions(dataset, method):
    """What is decided is known on the host, and so is what of an edge may be perturbed."""
    stage = search(dataset, method, tuning_steps=1, epochs=1)
    stage.run_epoch(lambda step, steps: None)
    PerturbationSelection(stage).run_epoch(lambda step, steps: None)
    assert readbacks(stage) == []


OFFENCES = {
    "item": lambda loss, correct: loss.item() > 0,
    "truth": lambda loss, correct: 1 if loss > 0 else 0,
    "float": lambda loss, correct: float(loss),
    "int": lambda loss, correct: range(int(correct)),
    "tolist": lambda loss, correct: correct.tolist(),
    "numpy": lambda loss, correct: loss.detach().numpy(),
    "cpu": lambda loss, correct: loss.cpu(),
    "to": lambda loss, correct: loss.to("cpu"),
    "equal": lambda loss, correct: torch.equal(loss, loss + 1),
    "nonzero": lambda loss, correct: (correct + torch.zeros(3)).nonzero(),
    "mask": lambda loss, correct: torch.zeros(1)[correct.reshape(1) > 0],
    "clip": lambda loss, correct: min(2.0, loss),
}


@pytest.mark.parametrize("offence", list(OFFENCES))
@pytest.mark.parametrize("method", ["darts", "dsnas"])
def test_a_step_that_reads_its_loss_is_found_out(dataset, method, offence, monkeypatch):
    stage = search(dataset, method)
    descend = stage._descend

    def reads(train, mixing):
        result = descend(train, mixing)
        OFFENCES[offence](*result)
        return result

    monkeypatch.setattr(stage, "_descend", reads)
    assert readbacks(stage, 1) != []
