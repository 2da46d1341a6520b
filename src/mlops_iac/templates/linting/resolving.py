"""The template under a small team's blueprint: what the language and the platform refuse of it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_iac.blueprint import LoadedBlueprint, inspect
from mlops_iac.blueprint.compose import compose, compose_value
from mlops_iac.blueprint.sections.platform import TemplateUse
from mlops_iac.blueprint.source import Source, problem
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import Applier, layer
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateFinder
from mlops_iac.blueprint.templates.limits import Limit
from mlops_iac.blueprint.templates.parameters import fill_in
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.cases import Case
from mlops_iac.templates.files import wrong_name
from mlops_iac.templates.linting import team
from mlops_iac.templates.linting.samples import Samples
from mlops_iac.templates.linting.subject import Including, Subject

Judge = Callable[[LoadedBlueprint, str], Sequence[Diagnostic]]
"""What a platform says of one environment of a blueprint."""
SHOWN = "a team's blueprint"
_MISSING = re.compile(r"there is no (.+?) '([^']+)'")
# What a template may leave to the team: to complete an entry, to name what it has not.
THE_TEAMS = frozenset(
    {
        "missing", "missing-file", "missing-parameter", "unknown-reference", "unknown-entry",
        "unknown-metric", "needs-field", "nothing-to-remove", "promotion-gap", "not-made",
        "not-trained", "environment-variable", "null",
    }
)  # fmt: skip


class Trial:
    """The template with one combination of parameters, laid under a team's blueprint."""

    def __init__(self, subject: Subject, parameters: Mapping[str, Any], platform: str) -> None:
        self._subject = subject
        self._platform = platform
        self.parameters = parameters
        self.text = ""  # of the team's blueprint, once it is resolved
        self.finder = Including(subject.content, team.SOURCE, subject.finder)
        applier = Applier(lambda: self.finder)
        applier.walk(compose(Source(SHOWN, team.text_of(team.bare(platform, parameters))))[0])
        self.problems = applier.problems
        self.applied: Sequence[AppliedTemplate] = applier.applied

    @property
    def own(self) -> AppliedTemplate | None:
        """The template itself, as a layer; None where that failed."""
        name = self._subject.manifest.name
        return next((each for each in self.applied if each.manifest.name == name), None)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The template's own limits, those that can be read where others cannot."""
        if (own := self.own) is not None:
            return own.limits
        parsed = self._subject.parsed
        given = compose_value(Source(SHOWN, team.text_of(self.parameters)))
        declared = self._subject.node("parameters")
        values, _ = fill_in(parsed.reading.manifest, declared, given.entries, given, "")
        use = TemplateUse(template=team.SOURCE)
        return layer(use, self._subject.content, parsed, values)[0].limits

    @property
    def below(self) -> list[AppliedTemplate]:
        """What it stands on."""
        return [each for each in self.applied if each is not self.own]

    def resolve(
        self, folder: Path, *, idle: bool = False
    ) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
        """It under the barest blueprint, or else under one with a model and a service.

        The blueprint writes what limits ask for, so that it is judged too; an `idle` one writes
        only what it must, so that all else is the template's.
        """
        limits = [limit for each in self.applied for limit in each.limits]
        named = [
            limit.environment for limit in limits if limit.environment not in ("", "*", "local")
        ]
        blueprint = team.bare(self._platform, self.parameters, named)
        # What is required, the template may say itself; a team says it only where it has to.
        optional = [limit for limit in limits if not limit.spec.required]
        ladder = [optional, limits]
        if idle:
            ladder = [[], [limit for limit in limits if limit.spec.required], *ladder]
        found: list[Diagnostic] = []
        empty: LoadedBlueprint | None = None
        for candidate in (blueprint, team.small(blueprint)):
            for asked in ladder:
                text = team.text_of(team.comply(candidate, asked))
                loaded, found = self._inspected(folder, text)
                if loaded is not None and makes_something(loaded):
                    self.text = text
                    return loaded, found
                if empty is None and loaded is not None:
                    empty, self.text = loaded, text
                if all(item.code != "locked" for item in found):
                    break
        return empty, ([] if empty is not None else found)

    def _inspected(
        self, folder: Path, text: str
    ) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
        """A team's blueprint and its errors, once the files that it names are made."""
        for _ in range(3):  # a script stands in a folder, which has to be there first
            loaded, said = inspect(
                folder / "blueprint.yaml",
                templates=lambda: self.finder,
                text=text,
                shown=SHOWN,
                data=False,
            )
            found = [item for item in said if item.severity == "error"]
            if loaded is not None or not make_missing(folder, found):
                break
        return loaded, found


def read_over(
    content: TemplateContent, below: TemplateFinder, folder: Path, text: str
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """A team's blueprint in `folder` that extends the template under `team.SOURCE`; it is written."""
    finder = Including(content, team.SOURCE, lambda: below)
    path = folder / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return inspect(path, templates=lambda: finder, text=text, shown=SHOWN, data=False)


def read_case_over(
    content: TemplateContent, case: Case, below: TemplateFinder, folder: Path, platform: str
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The team's blueprint of a test case over a template, in a folder with the case's files.

    What neither the case nor the template makes is that of a small service. With errors, if there
    are any, and no warnings.
    """
    head = team.head(platform, case.extends(team.SOURCE))
    candidates = [case.text(head)]
    small = {key: text for key, text in team.what().items() if key not in case.own}
    own = len(small) < len(team.what())
    if small:  # what makes nothing of its own is shown under a small service
        candidates.append(case.text({**head, **small}))
    found: list[Diagnostic] = []
    empty: LoadedBlueprint | None = None
    for text in candidates:
        for _ in range(3):
            loaded, said = read_over(content, below, folder, text)
            found = [item for item in said if item.severity == "error"]
            if loaded is not None or not make_missing(folder, found):
                break
        if loaded is not None and (own or makes_something(loaded)):
            return loaded, []
        empty = empty or loaded
    return empty, ([] if empty is not None else found)


def makes_something(loaded: LoadedBlueprint) -> bool:
    """Whether there is a model or a service, for limits and platforms to say something of."""
    blueprint = loaded.resolve().blueprint
    return bool(blueprint.models or blueprint.serving)


def make_missing(folder: Path, found: Sequence[Diagnostic]) -> bool:
    """Make the files that the template names and a team brings; whether there were any."""
    made = False
    for item in found:
        match = _MISSING.match(item.message) if item.code == "missing-file" else None
        if match is None or wrong_name(match[2].rstrip("/")):
            continue
        path = folder / match[2]
        if not path.exists():
            made = True
            if "folder" in match[1] and "file" not in match[1]:
                path.mkdir(parents=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")
    return made


def check_resolved(
    subject: Subject, tries: Samples, platforms: Sequence[str], judge: Judge | None
) -> Iterator[Diagnostic]:
    """What is refused, with any of the combinations, on any platform that the template names."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        team.write_files(folder)
        for platform in platforms:
            unresolved: Diagnostic | None = None
            seen = False
            for parameters in tries.combinations:
                trial = Trial(subject, parameters, platform)
                if trial.problems:
                    continue  # told where the parameters are filled in
                loaded, said = trial.resolve(folder)
                yield from _blamed(subject, said)
                if loaded is None:
                    unresolved = unresolved or (said[0] if said else None)
                    continue
                seen = True
                if judge is not None:
                    yield from _judged(subject, loaded, judge, platform)
            if unresolved is not None and not seen:
                yield _not_seen(subject, platform, unresolved)


def _blamed(subject: Subject, said: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    for item in said:
        if item.code in THE_TEAMS:
            continue
        if subject.is_own(item.file):
            yield item
        elif item.file and item.file != SHOWN:
            message = f"what this stands on is wrong, {item.file}:{item.line}: {item.message}"
            yield problem(
                subject.key("extends"), item.code, message, path="extends", hint=item.hint
            )


def _judged(
    subject: Subject, loaded: LoadedBlueprint, judge: Judge, platform: str
) -> Iterator[Diagnostic]:
    for environment in loaded.environments:
        for item in judge(loaded, environment):
            if item.severity != "error":
                continue
            if subject.is_own(item.file):
                yield item
            elif item.file != SHOWN and item.file:
                message = f"on {platform}, what this stands on is refused: {item.message}"
                place = subject.key("extends")
                yield problem(place, item.code, message, path="extends", hint=item.hint)


def _not_seen(subject: Subject, platform: str, first: Diagnostic) -> Diagnostic:
    place = subject.key("platforms")
    message = f"{platform} could not be asked: under a small blueprint, {first.message}"
    found = problem(place, "not-resolved", message, path="platforms", severity="warning")
    return replace(found, hint="a case in tests/ with a blueprint of its own shows that it works")
