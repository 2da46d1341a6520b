r"""Cases of a template: `tests/NAME.yaml`, what a team writes and what it gets.

    description: what it shows
    parameters: {tier: gold}
    platform: the-platform        # only where the template has several
    blueprint: {owner: a@b.com}   # a team's own lines, as a mapping or as text
    files: {data/x.csv: "a,b\n"}  # what it names; what is not given stands in empty
    golden: [prod]                # whose whole result is kept, in files
    expect:
      resolved: {security.network: private, environments.prod.protect: true}
      resources: {"package:module:Type": 1, prod: {"package:module:Other": 2}}
      errors: ["max is 3; .*"]    # the blueprint is refused, with these and no others
      findings: ["no-fridays: it"] # what breaks the template's guard rails, and nothing else

Of the environments that `golden` names, `tests/NAME/` holds whole results: `ENVIRONMENT.resolved.yaml`,
every leaf, and `ENVIRONMENT.lock.json`, every resource. `template test --update` writes them.

A case is also what a template is tried with in other ways: with each other choice of its parameters
(`variants`), and to see what a new version changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_iac import records
from mlops_iac.blueprint.compose import compose, compose_value
from mlops_iac.blueprint.decode import Decoder
from mlops_iac.blueprint.scalars import core
from mlops_iac.blueprint.source import Entry, Node, Source, problem
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.manifest import UNSET, Manifest, Parameter, text_of
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.records import Record
from mlops_iac.templates.case_sections import CaseSection
from mlops_iac.templates.files import wrong_name

FOLDER = "tests/"
THIS = "."
"""The template whose case it is, in a blueprint that extends others, too."""
RESOLVED = ".resolved.yaml"


class Case(Record):
    """One case. `parameters` and `blueprint` are as written; `golden` its files, by name.

    `platform` is empty for the template's first one.
    """

    name: str
    section: CaseSection
    source: Source
    parameters: Node | None
    blueprint: Node | None
    resolved: Mapping[str, Entry]
    golden: Mapping[str, bytes]
    platform: str = ""

    def text(self, head: Mapping[str, str]) -> str:
        """The team's blueprint: its own lines over `head`, which is YAML by key."""
        own = {key: flow(entry.value) for key, entry in self.own.items() if key != "extends"}
        whole = {**head, **own}
        return "".join(f"{_quoted(key)}: {value}\n" for key, value in whole.items())

    @property
    def own(self) -> Mapping[str, Entry]:
        """The team's own lines."""
        return self.blueprint.entries if self.blueprint is not None else {}

    def extends(self, source: str) -> str:
        """The `extends` that uses the template at `source` with its parameters.

        A case that has an `extends` of its own calls the template `.` in it.
        """
        given = flow(self.parameters) if self.parameters is not None else "{}"
        this = f"{{template: {_quoted(source)}, parameters: {given}}}"
        entry = self.own.get("extends")
        if entry is None:
            return f"[{this}]"
        return f"[{', '.join(this if _is_this(e) else flow(e) for e in entry.value.items)}]"


def case_names(content: TemplateContent) -> list[str]:
    """The cases that a template has, sorted."""
    return sorted(
        name.removeprefix(FOLDER).removesuffix(".yaml")
        for name in content.files
        if name.startswith(FOLDER) and name.endswith(".yaml") and name.count("/") == 1
    )


def samples(content: TemplateContent) -> list[Case]:
    """The cases of a template that are to work and can be read; without any, that nothing is given."""
    found = []
    for name in case_names(content):
        try:
            case = read_case(content, name)
        except BlueprintInvalid:
            continue  # told by who runs it
        if not case.section.expect.errors:
            found.append(case)
    empty = Case("default", CaseSection(), Source("", ""), None, None, {}, {})
    return found or [empty]


def variants(case: Case, manifest: Manifest, platforms: Sequence[str]) -> Iterator[Case]:
    """The case with each other choice of one parameter, and on each other platform."""
    for platform in platforms:
        if platform != (case.platform or platforms[0]):
            yield records.replace(case, platform=platform)
    place = Node("map", case.source, 1, 1)
    given = case.parameters.entries if case.parameters is not None else {}
    for name, parameter in manifest.parameters.items():
        for value in _choices(parameter):
            node = compose_value(Source(case.source.file, json.dumps(value)))
            if value == (core(given[name].value) if name in given else parameter.default):
                continue
            entry = Entry(place.scalar_like(name), node)
            parameters = Node("map", case.source, 1, 1, entries={**given, name: entry})
            yield records.replace(case, parameters=parameters)


def _choices(parameter: Parameter) -> Iterator[Any]:
    """What a parameter can be told to have, as far as that has an end, and the ends of a range."""
    if parameter.type == "list":
        return
    if parameter.type == "boolean":
        yield from (True, False)
    yield from parameter.choices
    for bound in (parameter.at_least, parameter.at_most):
        if bound is not None and not parameter.choices and parameter.default is not UNSET:
            yield int(bound) if parameter.type == "integer" else bound
    if parameter.default is None:
        yield None


def read_case(content: TemplateContent, name: str) -> Case:
    """One case. Raises BlueprintInvalid with everything that is wrong with its file."""
    file = f"{FOLDER}{name}.yaml"
    source = text_of(content, file)
    try:
        root, found = compose(source) if source.text.strip() else (Node("map", source, 1, 1), [])
    except BlueprintInvalid as error:
        raise BlueprintInvalid([_own_words(item) for item in error.diagnostics]) from None
    decoder = Decoder(None)
    section: CaseSection = decoder.root(CaseSection, root, "case")
    found += [_own_words(item) for item in decoder.found.problems]
    own = _value(root, "blueprint")
    if own is not None and own.kind == "scalar":
        try:
            own = compose(Source(f"{source.file} (blueprint)", own.text))[0]
        except BlueprintInvalid as error:
            found += error.diagnostics
    found += _checks(root, own)
    if found:
        raise BlueprintInvalid(found)
    expect = _value(root, "expect")
    resolved = _value(expect, "resolved") if expect is not None else None
    prefix = f"{FOLDER}{name}/"
    return Case(
        name=name,
        section=section,
        source=source,
        parameters=_value(root, "parameters"),
        blueprint=own,
        resolved=resolved.entries if resolved is not None else {},
        golden={
            path.removeprefix(prefix): data
            for path, data in content.files.items()
            if path.startswith(prefix)
        },
        platform=section.platform or "",
    )


def _own_words(item: Diagnostic) -> Diagnostic:
    if item.code != "not-a-mapping":
        words = item.message.replace("a section of a blueprint", "a key of a case")
        return replace(item, message=words)
    hint = "start with `parameters:` or `expect:`"
    return replace(item, message="a case is a mapping of keys to values", hint=hint)


def _is_this(node: Node) -> bool:
    """Whether an item of `extends` is the template whose case it is."""
    entry = node.entries.get("template")
    return entry is not None and entry.value.text == THIS


def _checks(root: Node, own: Node | None) -> Iterator[Diagnostic]:
    if own is not None and own.kind != "map":
        message = "blueprint takes a mapping, or a text that is one"
        yield problem(root.entries["blueprint"].value, "wrong-type", message, path="blueprint")
    extends = own.entries.get("extends") if own is not None else None
    if extends is not None and not any(_is_this(item) for item in extends.value.items):
        message = "the template itself is not among what the case's blueprint extends"
        hint = f"{{template: {THIS}}} is the template; its parameters stand in `parameters:`"
        yield problem(extends.key, "not-the-template", message, path="blueprint", hint=hint)
    files = _value(root, "files")
    for name, entry in (files.entries if files is not None else {}).items():
        if wrong := wrong_name(name):
            yield problem(entry.key, "bad-path", f"the file name '{name}' {wrong}", path="files")
    expect = _value(root, "expect")
    for key in ("errors", "findings"):
        patterns = _value(expect, key) if expect is not None else None
        for node in patterns.items if patterns is not None else []:
            try:
                re.compile(node.text)
            except re.error as error:
                message = f"'{node.text}' is no regular expression: {error}"
                yield problem(node, "bad-pattern", message, path=f"expect.{key}")
    resources = _value(expect, "resources") if expect is not None else None
    for key, entry in (resources.entries if resources is not None else {}).items():
        inner = entry.value.entries if entry.value.kind == "map" else {key: entry}
        for name, item in inner.items():
            count = core(item.value) if item.value.kind == "scalar" else None
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                message = f"'{name}' takes how many there are, a whole number"
                yield problem(item.value, "wrong-type", message, path="expect.resources")


def _value(node: Node, key: str) -> Node | None:
    entry = node.entries.get(key)
    return entry.value if entry is not None and not entry.value.is_null else None


def flow(node: Node) -> str:
    """A node as YAML on one line, its values as they were written: `1.20` stays so."""
    match node.kind:
        case "map":
            inner = (f"{_quoted(key)}: {flow(e.value)}" for key, e in node.entries.items())
            return f"{{{', '.join(inner)}}}"
        case "list":
            return f"[{', '.join(flow(item) for item in node.items)}]"
        case _:
            if node.is_null:
                return "null"
            return _quoted(node.text) if isinstance(core(node), str) else node.text


def _quoted(text: str) -> str:
    """Any text as a scalar of YAML, whose double quotes are JSON's."""
    return json.dumps(text)


def resolved_text(leaves: Mapping[str, Any]) -> str:
    """Every leaf on a line of its own, in the order of the language."""
    lines = ["# Written by `mlops-iac template test --update`.\n"]
    for path, value in leaves.items():
        if path != "extends" and not path.startswith("extends["):
            lines.append(f"{_key(path)}: {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines)


def _key(path: str) -> str:
    return path if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.\-]*", path) else json.dumps(path)
