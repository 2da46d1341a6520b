"""A policy pack in the real CLI's hands: its resources as a graph, our rules over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mlops_iac.errors import UsageError
from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.provenance import blueprint_paths
from mlops_iac.policy import team
from mlops_iac.policy.checking import violations
from mlops_iac.policy.config import Configuration, Setting
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Finding, Rule, Violation
from mlops_iac.policy.pack import SETTINGS, PackSettings, StackSettings
from mlops_iac.policy.suppression import covers
from mlops_iac.values import UNKNOWN

# (message, URN or None)
Report = Callable[[str, str | None], None]
_COMPONENTS = "mlops-iac:"


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of a pack's folder and what they have to know."""

    settings: PackSettings
    rules: Sequence[Rule]

    def violations(
        self, rule: Rule, graph: ResourceGraph, today: date
    ) -> Iterator[tuple[str, str | None]]:
        """(message, URN) of what one rule finds and no exception lets pass.

        A stack that the pack does not know counts as production: it may be somebody's.
        """
        known = self.settings.stacks.get(graph.stack) or StackSettings(True, "")
        if rule.production and not known.production:
            return
        context = Context(
            graph=graph,
            production=known.production,
            region=known.region,
            accounts=frozenset(known.accounts),
            paths=blueprint_paths(graph, known.components),
        )
        setting = Setting(parameters=self.settings.rules[rule.id].parameters)
        for each in violations(rule, context, Configuration(rules={rule.id: setting})):
            path = each.path or (context.path_of(each.resource) if each.resource else "")
            if not _passes(rule, each, path, known.exceptions.get(rule.id), today):
                where = f" ← blueprint {path}" if path else ""
                message = f"{each.message}{where}. {rule.remediation}. {rule.source}"
                yield message, each.resource.urn if each.resource else None

    def expired(self, stack: str, today: date) -> Iterator[str]:
        """Exceptions of a stack that have ended."""
        known = self.settings.stacks.get(stack)
        for rule, each in known.exceptions.items() if known else ():
            if date.fromisoformat(each["until"]) < today:
                yield f"the exception for {rule} ended on {each['until']}"


def load(folder: Path) -> Pack:
    """Read a pack's folder. Raises UsageError for settings and rules that cannot be used."""
    from mlops_iac.policy.rules import rules

    settings = PackSettings.from_json((folder / SETTINGS).read_text(encoding="utf-8"))
    built_in = rules()
    known = [*built_in, *team.load(folder, frozenset(rule.id for rule in built_in))]
    if unknown := settings.rules.keys() - {rule.id for rule in known}:
        raise UsageError(
            f"the pack has settings for rules that are not here: {', '.join(sorted(unknown))}",
            hint="use the version of mlops-iac that wrote the pack, or write it again",
        )
    return Pack(settings, [rule for rule in known if rule.id in settings.rules])


def serve(folder: Path) -> None:
    """Hand the rules to the CLI that started this process; returns when it is done with them."""
    import pulumi
    import pulumi_policy as sdk

    pack = load(folder)

    def validation(rule: Rule) -> Callable[[Any, Report], None]:
        def validate(args: Any, report: Report) -> None:
            graph = graph_of(args.resources, pulumi.get_project(), pulumi.get_stack())
            for message, urn in pack.violations(rule, graph, _today()):
                report(message, urn)

        return validate

    def expired(_args: Any, report: Report) -> None:
        for message in pack.expired(pulumi.get_stack(), _today()):
            report(message, None)

    policies = [
        sdk.StackValidationPolicy(
            name=rule.id,
            description=f"{rule.title}. {rule.why}",
            validate=validation(rule),
            enforcement_level=sdk.EnforcementLevel(pack.settings.rules[rule.id].severity),
        )
        for rule in pack.rules
    ]
    ended = sdk.StackValidationPolicy(
        name="expired-exception",
        description="Exceptions end on the day that was agreed.",
        validate=expired,
        enforcement_level=sdk.EnforcementLevel.MANDATORY,
    )
    sdk.PolicyPack(name=f"{pack.settings.project}-guard-rails", policies=[*policies, ended])


def graph_of(resources: Iterable[Any], project: str, stack: str) -> ResourceGraph:
    """The CLI's resources (`pulumi_policy.PolicyResource`) as a graph.

    Values that a preview does not know raise when they are read; here they are UNKNOWN.
    """
    return ResourceGraph(project, stack, tuple(_resource(each) for each in resources))


def _resource(each: Any) -> Resource:
    properties = _plain(each.props)
    return Resource(
        urn=each.urn,
        type=each.resource_type,
        name=each.name,
        custom=not each.resource_type.startswith((_COMPONENTS, STACK_TYPE)),
        parent=each.parent.urn if each.parent is not None else (each.opts.parent or ""),
        inputs=properties,
        outputs=properties,
        dependencies=tuple(item.urn for item in each.dependencies),
        property_dependencies={
            key: tuple(item.urn for item in items)
            for key, items in each.property_dependencies.items()
        },
        protect=bool(each.opts.protect),
    )


def _plain(value: Any) -> Any:
    """Out of the SDK's guarded mappings and lists, by their public interface alone."""
    if isinstance(value, Mapping):
        return {key: _read(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_read(value, index) for index in range(len(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _read(container: Any, key: Any) -> Any:
    try:
        return _plain(container[key])
    except Exception as error:
        if type(error).__name__ == "UnknownValueError":
            return UNKNOWN
        raise


def _passes(
    rule: Rule,
    violation: Violation,
    path: str,
    exception: Mapping[str, str] | None,
    today: date,
) -> bool:
    if exception is None or date.fromisoformat(exception["until"]) < today:
        return False
    named = violation.resource.address if violation.resource else ""
    finding = Finding(rule.id, rule.severity, violation.message, address=named, path=path)
    return covers(exception["at"], finding)


def _today() -> date:
    return datetime.now(UTC).date()
