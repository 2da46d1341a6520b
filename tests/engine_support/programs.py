"""Stack targets over small programs written to a temporary folder."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from mlops_iac.engine.protocol import StackTarget

HEAD = """\
import json
import pulumi
from pulumi_aws import iam, s3, sns, sqs, ssm
O = pulumi.ResourceOptions
"""


def write_program(folder: Path, body: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    (folder / "__main__.py").write_text(HEAD + dedent(body))


def make_target(folder: Path, body: str | None = None, **changes: Any) -> StackTarget:
    if body is not None:
        write_program(folder / "program", body)
    values: dict[str, Any] = {
        "program": folder / "program",
        "project": "proj",
        "stack": "local",
        "config": {"aws:region": "eu-west-1"},
        "work": folder / ".mlops-iac",
        "region": "eu-west-1",
    }
    return StackTarget(**{**values, **changes})


# A module of a program: a dynamic resource whose things lie in a file, with every call it served.
SHELF = '''\
import json
import os
from pathlib import Path

import pulumi
from pulumi.dynamic import (
    CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, ResourceProvider,
    UpdateResult,
)


class Shelf(ResourceProvider):
    """Items by name. `size` is changed in place, `place` replaces, `note` is nobody's business."""

    def __init__(self, hint="none"):
        super().__init__()
        self.hint = hint

    def configure(self, req):
        self.unit = req.config.get("unit") or "m"

    def _items(self, props, method):
        self._file = Path(props["file"])
        items = json.loads(self._file.read_text()) if self._file.exists() else {}
        items.setdefault("calls", []).append(method)
        return items

    def _keep(self, items):
        self._file.write_text(json.dumps(items))

    def _outs(self, props):
        return {**props, "made": {"size": f"{props['size']} {self.unit}"}, "list": {"0": "a"}}

    def check(self, olds, news):
        if news.get("size") == "bad":
            return CheckResult(news, [CheckFailure("size", "is not a size")])
        return CheckResult({**news, "list": ["a"]}, [])

    def diff(self, id_, olds, news):
        differs = [key for key in ("place", "size") if olds.get(key) != news.get(key)]
        return DiffResult(bool(differs), [key for key in differs if key == "place"], [], True)

    def create(self, props):
        print("creating", props["name"])
        items = self._items(props, "create")
        if props.get("size") == "fails":
            raise RuntimeError("the shelf is full")
        if props["size"] == "dies":
            os._exit(9)
        items[props["name"]] = props["size"]
        self._keep(items)
        return CreateResult(props["name"], self._outs(props))

    def read(self, id_, props):
        items = self._items(props, "read")
        if id_ not in items:
            return ReadResult("", {})
        return ReadResult(id_, self._outs({**props, "size": items[id_]}))

    def update(self, id_, olds, news):
        items = self._items(news, "update")
        items[id_] = news["size"]
        self._keep(items)
        return UpdateResult(self._outs(news))

    def delete(self, id_, props):
        items = self._items(props, "delete")
        items.pop(id_, None)
        self._keep(items)


class Item(Resource, module="shelf", name="Item"):
    made: pulumi.Output[dict]

    def __init__(self, name, file, size, opts=None, **more):
        props = {"file": str(file), "name": name, "size": size, "made": None, "list": None, **more}
        super().__init__(Shelf(), name, props, opts)
'''
