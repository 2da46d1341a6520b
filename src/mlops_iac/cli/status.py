"""`mlops-iac status`."""

from __future__ import annotations

from mlops_iac.cli._plan import component_title
from mlops_iac.cli._session import Session, verb


@verb("status", rehearses=True)
def command(session: Session) -> None:
    """Show what is deployed: resources, which of them are only recorded, what is still pending."""
    report = session.deployed().status(session.stack)
    if session.json:
        session.emit_json(report.as_json())
        return
    session.out(f"{report.project} → {session.shown}: {report.headline}")
    for parent, rows in report.by_component().items():
        session.out(session.style(component_title(parent), bold=True))
        for row in rows:
            note = "  [recorded, not emulated]" if row.recorded else ""
            note += "  [protected]" if row.protect else ""
            session.out(f"  {row.address}  {session.style(row.id, fg='bright_black')}{note}")
    for line in report.notes:
        session.say(line)
