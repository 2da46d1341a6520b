"""The environments of a blueprint: merged layer by layer, decoded, and checked, each and together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.checks import Check, Seen, check_environment, check_together
from mlops_iac.blueprint.checks.names import illegal_name
from mlops_iac.blueprint.combine import combine, in_order
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.decode import Decoder
from mlops_iac.blueprint.fill import LOCAL, fill
from mlops_iac.blueprint.layers import command_line, overlay
from mlops_iac.blueprint.notes import Decoded
from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.base import EntryName
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.source import Entry, Node, Source, problem
from mlops_iac.blueprint.words import suggestion
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid, Diagnostic, StackNotFound
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.applied import AppliedTemplate
    from mlops_iac.blueprint.templates.content import TemplateFinder
    from mlops_iac.blueprint.templates.limits import Limit

BASE_LAYER = "blueprint"
COMMAND_LINE_LAYER = "command line"
EVERY = "*"
"""In a template: every environment but `local`."""


class ExtraEnvironment(Record):
    """An environment that no file declares: another one's overlay, unprotected, with tags."""

    base: str
    tags: Mapping[str, str] = {}


class _Layer(Record):
    """A partial blueprint and what `explain` calls it."""

    node: Node
    name: str


class Reader:
    """Merges, decodes and checks each environment."""

    def __init__(
        self,
        path: Path,
        source: Source,
        reach: Reach,
        strict: bool,
        command_line_values: Sequence[str],
        templates: TemplateFinder | None,
        extra: Mapping[str, ExtraEnvironment],
        data: bool,
    ) -> None:
        self.resolved: dict[str, ResolvedBlueprint] = {}
        self.trees: dict[str, Node] = {}
        self.limits: dict[str, Sequence[Limit]] = {}
        self.templates: Sequence[AppliedTemplate] = ()
        self._root_folder = path.parent
        self._reach = reach
        self._strict = strict
        self._extra = extra
        self._common: list[Diagnostic] = []
        self._found: dict[str, list[Diagnostic]] = {}
        self._between: list[Diagnostic] = []
        self._seen = Seen(data=data)
        self._declared: dict[str, Node] = {}
        root, problems = compose(source)
        self._common += problems
        self._upper = command_line(command_line_values)
        if (extends := root.entries.get("extends")) is not None and extends.value.items:
            self._apply_templates(root, templates)
        overlays = self._overlays(root)
        self._check_names(root, overlays)
        self._add_extra(overlays)
        base = Node("map", root.source, root.line, root.column, root.length)
        base.entries = {key: item for key, item in root.entries.items() if key != "environments"}
        self._names = list(overlays)
        checks = [self._environment(name, base, overlays[name]) for name in overlays]
        self._between = check_together(checks)
        self._checks = checks

    def _apply_templates(self, root: Node, templates: TemplateFinder | None) -> None:
        """Find them. Raises BlueprintInvalid: what stands on one that is missing says nothing."""
        if templates is None:
            entry = root.entries["extends"]
            message = "templates cannot be found here"
            raise BlueprintInvalid([problem(entry.key, "no-templates", message, path="extends")])
        from mlops_iac.blueprint.templates.applying import Applier

        applier = Applier(templates)
        applier.walk(root)
        self.templates = applier.applied
        if applier.problems:
            raise BlueprintInvalid(in_order([*self._common, *applier.problems]))

    def _overlays(self, root: Node) -> dict[str, list[_Layer]]:
        found: dict[str, list[_Layer]] = {LOCAL: []}
        for template in self.templates:
            for name in template.environments:
                if name != EVERY:
                    found.setdefault(name, [])
        own = self._own_overlays(root)
        inherited = tuple(found)
        for name, node in own.items():
            if node is None and name in inherited and name != LOCAL:
                found.pop(name, None)  # `null` removes what a template declares
            else:
                found.setdefault(name, [])
        for name, layers in found.items():
            for template in self.templates:
                for key in (EVERY, name):
                    if key in template.environments and not (key == EVERY and name == LOCAL):
                        layers.append(
                            _Layer(template.environments[key], f"{template.layer}, {name}")
                        )
            if (node := own.get(name)) is not None:
                layers.append(_Layer(node, f"environment {name}"))
        return found

    def _check_names(self, root: Node, names: Iterable[str]) -> None:
        if self.templates:
            from mlops_iac.blueprint.templates.environment_names import check_names

            self._common += check_names(self.templates, root, names)

    def _own_overlays(self, root: Node) -> dict[str, Node | None]:
        """What the blueprint itself says of each environment; None for `null`."""
        found: dict[str, Node | None] = {}
        entry = root.entries.get("environments")
        if entry is None:
            return found
        if entry.value.kind != "map":
            message = "environments takes a mapping of names to partial blueprints"
            self._common.append(problem(entry.value, "wrong-type", message, path="environments"))
            return found
        declared = {name for template in self.templates for name in template.environments}
        for name, item in entry.value.entries.items():
            path = f"environments.{name}"
            self._declared[name] = item.key
            if wrong := illegal_name(name, EntryName("environment", 20)):
                self._common.append(problem(item.key, *wrong[:2], path=path, hint=wrong[2]))
            if item.value.kind == "map":
                found[name] = item.value
                continue
            found[name] = None
            if item.value.is_null and name in declared:
                continue
            message = f"{path} takes a partial blueprint, a mapping"
            hint = "write `{}` if nothing differs" if item.value.is_null else ""
            place = item.value if item.value.text else item.key
            self._common.append(problem(place, "wrong-type", message, path=path, hint=hint))
        return found

    def _add_extra(self, overlays: dict[str, list[_Layer]]) -> None:
        for name, added in self._extra.items():
            if added.base not in overlays:
                raise StackNotFound(
                    f"there is no environment '{added.base}'",
                    hint=suggestion(added.base, list(overlays)),
                )
            place = Node("scalar", Source("command line", name), 1, 1)
            tags = Node("map", place.source, 1, 1)
            for key, value in added.tags.items():
                text = place.scalar_like(value)
                text.plain = False
                tags.entries[key] = Entry(place.scalar_like(key), text)
            node = Node("map", place.source, 1, 1)
            node.entries["protect"] = Entry(
                place.scalar_like("protect"), place.scalar_like("false")
            )
            if added.tags:
                node.entries["tags"] = Entry(place.scalar_like("tags"), tags)
            overlays[name] = [*overlays[added.base], _Layer(node, f"ephemeral {name}")]

    def _environment(self, name: str, base: Node, layers: Sequence[_Layer]) -> Check:
        problems: list[Diagnostic] = []
        merged = self._below(base, problems)
        for layer in layers:
            merged = overlay(merged, layer.node, layer.name, problems)
        for given in self._upper:
            merged = overlay(merged, given, COMMAND_LINE_LAYER, problems)
        limits = self.limits[name] = self._limits(name)
        if limits:
            from mlops_iac.blueprint.templates.limits import fill_fixed

            merged = fill_fixed(merged, limits)
        self.trees[name] = merged
        merged = fill(merged, name)
        known = variables(merged, name)
        decoder = Decoder(known)
        blueprint: Blueprint = decoder.root(Blueprint, merged, BASE_LAYER, blueprint=True)
        found: Decoded = decoder.found
        resolved = ResolvedBlueprint(
            name, self._root_folder, blueprint, found.written, self._reach, self.resolved
        )
        self.resolved[name] = resolved
        check = Check(resolved, found, problems + found.problems, self._seen, self._names)
        check.wrong.update(item.path for item in problems if item.severity == "error")
        check_environment(check, strict=self._strict)
        if limits:
            from mlops_iac.blueprint.templates.limits import check_limits

            locked = check_limits(resolved, limits, known, self._declared.get(name))
            check.diagnostics += locked
            check.wrong.update(item.path for item in locked)
        self._found[name] = check.diagnostics
        return check

    def _limits(self, name: str) -> list[Limit]:
        above = self._extra[name].base if name in self._extra else ""
        return [
            limit
            for template in self.templates
            for limit in template.limits
            if not limit.of_names and limit.counts(name, above)
        ]

    def _below(self, base: Node, problems: list[Diagnostic]) -> Node:
        """The templates with the blueprint's own base over them."""
        if not self.templates:
            return base
        merged = Node("map", base.source, base.line, base.column, base.length)
        for template in self.templates:
            merged = overlay(merged, template.tree, template.layer, problems, fixed=())
        return overlay(merged, base, BASE_LAYER, problems, fixed=())

    def torn(self) -> dict[str, ResolvedBlueprint]:
        """The environments with holes at what is wrong."""
        from mlops_iac.blueprint.torn import torn

        between = (*self._common, *self._between)
        everywhere = {item.path for item in between if item.severity == "error"}
        wrong = {
            check.resolved.environment: everywhere | check.found.broken | check.wrong
            for check in self._checks
        }
        return torn(self.resolved, wrong)

    def diagnostics(self) -> list[Diagnostic]:
        """All of them, in the order of the file."""
        return in_order([*self._common, *self._between, *combine(self._found)])


def variables(merged: Node, environment: str) -> dict[str, str | None]:
    """What `${…}` stands for in one environment; None where it has no value."""

    def written(key: str) -> str | None:
        entry = merged.entries.get(key)
        if entry is None or entry.value.kind != "scalar" or "${" in entry.value.text:
            return None
        return entry.value.text

    account = written("account")
    if not account and environment == LOCAL:
        account = registry.forms(written("platform") or "").account
    return {
        "name": written("name"),
        "environment": environment,
        "account": account,
        "region": written("region"),
    }
