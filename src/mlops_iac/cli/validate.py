"""`mlops-iac validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.cli._diagnostics import show
from mlops_iac.cli._fleet import ALL_STACKS, FORMAT, fleet, given_stack, refuse
from mlops_iac.cli._session import Session, flag, verb

if TYPE_CHECKING:
    from mlops_iac.blueprint.render import Format


@verb("validate")
def command(
    session: Session,
    strict: bool = flag("Also name what a production stack lacks."),
    form: Format = FORMAT,
    folder: str | None = ALL_STACKS,
) -> int:
    """Check the blueprint in every environment, whatever -s says; all problems in one pass.

    Exit code 0: no errors; 2: errors.
    """
    if folder is not None:
        from mlops_iac.api.fleet import Validate

        refuse(session)
        return fleet(session, folder, Validate(given_stack(), strict), form)
    from mlops_iac.api.compile.checks import inspected

    path = session.file or "blueprint.yaml"
    project, diagnostics = inspected(path, strict=strict)
    session.notes(project.notes if project is not None else ())
    wrong = any(item.severity == "error" for item in diagnostics)
    if not wrong and project is not None and given_stack():
        project.resolve(given_stack())  # says which there are
    show(diagnostics, session, form=form)
    if wrong:
        return 2
    if form == "text" and not session.json:
        session.say(f"{session.style('valid', fg='green')}: {path}")
    return 0
