"""`mlops-iac template docs`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from mlops_iac.cli._session import Session, verb, write_file
from mlops_iac.errors import UsageError


@verb(
    "docs",
    click.Argument(["folder"], required=False, default=".", metavar="[DIR]"),
    click.Option(["--out"], metavar="FILE", help="Write it there instead of stdout."),
    click.Option(["--source"], metavar="SOURCE", help="What a blueprint writes to use it."),
    click.Option(["--check"], is_flag=True, help="Write nothing; fail when FILE is stale."),
)
def command(session: Session, folder: str, out: str | None, source: str | None, check: bool) -> int:
    """Write a template's reference: usage, parameters, limits, changelog, in Markdown.

    Exit code with --check: 0 fresh, 1 stale.
    """
    from mlops_iac.templates.authoring import read_template
    from mlops_iac.templates.facts import facts
    from mlops_iac.templates.reference import reference

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
