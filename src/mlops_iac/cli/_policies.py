"""Guard rails beside a plan: shown under a preview, asked before an `up`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_iac.api.compile.guard_rail_checks import require
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.cli._diagnostics import style_of
from mlops_iac.cli._session import Session
from mlops_iac.policy import output

if TYPE_CHECKING:
    from mlops_iac.policy.model import Finding


def guard(session: Session) -> None:
    """Refuse a stack that breaks a mandatory rule, before anything is done; `local` is free.

    What is tried out on a laptop costs no second capture; `preview --policy` tells there, too.

    Raises PolicyViolation.
    """
    if session.stack == LOCAL:
        return
    findings = session.project().policies(session.stack)
    broken = [each for each in findings if each.counts]
    if broken and not session.json:
        lines(session, broken)
    require(findings, session.stack)


def lines(session: Session, findings: Sequence[Finding]) -> None:
    """Print findings for a person, on stderr."""
    found = output.together({session.stack: findings})
    if found:
        session.say(output.text(found, style=style_of(session)))
    totals = output.counts(found)
    told = ", ".join(f"{number} {kind}" for kind, number in totals.items())
    session.say(f"guard rails: {told}")
