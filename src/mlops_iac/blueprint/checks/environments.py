"""Environments stay apart: none writes where another one does.

Each says whose bucket it works in, and with what it is told apart. `local` is stood in for, so it
shares nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.serving import Batch, Streaming
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic

# What an environment writes to: path → place.
Places = Callable[[ResolvedBlueprint], Iterator[tuple[str, str]]]


def check_apart(checks: Sequence[Check]) -> list[Diagnostic]:
    """What two environments would both write to. Each place is told once, with every line."""
    real = [check for check in checks if check.resolved.environment != LOCAL]
    found = []
    for places, what in ((_storage, "the storage"), (_outputs, "the output")):
        owners: dict[tuple[str, str], list[ResolvedBlueprint]] = {}
        for check in real:
            for path, place in places(check.resolved):
                if not check.is_broken(path):
                    owners.setdefault((path, place), []).append(check.resolved)
        for (path, place), sharing in owners.items():
            if len(sharing) > 1:
                found.append(_shared(path, f"{what} '{place}'", sharing))
    return found


def _storage(resolved: ResolvedBlueprint) -> Iterator[tuple[str, str]]:
    storage = resolved.blueprint.existing.storage
    if storage is not None:
        yield "existing.storage", storage


def _outputs(resolved: ResolvedBlueprint) -> Iterator[tuple[str, str]]:
    """Datasets with a place of their own that a serving entry writes to."""
    blueprint = resolved.blueprint
    for entry in blueprint.serving.values():
        if not isinstance(entry, Batch | Streaming) or entry.output is None:
            continue
        dataset = blueprint.datasets.get(entry.output)
        if dataset is not None and dataset.source is not None:
            yield f"datasets.{entry.output}.source", dataset.source


def _shared(path: str, what: str, sharing: Sequence[ResolvedBlueprint]) -> Diagnostic:
    last = sharing[-1]
    names = listed([each.environment for each in sharing])
    lines = dict.fromkeys(place(each, path) for each in sharing)
    return last.diagnostic(
        path,
        "not-apart",
        f"{path}: {names} would share {what} ({listed(lines)})",
        "tell it apart with ${environment}, or give each environment its own",
    )


def place(resolved: ResolvedBlueprint, path: str) -> str:
    """The line that says what an environment has at `path`: `blueprint.yaml:12`."""
    origin = resolved.origin(path)
    return f"{origin.file}:{origin.line}" if origin.line else origin.layer
