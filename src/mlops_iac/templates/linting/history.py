"""The changelog, and migrations that would not find what they name."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.limits import within
from mlops_iac.blueprint.templates.manifest import (
    Move,
    Operation,
    Remove,
    Rename,
    RenameParameter,
    Set,
)
from mlops_iac.blueprint.words import split, suggestion
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.paths import kinds_at
from mlops_iac.templates.linting.subject import Subject
from mlops_iac.templates.versions import VersionInvalid, parse_version


def check_history(subject: Subject) -> Iterator[Diagnostic]:
    """What is wrong with what a template says of its versions."""
    manifest = subject.manifest
    try:
        version = parse_version(manifest.version)
    except VersionInvalid as error:
        yield problem(subject.key("version"), "bad-version", error.message, hint=error.hint)
        return
    if not manifest.changelog.get(manifest.version):
        yield problem(
            subject.key("version"),
            "no-changelog",
            f"the changelog says nothing of {manifest.version}",
            path="version",
            hint=f"changelog: {{{manifest.version}: [what changed, for the teams that use it]}}",
        )
    for section, words in (("changelog", "a changelog"), ("migrations", "migrations")):
        for told in getattr(manifest, section):
            try:
                ahead = parse_version(told) > version
            except VersionInvalid as error:
                place = subject.key(section, told)
                yield problem(place, "bad-version", error.message, path=section, hint=error.hint)
                continue
            if ahead:
                message = f"there are {words}" if section == "migrations" else f"there is {words}"
                yield problem(
                    subject.key(section, told),
                    "ahead-of-version",
                    f"{message} of {told}, and this is {manifest.version}",
                    path=f"{section}.{told}",
                    hint=f"is the version {told}?",
                )
    for told, operations in subject.parsed.reading.migrations.items():
        node = subject.node("migrations", told)
        for index, operation in enumerate(operations):
            if node is not None and index < len(node.items):
                path = f"migrations.{told}[{index}]"
                yield from _operation(subject, operation, node.items[index], path)


def _operation(
    subject: Subject, operation: Operation, node: Node, path: str
) -> Iterator[Diagnostic]:
    match operation:
        case Rename():
            environment, keys = within(operation.rename)
            yield from _known_parent(keys, node.entries["rename"].value, path)
            if keys:
                target = [*keys[:-1], operation.to]
                yield from _known(target, node.entries["to"].value, path)
            if "." in operation.to or (keys and operation.to == keys[-1]):
                message = f"{path}.to is the new last key, another than '{keys[-1]}'"
                hint = "to another place goes `move:`"
                yield problem(
                    node.entries["to"].value, "bad-migration", message, path=path, hint=hint
                )
            del environment
        case Move():
            yield from _known_parent(within(operation.move)[1], node.entries["move"].value, path)
            target = within(operation.to)[1]
            yield from _known(target, node.entries["to"].value, path)
            if split(operation.move).count("*") != split(operation.to).count("*"):
                message = f"{path} has more `*` on one side than on the other"
                yield problem(node.entries["to"].value, "bad-migration", message, path=path)
        case Remove():
            keys = within(operation.remove)[1]
            yield from _known_parent(keys, node.entries["remove"].value, path)
        case Set():
            yield from _set(operation, node, path)
        case RenameParameter():
            yield from _parameter(subject, operation, node, path)


def _parameter(
    subject: Subject, operation: RenameParameter, node: Node, path: str
) -> Iterator[Diagnostic]:
    declared = list(subject.manifest.parameters)
    if operation.to not in declared:
        message = f"there is no parameter '{operation.to}'"
        hint = suggestion(operation.to, declared)
        yield problem(node.entries["to"].value, "bad-migration", message, path=path, hint=hint)
    if operation.rename_parameter in declared:
        message = f"'{operation.rename_parameter}' is still a parameter"
        place = node.entries["rename_parameter"].value
        yield problem(
            place, "bad-migration", message, path=path, hint="remove it, or the migration"
        )


def _set(operation: Set, node: Node, path: str) -> Iterator[Diagnostic]:
    keys = within(operation.set)[1]
    place = node.entries["set"].value
    wrong = list(_known(keys, place, path))
    yield from wrong
    if wrong:
        return
    value = node.entries["value"].value
    first: Diagnostic | None = None
    for kind in kinds_at(keys):
        decoder = Decoder(None)
        made = decoder.value(kind, Written(place, value, "migration"), operation.set)
        if made is not NOTHING and not decoder.found.problems:
            return
        first = first or decoder.found.problems[0]
    if first is not None:
        yield problem(value, "bad-migration", first.message, path=path, hint=first.hint)


def _known(keys: list[str], place: Node, path: str) -> Iterator[Diagnostic]:
    if not keys or not kinds_at(keys):
        message = f"{'.'.join(keys)} is no path of a blueprint"
        yield problem(place, "bad-migration", message, path=path, hint="`*` stands for any key")


def _known_parent(keys: list[str], place: Node, path: str) -> Iterator[Diagnostic]:
    """What had the old path is no field any more, perhaps; what it stood in is."""
    if not keys or not kinds_at(keys[:-1]):
        message = f"{'.'.join(keys[:-1]) or 'this'} is no path of a blueprint"
        yield problem(place, "bad-migration", message, path=path, hint="`*` stands for any key")
