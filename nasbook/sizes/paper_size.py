"""Paper size: every number as published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nasbook.sizes.class_size import CLASS
from nasbook.sizes.size import Size

# As published: Liu et al. 2019 (DARTS), section 3 and appendix A, and the authors' released code.
PAPER = Size(
    name="paper",
    data="cifar10",
    space="darts",
    search=replace(
        CLASS.search,
        epochs=50,
        images=None,
        channels=16,
        layers=8,
        nodes=4,
        reduction="searched",
        stem_stride=1,
        w_lr=0.025,
        alpha_lr=3e-4,
        radius_end=0.3,
        attack_steps=7,
        tuning_lr=0.0025,
        tuning_steps=5 * 390,  # 5 epochs of CIFAR-10's half, here and where batches are larger
        augment=True,
        running=True,
    ),
    train=replace(
        CLASS.train,
        epochs=600,
        batch=96,
        images=None,
        channels=36,
        layers=20,
        stem_stride=1,
        lr=0.025,
        nesterov=False,
        drop_path=0.2,
        auxiliary=0.4,
        cutout=16,
        augment=True,
    ),
    families={
        # Dong & Yang 2020: 3 stages of 5 cells and 2 residual blocks; the training recipe of the benchmark, which clips
        # no gradient.
        "nas-bench-201": (
            {"layers": 17, "nodes": None, "reduction": "fixed", "running": False},
            {
                "epochs": 200,
                "batch": 256,
                "channels": 16,
                "layers": 17,
                "lr": 0.1,
                "nesterov": True,
                "decay": 5e-4,
                "clip": 0.0,
                "drop_path": 0.0,
                "auxiliary": 0.0,
                "cutout": 0,
            },
        ),
        # Zela et al. 2020 (search); Ying et al. 2019 (training). NAS-Bench-101 was trained by RMSProp (momentum 0.9,
        # epsilon 1.0). This is not taken over: trainings here use SGD.
        "nas-bench-1shot1": (
            {"batch": 96, "layers": 9, "nodes": None, "reduction": "fixed", "tuning_steps": 5 * 260},
            {
                "epochs": 108,
                "batch": 256,
                "channels": 128,
                "layers": 9,
                "lr": 0.1,
                "decay": 1e-4,
                "clip": 0.0,
                "drop_path": 0.0,
                "auxiliary": 0.0,
                "cutout": 0,
            },
        ),
    },
)

_PROXYLESS = {
    **{"alpha_lr": 1e-3, "alpha_beta1": 0.0, "alpha_decay": 0.0, "alpha_every": 5},
    **{"epochs": 160, "frozen_epochs": 40, "w_nesterov": True},
}
_DRNAS = {"w_lr": 0.1, "w_lr_end": 0.0, "alpha_lr": 6e-4}
# The released codes of DrNAS, SDARTS and PT keep running statistics in the supernet of NAS-Bench-201.
_RUNNING = {"epochs": 100, "running": True}
_LONGER = {"nas-bench-201": _RUNNING, "nas-bench-1shot1": {"epochs": 100}}
# The methods' own numbers as published; what is left out is as for DARTS. ImageNet's batches are not taken over.
PAPER_METHODS: dict[str, dict[str, dict[str, Any]]] = {
    # Li & Talwalkar 2020 on NAS-Bench-201 (Dong & Yang 2020).
    "rsps": {"nas-bench-201": {"epochs": 250, "w_decay": 5e-4, "w_nesterov": True}},
    # Xie et al. 2019 and the authors' released code.
    "snas": {
        "": {
            "epochs": 150,
            "alpha_start": 1.0,
            "alpha_scale": 0.01,
            "alpha_clip": 10.0,
            "temperature_end": 0.03,
            "drop_path": 0.3,
        }
    },
    # Chen et al. 2021, table 4: their own run of SNAS on NAS-Bench-201.
    "snas-bilevel": {"": {"epochs": 100, "temperature": 10.0}},
    # Dong & Yang 2019 and the authors' released code.
    "gdas": {
        "": {
            "epochs": 250,
            "w_decay": 5e-4,
            "w_nesterov": True,
            "temperature": 10.0,
            "temperature_end": 0.1,
            "order": "weights-first",
        },
        "darts": {"batch": 256, "layers": 6, "tuning_steps": 5 * 97},
        "nas-bench-201": {"unsampled": "ones"},
    },
    # Hu et al. 2020; epochs as in the run of Chen et al. 2021 on NAS-Bench-201.
    "dsnas": {"": {"epochs": 100, "alpha_lr": 1e-3, "alpha_decay": 0.0, "alpha_start": 1.0, "alpha_scale": 0.01}},
    # Chen et al. 2021 and the authors' released code.
    "drnas": {"darts": _DRNAS, "nas-bench-201": _RUNNING},
    "drnas-progressive": {
        "": {"frozen_epochs": 10},
        "darts": {**_DRNAS, "channels": 36, "layers": 20, "partial": 6, "partial_end": 4, "operations_end": 4},
        "nas-bench-201": {**_RUNNING, "partial": 4, "partial_end": 2, "operations_end": 3},
        "nas-bench-1shot1": {"partial": 4, "partial_end": 2, "operations_end": 2},
    },
    # Xu et al. 2020 and the authors' released code.
    "pc-darts": {
        "": {
            "batch": 256,
            "w_lr": 0.1,
            "w_lr_end": 0.0,
            "alpha_lr": 6e-4,
            "partial": 4,
            "frozen_epochs": 15,
            "tuning_steps": 5 * 97,
        }
    },
    # Cai et al. 2019 and the authors' released code; its settings of the weights are for ImageNet.
    "proxylessnas": {"": _PROXYLESS},
    "proxylessnas-two-paths": {"": _PROXYLESS},
    "proxylessnas-r": {"": _PROXYLESS},
    # Yao et al. 2020 and the authors' released code.
    "nasp": {"": {"alpha_start": 0.5}},
    # Chen & Hsieh 2020 and the authors' released code; a selection by perturbation behind them changes nothing.
    "sdarts-rs": _LONGER,
    "sdarts-adv": _LONGER,
    # Wang et al. 2021 and the authors' released code.
    "darts+pt": {"nas-bench-201": _RUNNING},
    "darts+pt-fixed-alpha": {"nas-bench-201": _RUNNING},
}
# Trainings of the cells that a method found, as in its released code.
PAPER_TRAININGS: dict[str, dict[str, dict[str, Any]]] = {
    "pc-darts": {"darts": {"drop_path": 0.3}},
    "drnas": {"darts": {"drop_path": 0.3, "batch": 64}},
    "drnas-progressive": {"darts": {"drop_path": 0.3, "batch": 64}},
}
# Zela et al. 2020, Chen & Hsieh 2020 and Wang et al. 2021 train the cells of S1 to S4 narrower on these data sets.
PAPER_CELLS: dict[tuple[str, str], dict[str, Any]] = {
    (space, data): {"channels": 16} for space in ("s1", "s2", "s3", "s4") for data in ("cifar100", "svhn")
}
