"""`mlops-iac init`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from mlops_iac.api.ci import workflows
from mlops_iac.api.stacks.editing import BlueprintEdit
from mlops_iac.api.stacks.initial_overlay import begin
from mlops_iac.api.templates.start_answers import QUESTIONS, missing_answers
from mlops_iac.api.templates.starting import ANSWERS, Start, open_template, started
from mlops_iac.blueprint.words import nearest
from mlops_iac.cli import _init_words
from mlops_iac.cli._diagnostics import show
from mlops_iac.cli._init_questions import ask_parameters, ask_project, default_of
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.clouds.registry import DEFAULT
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.scaffold.ci import PLATFORMS
from mlops_iac.scaffold.render import PLACEHOLDER, check, default_answers, scaffold
from mlops_iac.templates.sources.builtin import builtin_names

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject

_THEN = "mlops-iac up && mlops-iac run"


class _Order(NamedTuple):
    """What was asked for; `asking`: somebody is there to answer the rest."""

    target: Path
    given: Mapping[str, str]
    ci: Sequence[str]
    asking: bool
    defaults: bool


@verb("init")
def command(
    session: Session,
    words: tuple[str, ...] = argument(
        required=False, nargs=-1, metavar="[TEMPLATE[@VERSION]] [TARGET]"
    ),
    template: str | None = option(
        "The template, where the word alone could be a folder, too.", metavar="TEMPLATE[@VERSION]"
    ),
    data: tuple[str, ...] = option("An answer; repeatable.", metavar="KEY=VALUE", multiple=True),
    ci: tuple[str, ...] = option(
        "Write CI workflows for it, too; repeatable.", type=click.Choice(PLATFORMS), multiple=True
    ),
    defaults: bool = flag("Take the default for every other answer."),
) -> None:
    """Start a project in TARGET: blueprint, data, workload, README. Overwrites nothing.

    TEMPLATE is the name of a built-in template, a folder (./standard), git+https://HOST/PATH,
    git+ssh://… or python:MODULE; an example project without one. `template ls` lists the built-in.

    Answers: name, owner, region, platform, and the template's parameters. Where nobody can be asked,
    one that has no default is an error that names it; --defaults takes a placeholder for the owner.
    """
    if len(words) > 2:
        raise UsageError(
            f"init takes a template and a folder, not {len(words)} words",
            hint="mlops-iac init [TEMPLATE[@VERSION]] [TARGET]",
        )
    meant = _init_words.read(words, template, builtin_names())
    if meant.note:
        session.say(f"note: {meant.note}")
    asking = session.interactive and not defaults and not session.yes
    order = _Order(meant.target, _pairs(data), ci, asking, defaults)
    if meant.template:
        start = open_template(meant.template, meant.version, meant.target)
        _from_template(session, start, order)
    else:
        _example(session, order)


def _pairs(data: Sequence[str]) -> dict[str, str]:
    for pair in data:
        if pair.find("=") < 1:
            raise UsageError(f"--data {pair!r}: expected KEY=VALUE", hint="e.g. --data name=churn")
    return dict(pair.split("=", 1) for pair in data)


def _known(given: Mapping[str, str], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            near = nearest(key, known)
            raise UsageError(
                f"--data {key!r}: expected KEY=VALUE with one of {', '.join(known)}",
                hint=f"did you mean '{near}'?" if near else "",
            )


def _unanswered(
    session: Session, order: _Order, answers: Mapping[str, str], wanted: Sequence[str]
) -> list[str]:
    """What is still a placeholder, and that nobody accepts one; with --defaults somebody does."""
    if answers["owner"] != PLACEHOLDER or "owner" not in wanted:
        return []
    if order.defaults:
        session.say(f"note: the owner is a placeholder, {PLACEHOLDER}: change it in the blueprint")
        return []
    return ["owner"]


def _example(session: Session, order: _Order) -> None:
    target, given, ci, asking, _ = order
    answers = default_answers(target.resolve().name, given.get("platform", DEFAULT))
    _known(given, list(answers))
    answers |= given
    if asking:
        ask_project(answers, given)
    else:
        check(answers)
        if missing := _unanswered(session, order, answers, list(answers)):
            raise missing_answers("a project", {key: QUESTIONS[key] for key in missing})
    written = scaffold(target, answers)
    if ci:
        edit = BlueprintEdit(target / "blueprint.yaml")
        session.notes(begin(edit, edit.project, delivered=True))
        written += _workflows(edit.project(), ci)
    _tell(session, target, written)


def _from_template(session: Session, start: Start, order: _Order) -> None:
    target, given, ci, asking, _ = order
    platform = given.get("platform") or next(iter(start.reading.manifest.platforms), DEFAULT)
    answers = default_answers(target.resolve().name, platform)
    answers |= {
        key: default
        for key in ANSWERS
        if key in start.parameters and (default := default_of(start.parameters[key]))
    }
    wanted = start.answers
    _known(given, [*answers, *(name for name in start.parameters if name not in answers)])
    _require_used(start, wanted, given)
    answers |= {key: value for key, value in given.items() if key in answers}
    parameters = {key: value for key, value in given.items() if key in start.parameters}
    if asking:
        ask_project(answers, given, start)
        ask_parameters(session, start, parameters)
    missing = [] if asking else _unanswered(session, order, answers, wanted)
    parameters |= {key: answers[key] for key in ANSWERS if key in start.parameters}

    def agree(risky: Mapping[str, str]) -> None:
        for path, reason in risky.items():
            session.error(f"{start.label} writes {path}: {reason}", word="note")
        if asking:
            session.confirm("Write these files?")

    try:
        with started(
            start,
            target,
            answers,
            parameters,
            delivered=bool(ci),
            unanswered=missing,
            agree=agree,
        ) as result:
            written = list(result.paths)
            if ci:
                if result.project is None:
                    raise BlueprintInvalid(list(result.problems))
                written += _workflows(result.project, ci)
    except BlueprintInvalid:
        session.say(f"{start.label} and these answers make no valid blueprint; nothing was written")
        raise
    session.notes(result.notes)
    if result.problems and not session.json:
        show(list(result.problems), session)
    _tell(session, target, written, start.label, _then(result.project))


def _require_used(start: Start, wanted: Sequence[str], given: Mapping[str, str]) -> None:
    """Raise UsageError for an answer that would become nothing."""
    dropped = [key for key in given if key in ANSWERS and key not in wanted]
    if dropped:
        raise UsageError(
            f"{start.label} takes no answer for {', '.join(dropped)}: what it writes does not"
            " depend on it; nothing was written",
            hint=f"drop --data {dropped[0]}=…; the value stands in the template",
        )


def _then(project: BaseProject | None) -> str:
    if project is None:
        return "mlops-iac validate"
    models = project.resolve("local").blueprint.models
    trained = [name for name, model in models.items() if model.train is not None]
    return f"{_THEN} {trained[0]}" if len(trained) > 1 else _THEN


def _workflows(project: BaseProject, ci: Sequence[str]) -> list[Path]:
    made = (workflows.workflows(project, platform) for platform in ci)
    return [path for files in made for path in workflows.write(files)]


def _tell(
    session: Session, target: Path, written: Sequence[Path], label: str = "", then: str = _THEN
) -> None:
    if session.json:
        paths = [os.path.relpath(path) for path in written]
        session.emit_json({"written": paths} | ({"template": label} if label else {}))
        return
    session.say(
        *(f"  {session.style('wrote', fg='green')} {os.path.relpath(path)}" for path in written)
    )
    folder = os.path.normpath(Path(session.directory or ".") / os.path.relpath(target))
    inside = "" if folder == "." else f"cd {shlex.quote(folder)} && "
    session.say(f"next: {inside}{then}", elsewhere=True)
