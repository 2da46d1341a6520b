"""What differs between two versions of a template, for whoever takes the other one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.limits import Limit, quoted
from mlops_iac.blueprint.templates.manifest import UNSET, Parameter
from mlops_iac.blueprint.templates.parameters import takes
from mlops_iac.records import Record
from mlops_iac.templates.versions import parse_version

Kind = Literal["new", "gone", "required", "changed"]


class Entry(Record):
    """One version of a changelog."""

    version: str
    texts: tuple[str, ...]


class ParameterChange(Record):
    """A parameter that is not what it was. `required`: it has to be given now and did not before.

    `old` and `new` say what it takes, empty where it is not there.
    """

    kind: Kind
    name: str
    old: str
    new: str
    description: str
    place: str


class LimitChange(Record):
    """A limit that is not what it was; `old` and `new` are its words, empty where it is not there."""

    kind: Kind
    path: str
    old: str
    new: str
    because: str
    place: str


def changelog(newer: TemplateContent, older_version: str) -> list[Entry]:
    """What the newer version says of every version after the older one, the newest first."""
    manifest = parse(newer).reading.manifest
    low, high = parse_version(older_version), parse_version(manifest.version)
    told = [
        Entry(version, texts)
        for version, texts in manifest.changelog.items()
        if low < parse_version(version) <= high
    ]
    return sorted(told, key=lambda entry: parse_version(entry.version), reverse=True)


def parameters(old: TemplateContent, new: TemplateContent) -> Iterator[ParameterChange]:
    """Parameters that are new, gone, must be given now, or take something else."""
    before, after = (parse(content).reading.manifest.parameters for content in (old, new))
    for name in dict.fromkeys([*after, *before]):
        was, now = before.get(name), after.get(name)
        if was is not None and now is not None:
            kind: Kind = "required" if _required(now) and not _required(was) else "changed"
        else:
            kind = "gone" if now is None else "required" if _required(now) else "new"
        said, says = ("" if each is None else _words(each) for each in (was, now))
        if said != says:
            described = now or was
            assert described is not None
            place = _place(new if now is not None else old, name)
            yield ParameterChange(kind, name, said, says, described.description, place)


def limits(old: Sequence[Limit], new: Sequence[Limit]) -> Iterator[LimitChange]:
    """Limits that are new, gone, or hold something else; both with their parameters in them."""
    before, after = _by_path(old), _by_path(new)
    for path in dict.fromkeys([*after, *before]):
        was, now = before.get(path), after.get(path)
        said, says = ("" if each is None else each.words() for each in (was, now))
        if said == says:
            continue
        shown = now or was
        assert shown is not None
        kind: Kind = "new" if was is None else "gone" if now is None else "changed"
        place = f"{shown.file}:{shown.line}"
        yield LimitChange(kind, path, said, says, shown.spec.because, place)


def files(old: TemplateContent, new: TemplateContent) -> list[str]:
    """Files that are not the same in both, sorted."""
    names = sorted({*old.files, *new.files})
    return [name for name in names if old.files.get(name) != new.files.get(name)]


def label_of(applied: AppliedTemplate | TemplateContent) -> str:
    """`acme/standard@2.1.0`."""
    if isinstance(applied, AppliedTemplate):
        return applied.label
    manifest = parse(applied).reading.manifest
    return f"{manifest.name}@{manifest.version}"


def _by_path(found: Sequence[Limit]) -> Mapping[str, Limit]:
    return {limit.pattern: limit for limit in found}


def _required(parameter: Parameter) -> bool:
    return parameter.default is UNSET


def _words(parameter: Parameter) -> str:
    """`one of silver or gold, default silver`."""
    if _required(parameter):
        return f"{takes(parameter)}, required"
    if parameter.default is None:
        return f"{takes(parameter)}, may be left out"
    return f"{takes(parameter)}, default {quoted(parameter.default)}"


def _place(content: TemplateContent, name: str) -> str:
    """`acme/standard@2.2.0/template.yaml:14`."""
    reading = parse(content).reading
    section: Node | None = None
    if (entry := reading.root.entries.get("parameters")) is not None:
        section = entry.value
    key = section.entries[name].key if section is not None and name in section.entries else None
    return f"{reading.source.file}:{key.line}" if key is not None else reading.source.file
