# %% [markdown]
# # 08. Sharp minima and the discretisation gap
#
# *The curvature around a search, measured: what it says about the cell that comes out, and what it cannot say.*
#
# **You will be able to**
#
# - write Taylor's estimate of the discretisation gap, and say in which variables it makes sense
# - measure the Hessian of a running search and read its eigenvalues, with their spread
# - compare the estimate with the true loss on the way to an architecture
# - judge the three-panel picture of the lecture beside a search whose alpha is frozen
# - stop a search by its eigenvalue, and use the other remedies of RobustDARTS
#
# **Before this:** chapters 06 and 07. **Time:** about 75 minutes in class, about a minute of computing.
#
# **Lecture:** Sharpness and the discretisation gap.

# %%
import torch

import nasbook
from nasbook import claims, datasets, figures, instruments, sizes, spaces
from nasbook.figures import eigenvalues, ranks, sharpness
from nasbook.search import Search, recipes

nb = nasbook.start("08")

# %% [markdown]
# ## The argument
#
# Chapter 06 measured a gap: the supernet is good, one architecture with the same weights is not. The lecture explains
# when the gap is large. Expand the validation loss around the point $p$ where the search stands; $d$ leads from there
# to the discrete architecture, $g$ is the gradient and $H$ the Hessian at $p$:
#
# $$L(p + d) \approx L(p) + g^\top d + \tfrac12\, d^\top H d. \tag{8.1}$$
#
# In a minimum $g = 0$. What is left is at most half the largest eigenvalue times the squared length of the jump:
#
# $$L(p + d) - L(p) \;\lesssim\; \tfrac12\, \lambda_{\max} \lVert d \rVert^2. \tag{8.2}$$
#
# So, says the argument of Zela et al. and of Chen & Hsieh (both 2020), a **sharp** minimum, one with a large
# $\lambda_{\max}$, loses much when it is made discrete. Every step of this can be measured. First without a network: a
# quadratic function, for which (8.1) is exact.

# %% tags=["nbval-check-output"]
hessian = torch.tensor([[3.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
gradient = torch.tensor([1.0, -1.0], dtype=torch.float64)
jump = torch.tensor([0.5, -0.5], dtype=torch.float64)
largest = torch.linalg.eigvalsh(hessian)[-1]
nb.show(
    eigenvalues=torch.linalg.eigvalsh(hessian),
    true_gap=gradient @ jump + jump @ hessian @ jump / 2,
    by_curvature_alone=jump @ hessian @ jump / 2,
    by_the_bound=largest * (jump @ jump) / 2,
)

# %% [markdown]
# This point is no minimum: there is a gradient, and one eigenvalue is negative. The curvature alone sees no gap at all,
# and the "bound" is too low. (8.2) needs a minimum; whether a search ends in one is a question for measurement.
#
# ## In which variables?
#
# The search moves $\alpha$, and there the discrete point is *nowhere*: with two operations on an edge the weight is
# $1 / (1 + e^{-a})$ for a distance $a$ of the two parameters, and it is 1 for no finite $a$.

# %% tags=["nbval-check-output"]
apart = torch.tensor([0.0, 1.0, 3.0, 6.0], dtype=torch.float64)
weight = torch.sigmoid(apart)
nb.show(distance_in_alpha=apart, weight=weight, weight_per_alpha=weight * (1 - weight), digits=3)

# %% [markdown]
# The last row is the derivative of the weight. It fades: the more decided an edge, the **flatter** the loss looks in
# $\alpha$, as long as its slope and curvature in the weights do not grow faster. By the chain rule, with $J$ the derivative of the weights $p$ by $\alpha$,
#
# $$H_\alpha = J^\top H_p J + \sum_i \frac{\partial L}{\partial p_i} \nabla^2_\alpha p_i. \tag{8.3}$$
#
# So there are two Hessians. The papers report that of $\alpha$. But (8.1) needs a $d$ of finite length, and that
# exists for the operation weights $p$ only, each taken as a free number. We measure both, and always say which.

# %% [markdown]
# ## A search to measure
#
# Space `s2`, a skip connection or a separable convolution on every edge, for half the epochs of chapter 07. As there,
# the class size has two nodes and a fixed reduction, which the published S2 has not.

# %% tags=["nbval-check-output"]
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.selection import magnitude

space = spaces.get("s2", nodes=nb.preset.search.nodes, reduction=nb.preset.search.reduction)
numbers = sizes.override(nb.preset.search, {"epochs": nb.preset.search.epochs // 2})
search = Search(
    space,
    datasets.load(nb.preset.data),
    recipe=recipes.get("darts"),
    numbers=numbers,
    derive=magnitude,
    seed=1,
    device=nb.device,
)
history = drive(search, RunFolder(None, {}), [nb.progress])
parameters = sum(value.numel() for value in search.alpha.values())
nb.show(epochs=len(history), architecture_parameters=parameters)

# %% [markdown]
# ## The Hessian
#
# So few parameters allow the whole matrix: one more backward pass for each of them. The package draws two batches of
# 256 images from alpha's half, keeps $w$ fixed, and takes the mean.

# %%
nb.predict("08.1")

# %% tags=["main-result", "nbval-check-output"]
in_alpha = instruments.hessian(search)
in_weights = instruments.hessian(search, coordinates="mixing")
zero = abs(in_alpha.eigenvalues()) < 1e-4 * in_alpha.largest
nb.show(
    zero_in_alpha=int(zero.sum()),
    largest_in_alpha_is_positive=in_alpha.largest > 0,
    larger_in_the_operation_weights=in_weights.largest > 2 * in_alpha.largest,
    Lanczos_finds_the_same=abs(instruments.leading(search)[0] / in_alpha.largest - 1) < 1e-3,
)

# %%
figure, axes = figures.figure("wide", 1, 2)
measured = {"α": in_alpha, "the operation weights": in_weights}
for axis, (name, each) in zip(axes, measured.items()):
    axis.bar(range(1, parameters + 1), each.eigenvalues())
    axis.axhline(0, color="black", lw=0.8)
    axis.set(xlabel="eigenvalue, ascending", ylabel=f"curvature in {name}")
ends = [
    f"{each.eigenvalues()[0]:.2f} to {each.largest:.2f} in {name}"
    for name, each in measured.items()
]
figures.Picture(figure, f"All eigenvalues of both Hessians: from {' and from '.join(ends)}.")

# %% [markdown]
# Lanczos iteration reaches the largest without making the matrix, from Hessian-vector products; for large spaces that is
# cheaper. By (8.3) the operation weights show more curvature: a step of length one in the two alphas of an edge moves both
# weights by at most $\sqrt2 / 4$, which is a step of one half, and a curvature takes it twice.
#
# Is this a minimum? Two questions, two numbers:

# %%
lowest = in_weights.eigenvalues()[0]
slope = instruments.line(search, points=2).slope
print(f"smallest eigenvalue in the operation weights: {lowest:+.3f} (a minimum has none below 0)")
print(f"gradient along the jump: {slope:+.3f} nats (a minimum has 0)")

# %% [markdown]
# A search is stopped after a number of epochs, not when it has arrived.
#
# The released code of Zela et al. takes **one batch of 64 images**, and adds the weight decay of alpha to the diagonal. What does
# another batch say?

# %%
single = [
    instruments.hessian(search, batches=1, batch=numbers.batch, decay=True, seed=seed).largest
    for seed in range(6)
]
print("one batch of 64:  ", "  ".join(f"{value:.2f}" for value in single))
print(
    f"two batches of 256: {in_alpha.largest:.2f}, their own largest apart by {in_alpha.spread:.2f}"
)
with_decay = instruments.hessian(search, decay=True).largest
print(f"the decay adds {with_decay - in_alpha.largest:.4f}")

# %% [markdown]
# The decay is a formality. The batch is not: read a single curve of single batches with care, and a difference of two of
# its points with more.

# %% [markdown]
# ## Along the line
#
# Now walk from the operation weights of the search, $t = 0$, straight to the derived architecture, $t = 1$, with the
# shared weights as they are. Taylor's formula knows only where the walk starts.

# %%
nb.predict("08.2")

# %% tags=["main-result", "nbval-check-output"]
way = instruments.line(search, points=11)
ratio = way.estimated_gap() / way.gap
nb.show(
    accuracy_falls=way.accuracy_gap > 5,
    loss_rises=way.gap > 0,
    bound_holds=way.bound > way.gap,
    curvature_alone_is_too_high=ratio > 1,
)

# %%
sharpness.line(way)

# %%
print(f"true gap          {way.gap:.2f} nats, {way.accuracy_gap:.0f} points of accuracy")
print(f"curvature alone   {way.estimated_gap():.2f} nats, {ratio:.1f} times the truth")
print(f"with gradient     {way.estimated_gap(gradient=True):.2f} nats")
print(f"bound (8.2)       {way.bound:.2f} nats")
nb.reveal("08.2", 0 if ratio < 0.5 else 1 if ratio <= 2 else 2)

# %% [markdown]
# With the gradient term the formula has the slope and the bend of the truth at $t = 0$; without it, it starts out level,
# as in a minimum. Both leave the truth long before the architecture is reached: the bend of the true loss does not
# stay what it was at the start. The jump is not small, and (8.1) is for small ones.

# %% [markdown]
# ## The surface
#
# The lecture's other picture: the accuracy on a plane through the point where the search stands. One direction is the
# eigenvector of $\lambda_{\max}$, the other is random and orthogonal to it. As in the papers, in $\alpha$. Mind that five
# of the ten directions there are flat, as we saw: about half of a random one lies in them, so that a step along it moves
# the weights less.

# %%
surface = instruments.landscape(search, radius=3.0, points=11, images=256)
sharpness.landscape(surface)

# %% [markdown]
# **Task:** walk along the line to $t = 1$: from which $t$ on is Taylor's formula off by more than a tenth of a nat? Then
# leave the middle of the surface along the eigenvector, come back, and leave it along the random direction. How far do
# you have to go, each way, until a quarter of the accuracy is lost, or is it not lost within the picture? Last, read the losses beside the middle: is it the
# lowest?

# %% tags=["widget"]
from nasbook.widgets.sharpness import Sharpness

Sharpness(way, surface)

# %% [markdown]
# A landscape shows two directions out of ten, and one search. It is a picture for an idea, not evidence for it: two
# surfaces look as different as the radius that was chosen. Compare surfaces in one colour scale, with one radius and the
# same images, as `sharpness.landscape({"a": ..., "b": ...})` draws them.

# %% [markdown]
# ## Three panels
#
# The argument was about one jump. The lecture's evidence is over the epochs of one search: the supernet gets better,
# the derived architecture gets worse, and meanwhile $\lambda_{\max}$ grows. Here are all three for `s2`, full length,
# every architecture trained from scratch. That takes longer than a lesson, so the runs are stored; the command is
# `nasbook claims measure s2`. In grey the **control**: the same search with $\alpha$ frozen at its start, where every
# weight stays one half.

# %%
nb.predict("08.3")

# %% tags=["main-result", "nbval-check-output"]
runs = claims.runs("s2")
over_frozen = [run.values["eigenvalue_over_frozen"] for run in runs]
in_mixing = [run.values["mixing_eigenvalue_over_frozen"] for run in runs]
nb.show(
    seeds=[run.seed for run in runs],
    growth_of_the_eigenvalue=[run.values["eigenvalue_growth"] for run in runs],
    growth_with_alpha_frozen=[run.values["frozen_eigenvalue_growth"] for run in runs],
    end_over_end_of_frozen=over_frozen,
    the_same_in_operation_weights=in_mixing,
    digits=3,
)


# %%
def panels(study):
    """The searches of a study with what their architectures reached, and the frozen ones."""
    stored = [run.values for run in claims.runs(study)]
    searches = [{**each["search"], "retrained": each["retrained"]} for each in stored]
    return searches, [each["frozen"] for each in stored if "frozen" in each]


sharpness.three_panels(*panels("s2"))

# %%
mean = sum(over_frozen) / len(over_frozen)
nb.reveal("08.3", 0 if mean > 2 else 1 if mean >= 0.5 else 2)

# %% [markdown]
# The three panels of the lecture are there or not; the ledger says which, over the seeds. The verdict is computed:
# `holds` means that the whole 95 % interval of the mean lies on the claimed side.

# %% tags=["nbval-check-output"]
verdicts = {each.claim.id: each.verdict for each in nb.claims().findings}
three = ("08.supernet-improves", "08.derived-falls", "08.eigenvalue-grows")
control = ("08.eigenvalue-is-alphas", "08.mixing-eigenvalue-is-alphas")
nb.show("the panels:", {each: verdicts[each] for each in three})
nb.show("the control:", {each: verdicts[each] for each in control})

# %% [markdown]
# The first three say whether the slide repeats itself here. The last two say whether the third panel can *explain* the
# second. A frozen $\alpha$ chooses nothing. Where its eigenvalue grows as much, the growth comes from the shared weights
# alone; a likely way: they over-fit, the network gets surer of itself, and a surer network loses more nats for the same
# shift of its weights. And $\alpha$ has the flattening of (8.3) besides, which hides curvature just where the search has
# decided. So the operation weights may tell another story than $\alpha$:


# %%
def course(part, key):
    """Epochs, and the mean of a series over the seeds of s2."""
    columns = zip(*(run.values[part][key] for run in runs))
    return runs[0].values[part]["epoch"], [sum(column) / len(column) for column in columns]


eigenvalues.compared(
    {
        "search, weights": course("search", "mixing_eigenvalue"),
        "α frozen, weights": course("frozen", "mixing_eigenvalue"),
        "search, α": course("search", "eigenvalue"),
        "α frozen, α": course("frozen", "eigenvalue"),
    }
)

# %% [markdown]
# A difference between the first two curves is the part of the sharpness that goes with the choice; it still does not say
# which of the two comes first. The same three panels in `s4`, where the useless operation is noise:

# %%
sharpness.three_panels(*panels("s4"))

# %% tags=["nbval-check-output"]
noise = ("08.s4-eigenvalue-is-alphas", "08.s4-mixing-eigenvalue-is-alphas")
nb.show("the control in s4:", {each: verdicts[each] for each in noise})

# %% [markdown]
# ## As published
#
# Zela et al. stored the Hessians of their searches in S1 on CIFAR-10. Recomputed: the mean eigenvalue of three seeds, in
# $\alpha$, one batch, for five weight decays of $w$. The first is standard DARTS.

# %%
from nasbook.analysis.published_eigenvalues import published_eigenvalues

published = published_eigenvalues()
eigenvalues.compared(
    {
        f"decay {each.w_decay:g}": (each.epochs, each.eigenvalues)
        for each in published
        if not each.drop_path
    }
)

# %% tags=["nbval-check-output"]
from nasbook.analysis.ranks import spearman

skips = [sum(each.skips) / len(each.skips) for each in published]
at_the_end = [each.eigenvalues[-1] for each in published]
nb.show(
    settings=len(published),
    growth_of_standard_darts=published[0].eigenvalues[-1] / published[0].eigenvalues[0],
    rank_correlation_of_eigenvalue_and_skips=spearman(at_the_end, skips, resamples=0).value,
    digits=3,
)

# %% [markdown]
# Over these five settings and three more with drop path, sharp ends and skip connections do go together in the published
# runs. Each setting also changes how the
# weights are trained, which changes the curvature by itself, and none of these runs has $\alpha$ frozen. So the
# correlation is there, and what causes what is not settled by it.

# %% [markdown]
# ## Curvature, or time?
#
# Within one search everything grows: the gap, the estimate, the eigenvalue, and the number of the epoch. Five searches
# like the one above (`nasbook claims measure taylor`) ask three things of every epoch's line: does the estimate rank the
# gaps? The eigenvalue? The epoch's number, which knows no curvature? Then, after the last epoch, they go from *one*
# point to some thirty architectures: shared weights and eigenvalue are equal for all.

# %% tags=["nbval-check-output"]
taylor = claims.runs("taylor")


def average(name):
    """The mean over the seeds of a number of the study."""
    return sum(run.values[name] for run in taylor) / len(taylor)


rows = {
    "estimate, over the epochs": "estimate_over_epochs",
    "eigenvalue, over the epochs": "eigenvalue_over_epochs",
    "number of the epoch": "number_over_epochs",
    "estimate, over architectures": "estimate_over_architectures",
    "bound, over architectures": "bound_over_architectures",
}
nb.show(
    "Spearman's rho with the true gap:",
    {name: average(key) for name, key in rows.items()},
    digits=3,
)

# %%
drawn = taylor[0].values["drawn"]  # of the first seed
figure, axis = figures.figure("single")
top = max(drawn["bound"])
axis.plot((0, top), (0, top), color="grey", lw=0.8)
for name, marker in (("estimate", "o"), ("bound", "x")):
    axis.plot(drawn["gap"], drawn[name], marker, label=name)
axis.set(xlabel="true gap (nats)", ylabel="predicted (nats)", xlim=(0, 1.1 * max(drawn["gap"])))
axis.legend()
rho = taylor[0].values["estimate_over_architectures"]
words = f"Predicted against true gaps of {len(drawn['gap'])} architectures from one point."
figures.Picture(figure, f"{words} Grey: equality. The estimates' rank correlation is {rho:.2f}.")

# %% [markdown]
# If the epoch's number ranks the gaps as well as the eigenvalue does, then the three-panel picture cannot tell sharpness
# from age. The test over architectures can: there is no time in it, and a part of the first row's agreement was probably
# that of things that grow together. Over architectures $\lambda_{\max}$ is the same for all, so the last row ranks by the
# length of the jump alone; compare how little the curvature adds to that.

# %% [markdown]
# ## Where would it separate?
#
# In `s2` perhaps the class size is to blame: few images, learned by heart. So we looked for a setting in which the
# eigenvalue with $\alpha$ free ends above that with $\alpha$ frozen:
#
# - four times the images, ten epochs, and ten times the images, six epochs: less over-fitting is left;
# - a weight decay of $w$ of 0.0027 instead of 0.0003;
# - the operation weights instead of $\alpha$, in each of them.
#
# On the one seed of that search (101) none separated in $\alpha$; most did in the operation weights. Measured with other
# seeds and stored are the size's own setting, `s2`, ten times the images, `s2-images`, and another space, `s4`. The end
# with $\alpha$ free over the end with $\alpha$ frozen, a number for each seed; above 1 it separates:

# %% tags=["nbval-check-output"]
studies = ("s2", "s2-images", "s4")
for key in ("eigenvalue_over_frozen", "mixing_eigenvalue_over_frozen"):
    nb.show(
        key, {each: [run.values[key] for run in claims.runs(each)] for each in studies}, digits=3
    )
kept = {each: [run.values["empty_share"] for run in claims.runs(each)] for each in studies}
nb.show("share of kept edges with a skip connection, or noise in s4:", kept, digits=3)

# %% [markdown]
# The others can be repeated, or any of your own: each takes minutes.
#
# ```python
# from nasbook.analysis import collapse
# setting = {"space": "s2", "numbers": {"images": 16000, "epochs": 10}, "controls": False}
# collapse.study(101, setting)["eigenvalue_over_frozen"]
# ```
#
# Read the tables together. Where an eigenvalue separates *and* the useless operation wins, the lecture's reading is
# possible: the choice goes with sharpness. In the operation weights that is so in `s2` and in `s4`, and in `s2-images`,
# where convolutions win, it is below 1. In $\alpha$, the variable of the papers, it is clear in `s4` alone.
# Chapter 09 looks for the reason in the skip connections themselves.

# %% [markdown]
# ## Remedies
#
# RobustDARTS (Zela et al. 2020) draws three remedies. Each is an option of every search here, with one part missing: its
# searches with drop path also use cutout, which rises during the search. Searches here have no cutout.
#
# ```sh
# nasbook search --space s2 --w-decay 0.0243
# nasbook search --space s2 --drop-path 0.4
# nasbook search --space s2 --early-stop 1.3
# ```
#
# More weight decay and drop path keep $w$ from over-fitting. Early stopping looks at $\lambda_{\max}$: a mean of five
# looks is compared with the mean four looks earlier; if it has grown by more than a factor of 1.3, the search goes **back**
# to the architecture of the earlier one. This is the rule, as it reads the first of the stored searches:

# %%
curve = runs[0].values["search"]
eigenvalues.stopping(curve["epoch"], curve["eigenvalue"], factor=1.3)

# %%
nb.predict("08.4")

# %% tags=["main-result", "nbval-check-output"]
reached = {
    "DARTS": [run.values["derived"] for run in runs],
    "weight decay": [run.values["derived"] for run in claims.runs("s2-decay")],
    "drop path": [run.values["derived"] for run in claims.runs("s2-drop-path")],
    "early stopping": [run.values["of_stopped"] for run in runs],
    "always at epoch 5": [run.values["retrained"][0][1] for run in runs],
    "convolutions, no search": [run.values["trained"]["convolutions"] for run in runs],
    "random cell": [run.values["trained"]["random"] for run in runs],
}
means = {name: sum(values) / len(values) for name, values in reached.items()}
nb.show(
    "better than DARTS by two points:",
    {name: each > means["DARTS"] + 2 for name, each in means.items()},
)
nb.show("early stopping goes back to epoch:", [int(run.values["stopped_epoch"]) for run in runs])

# %%
ranks.bars(reached, ylabel="test accuracy (%)")

# %% tags=["nbval-check-output"]
from nasbook.analysis import collapse
from nasbook.search.early_stopping import EARLIEST, PUBLISHED_EPOCHS

first = EARLIEST * nb.preset.search.epochs / PUBLISHED_EPOCHS
with_frozen = [collapse.stop(run.values["frozen"], 1.3) for run in runs]
nb.show(
    earliest_epoch_that_the_rule_allows=first,
    searches_that_go_back_to_it=sum(run.values["stopped_epoch"] == first for run in runs),
    and_with_alpha_frozen=sum(epoch == first for epoch in with_frozen),
)

# %%
remedies = ("weight decay", "drop path", "early stopping")
better = sum(means[each] > means["random cell"] for each in remedies)
nb.reveal("08.4", {3: 0, 0: 2}.get(better, 1))

# %% [markdown]
# Convolutions everywhere need no search. A remedy is good when it comes near them, and it has found something when it
# beats the random cell. All three remedies avoid the cell of nothing but skips. Such a cell can still keep many skip
# connections: the ledger below has their share with weight decay (`08.weight-decay`) and with drop path
# (`08.drop-path`, which is weak: on some seeds half of the kept edges are skips). Be careful with the reason for early
# stopping. The eigenvalue grows so early that the rule goes back as far as it is allowed to, and it does the same where
# $\alpha$ is frozen and nothing goes wrong. A rule that reads no curve at all, and always takes epoch 5, does as well.
# Only what the eigenvalue adds to *that* is its merit, and here it adds nothing.

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("08.5")

# %% tags=["nbval-check-output"]
nb.predict("08.6")

# %% tags=["nbval-check-output"]
nb.predict("08.7")

# %% tags=["nbval-check-output"]
nb.predict("08.8")

# %% [markdown]
# ## Exercises
#
# ### Exercise 08.1 (easy, 10 minutes)
#
# Write `estimated_gap(gradient, hessian, direction)`: the change of the loss by (8.1), as one number.
#
# <details><summary>Hint 1</summary>Two terms; the matrix takes the direction from both sides.</details>
# <details><summary>Hint 2</summary><code>@</code> of two vectors is their inner product; mind the one half.</details>


# %%
def estimated_gap(gradient, hessian, direction):
    """Replace the next line: (n,), (n, n), (n,) -> a number."""
    raise nasbook.NotAttempted


nb.check("08.1", estimated_gap)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_estimated_gap(gradient, hessian, direction):
    return gradient @ direction + direction @ hessian @ direction / 2


nb.check_solution("08.1", solution_estimated_gap)

# %% [markdown]
# ### Exercise 08.2 (medium, 20 minutes)
#
# A space of the published size has 56 parameters or more, and the whole Hessian costs a backward pass for each. Write
# `hessian_times(loss, point, direction)`: the product $H d$ at the point, without making $H$. `loss` is any function of
# a vector. Two backward passes are enough, however long the vector is.
#
# <details><summary>Hint 1</summary>The gradient of the number <code>gradient @ direction</code> is the product.</details>
# <details><summary>Hint 2</summary><code>torch.autograd.grad(..., create_graph=True)</code> makes a gradient that can be
# differentiated again; start from <code>point.clone().requires_grad_()</code>.</details>


# %%
def hessian_times(loss, point, direction):
    """Replace the next line: a function, (n,), (n,) -> (n,)."""
    raise nasbook.NotAttempted


nb.check("08.2", hessian_times)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_hessian_times(loss, point, direction):
    leaf = point.clone().requires_grad_()
    (first,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    return torch.autograd.grad(first @ direction, leaf)[0]


nb.check_solution("08.2", solution_hessian_times)

# %% [markdown]
# ### Exercise 08.3 (hard, 30 minutes)
#
# Write `largest_eigenvalue(times, size)`: the largest eigenvalue **with its sign** of a symmetric matrix that you can only
# multiply by: `times(vector)` returns the product. Power iteration (multiply, make it length one, again) finds the one
# that is largest *in size*, and a Hessian may have a negative one there. If you like, ask the search then:
# `points = instruments.Points(search, "mixing")` gives its loss, `points.loss(point, batch)`, as a function of a point.
#
# <details><summary>Hint 1</summary>If power iteration ends at a negative value $\mu$, look at the matrix $H - \mu I$: all
# its eigenvalues are positive or zero.</details>
# <details><summary>Hint 2</summary>The value is <code>v @ times(v)</code> for the last vector <code>v</code>; iterate
# <code>times(v) - shift * v</code>, a few hundred times, from a random start.</details>


# %%
def largest_eigenvalue(times, size):
    """Replace the next line: a function (n,) -> (n,), n -> a number."""
    raise nasbook.NotAttempted


nb.check("08.3", largest_eigenvalue)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def power(times, size, shift=0.0, steps=300):
    vector = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for _ in range(steps):
        vector = times(vector) - shift * vector
        vector = vector / vector.norm()
    return (vector @ times(vector)).item()


def solution_largest_eigenvalue(times, size):
    found = power(times, size)
    return found if found > 0 else power(times, size, shift=found)


nb.check_solution("08.3", solution_largest_eigenvalue)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
points = instruments.Points(search, "mixing")
(batch,) = points.batches(1, 128)


def of_the_search(vector):
    return solution_hessian_times(lambda point: points.loss(point, batch), points.here(), vector)


exact = instruments.hessian(search, coordinates="mixing", batches=1, batch=128).largest
mine = power(of_the_search, parameters, steps=20)
nb.show(power_iteration_agrees=abs(mine / exact - 1) < 0.1)

# %% [markdown]
# ## What breaks
#
# - **The bound.** It needs a minimum and a small jump; a search gives neither. At this size it is far above the gap, so it
#   forbids little.
# - **The variable.** In $\alpha$ the discrete point does not exist, and decided edges look flat.
# - **The inference.** That $\lambda_{\max}$ grows while the cell gets worse is two curves over one time. Without the
#   control they prove nothing about each other.
#
# To repeat all of this on your own space and images: `nasbook search --space ... --data ... --record eigenvalue
# --record derived-accuracy`, and in a notebook `instruments.line(search)`.
#
# ## What was measured

# %%
nb.claims()

# %% [markdown]
# ## Takeaways
#
# - Taylor estimates the gap by $g^\top d + \tfrac12 d^\top H d$, in the operation weights, not in alpha; here by far too
#   much.
# - A search's Hessian has a zero eigenvalue an edge in alpha; one batch is a noisy measurement of its largest.
# - On the way to an architecture the true loss leaves Taylor's formula: the jump is not small.
# - The eigenvalue is evidence about the choice only beside a search whose alpha is frozen; the ledger has both.
# - Weight decay, drop path and early stopping are options of every search; judge them beside convolutions and random
#   cells.
