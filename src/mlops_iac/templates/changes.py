"""What differs between two versions of a template, for whoever takes the other one, and whom it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.limits import Limit, plain, quoted
from mlops_iac.blueprint.templates.manifest import UNSET, Parameter, Reading
from mlops_iac.blueprint.templates.parameters import takes
from mlops_iac.records import Record
from mlops_iac.templates.linting.limits import allows, range_of
from mlops_iac.templates.versions import parse_version

Kind = Literal["new", "gone", "required", "changed"]


class Entry(Record):
    """One version of a changelog."""

    version: str
    texts: tuple[str, ...]


class Change(Record):
    """A parameter, a limit, or something else of a template, that is not what it was.

    `required`: a parameter has to be given now and did not before. `old` and `new` are words, empty
    where it is not there, `why` the template's. `breaks` says whom, empty: nobody; `covered` which
    migration takes care of that.
    """

    kind: Kind
    what: str
    name: str
    old: str
    new: str
    why: str
    at: Node
    breaks: str = ""
    covered: str = ""

    @property
    def place(self) -> str:
        """`acme/standard@2.2.0/template.yaml:14`, of the version that has it."""
        return f"{self.at.source.file}:{self.at.line}"

    @property
    def words(self) -> str:
        """`parameter tier: one of silver or gold → one of gold`."""
        said = " → ".join(each or "–" for each in (self.old, self.new))
        return f"{self.what} {self.name}".strip() + f": {said}" + (self.why and f" · {self.why}")

    def as_json(self) -> dict[str, str]:
        """As plain data."""
        keys = ("kind", "name", "old", "new", "why", "place", "breaks")
        return {key: getattr(self, key) for key in keys}


def changelog(newer: Reading, older_version: str) -> list[Entry]:
    """What the newer version says of every version after the older one, the newest first."""
    manifest = newer.manifest
    low, high = parse_version(older_version), parse_version(manifest.version)
    told = [
        Entry(version, texts)
        for version, texts in manifest.changelog.items()
        if low < parse_version(version) <= high
    ]
    return sorted(told, key=lambda entry: parse_version(entry.version), reverse=True)


def renamed(old: Reading, new: Reading) -> dict[str, tuple[str, str]]:
    """What a parameter was called, and the version whose migration renames it, by its name now."""
    low, high = (parse_version(each.manifest.version) for each in (old, new))
    found: dict[str, tuple[str, str]] = {}
    for version in sorted(new.manifest.migrations, key=parse_version):
        for each in new.manifest.migrations[version]:
            if each.rename_parameter and low < parse_version(version) <= high:
                first, _ = found.pop(each.rename_parameter, (each.rename_parameter, ""))
                found[each.to] = first, version
    return found


def parameters(old: Reading, new: Reading) -> Iterator[Change]:
    """Parameters that are new, gone, must be given now, or take something else."""
    before, after = (each.manifest.parameters for each in (old, new))
    names = {to: (name, by) for to, (name, by) in renamed(old, new).items() if name in before}
    for name, now in after.items():
        former, by = names.get(name, (name, ""))
        yield from _parameter(name, before.get(former), now, new, former, by)
    kept = {former for former, _ in names.values()}
    for name, was in before.items():
        if name not in after and name not in kept:
            yield from _parameter(name, was, None, old, name, "")


def _parameter(
    name: str, was: Parameter | None, now: Parameter | None, parsed: Reading, former: str, by: str
) -> Iterator[Change]:
    said, says = ("" if each is None else _words(each) for each in (was, now))
    kind: Kind = "changed"
    breaks = ""
    must = now is not None and now.default is UNSET
    if now is None:
        kind, breaks = "gone", f"blueprints that give {name}"
    elif must and (was is None or was.default is not UNSET):
        kind = "required"
        breaks = "every blueprint" if was is None else f"blueprints that leave {name} out"
    elif was is None:
        kind = "new"
    elif former != name:
        breaks, said = f"blueprints that give {former}", f"{former}: {said}"
    elif _takes_less(was, now):
        breaks = f"blueprints that give {name} what it no longer takes"
    covered = f"the migration of {by}" if by else ""
    if said != says:
        described = now or was
        why = described.description if described is not None else ""
        yield Change(kind, "parameter", name, said, says, why, _key(parsed, name), breaks, covered)


def _takes_less(was: Parameter, now: Parameter) -> bool:
    """Whether anything that was taken is not."""
    wider = now.type == "text" and was.type != "list"
    if was.type != now.type and not wider and (was.type, now.type) != ("integer", "number"):
        return True
    if was.default is None is not now.default:
        return True
    if now.choices:
        return not was.choices or not set(was.choices) <= set(now.choices)
    low, high = (
        [float("-inf") if each.at_least is None else each.at_least for each in (was, now)],
        [float("inf") if each.at_most is None else each.at_most for each in (was, now)],
    )
    narrower = low[1] > low[0] or high[1] < high[0]
    return narrower or now.pattern not in (None, was.pattern)


def limits(old: Sequence[Limit], new: Sequence[Limit]) -> Iterator[Change]:
    """Limits that are new, gone, or hold something else; both with their parameters in them."""
    before, after = ({limit.pattern: limit for limit in each} for each in (old, new))
    for path in dict.fromkeys([*after, *before]):
        was, now = before.get(path), after.get(path)
        said, says = ("" if each is None else each.words() for each in (was, now))
        shown = now or was
        if said == says or shown is None:
            continue
        kind: Kind = "new" if was is None else "gone" if now is None else "changed"
        breaks = "blueprints that break it" if now is not None and is_tighter(was, now) else ""
        why = shown.spec.because
        yield Change(kind, "limit", path, said, says, why, shown.key, breaks)


def is_tighter(old: Limit | None, new: Limit) -> bool:
    """Whether `new` refuses anything that `old` lets through."""
    if old is None:
        return True
    if new.spec.forbidden:
        return not old.spec.forbidden
    if old.spec.forbidden:
        return False
    if new.spec.keys and not (old.spec.keys and set(old.spec.keys) <= set(new.spec.keys)):
        return True
    if new.fixed is not None:
        return old.fixed is None or plain(old.fixed) != plain(new.fixed)
    if new.spec.required and not (old.spec.required or old.fixed is not None):
        return True
    known = list(old.spec.one_of)
    if old.fixed is not None:
        value = plain(old.fixed)
        known = value if isinstance(value, list) else [value]
    if known:
        return not all(allows(new, each) for each in known)
    if new.spec.one_of or new.spec.pattern not in (None, old.spec.pattern):
        return True  # which of two expressions takes more, nobody can tell
    low, high = zip(range_of(old), range_of(new), strict=True)
    return low[1] > low[0] or high[1] < high[0]


def files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[str]:
    """Files that are not the same in both, sorted."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _words(parameter: Parameter) -> str:
    """`one of silver or gold, default silver`."""
    if parameter.default is UNSET:
        return f"{takes(parameter)}, required"
    if parameter.default is None:
        return f"{takes(parameter)}, may be left out"
    return f"{takes(parameter)}, default {quoted(parameter.default)}"


def _key(parsed: Reading, name: str) -> Node:
    """Where a parameter stands in template.yaml."""
    return parsed.root.entries["parameters"].value.entries[name].key
