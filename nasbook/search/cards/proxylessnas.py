"""ProxylessNAS: paths are switched by binary gates, so that a search may run on the target task itself.

Problem it fixes
    A mixture of all operations does not fit in memory at full size, so architectures are searched on a smaller proxy
    task; and cost on the device that runs the result plays no part.

Idea in one sentence
    Train the weights of one drawn path a step, and now and then move alpha by the gradient of the gates, of all paths,
    of two, or by a policy gradient, with the expected cost added to the loss.

Step of the weights
    With gates g one-hot, drawn from p = softmax(alpha),

        w <- w - lr * grad_w L_train(w, g)

Step of alpha
    Every so many steps, `proxylessnas`, with `dL/dg_j = <dL/dy, o_j(x)>`:

        dL/dalpha_i = sum_j dL/dg_j * p_j * (delta_ij - p_i)

    `proxylessnas-two-paths`: the same within a drawn pair, p renormalised over the two; then both logits are shifted by
    one number so that the pair keeps its share. `proxylessnas-r`, with the accuracy R of a drawn path and a baseline b:

        grad = - mean over draws of (R - b) * grad_alpha log p(draw)

What is sampled
    One path for each step of the weights; for a step of alpha one path, two paths an edge, or several whole paths.

What is differentiated
    The validation loss in the gates, whose gradient stands for that of the probabilities. With `proxylessnas-r` the
    log-probability only.

What is discarded
    The difference between a gate and its probability. With two paths everything that the other operations would say.

Cost relative to first-order DARTS
    A step of the weights runs one path, about 1 / K. A step of alpha runs all K operations (`proxylessnas`, with the
    memory of DARTS), two of them, or forward passes of single paths without any backward pass; at paper size there are
    fewer such steps.

Paper and code
    Cai, Zhu and Han, "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware", ICLR 2019;
    repository mit-han-lab/proxylessnas.

Details
    1. Gates are one-hot forwards and hand their gradient to p; where no gradient is wanted one path runs
       (nasbook/relaxation/binary_gates.py: BinaryGates).
    2. A pair is drawn without replacement; the shift keeps the log-sum-exp of what moved
       (nasbook/relaxation/binary_gates.py: TwoPaths.project).
    3. Operations that do not run have no gradient, so neither decay nor momentum moves them
       (nasbook/search/loop.py: Search.step).
    4. Adam without a mean of gradients and without decay leaves alone what was not drawn
       (nasbook/search/building.py: alpha_optimizer).
    5. The baseline moves nearly all the way to the mean reward of a step before it is subtracted
       (nasbook/search/policy_gradient.py: next_baseline).
    6. `--cost-weight` adds the expected multiply-adds, or with `--cost latency` the milliseconds of this machine
       (nasbook/supernet/operation_costs.py: operation_costs).

Deviations from paper and released code
    - Warm-up is the frozen epochs: paths are drawn by an alpha that has not moved, which is nearly uniform. In
      the released code the warm-up has its own learning rate schedule, a cosine from 0.05 to 0. Here one cosine spans
      all epochs.
    - The released code takes no step of alpha on an edge whose open gate is `none`. Here such an edge takes part.
    - The released code updates alpha 300 times per epoch in the REINFORCE variant. Here it is updated once
      per `--alpha-every` steps, as in the other variants.
    - The outputs of all gated paths are held; the released default computes those of closed gates again to save memory.
    - The weights train as in DARTS, on cells; the published networks, label smoothing and decay belong to ImageNet.
    - Cost is added in proportion to that of equal weights; the power of a logarithm is not taken over.
    - Where an architecture holds several columns of a row, as many gates open.

Logged quantities
    `weights` are the probabilities, nearly equal until the frozen epochs end. `train_accuracy` and `valid_accuracy` are
    of drawn paths.

Command
    nasbook search --method proxylessnas --space s3
    nasbook search --method proxylessnas-two-paths --space s3
    nasbook search --method proxylessnas-r --space s3

Known failures
    - Two paths at a time compare an operation seldom: short searches end near the start.
    - The policy gradient has few rewards that differ little; without many draws it is noise.
    - With a price on operations, `none` is the cheapest: a space that has it loses edges to it.
    - The published error is of another network (a tree of pyramids) and not comparable with cells.
"""

RECIPES = ("proxylessnas", "proxylessnas-two-paths", "proxylessnas-r")
