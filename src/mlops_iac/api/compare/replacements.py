"""Whether a change replaces a resource, as a fact of its provider."""

from __future__ import annotations


def replacement_fact(type_: str, path: str) -> tuple[bool | None, str]:
    """Say whether a change at a property path replaces the resource, and who says so."""
    from mlops_iac.emulators.aws.facts import replaces

    return replaces(type_, path)
