"""`mlops-iac outputs`."""

from __future__ import annotations

from mlops_iac.cli._session import Session, argument, flag, verb
from mlops_iac.errors import UsageError
from mlops_iac.graph.shown import plain
from mlops_iac.values import reveal


@verb("outputs", rehearses=True)
def command(
    session: Session,
    name: str | None = argument(required=False),
    show_secrets: bool = flag("Print secret outputs in clear."),
) -> None:
    """Print the stack's outputs, or the one named."""
    outputs = session.deployed().outputs(session.stack)
    shown = reveal(outputs) if show_secrets else plain(outputs)
    if name is not None:
        if name not in shown:
            raise UsageError(
                f"stack {session.stack} has no output {name!r}",
                hint=f"it has: {', '.join(sorted(shown)) or 'none; run `mlops-iac up` first'}",
            )
        shown = {name: shown[name]}
    if session.json:
        session.emit_json(shown if name is None else shown[name], whole=True)
    elif name is not None:
        session.out(_text(shown[name]))
    else:
        width = max((len(key) for key in shown), default=0)
        session.out(*(f"{key:<{width}}  {_text(shown[key])}" for key in sorted(shown)))
        if not shown:
            session.say(f"stack {session.stack} has no outputs; `mlops-iac up` makes them")


def _text(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
