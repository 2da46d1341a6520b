"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mlops_iac.errors import Diagnostic
    from mlops_iac.graph.model import Resource
    from mlops_iac.policy.context import Context

Severity = Literal["mandatory", "advisory"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule at one place, as it is shown, saved and posted.

    `address` and `urn` are empty where the stack lacks a resource. `path` is the blueprint path to
    change, `file` and `line` (from 1; 0: the whole file) where it is written. `suppressed_by` is
    the blueprint path of the exception that lets it pass, with its reason; empty where it counts.
    """

    rule: str
    severity: Severity
    message: str
    address: str = ""
    urn: str = ""
    remediation: str = ""
    source: str = ""
    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    length: int = 1
    snippet: str = ""
    suppressed_by: str = ""

    @property
    def counts(self) -> bool:
        """Whether it stops a deployment."""
        return self.severity == "mandatory" and not self.suppressed_by

    @property
    def place(self) -> str:
        """`blueprint.yaml:41 serving.api.compute`; empty where nothing is known."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where} {self.path}".strip()


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule's `check` yields.

    `resource` is the one that breaks the rule, or None where the stack lacks one. `path` is the
    blueprint path to point at where the rule knows it better than the resource's component.
    """

    message: str
    resource: Resource | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing about a rule that `policies.yaml` can set.

    `kind` is `texts` (a list of texts), `integer` (at least `least`) or `flag`.
    """

    kind: Literal["texts", "integer", "flag"]
    default: Any
    description: str
    least: int = 0


def placed(at: Diagnostic | Finding) -> dict[str, Any]:
    """Where something is written, for another diagnostic or finding about it."""
    return {key: getattr(at, key) for key in ("file", "line", "column", "length", "snippet")}


Check = Callable[["Context"], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One guard rail.

    `id` is what exceptions and configuration call it; `why` the reason in one or two sentences;
    `remediation` what to write where; `source` the standard or manual that asks for it, with its
    address. `production` rules look only at production-like stacks: every one that is protected
    and not `local`.
    """

    id: str
    title: str
    severity: Severity
    why: str
    remediation: str
    source: str
    check: Check
    production: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
