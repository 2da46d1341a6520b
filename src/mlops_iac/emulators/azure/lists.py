"""Lists, as ARM answers them: by kind below a scope, in pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.puts import Item

PAGE = 100
"""How many one answer holds."""
_TRACKED = ("id", "name", "type", "location", "tags", "kind", "sku", "identity")
_OF_TYPE = re.compile(r"\bresourceType eq '([^']+)'", re.IGNORECASE)
_TOP, _SKIP = "$top", "$skiptoken"


def is_kind(path: str) -> bool:
    """Whether a path ends with a kind, and not with a name."""
    return len(path.split("/")) % 2 == 0


def listed(items: Iterable[Item], path: str) -> list[Item]:
    """Those of the kind that a path ends with, in the order they were made in.

    A kind is asked for in a scope, and found in all that is below it. `resources` are those of all kinds that
    stand in a group themselves.
    """
    path = path.lower()
    scope, under, kind = path.rpartition("/providers/")
    start, end = (f"{scope}/", f"/providers/{kind}") if under else (f"{path}/", path)
    if is_any(path):
        start, end = path.removesuffix("resources"), ""
    return [
        item
        for item in items
        if item.id.lower().startswith(start)
        and item.id.lower().rpartition("/")[0].endswith(end)
        and (end or (item.id.count("/providers/") == 1 and item.row.arm.count("/") == 1))
    ]


def is_any(path: str) -> bool:
    """Whether resources of all kinds are asked for."""
    return path.lower().endswith("/resources")


def tracked(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a list of all kinds says of each."""
    return {key: document[key] for key in _TRACKED if key in document}


def seen(items: Iterable[Item], query: Mapping[str, str]) -> list[Item]:
    """Those that are in view, and of the type that is asked for: what is archived only where that is said."""
    type_ = _OF_TYPE.search(query.get("$filter", ""))
    view = query.get("listviewtype", "ActiveOnly").lower()
    wanted = {"activeonly": (False,), "archivedonly": (True,)}.get(view, (False, True))
    return [
        item
        for item in items
        if bool((item.document.get("properties") or {}).get("isArchived")) in wanted
        and (type_ is None or item.row.arm.lower() == type_[1].lower())
    ]


def paged(found: Sequence[Any], url: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of them. `$top` limits all, `$orderBy` turns them round. Raises ArmError."""
    if query.get("$orderby", query.get("orderby", "")).lower().endswith(" desc"):
        found = found[::-1]
    top, skip = _number(query, _TOP, len(found)), _number(query, _SKIP, 0)
    found = found[:top]
    page: dict[str, Any] = {"value": found[skip : skip + PAGE]}
    if skip + PAGE < len(found):
        page["nextLink"] = f"{url}?{urlencode({**query, _SKIP: str(skip + PAGE)})}"
    return page


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise ArmError(400, "InvalidQueryParameter", f"{name} is {text!r}, and no number")
    return int(text)
