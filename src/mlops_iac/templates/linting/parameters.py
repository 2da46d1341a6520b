"""Parameters that nothing uses, and those whose own values do not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.blueprint.scalars import core
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.content import BLUEPRINT
from mlops_iac.blueprint.templates.manifest import Parameter, Reading
from mlops_iac.blueprint.templates.parameters import wrong_value
from mlops_iac.errors import Diagnostic

_JINJA = re.compile(r"\{[{%](.*?)[}%]\}", re.DOTALL)


def check_parameters(reading: Reading) -> Iterator[Diagnostic]:
    """What is wrong with the parameters of a template."""
    scaffold = " ".join(_expressions(reading))
    laid = reading.content.files.get(BLUEPRINT, b"").decode() + reading.source.text
    for name, parameter in reading.manifest.parameters.items():
        path = f"parameters.{name}"
        named = rf"\$\{{\s*parameters\.{name}\s*\}}|\$choose['\"]?\s*:\s*['\"]?{name}(?![\w-])"
        in_scaffold = re.search(rf"(?<![\w-]){name}(?![\w-])", scaffold)
        if not in_scaffold and not re.search(named, laid):
            yield problem(
                reading.key("parameters", name),
                "unused-parameter",
                f"the parameter '{name}' is used nowhere",
                path=path,
                hint=f"write ${{parameters.{name}}} where it counts, or remove it",
            )
        node = reading.node("parameters", name)
        if node is not None:
            yield from _own_values(node, parameter, path, reading.label)


def _expressions(reading: Reading) -> Iterator[str]:
    """What stands in the scaffold's expressions, in file names or texts."""
    for path, content in reading.content.files.items():
        if path.startswith("scaffold/"):
            yield from _JINJA.findall(f"{path}\n{content.decode(errors='replace')}")


def _own_values(node: Node, parameter: Parameter, path: str, label: str) -> Iterator[Diagnostic]:
    """Choices against the type, the default against all of it, and bounds against each other."""
    least, most = parameter.at_least, parameter.at_most
    if least is not None and most is not None and least > most:
        message = f"{path} takes at least {least:g} and at most {most:g}: nothing"
        yield problem(node.entries["at_most"].value, "empty-range", message, path=path)
    kind = "text" if parameter.type == "list" else parameter.type
    plain = Parameter(type=kind, description=parameter.description)
    choices = node.entries.get("choices")
    wrong = False
    for index, item in enumerate(choices.value.items if choices is not None else ()):
        here = f"{path}.choices[{index}]"
        said = next(wrong_value(plain, item, here, label), None)
        message, hint = (said.message, said.hint) if said is not None else ("", "")
        if said is None and kind == "text" and str(core(item)).lower() != item.text.lower():
            message = f"{here} is read as {core(item)}, not as the text '{item.text}'"
            hint = f'write "{item.text}"'
        if message:
            wrong = True
            yield problem(item, "wrong-choice", message, path=here, hint=hint)
    default = node.entries.get("default")
    if not wrong and default is not None and not default.value.is_null:
        for each in wrong_value(parameter, default.value, f"{path}.default", label):
            hint = each.hint if each.hint != parameter.description else ""
            here = f"{path}.default"
            yield problem(default.value, "bad-default", each.message, path=here, hint=hint)
