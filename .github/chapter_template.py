# %% [markdown]
# # 04. Continuous relaxation
#
# *A choice among operations becomes a number that gradient descent can move.*
#
# **You will be able to**
#
# - write the mixed operation of an edge as a weighted sum
# - compute operation weights from architecture parameters
# - explain when the mixture becomes one operation
#
# **Before this:** chapter 03. **Time:** about 60 minutes in class, under a minute of computing.
#
# **Lecture:** Continuous relaxation.

# %%
import torch

import nasbook
from nasbook import figures

nb = nasbook.start("04")

# %% [markdown]
# ## One edge, three operations
#
# An edge has one architecture parameter $\alpha_k$ per operation. Its weight in the mixture is
#
# $$p_k = \frac{\exp \alpha_k}{\sum_j \exp \alpha_j}. \tag{4.1}$$
#
# Each cell that draws random numbers makes its own generator: run it twice, or after others, and it gives the same.

# %% tags=["nbval-check-output"]
operations = ("skip_connect", "sep_conv_3x3", "none")
generator = torch.Generator().manual_seed(0)
alpha = torch.randn(3, generator=generator, dtype=torch.float64)
weights = torch.softmax(alpha, dim=0)
nb.show(dict(zip(operations, weights.tolist())))

# %% [markdown]
# The weights are positive and sum to one, as (4.1) says. Floating-point sums are compared as booleans or rounded.

# %% tags=["nbval-check-output"]
one = torch.tensor(1.0, dtype=torch.float64)
nb.show(sum_is_one=torch.isclose(weights.sum(), one), operations=len(operations))

# %% [markdown]
# ## What a temperature does
#
# Divide every $\alpha_k$ by a temperature $\tau$. Before you run the next cell, say what happens.

# %%
nb.predict("04.1")

# %% tags=["main-result", "nbval-check-output"]
temperatures = (10.0, 1.0, 0.1, 0.01)
largest = [torch.softmax(alpha / temperature, dim=0).max().item() for temperature in temperatures]
nb.show(dict(zip(map(str, temperatures), largest)))

# %% [markdown]
# A picture says it at a glance. Every picture carries a sentence that tells what it shows.

# %%
figure, axis = figures.figure("single")
axis.semilogx(temperatures, largest, marker="o")
axis.set(xlabel="temperature", ylabel="largest operation weight")
words = f"The largest weight rises from {largest[0]:.2f} to {largest[-1]:.2f} as temperature falls."
figures.Picture(figure, words)

# %% [markdown]
# ## Try it
#
# Guess which of the four temperatures is the first at which the largest weight exceeds 0.9. (A chapter's widget
# comes from `nasbook.widgets`; this box stands in for it here.)

# %% tags=["widget"]
nb.predict("04.2")

# %% [markdown]
# The chapter computes this answer, so it is not in the data: it is handed over below the result.

# %%
nb.reveal("04.2", next(at for at, weight in zip(temperatures, largest) if weight > 0.9))

# %% [markdown]
# ## Checkpoint
#
# Three questions before you go on.

# %% tags=["nbval-check-output"]
nb.predict("04.3")

# %% tags=["nbval-check-output"]
nb.predict("04.4")

# %% tags=["nbval-check-output"]
nb.predict("04.5")

# %% [markdown]
# ## Exercises
#
# ### Exercise 04.1 (easy, 5 minutes)
#
# Write `operation_weights(alpha)`: the weights of (4.1) for a tensor of shape (edges, operations).
#
# <details><summary>Hint 1</summary>Which axis holds the operations of one edge?</details>
# <details><summary>Hint 2</summary>Softmax over the last axis.</details>


# %%
def operation_weights(alpha):
    """Replace the next line: (edges, operations) -> (edges, operations)."""
    raise nasbook.NotAttempted


nb.check("04.1", operation_weights)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_operation_weights(alpha):
    return torch.softmax(alpha, dim=-1)


nb.check_solution("04.1", solution_operation_weights)

# %% [markdown]
# ## What breaks
#
# The mixture has every operation, the final network one per edge. That gap is the subject of later chapters.

# %% [markdown]
# ## Takeaways
#
# - A mixed operation is the weighted sum of all operations of an edge.
# - Operation weights are a softmax of the architecture parameters (4.1).
# - At temperature zero the mixture is a single operation.
