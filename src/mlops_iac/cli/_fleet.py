"""`--all-stacks`: one command for every blueprint below a folder, one report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_iac.cli._diagnostics import style_of
from mlops_iac.cli._output import put_commands
from mlops_iac.cli._session import Session, option
from mlops_iac.errors import Diagnostic, StackNotFound, UsageError
from mlops_iac.records import as_data

if TYPE_CHECKING:
    from mlops_iac.api.fleet import Job, Outcome, Report, StackOutcome
    from mlops_iac.blueprint.render import Format

    Heard = Callable[[Outcome, int, int], None]

_GOOD = frozenset({"valid", "written", "unchanged", "fresh", "kept", "no changes"})
# How many of those that failed the last line names: of a thousand, the rest is in the report.
_NAMED = 5
_COLORS = {"changes": "yellow", "new": "yellow"}


ALL_STACKS = option(
    "Every blueprint below DIR (default: here), in parallel; with -s, stacks so named.",
    "--all-stacks",
    is_flag=False,
    flag_value=".",
    metavar="[DIR]",
)
FORMAT = option(
    "How to print problems.",
    "--format",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
)


def given_stack() -> str:
    """The stack that was named with -s; empty where none was."""
    context = click.get_current_context(silent=True)
    while context is not None:
        if context.params.get("stack"):
            return str(context.params["stack"])
        context = context.parent
    return ""


def refuse(session: Session, **given: object) -> None:
    """Raise UsageError for options that make no sense for many blueprints."""
    named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if session.file:
        named.insert(0, "-f")
    if named:
        raise UsageError(
            f"--all-stacks takes no {', '.join(named)}", hint="drop it, or name one blueprint"
        )


def fleet(session: Session, folder: str, job: Job, form: Format = "text") -> int:
    """Run a job over every blueprint below a folder, print the report, return the exit code."""
    session.require_real("a folder of blueprints")
    from mlops_iac.api.fleet import blueprints, run
    from mlops_iac.blueprint.words import one_line

    unread: list[str] = []
    files = blueprints(Path(folder), unread)
    session.say(*(f"note: {one_line(why)}" for why in unread))
    if not files:
        raise UsageError(
            f"there is no blueprint below {folder}",
            hint="blueprints are YAML files named blueprint.yaml or with `blueprint: 1` at the top",
        )
    with _progress(session) as heard:
        report = run(files, job, heard=heard)
    if job.stack and not report.outcomes:
        raise StackNotFound(
            f"none of {len(files)} blueprints below {folder} has a stack {job.stack!r}",
            hint="`mlops-iac validate --all-stacks` lists them",
        )
    _print(session, report, "json" if session.json and form == "text" else form)
    code = report.exit_code
    if code and form == "text" and not session.json:
        session.error(_verdict(report), "each problem says what to do")
    return code


def _print(session: Session, report: Report, form: Format) -> None:
    match form:
        case "json":
            session.emit_json(as_json(report))
        case "text":
            session.out(*lines(session, report))
            session.say(f"{report.seconds:.1f}s, {report.workers} worker(s)")
        case _:
            from mlops_iac.blueprint.render import render

            if shown := render(told(report), form):
                (put_commands if form == "github" else session.out)(shown)


def _verdict(report: Report) -> str:
    from mlops_iac.blueprint.words import one_line

    failed = [one_line(outcome.file) for outcome in report.outcomes if outcome.exit_code]
    named = ", ".join(failed[:_NAMED]) + (", …" if len(failed) > _NAMED else "")
    parts = [f"{len(failed)} of {len(report.outcomes)} blueprint(s) ({named})"] if failed else []
    errors = sum(problem.severity == "error" for problem in report.problems)
    parts += [f"{errors} problem(s) between blueprints"] if errors else []
    return f"not as it should be: {', '.join(parts)}"


def told(report: Report) -> list[Diagnostic]:
    """Every problem and every broken guard rail, with its place."""
    from mlops_iac.policy import output

    found: list[Diagnostic] = []
    for outcome in report.outcomes:
        findings = {each.stack: each.findings for each in outcome.stacks if each.findings}
        of = len(outcome.stacks)
        broken = [output.diagnostic(each, of=of) for each in output.together(findings)]
        found += [_of(outcome, each) for each in (*outcome.problems, *broken)]
    return [*found, *report.problems]


def _of(outcome: Outcome, problem: Diagnostic) -> Diagnostic:
    """The problem; one at a line of a template names the blueprint that stands on it, too."""
    folder = outcome.file.rpartition("/")[0]
    own = problem.file.startswith(f"{folder}/" if folder else outcome.file)
    if not problem.file or (own and "@" not in problem.file.removeprefix(folder)):
        return problem
    return replace(problem, message=f"{outcome.file}: {problem.message}")


def lines(session: Session, report: Report) -> Iterator[str]:
    """Yield the report: a line per blueprint or stack, problems, totals.

    Of a thousand warnings the one error is seen only where it is among the last.
    """
    from mlops_iac.blueprint.render import as_text, cut

    width = max(len(outcome.state) for outcome in report.outcomes)
    for outcome in report.outcomes:
        yield from _outcome_lines(session, outcome, width)
    problems = sorted(told(report), key=lambda each: each.severity == "error")
    if problems:
        yield ""
    shown, more = cut(problems)
    for problem in shown:
        yield as_text(problem, style=style_of(session))
    if more:
        yield more
    yield ""
    if problems:
        errors = sum(problem.severity == "error" for problem in problems)
        yield f"{errors} error(s), {len(problems) - errors} warning(s)"
    yield totals(report)


def _outcome_lines(session: Session, outcome: Outcome, width: int) -> Iterator[str]:
    from mlops_iac.blueprint.words import one_line

    apart = any(stack.counts or stack.state != outcome.state for stack in outcome.stacks)
    stacks = "" if apart else ", ".join(stack.stack for stack in outcome.stacks)
    more = one_line("; ".join(outcome.notes))
    file = one_line(outcome.file)
    parts = [_state(session, outcome.state, width), file, outcome.name, stacks, more]
    yield "  ".join(part for part in parts if part)
    if apart:
        longest = max(len(stack.stack) for stack in outcome.stacks)
        for stack in outcome.stacks:
            state = _state(session, stack.state, 0)
            counted = _counted(stack)
            yield f"{'':{width}}    {stack.stack:<{longest}}  {counted or state}".rstrip()


def _counted(stack: StackOutcome) -> str:
    from mlops_iac.cli._plan import SIGNS

    def one(kind: str, number: int) -> str:
        return f"{SIGNS[kind][0]}{number} {kind}" if kind in SIGNS else f"{number} {kind}"

    return " · ".join(one(kind, number) for kind, number in stack.counts.items())


def _state(session: Session, state: str, width: int) -> str:
    color = "green" if state in _GOOD else _COLORS.get(state, "red")
    return session.style(f"{state:<{width}}", fg=color)


def totals(report: Report) -> str:
    """Return `250 blueprints, 750 stacks: 248 valid, 2 invalid`."""
    found: dict[str, int] = dict(report.totals)
    blueprints, stacks = found.pop("blueprints"), found.pop("stacks")
    states = ", ".join(f"{number} {state}" for state, number in sorted(found.items()))
    return f"{blueprints} blueprint(s), {stacks} stack(s): {states}"


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    from mlops_iac.blueprint.render import as_dict

    return {
        "blueprints": [
            {
                "file": each.file,
                "name": each.name,
                "state": each.state,
                "exit_code": each.exit_code,
                "stacks": as_data(each.stacks),
                "notes": list(each.notes),
                "problems": [as_dict(item) for item in each.problems],
            }
            for each in report.outcomes
        ],
        "problems": [as_dict(item) for item in report.problems],
        "totals": report.totals,
        "exit_code": report.exit_code,
        "seconds": round(report.seconds, 3),
    }


@contextmanager
def _progress(session: Session) -> Iterator[Heard]:
    """Tell how many are done on stderr while it runs, where that is a terminal."""
    if not session.live:
        yield lambda *_: None
        return
    from rich.console import Console

    failed = 0
    with Console(file=sys.__stderr__, no_color=not session.colored).status("") as status:

        def heard(outcome: Outcome, done: int, of: int) -> None:
            nonlocal failed
            failed += bool(outcome.exit_code)
            status.update(f"{done} of {of}" + (f", {failed} with problems" if failed else ""))

        yield heard
