"""GDAS: one operation of each edge is drawn and run, with the gradient of its relaxed copy.

Problem it fixes
    Running all operations at once takes K times the time and memory of one architecture.

Idea in one sentence
    Draw one operation an edge with Gumbel noise, run it alone, and let the backward pass pretend that the draw had been
    a softmax (straight-through).

Step of the weights
    With p = softmax((log_softmax(alpha) + G) / T) and k the place of its largest entry,

        h = onehot(k) + p - constant(p)
        w <- w - lr * grad_w L_train(w, h)

    where an edge puts out h_k * o_k(x) and no other operation runs.

Step of alpha
    With a draw and a batch of its own,

        alpha <- Adam(alpha, grad_alpha L_val(w, h))

What is sampled
    One operation for each row and step, shared by all cells of a kind.

What is differentiated
    The validation loss in h_k of what was drawn, and from there the relaxed p in all of alpha.

What is discarded
    The outputs of the operations that were not drawn. Their entries of h get no gradient of their own. In NAS-Bench-201
    they get the gradient of outputs that are all ones.

Cost relative to first-order DARTS
    One operation of K runs in both steps: about 1 / K of the operations' time and memory. It needs more epochs, since
    each operation is trained only when it is drawn.

Paper and code
    Dong and Yang, "Searching for A Robust Neural Architecture in Four GPU Hours", CVPR 2019; repositories D-X-Y/GDAS
    and D-X-Y/AutoDL-Projects.

Details
    1. The draw is exactly one-hot forwards (nasbook/relaxation/drawing.py: Drawn.straight_through).
    2. Which operations run is known on the host; no step waits for a device (nasbook/supernet/mixing.py: Mixing).
    3. The temperature falls on a straight line, and the last epoch has the last value exactly
       (nasbook/relaxation/temperature.py: Temperature).
    4. In NAS-Bench-201 the released code adds the weight of each operation that was not drawn to the edge's output.
       The weight is zero, so the forward pass does not change. In the backward pass it gets the gradient that an
       output of all ones would give it. In the DARTS space the released code runs the drawn operation alone.
       `--unsampled` is `ones` or `nothing`, and each space has its released choice (nasbook/supernet/supernet.py:
       EdgeSettings).
    5. Both steps take hard draws (nasbook/relaxation/gumbel.py: HardGumbel).
    6. In the DARTS family each node keeps its two strongest pairs of an operation and an edge; both may be on one edge
       (nasbook/selection/magnitude.py: top_pairs).
    7. If every drawn operation is `none`, no gradient reaches alpha: it is zero (nasbook/search/hypergradient.py:
       gradients).

Deviations from paper and released code
    - Detail 4: the paper describes `nothing`. In NAS-Bench-201 the default is the released code's `ones`.
    - At class size alpha moves before the weights, as in DARTS. The released code moves the weights first, and so does
      the paper size.
    - Noise is finite by construction, so no draw is thrown away; the released code draws again after an infinite one.
    - Where an architecture holds several parents of a node (NAS-Bench-1Shot1) as many are drawn.
    - The paper's faster variant, with a reduction cell made by hand (FRC), is not taken over.

Logged quantities
    `weights` are the probabilities without noise. `valid_accuracy` and `train_accuracy` are of drawn architectures:
    they stay below a mixture's, and rise as the probabilities get sure.

Command
    nasbook search --method gdas --space nas-bench-201

Known failures
    - Too few epochs: the weights of an operation that is seldom drawn are poor, so it is drawn even less.
    - In the lecture's table of NAS-Bench-201 it is far behind random search on CIFAR-100.
    - The gradient is biased at every temperature: chapter 10.
"""

RECIPES = ("gdas",)
