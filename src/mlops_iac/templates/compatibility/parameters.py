"""Parameters that are gone, take less, or stand for something else where they are left out."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.limits import quoted
from mlops_iac.blueprint.templates.manifest import UNSET, Parameter
from mlops_iac.blueprint.templates.parameters import takes
from mlops_iac.blueprint.words import listed
from mlops_iac.templates.compatibility.model import Change, Pair


def changes(pair: Pair) -> Iterator[Change]:
    """What differs between the parameters of two versions."""
    old, new = pair.old.manifest.parameters, pair.new.manifest.parameters
    taken: dict[str, str] = {}
    for name, before in old.items():
        if name in new:
            yield from _changed(pair, name, before, new[name])
            continue
        renamed, by = pair.renamed(name)
        whom = f"blueprints that give {name}"
        if renamed in new:
            taken[renamed] = name
            message = f"the parameter {name} is called {renamed}"
            place = pair.new.key("parameters", renamed)
            covered = f"the migration of {by}"
            yield Change("breaking", "parameter-renamed", message, place, whom, covered)
            yield from _changed(pair, renamed, before, new[renamed])
        else:
            message = f"the parameter {name} is gone"
            place = pair.new.key("parameters")
            yield Change("breaking", "parameter-removed", message, place, whom)
    for name, after in new.items():
        if name in old or name in taken:
            continue
        place = pair.new.key("parameters", name)
        if after.default is UNSET:
            message = f"the parameter {name} must be given, and was not there"
            yield Change("breaking", "parameter-required", message, place, "every blueprint")
        else:
            message = f"the parameter {name} is new ({takes(after)})"
            yield Change("feature", "parameter-added", message, place)


def _changed(pair: Pair, name: str, before: Parameter, after: Parameter) -> Iterator[Change]:
    place = pair.new.key("parameters", name)
    given = f"blueprints that give {name}"
    if before.type != after.type and not _wider_type(before, after):
        message = f"the parameter {name} takes {takes(after)}, and took {takes(before)}"
        yield Change("breaking", "parameter-type", message, place, given)
        return
    yield from _narrowed(name, before, after, place)
    left_out = f"blueprints that leave {name} out"
    if before.default is not UNSET and after.default is UNSET:
        message = f"the parameter {name} must be given now"
        yield Change("breaking", "parameter-required", message, place, left_out)
    elif before.default is UNSET and after.default is not UNSET:
        message = f"the parameter {name} may be left out now"
        yield Change("feature", "parameter-optional", message, place)
    elif before.default is not UNSET and before.default != after.default:
        if before.default is None:
            whom = f"blueprints that give {name}: null"
            message = f"the parameter {name} can no longer be left empty"
            yield Change("breaking", "parameter-narrowed", message, place, whom)
        words = [
            "nothing" if each.default is None else quoted(each.default) for each in (before, after)
        ]
        message = f"the default of {name} is {words[1]}, and was {words[0]}"
        yield Change("feature", "default-changed", message, place, left_out)
    if before.description != after.description:
        message = f"the parameter {name} is described otherwise"
        yield Change("fix", "parameter-described", message, place)


def _wider_type(before: Parameter, after: Parameter) -> bool:
    """Whether all that was taken still is."""
    if after.type == "text":
        return before.type != "list"
    return (before.type, after.type) == ("integer", "number")


def _narrowed(name: str, before: Parameter, after: Parameter, place: Node) -> Iterator[Change]:
    code = "parameter-narrowed"
    lost = [quoted(each) for each in before.choices if each not in after.choices]
    if after.choices and before.choices and lost:
        message = f"the parameter {name} no longer takes {listed(lost, 'or')}"
        whom = f"blueprints with {name} {listed(lost, 'or')}"
        yield Change("breaking", code, message, place, whom)
    elif after.choices and not before.choices:
        message = f"the parameter {name} takes only {takes(after).removeprefix('one of ')} now"
        yield Change("breaking", code, message, place, f"blueprints with another {name}")
    gained = [each for each in after.choices if each not in before.choices]
    if before.choices and (gained or not after.choices):
        message = f"the parameter {name} takes {takes(after)} now"
        yield Change("feature", "parameter-widened", message, place)
    for key, stricter in (("at_least", 1), ("at_most", -1)):
        low, high = getattr(before, key), getattr(after, key)
        if low == high:
            continue
        words = key.replace("_", " ")
        what = "items" if after.type == "list" else ""
        if high is not None and (low is None or (high - low) * stricter > 0):
            shown = f"{words} {high:g} {what}".strip()
            message = f"the parameter {name} takes {shown} now"
            beyond = "below" if stricter > 0 else "above"
            yield Change("breaking", code, message, place, f"blueprints {beyond} it")
        else:
            message = f"the bound {key} of the parameter {name} is wider"
            yield Change("feature", "parameter-widened", message, place)
    if before.pattern != after.pattern:
        if after.pattern is None:
            message = f"the parameter {name} takes any text now"
            yield Change("feature", "parameter-widened", message, place)
        else:
            message = f"the parameter {name} has another form: {after.pattern}"
            yield Change("breaking", code, message, place, f"blueprints whose {name} is not of it")
