# %% [markdown]
# # 05. Bilevel optimisation
#
# *Weights and architecture each have a loss of their own, and one looks over the other's shoulder.*
#
# **You will be able to**
#
# - say why the weights and the architecture get two losses and two halves of the images
# - write the bilevel problem, and the first- and second-order gradients of its outer loss
# - check a hypergradient against an exact one, and say when its finite difference can be trusted
# - count what first and second order cost
# - tell what changes with the order of the two steps, and with one loss for both
#
# **Before this:** chapter 04. **Time:** about 75 minutes in class, under a minute of computing. Gradients are checked
# in double precision; one comparison of searches runs in single precision.
#
# **Lecture:** Bilevel optimisation.

# %%
import torch

import nasbook
from nasbook import datasets, sizes, spaces
from nasbook.analysis import bilevel_toy, hypergradients
from nasbook.figures import bilevel

nb = nasbook.start("05")

# %% [markdown]
# ## Two players, one network
#
# Chapter 04 gave each operation a number $\alpha$ that gradient descent can move. The weights $w$ move too. The
# simplest plan: let them take turns, one gradient step each.
#
# Here is the smallest problem with two such players. The weight $w$ wants to lower one loss, $\alpha$ another one. The
# best that $\alpha$ can reach, once $w$ has answered, is the star.

# %%
nb.predict("05.1")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.search import exact, first_order, second_order

turns = bilevel_toy.run(first_order, steps=200)
nb.show(start=bilevel_toy.START, rest=turns.end, star=bilevel_toy.SOLUTION)
nb.show(loss_at_rest=turns.valid_loss[-1], loss_at_the_star=bilevel_toy.valid_loss(1.0, 1.0))

# %%
bilevel.plane({"darts": turns})

# %% [markdown]
# They rest at $(2, 2)$, where the loss of $\alpha$ is 1; at the star it is 0. Nothing went wrong in the arithmetic.
# What is missing is a thought: *when I move, the other one will answer.* This chapter puts that thought into a
# gradient.
#
# ## Why two losses
#
# Train $\alpha$ on the images that $w$ is trained on, and it learns which operations help $w$ to **memorise** them.
# What we want to know is which operations help on images that $w$ has not seen. So the training images are split
# into two halves: $w$ sees one, $\alpha$ the other.

# %% tags=["nbval-check-output"]
data = datasets.load("street_numbers")
weights_half, alpha_half = datasets.bilevel_halves(data, images=2000, seed=0)
left, right = (
    set(map(bytes, half.pixels.flatten(1).numpy())) for half in (weights_half, alpha_half)
)
nb.show(
    images_for_weights=len(weights_half),
    images_for_alpha=len(alpha_half),
    in_both=len(left & right),
)

# %% [markdown]
# The test images belong to neither half: they are for the architecture that comes out, at the very end.
#
# ## The problem
#
# $$\min_\alpha\; L_{val}(w^*(\alpha), \alpha) \qquad \text{outer problem} \tag{5.1}$$
#
# $$\text{with}\quad w^*(\alpha) = \arg\min_w\; L_{train}(w, \alpha) \qquad \text{inner problem} \tag{5.2}$$
#
# It is **bilevel**: the constraint of one minimisation is another minimisation. To compare two values of $\alpha$
# fairly, we would have to train the weights to the end for each. The package holds the two losses as plain functions of
# $(w, \alpha)$, so the same code serves a supernet and a problem on paper.

# %%
from nasbook.search import Problem

nasbook.source(Problem)

# %% [markdown]
# ## A problem that paper can solve
#
# The problem of the first picture, from the DARTS paper, has one number for $w$ and one for $\alpha$:
#
# $$L_{val} = \alpha w - 2\alpha + 1, \qquad L_{train} = w^2 - 2\alpha w + \alpha^2 = (w - \alpha)^2. \tag{5.3}$$
#
# The inner problem is solved by $w^*(\alpha) = \alpha$. Put that into the outer one: $\alpha^2 - 2\alpha + 1 =
# (\alpha - 1)^2$. So the exact answer is $\alpha = w = 1$. Elsewhere in the plane the outer loss is far lower (the first
# picture goes down to $-12$), but $w$ never stays there: only the line $w = w^*(\alpha)$ counts. The table walks along it.

# %% tags=["nbval-check-output"]
alphas = [0.0, 0.5, 1.0, 1.5, 2.0]
losses = [bilevel_toy.valid_loss(bilevel_toy.best_weight(alpha), alpha) for alpha in alphas]
nb.show([["alpha", *alphas], ["outer loss", *losses]])

# %% [markdown]
# ## First order: pretend that w stays
#
# The cheap gradient treats $w$ as a constant:
#
# $$\nabla_\alpha L_{val}(w, \alpha)\big|_{w \text{ fixed}} \tag{5.4}$$
#
# On the toy it is $w - 2$. It is zero only where $w = 2$, and $w$ rests only where $w = \alpha$: hence $(2, 2)$, for all
# learning rates that let it rest at all. Here is the function that the search of chapter 06 runs.

# %%
nasbook.source(first_order)

# %% [markdown]
# ## Second order: look one step ahead
#
# Training $w$ to the end for each $\alpha$ is too much. One step of stochastic gradient descent says already in which
# direction $w$ will answer:
#
# $$w'(\alpha) = w - \xi\,[\,m\,v + \nabla_w L_{train}(w, \alpha) + \lambda w\,], \tag{5.5}$$
#
# with step $\xi$, momentum $m$, velocity $v$ and weight decay $\lambda$. The outer loss is then taken at $w'(\alpha)$.
# The chain rule gives two terms, the direct one and the answer of $w$. In (5.5) only the training gradient depends on
# $\alpha$, so the answer is $-\xi\, \nabla^2_{\alpha, w} L_{train}(w, \alpha)\, g$ with
# $g = \nabla_{w'} L_{val}(w', \alpha)$. It is estimated by a difference:
#
# $$\nabla_\alpha L_{val}(w', \alpha) \;-\; \xi\, \frac{\nabla_\alpha L_{train}(w + \epsilon g, \alpha) -
# \nabla_\alpha L_{train}(w - \epsilon g, \alpha)}{2\epsilon}. \tag{5.6}$$
#
# The fraction stands for that matrix of mixed derivatives times $g$, without ever building the matrix.

# %%
nasbook.source(second_order)

# %% [markdown]
# On the toy ($m = \lambda = 0$) equation (5.6) can be written out: $w' = w - 2\xi(w - \alpha)$, the direct term is
# $w' - 2$, the mixed derivative is $-2$, and $g = \alpha$. Together
#
# $$(1 - 2\xi)\, w + 4\xi\alpha - 2. \tag{5.7}$$
#
# Check the package against it, at the paper's starting point and at several $\xi$.

# %% tags=["nbval-check-output"]
from nasbook.search import LookAhead

w = {"w": torch.tensor(-2.0, dtype=torch.float64)}
alpha = {"alpha": torch.tensor(2.0, dtype=torch.float64, requires_grad=True)}
rows = [["xi", "package", "by hand"]]
for xi in (0.0, 0.1, 0.5, 0.7):
    found = second_order(bilevel_toy.PROBLEM, w, alpha, LookAhead(xi)).alpha["alpha"]
    rows.append([xi, found.item(), (1 - 2 * xi) * -2.0 + 4 * xi * 2.0 - 2])
nb.show(rows)

# %% [markdown]
# ## Where second order comes to rest
#
# At rest $w = \alpha$ again, and (5.7) is zero:
#
# $$(1 + 2\xi)\,\alpha = 2, \qquad \alpha = w = \frac{2}{1 + 2\xi}. \tag{5.8}$$
#
# For $\xi = 0$ that is first order's $(2, 2)$.

# %%
nb.predict("05.2")

# %% tags=["main-result", "nbval-check-output"]
steps = [0.0, 0.1, 0.3, 0.5, 0.7, 1.0]
rest = [bilevel_toy.run(second_order, xi, steps=400).end[0] for xi in steps]
expected = [bilevel_toy.fixed_point(xi) for xi in steps]
nb.show([["xi", *steps], ["alpha at rest", *rest], ["2/(1+2 xi)", *expected]])
nb.show(all_agree=all(abs(a - b) < 1e-6 for a, b in zip(rest, expected)))

# %%
from nasbook.figures.hypergradients import rest_points

rest_points(steps, rest)

# %% [markdown]
# Looking ahead is better than not, but **more is not better**: past $\xi = 1/2$ the look-ahead jumps over $w^*$, and
# the search rests below the star. In DARTS $\xi$ is the learning rate of the weights, which is chosen for other
# reasons.
#
# Two trajectories in one plane:

# %%
bilevel.plane(
    {"darts": bilevel_toy.run(first_order), "darts-2nd": bilevel_toy.run(second_order, 0.5)}
)

# %% [markdown]
# ## The plane, step by step
#
# Both searches side by side, first order on the left. **Step** moves $\alpha$ once and $w$ once; $\xi$ is a slider, and
# so is the start. `plane.state()` is a short text that brings others to the same place.
#
# **Task.** Find the $\xi$ at which second order comes to rest on the star, and take steps until it is there. Exercise
# 05.1 checks it.

# %% tags=["widget"]
from nasbook.widgets.bilevel_toy import BilevelToy

plane = BilevelToy("xi=0.25 start=2,-2 steps=20")
plane

# %% [markdown]
# Start both on the star, at $(1, 1)$: first order walks away from it, because it does not know that $w$ will follow.
#
# ## Is the gradient right?
#
# A wrong hypergradient does not crash. The search runs, $\alpha$ moves, an architecture comes out. So we check it, on a
# small real supernet and in double precision: the fraction in (5.6) against the same product by differentiating twice.

# %%
nasbook.source(hypergradients.exact_product)

# %% [markdown]
# The check needs one point: a fresh supernet, and a batch from each half. A difference quotient assumes a smooth
# function, so we begin with the supernet's **smooth twin**: each ReLU is replaced by SiLU, $x \cdot \text{sigmoid}(x)$,
# and nothing else is changed. Distances below are given as $\epsilon\,|g|$, the length of the step from $w$.

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(0)
halves = (weights_half, alpha_half)
batches = [next(datasets.Batches(half, 32, dataset=data, generator=generator)) for half in halves]
space = spaces.get("s2", nodes=2, reduction="fixed")
smooth = hypergradients.supernet_point(space, *batches, classes=data.classes, smooth=True)
nb.show(
    weights=sum(value.numel() for value in smooth.w.values()), alpha=smooth.alpha["normal"].shape
)

# %%
nb.predict("05.3")

# %% tags=["main-result", "nbval-check-output"]
epsilons = [10.0**-power for power in range(10)]
double = hypergradients.error_curve(smooth, epsilons)
nb.show(error_falls_a_hundredfold=90 < double[2] / double[3] < 110)
nb.show(best_below_a_millionth=min(double) < 1e-6, rises_again=double[-1] > 30 * min(double))
nb.show({"error at the published epsilon": double[2]}, digits=3)

# %%
from nasbook.figures.hypergradients import error_curves

twin = hypergradients.supernet_point(
    space, *batches, classes=data.classes, smooth=True, dtype=torch.float32
)
single = hypergradients.error_curve(twin, epsilons)
error_curves(epsilons, {"float64": double, "float32": single})

# %% [markdown]
# A valley. On its right side the error falls with $\epsilon^2$: ten times closer, a hundred times better. On its left
# side rounding wins. In single precision the valley is shallow, and the published choice, $\epsilon = 0.01 / |g|$ with
# one norm over all weights, stands near its floor: a good reason not to take it much smaller.
#
# ## Over 2 times epsilon
#
# Written in a hurry, the division by $2\epsilon$ becomes `/ 2 * epsilon`. Python reads that from left to right. This
# slip has been published in several libraries.


# %% tags=["nbval-check-output"]
def hasty_product(problem, w, alpha, direction, epsilon):
    right = hypergradients.finite_difference_product(problem, w, alpha, direction, epsilon)
    difference = {name: value * (2 * epsilon) for name, value in right.items()}
    return {name: value / 2 * epsilon for name, value in difference.items()}


careful = hypergradients.error_curve(smooth, [1e-3])
hasty = hypergradients.error_curve(smooth, [1e-3], product=hasty_product)
nb.show(relative_error={"/ (2 * epsilon)": careful[0], "/ 2 * epsilon": hasty[0]})

# %% [markdown]
# A relative error of one: the product is lost, scaled down by $\epsilon^2$. Second order has silently become first
# order at $w'$, for more than twice the price. The curves of such a search look healthy; only a check against
# an independent value finds it. Such a check is a test of this package.
#
# ## And with ReLUs?
#
# A real supernet bends sharply at each ReLU. The same check, on the supernet as it is:

# %%
nb.predict("05.4")

# %% tags=["main-result", "nbval-check-output"]
real = hypergradients.supernet_point(space, *batches, classes=data.classes)
jagged = hypergradients.error_curve(real, epsilons)
nb.show(error_at_the_published_epsilon_above_a_half=jagged[2] > 0.5)
nb.show(error_at_a_millionth_below_a_millionth=jagged[6] < 1e-6)

# %%
error_curves(epsilons, {"smooth twin": double, "with ReLUs": jagged})

# %% [markdown]
# The code is the same and it is right: once $w \pm \epsilon g$ are so close that no ReLU switches between them, both
# curves meet. At the published distance many switch, each makes the gradient jump, and the quotient collects
# the jumps. The exact product does not see them at all. Neither is the last word, as $w'(\alpha)$ itself jumps.
#
# So on a network with ReLUs "the second-order gradient" is a rough estimate. What does that do to the whole
# hypergradient, whose other term is exact?

# %% tags=["nbval-check-output"]
rows = [["error of", "first order", "second order"]]
for name, point in {"smooth twin": smooth, "with ReLUs": real}.items():
    errors = [
        hypergradients.method_error(method, point, step=0.05)
        for method in (first_order, second_order)
    ]
    rows.append([name, *errors])
nb.show(rows, digits=2)

# %% [markdown]
# On the smooth twin second order is far closer to the exact gradient than first order. With ReLUs, at this point, that
# advantage is gone. Keep it in mind when second order does not win a comparison: this is one batch of one fresh
# supernet, but the kinks are there in every one.
#
# ## What it costs
#
# One iteration is one step on $\alpha$ and one on $w$. First order takes a forward and a backward pass for each.

# %%
nb.predict("05.5")

# %% tags=["main-result", "nbval-check-output"]
methods = {"first order": first_order, "second order": second_order, "exact": exact}
costs = {name: hypergradients.cost(method, real) for name, method in methods.items()}
nb.show(
    [
        ["", "forward", "backward"],
        *([name, cost.forward, cost.backward] for name, cost in costs.items()),
    ]
)

# %%
ratios = {
    name: f"{cost.seconds / costs['first order'].seconds:.1f}" for name, cost in costs.items()
}
nb.show({"seconds relative to first order": ratios})

# %% [markdown]
# Counted in passes, $2 + 2$ against $5 + 5$; the clock says how much that is here, and it differs between machines.
# First order is cheaper still than it looks, as its backward pass for $\alpha$ computes no gradients of $w$. The exact
# gradient takes fewer passes, but the last one runs back through a gradient's own graph: slow, and heavy in memory.
#
# ## Which step first?
#
# The lecture writes the step on $w$ first. The released code of DARTS moves $\alpha$ first. On the toy both are the
# same staircase, entered at another stair:

# %% tags=["nbval-check-output"]
orders = {
    order: bilevel_toy.run(second_order, 0.5, steps=200, order=order)
    for order in bilevel_toy.ORDERS
}
rows = [[order, path.alpha[1], path.w[1], *path.end] for order, path in orders.items()]
nb.show([["", "alpha, step 1", "w, step 1", "alpha at rest", "w at rest"], *rows])

# %% [markdown]
# And on a supernet? Short searches from three seeds, each in both orders.

# %%
nb.predict("05.6")

# %% tags=["main-result", "nbval-check-output"]
from itertools import combinations

from nasbook import experiment

numbers = {"images": 512, "epochs": 2, "batch": 32, "channels": 4, "layers": 3}
numbers |= {"precision": "float64"}
asked = {"space": "s2", "retrain": False, "device": str(nb.device)}
ends = {}
for order in bilevel_toy.ORDERS:
    for seed in range(3):
        short = {**numbers, "order": order}
        found = experiment.search(seed=seed, numbers=short, **asked).history[-1]["weights"]
        ends[order, seed] = torch.tensor(found["normal"], dtype=torch.float64)
first, last = bilevel_toy.ORDERS
pairs = tuple(combinations(range(3), 2))
changes = {
    "since the start": [ends[first, seed] - 0.5 for seed in range(3)],
    "by the other order": [ends[first, seed] - ends[last, seed] for seed in range(3)],
    "by another seed": [ends[first, one] - ends[first, two] for one, two in pairs],
}
mean = {name: torch.stack(each).abs().mean() for name, each in changes.items()}
nb.show(mean_change_of_a_weight=mean)

# %% [markdown]
# Early in a search the order is not nothing: the shift is a good part of the way that the weights have moved at all. But
# another seed shifts them more, so one run of each cannot say which order is better. We follow the released code; the
# order is a field of the numbers, so that you can change it.
#
# ## One loss for both?
#
# Back to the first question. Train $\alpha$ on the half that $w$ is trained on (a *single-level* search), and
# compare with the bilevel one. Few images and many epochs, so that $w$ can memorise.

# %%
nb.predict("05.7")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.analysis.levels import search_level

small = {"images": 384, "epochs": 12, "batch": 32, "channels": 8, "layers": 3, "alpha_lr": 0.05}
numbers = sizes.override(sizes.get("class").search, small)
levels = {
    name: search_level(space, data, numbers, single=name == "single")
    for name in ("bilevel", "single")
}
nb.show(
    single_level_has_lower_training_loss=levels["single"].train_loss
    < 0.8 * levels["bilevel"].train_loss,
    single_level_alpha_decides_less=levels["single"].decided < 0.8 * levels["bilevel"].decided,
)
gap = levels["single"].held_out_accuracy - levels["bilevel"].held_out_accuracy
nb.show(held_out_accuracies_within_5_points=abs(gap) < 5)

# %%
measures = ("train_loss", "held_out_loss", "held_out_accuracy", "decided")
rows = [
    [name, *(f"{getattr(level, measure):.2f}" for measure in measures)]
    for name, level in levels.items()
]
nb.show([["", "train loss", "held-out loss", "held-out %", "decided"], *rows])

# %% [markdown]
# *Decided* is the mean distance of the operation weights from equal. Two readings, and one caution:
#
# - Single level has the lower training loss. Once the images are memorised, its gradient fades, and $\alpha$ stays near
#   equal weights: there is nothing more to hear.
# - The bilevel $\alpha$ goes on moving, because on its half the loss stays high.
# - On new images **neither is better here**, and both are near the 10 % of guessing: with so few images both memorise.
#   This run shows what each $\alpha$ listens to, not that one finds better networks.

# %% [markdown]
# ## Checkpoint
#
# Four questions before you go on.

# %% tags=["nbval-check-output"]
nb.predict("05.8")

# %% tags=["nbval-check-output"]
nb.predict("05.9")

# %% tags=["nbval-check-output"]
nb.predict("05.10")

# %% tags=["nbval-check-output"]
nb.predict("05.11")

# %% [markdown]
# ## Exercises
#
# ### Exercise 05.1 (easy, 5 minutes)
#
# Do the task in "The plane, step by step", then give the state: `answer = plane.state()`.
#
# <details><summary>Hint 1</summary>Equation (5.8) says where second order rests.</details>
# <details><summary>Hint 2</summary>Solve 2 / (1 + 2ξ) = 1, set the slider, and press "10 steps" until nothing
# moves.</details>

# %%
answer = ...

nb.check("05.1", answer)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
solved_plane = BilevelToy("xi=0.5 start=2,-2 steps=0")
solved_plane.step(80)

nb.check_solution("05.1", solved_plane.state())

# %% [markdown]
# ### Exercise 05.2 (easy, 10 minutes)
#
# Write `my_first_order(problem, w, alpha)`: a dictionary from the names of `alpha` to the gradient (5.4).
# `problem.inner` and `problem.outer` take `(w, alpha)`, both dictionaries of tensors. Leave no gradients behind in
# `w` or `alpha`.
#
# <details><summary>Hint 1</summary>Which of the two losses does α follow, and what must be constant in it?</details>
# <details><summary>Hint 2</summary>Detach every tensor of w, then `torch.autograd.grad(loss,
# list(alpha.values()))`.</details>


# %%
def my_first_order(problem, w, alpha):
    """Replace the next line: two dictionaries of tensors -> a dictionary of gradients in alpha."""
    raise nasbook.NotAttempted


nb.check("05.2", my_first_order)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_first_order(problem, w, alpha):
    loss = problem.outer({name: value.detach() for name, value in w.items()}, alpha)
    return dict(zip(alpha, torch.autograd.grad(loss, list(alpha.values()))))


nb.check_solution("05.2", solution_first_order)

# %% [markdown]
# ### Exercise 05.3 (medium, 15 minutes)
#
# Write `my_product(problem, w, alpha, direction, epsilon)`: the fraction of (5.6) as a dictionary. `direction` holds
# $g$ under the names of `w`. The weights must come out as they went in.
#
# <details><summary>Hint 1</summary>You need the gradient of the inner loss in α, at two different weights.</details>
# <details><summary>Hint 2</summary>Build `{name: value + step * direction[name] for ...}` for `step` in
# `(epsilon, -epsilon)`, subtract the two gradients, and mind the parentheses.</details>


# %%
def my_product(problem, w, alpha, direction, epsilon):
    """Replace the next line: -> a dictionary of tensors shaped like alpha."""
    raise nasbook.NotAttempted


nb.check("05.3", my_product)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_product(problem, w, alpha, direction, epsilon):
    sides = []
    for step in (epsilon, -epsilon):
        moved = {name: value + step * direction[name] for name, value in w.items()}
        sides.append(torch.autograd.grad(problem.inner(moved, alpha), list(alpha.values())))
    return {name: (plus - minus) / (2 * epsilon) for name, plus, minus in zip(alpha, *sides)}


nb.check_solution("05.3", solution_product)

# %% [markdown]
# ### Exercise 05.4 (hard, 25 minutes)
#
# Write `my_hypergradient(problem, w, alpha, look_ahead)`: the **exact** gradient of $L_{val}(w'(\alpha), \alpha)$
# through the whole step (5.5), momentum and weight decay included. `look_ahead` has `step`, `momentum`, `decay` and
# `velocity`, a dictionary that is empty before the first step. (`look_ahead.take` does a part of it; write it
# yourself.)
#
# <details><summary>Hint 1</summary>Which terms of the step depend on α? Only through those does a gradient flow. The
# others still move the point at which it is taken.</details>
# <details><summary>Hint 2</summary>Take the gradient of the inner loss with `create_graph=True`, build w' from it, and
# differentiate the outer loss at w' in α.</details>


# %%
def my_hypergradient(problem, w, alpha, look_ahead):
    """Replace the next line: -> a dictionary of gradients in alpha."""
    raise nasbook.NotAttempted


nb.check("05.4", my_hypergradient)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_hypergradient(problem, w, alpha, look_ahead):
    free = {name: value.detach().requires_grad_() for name, value in w.items()}
    slopes = torch.autograd.grad(problem.inner(free, alpha), list(free.values()), create_graph=True)
    ahead = {}
    for (name, value), slope in zip(free.items(), slopes):
        velocity = look_ahead.velocity.get(name, torch.zeros_like(value))
        direction = look_ahead.momentum * velocity + slope + look_ahead.decay * value
        ahead[name] = value - look_ahead.step * direction
    loss = problem.outer(ahead, alpha)
    return dict(zip(alpha, torch.autograd.grad(loss, list(alpha.values()))))


nb.check_solution("05.4", solution_hypergradient)

# %% [markdown]
# ## What breaks
#
# Even a perfect hypergradient looks one step ahead, not to the end of training, and the weights that it looks at are
# shared by all architectures. Nor does anything here choose **one** operation: at the end $\alpha$ is still a mixture.
# Chapter 06 runs the whole of DARTS and reads an architecture off it; later chapters show where that goes wrong.

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
# - Two losses on two halves let $\alpha$ hear about images that $w$ has not seen.
# - The problem is (5.1) and (5.2); first order holds $w$ fixed (5.4), second order lets it answer with one step (5.6).
# - Check a hypergradient in double precision against an exact one; with ReLUs its finite difference is only rough.
# - First order takes 2 + 2 passes an iteration, second order 5 + 5.
# - The order of the steps shifts a search, less than a seed does; with one loss, $\alpha$ hears what helps to memorise.
#
# *Source:* H. Liu, K. Simonyan and Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, sections 2.2 and 2.3.
