"""Automatic names: made once, in `check`, from the seed or by what the stack's configuration proposes.

As bridged providers do it: the logical name, a hyphen and seven hex digits, cut to the type's limit. A
proposed name (`pulumi:autonaming`) is not cut: it is refused where it is too long
(pulumi-terraform-bridge, `ComputeAutoNameDefault`).
A `namePrefix` is honoured, and finished the way Terraform does it (26 characters).
Limits: the SDK's `resources.go` (autonaming) and the services' own API models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mlops_iac.emulators.provider import CheckFailure
from mlops_iac.values import Value

# The bridge's own mark (pulumi-terraform-bridge, `__defaults`): which inputs `check` filled in.
DEFAULTS = "__defaults"


@dataclass(frozen=True, slots=True)
class NameRule:
    """How a type's name is made. `limit` counts characters; `prefix` is the prefix property."""

    property: str = "name"
    limit: int = 255
    prefix: str = ""
    lower: bool = False
    start: str = ""
    # (boolean input, ending): a FIFO queue's name ends in `.fifo`
    ending: tuple[str, str] = ("", "")


def complete_name(
    rule: NameRule,
    urn: str,
    olds: Mapping[str, Value] | None,
    news: Mapping[str, Value],
    seed: bytes,
    proposed: str | None = None,
) -> tuple[dict[str, Value], list[CheckFailure]]:
    """`news` with the name filled in where the program gave none, and what is wrong with it."""
    inputs = dict(news)
    if inputs.get(rule.property) is not None:
        return inputs, []
    refused = []
    previous = (olds or {}).get(rule.property)
    was_automatic = rule.property in ((olds or {}).get(DEFAULTS) or ())
    prefix = inputs.get(rule.prefix) if rule.prefix else None
    if previous is not None and was_automatic and (olds or {}).get(rule.prefix) == prefix:
        inputs[rule.property] = previous
    elif proposed is not None and prefix is None:
        name = inputs[rule.property] = _allowed(rule, proposed)
        if len(name) > rule.limit:
            what = f"calculated name '{name}' exceeds maximum length of {rule.limit}"
            refused.append(CheckFailure(rule.property, what))
    else:
        inputs[rule.property] = _make(rule, urn, prefix, inputs, seed)
    inputs[DEFAULTS] = sorted({*(inputs.get(DEFAULTS) or ()), rule.property})
    return inputs, refused


def _make(rule: NameRule, urn: str, prefix: Value, inputs: Mapping[str, Any], seed: bytes) -> Value:
    digest = sha256(seed).hexdigest()
    if prefix is not None:
        return f"{prefix}{digest[:26]}" if isinstance(prefix, str) else prefix
    flag, ending = rule.ending
    tail = f"-{digest[:7]}" + (ending if flag and inputs.get(flag) is True else "")
    logical = urn.rsplit("::", 1)[-1]
    logical = _allowed(rule, logical)
    if rule.start and logical.startswith(rule.start):
        logical = logical.removeprefix(rule.start)
    head = rule.start + logical
    return head[: rule.limit - len(tail)].rstrip("-.") + tail


def _allowed(rule: NameRule, name: str) -> str:
    return re.sub(r"[^a-z0-9.-]", "-", name.lower()) if rule.lower else name
