"""`explain PATH`: what a value is, what the field means, and which line says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_iac.blueprint.fields import ChoiceType, EitherType, FieldType, MapType, SectionType
from mlops_iac.blueprint.fields import fields_of as _fields_of
from mlops_iac.blueprint.layers import ROOT
from mlops_iac.blueprint.loaded import LoadedBlueprint
from mlops_iac.blueprint.resolved import Origin
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.words import split, suggestion
from mlops_iac.errors import UsageError


@dataclass(frozen=True, slots=True)
class Explanation:
    """One path of one environment. `value` is plain JSON-like data; None if nothing is set."""

    path: str
    environment: str
    value: Any
    description: str
    origin: Origin


def explain(loaded: LoadedBlueprint, path: str, environment: str = "local") -> Explanation:
    """What stands at `path`. Raises StackNotFound, and UsageError for a path that cannot be."""
    resolved = loaded.resolve(environment)
    at: Any = resolved.blueprint
    kind: FieldType | None = ROOT
    description = (type(at).__doc__ or "").strip().split("\n")[0]
    done = ""
    for key in split(path):
        section = _section(kind, at)
        if section is not None:
            fields = _fields_of(section)
            if key not in fields:
                raise UsageError(
                    f"'{key}' is not a field of {done or 'a blueprint'}",
                    hint=suggestion(key, list(fields)),
                )
            field = fields[key]
            kind, description = field.type, field.info.description or ""
            at = getattr(at, field.name, None)
        else:
            known = list(at) if isinstance(at, dict) else []
            if key not in known:
                where = f"{done} of {environment}" if done else environment
                raise UsageError(f"there is no '{key}' in {where}", hint=suggestion(key, known))
            kind = kind.value if isinstance(kind, MapType) else None
            at = at[key]
        done = f"{done}.{key}" if done else key
    return Explanation(path, environment, plain(at), description, resolved.origin(path))


def _section(kind: FieldType | None, value: Any) -> type[Section] | None:
    if isinstance(value, Section):
        return type(value)
    match kind:
        case SectionType():
            return kind.section
        case EitherType():
            return kind.section.section
        case ChoiceType() | None:
            return None
        case _:
            return None


def plain(value: Any) -> Any:
    """Models as mappings with the keys of the file, without what is not set."""
    match value:
        case Section():
            items = {
                field.key: plain(getattr(value, field.name))
                for field in _fields_of(type(value)).values()
            }
            return {key: item for key, item in items.items() if item not in (None, "", [], {})}
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case _:
            return value
