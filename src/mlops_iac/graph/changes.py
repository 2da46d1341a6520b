"""Two canonical values → the property paths that differ.

Lists are aligned first: by a naming key where every entry has one (statements by `Sid`, variants by
`variantName`), else by longest common runs, so that one inserted entry is one change.
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal

from mlops_iac.graph.canonical import JSON, unwrapped
from mlops_iac.graph.plan import PropertyChange

# (property path outside of JSON documents) → whether it forces a replacement, and the source.
ReplacesPath = Callable[[str], tuple[bool | None, str]]

_NAMING_KEYS = (
    "variantName", "VariantName", "Sid", "sid", "Name", "name", "id", "Id", "ID", "key", "Key",
    "StepName", "containerHostname", "ruleName", "sid", "metricName",
)  # fmt: skip
_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*\Z")
_ALIGN_LIMIT = 400
_ABSENT = object()


def property_changes(old: Any, new: Any, replaces: ReplacesPath) -> list[PropertyChange]:
    """Every path that differs between two canonical mappings of properties, in the order of keys."""
    return list(_compare(old, new, "", "", replaces))


def child(path: str, key: str) -> str:
    """A property path one key deeper, as Pulumi writes paths: `tags.owner`, `tags["a.b"]`."""
    if _PLAIN_KEY.match(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def identical(old: Any, new: Any) -> bool:
    """Equality of canonical values that tells `true` from `1`."""
    if old is new:
        return True
    if old != new:
        return False
    try:  # version 2: without references, so that equal values are equal bytes; ten times faster
        if marshal.dumps(old, 2) == marshal.dumps(new, 2):
            return True
    except ValueError:
        pass
    return _text(old) == _text(new)


def _compare(
    old: Any, new: Any, path: str, fact: str, replaces: ReplacesPath
) -> Iterator[PropertyChange]:
    """`fact` is the path that facts know: it stops where a JSON document begins."""
    if identical(old, new):
        return
    old_document, new_document = _document(old), _document(new)
    if old_document is not None and new_document is not None:
        frozen = replaces(fact)
        yield from _compare(old_document, new_document, path, fact, lambda _path: frozen)
    elif isinstance(old, dict) and isinstance(new, dict) and old_document is new_document is None:
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _compare(
                old.get(key, _ABSENT),
                new.get(key, _ABSENT),
                child(path, key),
                child(fact, key),
                replaces,
            )
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path, fact, replaces)
    else:
        kind: Literal["add", "delete", "update"] = (
            "add" if old is _ABSENT else "delete" if new is _ABSENT else "update"
        )
        forces, source = replaces(fact)
        yield PropertyChange(
            path=path,
            kind=kind,
            old=None if old is _ABSENT else unwrapped(old),
            new=None if new is _ABSENT else unwrapped(new),
            replaces=forces,
            source=source,
        )


def _lists(
    old: list[Any], new: list[Any], path: str, fact: str, replaces: ReplacesPath
) -> Iterator[PropertyChange]:
    changes = [
        change
        for old_item, new_item, index in _aligned(old, new)
        for change in _compare(old_item, new_item, f"{path}[{index}]", f"{fact}[{index}]", replaces)
    ]
    if not changes:  # the same entries in another order
        forces, source = replaces(fact)
        changes = [PropertyChange(path, "update", unwrapped(old), unwrapped(new), forces, source)]
    yield from changes


def _aligned(old: list[Any], new: list[Any]) -> Iterator[tuple[Any, Any, int]]:
    """Pairs of entries with the index to show: the new one, or the old one of what is gone."""
    key = _naming_key(old, new)
    if key is not None:
        before = {item[key]: item for item in old}
        after = {item[key] for item in new}
        for index, item in enumerate(new):
            yield before.get(item[key], _ABSENT), item, index
        for index, item in enumerate(old):
            if item[key] not in after:
                yield item, _ABSENT, index
        return
    if max(len(old), len(new)) > _ALIGN_LIMIT:
        for index in range(max(len(old), len(new))):
            yield _at(old, index), _at(new, index), index
        return
    matcher = SequenceMatcher(None, list(map(_text, old)), list(map(_text, new)), autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            continue
        for offset in range(max(old_to - old_from, new_to - new_from)):
            has_old, has_new = old_from + offset < old_to, new_from + offset < new_to
            yield (
                old[old_from + offset] if has_old else _ABSENT,
                new[new_from + offset] if has_new else _ABSENT,
                new_from + offset if has_new else old_from + offset,
            )


def _naming_key(old: list[Any], new: list[Any]) -> str | None:
    """The first key by which every entry of both lists has a text of its own."""
    items = [*old, *new]
    if not all(isinstance(item, dict) and _document(item) is None for item in items):
        return None
    for key in _NAMING_KEYS:
        if all(isinstance(item.get(key), str) for item in items) and all(
            len({item[key] for item in side}) == len(side) for side in (old, new)
        ):
            return key
    return None


def _document(value: Any) -> Any:
    return value[JSON] if isinstance(value, dict) and set(value) == {JSON} else None


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else _ABSENT


def _text(value: Any) -> str:
    if value is _ABSENT:
        return ""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
