"""What `compile` and `eject` say that they wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_iac.api.compile.compiling import Compiled
    from mlops_iac.api.project import Project
    from mlops_iac.cli._session import Session


def tell(session: Session, project: Project, compiled: Compiled) -> None:
    """Name the files, and what is to be known besides."""
    left_out = session.tell_left_out(project)
    session.notes(compiled.notes)
    where = os.path.relpath(compiled.out)
    if session.json:
        session.emit_json(
            {
                "out": where,
                "written": [str(path) for path in compiled.written],
                "stacks": list(compiled.stacks),
                "left_out": left_out,
                "notes": list(compiled.notes),
            }
        )
    else:
        for path in compiled.written:
            done = session.style("wrote", fg="green")
            if not path.exists():
                done = session.style("removed", fg="yellow")
            session.say(f"  {done} {os.path.relpath(path)}")
        gone = sum(not path.exists() for path in compiled.written)
        words = f"{len(compiled.written) - gone} file(s) written" if compiled.written else ""
        words = f"{words}, {gone} removed" if gone else words or "nothing changed"
        stacks = f"stacks {', '.join(compiled.stacks)}" if compiled.stacks else "no stack but local"
        session.say(f"{where}: {words}; {stacks}")
