"""The store of an emulated Azure: resources by id, with ARM's own rules. Knows no network and no Pulumi.

What is refused, and in which words, is as ARM and its resource providers do it: a parent must exist, a
body must have the form of its type, what is create-only stays, a group goes with all that is in it. What no
schema knows stands in `rules`, what a service works out in `computed`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from mlops_iac.emulators.azure import actions, computed, kinds, lists, rules
from mlops_iac.emulators.azure.arm import Answer, ArmError
from mlops_iac.emulators.azure.bodies import from_body, unplaced
from mlops_iac.emulators.azure.puts import Item, Put
from mlops_iac.emulators.azure.tables import Row, row_of
from mlops_iac.emulators.common.checking import check_inputs

# Kinds of which there is one, called `default`, as soon as there is what it is in.
_THERE = ("blobservices", "queueservices")
_OK, _CREATED, _NONE, _MISSING = 200, 201, 204, 404
_PLAIN: Mapping[str, str] = {}


class ArmStore:
    """All resources of one emulated Azure. `base` is its own address; `now` tells the time."""

    def __init__(
        self,
        base: str = "https://localhost",
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.base = base
        self._now = now
        self._lock = threading.RLock()
        self._items: dict[str, Item] = {}
        # (type, name) of what is gone and keeps its name for a while.
        self.kept_names: set[tuple[str, str]] = set()
        # Told of each resource that is taken away.
        self.watchers: list[Callable[[Item], None]] = []

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """`arm.Transport`."""
        path = path.rstrip("/")
        try:
            if "api-version" not in query:
                raise ArmError(400, "MissingApiVersionParameter", "The api-version is required.")
            with self._lock:
                match method:
                    case "GET":
                        return Answer(_OK, self.get(path, query))
                    case "HEAD":
                        return Answer(_NONE if self.find(path) else _MISSING)
                    case "POST":
                        return Answer(_OK, self.act(path))
                    case "PUT":
                        return self.put(path, body)
                    case "PATCH":
                        return self.patch(path, body)
                    case "DELETE":
                        return Answer(_OK if self.delete(path) else _NONE)
                    case _:
                        raise ArmError(405, "MethodNotAllowed", f"{method} is not answered here")
        except ArmError as error:
            return Answer(error.status, error.as_json())

    def get(self, id_: str, query: Mapping[str, str] = _PLAIN) -> dict[str, Any]:
        """A resource, or a page of those of one kind. Raises ArmError."""
        if found := self._items.get(id_.lower()):
            return self._shown(found)
        if not lists.is_kind(id_):
            raise _gone(id_)
        above = _listed_in(id_)
        if above and above.lower() not in self._items:
            raise _gone(above)
        listed = lists.seen(lists.listed(self._items.values(), id_), query)
        shown = [self._shown(each) for each in listed]
        if lists.is_any(id_):
            shown = [lists.tracked(each) for each in shown]
        return lists.paged(shown, f"{self.base}{id_}", query)

    def act(self, path: str) -> dict[str, Any]:
        """Do what the last part of a path says, with what stands before it. Raises ArmError."""
        id_, _, action = path.rpartition("/")
        if (item := self.find(id_)) is None:
            raise _gone(id_)
        return dict(actions.done(item, action))

    def find(self, id_: str) -> Item | None:
        """A resource by its id, in any case."""
        return self._items.get(id_.lower())

    def below(self, id_: str) -> Iterator[Item]:
        """Everything that is in a resource, or extends it."""
        start = f"{id_.lower()}/"
        return (item for key, item in list(self._items.items()) if key.startswith(start))

    def of_type(self, arm: str) -> Iterator[Item]:
        """Everything of an ARM type."""
        return (item for item in list(self._items.values()) if item.row.arm.lower() == arm.lower())

    def put(self, id_: str, body: Any) -> Answer:
        """Make a resource, or replace what is said of it. Raises ArmError."""
        row, above = _taken_apart(id_)
        old = self.find(id_)
        if not isinstance(body, Mapping):
            raise ArmError(400, "InvalidRequestContent", "The request content was invalid.")
        self._need(above, body)
        if old is not None:
            body = _said(body, old.sent, old.document)
        self._check(row, body)
        if old is not None:
            self._keep(row, old, body)
        put = Put(self, id_, row, body, old, self._now())
        rules.check(put)
        document = computed.document(put)
        self._items[id_.lower()] = Item(id_, row, deepcopy(dict(body)), document)
        # Role assignments alone say that they are new; clients of other services take 200 alone.
        new = old is None and row.arm == kinds.ASSIGNMENTS
        return Answer(_CREATED if new else _OK, deepcopy(dict(document)))

    def patch(self, id_: str, body: Any) -> Answer:
        """Change what is said, and leave the rest. Raises ArmError."""
        old = self.find(id_)
        if old is None:
            raise _gone(id_)
        return self.put(id_, _merged(old.sent, body or {}))

    def delete(self, id_: str) -> bool:
        """Take a resource away, with all that is in it; False where there is none. Raises ArmError."""
        row, _ = _taken_apart(id_)
        item = self.find(id_)
        if item is None:
            if row.arm == kinds.BUDGETS:  # whose client knows no answer for absent ones
                raise _gone(id_)
            return False
        rules.may_go(self, item)
        for each in (item, *self.below(id_)):
            rules.gone(self, each)
            self._items.pop(each.id.lower(), None)
            for watcher in self.watchers:
                watcher(each)
        return True

    def _shown(self, item: Item) -> dict[str, Any]:
        """What is answered of it; of what has versions, with the latest."""
        document = deepcopy(dict(item.document))
        if row_of(f"{item.row.arm}/versions") and (versions := [*self.below(item.id)]):
            document["properties"]["latestVersion"] = versions[-1].name
        return document

    def _need(self, above: str, body: Any = None) -> None:
        """The parent must be there; that of a version, whose body is given, comes with it."""
        if not above or above.lower() in self._items:
            return
        row, higher = _taken_apart(above)
        self._need(higher)
        if row.arm == kinds.GROUPS:
            name = above.rpartition("/")[2]
            raise ArmError(
                404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found."
            )
        if row_of(f"{row.arm}/versions") is None:
            raise ArmError(404, "ParentResourceNotFound", f"there is no {above}")
        told = (body or {}).get("properties") or {}
        kind = {"dataType": told["dataType"]} if "dataType" in told else {}
        self.put(above, {"properties": kind})

    def _check(self, row: Row, body: Mapping[str, Any]) -> None:
        if strange := unplaced(row, body):
            raise ArmError(
                400, "InvalidRequestContent", f"{row.arm} has no member {', '.join(strange)}"
            )
        inputs = from_body(row, body)
        fields = {
            name: spec for name, spec in row.inputs.items() if name in inputs or _sent(row, name)
        }
        said = {name: value for name, value in inputs.items() if name in row.inputs}
        if failures := check_inputs(said, fields):
            words = "; ".join(f"{each.property}: {each.reason}" for each in failures)
            raise ArmError(400, "InvalidRequestContent", words)

    def _keep(self, row: Row, old: Item, body: Mapping[str, Any]) -> None:
        """Refuse a change of what is taken at creation alone."""
        # The service adds to what was sent; a client sends either back.
        before = [from_body(row, each) for each in (old.document, old.sent)]
        after = from_body(row, body)
        for path in (*row.refused, *(each for each in row.replaces if _sent(row, each))):
            (here, sent), there = [_at(each, path) for each in before], _at(after, path)
            if here is not None and there is not None and there not in (here, sent):
                raise ArmError(
                    409,
                    "PropertyChangeNotAllowed",
                    f"{path} cannot be changed from {here} to {there}",
                )


def _sent(row: Row, name: str) -> bool:
    """Whether an input stands in the body."""
    return name not in row.path and name not in row.query and name != "resourceGroupName"


def _taken_apart(id_: str) -> tuple[Row, str]:
    """The row of an id's type, and the id of its parent; empty for a group's. Raises ArmError."""
    head, _, tail = id_.rpartition("/providers/")
    if not head:
        row, parts = row_of(kinds.GROUPS), id_.strip("/").split("/")
        if row is None or len(parts) != 4 or parts[2].lower() != "resourcegroups":
            raise ArmError(400, "InvalidResourceId", f"{id_} is no id")
        return row, ""
    namespace, *parts = tail.split("/")
    arm = "/".join((namespace, *parts[::2]))
    row = row_of(arm)
    if row is None or len(parts) % 2:
        raise ArmError(404, "InvalidResourceType", f"{arm} is no type that is emulated")
    *above, _, _ = parts
    if above and above[-2].lower() in _THERE:
        above = above[:-2]
    parent = f"{head}/providers/{namespace}/{'/'.join(above)}" if above else head
    return row, "" if _is_subscription(parent) else parent


def _listed_in(path: str) -> str:
    """The id of what a list is of, empty for a subscription's. Raises ArmError for a kind of no known type."""
    above, _, kind = path.rpartition("/")
    if kind.lower() in ("resources", "resourcegroups"):
        return "" if _is_subscription(above) else above
    _, above = _taken_apart(f"{path}/any")
    return above


def _is_subscription(id_: str) -> bool:
    return id_.strip("/").count("/") < 2


def _gone(id_: str) -> ArmError:
    return ArmError(404, "ResourceNotFound", f"The Resource '{id_}' was not found.")


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _said(body: Any, sent: Any, document: Any) -> Any:
    """What is new, or was sent before: clients send back what a service added to its answer (`vaultUri`)."""
    if not (isinstance(body, Mapping) and isinstance(document, Mapping)):
        return body
    before = sent if isinstance(sent, Mapping) else {}
    return {
        key: _said(value, before.get(key), document.get(key))
        for key, value in body.items()
        if key in before or key not in document or value != document[key]
    }


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    return {**old, **{key: _merged(old.get(key), item) for key, item in new.items()}}
