# %% [markdown]
# # 06. DARTS from end to end
#
# *Search, derive, retrain: the whole method on real images, with the controls that many papers left out.*
#
# **You will be able to**
#
# - run a DARTS search and read its architecture parameters over the epochs
# - derive a cell by the top-2 rule, and say what part `none` plays in it
# - measure the accuracy that is lost between the supernet and one architecture with the same weights
# - judge a searched cell against a random one and against simple hand-made ones
# - say what K operations on an edge cost in time and in memory
#
# **Before this:** chapters 04 and 05. **Time:** about 75 minutes in class, under a minute and a half of computing.
#
# **Lecture:** DARTS.

# %%
import torch

import nasbook
from nasbook import datasets, experiment, figures, sizes, spaces
from nasbook.figures import costs, ranks, searches
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

nb = nasbook.start("06")

# %% [markdown]
# ## A cell that nobody drew
#
# This is the normal cell that Liu, Simonyan and Yang published in 2019. A network of twenty cells, two of them its
# reduction cell, made 2.76 % errors on CIFAR-10, about as few as the best cells of the day; but those had taken
# thousands of GPU-days to find, and its search took about one. By the end of the chapter you have made one of your own,
# every step in the open.

# %%
figures.cell(spaces.read("DARTS_V2"))

# %% [markdown]
# ## Search
#
# DARTS puts together what you know. The supernet mixes the operations of every edge with the softmax of $\alpha$
# (chapter 04), and two steps alternate (chapter 05):
#
# $$\alpha \leftarrow \alpha - \eta_\alpha \nabla_\alpha L_{\mathrm{val}}(w, \alpha), \qquad
# w \leftarrow w - \eta_w \nabla_w L_{\mathrm{train}}(w, \alpha). \tag{6.1}$$
#
# The training images are split in two halves: one teaches the weights, the other teaches $\alpha$. This is first-order
# DARTS, in plain gradient steps; as published, Adam takes the step on $\alpha$ and SGD with momentum that on $w$. The
# outer step of the package is short enough to read here. (`_problem` holds the two losses, `_move_alpha` takes Adam's
# step, and a `reward` only the methods of chapter 12 have.)

# %%
nasbook.source(Search._outer_step)

# %% [markdown]
# We search in `s3`: an edge holds `none`, a skip connection or a separable convolution. The space is small on purpose:
# it takes seconds, and everything that matters happens in it.

# %% tags=["nbval-check-output"]
space = spaces.get("s3", nodes=nb.preset.search.nodes, reduction=nb.preset.search.reduction)
data = datasets.load(nb.preset.data)
numbers = sizes.override(nb.preset.search, {"epochs": nb.preset.search.epochs // 2})
for_weights, for_alpha = datasets.bilevel_halves(data, images=numbers.images, seed=1)
nb.show(
    architectures=space.size(),
    images_for_the_weights=len(for_weights),
    images_for_alpha=len(for_alpha),
    epochs=numbers.epochs,
    alpha={name: cell.shape for name, cell in space.groups.items()},
)

# %% [markdown]
# A list of architectures as short as this could be tried out one by one. The space of the published cell holds about
# $10^{18}$; the search works the same way in both.

# %%
nb.predict("06.1")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder

darts = recipes.get("darts")
first = Search(
    space, data, recipe=darts, numbers=numbers, derive=magnitude, seed=1, device=nb.device
)
history = drive(first, RunFolder(None, {}), [nb.progress])
weights = {name: values.detach() for name, values in first.mixing().weights.items()}
largest = [
    names[place]
    for names, place in zip(space.normal.operations, weights["normal"].argmax(1).tolist())
]
nb.show(
    epochs=len(history), none_is_the_largest_on_most_edges=largest.count("none") > len(largest) / 2
)

# %% [markdown]
# The supernet learns: its accuracy on the validation half, which never touches the weights, rises from chance to
# several times that. It also learns its training half nearly by heart; the distance between the curves is over-fitting.

# %%
searches.curves(history)

# %% [markdown]
# Architecture parameters over time, one map an edge: each row an operation, each column an epoch. Red has grown, blue
# has shrunk.

# %%
searches.weights_over_epochs(history, space, what="alpha")

# %% [markdown]
# After the softmax, averaged over the edges:

# %%
searches.mean_weights(history, space)

# %% [markdown]
# `none` takes most of the weight. It adds zeros, so its weight only turns down the whole edge; and the batch
# normalisation of the next cell mostly undoes what all edges are turned down by in common. So a large `none` does not say
# that the edge is useless. Why it grows rather than stays is not shown by one run; a likely reason is the over-fitting
# above: to the validation loss every operation looks too loud.

# %% [markdown]
# ## Derive the cell
#
# The rule of the paper, for every node:
#
# 1. score each incoming edge by its largest weight *other than that of `none`*;
# 2. keep the two edges with the best scores;
# 3. on each, keep the operation that gave the score.
#
# `none` is excluded from the choice but has taken part in the softmax: on an edge where it is large, all others are
# small. So it still has a say about which *edges* are kept, but not about their operations. The last node's edges:

# %%
node = space.normal.nodes[-1]
for edge in space.normal.into(node):
    row = dict(zip(space.normal.operations[edge], weights["normal"][edge].tolist()))
    best = max(space.normal.choices(edge), key=row.get)
    source = space.normal.edges[edge][0]
    print(f"edge {source} → {node}: score {row[best]:.3f} by {best}   (none has {row['none']:.3f})")

# %% [markdown]
# The two largest scores stay. The package does this for every node; the drawing shows all operations as wide as their
# weights, and the kept ones in full colour.

# %% tags=["nbval-check-output"]
genotype = magnitude(space, weights)
nb.show(
    kept_edges=len(genotype.normal),
    holds_none=genotype.count("none") > 0,
    two_edges_into_each_node=[
        sum(target == each for _, target, _ in genotype.edges("normal"))
        for each in space.normal.nodes
    ],
    is_what_the_history_says=str(genotype) == history[-1]["genotype"],
)

# %%
figures.cell(space, weights=weights, highlight=genotype)

# %% [markdown]
# ## The discretisation gap
#
# The weights were trained with the mixture. Now run the derived cell *inside the same supernet, with the same weights*:
# its operations get weight one, nothing else runs.

# %%
nb.predict("06.2")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.supernet import one_hot

mixture, discrete = first.validate()[1], first.validate(one_hot(space, genotype))[1]
chance = 100 / data.classes
nb.show(
    falls_by_more_than_five_points=mixture - discrete > 5,
    mixture_is_twice_chance=mixture > 2 * chance,
)

# %% [markdown]
# The difference is the **discretisation gap**. The weight of the mixture was spread over all operations, `none`
# included, and derivation moves it in one jump. So the accuracy of the supernet, which the search improves, is not the
# accuracy of what comes out. How much of it comes back when the cell is trained on its own?
#
# ## Retrain, with controls
#
# The derived cell gets fresh weights and a training of its own. A number alone says nothing; so other cells are trained
# in exactly the same way:
#
# - two **random** cells, drawn from the same space: what if we had not searched?
# - a cell of **convolutions** only: what would a person try first?
# - a cell of **skip connections** only: how bad can it get?

# %%
nb.predict("06.3")


# %%
def filled(operation):
    """The cell that has one operation everywhere, from the two inputs."""
    pairs = tuple((operation, source) for _ in space.normal.nodes for source in (0, 1))
    return space.genotype(dict.fromkeys(space.groups, pairs))


cells = {
    "searched": [genotype],
    "random, two cells": [space.sample(torch.Generator().manual_seed(seed)) for seed in (1, 2)],
    "convolutions": [filled("sep_conv_3x3")],
    "skips": [filled("skip_connect")],
}
nb.show(
    "convolutions in each cell:",
    {name: [cell.count("sep_conv_3x3") for cell in cells[name]] for name in cells},
)

# %% tags=["main-result", "nbval-check-output"]
request = {
    "data": data,
    "size": nb.size,
    "seed": 1,
    "device": nb.device.type,
    "listeners": [nb.progress],
}
fit = {"epochs": nb.preset.train.epochs // 2}
accuracy = {
    name: [experiment.train(cell, numbers=fit, **request).result["test_accuracy"] for cell in group]
    for name, group in cells.items()
}
searched, convolutions, skips = (
    accuracy[name][0] for name in ("searched", "convolutions", "skips")
)
nb.show(
    searched_beats_its_one_hot_in_the_supernet=searched > discrete + 5,
    convolutions_beat_skips=convolutions > skips + 10,
    searched_beats_skips=searched > skips + 5,
)

# %%
ranks.bars(
    {"supernet, mixture": [mixture], "supernet, one-hot": [discrete]} | accuracy,
    ylabel="accuracy (%)",
)

# %%
difference = searched - sum(accuracy["random, two cells"]) / 2
nb.reveal("06.3", 0 if difference > 10 else 1 if difference >= -10 else 2)

# %% [markdown]
# Read the picture with care: the supernet's weights saw half of the images and are measured on the other half; the
# other networks were trained on both halves and are measured on test images. Trained on its own, the searched cell is
# far better than inside the supernet: the low accuracy there was mostly the shared weights' fault. It also beats skips
# alone by far. But it is **not** better than convolutions everywhere, and a random cell with two convolutions does as
# well. One cell, trained twice with different seeds, differs by a few points, sometimes by more than five; smaller
# differences between these bars mean nothing.
#
# That is the state of the matter at this size. At full size, Li and Talwalkar showed in 2019 that random search, trained
# in the same way, comes surprisingly close to the early methods. Always train controls.

# %% [markdown]
# ## Two searches under the microscope
#
# Is it an accident of the seed? A second search, everything else equal:

# %% tags=["nbval-check-output"]
second = Search(
    space, data, recipe=darts, numbers=numbers, derive=magnitude, seed=2, device=nb.device
)
other = drive(second, RunFolder(None, {}), [nb.progress])
of_none = [edge[0] for edge in other[-1]["weights"]["normal"]]
nb.show(epochs=len(other), none_has_more_than_half_again=sum(of_none) > len(of_none) / 2)

# %% [markdown]
# **Task:** step through both. From which epoch on does each of them keep its cell? Choose the edge on which they
# disagree longest, and read the weights: how far apart were the two best operations when the choice was made?

# %% tags=["widget"]
from nasbook.widgets.microscope import Microscope

scope = Microscope(history, other, space=space, titles=["seed 1", "seed 2"])
scope

# %% [markdown]
# A choice between 0.14 and 0.13 is made as firmly as one between 0.9 and 0.05. So two seeds that tell the same story
# about the weights may still end with different cells.

# %% [markdown]
# ## Do K operations cost K times as much?
#
# Every step runs all K operations of every edge, forward and backward, and keeps what each of them needs for its
# gradient. So the lecture says: K times the time, K times the memory of training one architecture. Here is the
# measurement: supernets whose edges hold K times the same convolution, each run whole, and with **one path** only, as
# methods do that sample an operation instead of mixing all.

# %%
nb.predict("06.4")

# %% tags=["main-result", "nbval-check-output"]
from itertools import pairwise

from nasbook.analysis import cost

counts = (1, 2, 4, 6, 8)
measured = cost.against_operations(
    counts,
    numbers=nb.preset.search,
    image=data.image,
    classes=data.classes,
    repeats=3,
    device=nb.device,
)
whole, path = measured[0::2], measured[1::2]
growth = [(b.saved_mib - a.saved_mib) / (b.candidates - a.candidates) for a, b in pairwise(whole)]
nb.show(
    every_operation_adds_the_same=max(growth) < 1.01 * min(growth),
    memory_of_eight_is_5_to_7_times=5 < whole[-1].saved_mib / whole[0].saved_mib < 7,
    memory_of_one_path_is_constant=path[-1].saved_mib < 1.01 * path[0].saved_mib,
)

# %%
saved = {
    "all K run": [each.saved_mib for each in whole],
    "one path runs": [each.saved_mib for each in path],
}
costs.against_operations(counts, saved, ylabel="saved activations (MiB)")

# %%
milliseconds = {
    "all K run": [1000 * each.seconds for each in whole],
    "one path runs": [1000 * each.seconds for each in path],
}
costs.against_operations(counts, milliseconds, ylabel="time of a step (ms)")

# %% [markdown]
# Memory is exact: it grows by the same amount with each operation, from a part that is there anyway. Time follows it,
# as well as a busy machine lets it be measured. On a GPU it is the memory that hurts: it forces smaller batches,
# narrower supernets, or a search on a small proxy of the real task. Sampled paths, partial channels and pruning, in later
# chapters, all attack this line.

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("06.5")

# %% tags=["nbval-check-output"]
nb.predict("06.6")

# %% tags=["nbval-check-output"]
nb.predict("06.7")

# %% tags=["nbval-check-output"]
nb.predict("06.8")

# %% [markdown]
# ## Exercises
#
# ### Exercise 06.1 (easy, 10 minutes)
#
# Write `keep_two(weights, operations)` for the edges into one node: `weights` is a tensor (edges, operations) after the
# softmax, `operations` the names. Return the two kept pairs `(operation, edge index)`, the stronger first.
#
# <details><summary>Hint 1</summary>For each edge find the best operation that is not <code>none</code>, and remember
# its weight.</details>
# <details><summary>Hint 2</summary>Make a list of (weight, operation, edge), sort it in descending order, take
# two.</details>


# %%
def keep_two(weights, operations):
    """Replace the next line: (edges, operations) and names -> two (operation, edge) pairs."""
    raise nasbook.NotAttempted


nb.check("06.1", keep_two)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_keep_two(weights, operations):
    allowed = [place for place, name in enumerate(operations) if name != "none"]
    scores = []
    for edge, row in enumerate(weights.tolist()):
        best = max(allowed, key=lambda place: row[place])
        scores.append((row[best], operations[best], edge))
    return [(name, edge) for _, name, edge in sorted(scores, reverse=True)[:2]]


nb.check_solution("06.1", solution_keep_two)

# %% [markdown]
# ### Exercise 06.2 (medium, 20 minutes)
#
# Is the fall of the discretisation gap sudden? Walk from the mixture $p$ to the one-hot weights $d$ on a straight line,
#
# $$p(t) = (1 - t)\,p + t\,d, \qquad 0 \le t \le 1. \tag{6.2}$$
#
# Write `between(weights, discrete, t)`; both are dictionaries from group to tensor. Then draw the accuracy of `first`
# along the line, with `first.validate(Mixing(...))`. Where does it fall?
#
# <details><summary>Hint 1</summary>One dictionary comprehension over the groups.</details>
# <details><summary>Hint 2</summary><code>from nasbook.supernet import Mixing</code>, and
# <code>one_hot(space, genotype).weights</code> are the discrete weights.</details>


# %%
def between(weights, discrete, t):
    """Replace the next line: two dictionaries of tensors, a share -> one such dictionary."""
    raise nasbook.NotAttempted


nb.check("06.2", between)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
from nasbook.supernet import Mixing


def solution_between(weights, discrete, t):
    return {name: (1 - t) * weights[name] + t * discrete[name] for name in weights}


nb.check_solution("06.2", solution_between)

# %% jupyter={"source_hidden": true} tags=["solution"]
figure, axis = figures.figure("single")
shares, hot = (0.0, 0.25, 0.5, 0.75, 1.0), one_hot(space, genotype).weights
line = [first.validate(Mixing(solution_between(weights, hot, share)))[1] for share in shares]
axis.plot(shares, line, marker="o")
axis.set(xlabel="share t of the way to one-hot", ylabel="validation accuracy (%)")
steepest = max(range(4), key=lambda place: line[place] - line[place + 1])
figures.Picture(
    figure,
    f"Accuracy on the line from the mixture ({line[0]:.1f} %) to one-hot ({line[-1]:.1f} %). "
    f"It falls most between t = {shares[steepest]:g} and t = {shares[steepest + 1]:g}.",
)

# %% [markdown]
# ### Exercise 06.3 (hard, 30 minutes)
#
# Search on images of your own: a folder with one subfolder a class, or an `.npz` file with the arrays `x_train`,
# `y_train`, `x_test`, `y_test` (uint8 images, whole-number labels). A few hundred images are enough; the sides must be
# multiples of 8. Hand its path to `experiment.search("darts", space="s3", data=path, device=nb.device.type)`, which
# searches and then trains the derived cell, and put what it returns into `my_outcome`. Then judge it: train a random cell
# on the same images.
#
# <details><summary>Hint 1</summary>Two epochs with <code>numbers={"epochs": 2, "images": 600}</code> show whether all
# is well, then take more; <code>train_numbers</code> takes the same keys for the training.
# <code>my_outcome.result["test_accuracy"]</code> is the result.</details>
# <details><summary>Hint 2</summary>No images at hand? <code>numpy.savez(path, x_train=..., ...)</code> writes such a
# file; photographs can be scaled with Pillow.</details>

# %%
my_outcome = ...

nb.check("06.3", my_outcome)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
import tempfile
from pathlib import Path

import numpy as np

from nasbook.datasets import street_numbers

pixels, labels = street_numbers.draw(900, seed=606, difficulty="easy")  # stands in for photographs
own = Path(tempfile.mkdtemp(), "house_numbers.npz")
np.savez(own, x_train=pixels[:600], y_train=labels[:600], x_test=pixels[600:], y_test=labels[600:])
short = {"epochs": 2, "images": 600}
solution_outcome = experiment.search(
    "darts",
    space="s3",
    data=str(own),
    device=nb.device.type,
    numbers=short,
    train_numbers=short,
    listeners=[nb.progress],
)
nb.check_solution("06.3", solution_outcome)

# %% [markdown]
# ## What breaks
#
# The search optimises the supernet, and the supernet is not what comes out. In this space `none` soaked up the weight
# and the cell kept its convolutions. Take `none` away, which leaves the space `s2`, search twice as long, and something
# worse happens: in most runs skip connections win everywhere, and what is derived is the cell of skips above, the only
# disaster in the picture. Chapter 07 shows it, and asks why.

# %% [markdown]
# ## This chapter's part of the ledger
#
# Each claim of the lecture stands in a ledger with what was measured here and a verdict: *holds* where the whole 95 %
# interval over the seeds is on the expected side, *weak* where only the mean is, *fails* otherwise.

# %%
nb.claims()

# %% [markdown]
# ## Takeaways
#
# - DARTS alternates a step on alpha (validation half) and a step on w (training half); alpha is read as heat maps.
# - The top-2 rule scores edges by their best weight without `none`, which still took part in the softmax.
# - The supernet loses accuracy when its weights run one architecture: the discretisation gap.
# - At this size the searched cell is about as good as convolutions or a random cell with some, and beats skips clearly.
# - K operations on an edge cost somewhat less than K times the time and memory of one; one sampled path costs as much as
#   one operation.
