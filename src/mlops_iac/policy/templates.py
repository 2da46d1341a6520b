"""What the templates of a blueprint say about rules: settings that hold, and rules of their own.

Templates are read in the order of their layers. Of two severities the stricter one holds; a setting
that one makes, another cannot change; neither can the team (`held`). A template's rules are code,
which runs only where the team's own would (`team`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlops_iac.blueprint.source import Node, Source, problem
from mlops_iac.blueprint.templates.content import POLICIES
from mlops_iac.errors import Diagnostic
from mlops_iac.policy.config import Configuration, Held, Setting, parse
from mlops_iac.policy.model import Rule, Severity
from mlops_iac.policy.team import RuleFile, files_in

_FORM = "policies: 1"


@dataclass(frozen=True, slots=True)
class Guards:
    """The files of one template that are about rules.

    `label` is `acme/standard@2.1.0`, `shown` what messages call its folder.
    """

    label: str
    shown: str
    files: Mapping[str, bytes]

    @property
    def rules(self) -> list[RuleFile]:
        """Its own rules, none of them run."""
        return files_in(self.files, self.label)

    @property
    def written(self) -> bool:
        """Whether it says anything about rules."""
        return POLICIES in self.files or bool(self.rules)


def standing(
    guards: Sequence[Guards], known: Sequence[Rule], unread: Sequence[str]
) -> tuple[Configuration, list[Diagnostic]]:
    """What the templates say together, lowest first, and every problem of what they say.

    `known` are the rules that are loaded, `unread` ids of those that are not.
    """
    problems: list[Diagnostic] = []
    settings: dict[str, Setting] = {}
    held: dict[str, Held] = {}
    production: tuple[str, ...] | None = None
    by_id = {rule.id: rule for rule in known}
    for each in guards:
        said, wrong = _said(each, known, unread)
        problems += wrong
        if said.production is not None:
            production = tuple(dict.fromkeys([*(production or ()), *said.production]))
        own = {file.id: file for file in each.rules}
        for name in dict.fromkeys([*own, *said.rules]):
            setting = said.rules.get(name, Setting())
            by = f"{each.label} ({POLICIES}:{setting.line})"
            if name in own and name not in said.rules:
                by = f"{each.label} (policies/{own[name].name})"
            rule = by_id.get(name)
            before = held.get(name)
            problems += _contradictions(name, setting, before, by, each)
            held[name] = _held(setting, before, by, rule if name in own else None, name in own)
            settings[name] = _merged(settings.get(name, Setting()), setting)
    return Configuration(production, settings, held, production is not None), problems


def laid_over(team: Configuration, below: Configuration) -> Configuration:
    """The team's settings, which `held` was checked for, over those of the templates."""
    rules = dict(below.rules)
    for name, setting in team.rules.items():
        rules[name] = _merged(rules.get(name, Setting()), setting)
    production = team.production
    if below.production is not None:
        production = (*below.production, *(team.production or ()))
    return replace(below, production=production, rules=rules)


def _said(
    guards: Guards, known: Sequence[Rule], unread: Sequence[str]
) -> tuple[Configuration, list[Diagnostic]]:
    raw = guards.files.get(POLICIES)
    if raw is None:
        return Configuration(), []
    shown = f"{guards.shown}/{POLICIES}" if guards.shown else POLICIES
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        place = Node("scalar", Source(shown, ""), 1, 1)
        return Configuration(), [problem(place, "encoding", f"{shown} is not UTF-8")]
    return parse(Source(shown, text), known, None, unread=unread)


def _held(setting: Setting, before: Held | None, by: str, rule: Rule | None, brought: bool) -> Held:
    """What a rule is held to once this template has spoken, too."""
    severity: Severity | None = setting.severity or (rule.severity if rule else None)
    strict = severity == "mandatory" or (setting.switched and setting.enabled) or brought
    allowed = setting.exceptions == "allowed" or (setting.exceptions is None and not strict)
    made = {name: (value, by) for name, value in setting.parameters.items()}
    kept = setting.enabled and (strict or setting.severity is not None)
    if before is None:
        return Held(by, severity, kept, made, allowed)
    stricter = "mandatory" if "mandatory" in (severity, before.severity) else severity
    return Held(
        by=before.by if before.severity == "mandatory" or not before.exceptions else by,
        severity=stricter or before.severity,
        kept=kept or before.kept,
        parameters={**made, **before.parameters},
        exceptions=allowed and before.exceptions,
    )


def _merged(below: Setting, above: Setting) -> Setting:
    severities = (below.severity, above.severity)
    severity = "mandatory" if "mandatory" in severities else above.severity or below.severity
    return replace(
        above,
        severity=severity,
        enabled=above.enabled if above.switched or below.enabled else below.enabled,
        parameters={**below.parameters, **above.parameters},
    )


def _contradictions(
    name: str, setting: Setting, before: Held | None, by: str, guards: Guards
) -> Iterable[Diagnostic]:
    """What a template says against one below it."""
    if before is None:
        return
    shown = f"{guards.shown}/{POLICIES}" if guards.shown else POLICIES
    raw = guards.files.get(POLICIES, b"").decode("utf-8-sig", "replace")
    place = Node("scalar", Source(shown, raw), setting.line, 1)

    def told(what: str) -> Diagnostic:
        message = f"{name}: {by} {what}"
        return problem(place, "templates-contradict", message, path=f"rules.{name}",
                       hint="one of the two templates must give way")  # fmt: skip

    if not setting.enabled and before.kept:
        yield told(f"switches it off, and {before.by} holds to it")
    if setting.severity == "advisory" and before.severity == "mandatory":
        yield told(f"makes it advisory, and {before.by} mandatory")
    for key, value in setting.parameters.items():
        known: tuple[Any, str] | None = before.parameters.get(key)
        if known is not None and known[0] != value:
            yield told(f"sets {key} to another value than {known[1]}")
