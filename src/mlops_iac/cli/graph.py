"""`mlops-iac graph`."""

from __future__ import annotations

import click

from mlops_iac.cli._session import Session, option, verb, write_file


@verb("graph")
def command(
    session: Session,
    style: str = option(
        "mermaid is text for Markdown, svg a picture.",
        "--format",
        type=click.Choice(["mermaid", "svg", "html", "dot"]),
        default="mermaid",
    ),
    out: str | None = option("Write it there instead of stdout.", metavar="FILE"),
) -> None:
    """Draw the stack: components, their resources by address, and what depends on what."""
    project = session.project()
    if session.json:
        from mlops_iac.api.compile.drawing import addresses

        session.emit_json(addresses(project.capture(session.stack)))
        return
    picture = project.draw(session.stack, style)
    if out is None:
        session.out(picture, nl=not picture.endswith("\n"))
    else:
        write_file(out, picture)
        session.say(f"wrote {out}")
