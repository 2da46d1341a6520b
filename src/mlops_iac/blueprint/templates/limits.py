"""What a template fixes, restricts, requires or forbids, and the checks that hold a blueprint to it.

A limit is checked on what a blueprint resolves to, so that no layer can undo it. A fixed field need
not be written: it is filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.fields import (
    ANY_KEY,
    AnyType,
    FieldType,
    MapType,
    fields_of,
    sections_of,
)
from mlops_iac.blueprint.placeholders import placeholder_in
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.scalars import NOTHING, core
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.source import Entry, Node, problem
from mlops_iac.blueprint.templates.manifest import LimitSpec
from mlops_iac.blueprint.templates.patterns import TooSlow, matches, wrong_pattern
from mlops_iac.blueprint.templates.reaching import beside, kinds_at, reach
from mlops_iac.blueprint.words import join, listed, nearest, split, suggestion
from mlops_iac.errors import Diagnostic
from mlops_iac.records import Record

LOCAL = "local"
ENVIRONMENTS = "environments"
FIXED_LAYER = "fixed by"


class Limit(Record):
    """One limit of one template. `environment` is a name, `*` for all but `local`, empty for all.

    `keys` is the path with `*` for any key; `file` and `line` are those of its key in
    template.yaml. `one_of` is as written.
    """

    keys: tuple[str, ...]
    environment: str
    spec: LimitSpec
    label: str
    file: str
    line: int
    key: Node
    fixed: Node | None = None
    one_of: tuple[Node, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Those of `one_of`, as written: `1.20`."""
        return tuple(item.text for item in self.one_of)

    @property
    def of_names(self) -> bool:
        """Whether it says which environments there may be, and so holds in none of them."""
        return self.keys == (ENVIRONMENTS,)

    @property
    def pattern(self) -> str:
        """The path as it is written in template.yaml."""
        shown = f"environments.{self.environment}" if self.environment else ""
        return reduce(join, self.keys, shown)

    @property
    def source(self) -> str:
        """`acme/standard@2.1.0 (template.yaml:33)`."""
        return f"{self.label} ({self.file.rpartition('/')[2]}:{self.line})"

    def counts(self, environment: str, base: str = "") -> bool:
        """Whether it holds in an environment; an ephemeral one has its `base`'s limits too."""
        if self.environment == ANY_KEY:
            return LOCAL not in (environment, base)
        return self.environment in ("", environment, base)

    def words(self) -> str:
        """What it says: `at most 20`."""
        spec = self.spec
        if self.fixed is not None:
            return f"fixed to {quoted(plain(self.fixed))}"
        if spec.forbidden:
            return "forbidden"
        parts = []
        if spec.keys:
            parts.append(f"only {listed(map(quoted, spec.keys))}")
        if spec.one_of:
            shown = (
                quoted(value) if isinstance(value, str | bool) else text
                for value, text in zip(spec.one_of, self.texts, strict=True)
            )
            parts.append(f"one of {listed(shown, 'or')}")
        if spec.pattern is not None:
            parts.append(f"a text of the form {spec.pattern}")
        if spec.at_least is not None:
            parts.append(f"at least {spec.at_least:g}")
        if spec.at_most is not None:
            parts.append(f"at most {spec.at_most:g}")
        if spec.required:
            parts.append("required")
        return ", ".join(parts)


def read_limits(node: Node | None, label: str) -> tuple[tuple[Limit, ...], list[Diagnostic]]:
    """The limits of a template whose parameters are filled in, and what is wrong with them."""
    if node is None or node.kind != "map":
        return (), []
    made: list[Limit] = []
    found: list[Diagnostic] = []
    for path, entry in node.entries.items():
        here = f"limits.{path}"
        decoder = Decoder(None)
        spec = decoder.part(LimitSpec, Written(entry.key, entry.value, label), here)
        found += decoder.found.problems
        if spec is NOTHING:
            continue
        environment, keys = within(path)
        fixed = plain(entry.value).get("fixed", NOTHING)
        if fixed is None:
            hint = "`forbidden: true` is for what must not be there"
            message = f"{here}: to be fixed to nothing holds nobody"
            found.append(problem(entry.key, "no-effect", message, path=here, hint=hint))
            continue
        if spec.pattern is not None and (said := wrong_pattern(spec.pattern)):
            message = f"{here}.pattern is no regular expression: {said}"
            place = entry.value.entries["pattern"].value
            found.append(problem(place, "bad-pattern", message, path=here))
            continue
        if wrong := _wrong_names(keys, entry.value) or _wrong_path(keys, spec):
            message, hint = wrong
            found.append(problem(entry.key, "unknown-path", message, path=here, hint=hint))
            continue
        written = entry.value.entries.get("fixed")
        value = None if written is None else written.value
        one_of = entry.value.entries.get("one_of")
        items = () if one_of is None else tuple(one_of.value.items)
        place = entry.key
        file = place.source.file
        made.append(
            Limit(tuple(keys), environment, spec, label, file, place.line, place, value, items)
        )
    return tuple(made), found


def _wrong_names(keys: Sequence[str], said: Node) -> tuple[str, str] | None:
    """What is wrong with a limit of environments themselves; what is resolved holds none."""
    if keys[0] != ENVIRONMENTS or (len(keys) == 1 and said.entries.keys() == {"keys", "because"}):
        return None
    hint = (
        "write what holds in them: `environments.NAME.PATH`, or `environments.*.PATH`; or which"
        " there may be: `environments: {keys: [dev, prod], because: …}`"
    )
    return "of environments themselves only the names can be limited", hint


def _wrong_path(keys: Sequence[str], spec: LimitSpec) -> tuple[str, str] | None:
    """What is wrong with a path: message and hint; None where it can be."""
    known = next((n for n in range(len(keys)) if not kinds_at(keys[: n + 1])), len(keys))
    kinds, done = kinds_at(keys[:known]), reduce(join, keys[:known], "")
    if known < len(keys):
        sections = [section for kind in kinds for section in sections_of(kind)]
        names = dict.fromkeys(name for section in sections for name in fields_of(section))
        what = f"a field of {done}" if done else "a section of a blueprint"
        hint = suggestion(keys[known], list(names)) or "nothing stands below it"
        return f"'{keys[known]}' is not {what}", hint
    if spec.keys and not any(isinstance(kind, MapType | AnyType) for kind in kinds):
        return f"{done} has no keys of a team's own: keys cannot hold for it", "limit its fields"
    return None


def within(path: str) -> tuple[str, list[str]]:
    """The environment that a path begins with (empty: none) and its keys in a blueprint."""
    keys = split(path)
    if keys and keys[0] == "environments" and len(keys) > 2:
        return keys[1], keys[2:]
    return "", keys


def fill_fixed(root: Node, limits: Sequence[Limit]) -> Node:
    """`root` with the fixed fields that no layer writes; what is written stays, to be checked."""
    for limit in limits:
        if limit.fixed is not None:
            root = _put(root, limit.keys, limit)
    return root


def _put(node: Node, keys: Sequence[str], limit: Limit) -> Node:
    key, *rest = keys
    names = list(node.entries) if key == ANY_KEY else [key]
    entries = dict(node.entries)
    for name in names:
        entry = entries.get(name)
        layer = f"{FIXED_LAYER} {limit.label}"
        if not rest:
            if entries.keys() & beside((*limit.keys[:-1], name)):
                continue  # what stands there instead is told at its line
            if (entry is None or entry.value.is_null) and limit.fixed is not None:
                entries[name] = Entry(limit.key.scalar_like(name), limit.fixed, layer)
        elif entry is None or entry.value.is_null:
            if ANY_KEY in rest:
                continue
            place = limit.key
            empty = Node("map", place.source, place.line, place.column, place.length)
            entries[name] = Entry(place.scalar_like(name), _put(empty, rest, limit), layer)
        elif entry.value.kind == "map":
            inner = _put(entry.value, rest, limit)
            entries[name] = Entry(entry.key, inner, entry.layer, entry.added)
    return Node("map", node.source, node.line, node.column, node.length, entries=entries)


def check_limits(
    resolved: ResolvedBlueprint,
    limits: Sequence[Limit],
    variables: Mapping[str, str | None],
    declared: Node | None = None,
) -> Iterator[Diagnostic]:
    """Every one of an environment's limits that it breaks, placed where the value is written.

    `declared` is where the blueprint names the environment: the place of what it lacks.
    """
    fixed: dict[str, tuple[Limit, Any]] = {}
    for limit in limits:
        for path, kind, value in reach(resolved.blueprint, limit.keys):
            wanted, wrong = _value(limit, kind, path, variables)
            yield from wrong
            if wanted is not NOTHING and path in fixed and fixed[path][1] != wanted:
                yield _contradiction(resolved, path, fixed[path][0], limit)
                continue
            if wanted is not NOTHING:
                fixed[path] = limit, wanted
            yield from _keys(limit, path, value, resolved)
            if message := _broken(limit, path, kind, value, wanted, resolved):
                hint = "" if limit.spec.because else "ask the template's owner"
                said = resolved.diagnostic(path, "locked", message, hint)
                top = resolved.origin("")
                at_top = (said.file, said.line, said.column) == (top.file, top.line, top.column)
                if declared is not None and limit.environment and at_top:
                    said = problem(declared, "locked", message, path=path, hint=hint)
                yield said


def _value(
    limit: Limit, kind: FieldType, path: str, variables: Mapping[str, str | None]
) -> tuple[Any, list[Diagnostic]]:
    """The value to have, and why it can be none: what the field never takes would hold nobody."""
    if limit.fixed is None:
        return NOTHING, []
    decoder = Decoder(variables)
    value = decoder.value(kind, Written(limit.key, limit.fixed, limit.label), path)
    return value, decoder.found.problems


def _contradiction(
    resolved: ResolvedBlueprint, path: str, first: Limit, second: Limit
) -> Diagnostic:
    message = (
        f"{path} is fixed to {quoted(plain(first.fixed))} by {first.source} and to"
        f" {quoted(plain(second.fixed))} by {second.source}"
    )
    hint = "one of the two templates must give way: use another version, or one of them"
    return resolved.diagnostic("extends", "templates-contradict", message, hint, at_key=True)


def _keys(limit: Limit, path: str, value: Any, resolved: ResolvedBlueprint) -> Iterator[Diagnostic]:
    """Each key of a map that is none of those that it may have."""
    for name in value if limit.spec.keys and isinstance(value, dict) else ():
        if name not in limit.spec.keys:
            shown = _shown(limit, path, resolved)
            yield resolved.diagnostic(
                join(path, name), "locked", *wrong_key(limit, shown, name), at_key=True
            )


def wrong_key(limit: Limit, path: str, name: str) -> tuple[str, str]:
    """What is wrong with a key that a limit does not name, and what is meant: message and hint."""
    message = f"{path} has '{name}'; {limit.source} allows {limit.words()}: {limit.spec.because}"
    near = nearest(name, limit.spec.keys)
    return message, f"did you mean '{near}'?" if near else "call it otherwise, or remove it"


def _shown(limit: Limit, path: str, resolved: ResolvedBlueprint) -> str:
    return f"environments.{resolved.environment}.{path}" if limit.environment else path


def _broken(
    limit: Limit, path: str, kind: FieldType, value: Any, wanted: Any, resolved: ResolvedBlueprint
) -> str:
    """The message, empty where the limit holds."""
    spec = limit.spec
    shown = _shown(limit, path, resolved)
    reason = f": {spec.because}"
    empty = value is None or value == () or value == {}
    empty |= value == "" and not resolved.is_written(path)
    if limit.fixed is not None:
        if wanted is NOTHING or value == wanted:
            return ""
        return f"{shown} is fixed to {quoted(plain(limit.fixed))} by {limit.source}{reason}"
    if spec.forbidden:
        there = not (empty or value == "") and (
            resolved.is_written(path) or not isinstance(value, Section)
        )
        return f"{shown} is forbidden by {limit.source}{reason}" if there else ""
    if spec.required and (empty or (isinstance(value, str) and not value.strip())):
        return f"{shown} is required by {limit.source}{reason}"
    if (
        spec.required
        and (stands_in := placeholder_in(value, kind, spec.one_of))
        and any(resolved.said_below(path))
    ):
        what = f"is {quoted(stands_in)}" if stands_in == value else f"says only {quoted(stands_in)}"
        return f"{shown} {what}, a placeholder; it is required by {limit.source}{reason}"
    if empty:
        return ""
    values = value if isinstance(value, tuple) else (value,)
    for item in values:
        try:
            fits = _is_chosen(limit, kind, item) and _in_range(spec, item) and _has_form(spec, item)
        except TooSlow:
            return (
                f"whether {shown} is {limit.words()} takes too long to tell, and {limit.source} asks"
                f" for it{reason}"
            )
        if not fits:
            allowed = limit.words()
            return f"{shown} is {quoted(item)}; {limit.source} allows {allowed}{reason}"
    return ""


def _is_chosen(limit: Limit, kind: FieldType, item: Any) -> bool:
    if not limit.spec.one_of:
        return True
    if isinstance(item, str) and not isinstance(kind, AnyType):
        return item in limit.texts  # a text field has what is written: `1.20` is not `1.2`
    return any(same(item, one) for one in limit.spec.one_of)


def _in_range(spec: LimitSpec, item: Any) -> bool:
    if spec.at_least is None and spec.at_most is None:
        return True
    if isinstance(item, bool) or not isinstance(item, int | float):
        return False  # a text that holds a number would be one to whatever reads it
    above = spec.at_least is None or item >= spec.at_least
    return above and (spec.at_most is None or item <= spec.at_most)


def _has_form(spec: LimitSpec, item: Any) -> bool:
    """Whether an item has the form that is asked for; a number as it is written. Raises TooSlow."""
    if spec.pattern is None:
        return True
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        return False
    return matches(spec.pattern, str(item))


def same(value: Any, written: Any) -> bool:
    """Whether a value is the one that a template names: `1` is `1.0`, but not `true`."""
    if isinstance(value, bool) or isinstance(written, bool):
        return value is written
    if isinstance(value, str) != isinstance(written, str):
        return str(value) == str(written)
    return bool(value == written)


def quoted(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(str(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {item}' for key, item in value.items())}}}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def plain(node: Node | None) -> Any:
    """What is written, by YAML's core schema."""
    if node is None:
        return None
    match node.kind:
        case "map":
            return {key: plain(entry.value) for key, entry in node.entries.items()}
        case "list":
            return [plain(item) for item in node.items]
        case _:
            return core(node)
