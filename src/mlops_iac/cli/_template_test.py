"""`mlops-iac template test`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import click

from mlops_iac.api.templates import testing
from mlops_iac.api.templates.linting import lint_folder
from mlops_iac.cli._diagnostics import show
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.api.templates.testing import CaseResult
    from mlops_iac.blueprint.render import Format

FOLDER = argument(required=False, default=".", metavar="[DIR]")
FORM = option(
    "How to print findings.",
    "--format",
    type=click.Choice(["text", "sarif", "github"]),
    default="text",
)


@verb("test")
def command(
    session: Session,
    folder: str = FOLDER,
    case: tuple[str, ...] = option("Only this one; repeatable.", metavar="NAME", multiple=True),
    update: bool = flag("Write the golden files anew."),
    form: Format = FORM,
) -> int:
    """Find everything wrong with a template, and run its cases: parameters in, resources out.

    A case is tests/NAME.yaml. Nothing asks a network, except --update for templates below that come
    from repositories: it pins them in blueprint.lock. With --case nothing but that case is looked at.
    Exit code 2: something is wrong with the template; 1: a case fails. With --update a case fails only
    by what stands in its own file.
    """
    tested = run(session, folder, form, only=case, update=update)
    if session.json and form == "text":
        session.emit_json(tested.as_json())
    return tested.told(session, folder, form)


@dataclass
class Tested:
    """What is wrong with a template, and what came of its cases."""

    folder: str
    found: list[Diagnostic]
    results: list[tuple[CaseResult, list[str], list[str]]] = field(default_factory=list)
    """Each case with what fails and which files were written."""

    @property
    def code(self) -> int:
        """The exit code that it means."""
        if any(item.severity == "error" for item in self.found):
            return 2
        return 1 if any(failures for _, failures, _ in self.results) else 0

    def as_json(self) -> dict[str, object]:
        """As plain data."""
        return {
            "diagnostics": [asdict(item) for item in self.found],
            "cases": [
                {
                    "case": result.name,
                    "passed": not failures,
                    "failures": failures,
                    "environments": list(result.environments),
                    "written": written,
                    "seconds": round(result.seconds, 3),
                }
                for result, failures, written in self.results
            ],
        }

    def told(self, session: Session, what: str, form: Format) -> int:
        """Say it in the end; the exit code."""
        if form != "text":
            start = "" if self.folder == "." else f"{self.folder.rstrip('/')}/"
            failed = [
                Diagnostic("failed-case", text, f"{start}tests/{result.name}.yaml")
                for result, failures, _ in self.results
                for text in failures
            ]
            show([*self.found, *failed], session, form=form)
        errors = sum(item.severity == "error" for item in self.found)
        warnings = sum(item.severity == "warning" for item in self.found)
        passed = sum(not failures for _, failures, _ in self.results)
        cases = f"{passed} of {len(self.results)} case(s) passed"
        session.say(f"{what}: {errors} error(s), {warnings} warning(s), {cases}")
        return self.code


def run(
    session: Session,
    folder: str,
    form: Format,
    *,
    only: Sequence[str] = (),
    update: bool = False,
    more: Sequence[Diagnostic] = (),
) -> Tested:
    """Look at a template and run its cases, and tell in text while that is done."""
    tested = Tested(folder, [*(() if only else lint_folder(folder, offline=not update)), *more])
    text = form == "text" and not session.json
    if text:
        show(tested.found, session)
    for result in testing.test_folder(folder, only=only, fetch=update):
        failures = list(result.failures)
        written: list[str] = []
        if update:
            written = [os.path.relpath(path) for path in testing.update(folder, result)]
            failures = [text for text in failures if not _golden(text, result)]
        tested.results.append((result, failures, written))
        if text:
            _tell(session, result, failures, written)
    return tested


def _golden(text: str, result: CaseResult) -> bool:
    """Whether a failure is about a golden file, which was just written."""
    return any(f"tests/{name}" in text.partition("\n")[0] for name in result.changed)


def _tell(session: Session, result: CaseResult, failures: list[str], written: list[str]) -> None:
    head = session.style("failed", fg="red") if failures else session.style("passed", fg="green")
    where = f" ({', '.join(result.environments)})" if result.environments else " (refused)"
    session.say(f"{head} {result.name}{where} {result.seconds:.1f} s")
    session.say(*(f"  {text}" for text in failures))
    session.say(*(f"  {session.style('wrote', fg='yellow')} {path}" for path in written))
