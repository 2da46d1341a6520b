"""What was answered to a template's parameters: as nodes, as values, and as lines of a blueprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.source import Entry, Node, Source
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.templates.starting import Start
    from mlops_iac.blueprint.templates.manifest import Parameter


QUESTIONS = {
    "name": "Name of the project (lower case, digits, hyphens)",
    "owner": "Who owns it (an e-mail address)",
    "region": "Region",
}
"""What every project has, in the words in which it is asked for."""


def as_node(parameter: Parameter, text: str) -> Node:
    """What was answered, as it would stand in a blueprint; a list is `a, b` or `[a, b]`."""
    source = Source("answers", text)
    if parameter.type == "list":
        items = [item.strip().strip("'\"") for item in text.strip().strip("[]").split(",")]
        nodes = [Node("scalar", source, 1, 1, text=item) for item in items if item]
        for node in nodes:
            node.plain = False
        return Node("list", source, 1, 1, items=nodes)
    node = Node("scalar", source, 1, 1, max(1, len(text)), text.strip())
    node.plain = parameter.type != "text" or (not text.strip() and parameter.default is None)
    return node


def wrong_answer(start: Start, name: str, text: str) -> str:
    """Why a text is no answer to a parameter; empty where it is one."""
    from mlops_iac.blueprint.templates.parameters import wrong_value

    parameter = start.parameters[name]
    node = as_node(parameter, text)
    found = next(iter(wrong_value(parameter, node, name, start.label)), None)
    if found is None:
        return ""
    return f"{found.message} ({found.hint})" if found.hint else found.message


def missing_answers(who: str, missing: Mapping[str, str]) -> UsageError:
    """The error for answers that nobody gave: each with what it is and the option that gives it."""
    lines = [f"--data {name}=…  {what}" for name, what in missing.items()]
    return UsageError(
        f"{who} has no default for {', '.join(missing)}; nothing was written",
        hint="\n       ".join(lines),
    )


def values_of(
    start: Start, nodes: Mapping[str, Node], unanswered: Sequence[str] = ()
) -> dict[str, Any]:
    """Every parameter's value as plain data.

    Raises UsageError for wrong and missing ones, and for answers that are `unanswered`.
    """
    from mlops_iac.blueprint.templates.parameters import fill_in, takes
    from mlops_iac.blueprint.words import one_line

    place = Node("scalar", Source("answers", ""), 1, 1)
    entries = {name: Entry(place.scalar_like(name), node) for name, node in nodes.items()}
    reading = start.reading
    values, problems = fill_in(reading.manifest, reading.node("parameters"), entries, place, "")
    missing = {name: QUESTIONS[name] for name in unanswered} | {
        name: f"{one_line(parameter.description)} ({takes(parameter)})"
        for name, parameter in start.parameters.items()
        if name not in nodes and any(f"parameter '{name}'" in item.message for item in problems)
    }
    if missing:
        raise missing_answers(start.label, missing)
    for item in problems:
        raise UsageError(
            f"{item.message.removeprefix('.parameters.')}; nothing was written", hint=item.hint
        )
    return dict(values.plain())


def extends_item(start: Start, nodes: Mapping[str, Node]) -> str:
    """The item of `extends` for the template, two spaces deep, as YAML."""
    from mlops_iac.scaffold.sandbox import as_yaml

    lines = [
        f"  - template: {as_yaml(start.source)}",
        f"    version: ^{start.reading.manifest.version}",
    ]
    if nodes:
        lines.append("    parameters:")
    for name, node in nodes.items():
        shown = node.text if node.plain else as_yaml(node.text)
        if node.kind == "list":
            shown = as_yaml([item.text for item in node.items])
        lines.append(f"      {name}: {shown or 'null'}")
    return "\n".join(lines)
