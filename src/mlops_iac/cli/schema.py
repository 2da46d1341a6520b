"""`mlops-iac schema`."""

from __future__ import annotations

import json

from mlops_iac.api.templates.schema import schema
from mlops_iac.cli._session import Session, option, verb, write_file


@verb("schema")
def command(
    session: Session,
    out: str | None = option("Write it there instead of stdout.", metavar="FILE"),
    template: tuple[str, ...] = option(
        "Know the parameters of this template, too; repeatable.",
        metavar="SOURCE[@VERSION]",
        multiple=True,
    ),
) -> None:
    """Print the JSON Schema of the blueprint, for editors and other validators.

    Where there is a blueprint that extends templates, the schema knows their parameters.
    """
    made, notes = schema(session.file or "blueprint.yaml", template)
    session.notes(notes)
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        session.out(text, nl=False)
    else:
        write_file(out, text)
        session.say(f"wrote {out}")
