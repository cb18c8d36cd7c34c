# %% [markdown]
# # 10. Learning a distribution: Gumbel
#
# *If one architecture is kept in the end, train what is drawn, and not the mixture of everything.*
#
# **You will be able to**
#
# - say what a search over a distribution minimises, and what DARTS minimises instead
# - derive the Gumbel-max trick, and test a sampler against its distribution
# - predict what a temperature does to samples and to gradients
# - compare straight-through, score function and credit by bias and variance
# - read SNAS, GDAS and DSNAS as choices of sample, gradient and data, and run them
#
# **Before this:** chapters 06 and 08. **Time:** about 75 minutes in class, about a minute of computing.
#
# **Lecture:** Distribution learning.

# %%
import math

import torch

import nasbook
from nasbook import datasets, figures, instruments, sizes, spaces
from nasbook.analysis import distributions, gradient_estimates

nb = nasbook.start("10")

# %% [markdown]
# ## A mixture is trained, one operation is kept
#
# DARTS trains the mixture with the weights $p = \mathrm{softmax}(\alpha)$, and then keeps the largest weight of each
# edge. The lecture's way out of the gap between both: take $p$ for a **distribution**, draw one operation an edge,
# and minimise what the *drawn* architectures lose on average,
#
# $$J(\alpha) = \mathbb{E}_{z \sim p(\alpha)}\, L(z), \tag{10.1}$$
#
# where $z$ is one-hot: one weight is 1, the others are 0. DARTS minimises $L(\mathbb{E}\, z) = L(p)$. Does it matter?
# Take one edge on paper: three operations put out 0, 1 and 3, wanted is 1.5, and the loss is the squared distance.

# %% tags=["nbval-check-output"]
loss = gradient_estimates.squared([0.0, 1.0, 3.0], target=1.5)
alone = loss(torch.eye(3, dtype=torch.float64))
half = torch.tensor([0.5, 0.0, 0.5], dtype=torch.float64)
nb.show(
    loss_of_each_operation=alone,
    loss_of_mixing_first_and_third=loss(half),
    loss_of_drawing_one_of_the_two=half @ alone,
)

# %% [markdown]
# The second operation is the best to keep. The mixture of the other two is better than any operation, although each of
# the two alone is bad. Now descend on both losses, from equal weights.

# %%
nb.predict("10.1")


# %% tags=["main-result", "nbval-check-output"]
def of_mixture(alpha):
    leaf = alpha.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf.softmax(0)), leaf)[0]


def of_distribution(alpha):
    return gradient_estimates.expected(loss, alpha)[1]


rows = [["descent on", "p", "loss of the mixture", "loss of a draw", "loss of what is kept"]]
for name, gradient in (("L(p)", of_mixture), ("J", of_distribution)):
    here = torch.zeros(3, dtype=torch.float64)
    for _ in range(2000):
        here = here - 0.1 * gradient(here)
    mix = here.softmax(0)
    losses = (loss(mix), mix @ alone, alone[mix.argmax()])
    rows.append([name, mix, *map(float, losses)])
nb.show(rows, digits=3)

# %% [markdown]
# Descent on $J$ decides by itself, and for the right operation. It needs two things: a way to draw, and a gradient of an
# average over draws. The rest of the chapter is about these two.
#
# ## Drawing by a maximum
#
# Let $U_k$ be uniform on $(0, 1)$. Then $E_k = -\log U_k$ is exponential with rate 1, and $E_k / p_k$ exponential with
# rate $p_k$: a clock that rings after that time. Which of the clocks rings first? Number $k$, with probability
#
# $$\int_0^\infty p_k e^{-p_k t} \prod_{j \ne k} e^{-p_j t}\, dt = p_k \int_0^\infty e^{-t}\, dt = p_k.$$
#
# The smallest $E_k / p_k$ is the largest $\log p_k - \log E_k$. With $G_k = -\log E_k = -\log(-\log U_k)$, **Gumbel
# noise**, that is
#
# $$\arg\max_k\, (\log p_k + G_k) \sim p. \tag{10.2}$$
#
# As $\log p_k$ is $\alpha_k$ less one number for all, $\alpha_k$ will do, too.

# %%
nb.predict("10.2")

# %% tags=["main-result", "nbval-check-output"]
from scipy.stats import chisquare

alpha = torch.tensor([0.0, 1.0, -0.5], dtype=torch.float64)
p, samples = alpha.softmax(0), 20_000
generator = torch.Generator().manual_seed(1)
uniform = torch.rand(samples, 3, generator=generator, dtype=torch.float64)
table = [["", "share of 1", "of 2", "of 3", "chi-square test: p-value"], ["p", *p.tolist()]]
clocks = -uniform.log()
kinds = {"Gumbel noise": -clocks.log(), "one logarithm": clocks, "uniform noise": uniform}
for name, noise in kinds.items():
    counts = torch.bincount((p.log() + noise).argmax(1), minlength=3)
    value = chisquare(counts.numpy(), (samples * p).numpy()).pvalue
    told = "above 0.01" if value > 0.01 else "below 0.000001" if value < 1e-6 else "between"
    table.append([name, *(counts / samples).tolist(), told])
nb.show(table, digits=2)

# %% [markdown]
# The test compares counts with expected counts; a small p-value says: not from this distribution. Two controls fail it.
# Uniform noise draws the second only. Noise of *one logarithm*, $-\log U$, looks plausible, and is found out all the same,
# so passing the test means something.
#
# ## Temperature
#
# A maximum has no useful gradient: move $\alpha$ a little, and the draw stays. So replace it by a softmax, with a
# temperature $\tau$:
#
# $$z = \mathrm{softmax}\big((\log p + G) / \tau\big). \tag{10.3}$$
#
# This **Gumbel-softmax** sample (Jang et al. and Maddison et al. 2017) is a random point of the triangle of weights. Its
# largest weight lies where (10.2) draws, at each $\tau$.

# %%
nb.predict("10.3")

# %% tags=["main-result", "nbval-check-output"]
clouds = {}
rows = [["temperature", "mean of the samples", "entropy / log 3", "largest weight where drawn"]]
drawn = distributions.gumbel_max(alpha, samples=5000, seed=1)
for temperature in (0.1, 1.0, 10.0):
    z = distributions.gumbel_softmax(alpha, temperature, samples=5000, seed=1)
    moments = distributions.measured(z)
    share = moments.entropy / math.log(3)
    rows.append([temperature, moments.mean, share, bool((z.argmax(1) == drawn).all())])
    clouds[f"temperature {temperature:g}"] = z[:300]
nb.show(rows, digits=2)

# %%
from nasbook.figures import distributions as pictures

pictures.clouds(clouds, expected=p)

# %% [markdown]
# Look at the two marks: the mean of the samples and $p$. At $\tau = 0.1$ they nearly coincide, and nearly all samples lie in the
# corners, as one-hot draws. At $\tau = 10$ a sample says hardly anything about $p$; it is a mixture again.
#
# **Task:** with all logits at 0, find the temperature at which the samples have half of the largest entropy. Exercise
# 10.2 asks for the state of the explorer there. (The explorer asks the same of another family of samples, Dirichlet. That
# is for chapter 11.)

# %% tags=["widget"]
from nasbook.widgets.simplex import SimplexExplorer

explorer = SimplexExplorer()
explorer

# %% [markdown]
# ## Which gradient?
#
# On paper the gradient of (10.1) is known. With $L_j$ the loss of operation $j$ alone,
#
# $$\frac{\partial J}{\partial \alpha_j} = p_j\, (L_j - J). \tag{10.4}$$
#
# A search cannot have it, since it would have to run every architecture. From *one* draw it can take:
#
# - **soft** (SNAS): evaluate the loss at $z$ of (10.3), differentiate through it. All operations run.
# - **straight-through** (Bengio et al. 2013): one-hot forwards, soft backwards,
#   $$h = \mathrm{onehot}(\arg\max z) + z - \mathrm{constant}(z). \tag{10.5}$$
#   Forwards $z - z$ is zero; backwards $\mathrm{constant}(z)$ has no gradient, so that of $z$ is left.
# - **sampled only**: the same, but only the drawn operation has run, and the slopes of the others count as zero.

# %% tags=["nbval-check-output"]
noise = torch.tensor([0.3, -0.8, 1.1], dtype=torch.float64)
leaf = alpha.clone().requires_grad_()
z = torch.softmax((leaf + noise) / 0.5, 0)
hard = torch.nn.functional.one_hot(z.argmax(), 3).double()
h = hard + z - z.detach()
slope = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)  # of some loss by the three weights
nb.show(
    [
        ["", "forwards", "gradient in alpha"],
        ["soft", z, torch.autograd.grad(z @ slope, leaf, retain_graph=True)[0]],
        ["straight-through", h, torch.autograd.grad(h @ slope, leaf)[0]],
    ]
)

# %% [markdown]
# Forwards another number, backwards the same. And one that needs no softmax at all:
#
# - **score function** (REINFORCE, chapter 01): with $k$ drawn, $L_k\, \partial \log p_k / \partial \alpha$:
#   $$\hat g_j = L_k\, (\mathbb{1}[j = k] - p_j). \tag{10.6}$$
#
# Two things can be wrong with an estimate. **Bias**: the mean over draws is not (10.4). **Variance**: one draw is far from
# the mean. Both are measured with 20,000 draws on the edge from above.

# %%
nb.predict("10.4")

# %% tags=["main-result", "nbval-check-output"]
at = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
names = ("soft", "straight-through", "sampled only", "score function")
found = gradient_estimates.compare(loss, alpha, at, estimators=names, seed=1)
of = {(every.estimator, every.temperature): every for every in found}
exact = float(found[0].exact.norm())
rows = [["bias / length of the gradient", *(f"at {each}" for each in (0.1, 1.0, 10.0))]]
rows += [[name, *(of[name, each].bias / exact for each in (0.1, 1.0, 10.0))] for name in names]
rows += [["variance of one draw", "", "", ""]]
rows += [[name, *(of[name, each].variance for each in (0.1, 1.0, 10.0))] for name in names]
nb.show(rows, digits=2)

# %%
pictures.over_temperature(found)

# %% [markdown]
# Left: where the loss is evaluated, at mixtures (soft) or at one-hot weights. Middle: soft and straight-through lose their
# bias as $\tau$ falls. At $\tau = 10$ the bias is as large as the gradient itself, and the variance is tiny: the estimate is
# nearly zero. Right: what is won is paid for in variance. So these methods **anneal** the temperature.
#
# Does it hold for other losses? Take the fourth power of the distance in place of the second.

# %% tags=["nbval-check-output"]
rows = [["fourth power: bias / length of the gradient", "at 0.1", "at 1"]]
for name in ("soft", "straight-through"):
    row = [name]
    for temperature in (0.1, 1.0):
        steep = gradient_estimates.estimate(
            lambda z: loss(z).square(), alpha, temperature, name, samples=400_000, seed=1
        )
        row.append(f"{steep.bias / float(steep.exact.norm()):.1f}")
    rows.append(row)
nb.show(rows)

# %% [markdown]
# Soft loses its bias at any smooth loss. Straight-through did so only because the loss was quadratic: from one corner to
# another, the mean of the slopes at both ends is then the true rise. Here its bias *grows* as $\tau$ falls.
#
# *Sampled only* keeps a bias at every temperature (here it is least near 1). GDAS in the paper is this one; the runs below
# follow the code, see "Two gradients of one draw".
#
# The score function, too, runs one operation, and has no bias; its small distance from zero is chance. On this one edge it
# wins at low temperatures. The argument against it is that with many edges one loss has to judge all draws at once. That is
# an argument; it is not measured here.

# %% [markdown]
# ## Credit
#
# **DSNAS** draws like the score function, but does not multiply by the loss. Each edge $e$ has its own reward: the slope
# of its output $o_k(x)$, which one backward pass gives for all edges at once,
#
# $$R_e = \Big\langle \frac{\partial L}{\partial y_e},\, o_{k}(x) \Big\rangle, \qquad
# \hat g_e = R_e\, \frac{\partial \log p_k}{\partial \alpha_e}. \tag{10.7}$$
#
# $y_e$ is the output of the edge, so $R_e$ is $\partial L / \partial z_k$: what a little more of the operation would
# change. When is that as good as the loss?

# %% tags=["nbval-check-output"]
rows = [["bias / length of the gradient", "score function", "credit"]]
losses = {"linear": gradient_estimates.linear([0.0, 1.0, 3.0]), "squared": loss}
for name, objective in losses.items():
    pair = [
        gradient_estimates.estimate(objective, alpha, 1.0, estimator, samples=200_000, seed=1)
        for estimator in ("score function", "credit")
    ]
    rows.append([f"{name} loss", *(each.bias / float(each.exact.norm()) for each in pair)])
    rows.append(["  chance alone", *(each.noise / float(each.exact.norm()) for each in pair)])
nb.show(rows, digits=1)

# %% [markdown]
# For a loss that is linear in the weights, credit and score function are the same. For the squared one, the credit is
# further off than no gradient at all: the third operation is *too much*, its slope is high, but the first, whose output is 0,
# has slope 0 and passes for faultless. With many edges, each a small part of a sum, a loss is more nearly linear in one
# of them. How nearly is a question to a supernet, not to paper.

# %% [markdown]
# ## The methods in the loop
#
# In nasbook a method is a row of choices. These are the rows of this chapter, beside DARTS:

# %% tags=["nbval-check-output"]
from nasbook.search import Search, recipes
from nasbook.selection import derive

methods = ("darts", "snas", "snas-bilevel", "gdas", "dsnas")
axes = ("relaxation", "hypergradient", "memory", "selection")
nb.show(
    [["method", *axes]]
    + [[name, *(getattr(recipes.get(name), axis) for axis in axes)] for name in methods]
)

# %% [markdown]
# *Single-level* means that $\alpha$ moves with $w$, by one backward pass on the **same training batch**; there is no
# validation half for it. SNAS and DSNAS were published so, and their cells keep every edge. The SNAS of the lecture's
# NAS-Bench-201 table is another one: bilevel like DARTS (chapter 05), run by Chen et al. (2021). So do not put numbers of
# one beside claims about the other.
#
# Now to real supernets. So that all searches of this chapter fit in a minute: the easy variant of the images, half as
# many, a stem that halves their sides, and other numbers of epochs than in the class preset. All else is each method's own.

# %% tags=["nbval-check-output"]
space = spaces.get("nas-bench-201")
data = datasets.load("street_numbers-easy")
epochs = {"darts": 10, "snas": 10, "snas-bilevel": 10, "gdas": 30, "dsnas": 30}


def make(method, **changes):
    recipe = recipes.get(method)
    numbers = sizes.get("class").of(space.family, method).search
    changes = {"images": 2000, "stem_stride": 2, "epochs": epochs[method]} | changes
    numbers = sizes.override(numbers, changes)
    rule, record = derive(recipe.selection), instruments.named(["derived-accuracy"])
    request = {"derive": rule, "seed": 1, "device": nb.device, "instruments": record}
    return Search(space, data, recipe=recipe, numbers=numbers, **request)


operations = space.groups["normal"].operations[0]
nb.show(edges=len(space.groups["normal"].rows), operations_of_each=operations)

# %% tags=["nbval-check-output"]
rows = [["method", "epochs here", "in the preset", "images seen, share of the preset's"]]
for name in methods:
    preset = sizes.get("class").of(space.family, name).search
    here = make(name).numbers
    share = here.epochs * here.images / (preset.epochs * preset.images)
    rows.append([name, here.epochs, preset.epochs, f"{share:.2f}"])
nb.show(rows)

# %% [markdown]
# GDAS and DSNAS have some more epochs than in the preset, the others fewer; with half the images all take fewer steps.

# %% [markdown]
# ## What a step reads and runs
#
# One step of each method, observed from outside: did it take a batch of the weights' half, of alpha's half? And in one
# forward pass, how many operations run? A *forward hook* is called each time that a module runs.

# %%
nb.predict("10.5")


# %% tags=["main-result", "nbval-check-output"]
def operations_run(search):
    ran, mixing = [], search.mixing()
    inside = [each for _, _, edge in search.supernet.mixed_edges() for each in edge.operations]
    hooks = [each.register_forward_hook(lambda *_: ran.append(1)) for each in inside]
    search.logits(next(search.weights_batches)[0], mixing)
    for hook in hooks:
        hook.remove()
    return len(ran), mixing


rows = [["method", "reads the weights' half", "alpha's half", "operations that run"]]
for name in methods:
    search = make(name)
    search.step()
    halves = (search.weights_batches, search.alpha_batches)
    rows.append(
        [name, *(bool(each.state_dict()["position"]) for each in halves), operations_run(search)[0]]
    )
nb.show(rows)

# %% [markdown]
# DARTS and SNAS run $3 \cdot 6 \cdot 4 = 72$ (`none` is nothing to run). For GDAS, count the draw by hand:

# %% tags=["nbval-check-output"]
search = make("gdas")
count, mixing = operations_run(search)
drawn = [operations[row[0]] for row in mixing.active["normal"]]
cells = len(list(search.supernet.mixed_edges())) // len(drawn)
weights = mixing.weights["normal"].detach()
nb.show(
    drawn=drawn,
    operations_run_equal_the_draw=count == cells * sum(name != "none" for name in drawn),
    weights_are_zero_and_one=bool(((weights == 0) | (weights == 1)).all()),
)

# %% [markdown]
# ## Two gradients of one draw
#
# What is the slope of an operation that did not run? The paper leaves it out: zero. The released code of GDAS adds the
# *number* $h_j = 0$ to the output of the edge, for each operation $j$ that was not drawn. Forwards nothing happens. Backwards
# $h_j$ gets the sum of all elements of $\partial L / \partial y_e$, as if $o_j(x)$ were **ones**. Here a search can
# have either, by its number `unsampled`; the class size follows the code.

# %%
nb.predict("10.6")

# %% tags=["main-result", "nbval-check-output"]
from torch.nn import functional as F


def slopes(unsampled):
    """What is drawn, the loss of one batch, and its gradient in the weights (edges, operations)."""
    search = make("gdas", unsampled=unsampled, precision="float64")
    images, labels = next(search.alpha_batches)
    mixing = search.mixing()
    value = F.cross_entropy(search.logits(images, mixing), labels)
    return mixing.active["normal"], value, torch.autograd.grad(value, mixing.weights["normal"])[0]


(active, value, nothing), (_, again, ones) = slopes("nothing"), slopes("ones")
nb.show(the_same_loss=torch.equal(value, again))
rows = [["edge", "drawn", "its slope", "others: nothing", "others: ones"]]
for edge, (k,), left_out, as_ones in zip(space.groups["normal"].rows, active, nothing, ones):
    j = (k + 1) % len(operations)  # one of the others: all of them have this slope
    rows.append([edge, operations[k], *map(float, (left_out[k], left_out[j], as_ones[j]))])
nb.show(rows, digits=3)

# %% [markdown]
# With *ones* every operation that was not drawn has one slope, the same on all edges into a node, even `none`, whose output
# really is zero. Neither choice is the truth, which costs what GDAS saves.
#
# And look at the drawn ones on the first edge, which alone feeds its node, and on the second, where the draw of 1→2 is
# `none`: their own slopes are thousands of times smaller than those into node 3. Normalisation undoes a factor, so an edge
# without company learns nothing from its own weight. *Sampled only* has no signal there, nor has $R_e$ of DSNAS; the signal of *ones*
# is made up.

# %% [markdown]
# ## A search with a mixture, a search with draws
#
# DARTS for 10 epochs, GDAS for 30: a GDAS step runs about a fifth of the operations, and each operation learns only when it
# is drawn. After each epoch two accuracies on alpha's half, with the same shared weights: of the supernet, and of the
# derived cell.

# %%
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder

mixed = make("darts")
mixed_history = drive(mixed, RunFolder(None, {}), [nb.progress])
supernet, cell = (mixed_history[-1][f"{each}_accuracy"] for each in ("valid", "derived"))
print(f"supernet {supernet:.0f} %, derived cell {cell:.0f} %")

# %%
nb.predict("10.7")

# %% tags=["main-result", "nbval-check-output"]
sampled = make("gdas")
sampled_history = drive(sampled, RunFolder(None, {}), [nb.progress])
searches = {"darts": mixed, "gdas": sampled}
histories = {"darts": mixed_history, "gdas": sampled_history}
last = {name: history[-1] for name, history in histories.items()}
gap = {name: each["valid_accuracy"] - each["derived_accuracy"] for name, each in last.items()}
nb.show(
    supernet_of_darts_is_better=last["darts"]["valid_accuracy"] > last["gdas"]["valid_accuracy"],
    gap_of_darts_above_15_points=gap["darts"] > 15,
    gap_of_gdas_below_half_of_it=gap["gdas"] < gap["darts"] / 2,
)

# %%
from nasbook.figures import methods as side_by_side

side_by_side.over_epochs({"DARTS": histories["darts"], "GDAS": histories["gdas"]})

# %%
share = gap["gdas"] / gap["darts"]
nb.reveal("10.7", 0 if share > 0.75 else 1 if share > 0.25 else 2)

# %% [markdown]
# Mind what is compared. The "supernet" of GDAS at each look is *one drawn cell*, with the same noise each time: a single cell
# against a single cell, so its gap is small almost by construction. The jumps of its curve are the moments when $\alpha$ makes
# this draw another one; a draw with `none` on every way to the output knows nothing of the image. DARTS has the better supernet,
# and cannot keep it.
#
# What is not by construction is how good single cells are. So ask (10.1) directly: draw ten cells from the learned $p$,
# and let each run with the shared weights.

# %%
from nasbook.relaxation import HardGumbel


def accuracies_of_draws(search, count=10):
    generator = torch.Generator().manual_seed(0)
    draw = HardGumbel(space)
    return [search.validate(draw(search.alpha, 1.0, generator))[1] for _ in range(count)]


for name, each in searches.items():
    accuracies = accuracies_of_draws(each)
    mean = sum(accuracies) / len(accuracies)
    print(
        f"{name:6} supernet {last[name]['valid_accuracy']:.0f} %, ten draws {min(accuracies):.0f} to "
        f"{max(accuracies):.0f} %, mean {mean:.0f} %"
    )

# %% [markdown]
# ## SNAS and DSNAS
#
# In the supernet of GDAS many cells work, in that of DARTS the mixture works. SNAS comes from the one to the other: all
# operations run at every step, but at a temperature that falls to 0.03, so that its mixtures end up nearly one-hot. DSNAS runs
# one operation an edge from the start.

# %%
single_level = {name: make(name) for name in ("snas", "dsnas")}
all_histories = dict(histories)
for name, search in single_level.items():
    all_histories[name] = drive(search, RunFolder(None, {}), [nb.progress])
side_by_side.over_epochs({name.upper(): all_histories[name] for name in single_level})

# %% [markdown]
# But have they *decided* anything? Left the temperature, right the entropy of $p$, as a share of its largest: 1 is
# undecided, 0 one operation an edge.

# %%
from nasbook.relaxation import Temperature

figure, (left, right) = figures.figure("wide", 1, 2)
words = []
for name, history in all_histories.items():
    part = [epoch / len(history) for epoch in range(1, len(history) + 1)]
    chances = torch.tensor([record["weights"]["normal"] for record in history])
    share = distributions.entropy(chances).mean(1) / math.log(len(operations))
    style = {"darts": "C6-", "gdas": "C0-", "snas": "C1--", "dsnas": "C2:"}[name]
    right.plot(part, share, style, label=name)
    words.append(f"{name} from {share[0]:.2f} to {share[-1]:.2f}")
    if name in ("gdas", "snas"):
        falls = Temperature.of((searches | single_level)[name].numbers)
        left.semilogy(part, [falls(each - 1 / len(history)) for each in part], style)
left.set(xlabel="share of the search", ylabel="temperature")
right.set(xlabel="share of the search", ylabel="entropy of p / its largest", ylim=(0, 1.05))
right.legend()
figures.Picture(figure, f"The temperature falls; mean entropy of p on an edge: {', '.join(words)}.")


# %% tags=["nbval-check-output"]
def undecided(history):
    chances = torch.tensor(history[-1]["weights"]["normal"])
    return float(distributions.entropy(chances).mean()) / math.log(len(operations))


half_and_eighths = torch.tensor([0.5] + 4 * [0.125], dtype=torch.float64)
compared = float(distributions.entropy(half_and_eighths)) / math.log(len(operations))
nb.show(
    still_above_half=all(undecided(history) > 0.5 for history in all_histories.values()),
    entropy_of_one_half_and_four_eighths=compared,
    digits=2,
)

# %% [markdown]
# Far from it. One operation at 50 % and the four others at 12.5 % would have the last number above, and that is about
# the lowest that the picture reaches. A low temperature makes the
# *samples* one-hot, also where $p$ is not. So what you have seen is mostly the work of the shared weights: they adapt to
# what they are trained with, mixtures or single cells. The choice itself is weak here, and with another seed (`seed` in
# `make`) it is another cell. The class size proper has twice the images, so more steps.
#
# ## As published
#
# The lecture's table of NAS-Bench-201: every method searched on the data set, the accuracy of its cell looked up in the
# benchmark.

# %% tags=["nbval-check-output"]
from nasbook.analysis.published_errors import published_error

rows = [["test accuracy (%), published", "CIFAR-10", "CIFAR-100"]]
for name in ("darts", "random", "gdas", "snas-bilevel", "dsnas", "optimum"):
    both = [published_error("nas-bench-201", kind, name) for kind in ("cifar10", "cifar100")]
    spread = ("" if row.spread is None else f" ± {row.spread:.2f}" for row in both)
    label = {"random": "random search"}.get(name, name)
    rows.append([label, *(f"{row.accuracy:.2f}{each}" for row, each in zip(both, spread))])
nb.show(rows)

# %% [markdown]
# All three avoid the collapse of DARTS on CIFAR-10. But none is above *random search* there (Bergstra and Bengio 2012: draw
# cells, evaluate each, keep the best), and on CIFAR-100 GDAS and DSNAS are far below it, DSNAS with a spread of 16 points.
# A closed gap says that the search evaluated what it keeps. It does not say that the search found something.
#
# `nb.card("gdas")` shows the card of a method: its steps, where the code stands, and where it differs from the paper.

# %% [markdown]
# ## What five seeds say
#
# The searches above are one seed, on easy images. Stored are five seeds of every method at the full class size, in
# NAS-Bench-201 and on the default images: `nasbook claims measure method-order` makes them again. Their control is one random
# cell a seed, not random search. First the gap.

# %%
nb.predict("10.8")

# %% tags=["main-result", "nbval-check-output"]
from nasbook import claims

runs = claims.runs("method-order")
stored = [name for name in methods if f"{name}_gap" in runs[0].values]
head = ("supernet", "derived, same weights", "gap", "trained", "less a random cell", "largest gap")
rows = [["mean of the seeds, %", *head]]
for name in stored:
    keys = ("supernet", "one_hot", "gap", "derived", "minus_random")
    means = [sum(run.values[f"{name}_{key}"] for run in runs) / len(runs) for key in keys]
    largest = max(run.values[f"{name}_gap"] for run in runs)
    rows.append([name, *(f"{each:.1f}" for each in (*means, largest))])
nb.show(rows)

# %%
side_by_side.gaps([run.values for run in runs], stored)

# %%
gaps = {name: sum(run.values[f"{name}_gap"] for run in runs) for name in stored[1:]}
(positive,) = (name for name, gap in gaps.items() if gap > 0)
nb.reveal("10.8", ("snas", "snas-bilevel", "gdas", "dsnas").index(positive))

# %% [markdown]
# Read the columns "gap" and "largest gap". DARTS loses most by far, bilevel SNAS some points (in one seed 16), the other
# three nothing on average: what they train is what they keep. Differences among these three are chance. A negative gap is no magic:
# their "supernet" is one draw, and the derived cell may be better than it.
#
# The trained cells are another matter. Those of GDAS and DSNAS are no better than the cells of DARTS, and in single seeds
# much worse. Look at what they hold, seed by seed:


# %% tags=["nbval-check-output"]
def convolutions(run, name):
    return run.values["cells"][name].count("nor_conv_3x3")


rows = [["", *(f"seed {run.seed}" for run in runs)]]
for name in stored:
    rows.append([f"{name}: trained, %", *(f"{run.values[f'{name}_derived']:.1f}" for run in runs)])
    rows.append(["  3x3 convolutions", *(convolutions(run, name) for run in runs)])
    rows.append(["  share of none", *(f"{run.values[f'{name}_none']:.2f}" for run in runs)])
nb.show(rows)

# %% [markdown]
# Most edges of GDAS and DSNAS hold `none`. Is that the harm? Sort their ten cells by what is left:


# %% tags=["nbval-check-output"]
def band(values):
    return f"{min(values):.1f} to {max(values):.1f} %"


cells = [(run, name) for run in runs for name in ("gdas", "dsnas")]
trained = {0: [], 1: []}
for run, name in cells:
    trained[convolutions(run, name)].append(run.values[f"{name}_derived"])
kept = [run.values["cells"][name].split("+")[-1] for run, name in cells if convolutions(run, name)]
nb.show(
    cells_with_one_3x3_convolution=len(trained[1]),
    it_is_always_on_0_to_3=all("nor_conv_3x3~0" in edges for edges in kept),
    they_reach=band(trained[1]),
    cells_without=len(trained[0]),
    these_reach=band(trained[0]),
)

# %% [markdown]
# `none` alone is not the harm. Where one 3x3 convolution is left on the way to the output, as in the sparsest DSNAS cells, the
# cell reaches 80 % or more. The four cells without any do not.
#
# Why does the convolution get lost? A guess, not measured here: early in a search an operation without weights disturbs
# least, while a convolution has still to be trained; and a method that draws what looks good meets the convolution less
# and less.
#
# And the two SNAS? Both run all operations at every step.

# %% tags=["nbval-check-output"]
rows = [["", "hypergradient", "temperature", "3x3 convolutions", "of edges"]]
for name in ("snas", "snas-bilevel"):
    numbers = sizes.get("class").of(space.family, name).search
    ends = f"{numbers.temperature:g} to {numbers.temperature_end:g}"
    count = sum(convolutions(run, name) for run in runs)
    edges = len(runs) * len(space.groups["normal"].rows)
    rows.append([name, recipes.get(name).hypergradient, ends, count, edges])
nb.show(rows)

# %% [markdown]
# They differ in levels and in the temperature. The one whose temperature ends at 1, so that it still trains mixtures, keeps
# the larger gap; its cells are the best here, nearly all 3x3 convolutions. (Two things differ at once: which of them makes the
# cells better is not shown.) **A small gap is not a good cell.**
#
# ## The claims, measured

# %% tags=["nbval-check-output"]
nb.claims()

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("10.9")

# %% tags=["nbval-check-output"]
nb.predict("10.10")

# %% tags=["nbval-check-output"]
nb.predict("10.11")

# %% tags=["nbval-check-output"]
nb.predict("10.12")

# %% tags=["nbval-check-output"]
nb.predict("10.13")

# %% [markdown]
# ## Exercises
#
# ### Exercise 10.1 (easy, 10 minutes)
#
# Write `gumbel_max(alpha, uniform)`: `alpha` has shape (K,), `uniform` holds numbers drawn uniformly from (0, 1), of shape
# (samples, K). Return what each row draws by (10.2): whole numbers, of shape (samples,).
#
# <details><summary>Hint 1</summary>Noise first: two logarithms, each with a minus.</details>
# <details><summary>Hint 2</summary>A constant added to all of alpha changes no maximum, so log p is not needed; then
# <code>argmax(1)</code>.</details>


# %%
def gumbel_max(alpha, uniform):
    """Replace the next line: (K,), (samples, K) -> whole numbers (samples,)."""
    raise nasbook.NotAttempted


nb.check("10.1", gumbel_max)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_gumbel_max(alpha, uniform):
    return (alpha - torch.log(-torch.log(uniform))).argmax(1)


nb.check_solution("10.1", solution_gumbel_max)

# %% [markdown]
# ### Exercise 10.2 (easy, 5 minutes)
#
# With the explorer of the section "Temperature": choose Gumbel-softmax, set all three logits to 0, and find the temperature
# at which the samples have half of the largest entropy, within 0.01. Hand in `explorer.state()`, a short text.
#
# <details><summary>Hint 1</summary>The sentence under the triangle has the share of the largest entropy.</details>
# <details><summary>Hint 2</summary>It grows with the temperature: halve the interval, starting from 0.1 and 1.</details>

# %%
answer = ...  # explorer.state()
nb.check("10.2", answer)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
half_way = SimplexExplorer()
low, high = 0.1, 1.0
while high - low > 0.001:
    half_way.temperature = (low + high) / 2
    low, high = (
        (half_way.temperature, high)
        if half_way.result().share < 0.5
        else (low, half_way.temperature)
    )
nb.check_solution("10.2", half_way.state())
nb.show(temperature=half_way.temperature, digits=2)

# %% [markdown]
# ### Exercise 10.3 (medium, 20 minutes)
#
# Write `straight_through(alpha, noise, temperature)`: the weights of one edge as GDAS uses them. Forwards they are one-hot
# where `alpha + noise` is largest, backwards they have the gradient of (10.3) in `alpha`.
#
# <details><summary>Hint 1</summary>Equation (10.5), line by line; <code>constant</code> is <code>detach</code>.</details>
# <details><summary>Hint 2</summary><code>torch.nn.functional.one_hot(place, len(alpha))</code> gives whole numbers: make
# them <code>.double()</code>.</details>


# %%
def straight_through(alpha, noise, temperature):
    """Replace the next line: (K,), (K,), a number -> (K,)."""
    raise nasbook.NotAttempted


nb.check("10.3", straight_through)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_straight_through(alpha, noise, temperature):
    z = torch.softmax((alpha + noise) / temperature, dim=0)
    hard = torch.nn.functional.one_hot(z.argmax(), len(z)).double()
    return hard + z - z.detach()


nb.check_solution("10.3", solution_straight_through)

# %% [markdown]
# ### Exercise 10.4 (hard, 30 minutes)
#
# Write `credit(alpha, drawn, slopes, outputs)`: DSNAS's gradient in $\alpha$ by (10.7), for all edges. `alpha` has shape
# (edges, K); `drawn` (edges,) is the operation that each edge has drawn; `slopes` (edges, n) is
# $\partial L / \partial y_e$, flattened, and `outputs` (edges, n) is what the drawn operation put out. Does a supernet agree?
#
# <details><summary>Hint 1</summary>$R_e$ is one number an edge: a product, summed over n.</details>
# <details><summary>Hint 2</summary>The derivative of $\log p_k$ is that of (10.6): one-hot less p, row by row.</details>


# %%
def credit(alpha, drawn, slopes, outputs):
    """Replace the next line: (edges, K), (edges,), (edges, n), (edges, n) -> (edges, K)."""
    raise nasbook.NotAttempted


nb.check("10.4", credit)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_credit(alpha, drawn, slopes, outputs):
    reward = (slopes * outputs).sum(1, keepdim=True)
    hard = torch.nn.functional.one_hot(drawn, alpha.shape[1])
    return reward * (hard - alpha.softmax(1))


nb.check_solution("10.4", solution_credit)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
search = make("dsnas", precision="float64")
images, labels = next(search.weights_batches)
mixing = search.mixing()
variables = (mixing.weights["normal"], search.alpha["normal"])
value = F.cross_entropy(search.logits(images, mixing), labels)
gate, by_the_search = torch.autograd.grad(value, variables)
drawn = torch.tensor(mixing.active["normal"])[:, 0]
reward = gate.gather(1, drawn[:, None])  # dL / dz of what was drawn: R of each edge
mine = solution_credit(variables[1].detach(), drawn, reward, torch.ones_like(reward))
nb.show(the_supernet_agrees=torch.allclose(mine, by_the_search))

# %% [markdown]
# ## What breaks
#
# - **The gap is not the goal.** It closes when nothing is mixed, for good cells and for bad ones.
# - **Nothing is free.** At a low temperature the soft estimate has little bias and much variance; one operation an edge is
#   cheap, and has three times the epochs here.
# - **Slopes are not losses.** GDAS and DSNAS judge an operation by its slope, at one point. Where normalisation follows, an
#   edge that alone feeds its node has no slope at all.
# - **One-hot samples are not a decision.** A temperature can be low while $p$ is wide; look at its entropy.
#
# Run them on your own space: `nasbook search --method gdas --space ...`, with `--record derived-accuracy`.

# %% [markdown]
# ## Takeaways
#
# - A search over a distribution minimises the mean loss of drawn architectures; DARTS minimises the loss of their mean.
# - $\arg\max_k (\log p_k + G_k)$ draws from $p$, by a race of exponential clocks; a chi-square test tells it from wrong
#   noise.
# - A low temperature makes samples one-hot; the soft estimate of the gradient gets less bias and more variance.
# - The score function has no bias; credit has none where the loss is linear; straight-through has some in general; sampled
#   only has some at each temperature.
# - SNAS runs all operations on training images; GDAS runs one an edge, bilevel; DSNAS one, single-level. Their gap closes;
#   whether the cell is good is another question.
