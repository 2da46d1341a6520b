"""`mlops-iac schema`."""

from __future__ import annotations

import json

import click

from mlops_iac.cli._session import Session, verb, write_file


@verb("schema", click.Option(["--out"], metavar="FILE", help="Write it there instead of stdout."))
def command(session: Session, out: str | None) -> None:
    """Print the JSON Schema of the blueprint, for editors and other validators."""
    from mlops_iac.blueprint import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        session.out(text, nl=False)
    else:
        write_file(out, text)
        session.say(f"wrote {out}")
