"""Two policy documents → what the new one allows that the old one did not.

Source of the semantics: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
Wildcards are compared as patterns; what cannot be compared (`NotAction`, `NotResource`,
`NotPrincipal`) is told as such whenever it changes, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mlops_iac.graph.redact import parse_document

_OPAQUE = ("NotAction", "NotResource", "NotPrincipal")
# Combinations of action, resource and principal in one document; more are compared by statement.
_MOST_GRANTS = 5_000
_MOST_WORDS = 6

# (operator, key, values): all must hold, each for one of its values.
Condition = frozenset[tuple[str, str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource for one principal; `condition` narrows it."""

    action: str
    resource: str
    principal: str
    condition: Condition

    @property
    def words(self) -> str:
        """`s3:* on * for *`."""
        on = f" on {self.resource}" if self.resource else ""
        whom = f" for {self.principal}" if self.principal else ""
        return f"{self.action}{on}{whom}"


@dataclass(frozen=True, slots=True)
class Widening:
    """What became possible (`allowed`), and what no longer is forbidden (`lifted`), in words."""

    allowed: Sequence[str] = ()
    lifted: Sequence[str] = ()
    anyone: bool = False


def widening(old: Any, new: Any) -> Widening:
    """Compare two policy documents, each a mapping or its JSON text; None is an empty one."""
    before, after = _statements(old), _statements(new)
    had, has = list(_grants(before, "Allow")), list(_grants(after, "Allow"))
    if len(had) > _MOST_GRANTS or len(has) > _MOST_GRANTS:
        known = [repr(statement) for statement in before]
        added = [
            each for each in after if each.get("Effect") == "Allow" and repr(each) not in known
        ]
        words = [f"statement {each.get('Sid', '')} changed".replace("  ", " ") for each in added]
        return Widening(_short(words), ())
    exact = set(had)
    more = [grant for grant in has if grant not in exact and not _covered(grant, had)]
    allowed = [_told(grant, had) for grant in more]
    known = [repr(each) for each in before]
    allowed += [
        f"statement {each.get('Sid', 'without a Sid')} excludes by {key}, look at it"
        for each in after
        for key in _OPAQUE
        if each.get("Effect") == "Allow" and key in each and repr(each) not in known
    ]
    denied = list(_grants(after, "Deny"))
    lifted = [
        f"{grant.words} is no longer denied"
        for grant in _grants(before, "Deny")
        if not _covered(grant, denied)
    ]
    anyone = any(grant.principal == "*" and not grant.condition for grant in more)
    return Widening(_short(allowed), _short(lifted), anyone)


def _told(grant: Grant, had: Sequence[Grant]) -> str:
    for other in had:
        if _covers(other, grant):
            kept = {(operator, key) for operator, key, _ in grant.condition}
            gone = sorted({k for op, k, _ in other.condition if (op, k) not in kept})
            if gone:
                return f"{grant.words}, without the condition on {', '.join(gone)}"
            changed = sorted({key for _, key, _ in grant.condition - other.condition})
            return f"{grant.words}, with other values for {', '.join(changed)}"
    return grant.words


def _covered(grant: Grant, had: Sequence[Grant]) -> bool:
    return any(_covers(other, grant) and _weaker(other.condition, grant.condition) for other in had)


def _weaker(wide: Condition, narrow: Condition) -> bool:
    """Whether everything that meets `narrow` meets `wide`."""
    held = {(operator, key): values for operator, key, values in narrow}
    for operator, key, values in wide:
        found = held.get((operator, key))
        if found is None:
            return False
        negative = "Not" in operator
        if not (found >= values if negative else found <= values):
            return False
    return True


def _covers(wide: Grant, narrow: Grant) -> bool:
    """Whether `wide` allows all of `narrow`, conditions aside. Actions ignore case."""
    return (
        _fits(narrow.action.lower(), wide.action.lower())
        and _fits(narrow.resource, wide.resource)
        and (wide.principal in ("*", narrow.principal))
    )


def _fits(text: str, pattern: str) -> bool:
    # `[` is plain text in a policy, and the start of a class for fnmatch.
    return text == pattern or fnmatchcase(text, pattern.replace("[", "[[]"))


def _grants(statements: Sequence[Mapping[str, Any]], effect: str) -> Iterator[Grant]:
    for statement in statements:
        if statement.get("Effect") != effect or any(key in statement for key in _OPAQUE):
            continue
        condition = _condition(statement.get("Condition"))
        for action in _texts(statement.get("Action")):
            for resource in _texts(statement.get("Resource")) or [""]:
                for principal in _principals(statement.get("Principal")) or [""]:
                    yield Grant(action, resource, principal, condition)


def _condition(value: Any) -> Condition:
    if not isinstance(value, Mapping):
        return frozenset()
    return frozenset(
        (str(operator), str(key), frozenset(_texts(values)))
        for operator, pairs in value.items()
        if isinstance(pairs, Mapping)
        for key, values in pairs.items()
    )


def _principals(value: Any) -> list[str]:
    match value:
        case None:
            return []
        case Mapping():
            return [
                "*" if text == "*" and kind == "AWS" else text
                for kind, texts in value.items()
                for text in _texts(texts)
            ]
        case _:
            return _texts(value)


def _statements(document: Any) -> list[Mapping[str, Any]]:
    parsed = parse_document(document) if isinstance(document, str) else document
    found = parsed.get("Statement") if isinstance(parsed, Mapping) else None
    return [item for item in _listed(found) if isinstance(item, Mapping)]


def _texts(value: Any) -> list[str]:
    return [str(item) for item in _listed(value)]


def _listed(value: Any) -> Sequence[Any]:
    """A list's entries; one thing alone is a list of itself, nothing is none."""
    if isinstance(value, list | tuple):
        return value
    return [] if value is None else [value]


def _short(words: Sequence[str]) -> Sequence[str]:
    unique = list(dict.fromkeys(words))
    if len(unique) <= _MOST_WORDS:
        return unique
    return [*unique[:_MOST_WORDS], f"and {len(unique) - _MOST_WORDS} more"]
