"""Parameters: declared and never used, used and never declared, and what contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.blueprint.fields import ScalarType
from mlops_iac.blueprint.scalars import NOTHING, core, typed
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.filling import CHOOSE, PARAMETER
from mlops_iac.blueprint.templates.manifest import UNSET, Parameter
from mlops_iac.blueprint.templates.parameters import TYPES, wrong_value
from mlops_iac.blueprint.words import a, suggestion
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.subject import Subject, walk

_JINJA = re.compile(r"\{[{%](.*?)[}%]\}", re.DOTALL)
_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|(?<=['\"])[A-Za-z][A-Za-z0-9_-]*(?=['\"])")


def check_parameters(subject: Subject) -> Iterator[Diagnostic]:
    """What is wrong with the parameters of a template."""
    yield from _uses(subject)
    for name, parameter in subject.manifest.parameters.items():
        yield from _declared(subject, name, parameter)


def used(subject: Subject) -> dict[str, Node]:
    """The parameters that the template names in what it fills in, each with the first place."""
    found: dict[str, Node] = {}
    for tree, start in subject.filled():
        for node, _ in walk(tree, start):
            for name, place in _named(node):
                found.setdefault(name, place)
    return found


def in_scaffold(subject: Subject) -> set[str]:
    """The names that the scaffold's expressions have, in file names or texts."""
    found: set[str] = set()
    for path, content in subject.content.files.items():
        if path.startswith("scaffold/"):
            for inner in _JINJA.findall(f"{path}\n{content.decode(errors='replace')}"):
                found |= set(_NAMES.findall(inner))
    return found


def _named(node: Node) -> Iterator[tuple[str, Node]]:
    if node.kind == "scalar":
        for match in PARAMETER.finditer(node.text):
            if match[1] is not None:
                yield match[1], node
    elif (entry := node.entries.get(CHOOSE)) is not None and entry.value.kind == "scalar":
        yield entry.value.text, entry.value


def _uses(subject: Subject) -> Iterator[Diagnostic]:
    declared = subject.manifest.parameters
    found = used(subject)
    for name, place in found.items():
        if name not in declared:
            hint = suggestion(name, list(declared)) or "declare it in template.yaml: parameters"
            message = f"there is no parameter '{name}'"
            yield problem(place, "unknown-parameter", message, hint=hint)
    for name in declared.keys() - found.keys() - in_scaffold(subject):
        yield problem(
            subject.key("parameters", name),
            "unused-parameter",
            f"the parameter '{name}' is used nowhere",
            path=f"parameters.{name}",
            hint=f"write ${{parameters.{name}}} where it counts, or remove it",
        )


def _declared(subject: Subject, name: str, parameter: Parameter) -> Iterator[Diagnostic]:
    path = f"parameters.{name}"
    node = subject.node("parameters", name)
    if node is None:
        return
    least, most = parameter.at_least, parameter.at_most
    if least is not None and most is not None and least > most:
        message = f"{path} takes at least {least:g} and at most {most:g}: nothing"
        yield problem(node.entries["at_most"].value, "empty-range", message, path=path)
    yield from _without_effect(node, parameter, path)
    choices = node.entries.get("choices")
    wrong = list(_choices(parameter, choices.value, path)) if choices is not None else []
    yield from wrong
    default = node.entries.get("default")
    if not wrong and default is not None and parameter.default not in (UNSET, None):
        for item in wrong_value(parameter, default.value, f"{path}.default", subject.label):
            hint = item.hint if item.hint != parameter.description else ""
            yield problem(
                default.value, "bad-default", item.message, path=f"{path}.default", hint=hint
            )


def _without_effect(node: Node, parameter: Parameter, path: str) -> Iterator[Diagnostic]:
    """Keys that hold nothing: beside choices, or for a type that has none."""
    counts = parameter.type == "list"
    for key in ("pattern", "at_least", "at_most", "choices"):
        beside = bool(parameter.choices) and key != "choices" and (key == "pattern" or not counts)
        other = {"pattern": ("text", "list"), "choices": ("text", "integer", "number", "list")}
        if key in node.entries and (
            beside or parameter.type not in other.get(key, TYPES | {"list": list})
        ):
            what = "beside choices" if beside else f"for {a(parameter.type)}"
            message = f"{path}.{key} has no effect {what}"
            yield problem(node.entries[key].key, "no-effect", message, path=path, hint="remove it")


def _choices(parameter: Parameter, node: Node, path: str) -> Iterator[Diagnostic]:
    """What is no value of the parameter's type, as it stands there."""
    wanted = TYPES.get(parameter.type, str)
    for index, item in enumerate(node.items if node.kind == "list" else ()):
        here = f"{path}.choices[{index}]"
        if item.kind != "scalar" or item.is_null:
            yield problem(item, "wrong-choice", f"{here} is no plain value", path=here)
        elif wanted is not str:
            value, _, message, hint = typed(ScalarType((wanted,)), item, here)
            if value is NOTHING:
                yield problem(item, "wrong-choice", message, path=here, hint=hint)
        elif str(core(item)).lower() != item.text.lower():
            message = f"{here} is read as {core(item)}, not as the text '{item.text}'"
            yield problem(item, "wrong-choice", message, path=here, hint=f'write "{item.text}"')
