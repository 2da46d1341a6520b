"""Cases of a template: parameters in, resolved blueprint and resources out. No network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from mlops_iac.api.compile.captures import SharedCaptures
from mlops_iac.api.compile.checks import refused
from mlops_iac.api.core import guard_rails
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.stacks.initial_overlay import complete
from mlops_iac.api.templates import expectations
from mlops_iac.api.templates.linting import platforms_of
from mlops_iac.blueprint import combine
from mlops_iac.blueprint.editing import Editor
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.graph.canonical import canonical
from mlops_iac.graph.lock import LOCK_SUFFIX, lock_bytes
from mlops_iac.templates.authoring import finder_of, pin, read_template
from mlops_iac.templates.cases import RESOLVED, case_names, read_case, resolved_text
from mlops_iac.templates.linting import team
from mlops_iac.templates.linting.resolving import read_case_over, read_over

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.content import TemplateContent, TemplateFinder
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.templates.cases import Case


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case. `failures` are texts of one or more lines; empty: it passed.

    `golden` are the files that the result would be kept in, by name below `tests/`, and `changed`
    the names of those that differ, are missing, or are there for nothing.
    """

    name: str
    failures: Sequence[str]
    golden: Mapping[str, bytes]
    changed: Sequence[str]
    environments: Sequence[str]
    seconds: float


def test_folder(
    folder: str | Path, *, only: Sequence[str] = (), fetch: bool = False
) -> Iterator[CaseResult]:
    """Run the cases of the template in `folder`, those named or all.

    `fetch` asks repositories for templates below, and pins them in its `blueprint.lock`.

    Raises UsageError where there is no template, no case, or none of a name; BlueprintInvalid for
    a case that cannot be read.
    """
    path = Path(folder)
    content = read_template(path)
    names = case_names(content)
    if not names:
        raise UsageError(
            f"{path} has no tests, and what is not tested does not work",
            hint="write tests/default.yaml with `expect: {resolved: {}}`",
        )
    for name in only:
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean '{near}'?" if near else f"there is: {listed(names)}"
            raise UsageError(f"there is no case '{name}'", hint=hint)
    try:
        cases = [read_case(content, name) for name in names if not only or name in only]
    except BlueprintInvalid as error:
        raise BlueprintInvalid([shown(item) for item in error.diagnostics]) from None
    finder = finder_of(path, offline=not fetch)
    for case in cases:
        yield run_case(content, case, finder)
    if fetch and not only:
        pin(path, finder)


test_folder.__test__ = False  # type: ignore[attr-defined]  # no test of ours, whatever its name


def shown(item: Diagnostic) -> Diagnostic:
    """A diagnostic with its file as people write it."""
    hint = item.hint
    if item.code == "template-offline":
        hint = "`template test --update` fetches it, and pins it in blueprint.lock"
    return replace(item, file=item.file.removeprefix("./"), hint=hint)


def update(folder: str | Path, result: CaseResult) -> list[Path]:
    """Write the golden files of a case; return those that changed. Raises UsageError."""
    tests = Path(folder) / "tests"
    done = []
    try:
        for name in result.changed:
            path = tests / name
            if name in result.golden:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(result.golden[name])
            else:
                path.unlink(missing_ok=True)
            done.append(path)
    except OSError as error:
        raise UsageError(f"{tests} cannot be written: {error.strerror}") from None
    return done


def run_case(content: TemplateContent, case: Case, finder: TemplateFinder) -> CaseResult:
    """Run one case; what stands in its golden files is compared, never trusted."""
    started = perf_counter()
    with tempfile.TemporaryDirectory() as made:
        root = Path(made).resolve()
        where = platforms_of(parse(content).manifest)[0]
        loaded, found = read_case_over(content, case, finder, root, where)
        problems = [shown(item) for item in found]
        project = BaseProject(loaded) if loaded is not None else None
        captures = SharedCaptures()
        if project is not None:
            project = _begun(project, case, content, finder, root, captures)
        if project is not None:
            problems = [*problems, *_refused(project)]
        if problems or project is None or case.section.expect.errors:
            failures = list(expectations.errors(case, problems))
            stray = [f"{case.name}/{name}" for name in case.golden]
            if stray and case.section.expect.errors:
                failures.append(f"it is refused, and there is {listed(stray)}")
            changed = stray if case.section.expect.errors and not problems else []
            return _result(case, failures, {}, changed, (), started)
        names = [name for name in project.environments if name != LOCAL] or [LOCAL]
        captured = {name: captures.graph(project, name) for name in names}
        golden = _golden(project, captured, case.section.golden)
        graphs = {name: canonical(graph) for name, graph in captured.items()}
        failures = [
            f"golden: there is no environment '{name}'"
            for name in case.section.golden
            if name not in names
        ]
        failures += [*expectations.values(case, project, names), *expectations.counts(case, graphs)]
        failures += expectations.findings(case, project, captured)
        compared = dict(expectations.compared(case, golden))
        failures += list(compared.values())
        keep = {f"{case.name}/{name}": data for name, data in golden.items()}
        changed = [f"{case.name}/{name}" for name in compared]
        return _result(case, failures, keep, changed, names, started)


def _result(
    case: Case,
    failures: Sequence[str],
    golden: Mapping[str, bytes],
    changed: Sequence[str],
    environments: Sequence[str],
    started: float,
) -> CaseResult:
    seconds = perf_counter() - started
    return CaseResult(case.name, failures, golden, changed, environments, seconds)


def _begun(
    project: BaseProject,
    case: Case,
    content: TemplateContent,
    finder: TemplateFinder,
    root: Path,
    captures: SharedCaptures,
) -> BaseProject:
    """The same with an owner, and with what environments begin with that the case does not say."""
    if _refused(project) or case.section.expect.errors:
        return project
    editor = Editor((root / "blueprint.yaml").read_text(encoding="utf-8"))

    def read() -> BaseProject:
        loaded, found = read_over(content, finder, root, editor.text)
        again = BaseProject(loaded) if loaded is not None else None
        wrong = _refused(again) if again is not None else found
        if wrong or again is None:
            raise BlueprintInvalid([item for item in wrong if item.severity == "error"])
        return again

    if not project.resolve(LOCAL).blueprint.owner and not editor.has("owner"):
        editor.set("owner", team.OWNER)
    for name in project.environments:
        if name != LOCAL and "environments" not in case.own:
            complete(editor, name, read, captures)
    return read()


def _refused(project: BaseProject) -> list[Diagnostic]:
    """What the platform refuses in any environment, and the settings of guard rails."""
    found = combine({name: refused(project, name) for name in project.environments})
    found = [*found, *guard_rails.problems(project)]
    return [item for item in found if item.severity == "error"]


def _golden(
    project: BaseProject, graphs: Mapping[str, ResourceGraph], kept: Sequence[str]
) -> dict[str, bytes]:
    """The golden files of the environments in `kept`."""
    golden: dict[str, bytes] = {}
    for name in kept:
        if name in graphs:
            golden[f"{name}{RESOLVED}"] = resolved_text(project.resolve(name).leaves()).encode()
            golden[f"{name}{LOCK_SUFFIX}"] = lock_bytes(graphs[name], {})
    return golden
