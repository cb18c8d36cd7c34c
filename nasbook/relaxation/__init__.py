"""Relaxations: how architecture parameters become operation weights."""

from nasbook.relaxation.base import Alpha, Categorical, Derive, Factory, Relaxation
from nasbook.relaxation.binary_gates import BinaryGates, TwoPaths
from nasbook.relaxation.decided import Decided, Decisions
from nasbook.relaxation.dirichlet import DirichletSample, concentration
from nasbook.relaxation.gumbel import GumbelSoftmax, HardGumbel
from nasbook.relaxation.masked import Masked
from nasbook.relaxation.proximal import Proximal
from nasbook.relaxation.score_function import ScoreFunction
from nasbook.relaxation.single_path import SinglePath
from nasbook.relaxation.softmax import EdgeSoftmax, Softmax
from nasbook.relaxation.temperature import Temperature

# By the word that a recipe has for it: made of the space, the search's numbers and its selection rule.
RELAXATIONS: dict[str, Factory] = {
    "softmax": lambda space, numbers, derive: Softmax(space),
    "edge-softmax": lambda space, numbers, derive: EdgeSoftmax(space),
    "single-path": lambda space, numbers, derive: SinglePath(space),
    "gumbel-softmax": lambda space, numbers, derive: GumbelSoftmax(space, Temperature.of(numbers)),
    "hard-gumbel": lambda space, numbers, derive: HardGumbel(space, Temperature.of(numbers)),
    "score-function": lambda space, numbers, derive: ScoreFunction(space),
    "binary-gates": lambda space, numbers, derive: BinaryGates(space),
    "two-paths": lambda space, numbers, derive: TwoPaths(space),
    "dirichlet": lambda space, numbers, derive: DirichletSample(space),
    "proximal": lambda space, numbers, derive: Proximal(space, derive),
}

__all__ = [
    "RELAXATIONS",
    "Alpha",
    "BinaryGates",
    "Categorical",
    "Decided",
    "Decisions",
    "Derive",
    "DirichletSample",
    "EdgeSoftmax",
    "Factory",
    "GumbelSoftmax",
    "HardGumbel",
    "Masked",
    "Proximal",
    "Relaxation",
    "ScoreFunction",
    "SinglePath",
    "Softmax",
    "Temperature",
    "TwoPaths",
    "concentration",
]
