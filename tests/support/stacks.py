"""Shipped stacks resolved once, whichever test asks: reading a profile takes longer than judging it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.layer import Layer
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.profile_yaml import load_layer
from dronekit_cfg.model import Resolved

__all__ = ["library", "resolved_with"]


@cache
def _loaded(path: Path) -> Layer:
    return load_layer(path)


@cache
def library() -> Library:
    """Give the shipped profiles."""
    return Library()


@cache
def _resolved(family: str, stack: str, inputs: tuple[tuple[str, str], ...]) -> Resolved:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dronekit_cfg.formats.stack.load_layer", _loaded)
        return resolve(stack, library(), family=family, inputs=dict(inputs))


def resolved_with(family: str, stack: str, inputs: Mapping[str, str]) -> Resolved:
    """Give a stack of shipped profiles with what a technician would type."""
    return _resolved(family, stack, tuple(inputs.items()))
