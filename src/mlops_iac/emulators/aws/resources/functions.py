"""Lambda functions and their permissions."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.translation import asset_bytes
from mlops_iac.emulators.common.handler import changed, made
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
    key = "FunctionName"
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

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create with its code."""
        parameters = api.params("lambda", "CreateFunction", self.sent(inputs), self.renames)
        publish = bool(inputs.get("publish"))
        code = _code(reveal(dict(inputs)))
        api.call("lambda", "CreateFunction", **parameters, Code=code, Publish=publish)
        with made(str(inputs["name"])):
            self._reserve(api, str(inputs["name"]), inputs)
        return str(inputs["name"])

    def _reserve(self, api: Api, name: str, inputs: Properties) -> None:
        count = inputs.get("reservedConcurrentExecutions")
        if count is not None and count >= 0:
            api.call(
                "lambda",
                "PutFunctionConcurrency",
                FunctionName=name,
                ReservedConcurrentExecutions=count,
            )

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
        if changed(old.inputs, new, ["reservedConcurrentExecutions"]):
            api.look("lambda", "DeleteFunctionConcurrency", FunctionName=id_)
            self._reserve(api, id_, new)
        self.settle_tags(api, old, new)


def _code(plain: Properties) -> dict[str, Any]:
    """The code as the API takes it."""
    code = plain.get("code")
    if isinstance(code, Asset):
        return {"ZipFile": asset_bytes(code)}
    found = {
        member: plain[name]
        for name, member in (
            ("s3Bucket", "S3Bucket"),
            ("s3Key", "S3Key"),
            ("s3ObjectVersion", "S3ObjectVersion"),
            ("imageUri", "ImageUri"),
        )
        if plain.get(name) is not None
    }
    if not found:
        raise ProviderError("a function needs code: an archive, s3Bucket and s3Key, or imageUri")
    return found


def code_hash(content: bytes) -> str:
    """Base64 of the SHA-256, as Lambda names a package."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class Permission(Handler):
    """Who may invoke a function. Its id is the statement's."""

    type = "aws:lambda/permission:Permission"
    service = "lambda"
    create_op = "AddPermission"
    name = NameRule("statementId", limit=100, prefix="statementIdPrefix")
    renames = {"function": "FunctionName", "principalOrgId": "PrincipalOrgID"}
    id = "{statementId}"

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Found in the function's policy by its statement id."""
        if not known.get("function"):
            raise ProviderError(f"permission {id_}: its function is not known")
        answer = api.look("lambda", "GetPolicy", FunctionName=known["function"])
        if answer is None:
            return None
        for statement in json.loads(answer["Policy"]).get("Statement", []):
            if statement.get("Sid") == id_:
                return _permission(statement, known)
        return None

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Remove."""
        function = state.inputs["function"]
        api.look("lambda", "RemovePermission", FunctionName=function, StatementId=id_)


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
