"""A template under the small teams of its cases: what the language and the platform refuse of it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from mlops_iac.blueprint import LoadedBlueprint, inspect
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Source, problem
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import Applier
from mlops_iac.blueprint.templates.content import (
    BLUEPRINT,
    MANIFEST,
    POLICIES,
    TemplateContent,
    TemplateFinder,
    Wanted,
)
from mlops_iac.blueprint.templates.manifest import Reading
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.cases import Case, samples, variants
from mlops_iac.templates.files import wrong_name
from mlops_iac.templates.linting import team
from mlops_iac.templates.linting.limits import check_alternatives, check_limits

Judge = Callable[[LoadedBlueprint], Sequence[Diagnostic]]
"""What is refused of a blueprint that the language takes."""
MOST = 48
"""Variants that are tried."""
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


class _Including:
    """A finder that has the template that is looked at, and asks for the rest."""

    def __init__(self, content: TemplateContent, below: TemplateFinder) -> None:
        self._content = content
        self._below = below

    def find(self, wanted: Wanted) -> TemplateContent:
        """Find one. Raises TemplateUnavailable."""
        if wanted.parent is None and wanted.source == team.SOURCE:
            return self._content
        return self._below.find(wanted)


def read_over(
    content: TemplateContent, below: TemplateFinder, folder: Path, text: str
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """A team's blueprint in `folder` that extends the template under `team.SOURCE`; it is written."""
    finder = _Including(content, below)
    path = folder / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return inspect(path, templates=finder, text=text, shown=SHOWN, data=False)


def read_case_over(
    content: TemplateContent, case: Case, below: TemplateFinder, folder: Path, platform: str
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The team's blueprint of a test case over a template, in a `folder` that gets the case's files.

    `platform` is for a case that names none. What neither the case nor the template makes is that of a
    small service. With errors, if there are any, and no warnings.
    """
    try:
        team.write_files(folder, case.section.files)
    except OSError as error:
        file, message = f"{case.source.file}", f"its files cannot be laid out: {error.strerror}"
        hint = "data/ and workload/ are folders with files of a small project"
        return None, [Diagnostic("bad-path", message, file, hint=hint)]
    head = team.head(case.platform or platform, case.extends(team.SOURCE))
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


def applied(
    reading: Reading, case: Case, finder: TemplateFinder, platform: str
) -> list[AppliedTemplate]:
    """The template and those that it stands on, as layers below the team of a case."""
    applier = Applier(_Including(reading.content, finder))
    text = case.text(team.head(platform, case.extends(team.SOURCE)))
    applier.walk(compose(Source(SHOWN, text))[0])
    return applier.applied


def check_variants(
    reading: Reading, finder: TemplateFinder, platforms: Sequence[str], judge: Judge
) -> Iterator[Diagnostic]:
    """What is refused of the template with other choices than its cases make, or elsewhere.

    Of what a case itself makes, and of a team's own lines, whoever runs the case tells.
    """
    own = [reading.file(name) for name in (MANIFEST, BLUEPRINT, POLICIES)]
    for case in _tried(reading, platforms):
        for template in applied(reading, case, finder, platforms[0]):
            if template.content is reading.content:
                yield from check_limits(template.limits)
                yield from check_alternatives(template.limits)
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made).resolve()
            loaded, said = read_case_over(reading.content, case, finder, folder, platforms[0])
            if loaded is not None:
                said = list(judge(loaded))
        for item in said:
            if item.severity != "error" or item.code in THE_TEAMS:
                continue
            if item.file in own:
                yield item
            elif item.file not in ("", SHOWN, case.source.file):
                message = f"what this stands on is wrong, {item.file}:{item.line}: {item.message}"
                place = reading.key("extends")
                yield problem(place, item.code, message, path="extends", hint=item.hint)


def _tried(reading: Reading, platforms: Sequence[str]) -> Iterator[Case]:
    cases = samples(reading.content)
    more = (each for case in cases for each in variants(case, reading.manifest, platforms))
    yield from cases
    yield from islice(more, MOST)
