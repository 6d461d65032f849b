"""Fitted arms in a folder, one by one, for ``benchmarks/arms.py``."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from apps.algorithms.base import Recommender
from apps.algorithms.registry import load_arms, with_needs
from apps.training.artifacts import open_artifact, save_artifact


def keep_arm(folder: Path, arm: Recommender) -> None:
    save_artifact(folder / arm.name, {arm.name: arm.arrays()}, {"parameters": dict(arm.parameters)})


def map_arms(folder: Path, names: Iterable[str]) -> Mapping[str, Recommender]:
    """These arms and those that they are made of, over the mapped files, as a site has them."""
    artifacts = {name: open_artifact(folder / name) for name in with_needs(names)}
    return load_arms(
        {
            name: (artifact.about["parameters"], artifact.groups.get(name, {}))
            for name, artifact in artifacts.items()
        }
    )
