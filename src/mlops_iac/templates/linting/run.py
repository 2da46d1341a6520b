"""All rules over one template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import MANIFEST, TemplateContent, TemplateFinder
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.records import Record
from mlops_iac.templates.linting.alternatives import check_alternatives
from mlops_iac.templates.linting.choosing import check_choosing
from mlops_iac.templates.linting.conflicts import check_conflicts
from mlops_iac.templates.linting.files import (
    check_cases,
    check_files,
    check_literals,
    check_secrets,
)
from mlops_iac.templates.linting.history import check_history
from mlops_iac.templates.linting.limits import check_limits
from mlops_iac.templates.linting.parameters import check_parameters
from mlops_iac.templates.linting.resolving import SHOWN, Judge, Trial, check_resolved
from mlops_iac.templates.linting.samples import Samples, samples, tested
from mlops_iac.templates.linting.subject import Subject

Extra = Callable[[Subject, Samples], Iterable[Diagnostic]]
"""Rules that need more than a template: its policies, its scaffold."""
# What filling in says of one combination, and the rules of all.
_TOLD = ("no-case", "unknown-parameter")


class Asked(Record):
    """Who answers what a template alone does not say.

    `platforms` are those that can be planned here; `judge` says what one refuses.
    """

    finder: Callable[[], TemplateFinder]
    platforms: Sequence[str] = ()
    judge: Judge | None = None
    extra: Sequence[Extra] = ()


def lint(content: TemplateContent, asked: Asked) -> list[Diagnostic]:
    """Every problem of a template, each once, by file and line; warnings among them."""
    folder = content.shown or content.source
    found = [*check_files(content, folder), *check_secrets(content, folder)]
    found += check_cases(content)
    try:
        parsed = parse(content)
    except BlueprintInvalid as error:
        return _ordered([*found, *error.diagnostics])
    subject = Subject(content=content, parsed=parsed, finder=asked.finder)
    found += _alone(subject)
    tries = samples(subject.manifest, tested(content))
    if tries.lacking:
        found += _lacking(subject, tries)
    found += _tried(subject, tries, asked)
    sound = not any(item.severity == "error" for item in found)
    for rule in asked.extra:
        # What is wrong with the template is wrong with every project that starts from it.
        found += (item for item in rule(subject, tries) if sound or not _of_a_project(item))
    return _ordered(found)


def _of_a_project(item: Diagnostic) -> bool:
    """Whether a finding is about what a scaffold makes, and not about one of its files."""
    return item.code == "bad-scaffold" and not item.line and item.file.endswith(".jinja")


def _alone(subject: Subject) -> Iterator[Diagnostic]:
    """What the files say without any parameter."""
    if not subject.manifest.description.strip():
        message = "the template has no description"
        hint = "one sentence: what it gives a team"
        yield problem(subject.key("name"), "no-description", message, hint=hint, severity="warning")
    yield from check_parameters(subject)
    yield from check_choosing(subject)
    yield from check_history(subject)
    yield from check_literals(subject)


def _tried(subject: Subject, tries: Samples, asked: Asked) -> Iterator[Diagnostic]:
    """What shows when parameters are filled in: limits, and what stands on what."""
    wanted: Sequence[str] = subject.manifest.platforms or asked.platforms
    for platform in subject.manifest.platforms:
        if asked.platforms and platform not in asked.platforms:
            message = f"{platform} cannot be checked by this version of mlops-iac"
            place = subject.key("platforms")
            yield problem(place, "not-checked", message, path="platforms", severity="note")
    platforms = [name for name in wanted if not asked.platforms or name in asked.platforms]
    tree = subject.node("limits")
    for parameters in tries.combinations:
        trial = Trial(subject, parameters, (*platforms, *wanted, registry.DEFAULT)[0])
        for item in trial.problems:
            # What is wrong with a sample is its case's business; the rest is told already.
            if item.file != SHOWN and item.code not in _TOLD:
                yield item
        yield from check_limits(trial.limits, tree)
        yield from check_alternatives(trial.limits)
        yield from check_conflicts(
            trial.limits, [limit for each in trial.below for limit in each.limits]
        )
    yield from check_resolved(subject, tries, platforms, asked.judge)


def _lacking(subject: Subject, tries: Samples) -> Iterator[Diagnostic]:
    for name in tries.lacking:
        yield problem(
            subject.key("parameters", name),
            "no-sample",
            f"no value of '{name}' is known to try the template with",
            path=f"parameters.{name}",
            hint="give one in a case: tests/default.yaml, `parameters:`",
            severity="warning",
        )


def _ordered(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Without repetitions, by place, with file names as people write them."""
    named = (replace(item, file=item.file.removeprefix("./")) for item in found)
    return in_order(_once(named))


def _once(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each finding once, whatever the number of combinations that have it."""
    seen: dict[tuple[str, str, int, int, str], Diagnostic] = {}
    for item in found:
        file = item.file or MANIFEST
        seen.setdefault((item.code, file, item.line, item.column, item.message), item)
    return list(seen.values())
