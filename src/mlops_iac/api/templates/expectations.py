"""What a case of a template's tests says of its result, and how the result differs from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.errors import Diagnostic, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.canonical import CanonicalGraph
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.policy.model import Finding
    from mlops_iac.templates.cases import Case


def errors(case: Case, problems: Sequence[Diagnostic]) -> Iterator[str]:
    """Every expected error is there, and every one that is there was expected."""
    wanted = case.section.expect.errors
    said = [f"{item.message} [{item.code}]" for item in problems]
    unmet, stray, endless = _fitted(wanted, said)
    yield from (f"expect.errors: {words}" for words in endless)
    for pattern in unmet:
        there = f"; there is: {listed(said)}" if said else "; the blueprint is valid"
        yield f"expected an error like {pattern!r}{there}"
    for item, text in zip(problems, said, strict=True):
        if text in stray:
            place = ":".join(str(part) for part in (item.file, item.line) if part)
            hint = f" ({item.hint})" if item.hint else ""
            yield f"{place}: {text}{hint}"


def values(case: Case, project: BaseProject, names: Sequence[str]) -> Iterator[str]:
    """What `expect.resolved` says and is not so, in any of the environments."""
    from mlops_iac.blueprint.templates.limits import plain, quoted, within

    for path, entry in case.resolved.items():
        environment, _ = within(path)
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


def _same(found: Any, wanted: Any) -> bool:
    from mlops_iac.blueprint.templates.limits import same

    if isinstance(found, tuple):
        items = wanted if isinstance(wanted, list) else [wanted]
        return len(items) == len(found) and all(map(same, found, items))
    return found == wanted if None in (found, wanted) or found == {} else same(found, wanted)


def counts(case: Case, graphs: Mapping[str, CanonicalGraph]) -> Iterator[str]:
    """What `expect.resources` counts otherwise than there is."""
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


def findings(
    case: Case, project: BaseProject, graphs: Mapping[str, ResourceGraph]
) -> Iterator[str]:
    """What `up` would refuse, and of what the templates set or bring, what breaks it at all.

    The latter only where the case says what it expects. The code of the template's rules runs, it is
    the author's.
    """
    from mlops_iac.api.core import guard_rails
    from mlops_iac.templates.lockfile import Lock, Pin, lock_path, write_lock

    write_lock(
        lock_path(project.path),
        Lock(
            tuple(
                Pin(each.asked, "", each.manifest.name, each.manifest.version, each.content.digest)
                for each in project.loaded.templates
            )
        ),
    )
    try:
        held = guard_rails.configuration(project, guard_rails.rules(project)).held
    except UsageError as error:  # a file that is no rule
        yield f"{error.message} ({error.hint})"
        return
    wanted = case.section.expect.findings
    said: dict[str, tuple[str, Finding]] = {}
    for name, graph in graphs.items():
        for found in policies(project, name, graph=graph):
            counts = found.counts or (wanted is not None and found.rule in held)
            if counts and not found.suppressed_by:
                said.setdefault(f"{found.rule}: {found.message}", (name, found))
    unmet, stray, endless = _fitted(wanted or (), list(said))
    yield from (f"expect.findings: {words}" for words in endless)
    for pattern in unmet:
        there = f"; there is: {listed(said)}" if said else "; there is none"
        yield f"expected a finding like {pattern!r}{there}"
    for text, (name, found) in said.items():
        if text in stray and found.rule in held:
            yield f"a guard rail of the template is broken: {text}"
        elif text in stray:
            yield (
                f"`up -s {name}` would refuse it: {text} ({found.remediation}, in the template or in"
                " the case's blueprint, as a team does; or expect it: `findings`)"
            )


def _fitted(
    wanted: Sequence[str], said: Sequence[str]
) -> tuple[list[str], Collection[str], list[str]]:
    """The patterns that nothing fits, what fits no pattern, and what is said of endless ones."""
    from mlops_iac.blueprint.templates.patterns import TooSlow, occurs

    unmet: list[str] = []
    endless: list[str] = []
    stray = dict.fromkeys(said)
    for pattern in wanted:
        try:
            fits = [text for text in said if occurs(pattern, text)]
        except TooSlow:
            endless.append(f"{pattern!r} takes too long to tell: write a simpler one")
            continue
        if not fits:
            unmet.append(pattern)
        for text in fits:
            stray.pop(text, None)
    return unmet, stray, endless


def compared(case: Case, golden: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Each golden file that is not what came out, with the difference."""
    from mlops_iac.graph.lock import LOCK_SUFFIX, same_lock

    for name, new in golden.items():
        old = case.golden.get(name)
        shown = f"tests/{case.name}/{name}"
        if old is None:
            yield name, f"there is no {shown}: `template test --update` writes it, to be reviewed"
        elif old != new and not (name.endswith(LOCK_SUFFIX) and same_lock(old, new)):
            text = _changes(old, new) if name.endswith(LOCK_SUFFIX) else _lines(old, new)
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

    try:
        before, after = parse_lock(old, "golden"), parse_lock(new, "now")
    except UsageError as error:
        return f"    {error.message}"
    signs = {"create": "+", "delete": "-", "replace": "~", "update": "~"}
    lines = []
    for step in diff(before, after, lambda *_: (False, "")):
        if step.op not in signs:
            continue
        lines.append(f"    {signs[step.op]} {step.address}")
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
