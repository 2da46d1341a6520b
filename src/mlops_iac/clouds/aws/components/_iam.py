"""Policies whose every statement says why it is there, and whose wildcards say it twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

from ._context import Context

# An S3 object ARN that ends in `/*` names the objects below one prefix, which is no wildcard over
# resources of other owners; every other `*` or `?` in a resource is one.
_OBJECTS = re.compile(r"arn:[\w-]+:s3:::[^*?/]+(/[^*?]*)?/\*")

Conditions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. Make it with `statement`."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[pulumi.Input[str], ...]
    reason: str
    wildcard: str = ""
    effect: Literal["Allow", "Deny"] = "Allow"
    principal: Mapping[str, Any] | str | None = None
    conditions: Conditions = field(default_factory=dict)


def statement(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    *,
    reason: str,
    wildcard: str = "",
    effect: Literal["Allow", "Deny"] = "Allow",
    principal: Mapping[str, Any] | str | None = None,
    conditions: Conditions | None = None,
) -> Statement:
    """One statement: `reason` says why it exists, `wildcard` why a `*` in it is necessary.

    A policy of a resource or a trust policy needs a `principal` (`{"Service": …}`, `{"AWS": …}`,
    `"*"`); a trust policy has no `resources`. Raises ValueError for an id that is not
    alphanumeric, a missing reason, no action, or a wildcard without its reason. Resources that
    are outputs are checked once they are known, by `policy_document`.
    """
    if not re.fullmatch(r"[A-Za-z0-9]+", sid):
        raise ValueError(f"statement id {sid!r} may hold letters and digits only")
    if not reason.strip():
        raise ValueError(f"statement {sid} has no reason")
    if not actions:
        raise ValueError(f"statement {sid} names no action")
    result = Statement(
        sid=sid,
        actions=tuple(actions),
        resources=tuple(resources),
        reason=reason,
        wildcard=wildcard,
        effect=effect,
        principal=principal,
        conditions=conditions or {},
    )
    _check_wildcards(result, [text for text in result.resources if isinstance(text, str)])
    return result


def policy_document(*statements: Statement) -> pulumi.Output[str]:
    """The statements as a JSON policy. Raises ValueError for two statements of one id."""
    ids = [each.sid for each in statements]
    if len(set(ids)) != len(ids):
        raise ValueError(f"statement ids are not unique: {', '.join(ids)}")
    # All outputs at once: one for each value in a document is most of what a program computes.
    parts = [(each.resources, each.principal, each.conditions) for each in statements]

    def written(known: Sequence[Any]) -> str:
        filled = _filled(parts, iter(known))
        rendered = [_render(each, *own) for each, own in zip(statements, filled, strict=True)]
        return json.dumps({"Version": "2012-10-17", "Statement": rendered})

    return pulumi.Output.all(*_outputs(parts)).apply(written)


def trust(
    context: Context, service: str, *, source_arn: pulumi.Input[str] | None = None
) -> pulumi.Output[str]:
    """The trust policy of a role that one AWS service assumes for this account alone.

    `source_arn` narrows it to one caller, e.g. a schedule group (never a single schedule: the
    Scheduler user guide, "Cross-service confused deputy prevention"). Not for
    `lambda.amazonaws.com`, which sends neither condition key.
    """
    if service == "lambda":
        raise ValueError("Lambda sends no aws:SourceAccount; use `lambda_trust`")
    conditions: dict[str, dict[str, Any]] = {"StringEquals": {"aws:SourceAccount": context.account}}
    if source_arn is not None:
        conditions["ArnEquals"] = {"aws:SourceArn": source_arn}
    return policy_document(
        statement(
            "Assume",
            ["sts:AssumeRole"],
            [],
            reason=f"{service} acts with this role, on behalf of this account only",
            principal={"Service": context.service(service)},
            conditions=conditions,
        )
    )


def lambda_trust(context: Context) -> pulumi.Output[str]:
    """The trust policy of a function's role; Lambda sends no source condition keys."""
    return policy_document(
        statement(
            "Assume",
            ["sts:AssumeRole"],
            [],
            reason="the function runs with this role",
            principal={"Service": context.service("lambda")},
        )
    )


def _outputs(value: Any) -> Iterator[pulumi.Output[Any]]:
    match value:
        case pulumi.Output():
            yield value
        case Mapping():
            yield from _outputs(list(value.values()))
        case list() | tuple():
            for item in value:
                yield from _outputs(item)


def _filled(value: Any, known: Iterator[Any]) -> Any:
    """`value` with what its outputs came to, in the order of `_outputs`."""
    match value:
        case pulumi.Output():
            return next(known)
        case Mapping():
            return {key: _filled(item, known) for key, item in value.items()}
        case list() | tuple():
            return [_filled(item, known) for item in value]
        case _:
            return value


def _render(
    each: Statement, resources: list[str], principal: Any, conditions: Any
) -> dict[str, Any]:
    _check_wildcards(each, resources)
    document: dict[str, Any] = {"Sid": each.sid, "Effect": each.effect}
    if principal is not None:
        document["Principal"] = principal
    document["Action"] = each.actions[0] if len(each.actions) == 1 else list(each.actions)
    if resources:
        document["Resource"] = resources[0] if len(resources) == 1 else resources
    if conditions:
        document["Condition"] = conditions
    return document


def _check_wildcards(each: Statement, resources: Sequence[str]) -> None:
    wild = [text for text in (*each.actions, *resources) if _is_wildcard(text)]
    if wild and not each.wildcard.strip():
        raise ValueError(f"statement {each.sid}: {', '.join(wild)} is a wildcard without a reason")


def _is_wildcard(text: str) -> bool:
    return ("*" in text or "?" in text) and not _OBJECTS.fullmatch(text)
