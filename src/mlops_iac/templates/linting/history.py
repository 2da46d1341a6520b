"""The changelog, and migrations that would not find what they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.limits import within
from mlops_iac.blueprint.templates.manifest import Operation, Reading
from mlops_iac.blueprint.templates.reaching import kinds_at
from mlops_iac.blueprint.words import split, suggestion
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.versions import VersionInvalid, parse_version


def check_history(reading: Reading) -> Iterator[Diagnostic]:
    """What is wrong with what a template says of its versions."""
    manifest = reading.manifest
    try:
        version = parse_version(manifest.version)
        later = [
            (section, told)
            for section in ("changelog", "migrations")
            for told in getattr(manifest, section)
            if parse_version(told) > version
        ]
    except VersionInvalid as error:
        yield problem(reading.key("version"), "bad-version", error.message, hint=error.hint)
        return
    if not manifest.changelog.get(manifest.version):
        yield problem(
            reading.key("version"),
            "no-changelog",
            f"the changelog says nothing of {manifest.version}",
            path="version",
            hint=f"changelog: {{{manifest.version}: [what changed, for the teams that use it]}}",
        )
    for section, told in later:
        message = f"{section} has {told}, and this is {manifest.version}"
        place, hint = reading.key(section, told), f"is the version {told}?"
        yield problem(place, "ahead-of-version", message, path=f"{section}.{told}", hint=hint)
    for told, operations in manifest.migrations.items():
        node = reading.node("migrations", told)
        items = node.items if node is not None else []
        for index, (operation, item) in enumerate(zip(operations, items, strict=True)):
            for key, message, hint in _wrong(operation, item, list(manifest.parameters)):
                path = f"migrations.{told}[{index}]"
                place = item.entries[key].value
                yield problem(place, "bad-migration", message, path=path, hint=hint)


_Wrong = tuple[str, str, str]
"""The key, what is wrong there, and the fix."""


def _wrong(operation: Operation, item: Node, declared: Sequence[str]) -> Iterator[_Wrong]:
    kind, path, to = operation.kind, operation.path, operation.to
    keys = within(path)[1]
    # What had an old path is no field any more, perhaps; what it stood in is.
    match kind:
        case "rename_parameter":
            if to not in declared:
                yield "to", f"there is no parameter '{to}'", suggestion(to, declared)
            if path in declared:
                yield kind, f"'{path}' is still a parameter", "remove it, or the migration"
        case "set":
            yield from _unknown(kind, keys)
            yield from _set(keys, item)
        case "rename":
            yield from _unknown(kind, keys[:-1])
            yield from _unknown("to", [*keys[:-1], to])
        case "move":
            yield from _unknown(kind, keys[:-1])
            yield from _unknown("to", within(to)[1])
            if split(path).count("*") != split(to).count("*"):
                yield "to", "there are more `*` on one side than on the other", ""
        case "remove":
            yield from _unknown(kind, keys[:-1])


def _set(keys: Sequence[str], item: Node) -> Iterator[_Wrong]:
    """Why the value can be none of the field's."""
    wrong: list[Diagnostic] = []
    for kind in kinds_at(keys):
        decoder = Decoder(None)
        here = Written(item.entries["set"].value, item.entries["value"].value, "migration")
        made = decoder.value(kind, here, ".".join(keys))
        if made is not NOTHING and not decoder.found.problems:
            return
        wrong += decoder.found.problems
    for each in wrong[:1]:
        yield "value", each.message, each.hint


def _unknown(key: str, keys: Sequence[str]) -> Iterator[_Wrong]:
    if keys and not kinds_at(keys):
        yield key, f"{'.'.join(keys)} is no path of a blueprint", "`*` stands for any key"
