"""`mlops-iac explain`."""

from __future__ import annotations

import json

import click

from mlops_iac.cli._session import Session, verb


@verb("explain", click.Argument(["path"], required=False, default=""))
def command(session: Session, path: str) -> None:
    """Say a field's value in a stack, and the line or default it comes from.

    PATH is a blueprint path such as serving.api.scaling.max; a section's path explains every leaf
    below it, no path the whole blueprint.
    """
    leaves = session.project().explain(path, session.stack)
    if session.json:
        session.emit_json(leaves)
        return
    width = max(len(leaf["path"]) for leaf in leaves)
    for leaf in leaves:
        value = json.dumps(leaf["value"], ensure_ascii=False, default=str)
        origin = session.style(leaf["origin"], fg="bright_black")
        session.out(f"{leaf['path']:<{width}}  {value}  ← {origin}")
