"""`$choose`: a case for every value that the parameter can have, and none for others."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.filling import CHOOSE, ELSE
from mlops_iac.blueprint.templates.manifest import Parameter
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.subject import Subject, walk

NULL = "null"


def check_choosing(subject: Subject) -> Iterator[Diagnostic]:
    """What is wrong with the choices that a template makes by its parameters."""
    for tree, start in subject.filled():
        for node, path in walk(tree, start):
            entry = node.entries.get(CHOOSE)
            if entry is None:
                if ELSE in node.entries:
                    place = node.entries[ELSE].key
                    yield problem(
                        place, "no-choice", f"{ELSE} stands beside no {CHOOSE}", path=path
                    )
                continue
            if entry.value.kind != "scalar":
                message = f"{CHOOSE} takes the name of a parameter"
                yield problem(entry.value, "unknown-parameter", message, path=path)
                continue
            parameter = subject.manifest.parameters.get(entry.value.text)
            if parameter is not None:  # told with all names that are not declared
                yield from _cases(node, entry.value, parameter, path)


def possible(parameter: Parameter) -> list[str] | None:
    """The cases there can be, as they are written; None where there is no end of them."""
    if parameter.type == "boolean":
        found = ["true", "false"]
    elif parameter.choices:
        found = [str(i).lower() if isinstance(i, bool) else str(i) for i in parameter.choices]
    else:
        return None
    return [*found, NULL] if parameter.default is None else found


def _cases(node: Node, chosen: Node, parameter: Parameter, path: str) -> Iterator[Diagnostic]:
    name = chosen.text
    if parameter.type == "list":
        message = f"{CHOOSE} cannot choose by '{name}', a list"
        yield problem(chosen, "wrong-type", message, path=path)
        return
    cases = [key for key in node.entries if key not in (CHOOSE, ELSE)]
    known = possible(parameter)
    if known is None:
        if ELSE not in node.entries:
            message = f"the cases of '{name}' have no end: {CHOOSE} needs `{ELSE}`"
            hint = f"add `{ELSE}: …`, or give '{name}' its choices"
            yield problem(chosen, "missing-case", message, path=path, hint=hint)
        return
    missing = [case for case in known if case not in cases]
    if missing and ELSE not in node.entries:
        message = f"there is no case for {name} {listed([f'`{case}`' for case in missing], 'or')}"
        hint = f"add {'it' if len(missing) == 1 else 'them'}, or `{ELSE}: …` for all others"
        yield problem(chosen, "missing-case", message, path=path, hint=hint)
    for case in cases:
        if case not in known:
            message = f"'{name}' is never `{case}`"
            hint = suggestion(case, known)
            yield problem(node.entries[case].key, "impossible-case", message, path=path, hint=hint)
    if not missing and ELSE in node.entries:
        message = f"`{ELSE}` is never reached: every value of '{name}' has a case"
        yield problem(
            node.entries[ELSE].key, "impossible-case", message, path=path, severity="warning"
        )
