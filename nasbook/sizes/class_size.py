"""Class size: numbers that run on two cores with the embedded images."""

from __future__ import annotations

from typing import Any

from nasbook.sizes.numbers import SearchNumbers, TrainNumbers
from nasbook.sizes.size import Size

# Class size: measured on two cores with the embedded images; see the README for the seconds.
CLASS = Size(
    name="class",
    data="street_numbers",
    space="s3",
    search=SearchNumbers(
        epochs=20,
        batch=64,
        images=4000,
        channels=8,
        layers=5,
        nodes=2,
        reduction="fixed",
        stem_stride=2,
        w_lr=0.05,
        w_lr_end=0.001,
        w_momentum=0.9,
        w_nesterov=False,
        w_decay=3e-4,
        clip=5.0,
        alpha_lr=0.02,
        alpha_beta1=0.5,
        alpha_beta2=0.999,
        alpha_decay=1e-3,
        alpha_start=0.0,
        alpha_scale=1e-3,
        alpha_clip=0.0,
        alpha_every=1,
        frozen_epochs=0,
        temperature=1.0,
        temperature_end=1.0,
        unsampled="nothing",
        radius=0.03,
        radius_end=1.0,
        attack_steps=3,
        plays=10,
        partial=1,
        partial_end=1,
        operations_end=None,
        anchor_kl=0.0,
        cost_weight=0.0,
        cost="multiply-adds",
        selection_order="random",
        selection_criterion="accuracy",
        selection_scoring="one-by-one",
        tuning_lr=0.005,
        tuning_steps=25,
        order="alpha-first",
        augment=False,
        drop_path=0.0,
        early_stop=0.0,
        running=False,
        precision="float32",
    ),
    train=TrainNumbers(
        epochs=8,
        batch=64,
        images=4000,
        channels=8,
        layers=5,
        stem_stride=2,
        lr=0.1,
        momentum=0.9,
        nesterov=True,
        decay=3e-4,
        clip=5.0,
        drop_path=0.0,
        auxiliary=0.0,
        cutout=0,
        augment=False,
        precision="float32",
    ),
    families={
        # The smallest stack of either benchmark: one cell a stage.
        "nas-bench-201": (
            {"epochs": 12, "layers": 5, "nodes": None, "stem_stride": 1},
            {"epochs": 4, "layers": 5, "stem_stride": 1, "decay": 5e-4},
        ),
        # A cell divides its channels among the nodes that it puts out: fewer leave each node too few to learn.
        "nas-bench-1shot1": ({"layers": 3, "nodes": None}, {"layers": 3, "channels": 32}),
    },
)

# What differs for a method, at class size. The sampled methods run a fraction of the supernet a step and learn from
# fewer gradients, so they get more epochs; chosen on validation data, on seeds that no claim reports.
_SAMPLED: dict[str, Any] = {"epochs": 40, "alpha_lr": 0.005}
_GATES: dict[str, Any] = {"alpha_beta1": 0.0, "alpha_decay": 0.0}
CLASS_METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "rsps": {"nas-bench-201": {"epochs": 24}},
    "snas": {"": {"alpha_clip": 10.0, "temperature_end": 0.03}},
    "snas-bilevel": {"": {"temperature": 10.0}},
    "gdas": {
        "": {**_SAMPLED, "temperature": 10.0, "temperature_end": 0.1},
        "nas-bench-201": {"epochs": 24, "unsampled": "ones"},
    },
    "dsnas": {"": {**_SAMPLED, "alpha_decay": 0.0}, "nas-bench-201": {"epochs": 24}},
    "drnas-progressive": {
        "": {"partial": 4, "partial_end": 2, "operations_end": 3, "frozen_epochs": 2},
        "nas-bench-1shot1": {"operations_end": 2},
    },
    "pc-darts": {"": {"partial": 4, "frozen_epochs": 6}, "nas-bench-201": {"frozen_epochs": 4}},
    "proxylessnas": {"": {**_GATES, "frozen_epochs": 4}},
    "proxylessnas-two-paths": {
        "": {**_SAMPLED, **_GATES, "frozen_epochs": 8},
        "nas-bench-201": {"epochs": 24, "frozen_epochs": 5},
    },
    "proxylessnas-r": {
        "": {**_SAMPLED, **_GATES, "frozen_epochs": 8, "plays": 4},
        "nas-bench-201": {"epochs": 24, "frozen_epochs": 5},
    },
    "nasp": {"": {"alpha_start": 0.5}},
    # The published radius: with the larger one an adversary leaves the supernets of these spaces far behind.
    "sdarts-adv": {"nas-bench-1shot1": {"radius_end": 0.3}, "nas-bench-201": {"radius_end": 0.3}},
}
