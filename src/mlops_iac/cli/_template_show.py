"""`mlops-iac template show`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_iac.api.templates import showing
from mlops_iac.blueprint.templates.limits import quoted
from mlops_iac.blueprint.words import one_line
from mlops_iac.cli._session import Session, argument, flag, verb

if TYPE_CHECKING:
    from mlops_iac.templates.facts import Facts


@verb("show")
def command(
    session: Session,
    template: str | None = argument(required=False, metavar="[SOURCE[@VERSION]]"),
    no_newest: bool = flag("Do not ask what newer versions there are."),
) -> None:
    """Say all about a template; without one, which templates the blueprint stands on.

    SOURCE is as in `extends`, or the name of a template that the blueprint stands on.
    """
    if template is None:
        found = showing.in_use(session.project(), newest=not no_newest)
        none = [] if found else ["the blueprint stands on no template"]
        session.answer(found, *none)
        for each in () if session.json else found:
            _in_use(session, each)
        return
    facts = showing.show(template, session.file or "blueprint.yaml")
    if session.json:
        session.emit_json(facts.as_json())
    else:
        _facts(session, facts)


def _in_use(session: Session, each: Mapping[str, Any]) -> None:
    head = session.style(f"{each['name']}@{each['version']}", bold=True)
    session.out(f"{head}  {each['source']} {each['requested']}".rstrip())
    if each["by"]:
        session.out(f"  for {each['by']}")
    if each["newest"] and each["newest"] != each["version"]:
        session.out(f"  newest: {session.style(each['newest'], fg='yellow')}")
    elif each["why_unknown"]:
        session.out(f"  newest: not known, {each['why_unknown']}")
    for name, value in each["parameters"].items():
        shown = value if isinstance(value, str) else quoted(value)
        session.out(f"  {name}: {'(left out)' if value is None else shown}")
    session.out(f"  {session.style(each['digest'], fg='bright_black')}")


def _facts(session: Session, facts: Facts) -> None:
    session.out(session.style(f"{facts.name}@{facts.version}", bold=True))
    if facts.description:
        session.out(f"  {one_line(facts.description)}")
    session.out(f"  source     {facts.source}")
    session.out(f"  digest     {facts.digest}")
    session.out(f"  platforms  {', '.join(facts.platforms) or 'all'}")
    session.out(*(f"  stands on  {each}" for each in facts.extends))
    session.out(*(f"  guard rail {each}" for each in facts.rules))
    if facts.parameters:
        session.out("parameters")
        width = max(len(each.name) for each in facts.parameters)
        for parameter in facts.parameters:
            default = "must be given" if parameter.required else f"default {parameter.default}"
            session.out(f"  {parameter.name:<{width}}  {parameter.takes}; {default}")
            session.out(f"  {'':<{width}}  {session.style(parameter.description, fg='cyan')}")
    if facts.limits:
        session.out("limits")
        for limit in facts.limits:
            session.out(f"  {limit.path}: {limit.holds}")
            session.out(f"    {session.style(limit.because, fg='cyan')}")
    if facts.changelog:
        session.out("changelog")
    for version, texts in facts.changelog:
        for index, text in enumerate(texts):
            session.out(f"  {version if not index else '':<{len(version)}}  {text}")
