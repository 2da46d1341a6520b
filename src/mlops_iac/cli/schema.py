"""`mlops-iac schema`."""

from __future__ import annotations

import json

import click

from mlops_iac.cli._session import Session, verb, write_file


@verb(
    "schema",
    click.Option(["--out"], metavar="FILE", help="Write it there instead of stdout."),
    click.Option(
        ["--template"],
        metavar="SOURCE[@VERSION]",
        multiple=True,
        help="Know the parameters of this template, too; repeatable.",
    ),
)
def command(session: Session, out: str | None, template: tuple[str, ...]) -> None:
    """Print the JSON Schema of the blueprint, for editors and other validators.

    Where there is a blueprint that extends templates, the schema knows their parameters.
    """
    from mlops_iac.api.templates.schema import schema

    made, notes = schema(session.file or "blueprint.yaml", template)
    for note in notes:
        session.say(f"note: {note}")
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        session.out(text, nl=False)
    else:
        write_file(out, text)
        session.say(f"wrote {out}")
