"""`mlops-iac monitor run`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mlops_iac.cli._session import Session, argument, flag, verb

if TYPE_CHECKING:
    from mlops_iac.clouds.operations import Monitored


@verb("monitor", rehearses=True)
def command(
    session: Session,
    action: str = argument(type=click.Choice(["run"])),  # noqa: ARG001
    entry: str | None = argument(required=False),
    no_cooldown: bool = flag(
        "Let an alarm start a training, even if one started a little while ago."
    ),
) -> None:
    """Run the deployed monitoring of a serving entry on this machine, over what it was asked since.

    ENTRY may be left out where there is one. What is measured becomes metrics and states of alarms in
    the emulated cloud, and a page. An alarm that goes off starts what waits for it: a training, unless
    one started within the cooldown. A stack in a real cloud is monitored there, on its schedule.

    Exit codes: 0, whatever is measured; 2 the entry, or nothing that is deployed; 4 the job failed;
    6 no such stack. --json: entry, state (broken, kept, no data), page, file, report, alarms[] that
    went off, started[].
    """
    name, found = session.deployed().monitor(entry, stack=session.stack, cooldown=not no_cooldown)
    if session.json:
        session.emit_json({"entry": name, **found.as_json()})
        return
    session.out(*_lines(name, found))
    if any(each.startswith("cooling down") for each in found.started):
        session.say("a training started within `cooldown_hours`; `mlops-iac run` trains now")
    if found.file:
        session.say(f"report: {found.file}")


def _lines(name: str, found: Monitored) -> Iterator[str]:
    yield f"{name}: {found.state}"
    for variant, each in found.report.get("variants", {}).items():
        numbers = ", ".join(f"{key} {value:g}" for key, value in each["metrics"].items())
        yield f"  {variant}: {each['calls']} calls{', ' if numbers else ''}{numbers}"
        yield from (f"    broken: {sentence}" for sentence in each["broken"])
        yield from (f"    no data for {metric}: {why}" for metric, why in each["missing"].items())
    yield from (f"  alarm: {each}" for each in found.alarms)
    yield from (f"  training {each}" for each in found.started)
