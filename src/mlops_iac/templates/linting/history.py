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
from mlops_iac.blueprint.templates.reaching import kinds_at
from mlops_iac.blueprint.words import split, suggestion
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.subject import Subject
from mlops_iac.templates.versions import VersionInvalid, parse_version


def check_history(subject: Subject) -> Iterator[Diagnostic]:
    """What is wrong with what a template says of its versions."""
    manifest = subject.manifest
    try:
        version = parse_version(manifest.version)
        later = {
            (section, told): parse_version(told) > version
            for section in ("changelog", "migrations")
            for told in getattr(manifest, section)
        }
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
    for section, told in (key for key, is_later in later.items() if is_later):
        message = f"{section} has {told}, and this is {manifest.version}"
        place, hint = subject.key(section, told), f"is the version {told}?"
        yield problem(place, "ahead-of-version", message, path=f"{section}.{told}", hint=hint)
    for told, operations in subject.parsed.migrations.items():
        node = subject.node("migrations", told)
        for index, operation in enumerate(operations):
            if node is not None and index < len(node.items):
                said = _operation(subject, operation, node.items[index])
                for place, message, hint in said:
                    path = f"migrations.{told}[{index}]"
                    yield problem(place, "bad-migration", message, path=path, hint=hint)


_Wrong = tuple[Node, str, str]
"""Where, what, and the fix."""


def _operation(subject: Subject, operation: Operation, node: Node) -> Iterator[_Wrong]:
    at = {key: entry.value for key, entry in node.entries.items()}
    # What had an old path is no field any more, perhaps; what it stood in is.
    match operation:
        case Rename():
            keys = within(operation.rename)[1]
            yield from _unknown(keys[:-1], at["rename"])
            yield from _unknown([*keys[:-1], operation.to], at["to"])
        case Move():
            yield from _unknown(within(operation.move)[1][:-1], at["move"])
            yield from _unknown(within(operation.to)[1], at["to"])
            if split(operation.move).count("*") != split(operation.to).count("*"):
                yield at["to"], "there are more `*` on one side than on the other", ""
        case Remove():
            yield from _unknown(within(operation.remove)[1][:-1], at["remove"])
        case Set():
            yield from _set(operation, at)
        case RenameParameter():
            declared = list(subject.manifest.parameters)
            if operation.to not in declared:
                hint = suggestion(operation.to, declared)
                yield at["to"], f"there is no parameter '{operation.to}'", hint
            if operation.rename_parameter in declared:
                message = f"'{operation.rename_parameter}' is still a parameter"
                yield at["rename_parameter"], message, "remove it, or the migration"


def _set(operation: Set, at: dict[str, Node]) -> Iterator[_Wrong]:
    kinds = kinds_at(within(operation.set)[1])
    yield from _unknown(within(operation.set)[1], at["set"])
    wrong = []
    for kind in kinds:
        decoder = Decoder(None)
        made = decoder.value(kind, Written(at["set"], at["value"], "migration"), operation.set)
        if made is not NOTHING and not decoder.found.problems:
            return
        wrong += decoder.found.problems
    for item in wrong[:1]:
        yield at["value"], item.message, item.hint


def _unknown(keys: list[str], place: Node) -> Iterator[_Wrong]:
    if keys and not kinds_at(keys):
        yield place, f"{'.'.join(keys)} is no path of a blueprint", "`*` stands for any key"
