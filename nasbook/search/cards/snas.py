"""SNAS: each step runs a random mixture that comes closer and closer to one operation an edge.

Problem it fixes
    DARTS optimises a mixture that is never deployed; what is good as a mixture may be bad as an architecture.

Idea in one sentence
    Draw the operation weights from a relaxed categorical distribution whose temperature falls, so that the search ends
    at nearly discrete architectures, and learn its logits by the gradient through the draw.

Step of the weights
    With G standard Gumbel noise and T the temperature of the epoch,

        Z = softmax((log_softmax(alpha) + G) / T)
        w <- w - lr * grad_w L_train(w, Z)

Step of alpha
    `snas` is single-level: of the same loss of the same batch, by the same backward pass,

        alpha <- Adam(alpha, grad_alpha L_train(w, Z))

    `snas-bilevel` takes a draw and a batch of its own: grad_alpha L_val(w, Z).

What is sampled
    One Gumbel noise a row and step, shared by all cells of a kind.

What is differentiated
    The loss through the relaxed draw, exactly; for the discrete draw that it stands for the gradient is biased.

What is discarded
    At the end the noise: each edge keeps its most likely operation.

Cost relative to first-order DARTS
    All K operations run, so memory is that of DARTS. `snas` has one forward and one backward pass a step where DARTS
    has two, about half of its time; `snas-bilevel` costs what DARTS costs.

Paper and code
    Xie, Zheng, Liu and Lin, "SNAS: Stochastic Neural Architecture Search", ICLR 2019; repository
    SNAS-Series/SNAS-Series.
    `snas-bilevel` is the variant that Chen et al. (DrNAS, 2021) ran for their table of NAS-Bench-201, which the lecture
    shows; repository xiangning-chen/DrNAS.

Details
    1. Noise is minus the logarithm of an exponential number, which is never infinite
       (nasbook/relaxation/base.py: gumbel).
    2. Alpha itself plays log p, as in the released code: a constant added to a row changes nothing
       (nasbook/relaxation/gumbel.py: GumbelSoftmax).
    3. The temperature falls on a straight line whose ends are the first and the last epoch
       (nasbook/relaxation/temperature.py: Temperature).
    4. One backward pass serves both optimisers; alpha's gradient is clipped by its own norm
       (nasbook/search/loop.py: Search.step).
    5. `snas` keeps every edge of a cell, and `none` may be chosen (nasbook/selection/magnitude.py: every_edge);
       `snas-bilevel` selects as DARTS does.
    6. A resource term is the option `--cost-weight` (nasbook/search/penalty.py: Penalty).

Deviations from paper and released code
    - Both steps read the half on which the other methods train their weights; the other half stays for validation.
    - Alpha moves by Adam, as in the released multi-GPU path; the single-GPU path takes plain SGD.
    - Drop path rises linearly from zero, as in every search here; in the released code its probability is constant.
    - The resource term is linear in the expected cost; the released one is its logarithm.
    - The last temperature is reached whatever the number of epochs; the released schedule counts on its own.

Logged quantities
    `weights` are the probabilities of the operations, without noise. `valid_accuracy` is that of one draw at the
    temperature of the epoch, with the same noise each time: late in the search nearly that of one random architecture.

Command
    nasbook search --method snas --space nas-bench-201
    nasbook search --method snas-bilevel --space nas-bench-201

Known failures
    - At low temperatures the gradient is nearly always tiny and sometimes huge: chapter 10.
    - Too fast an annealing freezes an early preference; too slow a one ends at a mixture.
    - Single-level, alpha follows the training loss, and with few images it over-fits like a weight.
"""

RECIPES = ("snas", "snas-bilevel")
