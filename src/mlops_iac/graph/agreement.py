"""Whether a state holds what a lock file says, without asking the cloud or running a program.

A lock holds everything that is known before a deployment; what is computed stands in it as
`${address.property}`. So a known value must be found in the state, a computed one may be anything,
and what the provider filled in besides is nobody's difference.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mlops_iac.graph.canonical import JSON, UNKNOWN_TEXT, CanonicalGraph, CanonicalResource
from mlops_iac.graph.redact import is_hidden, without_digests

_COMPUTED = re.compile(r"\$\{[^${}]*\}")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Addresses: `missing` from the state, `extra` in it, `different` in a known value."""

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    different: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether they agree."""
        return not (self.missing or self.extra or self.different)

    @property
    def words(self) -> str:
        """One line about what does not agree; empty where all does."""
        parts = [
            f"{len(names)} {what} ({names[0]}{', …' if len(names) > 1 else ''})"
            for names, what in (
                (self.missing, "not deployed"),
                (self.extra, "left over"),
                (self.different, "different"),
            )
            if names
        ]
        return ", ".join(parts)


def agreement(
    lock: CanonicalGraph,
    state: CanonicalGraph,
    *,
    any_text: Collection[str] = (),
    waiting: Collection[str] = (),
) -> Agreement:
    """Compare a lock with a state of the same stack.

    `any_text` are words that stand in the lock for something chosen at deployment (a version);
    `waiting` names components whose missing children are not due yet.
    """
    locked, held = _custom(lock), _custom(state)
    due = {
        urn: item
        for urn, item in locked.items()
        if urn in held or not any(item.name.startswith(f"{name}-") for name in waiting)
    }
    return Agreement(
        missing=_addresses(item for urn, item in due.items() if urn not in held),
        extra=_addresses(item for urn, item in held.items() if urn not in locked),
        different=_addresses(
            item
            for urn, item in due.items()
            if urn in held and not fits(dict(item.inputs), dict(held[urn].inputs), any_text)
        ),
    )


def fits(planned: Any, found: Any, any_text: Collection[str] = ()) -> bool:
    """Whether `found` is what is known of `planned`. Both are canonical values."""
    if any(side == UNKNOWN_TEXT or is_hidden(side) for side in (planned, found)):
        return True
    match planned:
        case {"$json": document} if isinstance(found, dict) and JSON in found:
            return fits(document, found[JSON], any_text)
        case dict():
            return isinstance(found, dict) and all(
                _key_fits(key, item, found, any_text) for key, item in planned.items()
            )
        case list():
            return (
                isinstance(found, list)
                and len(planned) == len(found)
                and all(fits(a, b, any_text) for a, b in zip(planned, found, strict=True))
            )
        case str():
            return _text_fits(without_digests(planned), found, any_text)
        case _:
            return planned == found or _plain(planned) == _plain(found)


def _key_fits(key: str, item: Any, found: dict[str, Any], any_text: Collection[str]) -> bool:
    if "${" in key:
        return True
    if key not in found:
        return item in ("", [], {}, False)
    return fits(item, found[key], any_text)


def _text_fits(planned: str, found: Any, any_text: Collection[str]) -> bool:
    parts = _COMPUTED.split(planned)
    if len(parts) == 1:
        if planned == found or planned in any_text:
            return True
        head, slash, last = planned.rpartition("/")
        if slash and last in any_text and isinstance(found, str):
            return found.startswith(f"{head}/")
        return _plain(planned) == _plain(found)
    if isinstance(found, dict | list):
        return not any(parts)
    pattern = ".*".join(map(re.escape, parts))
    for word in any_text:
        pattern = re.sub(rf"(?<=/){re.escape(word)}\Z", "[^/]+", pattern)
    return re.fullmatch(pattern, str(found), re.DOTALL) is not None


def _plain(value: Any) -> str:
    """A scalar as text: providers store `true` and `3` as texts here and there."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _custom(graph: CanonicalGraph) -> dict[str, CanonicalResource]:
    return {item.urn: item for item in graph.resources if item.in_cloud}


def _addresses(items: Any) -> tuple[str, ...]:
    return tuple(sorted(item.address for item in items))
