"""`policies.yaml` beside the blueprint: what a team says about the rules.

    policies: 1
    production: [prod]                      # default: every environment that is protected
    rules:
      allowed-regions: {regions: [eu-*]}
      single-instance: {severity: mandatory}
      log-encryption: {enabled: false}
      cost-tag: {tags: [cost-centre, team]}
      owner-tag: {severity: advisory, reason: the platform team tags by account}

A mandatory rule is not switched off here: an exception in the blueprint has a place, a reason and
an end.

A template has such a file, too, and what it says holds for every blueprint that stands on it: no
file above lowers a severity, switches a rule off or changes a setting that it makes. There a rule
also takes `exceptions: allowed | forbidden`. They are forbidden for what a template makes mandatory,
switches on or brings itself, unless it allows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.scalars import NOTHING, boolean, whole
from mlops_iac.blueprint.source import Entry, Node, Source, problem, read
from mlops_iac.blueprint.templates.content import POLICIES
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.policy.model import Parameter, Rule, Severity

FORMAT: Final = 1
Exceptions = Literal["allowed", "forbidden"]
_KEYS = ("policies", "production", "rules")
_SEVERITIES: tuple[Severity, ...] = ("mandatory", "advisory")
_SETTINGS = ("severity", "enabled", "reason")
_OF_TEMPLATES = ("exceptions",)
_EXCEPTIONS: tuple[Exceptions, ...] = ("allowed", "forbidden")
_HINT = "remove it, or ask the template's owner"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is said of one rule."""

    severity: Severity | None = None
    enabled: bool = True
    reason: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    # Of templates only: what is written, where it stands, and whether `enabled` is written.
    exceptions: Exceptions | None = None
    line: int = 0
    switched: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What templates hold a rule to.

    `by` says which and where, `acme/standard@2.1.0 (policies.yaml:4)`. `kept`: it is not switched
    off above. `parameters` are those that stay, each with who says so.
    """

    by: str
    severity: Severity | None = None
    kept: bool = False
    parameters: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    exceptions: bool = True


@dataclass(frozen=True, slots=True)
class Configuration:
    """`production` names the environments that count as such; None: those that are protected.

    `held` is what templates hold rules to. For these a team's `production` takes no protected
    environment away, unless templates name those that count (`production_held`).
    """

    production: tuple[str, ...] | None = None
    rules: Mapping[str, Setting] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    production_held: bool = False

    def severity(self, rule: Rule) -> Severity:
        """The rule's severity here."""
        return self._of(rule).severity or rule.severity

    def enabled(self, rule: Rule) -> bool:
        """Whether it runs."""
        return self._of(rule).enabled

    def parameters(self, rule: Rule) -> dict[str, Any]:
        """All of its parameters, defaults filled in."""
        defaults = {name: each.default for name, each in rule.parameters.items()}
        return {**defaults, **self._of(rule).parameters}

    def source(self, rule: Rule) -> str:
        """Who asks for it: the standard, and the template that holds to it."""
        held = self.held.get(rule.id)
        if held is None or rule.source.startswith(held.by.partition(" ")[0]):
            return rule.source
        return f"{rule.source}; {held.by}"

    def remediation(self, rule: Rule) -> str:
        """What to do, and whose template asks for it."""
        held = self.held.get(rule.id)
        return f"{rule.remediation}; {held.by} holds to it" if held else rule.remediation

    def _of(self, rule: Rule) -> Setting:
        return self.rules.get(rule.id, _PLAIN)


_PLAIN = Setting()
T = TypeVar("T", bound=str)


def load(
    path: Path,
    shown: str,
    rules: Sequence[Rule],
    environments: Sequence[str],
    *,
    unread: Sequence[str] = (),
    held: Mapping[str, Held] | None = None,
) -> tuple[Configuration, list[Diagnostic]]:
    """What the file says, and every problem of it; defaults where there is no file.

    `unread` are ids of rules that exist and were not loaded: what is said of them is not checked.
    `held` is what templates hold rules to; what would undo it is a problem.
    Raises UsageError for a file that cannot be read.
    """
    if not path.exists():
        return Configuration(), []
    return parse(read(path, shown), rules, environments, unread=unread, held=held)


def parse(
    source: Source,
    rules: Sequence[Rule],
    environments: Sequence[str] | None,
    *,
    unread: Sequence[str] = (),
    held: Mapping[str, Held] | None = None,
) -> tuple[Configuration, list[Diagnostic]]:
    """What a text says; arguments as `load`. Without `environments` it is a template's."""
    try:
        root, problems = compose(source)
    except BlueprintInvalid as error:
        return Configuration(), [_own_words(item, source.file) for item in error.diagnostics]
    reader = _Reader({rule.id: rule for rule in rules}, environments, unread, held or {})
    reader.problems += problems
    return reader.read(root), reader.problems


def _own_words(item: Diagnostic, shown: str) -> Diagnostic:
    if item.code != "not-a-mapping":
        return item
    message = f"{shown} takes a mapping of keys to values"
    return replace(item, message=message, hint="start with `policies: 1` and `rules:`")


@dataclass
class _Reader:
    _rules: Mapping[str, Rule]
    _environments: Sequence[str] | None
    _unread: Sequence[str]
    _held: Mapping[str, Held]
    problems: list[Diagnostic] = field(default_factory=list)

    def read(self, root: Node) -> Configuration:
        for key, entry in root.entries.items():
            if key not in _KEYS:
                message = f"'{key}' is not a key of {POLICIES}"
                self._say(entry.key, "unknown-key", message, key, suggestion(key, _KEYS))
        self._version(root)
        production = None
        if chosen := root.entries.get("production"):
            production = self._texts(chosen.value, "production")
            for node, name in zip(chosen.value.items, production, strict=False):
                if self._environments is not None and name not in self._environments:
                    message = f"the blueprint has no environment '{name}'"
                    hint = suggestion(name, self._environments)
                    self._say(node, "unknown-environment", message, "production", hint)
        return Configuration(production, self._all(root.entries.get("rules")))

    def _version(self, root: Node) -> None:
        entry = root.entries.get("policies")
        if entry is None:
            self._say(root, "missing", f"{POLICIES} needs 'policies'", "", "write `policies: 1`")
        elif whole(entry.value) != FORMAT:
            message = f"policies: {entry.value.text} is not a version of this file"
            self._say(entry.value, "unknown-value", message, "policies", f"write {FORMAT}")

    def _all(self, entry: Entry | None) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        if entry is None or entry.value.is_null:
            return found
        if entry.value.kind != "map":
            self._say(entry.value, "wrong-type", "rules takes a mapping of rules", "rules")
            return found
        for name, inner in entry.value.entries.items():
            path = f"rules.{name}"
            rule = self._rules.get(name)
            if rule is None:
                if self._environments is None and name in self._unread:
                    found[name] = self._common(inner, path)
                elif name not in self._unread:
                    known = [*self._rules, *self._unread]
                    message = f"there is no rule '{name}'"
                    hint = suggestion(name, known)
                    self._say(inner.key, "unknown-rule", message, path, hint)
            elif inner.value.kind != "map":
                hint = "write `{severity: …}` or one of its parameters"
                message = f"{path} takes a mapping of settings"
                self._say(inner.value, "wrong-type", message, path, hint)
            else:
                found[name] = self._setting(rule, inner, path)
        return found

    def _setting(self, rule: Rule, entry: Entry, path: str) -> Setting:
        common = self._common(entry, path)
        parameters: dict[str, Any] = {}
        settings = (*_SETTINGS, *_OF_TEMPLATES) if self._environments is None else _SETTINGS
        for key, inner in entry.value.entries.items():
            here, node = f"{path}.{key}", inner.value
            if parameter := rule.parameters.get(key):
                parameters[key] = self._parameter(parameter, node, here)
            elif key not in settings:
                known = [*rule.parameters, *settings]
                message = f"'{key}' is not a setting of {rule.id}"
                hint = suggestion(key, known)
                if key in _OF_TEMPLATES:
                    hint = "a template says it; a team writes `exceptions:` in its blueprint"
                self._say(inner.key, "unknown-key", message, here, hint)
        setting = replace(common, parameters=parameters)
        self._check_weakened(rule, entry, path, setting)
        if rule.id in self._held:
            self.problems += _undone(rule, self._held[rule.id], entry, setting, path)
        return setting

    def _common(self, entry: Entry, path: str) -> Setting:
        """What can be said of every rule."""
        if entry.value.kind != "map":
            self._say(entry.value, "wrong-type", f"{path} takes a mapping of settings", path)
            return Setting()
        severity: Severity | None = None
        exceptions: Exceptions | None = None
        enabled, reason = True, ""
        for key, inner in entry.value.entries.items():
            here, node = f"{path}.{key}", inner.value
            if key == "severity":
                severity = self._one_of(_SEVERITIES, node, here, "is not a severity")
            elif key == "enabled":
                enabled = self._flag(node, here)
            elif key == "reason":
                reason = node.text.strip()
            elif key == "exceptions" and self._environments is None:
                exceptions = self._one_of(_EXCEPTIONS, node, here, f"is not a value of {here}")
        switched = "enabled" in entry.value.entries
        return Setting(severity, enabled, reason, {}, exceptions, entry.key.line, switched)

    def _one_of(self, allowed: Sequence[T], node: Node, path: str, message: str) -> T | None:
        found = next((each for each in allowed if node.text == each), None)
        if found is None:
            hint = f"allowed: {listed(allowed, 'or')}"
            self._say(node, "unknown-value", f"'{node.text}' {message}", path, hint)
        return found

    def _check_weakened(self, rule: Rule, entry: Entry, path: str, setting: Setting) -> None:
        if rule.severity != "mandatory":
            return
        if not setting.enabled:
            place = entry.value.entries["enabled"].value
            message = f"{rule.id} is mandatory and cannot be switched off here"
            hint = f"write `exceptions: {{{rule.id}: {{at: …, reason: …, until: …}}}}` in the blueprint"
            self._say(place, "mandatory-rule", message, path, hint)
        elif setting.severity == "advisory" and not setting.reason:
            place = entry.value.entries["severity"].value
            message = f"{rule.id} is mandatory; making it advisory needs a reason"
            self._say(place, "mandatory-rule", message, path, "add `reason: …`")

    def _flag(self, node: Node, path: str) -> bool:
        value = boolean(node) if node.kind == "scalar" else NOTHING
        if value is NOTHING:
            self._say(node, "wrong-type", f"{path} takes true or false", path)
            return True
        return bool(value)

    def _parameter(self, parameter: Parameter, node: Node, path: str) -> Any:
        match parameter.kind:
            case "texts":
                return self._texts(node, path)
            case "flag":
                return self._flag(node, path)
            case "integer":
                value: Any = whole(node) if node.kind == "scalar" else NOTHING
                if value is NOTHING or value < parameter.least:
                    message = f"{path} takes a whole number, at least {parameter.least}"
                    self._say(node, "wrong-type", message, path)
                    return parameter.default
                return value

    def _texts(self, node: Node, path: str) -> tuple[str, ...]:
        if node.kind != "list" or any(item.kind != "scalar" for item in node.items):
            hint = f"write `[{node.text}]`" if node.kind == "scalar" and node.text else ""
            self._say(node, "wrong-type", f"{path} takes a list of texts", path, hint)
            return ()
        return tuple(item.text for item in node.items)

    def _say(self, node: Node, code: str, message: str, path: str, hint: str = "") -> None:
        self.problems.append(problem(node, code, message, path=path, hint=hint))


def _undone(
    rule: Rule, held: Held, entry: Entry, setting: Setting, path: str
) -> Iterator[Diagnostic]:
    """What a setting above would undo; `entry` is where it is written."""
    written = entry.value.entries
    if not setting.enabled and held.kept:
        message = f"{rule.id} cannot be switched off: {held.by} holds to it"
        yield problem(written["enabled"].value, "locked", message, path=path, hint=_HINT)
    if setting.severity == "advisory" and held.severity == "mandatory":
        message = f"{rule.id} is made mandatory by {held.by}"
        yield problem(written["severity"].value, "locked", message, path=path, hint=_HINT)
    for name, value in setting.parameters.items():
        if name in held.parameters and held.parameters[name][0] != value:
            wanted, by = held.parameters[name]
            message = f"{rule.id}: {name} is set to {_shown(wanted)} by {by}"
            yield problem(written[name].value, "locked", message, path=path, hint=_HINT)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{listed(value, ',')}]" if len(value) < 2 else f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
