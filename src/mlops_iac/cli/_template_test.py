"""`mlops-iac template test`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mlops_iac.cli._session import Session, verb

if TYPE_CHECKING:
    from mlops_iac.api.templates.testing import CaseResult


@verb(
    "test",
    click.Argument(["folder"], required=False, default=".", metavar="[DIR]"),
    click.Option(["--case"], metavar="NAME", multiple=True, help="Only this one; repeatable."),
    click.Option(["--update"], is_flag=True, help="Write the golden files anew."),
)
def command(session: Session, folder: str, case: tuple[str, ...], update: bool) -> int:
    """Run a template's golden tests: parameters in, resolved blueprint and resources out.

    A case is tests/NAME.yaml; its golden files lie in tests/NAME/. Nothing asks a network, except
    --update for templates below that come from repositories: it pins them in blueprint.lock. Exit
    code 1: a case fails. With --update a case fails only by what stands in its own file.
    """
    from mlops_iac.api.templates import testing

    results: list[tuple[CaseResult, list[str], list[str]]] = []
    for result in testing.test_folder(folder, only=case, fetch=update):
        failures = list(result.failures)
        written: list[str] = []
        if update:
            written = [os.path.relpath(path) for path in testing.update(folder, result)]
            failures = [text for text in failures if not _golden(text, result)]
        results.append((result, failures, written))
        if not session.json:
            _tell(session, result, failures, written)
    failed = [result.name for result, failures, _ in results if failures]
    if session.json:
        session.emit_json(
            [
                {
                    "case": result.name,
                    "passed": not failures,
                    "failures": failures,
                    "environments": list(result.environments),
                    "written": written,
                    "seconds": round(result.seconds, 3),
                }
                for result, failures, written in results
            ]
        )
    else:
        passed = len(results) - len(failed)
        session.say(f"{passed} of {len(results)} case(s) passed")
    return 1 if failed else 0


def _golden(text: str, result: CaseResult) -> bool:
    """Whether a failure is about a golden file, which was just written."""
    return any(f"tests/{name}" in text.partition("\n")[0] for name in result.changed)


def _tell(session: Session, result: CaseResult, failures: list[str], written: list[str]) -> None:
    head = session.style("failed", fg="red") if failures else session.style("passed", fg="green")
    where = f" ({', '.join(result.environments)})" if result.environments else " (refused)"
    session.say(f"{head} {result.name}{where} {result.seconds:.1f} s")
    for text in failures:
        session.say(f"  {text}")
    for path in written:
        session.say(f"  {session.style('wrote', fg='yellow')} {path}")
