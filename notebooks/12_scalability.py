# %% [markdown]
# # 12. Making it fit
#
# *A supernet need not run all of itself: what it saves, what it costs, and what then fits on your machine.*
#
# **You will be able to**
#
# - predict the memory of a search from two measurements, and say what fits into a budget
# - explain partial channels, and why they need weights for whole edges
# - prove by counting which operations a method runs, in each of its steps
# - write the gradient through ProxylessNAS's gates, for all paths and for two
# - put a price on operations, and read what it does to a search
#
# **Before this:** chapters 06 and 10. **Time:** about 60 minutes in class, about a minute of computing.
#
# **Lecture:** Scalability.

# %%
import torch

import nasbook
from nasbook import claims, datasets, figures, sizes, spaces
from nasbook.figures import costs

nb = nasbook.start("12")

# %% [markdown]
# ## Four ways to run an edge
#
# An edge holds K operations. Chapter 06 measured what it costs to run all of them: each adds the same memory, because
# each keeps its inputs for the backward pass. So the memory of a step is a line,
#
# $$\mathrm{MiB}(K) = a + b\,K, \tag{12.1}$$
#
# with $a$ for the stem, the entry of each cell and the classifier, and $b$ for one operation on every edge. There are
# two ways to attack it. Make $b$ small: send only a part of the channels through the operations (PC-DARTS). Or run a
# fixed number of operations, whatever K is: two (ProxylessNAS) or one (GDAS, random search with weight sharing).

# %%
nb.predict("12.1")

# %% tags=["main-result"]
from nasbook.analysis import cost, memory_budget

counts, data = (2, 4, 8), datasets.load(nb.preset.data)
measured = cost.against_operations(
    counts,
    numbers=nb.preset.search,
    modes=tuple(cost.MODES.values()),
    both_gradients=True,
    image=data.image,
    classes=data.classes,
    repeats=1,
    device=nb.device,
)
steps = {name: measured[place::4] for place, name in enumerate(cost.MODES)}
saved = {name: [step.saved_mib for step in found] for name, found in steps.items()}
lines = {name: memory_budget.fit(counts, mib) for name, mib in saved.items()}
rows = [[name, *mib, lines[name].base, lines[name].slope] for name, mib in saved.items()]
nb.show([["MiB at K =", *counts, "a", "b"], *rows])

# %%
costs.lines(counts, saved, lines, until=16)

# %% [markdown]
# The points are counts of what waits for the backward pass; the lines are fitted and drawn on to K = 16. Look at the
# slopes: partial channels have a quarter of the slope of all operations, and the two sampled modes have none. (Their
# last digits differ from 0 because a longer list of weights is kept.) Two paths and partial channels meet at K = 8,
# since $8 / 4 = 2$.
#
# Do the lines deserve trust beyond the points? Hide the last point, and predict it from the first two:

# %% tags=["nbval-check-output"]
hidden = {name: memory_budget.fit(counts[:2], mib[:2])(counts[2]) for name, mib in saved.items()}
off = [abs(hidden[name] / mib[2] - 1) for name, mib in saved.items()]
nb.show(largest_relative_error_below_1_percent=max(off) < 0.01)

# %% [markdown]
# ### And the time?
#
# Seconds depend on the machine, so they come from a stored study: five rounds of timing on a busy processor, at
# $K = 8$, each over the time of all operations in the same round.

# %%
runs = claims.runs("scalability")
for name in ("partial_channels", "two_paths", "one_path"):
    times = sorted(run.values[f"{name}_time"] for run in runs)
    kept = runs[0].values[f"{name}_memory"]
    words = name.replace("_", " ")
    print(f"{words:17} time {times[0]:.2f} to {times[-1]:.2f}, memory {kept:.2f} of all operations")

# %% [markdown]
# Paths save time and memory alike. Partial channels save little time, a tenth to a quarter on average (a whole step of
# PC-DARTS is timed below), and less than memory: as many operations are started as before, and with two channels each,
# starting one costs as much as its arithmetic. That is a statement about narrow supernets on a processor. Even where
# a pass is no faster, the saved memory buys a larger batch, and so fewer passes an epoch; this is where PC-DARTS's short searches come from.
#
# ## Partial channels
#
# Xu et al. (2020) let the first $C / P$ of the $C$ channels through the operations, with $P = 4$, and leave the others
# as they are:
#
# $$f(x) = \mathrm{shuffle}\Big[\textstyle\sum_k \theta_k\, o_k(x_{:C/P})\;;\; x_{C/P:}\Big]. \tag{12.2}$$
#
# The shuffle deals the channels like cards from $P$ stacks, so that the next edge's first quarter holds channels of all
# of them.

# %% tags=["nbval-check-output"]
from nasbook.spaces.operations import Normalising
from nasbook.supernet import EdgeSettings, MixedEdge

names = ("none", "skip_connect", "avg_pool_3x3")
edge = MixedEdge(names, 8, 1, Normalising(affine=False), settings=EdgeSettings(partial=4)).double()
image = torch.arange(1.0, 9.0, dtype=torch.float64).reshape(1, 8, 1, 1).expand(2, 8, 4, 4)
theta = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
skip_alone = edge(image, theta)[0, :, 0, 0]
nb.show(channels_in=image[0, :, 0, 0], channels_out=skip_alone, digits=1)

# %% [markdown]
# With all weight on the skip connection the edge hands on what it got, dealt anew: channels 1 and 2 went through the
# operations, 3 to 8 past them.
#
# ## Why edges get weights of their own
#
# Now all weight on `none`. In DARTS this switches an edge off.

# %%
nb.predict("12.2")

# %% tags=["main-result", "nbval-check-output"]
off = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
nb.show(channels_out=edge(image, off)[0, :, 0, 0], digits=1)

# %% [markdown]
# Three quarters of the signal ignore $\alpha$. So with partial channels alone *no edge can be refused*: a node adds the
# bypass of every edge into it, and the more edges, the larger its sum. What tells a good edge from a bad one has to come
# from elsewhere. PC-DARTS gives each edge $i \to j$ a parameter $\beta_{ij}$, and a softmax over the edges into one node
# (*edge normalisation*):
#
# $$x_j = \sum_{i<j} \tilde\beta_{ij}\, f_{ij}(x_i), \qquad \tilde\beta_{ij} = \frac{\exp \beta_{ij}}{\sum_{i'<j} \exp
# \beta_{i'j}}. \tag{12.3}$$
#
# A softmax, for two reasons. A node becomes a *mean* of its edges, however many. And the weights of one node compete:
# they say which two edges to keep. In DARTS that choice compares the largest operation weights of different rows,
# although each row's softmax only ever compared operations of one edge.

# %% tags=["nbval-check-output"]
from nasbook.relaxation import RELAXATIONS
from nasbook.selection import magnitude
from nasbook.supernet import edges_of

small = spaces.get("s2", nodes=2, reduction="fixed")
relaxation = RELAXATIONS["edge-softmax"](small, nb.preset.search, magnitude)
alpha = relaxation.initial(scale=0.0, generator=torch.Generator().manual_seed(0))
alpha[edges_of("normal")].data[0] = torch.tensor([0.0, 0.0, 2.0, 0.0, 0.0], dtype=torch.float64)
weights = relaxation.expected(alpha, 0.0)[edges_of("normal")][0]
nb.show(
    edges=[f"{source} -> {target}" for source, target in small.normal.edges],
    beta=alpha[edges_of("normal")].detach()[0],
    edge_weights=weights,
    sum_into_node_2=weights[:2].sum(),
    sum_into_node_3=weights[2:].sum(),
)

# %% [markdown]
# An edge's $\beta$ moves by the same Adam as $\alpha$, and both are frozen for the first epochs, so that the shared weights
# learn before a choice is made. At the end an operation scores $\theta_{ij,k}\, \tilde\beta_{ij}$, and the two best edges of
# each node stay. The paper adds that edge normalisation makes searches more stable over seeds; the last section of this
# chapter has five seeds, in a space where all edges stay.

# %% tags=["nbval-check-output"]
places = (("paper", "darts"), ("class", "darts"), ("class", "nas-bench-201"))
for size, family in places:
    numbers = sizes.get(size).of(family, "pc-darts").search
    print(f"{size}, {family}: {numbers.frozen_epochs} of {numbers.epochs} epochs are frozen")

# %% [markdown]
# ## One path: count the calls
#
# "Samples one path" is a phrase. Which operations run is a fact about code, and can be counted: a hook on each operation
# of the supernet notes every call during one whole step of a search, here on seven operations an edge. Such a step has up
# to three parts: the step on alpha, the step on the shared weights, and a *play*, in which drawn paths are only rated, as a
# player's moves are by a reward.

# %%
nb.predict("12.3")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.analysis import operation_calls
from nasbook.search import Search, recipes
from nasbook.selection import derive


def fresh(method, space="darts7", **changes):
    """A search by the method's own numbers, alpha moving from the first step."""
    numbers = sizes.get("class").of("darts", method).search
    numbers = sizes.override(numbers, {"frozen_epochs": 0, "images": 1000, **changes})
    searched = spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction)
    row = recipes.get(method)
    request = {"recipe": row, "derive": derive(row.selection), "device": nb.device}
    return Search(searched, data, numbers=numbers, seed=12, **request)


rows = [["most operations an edge", *operation_calls.PURPOSES]]
methods = ("darts", "pc-darts", "rsps", "gdas", "proxylessnas-r")
for method in (*methods, "proxylessnas", "proxylessnas-two-paths", "nasp"):
    calls = operation_calls.summary(operation_calls.of_step(fresh(method)))
    rows.append([method, *(calls[each][1] if each in calls else "-" for each in rows[0][1:])])
nb.show(rows)

# %% [markdown]
# - **GDAS** runs one operation in both steps (chapter 10 has its gradient).
# - **Random search with weight sharing** (RSPS) has no step on alpha: it draws uniformly.
# - **ProxylessNAS-R** plays in place of a step on alpha: it draws paths, takes their accuracy as a reward, and needs no
#   gradient through the network at all (the policy gradient of chapter 01). A play keeps nothing for a backward pass.
# - **NASP** (Yao et al. 2020) keeps a continuous $\alpha \in [0, 1]$ without a softmax. It takes the gradient at
#   the nearest architecture, a *proximal* projection, and moves the continuous $\alpha$ by it.
#
# So two methods that "run one path" hold all operations at once in *one* of their steps. They save time, and a fifth of
# the peak of memory. The stored study has a step of each:

# %%
for name in (
    "pc-darts",
    "gdas",
    "proxylessnas",
    "proxylessnas-two-paths",
    "proxylessnas-r",
    "nasp",
):
    found = [run.values for run in claims.runs("scalable-methods")]
    time, kept = (
        sum(values[f"{name}_{what}"] for values in found) / len(found)
        for what in ("time", "memory")
    )
    print(
        f"{name:23} time {time:.2f}, memory {kept:.2f} of a step of DARTS (mean of {len(found)} seeds)"
    )

# %% [markdown]
# Why 0.78, and not 1? The peak of DARTS is its step on the *weights*, with all operations. All gates and NASP run all of
# them only in the step on alpha, and this package's step on alpha holds the shared weights constant and keeps nothing for
# their gradient. Released codes call `backward` on everything in that step: it computes the gradient of the shared weights
# too, though no step is taken with it. The search is as bilevel as before, but the memory is that of both gradients; the
# budgets below count both.

# %% [markdown]
# ## Gates, for all paths and for two
#
# ProxylessNAS (Cai et al. 2019) puts a gate $g_k$ behind each operation, one of them open: $g$ is one-hot, drawn from
# $p = \mathrm{softmax}(\alpha)$, and the edge computes $y = \sum_k g_k\, o_k(x)$. A draw has no derivative. So the
# gradient of the gate stands in for that of its probability:
#
# $$\frac{\partial L}{\partial \alpha_i} \approx \sum_j \frac{\partial L}{\partial g_j}\, p_j\, (\delta_{ij} - p_i),
# \qquad \frac{\partial L}{\partial g_j} = \Big\langle \frac{\partial L}{\partial y},\, o_j(x) \Big\rangle. \tag{12.4}$$
#
# Here is the reason for the seven: the second equation needs *every* output $o_j(x)$. The remedy: draw **two** operations,
# pretend that these are all, apply (12.4) to the pair with $p$ renormalised, and afterwards shift both $\alpha$ by one
# number, so that the pair's share of $p$ is what it was. A pair decides between its two, and takes nothing from others.

# %% tags=["nbval-check-output"]
from nasbook.relaxation import TwoPaths

two, generator = TwoPaths(spaces.get("toy")), torch.Generator().manual_seed(1)
alpha = {"normal": torch.tensor([[0.3, -0.2, 0.5]], dtype=torch.float64, requires_grad=True)}
mixing = two(alpha, 0.0, generator)
loss = (mixing.weights["normal"] * torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)).sum()
(gradient,) = torch.autograd.grad(loss, alpha["normal"])
before = {"normal": alpha["normal"].detach().clone()}
with torch.no_grad():
    alpha["normal"] -= 0.5 * gradient
two.project(alpha, before)
nb.show(
    runs=mixing.active["normal"][0],
    gradient=gradient,
    probabilities_before=torch.softmax(before["normal"], -1),
    probabilities_after=torch.softmax(alpha["normal"], -1).detach(),
)

# %% [markdown]
# Read the last two rows: the operation that was not drawn keeps its probability to the last digit.
#
# ## What fits?
#
# The lines answer it for the published size: 16 channels, 8 cells of four nodes, images of 32x32 pixels. No machine has
# to hold it for that: what each part of the supernet keeps is counted on a few channels and images, and is proportional
# to both (tests hold the sum to whole supernets). Counted: activations for the gradients of shared weights *and* of
# operation weights, the batch, and three numbers a weight (value, gradient, momentum). **Not measured here** is what a
# GPU's libraries take on top: workspaces, an allocator's reserve, the framework. So leave a margin.

# %%
nb.predict("12.4")

# %% tags=["main-result"]
paper = sizes.get("paper").search
over_k = {name: memory_budget.over_operations(paper, mode) for name, mode in cost.MODES.items()}
over_batch = {name: memory_budget.over_batch(8, paper, mode) for name, mode in cost.MODES.items()}
budgets = memory_budget.BUDGETS
rows = [["MiB at K = 8, batch 64", *(round(line(64)) for line in over_batch.values())]]
rows += [
    [f"largest {what} in {name}", *(line.largest(mib) for line in found.values())]
    for what, found in (("batch", over_batch), ("K", over_k))
    for name, mib in budgets.items()
]
nb.show([["", *cost.MODES], *rows])

# %%
costs.budgets({name: line(64) for name, line in over_batch.items()}, budgets)

# %% [markdown]
# All operations at the published batch do not fit into 8 GiB; the three other modes do. (DARTS's own eight operations
# keep less than eight separable convolutions do, as pools and skip connections keep little; the table is the safe side.)
# A largest K of 0 says that even the fixed number of paths does not fit with batch 64. In the path modes K goes into the
# hundreds and thousands: there only the *stored* weights grow. A space may be as wide as you like; it need only be
# trained, which no table of memory counts.
#
# **Task:** with the sliders find the largest batch that a laptop with 8 GiB holds while all operations run. Keep this
# batch, read the row *one path*, and move the layers: how many does the laptop hold then?

# %% tags=["widget"]
from nasbook.widgets.what_fits import WhatFits

fits = WhatFits()
fits

# %% [markdown]
# The answer, by the same count:

# %%
from dataclasses import replace


def one_path(layers, batch):
    numbers = replace(paper, layers=layers, batch=batch)
    return memory_budget.memory(8, numbers, cost.MODES["one path"]).total


laptop = budgets["laptop, 8 GiB"]
batch = over_batch["all operations"].largest(laptop)
layers = next(count for count in range(64, 0, -1) if one_path(count, batch) <= laptop)
nb.show(largest_batch=batch, layers_with_all_operations=paper.layers, layers_with_one_path=layers)

# %% [markdown]
# ## A price on operations
#
# Fitting a *search* into memory is one thing, a *result* that fits on a phone another. ProxylessNAS adds what the
# architecture will cost. With $F_{e,k}$ the multiply-adds of operation $k$ on edge $e$, their expectation is a sum, and
# smooth in $\alpha$:
#
# $$L(\alpha) = L_{val} + \lambda\, \frac{\sum_{e,k} p_{e,k}\, F_{e,k}}{\sum_{e,k} F_{e,k} / K}. \tag{12.5}$$
#
# Divided by the cost at equal weights, $\lambda$ has a meaning in every space: that of one unit of loss. $F$ is a table,
# measured once before the search (`numbers.cost = "latency"` takes milliseconds on this machine instead).

# %% tags=["nbval-check-output"]
from nasbook.analysis import expected_cost

budget = {"epochs": 6}
free = fresh("proxylessnas-two-paths", **budget)
prices = expected_cost.multiply_adds(free.space, data, free.numbers)
of_edge = dict(zip(free.space.normal.operations[0], (prices["normal"][0] / 1000).tolist()))
preset = nb.preset.of("darts", "proxylessnas-two-paths").search
nb.show(
    thousand_multiply_adds_on_the_first_edge=of_edge,
    epochs_here=free.numbers.epochs,
    epochs_of_the_preset=preset.epochs,
    images_here=free.numbers.images,
    images_of_the_preset=preset.images,
)

# %% [markdown]
# Three searches, much shorter than the preset, which differ in $\lambda$ alone:

# %%
nb.predict("12.5")

# %% tags=["main-result", "nbval-check-output"]
curves = {}
for weight in (0.0, 0.1, 1.0):
    search = fresh("proxylessnas-two-paths", cost_weight=weight, **budget)
    history = [search.run_epoch(lambda step, steps: None) for _ in range(search.epochs)]
    curves[weight] = [expected_cost.expected(record["weights"], prices) for record in history]
nb.show(
    without_a_price_it_does_not_fall=curves[0.0][-1] > 0.99,
    with_the_small_price_it_falls=curves[0.1][-1] < curves[0.1][0],
    with_the_large_price_it_falls_further=curves[1.0][-1] < curves[0.1][-1] - 0.05,
)

# %%
figure, axis = figures.figure("single")
for (weight, curve), marker in zip(curves.items(), "os^"):
    axis.plot(range(1, len(curve) + 1), curve, marker=marker, label=f"λ = {weight:g}")
axis.set(xlabel="epoch", ylabel="expected multiply-adds (1 at equal weights)")
axis.legend()
ends = ", ".join(f"{curve[-1]:.2f} with λ = {weight:g}" for weight, curve in curves.items())
figures.Picture(
    figure, f"Expected multiply-adds over {len(curve)} epochs, from 1 at equal weights to {ends}."
)

# %% [markdown]
# The price works, and that is no surprise: its gradient points the same way in every step, while that of the loss is
# small and noisy on two drawn paths. What it does to the *cells* has to be seen by training them, as in chapter 06. The
# stored study has five pairs of searches, free and with $\lambda = 0.05$ (8 epochs, 2,000 images), each cell trained from
# scratch for 4 epochs. Ratios are priced over free; arrows go from free to priced:

# %% tags=["nbval-check-output"]
rows = [["seed", "expected cost", "multiply-adds", "skips of 4", "test accuracy (%)", "change"]]
for run in claims.runs("expected-cost"):
    values, pair = run.values, (run.values["free"], run.values["priced"])
    skips = [spaces.read(found["genotype"]).count("skip_connect") for found in pair]
    accuracies = [f"{found['test_accuracy']:.1f}" for found in pair]
    ratios = [f"{values[name]:.2f}" for name in ("expected_ratio", "macs_ratio")]
    change = f"{values['accuracy_change']:+.1f}"
    rows.append([run.seed, *ratios, "{} → {}".format(*skips), " → ".join(accuracies), change])
nb.show(rows)

# %% [markdown]
# A small $\lambda$ lowers the expected cost by 5 % only; yet this is enough to change which operation is largest, and the
# chosen cell has more skip connections, about half of the multiply-adds and a lower accuracy. (All are low after 4 epochs
# of training: compare within a row.) A cheaper cell is easy to get, an equally good one is another matter. And note how
# little the *expected* cost says of the one cell that is chosen.

# %% [markdown]
# ## Every method on one space
#
# Memory says what can be searched, not what is found. The study `method-order` searched NAS-Bench-201 with twelve methods,
# five seeds each, by the numbers of the class size, mostly in half a minute to a minute and a half; every cell was trained
# from scratch on fresh images. ProxylessNAS with all gates and second-order DARTS are not among them.
#
# Seven methods and random search stand in the lecture's table of this space; the correlation below is over the seven. Its
# number for SNAS is that of a *bilevel* search (chapter 10), so it stands beside `snas-bilevel`.
#
# The *gap* is the supernet's validation accuracy less that of the derived cell with the same weights (chapter 10). It may be
# below 0 where the supernet's number is one draw, and is 0 for NASP by construction: its supernet already runs the nearest
# architecture.

# %%
nb.predict("12.6")

# %% tags=["main-result", "nbval-check-output"]
from statistics import mean

from nasbook.analysis.published_errors import published_errors

ordered = claims.runs("method-order")
table = published_errors()
published = {
    row.method: row.accuracy for row in table if row.data == "cifar10" and "201" in row.space
}
trained = {
    name: [run.values["trained"][name] for run in ordered] for name in ordered[0].values["trained"]
}
published["random search"] = published.pop("random")
rows = [["method or control", "mean (%)", "lowest", "highest", "gap (points)", "published (%)"]]
for name in sorted(trained, key=lambda name: -mean(trained[name])):
    gaps = [run.values[f"{name}_gap"] for run in ordered if f"{name}_gap" in run.values]
    found = (mean(trained[name]), min(trained[name]), max(trained[name]))
    shown = f"{published[name]:.2f}" if name in published else ""
    gap = f"{mean(gaps):.1f}" if gaps else ""
    rows.append([name, *(f"{value:.1f}" for value in found), gap, shown])
rows.append(["random search", "", "", "", "", f"{published['random search']:.2f}"])
nb.show(rows)

# %% [markdown]
# *convolutions* is the cell of 3×3 convolutions alone, *without-none* that of DARTS where `none` could not be chosen, and
# *random* one random cell a seed (random *search*, the last row, takes the best of many).
#
# Read *lowest* first. PC-DARTS found cells of 76 to 86 % in three seeds; in two the input never reaches the output, as
# `none` is on too many edges, and 10 % is guessing (look at seeds 1 and 4 in the widget below). Its $\beta$ was no help: on
# NAS-Bench-201 all six edges stay, so $\beta$ chooses nothing here, and `none` may be chosen.
#
# Two methods stand out by accuracy and steadiness together, DrNAS and SNAS in its bilevel form; neither is above the cell
# of convolutions. And the order?

# %% tags=["nbval-check-output"]
from nasbook.claims.studies.order import published_order

means = {name: mean(trained[name]) for name in ordered[0].values["series"]}
of_means = published_order("nas-bench-201", means)
nb.show(
    seven_methods=", ".join(name for name in means if name in published),
    rank_correlation_of_each_seed=[f"{run.values['order']:.2f}" for run in ordered],
    of_the_mean_accuracies=f"{of_means:.2f}",
    published_darts_below_the_best=f"{published['drnas'] - published['darts']:.1f} points",
    here=f"{means['drnas'] - means['darts']:.1f} points",
)

# %% [markdown]
# It differs between seeds. Nor is the published order clear-cut: GDAS, DSNAS, SNAS, PC-DARTS and random search lie within
# one point. What is clear there is the fall of DARTS, 39 points behind them; at this size DARTS does not fall so.
#
# Each search can be looked at again: choose two methods and a seed, and move through their epochs. **Task:** at the end,
# which method's gap is nearest to 0, and whose cell is best after training? Are they the same?

# %% tags=["widget"]
from nasbook.widgets.comparator import MethodComparator

comparator = MethodComparator(state="seed=0 methods=darts,pc-darts part=8/8")
comparator

# %% [markdown]
# The answer for the seed that is shown (seed 0, if you have not moved it), after all its gaps and trained cells:

# %%
answer, values = comparator.answer(), comparator.values[comparator.seed]
rows = [["method", "gap (points)", "trained (%)"]]
for name in values["series"]:
    gap = f"{values[f'{name}_gap']:.1f}" if f"{name}_gap" in values else "chosen by ranking"
    rows.append([name, gap, f"{values['trained'][name]:.1f}"])
nb.show(rows)
nb.show(
    seed=comparator.seed,
    gap_nearest_to_0=answer.least_change,
    best_after_training=answer.best_trained,
    one_method_is_both=answer.same,
)

# %% [markdown]
# A small gap says that little changes when the supernet is cut down to one cell. It does not say that this cell is good:
# only its own training does.
#
# ## The ledger
#
# The number after ± is half of a 95 % interval over the seeds.

# %%
nb.claims()

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("12.7")

# %% tags=["nbval-check-output"]
nb.predict("12.8")

# %% tags=["nbval-check-output"]
nb.predict("12.9")

# %% tags=["nbval-check-output"]
nb.predict("12.10")

# %% [markdown]
# ## Exercises
#
# ### Exercise 12.1 (easy, 10 minutes)
#
# Write `largest_that_fits(first, second, budget)`: two measurements `(K, MiB)` and a budget in MiB. Return the largest
# whole K that fits by (12.1); 0 if none does.
#
# <details><summary>Hint 1</summary>The slope is the difference of the memories over the difference of the Ks.</details>
# <details><summary>Hint 2</summary>Subtract the base from the budget before you divide, and round down.</details>


# %%
def largest_that_fits(first, second, budget):
    """Replace the next line: (K, MiB), (K, MiB) and MiB -> a whole number."""
    raise nasbook.NotAttempted


nb.check("12.1", largest_that_fits)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_largest_that_fits(first, second, budget):
    slope = (second[1] - first[1]) / (second[0] - first[0])
    base = first[1] - slope * first[0]
    return max(0, int((budget - base) // slope))


nb.check_solution("12.1", solution_largest_that_fits)

# %% [markdown]
# ### Exercise 12.2 (medium, 20 minutes)
#
# Write (12.2) for an edge of stride 1: `partial_edge(images, operations, theta, parts)` with `images` (B, C, H, W), a
# list of functions that keep the shape, their weights `theta` (K,) and $P$ = `parts`. The shuffle takes the channels as
# `parts` stacks of C / `parts`, and deals one of each stack in turn.
#
# <details><summary>Hint 1</summary>Slice the channels in two, mix the first part, and put both together again with
# <code>torch.cat</code>.</details>
# <details><summary>Hint 2</summary>To deal: view the channels as (parts, C / parts), swap these two axes, and flatten
# them.</details>


# %%
def partial_edge(images, operations, theta, parts):
    """Replace the next line: (B, C, H, W) -> (B, C, H, W)."""
    raise nasbook.NotAttempted


nb.check("12.2", partial_edge)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_partial_edge(images, operations, theta, parts):
    batch, channels, height, width = images.shape
    first, rest = images[:, : channels // parts], images[:, channels // parts :]
    mixed = sum(weight * operation(first) for weight, operation in zip(theta, operations))
    stacks = torch.cat([mixed, rest], dim=1).reshape(batch, parts, channels // parts, height, width)
    return stacks.transpose(1, 2).reshape(images.shape)


nb.check_solution("12.2", solution_partial_edge)

# %% [markdown]
# ### Exercise 12.3 (medium, 20 minutes)
#
# Write (12.4) for a pair: `pair_gradient(alpha, pair, gates)` with `alpha` (K,), the two drawn indices, and `gates` (2,),
# the $\partial L / \partial g_j$ of these two. Return the gradient in alpha, (K,), in which the two stand for all: their
# probabilities sum to 1.
#
# <details><summary>Hint 1</summary>What is not drawn has gradient 0.</details>
# <details><summary>Hint 2</summary>With $p_1 + p_2 = 1$, (12.4) becomes $p_1 p_2\, (\partial L / \partial g_1 - \partial
# L / \partial g_2)$ for the first, and the negative of it for the second.</details>


# %%
def pair_gradient(alpha, pair, gates):
    """Replace the next line: (K,), two indices, (2,) -> (K,)."""
    raise nasbook.NotAttempted


nb.check("12.3", pair_gradient)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_pair_gradient(alpha, pair, gates):
    first, second = pair
    p = torch.softmax(torch.stack([alpha[first], alpha[second]]), dim=0)
    gradient = torch.zeros_like(alpha)
    gradient[first] = p[0] * p[1] * (gates[0] - gates[1])
    gradient[second] = -gradient[first]
    return gradient


nb.check_solution("12.3", solution_pair_gradient)

# %% [markdown]
# ## What breaks
#
# - **The wrong step is counted.** A peak is set by the most costly step. A method that trains weights on one path and
#   runs all operations for alpha saves a fifth here; GDAS, with one path in both, saves three quarters.
# - **`none` with partial channels** does not mean zero. Without edge weights an edge cannot be refused.
# - **A saved byte is no saved second.** Narrow operations are slow for their arithmetic: measure both.
# - **Sampling is paid in epochs.** An operation that runs in one of seven steps learns in one of seven steps. This is
#   why the class presets of GDAS and of two paths have more epochs than that of DARTS.
# - **A price without a look at the cells** ends in skip connections, for a reason that has nothing to do with chapter 09.

# %% [markdown]
# ## Takeaways
#
# - Memory is a line in K and proportional to the batch: two measurements tell what fits.
# - Partial channels divide the slope by $P$; their bypass ignores alpha, so edges need weights of their own.
# - Count the calls: GDAS and RSPS run one operation, two paths two; all gates and NASP run all in their step on alpha.
# - A gate's gradient needs the output behind it; with two paths only two are needed, and the others keep their share.
# - The expected cost is smooth in alpha and easy to lower; whether the cheaper cell is as good has to be measured.
