"""Several environments' arguments laid side by side: one expression, plus configuration.

What is equal stays a literal. What differs is read from configuration, under the blueprint path of
its `Setting` or else under a key made from the call's path and the argument's name. What only some
environments have stands behind a flag. A difference deeper than that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from mlops_iac.clouds.base import (
    Archive,
    Construct,
    Definition,
    Ref,
    Setting,
    UserFile,
    setting_paths,
)
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.program.annotations import allowed_texts, default_of
from mlops_iac.program.compare import (
    all_same,
    common_path,
    from_stack_name,
    is_data,
    kind_of,
    ordered_union,
    reader,
    same,
    stripped,
)
from mlops_iac.program.expressions import (
    NONE,
    Array,
    Call,
    Choose,
    Code,
    Expression,
    Table,
    literal,
    quote,
)

_DIFFER = "environments-differ"


def refuse(path: str, what: str, environments: Iterable[str]) -> NoReturn:
    """Raise for a difference that one program cannot express."""
    names = ", ".join(environments)
    raise BlueprintInvalid(
        [
            Diagnostic(
                code=_DIFFER,
                message=f"{path or 'the blueprint'}: {what} differs between {names} more deeply "
                "than one program with configuration can express",
                path=path,
                hint=f"make {path or 'it'} alike in these environments, or write two blueprints",
            )
        ]
    )


@dataclass
class Configuration:
    """What the program reads from each stack's configuration, collected while merging."""

    environments: Sequence[str]
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)

    def put(self, key: str, environment: str, value: Any) -> None:
        """Record one value. Raises BlueprintInvalid when the key has another one already."""
        known = self.values.setdefault(environment, {}).setdefault(key, value)
        if not same(known, value):
            refuse(key, "the value of two arguments that share this path", [environment])

    def agrees(self, key: str, present: Iterable[str]) -> bool:
        """Whether a flag that is true in `present` alone fits what is recorded."""
        on = set(present)
        known = ((env, self.values.get(env, {}).get(key)) for env in self.environments)
        return all(value is None or value is (env in on) for env, value in known)

    def flag(self, key: str, present: Iterable[str], among: Iterable[str] | None = None) -> Call:
        """A flag that is true in `present` and false in the others."""
        on = set(present)
        for environment in self.environments if among is None else among:
            self.put(key, environment, environment in on)
        return Call("settings.flag", [Code(quote(key))])


@dataclass
class Merger:
    """Merges the values of one argument. `file_of` prints files; it may give one per environment.

    `conditional` holds the variables that only some environments have, with their condition;
    `rename` the Python identifier of every variable.
    """

    configuration: Configuration
    rename: Mapping[str, str]
    conditional: Mapping[str, tuple[frozenset[str], Expression]]
    file_of: Callable[[Mapping[str, Definition | Archive | UserFile], str], Expression]

    def arguments(
        self, given: Mapping[str, Mapping[str, Any]], cls: str, key: str
    ) -> dict[str, Expression]:
        """The keyword arguments of `module:Class`, merged; `given` are those of each environment.

        What only some environments give is the class's default in the others.
        """
        return {
            name: self.merge(
                {
                    env: args[name] if name in args else default_of(cls, name)
                    for env, args in given.items()
                },
                f"{key}.{name}",
                cls,
                name,
            )
            for name in ordered_union([list(args) for args in given.values()])
        }

    def merge(
        self, values: Mapping[str, Any], key: str, cls: str = "", name: str = ""
    ) -> Expression:
        """One expression for an argument's value per environment.

        `key` is the configuration key for what differs without a `Setting`; `cls` and `name` say
        which argument of which class it is. Raises BlueprintInvalid.
        """
        present = {env: value for env, value in values.items() if value is not None}
        kinds = {kind_of(value) for value in present.values()}
        if any(isinstance(value, Setting) for value in present.values()):
            return self._settings(values, key, cls, name)
        if not present:
            return NONE
        if len(kinds) > 1:
            return self._mixed(values, key)
        kind = kinds.pop()
        if kind == "scalar":
            return self._scalars(values, key, cls, name)
        if len(present) < len(values):
            condition = self._condition(present, values, key)
            return Choose(self.merge(present, key, cls, name), condition, NONE)
        match kind:
            case "Ref":
                return self._refs(values, key)
            case "Construct":
                return self._constructs(values, key)
            case "list":
                return self._lists(values, key)
            case "mapping":
                return self._mappings(values, key)
            case _:
                return self.file_of(values, key)

    def _settings(self, values: Mapping[str, Any], key: str, cls: str, name: str) -> Expression:
        given = [value for value in values.values() if isinstance(value, Setting)]
        paths = sorted({setting.path for setting in given})
        plain = {
            env: value.value if isinstance(value, Setting) else value
            for env, value in values.items()
        }
        if len(paths) > 1:
            refuse(key, f"where the value comes from ({', '.join(paths)})", values)
        if any(not is_data(value) for value in plain.values()):
            refuse(paths[0], "the kind of value", values)
        if not any(setting.optional for setting in given) and all_same(plain.values()):
            return literal(next(iter(plain.values())))
        optional = any(setting.optional for setting in given)
        return self._read(plain, paths[0], cls, name, optional=optional)

    def _scalars(self, values: Mapping[str, Any], key: str, cls: str, name: str) -> Expression:
        if all_same(values.values()):
            return literal(next(iter(values.values())))
        return from_stack_name(values) or self._read(values, key, cls, name)

    def _read(
        self, values: Mapping[str, Any], key: str, cls: str, name: str, *, optional: bool = False
    ) -> Expression:
        """A read of configuration, typed by the values. None means: not set."""
        present = {env: value for env, value in values.items() if value is not None}
        for env, value in present.items():
            self.configuration.put(key, env, value)
        optional = optional or len(present) < len(values)
        if optional:
            self.configuration.optional.add(key)
        method = reader(present.values())
        if method is None:
            refuse(key, "the type of the value", values)
        arguments: list[Expression] = [Code(quote(key))]
        allowed = allowed_texts(cls, name) if method == "text" and cls else ()
        if allowed:
            method = "choice"
            arguments += [Code(quote(option)) for option in allowed]
        return Call(f"settings.{'optional_' if optional else ''}{method}", arguments)

    def _refs(self, values: Mapping[str, Ref], key: str) -> Expression:
        if len(set(values.values())) == 1:
            return self.reference(next(iter(values.values())))
        return self._mixed(values, key)

    def reference(self, ref: Ref) -> Code:
        """`data.artifacts.bucket`."""
        variable = self.rename[ref.variable]
        return Code(f"{variable}.{ref.attribute}" if ref.attribute else variable)

    def _constructs(self, values: Mapping[str, Construct], key: str) -> Expression:
        classes = {construct.cls for construct in values.values()}
        if len(classes) > 1:
            refuse(key, "the kind of building block", values)
        cls = classes.pop()
        given = {env: construct.args for env, construct in values.items()}
        keywords = self.arguments(given, cls, key)
        return Call(cls.split(":")[1], keywords=keywords, imports=(cls,))

    def _lists(self, values: Mapping[str, Sequence[Any]], key: str) -> Expression:
        lengths = {len(items) for items in values.values()}
        if len(lengths) > 1:
            return self._structural(values, key, "the number of entries")
        size = lengths.pop()
        columns = [{env: items[index] for env, items in values.items()} for index in range(size)]
        # A list of data is one value to whoever configures it, not one key per position, unless
        # nothing of it needs configuration.
        if all(is_data(item) for column in columns for item in column.values()):
            named = [all_same(column.values()) or from_stack_name(column) for column in columns]
            if all(named) and not all(item is True for item in named):
                return Array([self._scalars(column, key, "", "") for column in columns])
            return self._data(values, key)
        return Array([self.merge(column, f"{key}[{i}]") for i, column in enumerate(columns)])

    def _mappings(self, values: Mapping[str, Mapping[str, Any]], key: str) -> Expression:
        names = ordered_union([list(mapping) for mapping in values.values()])
        if any(set(mapping) != set(names) for mapping in values.values()):
            return self._structural(values, key, "the set of names")
        return Table(
            {
                name: self.merge({env: item[name] for env, item in values.items()}, f"{key}.{name}")
                for name in names
            }
        )

    def _structural(self, values: Mapping[str, Any], key: str, what: str) -> Expression:
        plain = {env: stripped(value) for env, value in values.items()}
        paths = [path for value in values.values() for path in setting_paths(value)]
        if not all(is_data(value) for value in plain.values()):
            filled = {env: value for env, value in values.items() if value}
            if len(filled) == len(values):
                refuse(common_path(paths) or key, what, values)
            # Some environments have none of it: that is one flag, not another structure.
            empty = (
                Array([]) if isinstance(next(iter(filled.values())), list | tuple) else Table({})
            )
            merged = self.merge(filled, key)
            return Choose(merged, self._condition(filled, values, key), empty)
        return self._data(plain, common_path(paths) or key)

    def _data(self, values: Mapping[str, Any], key: str) -> Expression:
        if all_same(values.values()):
            return literal(next(iter(values.values())))
        return self._read(values, key, "", "")

    def _mixed(self, values: Mapping[str, Any], key: str) -> Expression:
        """Values of which some environments have one kind and some another.

        One case can be said: a reference to what only some environments have.
        """
        for env, value in values.items():
            if not isinstance(value, Ref) or value.variable not in self.conditional:
                continue
            owners, condition = self.conditional[value.variable]
            inside = {name: item for name, item in values.items() if name in owners}
            outside = {name: item for name, item in values.items() if name not in owners}
            if env in inside and outside:
                return Choose(self.merge(inside, key), condition, self.merge(outside, key))
        return refuse(key, "what it refers to", values)

    def _condition(
        self, present: Mapping[str, Any], values: Mapping[str, Any], key: str
    ) -> Expression:
        for value in present.values():
            if isinstance(value, Ref) and value.variable in self.conditional:
                owners, condition = self.conditional[value.variable]
                if owners & set(values) == set(present):
                    return condition
        paths = [path for value in present.values() for path in setting_paths(value)]
        base = common_path(paths) or key
        # A single setting inside must not lend its own path, which may hold a value already.
        if len(set(paths)) == 1:
            base = key
        return self.configuration.flag(f"{base}.enabled", present, values)
