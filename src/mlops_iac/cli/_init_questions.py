"""What `init` asks: each answer is checked while it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from mlops_iac.api.templates.start_answers import QUESTIONS, wrong_answer
from mlops_iac.api.templates.starting import ANSWERS, Start
from mlops_iac.blueprint.templates.manifest import UNSET, Parameter
from mlops_iac.blueprint.templates.parameters import takes
from mlops_iac.blueprint.words import one_line
from mlops_iac.errors import UsageError
from mlops_iac.scaffold.render import check

if TYPE_CHECKING:
    from mlops_iac.cli._session import Session


def ask_project(
    answers: dict[str, str], given: Mapping[str, str], start: Start | None = None
) -> None:
    """Ask for what every project has and nobody gave; put it into `answers`.

    `start` is a template that may have parameters of the same names.
    """
    for key, question in QUESTIONS.items():
        if key in given or (start is not None and key not in start.answers):
            continue

        def checked(text: str, key: str = key) -> str:
            try:
                check(answers | {key: text})
            except UsageError as error:
                raise click.BadParameter(error.message) from None
            return _checker(start, key)(text) if start and key in start.parameters else text

        answers[key] = click.prompt(question, default=answers[key], value_proc=checked, err=True)


def ask_parameters(session: Session, start: Start, given: dict[str, str]) -> None:
    """Ask for the template's parameters that nobody gave; what differs from its default is given."""
    for name, parameter in start.parameters.items():
        if name in given or name in ANSWERS:
            continue
        session.say(f"{session.style(name, bold=True)}: {one_line(parameter.description)}")
        default = default_of(parameter)
        text = click.prompt(
            f"  {takes(parameter)}",
            default=None if parameter.default is UNSET else default,
            value_proc=_checker(start, name),
            show_default=bool(default),
            err=True,
        )
        if parameter.default is UNSET or text != default:
            given[name] = text


def default_of(parameter: Parameter) -> str:
    """Its default as it would be answered; empty where it has none."""
    match parameter.default:
        case None:
            return ""
        case bool():
            return str(parameter.default).lower()
        case list() | tuple():
            return ", ".join(map(str, parameter.default))
        case value:
            return "" if value is UNSET else str(value).strip()


def _checker(start: Start, name: str) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if wrong := wrong_answer(start, name, text):
            raise click.BadParameter(wrong)
        return text

    return checked
