"""DARTS: all operations of an edge run at once, mixed by weights that are learned by gradient.

Problem it fixes
    A search that trains each candidate from scratch costs thousands of GPU-days, and no gradient leads from one
    candidate to a better one.

Idea in one sentence
    Replace the choice of one operation by a softmax-weighted sum of all, learn weights and mixture together by
    gradient on two halves of the images, and read the architecture off the mixture at the end.

Step of the weights
    With theta = softmax(alpha) on each edge, on a batch of the first half:

        w <- w - lr * grad_w L_train(w, theta)

Step of alpha
    On a batch of the second half. First order (`darts`):

        alpha <- Adam(alpha, grad_alpha L_val(w, theta))

    Second order (`darts-2nd`) looks one step ahead, w' = w - xi * (momentum * velocity + grad_w L_train + decay * w),
    and with g = grad_w' L_val(w', theta) and e = 0.01 / |g|:

        grad = grad_alpha L_val(w', theta) - xi * (grad_alpha L_train(w + e g) - grad_alpha L_train(w - e g)) / (2 e)

    `darts-exact` differentiates L_val(w'(alpha), theta) through the step instead of taking differences.

What is sampled
    Nothing but the batches.

What is differentiated
    The validation loss in alpha through the softmax; in second order also the look-ahead step.

What is discarded
    At the end every operation but the strongest of an edge, and in the DARTS family all but two edges into a node. In
    first order the dependence of w on alpha.

Cost relative to first-order DARTS
    First order is the measure: two forward and two backward passes of the whole supernet a step, with the outputs of
    all K operations of every edge held at once. Second order takes five and five, and holds a second copy of the
    weights. The exact derivative takes fewer passes, and the memory of a gradient's own graph.

Paper and code
    Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019; repository quark0/darts.

Details
    1. Alpha moves first, then the weights; the other order is an option (nasbook/search/loop.py: Search.step).
    2. Alpha has an optimiser of its own that holds nothing else; its decay is L2 added to the gradient
       (nasbook/search/building.py: alpha_optimizer).
    3. The finite difference takes one norm over all weights and works on copies, so no rounding is left in the weights
       (nasbook/search/hypergradient.py: second_order).
    4. Batch normalisation inside the cells learns no scale, which would undo the mixture
       (nasbook/supernet/supernet.py: Supernet).
    5. `none` takes part in the softmax and is never chosen in the DARTS family; in NAS-Bench-201 it may be
       (nasbook/selection/magnitude.py: strongest_edges).
    6. The learning rate of the weights is a function of the epoch, half a cosine (nasbook/search/loop.py: cosine).

Deviations from paper and released code
    - Alpha starts at small normal numbers, as in the released code; the paper starts at zero.
    - One search gives one cell. The paper searches four times and picks by a short training.
    - The DARTS space has its eight operations, `none` among them; later work often leaves `none` out.
    - In NAS-Bench-201 the weights keep DARTS's own decay and plain momentum; the benchmark's authors use a stronger
      decay and Nesterov's momentum.
    - `darts-exact` was never released: it is here to judge the finite difference.

Logged quantities
    `weights`, the mixture of each edge: watch the share of skip connections rise. `valid_accuracy`, of the mixture:
    it can rise while the architecture that `genotype` names gets worse, which `--record derived-accuracy` and
    `--record gap` show; `--record eigenvalue` measures the curvature in alpha.

Command
    nasbook search --method darts --space s3
    nasbook search --method darts-2nd --space s3
    nasbook search --method darts-exact --space s3

Known failures
    - Skip connections, or `none`, take over in simple spaces and in long searches: chapters 07 to 09.
    - The supernet's accuracy says little of the derived cell's: the gap of discretisation, chapter 08.
    - All operations must fit in memory, so the search runs on a smaller network than the result.
"""

RECIPES = ("darts", "darts-2nd", "darts-exact")
