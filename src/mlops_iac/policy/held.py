"""What templates hold a rule to, and the settings above that would undo it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_iac.blueprint.source import Entry, problem
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic
from mlops_iac.policy.model import Rule, Severity


@dataclass(frozen=True, slots=True)
class Held:
    """What templates hold a rule to.

    `by` says which and where, `acme/standard@2.1.0 (policies.yaml:4)`. `kept`: it is not switched
    off above. `parameters` are those that stay, each with who says so.
    """

    by: str
    severity: Severity | None = None
    kept: bool = False
    parameters: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    exceptions: bool = True


class Settings(Protocol):
    """What a file says of one rule."""

    @property
    def severity(self) -> Severity | None: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...


def undone(
    rule: Rule, held: Held, entry: Entry, setting: Settings, path: str
) -> Iterator[Diagnostic]:
    """What a setting above would undo; `entry` is where it is written."""
    written = entry.value.entries
    if not setting.enabled and held.kept:
        message = f"{rule.id} cannot be switched off: {held.by} holds to it"
        yield problem(written["enabled"].value, "locked", message, path=path, hint=_HINT)
    if setting.severity == "advisory" and held.severity == "mandatory":
        message = f"{rule.id} is made mandatory by {held.by}"
        yield problem(written["severity"].value, "locked", message, path=path, hint=_HINT)
    for name, value in setting.parameters.items():
        if name in held.parameters and held.parameters[name][0] != value:
            wanted, by = held.parameters[name]
            message = f"{rule.id}: {name} is set to {_shown(wanted)} by {by}"
            yield problem(written[name].value, "locked", message, path=path, hint=_HINT)


_HINT = "remove it, or ask the template's owner"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{listed(value, ',')}]" if len(value) < 2 else f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
