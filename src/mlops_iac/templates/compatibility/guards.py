"""Guard rails that are new, hold more, or hold less than they did. None of their code is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.content import POLICIES
from mlops_iac.blueprint.templates.manifest import text_of
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.templates.compatibility.contents import differing
from mlops_iac.templates.compatibility.model import Change, Pair
from mlops_iac.templates.linting.subject import Subject

_WHOM = "blueprints that break it"


def changes(pair: Pair) -> Iterator[Change]:
    """What differs between the guard rails of two versions."""
    place = pair.new.key("version")
    old, new = pair.old.content.files, pair.new.content.files
    code = [name for name in differing(pair) if name.startswith("policies/")]
    if added := [name for name in code if name not in old]:
        message = f"there are guard rails that were not there: {listed(added)}"
        yield Change("breaking", "guard-rails-added", message, place, "blueprints that break them")
    if changed := [name for name in code if name in old and name in new]:
        message = f"guard rails check otherwise: {listed(changed)}"
        yield Change("feature", "guard-rails-changed", message, place, "blueprints that break them")
    if gone := [name for name in code if name not in new]:
        message = f"guard rails are gone: {listed(gone)}"
        yield Change("feature", "guard-rails-removed", message, place)
    if POLICIES in old or POLICIES in new:
        yield from _settings(_rules(pair.old), _rules(pair.new), place)


def _settings(
    before: Mapping[str, Node], after: Mapping[str, Node], place: Node
) -> Iterator[Change]:
    for rule, node in after.items():
        was = before.get(rule)
        if was is not None and _said(was) == _said(node):
            continue
        if was is None and _said(node).get("enabled") == "false":
            yield Change("feature", "guard-rail-loosened", f"the rule {rule} is switched off", node)
        elif was is None:
            message = f"the rule {rule} is set, and was not"
            yield Change("breaking", "guard-rail-tightened", message, node, _WHOM)
        elif words := _tighter(_said(was), _said(node)):
            message = f"the rule {rule} {words}"
            yield Change("breaking", "guard-rail-tightened", message, node, _WHOM)
        else:
            yield Change("feature", "guard-rail-loosened", f"the rule {rule} holds less", node)
    for rule in before.keys() - after.keys():
        yield Change(
            "feature", "guard-rail-loosened", f"the rule {rule} is not set any more", place
        )


def _tighter(was: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What holds more now, in words; another value of a setting may do so."""
    if now.get("severity") == "mandatory" != was.get("severity"):
        return "is mandatory now"
    if was.get("enabled") == "false" != now.get("enabled"):
        return "is switched on"
    if was.get("exceptions") == "allowed" != now.get("exceptions"):
        return "allows no exceptions now"
    own = ("severity", "enabled", "exceptions", "reason")
    other = [key for key in {*was, *now} if key not in own and was.get(key) != now.get(key)]
    return f"has another {listed(sorted(other))}" if set(other) & set(now) else ""


def _said(node: Node) -> dict[str, str]:
    return {key: _text(entry.value) for key, entry in node.entries.items()}


def _text(node: Node) -> str:
    return f"[{', '.join(map(_text, node.items))}]" if node.kind == "list" else node.text


def _rules(subject: Subject) -> Mapping[str, Node]:
    """What `policies.yaml` says of each rule; nothing where it cannot be read, which lint tells."""
    if POLICIES not in subject.content.files:
        return {}
    try:
        root, _ = compose(text_of(subject.content, POLICIES))
    except BlueprintInvalid:
        return {}
    entry = root.entries.get("rules")
    if entry is None:
        return {}
    return {key: each.value for key, each in entry.value.entries.items()}
