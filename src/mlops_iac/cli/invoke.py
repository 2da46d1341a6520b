"""`mlops-iac invoke`."""

from __future__ import annotations

import sys
from typing import Any

import click

from mlops_iac.cli._session import Session, argument, option, verb


@verb("invoke", rehearses=True)
def command(
    session: Session,
    entry: str | None = argument(required=False),
    rows: str | None = option(
        "A file, - (stdin), a JSON object or list, or dataset:NAME.", metavar="ROWS"
    ),
    first: int | None = option(
        "Send no more than N rows.", metavar="N", type=click.IntRange(min=1)
    ),
    content_type: str = option(
        "Send file or stdin as they are, as this media type.", metavar="TYPE", default=""
    ),
    variant: str = option("Which variant answers; the traffic's shares say.", default=""),
) -> None:
    """Get predictions from the model behind a serving entry; ENTRY may be left out where there is one.

    A file of rows is CSV, JSON (a list, one object, {"instances": [...]}), JSON lines or parquet, by
    its name; any other, an image for example, is sent as it is. Without --rows it is the first five
    rows of the dataset beside the blueprint that the model learns from, their target left out; of
    images the first one.

    On stdout a table: as many columns as fit, and the prediction; how long the call took and which
    variant answered on stderr. The model is asked as whoever runs this.

    Exit codes: 0; 1 the endpoint is not in service yet, or the cloud refused; 2 the entry, the rows, a
    row that the model refuses, or nothing that serves yet; 3 nobody is signed in, or may not call;
    4 the endpoint or its model failed; 6 no such stack; 9 no answer in time. --json: entry,
    endpoint, variant, predictions[], latency_ms, rows[] as they were sent (null for a file that is
    none of rows).
    """
    given = _stdin(session) if rows == "-" else rows
    done = session.deployed().invoke(
        entry, given, stack=session.stack, variant=variant, first=first, content_type=content_type
    )
    if session.json:
        session.emit_json(done.as_json())
        return
    from mlops_iac.cli._rows import table
    from mlops_iac.cli._width import columns

    session.out(*table(done.rows, done.predictions, columns()))
    count = len(done.predictions)
    by = f", variant {done.variant}" if done.variant else ""
    said = f"{count} prediction{'' if count == 1 else 's'} in {done.latency_ms:.0f} ms"
    session.say(f"{said} by {done.endpoint}{by}")


def _stdin(session: Session) -> Any:
    from mlops_iac.api.invoke.request import MOST_READ, bounded

    if sys.stdin.isatty():
        session.say("rows, then Ctrl-D:")
    return bounded(sys.stdin.buffer.read(MOST_READ + 1), "stdin")
