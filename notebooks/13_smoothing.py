# %% [markdown]
# # 13. A smoother landscape
#
# *Train the shared weights where the operation weights are not, so that rounding them hurts less.*
#
# **You will be able to**
#
# - say what SDARTS-RS and SDARTS-ADV train at, and what their perturbation is brought back to
# - derive what each adds to the loss, the trace and the top of the spectrum, and check it by drawing
# - say how far the formulas reach on a trained supernet
# - write the ascent of the adversary, and count what it costs
# - judge over seeds whether smoothing flattens the loss, and whether it betters what is derived
#
# **Before this:** chapters 06, 07 and 08. **Time:** about 60 minutes in class, about a minute of computing.
#
# **Lecture:** Perturbation-based regularisation.

# %%
import torch

import nasbook
from nasbook import claims, datasets, sizes, spaces
from nasbook.analysis import smoothing
from nasbook.figures import smoothing as pictures

nb = nasbook.start("13")

# %% [markdown]
# ## A loss that does not mind
#
# Chapter 08: a supernet is trained at *one* point of operation weights, $p = \mathrm{softmax}(\alpha)$, which is then
# rounded to a corner. Where the loss is sharp, that costs much. Chen and Hsieh (2020) train the shared weights $w$ to be
# good *around* $p$: in a box with a side of $2r$ in each of the $n$ weights ($r$ is its radius).
#
# $$\text{SDARTS-RS (random smoothing):} \quad w^* = \arg\min_w\ \mathbb E_{d \sim U[-r,\, r]^n}\, L_{\mathrm{train}}(w, p + d)
# \tag{13.1}$$
#
# $$\text{SDARTS-ADV (adversarial):} \quad w^* = \arg\min_w\ \max_{\lvert d_i \rvert \le r}\, L_{\mathrm{train}}(w, p + d)
# \tag{13.2}$$
#
# Only the step of $w$ sees $p + d$. The step of $\alpha$ is that of first-order DARTS, at $p$ itself. The shift stands
# *behind* the softmax: it moves operation weights, and not $\alpha$. In the recipe it is a word of its own:

# %% tags=["nbval-check-output"]
from nasbook.search import Search, recipes

rows = [["method", "relaxation", "outer gradient", "perturbation", "selection"]]
for name in ("darts", "sdarts-rs", "sdarts-adv"):
    each = recipes.get(name)
    axes = (each.relaxation, each.hypergradient, each.perturbation, each.selection)
    rows.append([name, *axes])
nb.show(rows)

# %% [markdown]
# ## Back to weights
#
# After a shift a row need not have the sum one, and a weight can be below zero. So each row is brought back: cut to
# $[0, 1]$, then scaled to the sum that it had. (Is nothing left of a row, then all its sum goes to the weight that was its
# largest.) No second softmax follows.

# %% tags=["nbval-check-output"]
from nasbook.search.perturbation import allowed
from nasbook.supernet import Mixing

before = torch.tensor([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.4, 0.3, 0.3]], dtype=torch.float64)
shift = torch.tensor([[0.4, 0.2, -0.3], [0.1, -0.1, 0.0], [-0.5, -0.4, -0.3]], dtype=torch.float64)
after = allowed(Mixing({"normal": before}), {"normal": before + shift}).weights["normal"]
nb.show(moved=before + shift)
nb.show(brought_back=after)
nb.show(sums=after.sum(1))

# %% [markdown]
# In the second row nothing had to be brought back. In the first, the excess of the sum is taken from the weights in
# proportion. The *nearest* point of the simplex would take the same amount from each: the name "projection" that one reads
# for this is a loose one. The released code does as we do.

# %% [markdown]
# ## What noise adds
#
# Forget the bringing back for a moment. Take the loss as a function of free weights $p$, with gradient $g$ and Hessian
# $H$, and expand it:
#
# $$L(p + d) \approx L(p) + g^\top d + \tfrac12\, d^\top H d. \tag{13.3}$$
#
# Noise $d_i$, uniform in $[-r, r]$, has mean 0, so $g$ drops out. Two coordinates are independent, so of $d^\top H d$ only
# the diagonal stays, and each $d_i$ has variance $r^2 / 3$:
#
# $$\mathbb E\, L(p + d) - L(p) \approx \tfrac12 \sum_i H_{ii}\, \mathbb E\, d_i^2 = \frac{r^2}{6} \operatorname{tr} H.
# \tag{13.4}$$
#
# The trace is the sum of all eigenvalues: random smoothing punishes curvature in all directions alike.

# %% tags=["nbval-check-output"]
noise = torch.empty(100_000, dtype=torch.float64)
noise.uniform_(-0.5, 0.5, generator=torch.Generator().manual_seed(0))
nb.show(variance=noise.var(), a_third_of_the_squared_radius=0.5**2 / 3, digits=2)

# %% [markdown]
# ## What the worst case adds
#
# In a *ball* $\lVert d \rVert \le r$ around a minimum ($g = 0$) the worst shift goes along the top eigenvector:
#
# $$\max_{\lVert d \rVert \le r} L(p + d) - L(p) \approx \frac{r^2}{2} \lambda_{\max}. \tag{13.5}$$
#
# The method has a box. Around a minimum its worst point is a corner $d = r s$ with signs $s_i = \pm 1$:
#
# $$\max_{\lvert d_i \rvert \le r} L(p + d) - L(p) \approx \frac{r^2}{2} \max_{s \in \{-1, 1\}^n} s^\top H s, \tag{13.6}$$
#
# It lies between (13.5) and $n$ times (13.5), and is at least $\frac{r^2}{2} \operatorname{tr} H$, the mean over all
# corners. So in the box the whole spectrum has a say; only in the ball is it the *top direction* alone.

# %%
nb.predict("13.1")


# %% tags=["main-result", "nbval-check-output"]
def measured(hessian, radius=0.5):
    """Rise by noise, and in the ball: as drawn or climbed, and by the formulas; nats."""
    here, start = torch.zeros(4).double(), torch.ones(4).double()
    of = {"pairs": 4000, "seed": 0}
    mean, error = smoothing.expected_rise(lambda d: d @ hessian @ d / 2, here, radius, **of)
    climb = {"start": start, "steps": 100}
    worst = smoothing.worst_rise(lambda d: d @ hessian @ d / 2, here, radius, **climb)
    trace, top = (f(hessian.numpy(), radius) for f in (smoothing.by_trace, smoothing.by_eigenvalue))
    return [trace, abs(mean - trace) < 4 * error, top, abs(worst / top - 1) < 1e-2]


turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)).double())[0]
rows = [["loss", "r²/6 trace", "drawn agrees", "r²/2 top", "climbed agrees"]]
for name, spectrum in (("A", [4.0, 0, 0, 0]), ("B", [1.5] * 4)):
    rows.append([name, *measured(turn @ torch.diag(torch.tensor(spectrum).double()) @ turn.T)])
nb.show(rows, digits=4)

# %% [markdown]
# The matrices are turned by a random rotation: neither trace nor spectrum minds. (The worst corner of a box would.)
#
# Both formulas speak of *free* weights, a small radius and, the second, of a minimum. A search has none of the three.
#
# ## On a trained supernet
#
# Space `s2`, one of those where DARTS collapses: a skip connection or a separable convolution on each edge. To save time,
# a quarter of the epochs of the class size.

# %%
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.selection import magnitude

data = datasets.load(nb.preset.data)
space = spaces.get("s2", nodes=nb.preset.search.nodes, reduction=nb.preset.search.reduction)


def new_search(method):
    """A search of this size, with a quarter of the epochs."""
    full = nb.preset.of(space.family, method).search
    numbers = sizes.override(full, {"epochs": full.epochs // 4})
    settings = {"recipe": recipes.get(method), "numbers": numbers, "derive": magnitude}
    return Search(space, data, seed=1, device=nb.device, **settings)


search = new_search("darts")
history = drive(search, RunFolder(None, {}), [nb.progress])

# %% [markdown]
# Now the operation weights are perturbed, $w$ and the images stay. The loss is that of validation images. The worst case
# in a ball is climbed to from the maximum of the quadratic (13.3); the noise is drawn in pairs $\pm d$.

# %%
nb.predict("13.2")

# %% tags=["main-result"]
radii = (0.05, 0.1, 0.2, 0.4)
rise = smoothing.rises(search, radii, images=128, pairs=8)
as_searched = smoothing.perturbed_rises(search, radii, images=128, draws=3)
pictures.rises(rise, as_searched)

# %% tags=["nbval-check-output"]
ratio = rise.worst[1] / rise.by_eigenvalue[1]
nb.show(
    worst_case_is_more_than_the_top_eigenvalue_says=ratio > 1.2,
    there_is_a_gradient=rise.slope > 0.05,
    the_adversary_finds_more_than_noise=as_searched["adversarial"][-1] > as_searched["random"][-1],
)

# %%
print(f"length of the gradient {rise.slope:.2f}, trace {rise.trace:.2f}, top {rise.eigenvalue:.2f}")
nb.reveal("13.2", 0 if 0.5 <= ratio <= 2 else 1 if ratio < 0.5 else 2)

# %% [markdown]
# *Middle:* at a small radius the adversary's work is done by the **gradient**, which (13.5) has set to zero. It is not zero:
# a search moves $\alpha$, and not free weights, and is stopped by the clock. The black line is the largest value of (13.3)
# with its gradient.
#
# *Left:* here the gradient drops out, and still the line is not the formula's. A likely reason at small radii: a network
# has kinks, its ReLUs. Autograd takes each where it is smooth. But noise carries many activations across theirs, and what
# they bend is in no Hessian. (With a radius of $10^{-6}$, in float64, both agree: a test of the package.)
#
# *Right:* what the methods do, in a box and brought back. A shift that only scales a row is undone.
#
# **Task:** see the box above the slider.

# %% tags=["widget"]
from nasbook.widgets.perturbation_radius import PerturbationRadius, RadiusState, compute

PerturbationRadius(search, "kind=random radius=0.3 seed=0")

# %% jupyter={"source_hidden": true} tags=["solution"]
for tick in range(21):
    state = RadiusState("adversarial", tick / 20)
    found = compute(search, state)
    if found.accuracy[0] - found.accuracy[1] >= 10:
        break
print(f"radius {state.radius:g}: from {found.accuracy[0]:.0f} to {found.accuracy[1]:.0f} %")
drawn = [compute(search, RadiusState("random", state.radius, seed)) for seed in range(5)]
print("random, five seeds:", ", ".join(f"{each.accuracy[1]:.0f}" for each in drawn), "%")

# %% [markdown]
# ## The adversary
#
# The maximum in (13.2) is not known; it is looked for, before each step of $w$, on the batch of that step:
#
# 1. begin at a random point of the box, brought back to weights
# 2. several times: add $\frac{2r}{\text{steps}} \operatorname{sign} \nabla_p L_{\mathrm{train}}(w, p + d)$, cut to the box
#    around $p$, bring back
# 3. if the loss there is smaller than at $p$, take $p$
#
# **Plus**, not minus: a port that calls a minimiser and forgets the sign finds friendly weights, and trains for them. All
# steps together can cross the box. During the climb the network is in evaluation mode, so that no statistics move; at
# class size none are kept, and a batch is normalised by its own.
#
# The radius grows over the epochs, in a straight line:

# %% tags=["nbval-check-output"]
rows = [["method", "size", "spaces", "first radius", "last radius", "steps of ascent"]]
for method in ("sdarts-rs", "sdarts-adv"):
    families = ("darts", "nas-bench-201", "nas-bench-1shot1")
    for size, family in (*(("class", each) for each in families), ("paper", "darts")):
        numbers = sizes.get(size).of(family, method).search
        ascent = numbers.attack_steps if method == "sdarts-adv" else "none"
        rows.append([method, size, family, numbers.radius, numbers.radius_end, ascent])
nb.show(rows)

# %% [markdown]
# The paper size has the published numbers. In S1–S4 (the family `darts`) the class size has a larger last radius and fewer
# steps: a class search is short, and the small box did little. In NAS-Bench-1Shot1 the larger radius let no adversarial
# supernet learn. That was seen on seed 4, which is among those reported: the ledger's `chosen_on` says so. On NAS-Bench-201 it
# left that supernet far behind (seed 0, which is not reported).

# %%
nb.predict("13.3")


# %% tags=["main-result", "nbval-check-output"]
def passes(method):
    """How often one step of a search runs the supernet forward."""
    search, seen = new_search(method), []
    search.supernet.register_forward_hook(lambda *_: seen.append(1))
    search.train(1, lambda step, steps: None)
    return len(seen)


nb.show({name: passes(name) for name in ("darts", "sdarts-rs", "sdarts-adv")})

# %%
steps = nb.preset.of(space.family, "sdarts-adv").search.attack_steps
nb.reveal("13.3", 2 + steps + 2)

# %% [markdown]
# Each step of ascent runs backward too. Random smoothing is free.
#
# ## Three searches
#
# For surfaces that mean something a search must be longer: half of the epochs of the class size, stored. `nasbook claims
# measure smoothing-s2` makes them again: DARTS and both perturbations, with each of four seeds from the same start.

# %%
nb.predict("13.4")

# %% tags=["main-result"]
from nasbook.figures import sharpness
from nasbook.instruments import Landscape

ends = claims.runs("smoothing-s2")
methods = {"DARTS": "darts", "SDARTS-RS": "sdarts-rs", "SDARTS-ADV": "sdarts-adv"}
planes = ends[0].values["landscapes"]
surfaces = {name: Landscape(**planes[method]) for name, method in methods.items()}
sharpness.landscape(surfaces)

# %% [markdown]
# The lecture's picture, for the first seed, on *one* colour scale, with one radius and the same images: without that, two surfaces look as
# different as one likes. The axes are operation weights, the horizontal one the top eigenvector. Compare how much of the
# accuracy in the middle (the cross) is lost towards the rim, and how high the middle is.
#
# The same for all seeds as curves, the loss over the radius as the search perturbs:

# %%
pictures.compared(
    {name: [run.values["as_searched"][method] for run in ends] for name, method in methods.items()},
    ends[0].values["rises"]["darts"]["radii"],
)


# %% tags=["nbval-check-output"]
def mean(runs, key):
    """The mean of a number over the seeds."""
    return sum(run.values[key] for run in runs) / len(runs)


kinds = ("supernet", "one_hot", "trace", "top", "random", "adversarial")
rows = [["", "supernet %", "one-hot %", "trace", "top", "noise (nats)", "adversary (nats)"]]
for name, method in methods.items():
    rows.append([name, *(f"{mean(ends, f'{method}_{kind}'):.3g}" for kind in kinds)])
nb.show(
    seeds=[run.seed for run in ends], largest_radius=ends[0].values["rises"]["darts"]["radii"][-1]
)
nb.show(rows)

# %%
attacked = [mean(ends, f"{method}_adversarial") for method in methods.values()]
nb.reveal("13.4", attacked.index(min(attacked)))

# %% [markdown]
# Trace and top eigenvalue are of the Hessian in the operation weights. The last two columns are by how much the loss rises
# at the largest radius. A supernet that is trained less is flatter too (chapters 08 and 11), so read the first column
# beside them: the perturbed ones are no less accurate, so that is not the reason. And rounding to one-hot weights costs
# half of the accuracy after DARTS, about a quarter after SDARTS-RS and a tenth after SDARTS-ADV.
#
# And the formulas? At the end of the first seed's longer search of DARTS that of the trace is worth more than after the short
# one; that of the eigenvalue still misses the gradient:

# %%
longer = smoothing.Rises(**ends[0].values["rises"]["darts"])
pictures.rises(longer)

# %% tags=["nbval-check-output"]
rows = [
    ["radius", "noise", "standard error", "(13.4)", "worst in a ball", "(13.5)", "with gradient"]
]
kinds = ("radii", "random", "random_error", "by_trace", "worst", "by_eigenvalue", "by_quadratic")
rows += [
    [f"{value:.3g}" for value in row] for row in zip(*(getattr(longer, kind) for kind in kinds))
]
nb.show(rows)

# %% [markdown]
# At the smaller radii noise agrees with the trace within about two standard errors, and the worst case with the quadratic
# that has its gradient. At the last radius of the class size, one, no such formula says anything. They explain which way
# smoothing pulls, and not how far.

# %% [markdown]
# ## Over the epochs
#
# The lecture's evidence is in NAS-Bench-1Shot1, whose cells are choice blocks: rows of operations, of inputs and of the
# output, all perturbed. In the paper the test error of an architecture is looked up in NAS-Bench-101; here each derived
# architecture is trained from scratch on fresh images. `nasbook claims measure smoothing-1shot1-1` makes the first space
# again.

# %%
nb.predict("13.5")

# %% tags=["main-result"]
from nasbook.claims import comparison

names = [f"smoothing-1shot1-{place}" for place in (1, 2, 3)]
missing = comparison.not_measured(*names)
studies = {f"space {name[-1]}": claims.runs(name) for name in names if name not in missing}
pictures.over_epochs({name: [run.values for run in runs] for name, runs in studies.items()})

# %% tags=["nbval-check-output"]
columns = ("eigenvalue", "supernet", "gap", "derived")
rows = [["", "seeds", "", "eigenvalue", "supernet %", "gap (points)", "derived, trained %"]]
for space_name, runs in studies.items():
    for name, method in methods.items():
        values = (f"{mean(runs, f'{method}_{key}'):.3g}" for key in columns)
        rows.append([space_name, len(runs), name, *values])
nb.show(not_measured_yet=", ".join(missing) or "nothing")
nb.show(rows)

# %%
lower = [
    mean(runs, "sdarts-adv_eigenvalue") < mean(runs, "darts_eigenvalue")
    for runs in studies.values()
]
nb.reveal("13.5", 2 if all(lower) else 1 if any(lower) else 0)

# %% [markdown]
# Three questions, three columns. Is the loss flatter in $\alpha$? Is less lost when the derived architecture runs with the
# same weights (the gap)? And is that architecture better once it is trained on its own? Only the last one is what a search
# is for, and the first two do not imply it. In all three spaces the first two answers are yes; the third is shown in none, and
# in space 3 the architectures of SDARTS-ADV are worse than those of DARTS by the whole interval (ledger).
#
# Mind the column of the supernets: the perturbed ones lie far behind, as their weights must do for a whole box. And a
# supernet that is trained less is flatter (chapters 08 and 11). Compare where the lines pass the same accuracy (rings mark
# the last epoch):


# %%
from nasbook.figures import exploration


def at_measured_epochs(series):
    """Accuracy of the supernet and eigenvalue, after the epochs at which it was measured."""
    epochs, values = zip(*series["eigenvalue"])
    accuracy = [series["valid_accuracy"][epoch - 1] for epoch in epochs]
    return {"valid_accuracy": accuracy, "eigenvalue": values}


shown, runs = next(iter(studies.items()))
lines = {
    name: [at_measured_epochs(run.values["series"][method]) for run in runs]
    for name, method in methods.items()
}
exploration.at_equal_accuracy(lines, "eigenvalue", ylabel=f"largest eigenvalue in α, {shown}")

# %% [markdown]
# Where the line of DARTS lies above the others at one accuracy, less training does not explain the flatness. In $\alpha$
# there is still the other reason of chapter 08: by (8.3) an $\alpha$ that is decided looks flat. `s2` above was therefore
# measured in the operation weights. Nor is the accuracy of the derived cells explained by flatness: both may come from a
# supernet that is trained for many mixtures.

# %% [markdown]
# ### Where there is room
#
# Chapter 07 saw DARTS collapse in S2 and S4; S1 and S3 are milder, and NAS-Bench-201 is where all methods meet (chapter 16).
# Beside DARTS and SDARTS-ADV stand two controls, a random cell and one of convolutions alone, neither of which needs a search.
# (In `s4` half of the operations are noise, and most random cells hold some.) Each cell is trained three times on fresh
# images; the dots are the seeds.

# %%
from nasbook.figures import collapse

kinds = {"DARTS": "darts", "SDARTS-ADV": "sdarts-adv"}
kinds |= {"a random cell": "random", "convolutions alone": "convolutions"}
of_space = {f"s{place}": f"pt-s{place}" for place in (1, 2, 3, 4)}
of_space["nas-bench-201"] = "smoothing-nas-bench-201"
unknown = comparison.not_measured(*of_space.values())
scores = {}
for name in (name for name, study in of_space.items() if study not in unknown):
    runs = claims.runs(of_space[name])
    scores[name] = {
        kind: [run.values[f"{key}_derived"] for run in runs] for kind, key in kinds.items()
    }
collapse.by_group(scores, ylabel="test accuracy after training (%)")

# %% tags=["nbval-check-output"]
rows = [["space", "seeds", *kinds]]
for name, each in scores.items():
    means = (f"{sum(values) / len(values):.1f}" for values in each.values())
    rows.append([name, len(each["DARTS"]), *means])
nb.show(not_measured_yet=", ".join(unknown) or "nothing")
nb.show(rows)

# %% [markdown]
# In S2 and S4 SDARTS-ADV avoids the collapse: that is what smoothing was made for. Then look at the two right columns. In
# neither is it shown to be better than a random cell (in S4 those lie far apart), nor is its mean above that of convolutions
# alone. In S1 a gain over DARTS is not shown either, and in S3 DARTS does not collapse. (S2 and S3 differ in `none` alone,
# which no cell may hold: their controls are the same cells.) What is repaired is a failure of the search. Being better than no
# search is another claim.

# %% [markdown]
# On NAS-Bench-201 it fails outright with two of four seeds: the largest weights are those of `none` on every edge into the last
# node, and a cell that puts out nothing guesses. A likely reason: to what puts out nothing an adversary can do little. Random
# smoothing does not end there (ledger). Chapter 16 selects from these supernets in another way.

# %% tags=["nbval-check-output"]
nb.claims()

# %% [markdown]
# `nb.card("sdarts-adv")` shows the card of the method, with each detail's place in the code.
#
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("13.6")

# %% tags=["nbval-check-output"]
nb.predict("13.7")

# %% tags=["nbval-check-output"]
nb.predict("13.8")

# %% tags=["nbval-check-output"]
nb.predict("13.9")

# %% [markdown]
# ## Exercises
#
# ### Exercise 13.1 (easy, 5 minutes)
#
# Write `expected_rise(hessian, radius)`: the mean rise of a quadratic loss under uniform noise in $[-r, r]^n$.
#
# <details><summary>Hint 1</summary>Equation (13.4).</details>
# <details><summary>Hint 2</summary>A uniform number in $[-r, r]$ has variance $r^2 / 3$; Taylor's half makes it a
# sixth.</details>


# %%
def expected_rise(hessian, radius):
    """Replace the next line: (n, n), a number -> a number."""
    raise nasbook.NotAttempted


nb.check("13.1", expected_rise)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_expected_rise(hessian, radius):
    return radius**2 / 6 * hessian.trace()


nb.check_solution("13.1", solution_expected_rise)

# %% [markdown]
# ### Exercise 13.2 (medium, 15 minutes)
#
# Write `bring_back(weights, moved)`: rows of weights before, and the same after a shift, to rows between 0 and 1 with the
# sums that `weights` had. A row of which nothing is left puts its sum on the weight that was its largest.
#
# <details><summary>Hint 1</summary>Cut first, then scale each row by its own factor; mind a sum of zero.</details>
# <details><summary>Hint 2</summary><code>torch.nn.functional.one_hot(weights.argmax(-1), columns)</code> has the rows
# for those that are empty; <code>torch.where</code> chooses.</details>


# %%
def bring_back(weights, moved):
    """Replace the next line: (rows, columns) twice -> (rows, columns)."""
    raise nasbook.NotAttempted


nb.check("13.2", bring_back)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_bring_back(weights, moved):
    cut = moved.clamp(0, 1)
    largest = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(cut)
    cut = torch.where(cut.sum(-1, keepdim=True) > 0, cut, largest)
    return cut * weights.sum(-1, keepdim=True) / cut.sum(-1, keepdim=True)


nb.check_solution("13.2", solution_bring_back)

# %% [markdown]
# ### Exercise 13.3 (medium, 20 minutes)
#
# Write `ascend(loss, weights, start, radius, steps, bring_back)`: step 2 of the adversary. `loss` takes a tensor like
# `weights` and gives a number, `start` lies in the box around `weights`, and `bring_back(weights, moved)` is the function of
# exercise 13.2.
#
# <details><summary>Hint 1</summary>In each round: a leaf with <code>requires_grad_()</code>, its gradient by
# <code>torch.autograd.grad</code>, a move, the box, back to weights.</details>
# <details><summary>Hint 2</summary><code>torch.clamp(moved, weights - radius, weights + radius)</code> is the
# box.</details>


# %%
def ascend(loss, weights, start, radius, steps, bring_back):
    """Replace the next line: returns a tensor like weights."""
    raise nasbook.NotAttempted


nb.check("13.3", ascend)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_ascend(loss, weights, start, radius, steps, bring_back):
    moved = start
    for _ in range(steps):
        leaf = moved.detach().requires_grad_()
        (slope,) = torch.autograd.grad(loss(leaf), leaf)
        moved = leaf.detach() + 2 * radius / steps * slope.sign()
        moved = bring_back(weights, torch.clamp(moved, weights - radius, weights + radius))
    return moved


nb.check_solution("13.3", solution_ascend)

# %% [markdown]
# ### Exercise 13.4 (medium, 15 minutes)
#
# Write `worst_in_box(hessian, radius)` by (13.6): the worst rise in a box around a minimum, by trying all corners. For how
# many weights can you afford that? The search cannot, and climbs.
#
# <details><summary>Hint 1</summary><code>itertools.product((-1.0, 1.0), repeat=n)</code> gives all signs.</details>
# <details><summary>Hint 2</summary>Half of $s^\top H s$, times $r^2$; the largest.</details>


# %%
def worst_in_box(hessian, radius):
    """Replace the next line: (n, n), a number -> a number."""
    raise nasbook.NotAttempted


nb.check("13.4", worst_in_box)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_worst_in_box(hessian, radius):
    from itertools import product

    signs = torch.tensor(list(product((-1.0, 1.0), repeat=len(hessian))), dtype=hessian.dtype)
    return radius**2 / 2 * torch.einsum("ci,ij,cj->c", signs, hessian, signs).max()


nb.check_solution("13.4", solution_worst_in_box)
weights = sum(value.numel() for value in search.alpha.values())
nb.show(weights_of_s2=weights, passes_for_one_step=2**weights)

# %% [markdown]
# ## What breaks
#
# **A box that is too small.** If skip connections still win, the authors advise a larger radius.
#
# **A box that is too large.** With a radius of one a row may be anything. S1–S4 end there, growing from a small one, with few
# operations a row; in NAS-Bench-1Shot1 it let no adversarial supernet learn.
#
# **The wrong sign, or the wrong place.** A descent, or a perturbation of $\alpha$ with a second softmax, runs without an
# error. "The loss after the attack is never below the clean one" cannot tell: step 3 sees to that. Test the end of the
# climb *before* step 3, against clean weights and against noise.
#
# **Flat, and no better.** An eigenvalue is a number of the supernet. What is derived is still read off $\alpha$, by the
# largest weight. Whether that is the right thing to read is the next chapter's question.

# %% [markdown]
# ## Takeaways
#
# - SDARTS trains $w$ at perturbed operation weights, cut to $[0, 1]$ and scaled back row by row; $\alpha$ takes clean steps.
# - Noise adds $\frac{r^2}{6} \operatorname{tr} H$, all directions alike; the worst case in a ball around a minimum
#   $\frac{r^2}{2} \lambda_{\max}$, the top one; in a box it lies between, from the trace to $n \lambda_{\max}$.
# - On a trained supernet the radius is not small and the gradient is not zero; the adversary lives on the gradient first.
# - The adversary climbs by signs, in a box, and keeps its point only if it is worse; each step of the climb is one more
#   pass, forward and backward.
# - Flatter, a smaller gap, and a better architecture are three claims. The first two hold here, space by space; the third is
#   shown only where DARTS collapses (S2, S4).
