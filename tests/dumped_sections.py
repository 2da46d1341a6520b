"""Sections as pydantic dumps the models of them."""

from __future__ import annotations

from typing import Any

from mlops_iac.blueprint.sections.base import Section


def dumped(made: Any) -> Any:
    """A section with all its fields as plain data: what `model_dump` gives of its model."""
    match made:
        case Section():
            return {name: dumped(item) for name, item in vars(made).items()}
        case dict():
            return {name: dumped(item) for name, item in made.items()}
        case tuple():
            return tuple(dumped(item) for item in made)
        case _:
            return made
