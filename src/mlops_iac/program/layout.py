"""The text of `__main__.py`: docstring, imports, settings, component calls, exports."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlops_iac.program.expressions import (
    WIDTH,
    All,
    Call,
    Code,
    Expression,
    Table,
    flat,
    imports_of,
    parts,
    quote,
    render,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One component call: `variable = call`, its exports, and the flags it stands behind."""

    variable: str
    path: str
    call: Call
    exports: Mapping[str, str] = field(default_factory=dict)
    condition: Sequence[Expression] = ()


def main_py(
    headline: str,
    provenance: str,
    blocks: Sequence[Block],
    overrides: Expression | None = None,
    *,
    local: Mapping[str, str] | None = None,
    ejected: str = "",
) -> bytes:
    """The program's source.

    `local` maps modules to those beside the program that are imported in their place, which the
    sentence `ejected` names.
    """
    shared, blocks = _share(blocks)
    body: list[str] = []
    preamble: list[str] = []
    for name, expression in shared.items():
        preamble += render(expression, f"{name} = ")
    if overrides is not None:
        table = Call("Overrides", [overrides], imports=("mlops_iac.program.overrides:Overrides",))
        body += ["# overrides", *render(table, "overrides = "), ""]
    for group in _groups(blocks):
        body += [*_group(group), ""]
    exports = [line for block in blocks if not block.condition for line in _exports(block, 0)]
    body += [*exports, ""] if exports else []
    if overrides is not None:
        body += ["overrides.verify(settings)", ""]

    everything = [block.call for block in blocks] + list(shared.values())
    everything += [test for block in blocks for test in block.condition]
    everything += [overrides] if overrides is not None else []
    imports = {name for expression in everything for name in imports_of(expression)}
    setup: list[str] = []
    if overrides is not None:
        imports.add("mlops_iac.program.overrides:Overrides")
    if overrides is not None or _calls(everything, "settings."):
        imports |= {"pathlib:Path", "mlops_iac.program.settings:Settings"}
        setup.append("settings = Settings(Path(__file__).parent)")
    if _uses_stack(everything):
        imports.add("pulumi")
        setup.append("stack = pulumi.get_stack()")
    if any(block.exports for block in blocks):
        imports.add("pulumi")
    setup += preamble
    lines = [
        *_docstring(headline, provenance, ejected),
        "",
        *_imports(imports, local or {}),
        "",
        *setup,
        *([""] if setup else []),
        *body,
    ]
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _docstring(*paragraphs: str) -> list[str]:
    lines = ['"""']
    for index, paragraph in enumerate(filter(None, paragraphs)):
        clean = " ".join(paragraph.split()).replace("\\", "\\\\").replace('"', "'")
        lines += [
            *([""] if index else []),
            *textwrap.wrap(clean, WIDTH - 3, break_long_words=False),
        ]
    return [lines[0] + lines[1], *lines[2:], '"""']


def _imports(imports: set[str], local: Mapping[str, str]) -> list[str]:
    """Import lines in isort's order: standard library, the rest, what lies beside the program."""
    standard = [name for name in imports if name.startswith("pathlib")]
    lines = [line for name in standard for line in _import(*name.split(":"))]
    bare = sorted(name for name in imports if ":" not in name)
    by_module: dict[str, list[str]] = {}
    for name in imports - set(standard) - set(bare):
        module, member = name.split(":")
        by_module.setdefault(module, []).append(member)
    rest = [f"import {name}" for name in bare]
    beside: list[str] = []
    for module in sorted(by_module, key=lambda module: local.get(module, module)):
        group = beside if module in local else rest
        group += _import(local.get(module, module), *sorted(by_module[module], key=_member_order))
    groups = [group for group in (lines, rest, beside) if group]
    return [line for group in groups for line in ("", *group)][1:]


def _import(module: str, *members: str) -> list[str]:
    line = f"from {module} import {', '.join(members)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {member}," for member in members), ")"]


def _member_order(name: str) -> tuple[int, list[tuple[int, int, str]]]:
    """isort's: constants, classes, variables; numbers within names by value."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    chunks = re.findall(r"\d+|\D+", name)
    return kind, [(0, int(c), "") if c.isdigit() else (1, 0, c) for c in chunks]


def _groups(blocks: Sequence[Block]) -> list[list[Block]]:
    """Neighbours behind the same flags."""
    groups: list[list[Block]] = []
    for block in blocks:
        if groups and block.condition and groups[-1][0].condition == block.condition:
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _group(group: Sequence[Block]) -> list[str]:
    condition = group[0].condition
    if not condition:
        return _block(group[0], 0)
    test = condition[0] if len(condition) == 1 else All(tuple(condition))
    lines = render(test, "if ", 0, ":")
    for index, block in enumerate(group):
        lines += [*([""] if index else []), *_block(block, 1)]
    exports = [line for block in group for line in _exports(block, 1)]
    return [*lines, *([""] if exports else []), *exports]


def _block(block: Block, depth: int) -> list[str]:
    comment = [f"{'    ' * depth}# {block.path}"] if block.path else []
    return [*comment, *render(block.call, f"{block.variable} = ", depth)]


def _exports(block: Block, depth: int) -> list[str]:
    lines: list[str] = []
    for name, attribute in block.exports.items():
        source = f"{block.variable}.{attribute}" if attribute else block.variable
        lines += render(Call("pulumi.export", [Code(quote(name)), Code(source)]), "", depth)
    return lines


def _share(blocks: Sequence[Block]) -> tuple[dict[str, Expression], list[Block]]:
    """Tables that several calls are given under the same name (tags) become one variable."""
    counts: dict[str, dict[str, int]] = {}
    tables: dict[str, Table] = {}
    variables = {block.variable for block in blocks}
    for block in blocks:
        for name, item in _arguments(block.call).items():
            if isinstance(item, Table) and len(item.items) > 1 and _is_free(item, variables):
                text = flat(item)
                tables[text] = item
                per_name = counts.setdefault(name, {})
                per_name[text] = per_name.get(text, 0) + 1
    shared: dict[str, str] = {}
    for name, per_name in sorted(counts.items()):
        text, count = max(per_name.items(), key=lambda item: item[1])
        if count > 1 and name not in variables:
            shared[name] = text
    changed = [replace(block, call=_with_shared(block.call, shared)) for block in blocks]
    return {name: tables[text] for name, text in shared.items()}, changed


def _arguments(call: Call) -> Mapping[str, Expression]:
    """The keywords of the arguments object, which is a component's second positional argument."""
    arguments = call.positional[1] if len(call.positional) > 1 else None
    return arguments.keywords if isinstance(arguments, Call) else {}


def _with_shared(call: Call, shared: Mapping[str, str]) -> Call:
    if not _arguments(call):
        return call
    name, arguments, *rest = call.positional
    assert isinstance(arguments, Call)
    keywords = {
        key: Code(key) if key in shared and flat(item) == shared[key] else item
        for key, item in arguments.keywords.items()
    }
    return replace(call, positional=[name, replace(arguments, keywords=keywords), *rest])


def _is_free(expression: Expression, variables: set[str]) -> bool:
    """Whether it needs nothing that is made further down."""
    return not any(
        isinstance(part, Code) and part.text.split(".")[0] in variables
        for part in parts(expression)
    )


def _calls(expressions: Sequence[Expression], prefix: str) -> bool:
    return any(
        isinstance(part, Call) and part.function.startswith(prefix)
        for expression in expressions
        for part in parts(expression)
    )


def _uses_stack(expressions: Sequence[Expression]) -> bool:
    return any(
        isinstance(part, Code)
        and (part.text == "stack" or (part.text.startswith('f"') and "{stack}" in part.text))
        for expression in expressions
        for part in parts(expression)
    )
