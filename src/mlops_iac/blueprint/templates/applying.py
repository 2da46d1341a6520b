"""The templates of a blueprint, found, filled in, and put in the order of their layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_iac import records
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.sections.platform import TemplateUse
from mlops_iac.blueprint.source import Entry, Node, Source, problem
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.content import (
    BLUEPRINT,
    TemplateContent,
    TemplateFinder,
    TemplateUnavailable,
    Wanted,
)
from mlops_iac.blueprint.templates.filling import Filler
from mlops_iac.blueprint.templates.limits import quoted, read_limits
from mlops_iac.blueprint.templates.manifest import (
    Manifest,
    Reading,
    read_manifest,
    text_of,
)
from mlops_iac.blueprint.templates.parameters import Values, fill_in
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import BlueprintInvalid, Diagnostic

DEEPEST = 10
"""Templates that stand on templates."""
MOST = 50
"""Templates of one blueprint."""
NOT_A_TEMPLATES = {
    "name": "the name is the team's own",
    "extends": "a template names the templates it stands on in template.yaml",
}


_PARSED: dict[tuple[str, str], Reading] = {}
_MOST_PARSED = 64


def parse(content: TemplateContent) -> Reading:
    """The template read, once per process and content.

    Raises BlueprintInvalid with what is wrong with both of its files.
    """
    key = content.digest, content.shown
    found = _PARSED.get(key)
    if found is None:
        reading: Reading | None = None
        wrong: list[Diagnostic] = []
        try:
            reading = read_manifest(content)
        except BlueprintInvalid as error:
            wrong += error.diagnostics
        root = None
        if BLUEPRINT in content.files:
            label = reading.file("").rstrip("/") if reading else ""
            name = reading.manifest.name if reading else content.source
            try:
                root = _blueprint(text_of(content, BLUEPRINT, label), name)
            except BlueprintInvalid as error:
                wrong += error.diagnostics
        if wrong or reading is None:
            raise BlueprintInvalid(wrong)
        if len(_PARSED) >= _MOST_PARSED:
            _PARSED.pop(next(iter(_PARSED)))
        found = _PARSED[key] = records.replace(reading, blueprint=root)
    # The same files may be had from more than one place.
    return found if found.content is content else records.replace(found, content=content)


def _blueprint(source: Source, name: str) -> Node:
    if not source.text.strip() or all(
        not line.strip() or line.lstrip().startswith("#") for line in source.lines()
    ):
        return Node("map", source, 1, 1)
    root, found = compose(source)
    for key, reason in NOT_A_TEMPLATES.items():
        if (entry := root.entries.get(key)) is not None:
            message = f"the template {name} cannot set '{key}': {reason}"
            found.append(problem(entry.key, "fixed-key", message, path=key, hint="remove it"))
    if found:
        raise BlueprintInvalid(found)
    return root


def uses(node: Node) -> tuple[list[tuple[TemplateUse, Node]], list[Diagnostic]]:
    """What an `extends` list says, each with its node."""
    if node.kind != "list":
        return [], []  # the walk over the whole blueprint reports it
    made: list[tuple[TemplateUse, Node]] = []
    found: list[Diagnostic] = []
    for index, item in enumerate(node.items):
        decoder = Decoder(None)
        use = decoder.part(TemplateUse, Written(item, item, ""), f"extends[{index}]")
        found += decoder.found.problems
        if use is not NOTHING:
            made.append((use, item))
    return made, found


class Applier:
    """Walks what a blueprint extends. `applied` is in layer order, lowest first."""

    def __init__(self, finder: TemplateFinder) -> None:
        self.applied: list[AppliedTemplate] = []
        self.problems: list[Diagnostic] = []
        self._finder = finder
        self._seen: dict[str, AppliedTemplate] = {}

    def walk(self, root: Node) -> None:
        """Apply the `extends` of a blueprint."""
        entry = root.entries.get("extends")
        if entry is None:
            return
        wanted, wrong = uses(entry.value)
        for use, node in wanted:
            index = entry.value.items.index(node)
            self._use(use, node, f"extends[{index}]", None, (), node)
        if self.problems:  # else its form is checked with the rest of the blueprint
            self.problems += wrong

    def _use(
        self,
        use: TemplateUse,
        node: Node,
        path: str,
        parent: TemplateContent | None,
        chain: tuple[str, ...],
        place: Node,
        by: str = "",
    ) -> None:
        """Apply one use. `place` is where the blueprint is to blame for what it leads to."""
        at = node.entries["template"].value if "template" in node.entries else place
        try:
            content = self._finder.find(Wanted(use.template, use.version or "", parent))
        except TemplateUnavailable as error:
            self._say(at, error.code, error.message, path, error.hint)
            return
        try:
            parsed = parse(content)
        except BlueprintInvalid as error:
            self.problems += error.diagnostics
            return
        manifest = parsed.manifest
        if manifest.name in chain:
            circle = " → ".join([*chain[chain.index(manifest.name) :], manifest.name])
            self._say(at, "template-cycle", f"templates extend each other: {circle}", path,
                      "a template stands on others, never on itself")  # fmt: skip
            return
        if len(chain) >= DEEPEST or len(self.applied) >= MOST:
            message = f"{manifest.label} is one template too many"
            hint = f"{MOST} templates, {DEEPEST} standing on each other, are the most"
            self._say(at, "too-many-templates", message, path, hint)
            return
        given = node.entries.get("parameters")
        values, wrong = fill_in(
            manifest,
            parsed.node("parameters"),
            given.value.entries if given is not None and given.value.kind == "map" else {},
            at,
            path,
        )
        self.problems += [_renamed(each, parsed) for each in wrong]
        if wrong:
            return
        before = len(self.problems)
        self._below(parsed, values, content, (*chain, manifest.name), place)
        if len(self.problems) == before:
            self._add(use, content, parsed, values, at, path, by)

    def _below(
        self,
        parsed: Reading,
        values: Values,
        content: TemplateContent,
        chain: tuple[str, ...],
        place: Node,
    ) -> None:
        """Apply what a template stands on."""
        written = parsed.node("extends")
        if written is None:
            return
        filler = Filler(values)
        filled = filler.fill(written)
        self.problems += filler.problems
        if filled is None or filler.problems:
            return
        wanted, wrong = uses(filled)
        self.problems += wrong
        for index, (use, node) in enumerate(wanted):
            path = f"extends[{index}]"
            self._use(use, node, path, content, chain, place, parsed.manifest.label)

    def _add(
        self,
        use: TemplateUse,
        content: TemplateContent,
        parsed: Reading,
        values: Values,
        at: Node,
        path: str,
        by: str,
    ) -> None:
        manifest = parsed.manifest
        made = layer(use, content, parsed, values, by)
        problems = made[1]
        self.problems += problems
        if problems:
            return
        applied = made[0]
        known = self._seen.get(manifest.name)
        if known is not None:
            if known.content.digest != content.digest:
                message = f"{_from(applied)} is wanted where {_from(known)} stands already"
                hint = "one blueprint has one version of a template: make the two agree"
                self._say(at, "two-versions", message, path, hint)
            elif dict(known.parameters) != dict(applied.parameters):
                differ = [
                    key
                    for key, value in applied.parameters.items()
                    if known.parameters.get(key) != value
                ]
                message = f"{applied.label} is used twice with different {listed(differ)}"
                hint = f"{_given(known, differ)}; {_given(applied, differ)}: make the two agree"
                self._say(at, "used-twice", message, path, hint)
            return
        self._seen[manifest.name] = applied
        self.applied.append(applied)

    def _say(self, node: Node, code: str, message: str, path: str, hint: str = "") -> None:
        self.problems.append(problem(node, code, message, path=path, hint=hint))


def layer(
    use: TemplateUse, content: TemplateContent, parsed: Reading, values: Values, by: str = ""
) -> tuple[AppliedTemplate, list[Diagnostic]]:
    """A template with its parameters in it, and what is wrong with the template."""
    manifest: Manifest = parsed.manifest
    label = manifest.label
    filler = Filler(values)
    source = parsed.source
    tree = Node("map", source, 1, 1)
    if parsed.blueprint is not None:
        tree = filler.fill(parsed.blueprint) or tree
    written = parsed.node("limits")
    sound = written is not None and filler.check_paths(written, label)
    filled = filler.fill(written) if written is not None and sound else None
    limits, wrong = read_limits(filled, label)
    overlays: dict[str, Node] = {}
    environments = tree.entries.get("environments")
    problems = [*filler.problems, *wrong]
    if environments is not None and environments.value.kind == "map":
        for name, entry in environments.value.entries.items():
            if entry.value.kind == "map":
                overlays[name] = entry.value
            else:
                message = f"environments.{name} takes a partial blueprint, a mapping"
                problems.append(problem(entry.key, "wrong-type", message))
    base = Node("map", tree.source, tree.line, tree.column, tree.length)
    base.entries = _without(tree.entries, ("environments", "blueprint"))
    applied = AppliedTemplate(
        asked=use.template,
        requested=use.version or "",
        content=content,
        manifest=manifest,
        parameters=values.plain(),
        tree=base,
        environments=overlays,
        limits=limits,
        by=by,
    )
    return applied, problems


def _without(entries: Mapping[str, Entry], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: entry for key, entry in entries.items() if key not in keys}


def _renamed(said: Diagnostic, reading: Reading) -> Diagnostic:
    """What is said of a parameter that is unknown, with its name since a migration has another."""
    name = said.path.rpartition(".parameters.")[2] if said.code == "unknown-parameter" else ""
    for version, operations in reading.manifest.migrations.items():
        for each in operations if name else ():
            if each.rename_parameter == name:
                hint = f"since {version} it is called '{each.to}'; `mlops-iac template update` renames it"
                return replace(said, hint=hint)
    return said


def _from(applied: AppliedTemplate) -> str:
    """`acme/base@2.1.0 (../base, for acme/standard@1.0.0)`."""
    return f"{applied.label} ({applied.asked}{f', for {applied.by}' if applied.by else ''})"


def _given(applied: AppliedTemplate, names: Sequence[str]) -> str:
    """`acme/left@1.0.0 says tier 'gold'`."""
    values = (
        f"{name} {'left out' if value is None else quoted(value)}"
        for name, value in ((name, applied.parameters.get(name)) for name in names)
    )
    return f"{applied.by or 'the blueprint'} says {listed(values)}"
