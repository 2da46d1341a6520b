"""The options that make a stack an ephemeral one, and what they mean together."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.api import Project
from mlops_iac.cli._session import Session, option
from mlops_iac.errors import StackNotFound, UsageError

BASE = option(
    "An ephemeral stack, made from this environment; -s names it.", "--from", metavar="ENVIRONMENT"
)
TTL = option("How long it lives from now on: 30m, 24h (default), 7d.", metavar="TIME")


def project_of(
    session: Session,
    base: str | None,
    ttl: str | None,
    *,
    without: Mapping[str, object] | None = None,
) -> Project:
    """Return the project, seen with an ephemeral environment where `--from` names its base.

    `without` are options, with what was given for them, that an ephemeral one has nothing to do with.
    Raises UsageError for options that do not fit together, names and times that are none.
    """
    if base is None:
        if ttl is not None:
            raise UsageError(
                "--ttl is the time that an ephemeral stack lives, and --from is missing",
                hint=f"name the environment it is made from: -s {session.stack} --from ENVIRONMENT",
            )
        project = session.project()
        try:
            project.resolve(session.stack)
        except StackNotFound as error:
            more = f"an ephemeral one is named with its base: -s {session.stack} --from ENVIRONMENT"
            raise StackNotFound(error.message, hint=f"{error.hint}; {more}") from None
        return project
    session.require_real("an ephemeral stack")
    if session.stack == "local":
        raise UsageError(
            "--from makes an ephemeral stack, and no name is given for it",
            hint=f"name it: -s pr-123 --from {base}",
        )
    for name, given in (without or {}).items():
        if given:
            raise UsageError(
                f"{name} is for declared environments; an ephemeral one has no lock file",
                hint="drop it; --live compares with what the stack holds already",
            )
    from mlops_iac.api.kinds import Ephemeral
    from mlops_iac.api.stacks.ephemeral_record import parse_ttl

    until = parse_ttl(ttl) if ttl is not None else None
    session.adopt(
        Ephemeral.declare(session.file or "blueprint.yaml", session.stack, base, ttl=until)
    )
    return session.project()
