"""Golden tests of a template: parameters in, resolved blueprint and resources out. No network."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlops_iac.api.project import LOCAL, Project
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.errors import Diagnostic, UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.templates.content import TemplateContent, TemplateFinder
    from mlops_iac.graph.canonical import CanonicalGraph
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


def test_folder(folder: str | Path, *, only: Sequence[str] = ()) -> Iterator[CaseResult]:
    """Run the cases of the template in `folder`, those named or all.

    Raises UsageError where there is no template, no case, or none of a name; BlueprintInvalid for
    a case that cannot be read.
    """
    from mlops_iac.templates.authoring import finder_of, read_template
    from mlops_iac.templates.cases import case_names, read_case

    path = Path(folder)
    content = read_template(path)
    names = case_names(content)
    if not names:
        raise UsageError(
            f"{path} has no tests, and what is not tested does not work",
            hint="write tests/default.yaml with `parameters: {}`, then `template test --update`",
        )
    for name in only:
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean '{near}'?" if near else f"there is: {listed(names)}"
            raise UsageError(f"there is no case '{name}'", hint=hint)
    cases = [read_case(content, name) for name in names if not only or name in only]
    finder = finder_of(path, offline=True)
    for case in cases:
        yield run_case(content, case, finder)


test_folder.__test__ = False  # type: ignore[attr-defined]  # no test of ours, whatever its name


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
        loaded, problems = _load(content, case, finder, root)
        project = Project(loaded) if loaded is not None else None
        if project is not None:
            problems = [*problems, *_refused(project)]
        if problems or project is None or case.section.expect.errors:
            failures = list(_errors(case, problems))
            stray = [f"{case.name}/{name}" for name in case.golden]
            if stray and case.section.expect.errors:
                failures.append(f"it is refused, and there is {listed(stray)}")
            changed = stray if case.section.expect.errors and not problems else []
            return _result(case, failures, {}, changed, (), started)
        names = [name for name in project.environments if name != LOCAL] or [LOCAL]
        golden, graphs = _results(project, names, root)
        failures = [*_values(case, project, names), *_counts(case, graphs)]
        compared = dict(_compared(case, golden))
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


def _load(
    content: TemplateContent, case: Case, finder: TemplateFinder, root: Path
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The team's blueprint of a case over the template, and its errors."""
    from mlops_iac.templates.linting import team
    from mlops_iac.templates.linting.resolving import make_missing, makes_something, read_over

    team.write_files(root, case.section.files)
    platform = case.section.platform or _platform(content)
    head = team.head(platform, case.extends(team.SOURCE))
    candidates = [case.text(head)]
    if case.blueprint is None:  # what makes nothing of its own is shown under a small service
        candidates.append(case.text({**head, **team.what()}))
    found: list[Diagnostic] = []
    empty: LoadedBlueprint | None = None
    for text in candidates:
        (root / "blueprint.yaml").write_text(text, encoding="utf-8")
        for _ in range(3):
            loaded, said = read_over(content, finder, root, text)
            found = [item for item in said if item.severity == "error"]
            if loaded is not None or not make_missing(root, found):
                break
        if loaded is not None and (case.blueprint is not None or makes_something(loaded)):
            return loaded, []
        empty = empty or loaded
    return empty, ([] if empty is not None else found)


def _platform(content: TemplateContent) -> str:
    """The first platform of a template that can be planned here."""
    from mlops_iac.blueprint.templates.applying import parse
    from mlops_iac.clouds.registry import names

    own = parse(content).reading.manifest.platforms
    if own and not set(own) & set(names()):
        raise UsageError(
            f"none of its platforms can be tested yet: {listed(own)}",
            hint=f"supported today: {listed(names())}",
        )
    return next((name for name in own if name in names()), names()[0])


def _refused(project: Project) -> list[Diagnostic]:
    """What the platform refuses, in any environment."""
    from mlops_iac.blueprint import combine

    found = combine({name: project.platform_problems(name) for name in project.environments})
    return [item for item in found if item.severity == "error"]


def _results(
    project: Project, names: Sequence[str], root: Path
) -> tuple[dict[str, bytes], dict[str, CanonicalGraph]]:
    from mlops_iac.api.capturing import Captures
    from mlops_iac.graph.canonical import canonical
    from mlops_iac.graph.lock import lock_bytes
    from mlops_iac.templates.cases import GRAPH, RESOLVED, resolved_text

    captures = Captures(project, root / ".program")
    golden: dict[str, bytes] = {}
    graphs: dict[str, CanonicalGraph] = {}
    for name in names:
        golden[f"{name}{RESOLVED}"] = resolved_text(project.resolve(name).leaves()).encode()
        graphs[name] = canonical(captures.graph(name))
        golden[f"{name}{GRAPH}"] = lock_bytes(graphs[name], {})
    return golden, graphs


def _errors(case: Case, problems: Sequence[Diagnostic]) -> Iterator[str]:
    """Every expected error is there, and every one that is there was expected."""
    wanted = case.section.expect.errors
    said = [f"{item.message} [{item.code}]" for item in problems]
    for pattern in wanted:
        if not any(re.search(pattern, text) for text in said):
            there = f"; there is: {listed(said)}" if said else "; the blueprint is valid"
            yield f"expected an error like {pattern!r}{there}"
    for item, text in zip(problems, said, strict=True):
        if not any(re.search(pattern, text) for pattern in wanted):
            place = ":".join(str(part) for part in (item.file, item.line) if part)
            hint = f" ({item.hint})" if item.hint else ""
            yield f"{place}: {text}{hint}"


def _values(case: Case, project: Project, names: Sequence[str]) -> Iterator[str]:
    from mlops_iac.blueprint.templates.limits import plain, quoted
    from mlops_iac.templates.linting.paths import within

    for path, entry in case.resolved.items():
        environment, keys = within(path)
        shown = path if not environment else path.partition(".")[2].partition(".")[2]
        wanted = plain(entry.value)
        asked = names if environment in ("", "*") else [environment]
        for name in asked:
            if name not in project.environments:
                yield f"{_at(case, entry.key.line)}: there is no environment '{name}'"
                continue
            leaves = project.resolve(name).leaves()
            found = leaves.get(shown)
            if _same(found, wanted):
                continue
            what = "is not set" if found is None else f"is {quoted(found)}"
            near = nearest(shown, leaves) if found is None else ""
            hint = f"; did you mean '{near}'?" if near else ""
            yield (
                f"{_at(case, entry.key.line)}: {name}: {shown} {what}, "
                f"expected {'nothing' if wanted is None else quoted(wanted)}{hint}"
            )
        del keys


def _same(found: Any, wanted: Any) -> bool:
    from mlops_iac.blueprint.templates.limits import same

    if isinstance(found, tuple):
        items = wanted if isinstance(wanted, list) else [wanted]
        return len(items) == len(found) and all(map(same, found, items))
    return found == wanted if None in (found, wanted) or found == {} else same(found, wanted)


def _counts(case: Case, graphs: Mapping[str, CanonicalGraph]) -> Iterator[str]:
    wanted: dict[str, dict[str, int]] = {}
    for key, value in case.section.expect.resources.items():
        if isinstance(value, dict):
            wanted.setdefault(key, {}).update(value)
        else:
            for name in graphs:
                wanted.setdefault(name, {})[key] = value
    for name, counts in wanted.items():
        if name not in graphs:
            yield f"expect.resources: there is no environment '{name}'"
            continue
        there = Counter(each.type for each in graphs[name].resources)
        for kind, count in counts.items():
            if there[kind] != count:
                near = nearest(kind, there) if not there[kind] else ""
                hint = f"; did you mean '{near}'?" if near else ""
                yield f"{name} has {there[kind]} of {kind}, expected {count}{hint}"


def _compared(case: Case, golden: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Each golden file that is not what came out, with the difference."""
    from mlops_iac.graph.lock import same_lock
    from mlops_iac.templates.cases import GRAPH

    for name, new in golden.items():
        old = case.golden.get(name)
        shown = f"tests/{case.name}/{name}"
        if old is None:
            yield name, f"there is no {shown}: `template test --update` writes it, to be reviewed"
        elif old != new and not (name.endswith(GRAPH) and same_lock(old, new)):
            text = _changes(old, new) if name.endswith(GRAPH) else _lines(old, new)
            yield name, f"{shown} is not what comes out:\n{text}"
    for name in case.golden.keys() - golden.keys():
        yield name, f"there is tests/{case.name}/{name}, and nothing that comes out is called so"


def _lines(old: bytes, new: bytes) -> str:
    from difflib import unified_diff

    before, after = (data.decode(errors="replace").splitlines() for data in (old, new))
    found = list(unified_diff(before, after, "golden", "now", n=0, lineterm=""))[2:]
    return "\n".join(f"    {line}" for line in found if not line.startswith("@@"))


def _changes(old: bytes, new: bytes) -> str:
    """A resource graph's differences by resource and property."""
    from mlops_iac.graph.diff import diff
    from mlops_iac.graph.lock import parse_lock
    from mlops_iac.graph.model import address_of

    try:
        before, after = parse_lock(old, "golden"), parse_lock(new, "now")
    except UsageError as error:
        return f"    {error.message}"
    signs = {"create": "+", "delete": "-", "replace": "~", "update": "~"}
    lines = []
    for step in diff(before, after, lambda *_: (False, "")):
        if step.op not in signs:
            continue
        lines.append(f"    {signs[step.op]} {address_of(step.type, step.name)}")
        lines += [
            f"        {change.path}: {_short(change.old)} → {_short(change.new)}"
            for change in (step.changes if step.op == "update" else ())
        ]
    return "\n".join(lines) or _lines(old, new)


def _short(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _at(case: Case, line: int) -> str:
    return f"{case.source.file.removeprefix('./')}:{line}"
