"""NASP: alpha is continuous, but the supernet always runs the discrete architecture nearest to it.

Problem it fixes
    DARTS evaluates mixtures, which are slow to train and are not what is kept at the end.

Idea in one sentence
    Project alpha on the set of architectures before each step, take the gradient there, and apply it to the continuous
    alpha, as in a proximal iteration with a discrete constraint.

Step of the weights
    With a = the architecture that alpha points at,

        w <- w - lr * grad_w L_train(w, onehot(a))

Step of alpha
    The gradient is taken at the projected point, for all entries, and moves the continuous alpha:

        alpha <- clip(Adam(alpha, grad_a L_val(w, a) at a = onehot), 0, 1)

What is sampled
    Nothing but the batches.

What is differentiated
    The validation loss in the operation weights at the one-hot point; the projection counts as the identity.

What is discarded
    In the step of the weights every operation that was not chosen. The effect of alpha's size: only its order is read.

Cost relative to first-order DARTS
    The step of alpha runs all K operations, since each entry wants a gradient: as DARTS, in time and memory. The step
    of the weights runs one architecture: so a step takes little more than half of the time.

Paper and code
    Yao, Xu, Tu and Zhu, "Efficient Neural Architecture Search via Proximal Iterations", AAAI 2020; repository
    xujinfan/NASP-codes.

Details
    1. The projection is the selection rule itself: in the DARTS family one operation an edge and two edges a node
       (nasbook/relaxation/proximal.py: Proximal).
    2. There is no softmax; alpha is clipped to [0, 1] after each step
       (nasbook/relaxation/proximal.py: Proximal.project).
    3. For the weights, operations of weight zero do not run (nasbook/supernet/mixing.py: Mixing.without_zeros).
    4. For alpha, an operation of weight zero runs all the same (nasbook/search/hypergradient.py: first_order).

Deviations from paper and released code
    - Alpha starts with small noise around the released start, which is one number for all: with equal entries the first
      operation of every list would be chosen.
    - The operations are those of the space; the released code searches other convolutions in the normal cell and
      operations without parameters in the reduction cell.
    - At the end each node keeps the two edges with the largest alpha, by the same projection as in the search. The
      released code ranks the edges by softmax(alpha), unlike its own projection.
    - The cost of parameters is the general option `--cost-weight`; the released projection that is random now and then
      is not taken over.

Logged quantities
    `weights` are alpha itself, in [0, 1]; rows do not sum to one. `valid_accuracy` is that of the architecture which
    `genotype` names, with the shared weights: there is no gap of discretisation.

Command
    nasbook search --method nasp --space s3

Known failures
    - What is chosen is trained, what is trained is chosen: an early choice is hard to leave.
    - The gradient at the projected point speaks of a little more of an operation, not of a switch to it.
    - Published cost and error belong to other operations than those of DARTS.
"""

RECIPES = ("nasp",)
