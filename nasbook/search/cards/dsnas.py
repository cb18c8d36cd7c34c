"""DSNAS: one path is drawn and run, and each edge is credited by the gradient of its own gate.

Problem it fixes
    SNAS and DARTS run all operations, and both train a supernet whose weights the final network cannot use.

Idea in one sentence
    Draw discrete architectures only, and replace the loss of a policy gradient by a first-order estimate for each edge,
    which one backward pass gives for all edges at once.

Step of the weights
    With k_e drawn from softmax(alpha_e) on each edge and its gate at one,

        w <- w - lr * grad_w L_train(w, onehot(k))

Step of alpha
    Of the same backward pass (single-level): with `R_e = <dL/dy_e, o_k(x)>`, the gradient of the gate,

        alpha_e <- Adam(alpha_e, R_e * grad log softmax(alpha_e)[k_e])

What is sampled
    One operation for each row and step, shared by all cells of a kind.

What is differentiated
    The training loss in the gates, and the log-probability of the draw in alpha; never the draw itself.

What is discarded
    The outputs of all operations that were not drawn, and the part of the loss beyond first order in each gate.

Cost relative to first-order DARTS
    One forward and one backward pass of one path a step: about 1 / (2 K) of the operations' time and 1 / K of their
    memory. As with all single paths it needs more epochs.

Paper and code
    Hu et al., "DSNAS: Direct Neural Architecture Search without Parameter Retraining", CVPR 2020; repository
    SNAS-Series/SNAS-Series. The lecture's row of NAS-Bench-201 is a run by Chen et al. (DrNAS, 2021).

Details
    1. The weight of what was drawn is 1 + log p - constant(log p): one forwards, so that back-propagation multiplies
       the gate's gradient by that of log p (nasbook/relaxation/score_function.py: ScoreFunction).
    2. The draw adds Gumbel noise and takes the largest (nasbook/relaxation/drawing.py: draw).
    3. Weights and alpha move by one backward pass of one batch (nasbook/search/loop.py: Search.step).
    4. In the DARTS family every edge is kept, as in SNAS (nasbook/selection/magnitude.py: every_edge).

Deviations from paper and released code
    - The weights train as in DARTS: the ImageNet settings (batch 1024, learning rate 0.5, 5 epochs of warm-up) belong
      to another network and are not taken over. Alpha's settings are, at paper size.
    - Edges are never fixed early; the released code can fix one whose first probability leads by 0.3.
    - The derived architecture is trained from scratch like every other here. The paper goes on with the weights of the
      search.
    - Only the weights' half of the images is read; the other half stays for validation.

Logged quantities
    `weights` are the probabilities. `train_accuracy` and `valid_accuracy` are of drawn architectures; when the
    probabilities are sure, nearly of the one that `genotype` names.

Command
    nasbook search --method dsnas --space nas-bench-201

Known failures
    - A high variance: alpha learns of one draw a step, and R_e has no baseline.
    - R_e judges an edge by shrinking its output a little, not by what another operation would do.
    - In the lecture's table of NAS-Bench-201 it spreads widely over seeds on CIFAR-100, far behind random search.
"""

RECIPES = ("dsnas",)
