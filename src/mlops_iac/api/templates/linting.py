"""Everything wrong with a template: the language's view, the platforms', and that of policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid, Diagnostic, Severity, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.templates.content import TemplateContent
    from mlops_iac.policy.model import Finding
    from mlops_iac.templates.linting.samples import Samples
    from mlops_iac.templates.linting.subject import Subject


def lint_folder(folder: str | Path) -> list[Diagnostic]:
    """Every problem of the template in `folder`; its code is not run.

    Raises UsageError where there is none.
    """
    from mlops_iac.templates.authoring import finder_of, read_template

    path = Path(folder)
    return lint_content(read_template(path), finder_of(path))


def lint_content(content: TemplateContent, finder: object) -> list[Diagnostic]:
    """Every problem of a template; `finder` finds what it stands on."""
    from mlops_iac.templates.linting.run import Asked, lint

    found = cast("Any", finder)
    asked = Asked(
        finder=lambda: found,
        platforms=registry.names(),
        judge=_judge,
        extra=(_policies, _scaffold, _deployable),
    )
    return lint(content, asked)


def compare_folder(folder: str | Path, against: str) -> tuple[list[Diagnostic], str]:
    """What the template in `folder` changes since `against`, and the version that this is.

    `against` is `previous`, a version, a folder, or SOURCE[@VERSION]; see `templates.authoring`.
    Raises UsageError where there is no such version, BlueprintInvalid where one cannot be read.
    """
    from mlops_iac.templates.authoring import finder_of, former, read_template
    from mlops_iac.templates.compatibility.run import compare, diagnostics
    from mlops_iac.templates.found import identity

    path = Path(folder)
    new = read_template(path)
    old = former(path, new, against)
    finder = finder_of(path)
    changes = compare(old, new, lambda: finder)
    return diagnostics(old, new, changes), str(identity(old))


def _judge(loaded: LoadedBlueprint, environment: str) -> Sequence[Diagnostic]:
    """What the platform of a blueprint refuses of one environment."""
    resolved = loaded.resolve(environment)
    return registry.platform(str(resolved.blueprint.platform)).check(resolved)


def _policies(subject: Subject, tries: Samples) -> Iterator[Diagnostic]:
    """What is wrong with a template's guard rails; none of their code is run."""
    from mlops_iac.policy.rules import ids, rules
    from mlops_iac.policy.templates import Guards, standing
    from mlops_iac.templates.linting.resolving import Trial

    content = subject.content
    own = Guards(subject.label, subject.file("x").rpartition("/")[0], content.files)
    if not own.written:
        return
    below: list[Guards] = []
    if tries.combinations:
        trial = Trial(subject, tries.combinations[0], registry.DEFAULT)
        below = [Guards(e.label, e.content.shown or e.label, e.content.files) for e in trial.below]
    unread = [file.id for each in (*below, own) for file in each.rules]
    _, found = standing([each for each in (*below, own) if each.written], rules(), unread)
    yield from (item for item in found if item.file == subject.file("policies.yaml"))
    taken = {**dict.fromkeys(ids(), "ours")}
    for each in below:
        taken |= {file.id: each.label for file in each.rules}
    for file in own.rules:
        place = subject.file(f"policies/{file.name}")
        if file.id in taken:
            message = f"there is a rule {file.id} of {taken[file.id]}"
            yield Diagnostic("duplicate-rule", message, place, hint="call it otherwise")
        yield from _rule(file.code, file.id, place)


def _rule(code: bytes, wanted: str, shown: str) -> Iterator[Diagnostic]:
    """What a file of a rule lacks, as far as it can be read without running it."""
    import ast

    try:
        tree = ast.parse(code, shown)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        message = f"this is no Python: {getattr(error, 'msg', error)}"
        yield Diagnostic("bad-rule", message, shown, line)
        return
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(each, ast.Name) and each.id == "RULE" for each in targets):
            value = getattr(node, "value", None)
            for keyword in value.keywords if isinstance(value, ast.Call) else ():
                named = keyword.value
                if keyword.arg != "id" or not isinstance(named, ast.Constant):
                    continue
                if named.value != wanted:
                    message = f"it holds the rule {named.value!r}; its name says {wanted!r}"
                    yield Diagnostic("bad-rule", message, shown, named.lineno)
            return
    hint = "RULE = Rule(id=…, title=…, …), as docs/policies.md shows"
    yield Diagnostic("bad-rule", "it has no RULE", shown, hint=hint)


def _scaffold(subject: Subject, tries: Samples) -> Iterator[Diagnostic]:
    """What `init` would say of the template's scaffold, with and without delivery."""
    if not any(name.startswith("scaffold/") for name in subject.content.files):
        return
    for parameters in tries.combinations[:1]:
        for delivered in (False, True):
            yield from _started(subject, parameters, delivered=delivered)


def _started(
    subject: Subject, parameters: Mapping[str, Any], *, delivered: bool
) -> Iterator[Diagnostic]:
    """Start a project in a folder of its own; what cannot be started, and what it lacks."""
    import tempfile

    from mlops_iac.api.stacks.initial_overlay import is_startable
    from mlops_iac.api.templates.starting import Start, started
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.scaffold import default_answers
    from mlops_iac.templates.linting.team import OWNER

    start = Start(subject.content.source, subject.content, subject.parsed)
    planned = (each for each in start.platforms if each in registry.names())
    answers = default_answers("sample", next(planned, registry.DEFAULT)) | {"owner": OWNER}
    answers |= {key: str(value) for key, value in parameters.items() if key in answers}
    given = {key: _answer(value) for key, value in parameters.items() if value is not None}
    with tempfile.TemporaryDirectory() as made:
        target = Path(made).resolve() / "sample"
        reach = Reach((target, *Reach.around(Path(start.source)).roots))
        try:
            with started(
                start, target, answers, given, delivered=delivered, reach=reach
            ) as project:
                lacking = [item for item in project.problems if item.severity == "error"]
                broken = _broken(project.project) if project.project is not None else {}
        except BlueprintInvalid as error:
            for item in error.diagnostics:
                where = f" (line {item.line} of what is rendered)" if item.line else ""
                yield _in_scaffold(subject, f"{item.message}{where}", item.hint, "error")
            return
        except UsageError as error:
            yield _in_scaffold(subject, error.message, error.hint, "error")
            return
    for name, finding in broken.items():
        message = f"`up -s {name}` of a new project is refused: {finding.rule}: {finding.message}"
        # What only a team can say, it has still to say in every project.
        severity: Severity = "error" if is_startable(finding.path) else "warning"
        yield _in_scaffold(subject, message, finding.remediation, severity)
    if lacking:
        message = f"a new project is not valid as it is: {lacking[0].message}"
        yield _in_scaffold(subject, message, lacking[0].hint, "warning")


def _broken(project: BaseProject) -> dict[str, Finding]:
    """The first mandatory guard rail that each environment breaks."""
    found = {
        name: [each for each in policies(project, name, own=False) if each.counts]
        for name in project.environments
        if name != LOCAL
    }
    return {name: broken[0] for name, broken in found.items() if broken}


def _deployable(subject: Subject, tries: Samples) -> Iterator[Diagnostic]:
    """Guard rails that no team can keep over it: it breaks them itself, or refuses what keeps them."""
    import tempfile

    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.stacks.initial_overlay import complete, is_startable
    from mlops_iac.blueprint.editing import Editor
    from mlops_iac.blueprint.source import problem
    from mlops_iac.templates.linting import team
    from mlops_iac.templates.linting.resolving import SHOWN, Trial, read_over

    if not tries.combinations or find_spec("pulumi") is None:
        return
    platform = next(
        (p for p in subject.manifest.platforms if p in registry.names()), registry.DEFAULT
    )
    trial = Trial(subject, tries.combinations[0], platform)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        team.write_files(folder)
        if trial.problems or trial.resolve(folder)[0] is None:
            return  # told where it is resolved
        editor = Editor(trial.text, file=SHOWN)
        if not editor.has("owner"):
            editor.set("owner", team.OWNER)

        def read() -> BaseProject:
            loaded, found = read_over(subject.content, trial.finder, folder, editor.text)
            if loaded is None:
                raise BlueprintInvalid([item for item in found if item.severity == "error"])
            return BaseProject(loaded)

        try:
            found = [
                (name, item)
                for name in read().environments
                if name != LOCAL
                for item in complete(editor, name, read).findings
                if item.counts
            ]
        except BlueprintInvalid:
            return  # what is wrong with the template, its guard rails included, is told
        seen: set[str] = set()
        for name, item in found:
            # A map of its own, such as tags, a team can add to.
            own = subject.is_own(item.file) and item.path in read().resolve(name).leaves()
            if item.rule in seen or not (own or is_startable(item.path)):
                continue
            seen.add(item.rule)
            message = f"`up -s {name}` would refuse it: {item.rule}: {item.message}"
            if own:
                place = (item.file, item.line, item.column, item.length)
                yield Diagnostic("guard-rail", message, *place, hint=item.remediation)
            else:
                whole = subject.key("limits")
                yield problem(whole, "guard-rail", message, hint=item.remediation)


def _in_scaffold(subject: Subject, message: str, hint: str, severity: Severity) -> Diagnostic:
    """A finding at the file and line of the scaffold that its message names, if it names one."""
    known = sorted(subject.content.files, key=len, reverse=True)  # names may have blanks in them
    named = "|".join(re.escape(name) for name in known if name.startswith("scaffold/"))
    match = re.search(rf"({named}|scaffold/[^:'\s]+)(?::(\d+))?", message)
    name, line = (match[1], int(match[2] or 0)) if match else ("scaffold/blueprint.yaml.jinja", 0)
    if name not in subject.content.files and f"{name}.jinja" in subject.content.files:
        name = f"{name}.jinja"
    text = message.replace("; nothing was written", "")
    if hint.startswith("tell whoever publishes it"):
        hint = ""
    return Diagnostic("bad-scaffold", text, subject.file(name), line, hint=hint, severity=severity)


def _answer(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
