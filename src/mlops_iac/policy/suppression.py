"""The blueprint's `exceptions`: who lets a finding pass, where, why and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from mlops_iac.policy.model import Finding, placed

if TYPE_CHECKING:
    from mlops_iac.blueprint import ResolvedBlueprint
    from mlops_iac.blueprint.sections.platform import PolicyException

EXPIRED: Final = "expired-exception"
EVERYWHERE: Final = "."
"""What `at` says for the stack as a whole."""


def suppress(
    findings: Iterable[Finding],
    resolved: ResolvedBlueprint,
    exceptions: Mapping[str, PolicyException],
    today: date,
) -> list[Finding]:
    """The findings, those that an exception covers marked, and one for each exception that ended.

    `exceptions` are those of the resolved blueprint that count.

    An exception holds through its last day. It covers its path and everything below, or the one
    resource whose address it names.
    """
    found = []
    for finding in findings:
        exception = exceptions.get(finding.rule)
        if exception is None or _ended(exception.until, today) or not covers(exception.at, finding):
            found.append(finding)
            continue
        reason = f"exceptions.{finding.rule} until {exception.until}: {exception.reason}"
        found.append(replace(finding, suppressed_by=reason))
    return [*found, *_expired(resolved, today)]


def covers(at: str, finding: Finding) -> bool:
    """Whether an exception at this place lets the finding pass."""
    return (
        at in (EVERYWHERE, finding.path)
        or finding.path.startswith((f"{at}.", f"{at}["))
        or (bool(finding.address) and at == finding.address)
    )


def _ended(until: str | None, today: date) -> bool:
    # The blueprint's reader has checked the form; a value without end would never be looked at.
    return until is None or date.fromisoformat(until) < today


def _expired(resolved: ResolvedBlueprint, today: date) -> list[Finding]:
    found = []
    for rule, exception in resolved.blueprint.exceptions.items():
        if _ended(exception.until, today):
            path = f"exceptions.{rule}.until"
            found.append(
                Finding(
                    rule=EXPIRED,
                    severity="mandatory",
                    message=f"the exception for {rule} ended on {exception.until}",
                    remediation="mend what it let pass and remove it, or agree on a new date",
                    path=path,
                    **placed(resolved.diagnostic(path, EXPIRED, "")),
                )
            )
    return found
