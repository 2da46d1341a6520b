"""Glue: databases and tables of the catalogue. Ids begin with the catalogue's, which is the account."""

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties

_ARN = "arn:{partition}:glue:{region}:{account}:"
_OUTSIDE = ("catalogId", "databaseName", "tags")


class _Catalogued(Handler):
    """What Glue takes as one structure, `input_member`, beside the names it is found by."""

    service = "glue"
    input_member = ""
    renames = {"storageDescriptor.serDeInfo": "SerdeInfo"}

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """Within its catalogue and database."""
        tags = self.sent(inputs).get("tags")
        return {
            **self.whole(api, self.create_op, self.id_in(api, inputs), inputs),
            **({"Tags": tags} if tags else {}),
        }

    def whole(self, api: Api, operation: str, id_: str, inputs: Properties) -> dict[str, Any]:
        """The structure, where it stands; a table has its name in it alone."""
        sent = self.sent(inputs, *_OUTSIDE)
        where = self.where(operation, id_, inputs)
        if self.input_member == "TableInput":
            where.pop("Name", None)
        return {
            **where,
            self.input_member: api.part("glue", self.input_member, sent, self.renames),
        }

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Send the whole again, then settle the tags."""
        api.call("glue", self.update_op, **self.whole(api, self.update_op, id_, new))
        self.settle_tags(api, old, new)


class CatalogDatabase(_Catalogued):
    """A database. Its id is `catalogue:name`."""

    type = "aws:glue/catalogDatabase:CatalogDatabase"
    create_op, read_op = "CreateDatabase", "GetDatabase"
    update_op, delete_op = "UpdateDatabase", "DeleteDatabase"
    answer, input_member = "Database", "DatabaseInput"
    name = NameRule(limit=255)
    id, key = "{catalogId}:{name}", {"CatalogId": "catalogId", "Name": "name"}
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
    key = {"CatalogId": "catalogId", "DatabaseName": "databaseName", "Name": "name"}
    computed = {"arn": _ARN + "table/{databaseName}/{name}", "catalogId": "{account}"}


HANDLERS: list[Handler] = [CatalogDatabase(), CatalogTable()]
