"""Everything wrong with a template, and what its next version changes for those who stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.captures import SharedCaptures
from mlops_iac.api.stacks.initial_overlay import findings, is_startable
from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import MANIFEST
from mlops_iac.blueprint.templates.limits import plain
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid, Diagnostic, Severity, UsageError
from mlops_iac.records import Record
from mlops_iac.templates.authoring import finder_of, read_template
from mlops_iac.templates.cases import samples
from mlops_iac.templates.linting.files import check_files, check_secrets
from mlops_iac.templates.linting.history import check_history
from mlops_iac.templates.linting.parameters import check_parameters
from mlops_iac.templates.linting.resolving import check_variants
from mlops_iac.templates.releases import compare, diagnostics, place_of, version_before

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.templates.content import TemplateContent, TemplateFinder
    from mlops_iac.blueprint.templates.manifest import Manifest, Reading
    from mlops_iac.policy.model import Finding


class Release(Record):
    """A version of a template that is to be published. `before` is empty for the first one.

    `found` is what it changes since then, and what is wrong with its number; `changelog` its own
    lines.
    """

    version: str
    tag: str
    before: str
    found: Sequence[Diagnostic]
    changelog: Sequence[str]


def lint_folder(folder: str | Path, *, offline: bool = True) -> list[Diagnostic]:
    """Every problem of the template in `folder`; its code is not run.

    Raises UsageError where there is none.
    """
    path = Path(folder)
    return lint_content(read_template(path), finder_of(path, offline=offline))


def lint_content(content: TemplateContent, finder: TemplateFinder) -> list[Diagnostic]:
    """Every problem of a template, each once; `finder` finds what it stands on."""
    folder = content.shown or content.source
    found = [*check_files(content, folder), *check_secrets(content, folder)]
    try:
        reading = parse(content)
    except BlueprintInvalid as error:
        return ordered([*found, *error.diagnostics])
    platforms = platforms_of(reading.manifest)
    if not reading.manifest.description.strip():
        message = "the template has no description"
        hint = "one sentence: what it gives a team"
        at = reading.key("name")
        found.append(problem(at, "no-description", message, hint=hint, severity="warning"))
    found += check_parameters(reading)
    found += check_history(reading)
    found += check_variants(reading, finder, platforms, _judge)
    # What is wrong with the template is wrong with every project that starts from it.
    if not any(item.severity == "error" for item in found):
        found += _scaffold(reading)
    return ordered(found)


def ordered(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each once, by place, with file names as people write them."""
    seen: dict[tuple[str, str, int, int, str], Diagnostic] = {}
    for item in found:
        file = item.file.removeprefix("./")
        key = (item.code, file or MANIFEST, item.line, item.column, item.message)
        seen.setdefault(key, replace(item, file=file))
    return in_order(list(seen.values()))


def platforms_of(manifest: Manifest) -> list[str]:
    """The platforms of a template that can be planned here. Raises UsageError where none can."""
    known = registry.names()
    found = [name for name in manifest.platforms or known if name in known]
    if not found:
        raise UsageError(
            f"none of its platforms can be tested yet: {listed(manifest.platforms)}",
            hint=f"supported today: {listed(known)}",
        )
    return found


def release_of(folder: str | Path) -> Release:
    """What the template in `folder` is as a version, held against the one before.

    Raises UsageError where that is not known, BlueprintInvalid where one of them cannot be read.
    """
    path = Path(folder)
    place, content, finder = place_of(path), read_template(path), finder_of(path)
    new = parse(content)
    version = new.manifest.version
    found: list[Diagnostic] = []
    before = ""
    former = version_before(place, content, finder)
    if former is not None:
        old = parse(former)
        compared = compare(old, new, finder, platforms_of(new.manifest)[0])
        found, before = ordered(diagnostics(old, new, compared)), old.label
    told = new.manifest.changelog.get(version, ())
    return Release(version, place.tag(version), before, found, told)


def _judge(loaded: LoadedBlueprint) -> Sequence[Diagnostic]:
    """What the platform of a blueprint refuses, and what its templates say of guard rails."""
    from mlops_iac.api.core.guard_rails import problems
    from mlops_iac.api.core.project import BaseProject

    project = BaseProject(loaded)
    refused = [item for name in project.environments for item in project.platform_problems(name)]
    return [*refused, *problems(project)]


def _scaffold(reading: Reading) -> Iterator[Diagnostic]:
    """What `init` would say of the template's scaffold, with and without delivery."""
    if not any(name.startswith("scaffold/") for name in reading.content.files):
        return
    given = samples(reading.content)[0].parameters
    entries = given.entries if given is not None else {}
    parameters = {key: plain(entry.value) for key, entry in entries.items()}
    texts = [data for name, data in reading.content.files.items() if name.startswith("scaffold/")]
    told = any(b"delivered" in data for data in texts)  # else it makes the same, and no `prod`
    captures = SharedCaptures()
    for delivered in (False, True) if told else (True,):
        yield from _started(reading, parameters, captures, delivered=delivered)


def _started(
    reading: Reading, parameters: Mapping[str, Any], captures: SharedCaptures, *, delivered: bool
) -> Iterator[Diagnostic]:
    """Start a project in a folder of its own; what cannot be started, and what it lacks."""
    import tempfile

    from mlops_iac.api.templates.starting import Start, started
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.scaffold.render import default_answers
    from mlops_iac.templates.linting.team import OWNER

    start = Start(reading.content.source, reading)
    answers = default_answers("sample", platforms_of(reading.manifest)[0]) | {"owner": OWNER}
    answers |= {key: str(value) for key, value in parameters.items() if key in answers}
    given = {key: _answer(value) for key, value in parameters.items() if value is not None}
    with tempfile.TemporaryDirectory() as made:
        target = Path(made).resolve() / "sample"
        reach = Reach((target, *Reach.around(Path(start.source)).roots))
        try:
            with started(
                start, target, answers, given, delivered=delivered, reach=reach, captures=captures
            ) as project:
                lacking = [item for item in project.problems if item.severity == "error"]
                broken = _broken(project.project, captures) if project.project is not None else {}
        except BlueprintInvalid as error:
            for item in error.diagnostics:
                where = f" (line {item.line} of what is rendered)" if item.line else ""
                yield _in_scaffold(reading, f"{item.message}{where}", item.hint, "error")
            return
        except UsageError as error:
            yield _in_scaffold(reading, error.message, error.hint, "error")
            return
    for name, finding in broken.items():
        message = f"`up -s {name}` of a new project is refused: {finding.rule}: {finding.message}"
        # What only a team can say, it has still to say in every project.
        severity: Severity = "error" if is_startable(finding.path) else "warning"
        yield _in_scaffold(reading, message, finding.remediation, severity)
    if lacking:
        message = f"a new project is not valid as it is: {lacking[0].message}"
        yield _in_scaffold(reading, message, lacking[0].hint, "warning")


def _broken(project: BaseProject, captures: SharedCaptures) -> dict[str, Finding]:
    """The first mandatory guard rail that each environment breaks."""
    found = {
        name: [each for each in findings(project, name, captures) if each.counts]
        for name in project.environments
        if name != LOCAL
    }
    return {name: broken[0] for name, broken in found.items() if broken}


def _in_scaffold(reading: Reading, message: str, hint: str, severity: Severity) -> Diagnostic:
    """A finding at the file and line of the scaffold that its message names, if it names one."""
    known = sorted(reading.content.files, key=len, reverse=True)  # names may have blanks in them
    named = "|".join(re.escape(name) for name in known if name.startswith("scaffold/"))
    match = re.search(rf"({named}|scaffold/[^:'\s]+)(?::(\d+))?", message)
    name, line = (match[1], int(match[2] or 0)) if match else ("scaffold/blueprint.yaml.jinja", 0)
    if name not in reading.content.files and f"{name}.jinja" in reading.content.files:
        name = f"{name}.jinja"
    text = message.replace("; nothing was written", "")
    if hint.startswith("tell whoever publishes it"):
        hint = ""
    return Diagnostic("bad-scaffold", text, reading.file(name), line, hint=hint, severity=severity)


def _answer(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
