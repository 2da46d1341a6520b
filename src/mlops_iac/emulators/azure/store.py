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

from mlops_iac.emulators.azure import computed, kinds, rules
from mlops_iac.emulators.azure.arm import Answer, ArmError
from mlops_iac.emulators.azure.bodies import from_body, unplaced
from mlops_iac.emulators.azure.puts import Item, Put
from mlops_iac.emulators.azure.tables import Row, row_of
from mlops_iac.emulators.common.checking import check_inputs

# Kinds of which there is one, called `default`, as soon as there is what it is in.
_THERE = ("blobservices", "queueservices")
_OK, _CREATED, _NONE = 200, 201, 204


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

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """`arm.Transport`."""
        path = path.rstrip("/")
        try:
            if "api-version" not in query:
                raise ArmError(400, "MissingApiVersionParameter", "The api-version is required.")
            with self._lock:
                match method:
                    case "GET":
                        return Answer(_OK, self.get(path))
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

    def get(self, id_: str) -> dict[str, Any]:
        """A resource, or a list of those of one kind. Raises ArmError."""
        if found := self._items.get(id_.lower()):
            return deepcopy(dict(found.document))
        if (listed := self._list(id_)) is not None:
            return {"value": listed}
        raise _gone(id_)

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
        self._need(above)
        if not isinstance(body, Mapping):
            raise ArmError(400, "InvalidRequestContent", "The request content was invalid.")
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
        item = self.find(id_)
        if item is None:
            return False
        rules.may_go(self, item)
        for each in (item, *self.below(id_)):
            rules.gone(self, each)
            self._items.pop(each.id.lower(), None)
        return True

    def _need(self, above: str) -> None:
        """The parent must be there; that of a version comes with it."""
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
        self.put(above, {"properties": {}})

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
        before, after = from_body(row, old.document), from_body(row, body)
        for path in (*row.refused, *(each for each in row.replaces if _sent(row, each))):
            here, there = _at(before, path), _at(after, path)
            if there is not None and here != there and here is not None:
                raise ArmError(
                    409,
                    "PropertyChangeNotAllowed",
                    f"{path} cannot be changed from {here} to {there}",
                )

    def _list(self, path: str) -> list[Any] | None:
        """The resources of the kind that a path ends with; None where it names no kind."""
        start = f"{path.lower()}/"
        found = [
            deepcopy(dict(item.document))
            for key, item in self._items.items()
            if key.startswith(start) and "/" not in key[len(start) :]
        ]
        return found if found or len(path.split("/")) % 2 == 0 else None


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
    row = row_of("/".join((namespace, *parts[::2])))
    if row is None or len(parts) % 2:
        raise ArmError(404, "InvalidResourceType", f"{tail} is no type that is emulated")
    *above, _, _ = parts
    if above and above[-2].lower() in _THERE:
        above = above[:-2]
    parent = f"{head}/providers/{namespace}/{'/'.join(above)}" if above else head
    return row, "" if _is_subscription(parent) else parent


def _is_subscription(id_: str) -> bool:
    return id_.strip("/").count("/") < 2


def _gone(id_: str) -> ArmError:
    return ArmError(404, "ResourceNotFound", f"The Resource '{id_}' was not found.")


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    return {**old, **{key: _merged(old.get(key), item) for key, item in new.items()}}
