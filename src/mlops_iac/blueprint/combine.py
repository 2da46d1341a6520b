"""Diagnostics of several environments as one list: what all of them have is said once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic


def combine(by_environment: Mapping[str, Sequence[Diagnostic]]) -> list[Diagnostic]:
    """Each diagnostic once, in the order of the file.

    What only some of the environments have says so: "… (in prod)".
    """
    found: dict[tuple[object, ...], tuple[Diagnostic, dict[str, None]]] = {}
    for environment, items in by_environment.items():
        for item in items:
            key = (item.code, item.file, item.line, item.column, item.message)
            found.setdefault(key, (item, {}))[1][environment] = None
    return in_order(
        item
        if len(names) == len(by_environment) or _is_named(item, names)
        else replace(item, message=f"{item.message} (in {listed(names)})")
        for item, names in found.values()
    )


def _is_named(item: Diagnostic, names: Iterable[str]) -> bool:
    """Whether the message says the path in its environment."""
    return any(f"environments.{name}." in item.message for name in names)


def in_order(items: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Without repetitions, sorted by place."""
    return sorted(dict.fromkeys(items), key=lambda item: (item.file, item.line, item.column))
