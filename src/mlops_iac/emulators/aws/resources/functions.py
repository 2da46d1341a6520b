"""Lambda functions and their permissions."""

from __future__ import annotations

import json
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler, Part
from mlops_iac.emulators.aws.translation import asset_bytes
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Asset, Properties, Value, reveal

_CODE = ("code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri")
_LOCAL = ("sourceCodeHash", "skipDestroy", "replaceSecurityGroupsOnDestroy", "publish")
_ARN = "arn:{partition}:lambda:{region}:{account}:function:{name}"
_INVOKE = "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/"


class Function(Handler):
    """A function. Its id is its name. moto runs none without Docker; it is created, not executed."""

    type = "aws:lambda/function:Function"
    service = "lambda"
    create_op, read_op, delete_op = "CreateFunction", "GetFunction", "DeleteFunction"
    key = {"FunctionName": "name"}
    renames = {"name": "FunctionName", "arn": "FunctionArn", "lastModified": "LastModified"}
    name = NameRule(limit=64)
    computed = {
        "arn": _ARN,
        "invokeArn": _INVOKE + _ARN + "/invocations",
        "qualifiedArn": _ARN + ":{}",
        "qualifiedInvokeArn": _INVOKE + _ARN + ":{}/invocations",
        "codeSha256": "{}",
        "lastModified": "{}",
        "version": "$LATEST",
    }
    defaults = {
        "memorySize": 128,
        "timeout": 3,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "architectures": ["x86_64"],
    }
    local = frozenset({*_LOCAL, *_CODE, "reservedConcurrentExecutions"})
    not_kept = frozenset(
        {*_LOCAL, *_CODE, "loggingConfig", "deadLetterConfig", "snapStart", "durableConfig"}
    )
    volatile = frozenset(
        {"lastModified", "qualifiedArn", "qualifiedInvokeArn", "version", "codeSha256"}
    )
    tag_style = "lambda"
    parts = (
        Part(
            ["reservedConcurrentExecutions"],
            "PutFunctionConcurrency",
            "DeleteFunctionConcurrency",
        ),
    )

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """With its code."""
        code, publish = _code(reveal(dict(inputs))), bool(inputs.get("publish"))
        return {**super().request(api, inputs, token), "Code": code, "Publish": publish}

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Configuration, tags and concurrency."""
        answer = api.look("lambda", "GetFunction", FunctionName=id_)
        if answer is None:
            return None
        data = answer["Configuration"]
        fields = self.schema.outputs
        found = api.properties("lambda", "FunctionConfiguration", data, fields, self.renames)
        found["codeSha256"] = data["CodeSha256"]
        found["tags"] = dict(answer.get("Tags") or {})
        reserved = (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions", -1)
        found["reservedConcurrentExecutions"] = reserved
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Configuration and code have an operation each."""
        sent = self.sent(new, "tags", "packageType", "architectures", "codeSigningConfigArn")
        if changed(old.inputs, new, sent.keys() | old.inputs.keys() - set(_CODE) - {"tags"}):
            parameters = api.params("lambda", "UpdateFunctionConfiguration", sent, self.renames)
            api.call("lambda", "UpdateFunctionConfiguration", **parameters)
        if changed(old.inputs, new, [*_CODE, "sourceCodeHash"]):
            code = _code(reveal(dict(new)))
            publish = bool(new.get("publish"))
            api.call("lambda", "UpdateFunctionCode", FunctionName=id_, Publish=publish, **code)
        self.settle(api, id_, old.inputs, new)
        self.settle_tags(api, old, new)


def _code(plain: Properties) -> dict[str, Any]:
    """The code as the API takes it."""
    code = plain.get("code")
    if isinstance(code, Asset):
        return {"ZipFile": asset_bytes(code)}
    given = [name for name in _CODE if plain.get(name) is not None]
    found = {name[0].upper() + name[1:]: plain[name] for name in given}
    if not found:
        raise ProviderError("a function needs code: an archive, s3Bucket and s3Key, or imageUri")
    return found


class Permission(Handler):
    """Who may invoke a function. Its id is the statement's."""

    type = "aws:lambda/permission:Permission"
    service = "lambda"
    create_op, delete_op = "AddPermission", "RemovePermission"
    key = {"FunctionName": "function", "StatementId": "statementId"}
    name = NameRule("statementId", limit=100, prefix="statementIdPrefix")
    renames = {"function": "FunctionName", "principalOrgId": "PrincipalOrgID"}
    id = "{statementId}"

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Found in the function's policy by its statement id."""
        function = self.named(id_, known)["function"]
        answer = api.look("lambda", "GetPolicy", FunctionName=function) or {"Policy": "{}"}
        for statement in json.loads(answer["Policy"]).get("Statement", []):
            if statement.get("Sid") == id_:
                return _permission(statement, known)
        return None


def _permission(statement: dict[str, Any], known: Properties) -> dict[str, Value]:
    principal = statement["Principal"]
    if isinstance(principal, dict):
        principal = next(iter(principal.values()))
    condition = statement.get("Condition") or {}
    arn = condition.get("ArnLike", {}).get("AWS:SourceArn")
    account = condition.get("StringEquals", {}).get("AWS:SourceAccount")
    return {
        "statementId": statement["Sid"],
        "action": statement["Action"],
        "principal": principal,
        "function": known["function"],
        **({"sourceArn": arn} if arn else {}),
        **({"sourceAccount": account} if account else {}),
    }


HANDLERS: list[Handler] = [Function(), Permission()]
