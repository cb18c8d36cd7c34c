# %% [markdown]
# # 04. Continuous relaxation
#
# *A choice among operations becomes a few numbers that gradient descent can move.*
#
# **You will be able to**
#
# - write the output of a mixed edge as a weighted sum with softmax weights
# - show that a mixture with all weight on one operation is a discrete architecture
# - take a loss's gradient in the architecture parameters, and check it by finite differences
# - say what a shift of the parameters does, and what `none` does
# - measure what is lost when a mixture is cut down to one architecture
#
# **Before this:** chapter 03. **Time:** about 60 minutes in class, under a minute of computing.
#
# **Lecture:** Continuous relaxation.

# %%
import torch
from torch.nn import functional as F

import nasbook
from nasbook import datasets, figures, spaces, supernet
from nasbook.runtime.random import RandomStream

nb = nasbook.start("04")

# %% [markdown]
# ## Which operation should this edge use?
#
# Three candidates compete for one edge: copy the image, take the largest value around each pixel, or convolve. Here is
# what each makes of a street number. (On a real edge the input has more channels than three; we take a colour image so
# that we can look at it. All pictures but the first share one scale of brightness, so the copy looks paler than its
# original.)
#
# Trying all three is easy for one edge. A DARTS search has 28 edges, and chapter 02 counted what that means.

# %%
from nasbook.datasets import street_numbers
from nasbook.figures import mixed
from nasbook.spaces.operations import Normalising

names = ("skip_connect", "max_pool_3x3", "sep_conv_3x3")
pixels = street_numbers.fresh(32, seed=402, size=32).pixels
images = datasets.Normalisation()(pixels, dtype=torch.float64)
with RandomStream(0).scope():  # weights from a stream of their own: the same whenever the cell runs
    edge = supernet.MixedEdge(names, 3, 1, Normalising(affine=False, running=False)).double()
with torch.no_grad():
    outputs = torch.stack([operation(images) for operation in edge.operations])
chosen = 3  # the image that we look at; outputs: (operations, images, 3, height, width)
shown, equal = dict(zip(names, outputs[:, chosen])), dict.fromkeys(names, 1 / 3)
mixed.edge(images[chosen], shown, equal, outputs[:, chosen].mean(0))

# %% [markdown]
# ## From a choice to a mixture
#
# "Which one?" has no derivative. "How much of each?" has. Give operation $k$ of an edge a weight $p_k$ and let the edge
# put out the weighted sum, the **mixed operation**:
#
# $$\bar o(x) = \sum_{k=1}^{K} p_k\, o_k(x). \tag{4.1}$$
#
# The weights are to be positive and sum to one, whatever gradient descent does. So they are made from free numbers
# $\alpha_k$, the **architecture parameters**, by a softmax:
#
# $$p_k = \frac{\exp \alpha_k}{\sum_j \exp \alpha_j}. \tag{4.2}$$
#
# This is the relaxation of DARTS (Liu and others 2019, equation 2). Here are the two equations as code.

# %% tags=["nbval-check-output"]
edge_alpha = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
edge_weights = torch.softmax(edge_alpha, dim=0)
by_hand = sum(weight * output for weight, output in zip(edge_weights, outputs))
with torch.no_grad():
    by_package = edge(images, edge_weights)
nb.show(dict(zip(names, edge_weights.tolist())))
nb.show(same_output=torch.allclose(by_hand, by_package), shape=list(by_package.shape))

# %%
mixed.edge(images[chosen], shown, dict(zip(names, edge_weights.tolist())), by_hand[chosen])

# %% [markdown]
# All three operations ran; all three left a trace. The package's mixed edge is not longer than the equation:

# %%
nasbook.source(supernet.MixedEdge.forward)

# %% [markdown]
# ## Back to a choice: the one-hot limit
#
# Multiply all $\alpha_k$ by a factor $t$. The order of the weights stays, their distances grow.

# %%
nb.predict("04.1")

# %% tags=["main-result", "nbval-check-output"]
rows, distances, factors = [["t", "largest weight", "distance"]], [], (0, 1, 2, 4, 8, 12)
for t in factors:
    at = torch.softmax(t * edge_alpha, dim=0)
    output = torch.tensordot(at, outputs, dims=1)
    distances.append((output - outputs[2]).square().mean().sqrt().item())
    rows.append([t, at.max().item(), distances[-1]])
nb.show(rows)

# %% [markdown]
# *Distance* is the root mean square difference between the mixed output and that of `sep_conv_3x3`. On a logarithmic
# axis it soon falls on a line: the gap to the second largest $\alpha$ is 1.5, and the distance shrinks like $e^{-1.5t}$.

# %%
figure, axis = figures.figure("single")
axis.semilogy(factors, distances, marker="o")
axis.set(xlabel="factor t on alpha", ylabel="distance to the chosen operation's output")
words = (
    f"The distance falls from {distances[0]:.2f} to {distances[-1]:.0e}, nearly on a straight line."
)
figures.Picture(figure, words)

# %% [markdown]
# So discrete choices are the *corners* of the relaxed space: reached only as $\alpha$ goes to infinity. Training moves
# inside; in the end someone has to walk to a corner. We return to the price of that walk.
#
# ## Shifts change nothing
#
# Add one number $c$ to all $\alpha_k$ of an edge. In (4.2) the factor $e^c$ cancels. Only *differences* count, so an
# edge of $K$ operations has $K-1$ directions that matter.

# %% tags=["nbval-check-output"]
moved = torch.softmax(edge_alpha + 3.7, dim=0)
same = torch.allclose(edge(images, moved), by_package)
nb.show(same_weights=torch.allclose(moved, edge_weights), same_output=same)

# %% [markdown]
# ## Try it: one mixed edge
#
# The sliders are $\alpha$, the bars are (4.2), the picture is (4.1). *Double each α* takes one step towards a corner.
# Everything was computed beforehand; the sliders only weigh and add.
#
# **Task.** Find an $\alpha$ with each of the three numbers at least 1 away from zero, for which the picture is the one at
# $\alpha = (0, 0, 0)$. Exercise 04.2 checks it.

# %% tags=["widget"]
from nasbook.widgets.mixed_edge import EdgeOutputs, MixedEdgeSliders

sliders = MixedEdgeSliders(EdgeOutputs.of(images, names), state="picture=3 alpha=0.5,-1,2")
sliders

# %% [markdown]
# ## A whole supernet as a function
#
# Chapter 03 built the supernet: all operations of all edges, with weights $w$ that architectures share. Now each edge
# mixes. All normal cells use **one** table of weights, (edges, operations). The supernet does not own it: it is an
# argument, `supernet(images, mixing)`, and so everything we know about functions applies to it.
#
# How many architecture parameters replace the choice?

# %% tags=["nbval-check-output"]
rows = [["space", "alphas", "architectures"]]
for name in ("darts", "s1", "s2", "s3", "s4"):
    listed = spaces.get(name)
    alphas = sum(cell.shape[0] * cell.shape[1] for cell in listed.groups.values())
    rows.append([name, alphas, listed.size()])
nb.show(rows)

# %% [markdown]
# 224 numbers in place of 10¹⁸ cases. For the rest of the chapter: space S3 (`none`, skip, separable convolution) with
# two nodes, a small supernet in double precision, and 32 street numbers.

# %% tags=["nbval-check-output"]
space = spaces.get("s3", nodes=2, reduction="fixed")
data = datasets.load("street_numbers")
batch = data.normalisation(data.train.pixels[:32], dtype=torch.float64)
labels = data.train.labels[:32]
with RandomStream(1).scope():
    shared = supernet.Supernet(space, channels=4, layers=5, classes=10, stem_stride=2).double()
logits = shared(batch, supernet.uniform(space).to(batch.device, batch.dtype))
nb.show(
    shape=list(logits.shape), shared_weights=supernet.parameters(shared), alphas=space.normal.shape
)

# %% [markdown]
# ## A one-hot mixing is the architecture alone
#
# Put weight one on the operations of an architecture and zero elsewhere (an edge that the architecture lacks gets zero
# everywhere, which is the same as all weight on `none`). Is the supernet then the network of that architecture? Build
# the network on its own, copy the shared weights of its operations into it, and compare.

# %% tags=["nbval-check-output"]
genotype = space.sample(torch.Generator().manual_seed(4))
alone = supernet.Network(genotype, channels=4, layers=5, classes=10, stem_stride=2).double()
inherited = shared.state_dict()
for place, (source, target, name) in enumerate(genotype.edges("normal")):
    number = space.normal.edges.index((source, target))
    choice = space.normal.operations[number].index(name)
    old, new = f".edges.{number}.operations.{choice}.", f".operations.{place}."
    inherited = {key.replace(old, new): value for key, value in inherited.items()}
alone.load_state_dict(inherited, strict=False)  # a lone network also has scales and shifts: 1 and 0
with torch.no_grad():
    inside = shared(batch, supernet.one_hot(space, genotype).to(batch.device, batch.dtype))
    outside, _ = alone(batch)
nb.show(
    largest_difference=(inside - outside).abs().max(),
    same=torch.allclose(inside, outside, atol=1e-10),
)

# %% [markdown]
# The same scores: **a discrete architecture is a corner of the relaxed supernet**. (`one_hot` also tells the supernet
# which operations run, so the others cost nothing.)
#
# ## The gradient in alpha
#
# The loss $L$ depends on $\alpha$ through (4.1) and (4.2), and can be differentiated. The softmax has the derivatives
#
# $$\frac{\partial p_k}{\partial \alpha_j} = p_k\,(\delta_{kj} - p_j), \tag{4.3}$$
#
# with $\delta_{kj} = 1$ if $k = j$ and 0 if not; automatic differentiation does the rest. One thing is worth a guess:
# `none` puts out zeros, and the supernet never runs it.

# %%
nb.predict("04.2")

# %% tags=["main-result", "nbval-check-output"]
generator = torch.Generator().manual_seed(5)
alpha = 0.3 * torch.randn(space.normal.shape, dtype=torch.float64, generator=generator)
alpha.requires_grad_()


def loss_at(alpha):
    mixing = supernet.Mixing({"normal": torch.softmax(alpha, dim=-1)})
    return F.cross_entropy(shared(batch, mixing), labels)


(gradient,) = torch.autograd.grad(loss_at(alpha), alpha)
rows = [[f"{i}->{j}", *row] for (i, j), row in zip(space.normal.edges, gradient.tolist())]
nb.show([["edge", *space.operations], *rows])

# %% [markdown]
# Each row sums to zero: that is shift invariance, seen by the gradient. And `none` does get one.
#
# Is it right? Move each of the fifteen numbers by $\pm\epsilon$ and divide the difference of the losses by $2\epsilon$:
# an independent witness that knows nothing of (4.3). In double precision with $\epsilon = 10^{-5}$ we can ask for close
# agreement.

# %% tags=["nbval-check-output"]
epsilon, slopes = 1e-5, []
with torch.no_grad():
    for direction in torch.eye(alpha.numel(), dtype=torch.float64).view(-1, *alpha.shape):
        step = epsilon * direction
        slopes.append((loss_at(alpha + step) - loss_at(alpha - step)) / (2 * epsilon))
error = (torch.stack(slopes).view_as(gradient) - gradient).abs().max() / gradient.abs().max()
nb.show(
    agree_to_one_in_a_million=error < 1e-6,
    rows_sum_to_zero=gradient.sum(dim=-1).abs().max() < 1e-12,
)

# %% [markdown]
# ## Letting alpha learn
#
# With a gradient we can do what chapter 02 could not: walk downhill through a space of architectures. Here $w$ stays as
# it was drawn and only $\alpha$ moves, for 25 steps.

# %% tags=["nbval-check-output"]
walker, losses = alpha.detach().clone().requires_grad_(), []
optimizer = torch.optim.SGD([walker], lr=0.5)
for _ in range(25):
    optimizer.zero_grad()
    loss = loss_at(walker)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
falling = all(losses[i + 1] < losses[i] for i in range(24))
nb.show(first_loss=losses[0], last_loss=losses[-1], fell_in_every_step=falling)

# %%
figure, axes = figures.figure("wide", 1, 2, height=3.0)
axes[0].plot(losses, marker=".")
axes[0].set(xlabel="step", ylabel="loss (nats)")
before, after = (torch.softmax(values.detach(), dim=-1).T for values in (alpha, walker))
for name, start, end in zip(space.operations, before, after):
    mark = figures.style.operation(name)
    axes[1].plot(start, end, mark.marker, color=mark.colour, label=mark.label)
axes[1].plot([0, 1], [0, 1], color="grey", linewidth=0.8)
axes[1].set(xlabel="weight before", ylabel="weight after")
axes[1].legend()
words = f"On alpha alone the loss goes from {losses[0]:.3f} to {losses[-1]:.3f} nats."
figures.Picture(figure, words)

# %% [markdown]
# The loss falls, but not far: 15 numbers cannot do the work of thousands of untrained weights. $w$ and $\alpha$ must learn
# together, and on which images, and in which order, is a question of its own: chapter 05.
#
# ## What none does
#
# `none` takes its share of the softmax, so the other weights of its edge sum to less than one. If all edges into a node
# do so, the whole node is scaled down. But ReLU and convolution pass a factor on, and the normalisation after them takes
# it out again: the next convolution hardly notices.

# %% tags=["nbval-check-output"]
convolution = edge.operations[2]
with torch.no_grad():
    full, scaled = convolution(images), convolution(0.3 * images)
change = (full - scaled).abs().max() / full.abs().max()
nb.show(input_is_three_tenths_and_output_changes_by_under_one_percent=change < 0.01)

# %% [markdown]
# So little pins the weight of `none` down (only where nodes are added or joined their scales still compete), and DARTS
# does not trust it: when an architecture is read off, `none` is left out.
#
# ## The price of the last step
#
# Now the walk to the corner. We train a supernet of space S2 for six epochs with the package's DARTS search (chapters 05
# and 06 open that box): $w$ on one half of the images, $\alpha$ on the other. Then, *with the same shared weights*, only
# the strongest operation on the two strongest edges into each node is kept: the **discretisation** of DARTS.

# %%
nb.predict("04.3")

# %% tags=["main-result", "nbval-check-output"]
from nasbook import search, selection, sizes

numbers = sizes.override(sizes.get("class").search, {"epochs": 6})
run = search.Search(
    spaces.get("s2", nodes=2, reduction="fixed"),
    data,
    recipe=search.get("darts"),
    numbers=numbers,
    derive=selection.magnitude,
    seed=4,
    device=nb.device,
)
history = [run.run_epoch(lambda step, steps: None) for _ in range(numbers.epochs)]
_, mixture_accuracy = run.validate()
_, discrete_accuracy = run.validate(supernet.one_hot(run.space, run.genotype()))
gap = mixture_accuracy - discrete_accuracy
nb.show(mixture_beats_chance=mixture_accuracy > 20, discrete_is_worse=gap > 5)

# %% [markdown]
# The two numbers, and what lies between them. On the way to the corner the weights are the softmax of $t\alpha$; at the
# end all edges carry a single operation. The dashed line also drops the weaker edges.

# %%
path = (1, 2, 4, 8, 16, 32, 64)
along = [run.validate(run.mixing({"normal": t * run.alpha["normal"].detach()}))[1] for t in path]
figure, axis = figures.figure("single")
axis.semilogx(path, along, marker="o", label="softmax(t α), all edges")
axis.axhline(discrete_accuracy, linestyle="--", color="black", label="one architecture")
axis.axhline(10, linestyle=":", color="grey", label="chance")
axis.set(xlabel="factor t on alpha", ylabel="validation accuracy (%)", ylim=(0, None))
axis.legend()
ends = (along[0], along[-1], discrete_accuracy)
words = "Accuracy is {:.0f} % as trained, {:.0f} % at t = 64, {:.0f} % as one architecture.".format(
    *ends
)
figures.Picture(figure, words)

# %% [markdown]
# This **discretisation gap** is not the verdict on the architecture: trained afresh, alone, it may be good (chapter 06),
# and its weights were never trained for this. But it shows that alpha learned to *mix* well, and nobody asked it to
# *choose* well. This is one short run: change `seed` and run the two cells again to see how much of the picture is
# chance.
#
# ## Checkpoint
#
# Four questions before you go on.

# %% tags=["nbval-check-output"]
nb.predict("04.4")

# %% tags=["nbval-check-output"]
nb.predict("04.5")

# %% tags=["nbval-check-output"]
nb.predict("04.6")

# %% tags=["nbval-check-output"]
nb.predict("04.7")

# %% [markdown]
# ## Exercises
#
# ### Exercise 04.1 (easy, 5 minutes)
#
# Write `operation_weights(alpha)`: the weights (4.2) for a tensor of shape (edges, operations). It has to work for
# parameters as large as 1000 too.
#
# <details><summary>Hint 1</summary>Which axis holds the operations that compete for one edge?</details>
# <details><summary>Hint 2</summary>Subtract each row's maximum first, or let <code>torch.softmax</code> do it.</details>


# %%
def operation_weights(alpha):
    """Replace the next line: (edges, operations) -> (edges, operations)."""
    raise nasbook.NotAttempted


nb.check("04.1", operation_weights)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_operation_weights(alpha):
    positive = torch.exp(alpha - alpha.max(dim=-1, keepdim=True).values)
    return positive / positive.sum(dim=-1, keepdim=True)


nb.check_solution("04.1", solution_operation_weights)

# %% [markdown]
# ### Exercise 04.2 (easy, 5 minutes)
#
# With the sliders, find an $\alpha$ whose three numbers are each at least 1 away from zero and that gives the same
# picture as $(0, 0, 0)$. Hand in `sliders.state()`.
#
# <details><summary>Hint 1</summary>What must be true of the three weights?</details>
# <details><summary>Hint 2</summary>Only differences of the parameters count.</details>

# %%
same_picture = ...  # sliders.state()
nb.check("04.2", same_picture)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
sliders_at = MixedEdgeSliders(sliders.outputs, state="picture=3 alpha=2.5,2.5,2.5")
nb.check_solution("04.2", sliders_at.state())

# %% [markdown]
# ### Exercise 04.3 (medium, 10 minutes)
#
# Write `mixed_edge(outputs, names, alpha)`: `outputs` is a dictionary from an operation's name to its output, without
# an entry for `none`; `names` lists all operations in the order of `alpha`, `none` among them or not. Return the output
# of the edge, (4.1).
#
# <details><summary>Hint 1</summary>Take the softmax over all of alpha before you look at the outputs.</details>
# <details><summary>Hint 2</summary>Sum weight times output over the names that have an output.</details>


# %%
def mixed_edge(outputs, names, alpha):
    """Replace the next line: outputs by name, all names, (operations,) -> the edge's output."""
    raise nasbook.NotAttempted


nb.check("04.3", mixed_edge)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_mixed_edge(outputs, names, alpha):
    weights = torch.softmax(alpha, dim=0)
    return sum(weight * outputs[name] for name, weight in zip(names, weights) if name in outputs)


nb.check_solution("04.3", solution_mixed_edge)

# %% [markdown]
# ### Exercise 04.4 (hard, 25 minutes)
#
# Derive the gradient in alpha by hand. You are given `alpha` and `inner`, both (edges, operations), where `inner` holds
# $g_{k} = \langle \partial L/\partial \bar o,\; o_k(x)\rangle$: how fast the loss changes with the *weight* $p_k$. Write
# `alpha_gradient(alpha, inner)` without automatic differentiation.
#
# <details><summary>Hint 1</summary>Chain rule: the derivative in alpha_j is the sum over k of g_k times (4.3).</details>
# <details><summary>Hint 2</summary>You get p_j times the difference of g_j and the mean of g under the weights.</details>


# %%
def alpha_gradient(alpha, inner):
    """Replace the next line: (edges, operations) twice -> the gradient, (edges, operations)."""
    raise nasbook.NotAttempted


nb.check("04.4", alpha_gradient)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_alpha_gradient(alpha, inner):
    weights = torch.softmax(alpha, dim=-1)
    return weights * (inner - (weights * inner).sum(dim=-1, keepdim=True))


nb.check_solution("04.4", solution_alpha_gradient)

# %% [markdown]
# ## What breaks
#
# - **Mixing is not choosing.** The gap above: nothing in the loss asks for weights near a corner.
# - **Everything runs.** A mixture of $K$ operations takes up to $K$ times the time and memory of one; chapter 06
#   measures it.
# - **Weights are not merits.** Exercise 04.4 says that $\alpha_k$ rises if $o_k$ lowers the loss more than the *current
#   mixture* does: a judgement beside all others, which may change when they are gone.
# - **`none` has no natural scale**, as normalisation forgives it.
#
# And we have dodged a question: $\alpha$ and $w$ depend on each other. Chapter 05 takes it up.

# %% [markdown]
# ## Takeaways
#
# - A mixed edge puts out $\sum_k p_k o_k(x)$, and $p$ is the softmax of the architecture parameters.
# - With all weight on one operation an edge, the supernet is that architecture's network, to the last digits.
# - The gradient in alpha is ordinary; finite differences confirm it to one part in a million.
# - Shifts of an edge's parameters change nothing; `none` only takes weight from the others, and DARTS never chooses it.
# - Cut down with its weights as they are, a mixture loses much of its accuracy: the discretisation gap.
#
# **Reference.** Liu, Simonyan and Yang 2019, *DARTS: Differentiable Architecture Search*, section 2.2.
