"""All rules over one template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.content import MANIFEST
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.history import check_history
from mlops_iac.templates.linting.parameters import check_parameters
from mlops_iac.templates.linting.resolving import Judge, check_variants
from mlops_iac.templates.linting.subject import Subject


def lint(subject: Subject, platforms: Sequence[str], judge: Judge) -> Iterator[Diagnostic]:
    """Every problem of a template whose manifest is sound; a combination's again and again.

    `platforms` are those that can be planned here; `judge` says what one refuses.
    """
    if not subject.manifest.description.strip():
        message = "the template has no description"
        hint = "one sentence: what it gives a team"
        yield problem(subject.key("name"), "no-description", message, hint=hint, severity="warning")
    yield from check_parameters(subject)
    yield from check_history(subject)
    yield from check_variants(subject, platforms, judge)


def ordered(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each once, by place, with file names as people write them."""
    seen: dict[tuple[str, str, int, int, str], Diagnostic] = {}
    for item in found:
        file = item.file.removeprefix("./")
        key = (item.code, file or MANIFEST, item.line, item.column, item.message)
        seen.setdefault(key, replace(item, file=file))
    return in_order(list(seen.values()))
