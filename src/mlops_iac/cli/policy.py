"""`mlops-iac policy check | ls | pack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_iac import __version__
from mlops_iac.api.compile.guard_rail_checks import write_pack
from mlops_iac.api.core.guard_rails import configuration, own_ids, rules
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.cli._diagnostics import style_of
from mlops_iac.cli._fleet import ALL_STACKS, FORMAT, fleet, given_stack, refuse
from mlops_iac.cli._output import put_commands
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.errors import PolicyViolation, UsageError
from mlops_iac.policy import output
from mlops_iac.policy.explained import explained

if TYPE_CHECKING:
    from mlops_iac.policy.output import Format

_NO_TEAM = flag("Leave out the rules of the team and of templates, which are code.")


@verb("check")
def check(
    session: Session,
    form: Format = FORMAT,
    folder: str | None = ALL_STACKS,
    no_team_rules: bool = _NO_TEAM,
) -> int:
    """Check what the stacks would be against the guard rails; needs no credentials.

    Without -s, every environment of the blueprint. Exit code 5: a mandatory rule is broken.
    """
    if folder is not None:
        from mlops_iac.api.fleet import Policies

        refuse(session)
        return fleet(session, folder, Policies(given_stack(), not no_team_rules), form)
    project = session.project()
    if session.json and form == "text":
        form = "json"
    stacks = _stacks(session)
    by_stack = {stack: project.policies(stack, own=not no_team_rules) for stack in stacks}
    found = output.together(by_stack)
    match form:
        case "json":
            session.emit_json(output.as_json(found, stacks))
        case "sarif":
            session.out(output.sarif(found, rules(project, own=not no_team_rules), __version__))
        case "github":
            if shown := output.github(found, of=len(stacks)):
                put_commands(shown)
        case "text":
            if found:
                session.out(output.text(found, of=len(stacks), style=style_of(session)))
    if no_team_rules and (left_out := own_ids(project)):
        session.say(f"note: the team's own rules were not run: {', '.join(left_out)}")
    totals = output.counts(found)
    summary = ", ".join(f"{number} {kind}" for kind, number in totals.items())
    session.say(f"{', '.join(stacks)}: {summary}")
    if broken := [each for each in found if each.finding.counts]:
        named = listed(dict.fromkeys(each.finding.rule for each in broken))
        raise PolicyViolation(
            f"{len(broken)} mandatory finding(s): {named}", hint="each finding says what to do"
        )
    return 0


def _stacks(session: Session) -> list[str]:
    names = list(session.project().environments)
    if given_stack():
        return [session.stack]
    return [name for name in names if name != LOCAL] or names


@verb("ls")
def ls(
    session: Session,
    rule: str | None = argument(required=False),
    no_team_rules: bool = _NO_TEAM,
) -> None:
    """List the rules, or say all about one."""
    from dataclasses import asdict

    project = session.project()
    known = rules(project, own=not no_team_rules)
    settings = configuration(project, known)
    if rule is not None:
        chosen = [each for each in known if each.id == rule]
        if not chosen:
            names = [each.id for each in known]
            raise UsageError(f"there is no rule {rule!r}", hint=suggestion(rule, names))
        known = chosen
    if session.json:
        session.emit_json(
            [
                {
                    "id": each.id,
                    "title": each.title,
                    "severity": settings.severity(each),
                    "enabled": settings.enabled(each),
                    "production": each.production,
                    "why": each.why,
                    "remediation": each.remediation,
                    "source": settings.source(each),
                    "parameters": {
                        name: {**asdict(parameter), "value": settings.parameters(each)[name]}
                        for name, parameter in each.parameters.items()
                    },
                }
                for each in known
            ]
        )
    elif rule is not None:
        session.out(explained(known[0]))
        if (held := settings.held.get(rule)) is not None:
            session.out(f"  here: {settings.severity(known[0])}, as {held.by} says")
    else:
        width = max(len(each.id) for each in known)
        for each in known:
            severity = settings.severity(each) if settings.enabled(each) else "off"
            color = {"mandatory": "red", "advisory": "yellow"}.get(severity, "bright_black")
            tail = " (production)" if each.production else ""
            session.out(
                f"{each.id:<{width}}  {session.style(f'{severity:<9}', fg=color)}  "
                f"{each.title}{tail}"
            )


@verb("pack")
def pack(
    session: Session,
    out: str = option("The folder to write.", metavar="DIR", required=True),
    no_team_rules: bool = _NO_TEAM,
) -> None:
    """Write the same rules as a policy pack, for `pulumi preview --policy-pack DIR`."""
    from pathlib import Path

    written = write_pack(session.project(), Path(out), own=not no_team_rules)
    words = f"wrote {out}: {len(written)} files; next: cd {out} && pulumi install"
    session.answer([path.as_posix() for path in written], words)


command = click.Group(
    "policy",
    commands=[check, ls, pack],
    help="Guard rails: check stacks against them, list them, serve them to the Pulumi CLI.",
)
