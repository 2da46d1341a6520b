"""`mlops-iac simulate traffic | drift`."""

from __future__ import annotations

from typing import Literal, cast

import click

from mlops_iac.cli._session import Session, argument, option, verb


@verb("simulate", rehearses=True)
def command(
    session: Session,
    kind: str = argument(type=click.Choice(["traffic", "drift"])),
    entry: str | None = argument(required=False),
    calls: int = option(
        "How many; a row each.", metavar="N", type=click.IntRange(min=1), default=300
    ),
) -> None:
    """Call an endpoint of the emulated cloud with rows of its model's dataset.

    ENTRY may be left out where there is one. With `drift` one column of numbers is doubled, and one of
    categories always has its rarest value: what `mlops-iac monitor run` has to find.

    Four calls are made at a time. One that the model fails at is counted and the next one made, so that
    a rollout has traffic to its end: begin this first, then `mlops-iac up` beside it.

    Exit codes: as `invoke`; 4 where every call failed. --json: entry, calls, shifted{column: how},
    failed, why.
    """
    done = session.deployed().simulate(
        cast("Literal['traffic', 'drift']", kind), entry, calls=calls, stack=session.stack
    )
    if session.json:
        session.emit_json(done.as_json())
        return
    failed = f", {done.failed} failed: {done.why}" if done.failed else ""
    session.out(f"{done.calls} calls of {done.entry}{failed}")
    session.out(*(f"  {column}: {how}" for column, how in done.shifted.items()))
    session.say(f"`mlops-iac monitor run {done.entry}{session.of}` says what that means")
