"""`mlops-iac init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops_iac.cli._session import Session, verb
from mlops_iac.cli.ci import PLATFORMS
from mlops_iac.errors import UsageError

QUESTIONS = {
    "name": "Name of the project (lower case, digits, hyphens)",
    "owner": "Who owns it (an e-mail address)",
    "region": "Region",
}


@verb(
    "init",
    click.Argument(["target"], required=False, default=".", type=click.Path(path_type=Path)),
    click.Option(["--data"], metavar="KEY=VALUE", multiple=True, help="An answer; repeatable."),
    click.Option(
        ["--ci"],
        type=click.Choice(PLATFORMS),
        help="Write CI workflows for it, too; repeatable.",
        multiple=True,
    ),
    click.Option(["--defaults"], is_flag=True, help="Take the default for every other answer."),
)
def command(
    session: Session, target: Path, data: tuple[str, ...], ci: tuple[str, ...], defaults: bool
) -> None:
    """Start a project in TARGET: blueprint, data, workload, README. Overwrites nothing.

    Answers: name, owner, region, platform.
    """
    from mlops_iac.scaffold import default_answers, scaffold

    answers = default_answers(target.resolve().name)
    for pair in data:
        key, separator, value = pair.partition("=")
        if not separator or key not in answers:
            raise UsageError(
                f"--data {pair!r}: expected KEY=VALUE with one of {', '.join(answers)}",
                hint="e.g. --data name=churn",
            )
        answers[key] = value
    given = {pair.partition("=")[0] for pair in data}
    if session.interactive and not defaults and not session.yes:
        for key, question in QUESTIONS.items():
            if key not in given:
                answers[key] = click.prompt(question, default=answers[key], err=True)
    written = scaffold(target, answers, delivered=bool(ci))
    if ci:
        from mlops_iac.api import delivering, load

        project = load(target / "blueprint.yaml")
        for platform in ci:
            written += delivering.write(delivering.workflows(project, platform))
    if session.json:
        session.emit_json({"written": [os.path.relpath(path) for path in written]})
        return
    for path in written:
        session.say(f"  {session.style('wrote', fg='green')} {os.path.relpath(path)}")
    inside = "" if target.resolve() == Path.cwd() else f"cd {os.path.relpath(target)} && "
    session.say(f"next: {inside}mlops-iac up && mlops-iac run")
