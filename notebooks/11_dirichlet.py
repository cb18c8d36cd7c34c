# %% [markdown]
# # 11. Learning a distribution: Dirichlet
#
# *Not one mixture is learned but a distribution of mixtures, and each step is taken at a fresh one.*
#
# **You will be able to**
#
# - say what the concentrations of a Dirichlet distribution do to its samples
# - derive the gradient through a sample, check it, and say where it explodes
# - write the objective of DrNAS, and compare two distances to its anchor
# - measure how much a search leaves open, and say what a narrow band of accuracies shows
# - follow a search through the stages of progressive learning, and count its memory
#
# **Before this:** chapters 06, 08 and 10. **Time:** about 75 minutes in class, about a minute of computing.
#
# **Lecture:** Distribution learning, DrNAS.

# %%
import numpy as np
import torch

import nasbook
from nasbook import datasets, figures, instruments, sizes, spaces
from nasbook.analysis import distributions
from nasbook.figures import distributions as pictures

nb = nasbook.start("11")

# %% [markdown]
# ## A distribution of mixtures
#
# Chapter 10 drew *one* operation an edge, or nearly one. DrNAS (Chen et al. 2021) draws a whole mixture: weights
# $\theta = (\theta_1, \dots, \theta_K)$, none negative, with sum one. Its distribution is a Dirichlet with
# **concentrations** $\beta_k > 0$:
#
# $$p(\theta \mid \beta) = \frac{\Gamma(\beta_{\mathrm{tot}})}{\prod_k \Gamma(\beta_k)} \prod_k \theta_k^{\beta_k - 1},
# \qquad \beta_{\mathrm{tot}} = \sum_k \beta_k. \tag{11.1}$$
#
# Its mean is the share of each concentration, and their sum says how tightly samples gather around it:
#
# $$\mathbb E\,\theta_k = m_k = \frac{\beta_k}{\beta_{\mathrm{tot}}}, \qquad
# \mathrm{Var}\,\theta_k = \frac{m_k (1 - m_k)}{\beta_{\mathrm{tot}} + 1}. \tag{11.2}$$
#
# (The lecture writes $\alpha$ for the sample. Here $\alpha$ stays what the search moves.)

# %%
nb.predict("11.1")

# %% tags=["main-result", "nbval-check-output"]
rows = [["concentrations", "mean", "deviation", "entropy in nats", "share above 0.9"]]
for each in (0.1, 1.0, 10.0):
    moments = distributions.dirichlet_moments([each] * 3)
    drawn = distributions.dirichlet([each] * 3, samples=20_000, seed=0)
    decided = (drawn.max(1).values > 0.9).double().mean()
    rows.append([each, moments.mean[0], moments.variance[0].sqrt(), moments.entropy, decided])
nb.show(rows, digits=2)

# %%
pictures.densities([[0.1, 0.1, 0.1], [1.0, 1.0, 1.0], [10.0, 10.0, 10.0]])

# %% [markdown]
# Each dot is a mixture; a corner is one operation alone. The mean is the same in all three. So a Dirichlet says two
# things at once: the *mean mixture* (the shares) and *how near* samples stay to it (the sum). That is not how decided they
# are: the smallest sum has the most decided samples, far from the mean. A softmax says only the first.
#
# ## From alpha to concentrations
#
# Concentrations must be positive, and a search should begin without a preference. DrNAS takes
#
# $$\beta = \mathrm{ELU}(\alpha) + 1 = \begin{cases} \alpha + 1 & \alpha > 0 \\ e^{\alpha} & \alpha \le 0 \end{cases}$$
#
# At $\alpha = 0$ all $\beta_k = 1$: (11.1) is constant, every mixture is equally likely. The slope is 1 there from both
# sides. And $\beta$ grows with $\alpha$, so the largest $\alpha$ has the largest mean weight.

# %% tags=["nbval-check-output"]
from nasbook.relaxation import concentration

alpha = torch.tensor([-18.0, -4.0, -1.0, 0.0, 1.0, 4.0])
in_float32 = torch.nn.functional.elu(alpha) + 1
nb.show([["alpha", *alpha.tolist()], ["ELU(alpha) + 1", *in_float32.tolist()]], digits=2)
nb.show(zero_in_float32=int((in_float32 == 0).sum()), kept_above=concentration(alpha)[0])

# %% [markdown]
# In float32 a strongly negative $\alpha$ makes a concentration of exactly zero, which no Dirichlet has. So it is clamped.
#
# **Task:** (1) at which concentration have the samples half of the largest entropy? (2) Set the logits to 1, 0, −1 and move
# the concentration: what moves, and what does not? (3) Halve the concentration again and again, and watch the variance of
# the gradient. The widget chooses the *mean* of the three $\beta_k$, and the logits their shares.

# %% tags=["widget"]
from nasbook.widgets.simplex import SimplexExplorer

SimplexExplorer("family=dirichlet temperature=1 concentration=1 logits=0,0,0")

# %% [markdown]
# <details><summary>Answers to the task</summary>(1) At the concentration that the next cell finds. (2) The samples move: to
# the mean as it grows, to the corners as it falls. The mean does not, as all shares stay. (3) The variance more than doubles with
# each halving, while the mean of the gradient stays; the next cell has the numbers.</details>

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
from scipy.optimize import brentq

from nasbook.analysis import gradient_estimates


def above_half(each):
    return float(distributions.dirichlet_moments([each] * 3).entropy) - np.log(3) / 2


first_weight = gradient_estimates.linear((1.0, 0.0, 0.0))
table = [["concentration", "variance of the gradient"]]
for each in (1.0, 0.5, 0.25, 0.125):
    found = gradient_estimates.pathwise(first_weight, torch.zeros(3).double(), each, samples=10_000)
    table.append([f"{each:.3f}", f"{found.variance:.3f}"])
nb.show(half_of_the_largest_entropy_at=f"{brentq(above_half, 0.01, 1):.3f}")
nb.show(table)

# %% [markdown]
# ## The gradient through a draw, one weight
#
# The search descends on $\alpha$ through a *sample*. How does a sample move when its concentration does? Take two
# operations first: $\theta_1$ is a Beta number with distribution function $F(\theta \mid \beta_1, \beta_2)$ and density
# $f = \partial F / \partial \theta$. Draw $u$ uniformly, and let $\theta$ solve
#
# $$F(\theta \mid \beta_1, \beta_2) = u.$$
#
# Now hold the chance $u$ fixed and move $\beta_1$. The left side must not change, and $\theta$ follows (**implicit
# differentiation**):
#
# $$f\, \frac{d\theta}{d\beta_1} + \frac{\partial F}{\partial \beta_1} = 0 \quad\Rightarrow\quad
# \frac{d\theta}{d\beta_1} = -\frac{\partial F / \partial \beta_1}{f}. \tag{11.3}$$
#
# No inverse of $F$ is needed. For $\beta_2 = 1$ all is known: $F = \theta^{\beta_1}$, so $\theta = u^{1/\beta_1}$, and
# (11.3) says $-\theta \ln \theta / \beta_1$. Autograd on $u^{1/\beta_1}$ must agree:

# %% tags=["nbval-check-output"]
u = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
first = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
theta = u ** (1 / first)
by_autograd = [torch.autograd.grad(each, first, retain_graph=True)[0] for each in theta]
nb.show(by_autograd=torch.stack(by_autograd), by_11_3=-theta * theta.log() / first)

# %% [markdown]
# ## More than two weights
#
# A Dirichlet can be drawn stick by stick. Break off $\theta_j$ first, then share the rest:
#
# $$\theta_j \sim \mathrm{Beta}(\beta_j,\ \beta_{\mathrm{tot}} - \beta_j), \qquad \theta_i = (1 - \theta_j)\, r_i \quad
# (i \ne j), \tag{11.4}$$
#
# where the shares $r$ are Dirichlet with the other concentrations. They depend neither on $\theta_j$ nor on $\beta_j$. So
# when $\beta_j$ moves, hold $u$ *and* $r$. The stick $\theta_j$ moves by (11.3), where $\beta_2$ is $\beta_{\mathrm{tot}} -
# \beta_j$, the sum of the others, which stays. The others give up what it takes:
#
# $$\frac{d\theta_i}{d\theta_j} = -r_i = -\frac{\theta_i}{1 - \theta_j} \quad (i \ne j), \qquad
# \frac{d\theta_j}{d\theta_j} = 1 = \frac{1 - \theta_j}{1 - \theta_j}. \tag{11.5}$$

# %% [markdown]
# Both are $(\delta_{ij} - \theta_i) / (1 - \theta_j)$ with Kronecker's $\delta$. By the chain rule, with $F$ and $f$ of
# that Beta,
#
# $$\frac{\partial \theta_i}{\partial \beta_j} = - \frac{\partial F(\theta_j) / \partial \beta_j}{f(\theta_j)} \cdot
# \frac{\delta_{ij} - \theta_i}{1 - \theta_j}. \tag{11.6}$$
#
# This is the **pathwise gradient**. You write it in exercise 11.2; the package has it as `dirichlet_jacobian`. Two facts to
# test: the sum over $i$ is zero, as the weights go on to sum to one; and on average it is the derivative of the mean
# (11.2), $(\beta_{\mathrm{tot}}\, \delta_{ij} - \beta_i) / \beta_{\mathrm{tot}}^2$.

# %% tags=["nbval-check-output"]
beta = torch.tensor([3.0, 5.0, 2.0], dtype=torch.float64)
drawn = distributions.dirichlet(beta, samples=20_000, seed=0)
exact = distributions.dirichlet_jacobian(drawn, beta)
noise = exact.std(0) / len(drawn) ** 0.5
apart = (exact.mean(0) - distributions.dirichlet_mean_gradient(beta)).abs() / noise
nb.show(
    columns_sum_to_zero=bool(exact.sum(1).abs().max() < 1e-12),
    mean_within_4_standard_errors=bool(apart.max() < 4),
)

# %% [markdown]
# ## What PyTorch computes
#
# A search calls `Dirichlet(beta).rsample()`, whose backward pass has to be fast. Where the answer is known, $\beta = (a,
# 1)$, we can ask how right it is.

# %%
nb.predict("11.2")


# %% tags=["main-result", "nbval-check-output"]
def by_torch(beta, samples=5000):
    """Samples (samples, K), and PyTorch's dtheta_i / dbeta_j of each (samples, K, K)."""
    rows = torch.as_tensor(beta, dtype=torch.float64).expand(samples, -1).clone().requires_grad_()
    theta = distributions.dirichlet_rows(rows, seed=0)
    columns = theta.unbind(1)
    slopes = [torch.autograd.grad(each.sum(), rows, retain_graph=True)[0] for each in columns]
    return theta.detach(), torch.stack(slopes, 1)


table = [["a", "PyTorch off by more than 1e-4", "dirichlet_jacobian by less than 1e-11"]]
for a in (0.3, 1.0, 3.0, 10.0):
    theta, torchs = by_torch([a, 1.0])
    known = -theta[:, 0] * theta[:, 0].log() / a
    ours = distributions.dirichlet_jacobian(theta, [a, 1.0])[:, 0, 0]
    error, own = ((each / known - 1).abs().max() for each in (torchs[:, 0, 0], ours))
    table.append([a, bool(error > 1e-4), bool(own < 1e-11)])
nb.show(table)

# %%
theta, torchs = by_torch(beta)
relative = (torchs / distributions.dirichlet_jacobian(theta, beta) - 1).abs()
figure, axis = figures.figure("single")
axis.semilogy(theta[:, 0], relative[:, 0, 0].clamp_min(1e-16), ".", ms=2)
axis.set(xlabel="first weight of the sample", ylabel="relative error of PyTorch's gradient")
figures.Picture(
    figure,
    f"Relative error of PyTorch's derivative of the first weight by its concentration, for 5000 "
    f"samples with concentrations 3, 5 and 2: at most {relative[:, 0, 0].max():.1e}, "
    f"median {relative[:, 0, 0].median():.1e}.",
)

# %% [markdown]
# For a weight below one half a series is right to the last digits; above it a fitted formula has three or four. Which
# samples get which depends on the concentrations. Against the noise of one sample the error is nothing. It matters when you
# test code: do not expect ten digits here. Nor a second derivative: the formula cannot be derived again, so no Hessian
# goes through a draw. The eigenvalues of a DrNAS search are those at the *mean* weights.

# %% [markdown]
# ## Tiny concentrations
#
# Let all $\beta_k$ be tiny. Nearly every sample sits in a corner, and $F(\theta_j)$ is flat between: about the chance of
# "not this corner", $1 - \beta_j / \beta_{\mathrm{tot}}$. A sample *between* corners, where the density is only about
# $\beta_j (1 - m_j) / (\theta_j (1 - \theta_j))$, is on its way from one to the other: it must cross quickly. (11.6)
# becomes
#
# $$\frac{\partial \theta_j}{\partial \beta_j} \approx \frac{\theta_j (1 - \theta_j)}{\beta_j\, \beta_{\mathrm{tot}}}
# \;\le\; \frac{1}{4\, \beta_j\, \beta_{\mathrm{tot}}}. \tag{11.7}$$

# %%
nb.predict("11.3")

# %% tags=["main-result", "nbval-check-output"]
tiny = (0.1, 0.01, 0.001, 0.0001)
largest = {each: distributions.largest_gradient(each) for each in tiny}
nb.show(
    [
        ["concentration", *tiny],
        ["largest, of 20,000 samples", *largest.values()],
        ["1 / (4 beta total)", *(1 / (12 * each**2) for each in tiny)],
    ],
    digits=2,
)

# %%
pictures.gradient_sizes(largest)

# %% [markdown]
# The bound (11.7) is one of the approximation: at a concentration of 0.1 it is passed, at 0.0001 it is met to the digits
# shown.
#
# In $\alpha$ it is less bad: for $\alpha < 0$ the slope of $\beta = e^\alpha$ is $\beta$ itself, so what reaches $\alpha$
# grows like $1 / \beta$. It still has no bound. So a search should be kept from there: by an anchor.
#
# ## The objective
#
# DrNAS replaces the loss of one mixture by its mean over the distribution, and adds a distance:
#
# $$\min_\alpha\ \mathbb E_{\theta \sim \mathrm{Dir}(\beta)}\, L_{\mathrm{val}}(w^*, \theta) + \lambda\, d(\beta,
# \mathbf 1), \qquad \beta = \mathrm{ELU}(\alpha) + 1. \tag{11.8}$$
#
# The mean is estimated by one sample a step, the same for all cells of a kind; the step on $w$ draws another. The
# **anchor** $\mathbf 1$ is the uniform distribution. The released code has two distances: L2 as weight decay of $\alpha$,
# that is $\tfrac12 \lVert \alpha \rVert^2$; or the Kullback-Leibler divergence, as $\mathbf 1$ has the constant density
# $\Gamma(K)$:
#
# $$\mathrm{KL} = \mathbb E_{\theta \sim \mathrm{Dir}(\beta)} \bigl[ \ln p(\theta \mid \beta) - \ln \Gamma(K) \bigr],
# \quad \mathbb E \ln \theta_k = \psi(\beta_k) - \psi(\beta_{\mathrm{tot}}), \tag{11.9}$$
#
# with $\psi = (\ln \Gamma)'$, the digamma function.

# %%
nb.predict("11.4")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.search.penalty import distance_to_anchor

moved = torch.linspace(-4, 4, 81, dtype=torch.float64, requires_grad=True)
edges = torch.stack([moved, 0 * moved, 0 * moved], 1)
distances = {"L2": moved.square() / 2}
distances["KL"] = torch.stack([distance_to_anchor(edge[None]) for edge in edges])
pulls = {
    name: torch.autograd.grad(each.sum(), moved, retain_graph=True)[0]
    for name, each in distances.items()
}
rows = [["alpha", "L2", "KL", "slope of L2", "slope of KL"]]
for place in (0, 30, 40, 50, 80):
    values = [each[name][place] for each in (distances, pulls) for name in ("L2", "KL")]
    rows.append([moved[place], *values])
nb.show(rows, digits=3)

# %%
figure, axes = figures.figure("wide", 1, 2)
for axis, curves, name in zip(
    axes, (distances, pulls), ("distance to the anchor", "its slope in alpha")
):
    for (label, values), line in zip(curves.items(), ("-", "--")):
        axis.plot(moved.detach(), values.detach(), line, label=label)
    axis.set(xlabel="one of three alphas", ylabel=name, ylim=(-10, 10))
axes[0].set(ylim=(0, 10))
axes[0].legend()
ends = {name: f"{values[0]:.1f} and {values[-1]:.1f}" for name, values in pulls.items()}
words = ", ".join(f"the slope of {name} is {value} at the ends" for name, value in ends.items())
figures.Picture(figure, f"Both distances over one alpha from -4 to 4, lowest at 0; {words}.")

# %% [markdown]
# L2 pulls alike from both sides. KL is a wall on the left, just where gradients explode, and nearly nothing on the right: it
# lets a favourite grow. Near zero and along one $\alpha$ alone, they agree up to a factor. Where several move it depends on
# the direction: the Hessian of KL at 0 is $\psi'(1)\, I - \psi'(K)\, \mathbf 1 \mathbf 1^\top$, so KL minds least that all
# move together, which leaves the mean as it is. The default is L2 (the number `alpha_decay`; for KL there is
# `anchor_kl`). Mind where it acts: added to the gradient, before Adam divides by the size of recent gradients. So it
# weighs little while the loss has a say.

# %% [markdown]
# ## A search, beside DARTS
#
# Everything else is DARTS: bilevel, first order, selection by magnitude (of the mean weights). We search in
# NAS-Bench-201 with the numbers of this size for either method, but for half the epochs and at half the side of the
# images (`stem_stride=2`), which a lesson can wait for. `nb.card("drnas")` shows the method's steps, where the code stands,
# and where it differs from the paper.

# %%
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

space, data = spaces.get("nas-bench-201"), datasets.load(nb.preset.data)


def new_search(method, **more):
    """A search of this size, with half the epochs and half the side of the images."""
    full = nb.preset.of(space.family, method).search
    numbers = sizes.override(full, {"epochs": full.epochs // 2, "stem_stride": 2})
    settings = {"recipe": recipes.get(method), "numbers": numbers, "derive": magnitude}
    return Search(space, data, seed=311, device=nb.device, **settings, **more)


# %% tags=["nbval-check-output"]
nb.show(
    recipes.get("drnas").relaxation,
    operations=space.operations,
    edges=space.groups["normal"].shape[0],
)

# %% [markdown]
# Near one, concentrations try everything (**exploration**); unequal and large ones stay with a favourite
# (**exploitation**). The lecture's picture: first the accuracies of sampled architectures lie far apart, then the
# distribution gathers, and **the band narrows**. After each epoch the instrument `spread` draws eight times and
# measures with the *same* shared weights, on the same 512 images:
#
# - **drawn mixtures**, $\theta \sim \mathrm{Dir}(\beta)$, at which the supernet is trained;
# - **drawn cells**: one operation an edge, drawn with the mean weights as probabilities;
# - the entropy of the mean weights, at most $\ln 5 = 1.61$ for five operations.

# %%
nb.predict("11.5")

# %% tags=["main-result", "nbval-check-output"]
measured = instruments.named(["spread", "derived-accuracy"])
searches = {"DARTS": new_search("darts", instruments=measured)}
searches["DrNAS"] = new_search("drnas", instruments=measured)
histories = {
    name: drive(each, RunFolder(None, {}), [nb.progress]) for name, each in searches.items()
}
last = {name: history[-1] for name, history in histories.items()}
lost = {
    name: each["valid_accuracy"] - np.mean(each["cell_accuracies"]) for name, each in last.items()
}
nb.show(
    DARTS_draws_one_mixture=len(set(last["DARTS"]["mixture_accuracies"])) == 1,
    DrNAS_draws_many=len(set(last["DrNAS"]["mixture_accuracies"])) > 1,
    supernet_of_DARTS_ahead=last["DARTS"]["valid_accuracy"] > last["DrNAS"]["valid_accuracy"],
    DARTS_loses_more_to_drawn_cells=bool(lost["DARTS"] > lost["DrNAS"]),
)

# %%
from nasbook.figures import exploration

exploration.narrowing(histories)

# %% [markdown]
# The shading goes from the worst to the best of the eight draws, its line is their mean. Look at three things. *Left:* after
# so few epochs both searches are still close to $\ln 5$; nearly everything is open. *Light blue, dots:* drawn mixtures of
# DrNAS lie close together from the start, as all of them are mixtures. *Orange, diamonds:* drawn cells lie far below the
# supernet, further with DARTS, and further apart with it at the end.
#
# Is it the learned distribution that makes the band what it is? A **control**: cells drawn with *equal* chances, which no
# search has chosen, with the same shared weights.

# %%
from nasbook.supernet import one_hot

generator = torch.Generator().manual_seed(0)
uniform = [one_hot(space, space.sample(generator)) for _ in range(24)]
for name, each in searches.items():
    bands = [np.ptp(record["cell_accuracies"]) for record in histories[name]]
    print(f"{name}: band of eight cells {bands[0]:.0f} points at first, {bands[-1]:.0f} at last")
    found = {"drawn by the mean weights": instruments.spread(each, samples=24).cells}
    found["drawn with equal chances"] = instruments.accuracies(each, uniform)
    for how, values in found.items():
        (low, high), error = np.quantile(values, [0.1, 0.9]), np.std(values, ddof=1) / 24**0.5
        told = f"mean {np.mean(values):4.1f} % (standard error {error:.1f})"
        print(f"  {how:25} {told}, 80 % of them {low:.0f} to {high:.0f}")

# %% [markdown]
# Two effects. *The weights:* even cells that nobody chose do better with those of DrNAS, although its supernet is far
# behind. Trained at ever new mixtures, they depend less on one mixture being there. *The distribution:* in either search
# cells drawn by the mean weights are somewhat better than those drawn with equal chances. One seed and 24 cells: a hint
# that something has been learned, as the standard errors show.

# %% [markdown]
# And the band? That of DARTS widens, since its better cells rise and its worst stay near chance; that of DrNAS hardly changes.
# Chosen cells lie about as far apart as unchosen ones: with the entropy where it is, a band cannot narrow yet. The narrowing
# of the lecture's picture belongs to longer searches. Where you see it, ask for this control, since better weights lift and
# gather *all* cells. (An accuracy on 512 images has a standard error of about two points.)
#
# ## The gap

# %%
rows = {name: [each["valid_accuracy"] for each in history] for name, history in histories.items()}
level = min(max(each) for each in rows.values())
for name, history in histories.items():
    at = next(place for place, value in enumerate(rows[name]) if value >= level)
    for words, record in (("last epoch", history[-1]), ("at equal accuracy", history[at])):
        gap = record["valid_accuracy"] - record["derived_accuracy"]
        print(
            f"{name:6} {words:18} supernet {record['valid_accuracy']:.0f} %, "
            f"derived cell with the same weights {record['derived_accuracy']:.0f} %, gap {gap:.0f}"
        )

# %% [markdown]
# The second comparison is needed: a supernet that is trained less has less to lose. DrNAS learns more slowly
# here, since each step sees another mixture. One seed, and a derived cell that changes from epoch to epoch: a hint.
#
# ## Progressive learning: the stage change
#
# All operations on all channels need much memory. DrNAS therefore also searches in two stages. **Stage 1:** all operations,
# but only one in four channels passes through them (partial channels; chapter 12 has more). **Stage 2:** each edge keeps its
# strongest operations, here three of five, and they get one in two channels. Weights, their momentum, $\alpha$ and the
# learning rate are carried over. In either stage $\alpha$ is frozen for the first epochs, until the weights can tell.
#
# The masked operations do not run. They still take part in the draw; what they draw is shared out among the others.

# %%
nb.predict("11.6")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.search import progressive

staged = new_search("drnas-progressive")
change = progressive.second_stage_from(staged.numbers)
stages = [staged.run_epoch(lambda step, steps: None) for _ in range(change)]
narrow = sum(value.numel() for value in staged.supernet.parameters())
masks = progressive.kept(space, staged.alpha, staged.numbers.operations_end)
progressive.begin(staged, masks)
after = staged.validate()[1]
wide = sum(value.numel() for value in staged.supernet.parameters())
stages += [staged.run_epoch(lambda step, steps: None) for _ in range(change)]
nb.show(
    epochs_of_each_stage=change,
    frozen_at_the_start_of_each=staged.numbers.frozen_epochs,
    kept_on_each_edge=masks["normal"].sum(1).tolist(),
    parameters={"narrow": narrow, "wide": wide},
    accuracy_changes=abs(after - stages[change - 1]["valid_accuracy"]) > 0.5,
)

# %%
figure, axis = figures.figure("single")
accuracy = [record["valid_accuracy"] for record in stages]
axis.plot(range(1, change + 1), accuracy[:change], "s-", label="stage 1")
second_stage = [after, *accuracy[change:]]
axis.plot(range(change, 2 * change + 1), second_stage, "o--", label="stage 2")
axis.set(xlabel="epoch", ylabel="accuracy of the supernet (%)", ylim=(0, None))
axis.legend()
figures.Picture(
    figure,
    f"Accuracy of the supernet over two stages: {accuracy[change - 1]:.0f} % at the end of the first, "
    f"{after:.0f} % right after the change, {accuracy[-1]:.0f} % at the end.",
)

# %%
for names, keeps, row in zip(
    space.groups["normal"].operations, masks["normal"].tolist(), stages[-1]["weights"]["normal"]
):
    print(
        "  ".join(
            f"{name} {w:.2f}" if keep else f"({name})" for name, keep, w in zip(names, keeps, row)
        )
    )

# %% [markdown]
# In brackets: what was pruned, by parameters that had moved for two epochs. That is early: the published search on CIFAR-10
# prunes after 25 epochs, in 15 of which $\alpha$ moved. What is gone does not come back.
#
# ## Wider, and the same function
#
# How does an operation grow and keep what it has learned? **Net2Wider** (Chen et al. 2016): each new channel repeats an old
# one. Let new input $q$ repeat old input $s(q)$, and new output $p$ repeat $t(p)$. Then
#
# $$W'_{pq} = \frac{W_{t(p)\, s(q)}}{n_{s(q)}}, \qquad n_s = \text{how often old input } s \text{ is repeated}, \tag{11.10}$$
#
# so that the sum over the inputs stays: each old input is now summed $n_s$ times, each time divided by $n_s$. One
# convolution, in float64, with and without the division:

# %% tags=["nbval-check-output"]
from nasbook.supernet.widening import Repeat

generator = torch.Generator().manual_seed(0)
weight = torch.randn(4, 4, 1, 1, generator=generator, dtype=torch.float64)
images = torch.randn(64, 4, 8, 8, generator=generator, dtype=torch.float64)
convolve, normalise = torch.nn.functional.conv2d, torch.nn.functional.batch_norm
rows = [["repeated inputs", "off", "off without division", "and after batch normalisation"]]
for inputs in ([0, 1, 2, 3, 0, 1, 2, 3], [0, 1, 2, 3, 0, 0, 1, 0]):
    which = torch.tensor(inputs)
    wanted = convolve(images, weight)[:, which]
    found = convolve(images[:, which], Repeat(which, which)(weight))
    copied = convolve(images[:, which], weight[which][:, which])
    normal = [normalise(each, None, None, training=True) for each in (copied, wanted)]
    apart = [(found - wanted), (copied - wanted), (normal[0] - normal[1])]
    rows.append([str(inputs), *(float(each.abs().max()) > 1e-3 for each in apart)])
nb.show(rows)

# %% [markdown]
# DrNAS's released code leaves the division out, as batch normalisation behind every convolution undoes a common factor. It
# does, in the first row, where all inputs are repeated equally often. With channels drawn at random some are repeated more
# often than others, and no common factor mends that. The package divides.
#
# And still the supernet changed at the stage change. The function is preserved *of the operation, on inputs that repeat
# likewise*. But its new inputs are other channels of the edge, which used to bypass it; and the channels are shuffled behind
# it in two groups, no longer in four, so what comes next finds them in other places. That the two weakest operations are gone
# should matter less: their share goes to the others. So stage 2 starts from weights that have learned something, not from the same
# function.
#
# ## What it costs

# %%
nb.predict("11.7")

# %% tags=["main-result"]
from nasbook.analysis import method_cost

fresh = {"DrNAS": new_search("drnas")}
fresh |= {f"progressive, stage {each}": new_search("drnas-progressive") for each in (1, 2)}
second = fresh["progressive, stage 2"]
kept = progressive.kept(space, second.alpha, second.numbers.operations_end)
progressive.begin(second, kept)
costs = dict(zip(fresh, method_cost.of_searches(list(fresh.values()), repeats=1)))
saved = {name: each.saved_mib for name, each in costs.items()}
for name, value in saved.items():
    print(f"{name:22} {value:6.1f} MiB of activations in a step")

# %% tags=["nbval-check-output"]
now, then = saved["progressive, stage 1"], saved["progressive, stage 2"]
nb.show(
    stages_within_a_third=abs(then / now - 1) < 1 / 3,
    both_below_half_of_all_channels=max(now, then) < saved["DrNAS"] / 2,
)

# %% [markdown]
# That is the point of the schedule: what pruning frees is spent on channels, at about the same memory.

# %% [markdown]
# ## What five seeds say
#
# The live searches were short, and of one seed. The study `method-order` has five at the full epochs and the full side of the
# images in NAS-Bench-201, each derived cell trained from scratch on fresh images. The control is a random cell: one cell a
# seed, not a search. First the gap, with the shared weights:

# %%
from nasbook import claims
from nasbook.figures import collapse, methods

runs = claims.runs("method-order")
compared = ("darts", "drnas", "drnas-progressive")
methods.gaps([run.values for run in runs], compared)

# %% [markdown]
# Then what counts in the end, test accuracy after training. Look at the random cell before you praise a method; and at the
# cell of 3×3 convolutions alone: in this space it is hard to beat, and needs no search. Bilevel SNAS is the neighbour of
# DrNAS from chapter 10.

# %%
columns = {"DARTS": "darts", "DrNAS": "drnas", "progressive": "drnas-progressive"}
columns |= {"bilevel SNAS": "snas-bilevel", "a random cell": "random"}
columns |= {"convolutions alone": "convolutions"}
scores = {name: [run.values["trained"][kind] for run in runs] for name, kind in columns.items()}
collapse.by_group({"nas-bench-201": scores}, ylabel="test accuracy after training (%)")

# %% tags=["nbval-check-output"]
rows = [["seed", *columns]]
for run, *found in zip(runs, *scores.values()):
    rows.append([run.seed, *(f"{each:.1f}" for each in found)])
rows.append(["mean", *(f"{np.mean(each):.1f}" for each in scores.values())])
nb.show(rows)

# %% [markdown]
# How do the cells reach that? The number of the six edges that hold a 3×3 convolution:

# %% tags=["nbval-check-output"]
searched = list(columns)[:4]
rows = [["seed", *(f"3x3 of {name}" for name in searched)]]
for run in runs:
    cells = [run.values["cells"][columns[name]] for name in searched]
    rows.append([run.seed, *(cell.count("nor_conv_3x3") for cell in cells)])
nb.show(rows)


# %% tags=["nbval-check-output"]
def always_above(one, other):
    return all(run.values["trained"][one] > run.values["trained"][other] for run in runs)


nb.show(
    drnas_above_darts_in_every_seed=always_above("drnas", "darts"),
    drnas_above_the_random_cell_in_every_seed=always_above("drnas", "random"),
    drnas_above_convolutions_in_every_seed=always_above("drnas", "convolutions"),
)

# %% [markdown]
# Here a claim of the lecture holds: the cells of DrNAS are better than those of DARTS. But they are not better than the cell
# of 3×3 convolutions alone, which a glance at the space suggests without a search (compare the means). DrNAS finds its way
# there, to five or six of six edges, and that is what it can be credited with. The credit is shared: bilevel SNAS finds the
# convolutions too, and its mean is close.
#
# The progressive variant is above its random cell in seeds 0, 1 and 4, and below in 2 and 3; that its mean is the lower one
# is the doing of seed 2. Why it lags is a guess: each of its stages has six epochs, the first two of which do not move
# $\alpha$.

# %% [markdown]
# ### At equal accuracy
#
# DrNAS is said to find flatter minima. In chapter 08 the eigenvalue grew with $\alpha$ frozen too, likely as $w$
# over-fits: so a supernet that is trained less may be flatter for that alone. The study `curvature`, in `s2` where DARTS
# collapses, therefore measures the largest eigenvalue after each epoch, and compares where the two supernets are equally
# accurate.
#
# The lines go over the epochs, and rings mark the last one. Where the lines pass the same accuracy, which is lower? The
# table has the ratio, DrNAS over DARTS, at the epoch where each first reaches the highest accuracy that both reach.

# %%
from nasbook.figures import exploration

curved = claims.runs("curvature")
lines = {
    name: [run.values["series"][method] for run in curved]
    for name, method in (("DARTS", "darts"), ("DrNAS", "drnas"))
}
exploration.at_equal_accuracy(
    lines, "mixing_eigenvalue", ylabel="eigenvalue in the operation weights"
)

# %% tags=["nbval-check-output"]
rows = [["seed", "compared at (%)", "ratio, weights", "after the last epoch", "ratio, alpha"]]
for run in curved:
    keys = ("level", "mixing_eigenvalue_ratio", "mixing_eigenvalue_ratio_end", "eigenvalue_ratio")
    rows.append([run.seed, *(f"{run.values[key]:.2f}" for key in keys)])
nb.show(rows)
ends = [(run.values["drnas_supernet"], run.values["darts_supernet"]) for run in curved]
nb.show(drnas_ends_more_accurate_in_every_seed=all(drnas > darts for drnas, darts in ends))

# %% [markdown]
# In the operation weights, which both methods have, DrNAS has about a tenth to a third of DARTS's eigenvalue. And it is not
# trained less: it ends more accurate in every seed. So here less training does not explain it: in this space DrNAS *is*
# flatter in the operation weights.
#
# The ratio in $\alpha$ is smaller still, but it compares different coordinates, softmax in one and concentrations in the
# other: do not read it as flatness. The claim on $\alpha$ below holds as a number, no more.

# %% tags=["nbval-check-output"]
nb.claims()

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("11.8")

# %% tags=["nbval-check-output"]
nb.predict("11.9")

# %% tags=["nbval-check-output"]
nb.predict("11.10")

# %% tags=["nbval-check-output"]
nb.predict("11.11")

# %% [markdown]
# ## Exercises
#
# ### Exercise 11.1 (easy, 10 minutes)
#
# Write `mean_and_variance(beta)`: concentrations (K,) to the means (K,) and the variances (K,) of the weights.
#
# <details><summary>Hint 1</summary>Equation (11.2), both halves.</details>
# <details><summary>Hint 2</summary>Mind what stands below: one more than the sum.</details>


# %%
def mean_and_variance(beta):
    """Replace the next line: (K,) -> means (K,), variances (K,)."""
    raise nasbook.NotAttempted


nb.check("11.1", mean_and_variance)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_mean_and_variance(beta):
    total = beta.sum()
    mean = beta / total
    return mean, mean * (1 - mean) / (total + 1)


nb.check_solution("11.1", solution_mean_and_variance)

# %% [markdown]
# ### Exercise 11.2 (medium, 25 minutes)
#
# Write `pathwise_gradient(theta, beta)` by (11.6): samples (samples, K) and concentrations (K,), both float64, to
# $\partial \theta_i / \partial \beta_j$ at `[s, i, j]`. `scipy.special.betainc(a, b, x)` is $F$; derive it by a central
# difference. `scipy.stats.beta(a, b).pdf(x)` is $f$. Both take arrays (`theta.numpy()`), and broadcast.
#
# <details><summary>Hint 1</summary>Compute the first factor for all $j$ at once: <code>a</code> is <code>beta</code>,
# <code>b</code> is <code>beta.sum() - beta</code>, <code>x</code> is <code>theta</code>. With a step of 1e-5, move
# <code>a</code> only.</details>
# <details><summary>Hint 2</summary>The second factor has the shape (samples, K, K): the unit matrix less
# <code>theta[:, :, None]</code>. The first one gets <code>[:, None, :]</code>.</details>


# %%
def pathwise_gradient(theta, beta):
    """Replace the next line: (samples, K), (K,) -> (samples, K, K)."""
    raise nasbook.NotAttempted


nb.check("11.2", pathwise_gradient)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_pathwise_gradient(theta, beta, step=1e-5):
    from scipy import special, stats

    x, a = theta.numpy(), beta.numpy()
    b = a.sum() - a
    slope = (special.betainc(a + step, b, x) - special.betainc(a - step, b, x)) / (2 * step)
    pull = torch.from_numpy(-slope / stats.beta(a, b).pdf(x) / (1 - x))
    own = torch.eye(len(beta), dtype=torch.float64) - theta[:, :, None]
    return own * pull[:, None, :]


nb.check_solution("11.2", solution_pathwise_gradient)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
theta, torchs = by_torch(beta, samples=200)
mine = solution_pathwise_gradient(theta, beta)
exact = distributions.dirichlet_jacobian(theta, beta)
nb.show(
    off_the_exact_one_by_less_than_1e_6=bool((mine - exact).abs().max() < 1e-6),
    closer_than_PyTorch=bool((mine - exact).abs().max() < (torchs - exact).abs().max()),
)

# %% [markdown]
# ### Exercise 11.3 (medium, 15 minutes)
#
# Write `distance(alpha)`: the KL divergence (11.9) of one edge with parameters (K,), as a number that can be derived by
# `alpha`. The logarithm of (11.1) is linear in the $\ln \theta_k$, whose means are given.
#
# <details><summary>Hint 1</summary>$\ln \Gamma(\beta_{\mathrm{tot}}) - \sum_k \ln \Gamma(\beta_k) - \ln \Gamma(K) + \sum_k
# (\beta_k - 1)\, \mathbb E \ln \theta_k$.</details>
# <details><summary>Hint 2</summary><code>torch.lgamma</code> and <code>torch.digamma</code>; for $\beta$ there is
# <code>concentration(alpha)</code>.</details>


# %%
def distance(alpha):
    """Replace the next line: (K,) -> a number."""
    raise nasbook.NotAttempted


nb.check("11.3", distance)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_distance(alpha):
    beta = concentration(alpha)
    total, count = beta.sum(), torch.ones_like(beta).sum()
    density = torch.lgamma(total) - torch.lgamma(beta).sum() - torch.lgamma(count)
    return density + ((beta - 1) * (torch.digamma(beta) - torch.digamma(total))).sum()


nb.check_solution("11.3", solution_distance)

# %% [markdown]
# ### Exercise 11.4 (medium, 15 minutes)
#
# Write `wider(weight, inputs, outputs)` by (11.10): the weight (O, I, 1, 1) of a convolution, and for each new input and
# each new output the old one that it repeats, as whole numbers (I',) and (O',). Return the weight (O', I', 1, 1).
#
# <details><summary>Hint 1</summary><code>weight[outputs][:, inputs]</code> repeats; what is missing?</details>
# <details><summary>Hint 2</summary><code>torch.bincount(inputs)[inputs]</code> says of each new input how often its old one
# occurs.</details>


# %%
def wider(weight, inputs, outputs):
    """Replace the next line: (O, I, 1, 1), (I',), (O',) -> (O', I', 1, 1)."""
    raise nasbook.NotAttempted


nb.check("11.4", wider)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_wider(weight, inputs, outputs):
    times = torch.bincount(inputs)[inputs]
    return weight[outputs][:, inputs] / times[:, None, None]


nb.check_solution("11.4", solution_wider)

# %% [markdown]
# ## What breaks
#
# **Mixtures are not cells.** At concentrations near one a sample is seldom near a corner, so the supernet is trained on
# mixtures all the same. The gap gets smaller; it is still there.
#
# **A distribution can hide.** If one edge's concentrations all grow, its samples gather at the mean, and DrNAS is DARTS with
# a little noise. The anchor is against it; how strongly depends on $\lambda$, on Adam, and on the distance.
#
# **A narrow band has several causes:** a decided search, weights that suit all cells alike, or too few images to tell. Only
# a control separates them.
#
# **Pruning is for good.** The first stage decides on a quarter of the channels, after few steps of $\alpha$.

# %% [markdown]
# ## Takeaways
#
# - Shares of the concentrations say the mean mixture, their sum how near samples stay to it; below one they go to corners.
# - The pathwise gradient holds the chance fixed: (11.3) for one weight, (11.6) for all. PyTorch's is an approximation, and
#   for tiny concentrations either grows like $1 / \beta^2$.
# - DrNAS minimises the mean loss over $\mathrm{Dir}(\mathrm{ELU}(\alpha) + 1)$ and a distance to the uniform one; KL is a
#   wall where L2 is a slope.
# - With the weights of DrNAS drawn cells lose less than with those of DARTS, also cells that no search chose; a band that
#   narrows needs that control.
# - Progressive learning prunes operations and widens the others at about equal memory; an operation keeps its function,
#   the supernet does not.
