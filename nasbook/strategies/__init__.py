"""Black-box strategies: generators of architectures that see nothing but a score, and what can give such a score.

Names load when first used, so that the table of published systems can be read without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbook.strategies.aging import evolution, mutate
    from nasbook.strategies.base import Evaluation, Evaluator, History, Strategy, run
    from nasbook.strategies.enumeration import architectures
    from nasbook.strategies.evaluators import Row, Table, from_scratch, read_table, tabulated
    from nasbook.strategies.methods import Method, all_methods
    from nasbook.strategies.policy import Policy
    from nasbook.strategies.policy_gradient import reinforce
    from nasbook.strategies.published import FAMILIES, NamedMethod, PublishedMethod, named_methods, published_methods
    from nasbook.strategies.uniform import random_search

_HOMES = {
    "FAMILIES": "published",
    "Evaluation": "base",
    "Evaluator": "base",
    "History": "base",
    "Method": "methods",
    "NamedMethod": "published",
    "Policy": "policy",
    "PublishedMethod": "published",
    "Row": "evaluators",
    "Strategy": "base",
    "Table": "evaluators",
    "all_methods": "methods",
    "architectures": "enumeration",
    "evolution": "aging",
    "from_scratch": "evaluators",
    "mutate": "aging",
    "named_methods": "published",
    "published_methods": "published",
    "random_search": "uniform",
    "read_table": "evaluators",
    "reinforce": "policy_gradient",
    "run": "base",
    "tabulated": "evaluators",
}

__all__ = [
    "FAMILIES",
    "Evaluation",
    "Evaluator",
    "History",
    "Method",
    "NamedMethod",
    "Policy",
    "PublishedMethod",
    "Row",
    "Strategy",
    "Table",
    "all_methods",
    "architectures",
    "evolution",
    "from_scratch",
    "mutate",
    "named_methods",
    "published_methods",
    "random_search",
    "read_table",
    "reinforce",
    "run",
    "tabulated",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"nasbook.strategies.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'nasbook.strategies' has no attribute {name!r}")
