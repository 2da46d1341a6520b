"""Glue: databases and tables of the catalogue. Ids begin with the catalogue's, which is the account."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.naming import NameRule
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value

_ARN = "arn:{partition}:glue:{region}:{account}:"
_OUTSIDE = ("catalogId", "databaseName", "tags")


class _Catalogued(Handler):
    """What Glue takes as one structure, `input_member`, beside the names it is found by."""

    service = "glue"
    input_member = ""
    renames = {"storageDescriptor.serDeInfo": "SerdeInfo"}

    def where(self, id_: str) -> dict[str, Any]:
        """The parameters that name it, from its id."""
        catalogue, *names = id_.split(":")
        members = ("DatabaseName", "Name")[-len(names) :]
        return {"CatalogId": catalogue, **dict(zip(members, names, strict=True))}

    def wrapped(self, api: Api, inputs: Properties) -> dict[str, Any]:
        """The structure."""
        sent = self.sent(inputs, *_OUTSIDE)
        return {self.input_member: api.part("glue", self.input_member, sent, self.renames)}

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create within its catalogue and database."""
        id_ = self.id_of({"catalogId": api.place.account, **inputs})
        where = self.where(id_)
        if tags := self.sent(inputs).get("tags"):
            where["Tags"] = tags
        del where["Name"]
        api.call("glue", self.create_op, **where, **self.wrapped(api, inputs))
        return id_

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """By catalogue and names."""
        answer = api.look("glue", self.read_op, **self.where(id_))
        return None if answer is None else self.from_answer(api, answer[self.answer])

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Send the whole again, then settle the tags."""
        where = self.where(id_)
        if self.input_member == "TableInput":
            del where["Name"]
        api.call("glue", self.update_op, **where, **self.wrapped(api, new))
        self.settle_tags(api, old, new)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete; a database takes its tables along."""
        api.look("glue", self.delete_op, **self.where(id_))

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By its names."""
        id_ = self.id_of({"catalogId": api.place.account, **inputs})
        return id_ if self.read(api, id_, inputs) is not None else None


class CatalogDatabase(_Catalogued):
    """A database. Its id is `catalogue:name`."""

    type = "aws:glue/catalogDatabase:CatalogDatabase"
    create_op, read_op = "CreateDatabase", "GetDatabase"
    update_op, delete_op = "UpdateDatabase", "DeleteDatabase"
    answer, input_member = "Database", "DatabaseInput"
    name = NameRule(limit=255)
    id = "{catalogId}:{name}"
    computed = {"arn": _ARN + "database/{name}", "catalogId": "{account}"}
    tag_style = "glue"

    def read_tags(self, api: Api, found: Properties) -> dict[str, str]:
        """By the ARN, which no answer holds."""
        at = api.place
        arn = f"arn:{at.partition}:glue:{at.region}:{at.account}:database/{found['name']}"
        return super().read_tags(api, {**found, "arn": arn})


class CatalogTable(_Catalogued):
    """A table. Its id is `catalogue:database:name`."""

    type = "aws:glue/catalogTable:CatalogTable"
    create_op, read_op = "CreateTable", "GetTable"
    update_op, delete_op = "UpdateTable", "DeleteTable"
    answer, input_member = "Table", "TableInput"
    name = NameRule(limit=255)
    id = "{catalogId}:{databaseName}:{name}"
    computed = {"arn": _ARN + "table/{databaseName}/{name}", "catalogId": "{account}"}


HANDLERS: list[Handler] = [CatalogDatabase(), CatalogTable()]
