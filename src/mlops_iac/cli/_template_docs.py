"""`mlops-iac template docs`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mlops_iac.cli._session import Session, argument, flag, option, verb, write_file
from mlops_iac.errors import UsageError
from mlops_iac.templates.authoring import read_template
from mlops_iac.templates.facts import facts
from mlops_iac.templates.reference import reference


@verb("docs")
def command(
    session: Session,
    folder: str = argument(required=False, default=".", metavar="[DIR]"),
    out: str | None = option("Write it there instead of stdout.", metavar="FILE"),
    source: str | None = option("What a blueprint writes to use it.", metavar="SOURCE"),
    check: bool = flag("Write nothing; fail when FILE is stale."),
) -> int:
    """Write a template's reference: usage, parameters, limits, changelog, in Markdown.

    Exit code with --check: 0 fresh, 1 stale.
    """
    if check and out is None:
        raise UsageError("--check compares with a file", hint="name it with --out FILE")
    content = read_template(Path(folder))
    # Where it lies on this machine is no use to who reads the page.
    text = reference(facts(content), source or "SOURCE")
    if out is None:
        session.out(text, nl=False)
        return 0
    if check:
        return _compare(session, Path(out), text)
    with suppress(OSError):  # told by who writes
        Path(out).parent.mkdir(parents=True, exist_ok=True)
    write_file(out, text)
    session.say(f"wrote {out}")
    return 0


def _compare(session: Session, path: Path, text: str) -> int:
    try:
        fresh = path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        fresh = False
    if session.json:
        session.emit_json({"file": str(path), "stale": not fresh})
    elif not fresh:
        session.error(f"{path} is not what the template says", "write it again without --check")
    return 0 if fresh else 1
