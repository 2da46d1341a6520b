"""IAM's policy documents, taken apart.

Source of the forms: IAM user guide, "IAM JSON policy elements reference",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops_iac.graph.model import Resource
from mlops_iac.graph.redact import parse_document
from mlops_iac.policy.context import Context, items

Kind = Literal["identity", "resource", "trust"]
_REFERENCE = re.compile(r"\$\{[^}]*\}")
# Operators under which a key's value limits what is allowed; `…IfExists` and negations do not.
_LIMITING = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "Bool"}
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one document. Actions and condition keys are in lower case.

    `principals` are ARNs and account ids, `*` for everybody; `services` service principals.
    `conditions` are the keys that limit it, with their values.
    """

    resource: Resource
    kind: Kind
    sid: str
    allow: bool
    actions: tuple[str, ...]
    every_action_but: bool
    resources: tuple[str, ...]
    every_resource_but: bool
    principals: tuple[str, ...]
    services: tuple[str, ...]
    conditions: Mapping[str, tuple[str, ...]]

    @property
    def called(self) -> str:
        """`statement ReadData`, or `a statement without Sid`."""
        return f"statement {self.sid}" if self.sid else "a statement without Sid"

    def limited_by(self, *keys: str) -> bool:
        """Whether a condition limits one of these keys; `x/*` stands for every key below `x/`."""
        wanted = [key.lower() for key in keys]
        return any(
            key == each or (each.endswith("*") and key.startswith(each[:-1]))
            for key, values in self.conditions.items()
            for each in wanted
            if values and "*" not in values
        )


def statements(context: Context) -> tuple[Statement, ...]:
    """Every statement of every document in the stack; what is not known yet has none."""
    return context.once("statements", lambda: tuple(_statements(context)))


def _statements(context: Context) -> Iterator[Statement]:
    for resource in context.resources:
        for key, value in resource.inputs.items():
            yield from _of(resource, key, value)
        for inline in items(resource.inputs.get("inlinePolicies")):
            if isinstance(inline, Mapping):
                yield from _of(resource, "policy", inline.get("policy"))


def _of(resource: Resource, key: str, value: Any) -> Iterator[Statement]:
    document = parse_document(value) if isinstance(value, str) else value
    if not isinstance(document, Mapping) or "Statement" not in document:
        return
    for each in items(document["Statement"]):
        if isinstance(each, Mapping) and "Effect" in each:
            yield _statement(resource, key, each)


def _statement(resource: Resource, key: str, each: Mapping[str, Any]) -> Statement:
    principals, services = _principals(each)
    kind: Kind = "identity"
    if key == "assumeRolePolicy":
        kind = "trust"
    elif "Principal" in each or "NotPrincipal" in each:
        kind = "resource"
    return Statement(
        resource=resource,
        kind=kind,
        sid=str(each.get("Sid", "")),
        allow=each["Effect"] == "Allow",
        actions=tuple(text.lower() for text in _words(each.get("Action", each.get("NotAction")))),
        every_action_but="NotAction" in each,
        resources=tuple(_words(each.get("Resource", each.get("NotResource")))),
        every_resource_but="NotResource" in each,
        principals=tuple(principals),
        services=tuple(services),
        conditions=_conditions(each.get("Condition")),
    )


def _principals(each: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    if "NotPrincipal" in each:
        return ["*"], []
    written = each.get("Principal")
    if isinstance(written, str):
        return [written], []
    if not isinstance(written, Mapping):
        return [], []
    people = [text for kind in ("AWS", "Federated") for text in _words(written.get(kind))]
    return people, list(_words(written.get("Service")))


def _conditions(written: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for operator, keys in written.items() if isinstance(written, Mapping) else ():
        if str(operator).removeprefix("ForAnyValue:") in _LIMITING and isinstance(keys, Mapping):
            for key, values in keys.items():
                found[str(key).lower()] = tuple(_words(values))
    return found


def _words(value: Any) -> Iterator[str]:
    yield from (str(each) for each in items(value))


def is_broad(resource: str) -> bool:
    """Whether an ARN pattern takes in what others own: `*`, any bucket, every key, any account."""
    text = _REFERENCE.sub("x", resource)
    if text == "*" or (text and not text.strip("*?")):
        return True
    parts = text.split(":", 5)
    if len(parts) < 6:
        return False
    service, account, rest = parts[2], parts[4], parts[5]
    if service == "s3":
        return bool(re.search(r"[*?]", rest.split("/", 1)[0]))
    if re.search(r"[*?]", account) or re.search(r"[*?]", service):
        return True
    return not re.split(r"[/:]", rest, maxsplit=1)[-1].strip("*?")


def accounts(texts: Iterable[str]) -> Iterator[str]:
    """The account ids that principals name."""
    for text in texts:
        if match := re.fullmatch(r"(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?", text):
            yield match[1]
