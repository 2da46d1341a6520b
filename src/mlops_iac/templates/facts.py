"""What there is to know of a template, as plain data: for people, pages, and other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.filling import CHOOSE, ELSE, PARAMETER
from mlops_iac.blueprint.templates.limits import plain, quoted
from mlops_iac.blueprint.templates.manifest import UNSET, Parameter
from mlops_iac.blueprint.templates.parameters import takes
from mlops_iac.blueprint.words import listed, one_line
from mlops_iac.records import Record, as_data
from mlops_iac.templates.versions import VersionInvalid, parse_version

_WORDS = {
    "fixed": "fixed to {}",
    "keys": "only {}",
    "one_of": "one of {}",
    "at_least": "at least {}",
    "at_most": "at most {}",
}


class ParameterFact(Record):
    """A parameter. `takes` is in words; `default` in words too, empty where it must be given."""

    name: str
    type: str
    takes: str
    required: bool
    default: str
    description: str


class LimitFact(Record):
    """A limit before parameters are filled in: `holds` may name them."""

    path: str
    holds: str
    because: str


class Facts(Record):
    """All of it. `changelog` has the newest version first."""

    source: str
    name: str
    version: str
    digest: str
    description: str
    platforms: Sequence[str]
    extends: Sequence[str]
    parameters: Sequence[ParameterFact]
    limits: Sequence[LimitFact]
    rules: Sequence[str]
    changelog: Sequence[tuple[str, Sequence[str]]]

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        changelog = {version: list(texts) for version, texts in self.changelog}
        return {**as_data(self), "changelog": changelog}


def facts(content: TemplateContent) -> Facts:
    """What a template says of itself. Raises BlueprintInvalid."""
    reading = parse(content)
    manifest = reading.manifest
    limits = reading.node("limits")
    return Facts(
        source=content.source,
        name=manifest.name,
        version=manifest.version,
        digest=content.digest,
        description=manifest.description,
        platforms=manifest.platforms,
        extends=[f"{use.template} {use.version or ''}".strip() for use in manifest.extends],
        parameters=[_parameter(name, each) for name, each in manifest.parameters.items()],
        limits=[
            LimitFact(path, words, because)
            for path, entry in (limits.entries.items() if limits is not None else ())
            for words, because in _limit(entry.value)
        ],
        rules=[
            path.removeprefix("policies/").removesuffix(".py").replace("_", "-")
            for path in sorted(content.files)
            if path.startswith("policies/") and path.endswith(".py") and "/_" not in path
        ],
        changelog=[
            (version, [one_line(text) for text in texts])
            for version, texts in sorted(manifest.changelog.items(), key=_order, reverse=True)
        ],
    )


def _order(entry: tuple[str, Sequence[str]]) -> Any:
    try:
        return parse_version(entry[0])
    except VersionInvalid:
        return parse_version("0.0.0")


def _parameter(name: str, parameter: Parameter) -> ParameterFact:
    default = parameter.default
    shown = "" if default is UNSET else "left out" if default is None else one_line(quoted(default))
    return ParameterFact(
        name=name,
        type=parameter.type,
        takes=takes(parameter),
        required=default is UNSET,
        default=shown,
        description=one_line(parameter.description),
    )


def _limit(node: Node, when: str = "") -> list[tuple[str, str]]:
    """What holds and why; several where a parameter chooses."""
    if CHOOSE in node.entries:
        chosen = node.entries[CHOOSE].value.text
        found = []
        for case, entry in node.entries.items():
            if case != CHOOSE and not entry.value.is_null:
                named = f"any other {chosen}" if case == ELSE else f"{chosen} {case}"
                found += _limit(entry.value, f", with {named}")
        return found
    said = {key: entry.value for key, entry in node.entries.items()}
    parts = [form.format(_shown(said[key])) for key, form in _WORDS.items() if key in said]
    parts += [key for key in ("required", "forbidden") if key in said and said[key].text == "true"]
    because = said["because"].text if "because" in said else ""
    return [(one_line(", ".join(parts) + when), one_line(because))]


def _shown(node: Node) -> str:
    if CHOOSE in node.entries:
        return f"what {node.entries[CHOOSE].value.text} says"
    value = plain(node)
    if isinstance(value, list):
        return listed(map(_named, value), "or")
    return _named(value)


def _named(value: object) -> str:
    """A value, parameters in it by name."""
    if isinstance(value, bool):
        return str(value).lower()
    return PARAMETER.sub(
        lambda match: f"the parameter {match[1]}" if match[1] else "${", str(value)
    )
