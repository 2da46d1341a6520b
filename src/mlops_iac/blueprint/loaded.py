"""A blueprint file with all its environments: read, merged and checked in one pass."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops_iac.blueprint.checks import Check, check_environment, check_together
from mlops_iac.blueprint.checks.names import illegal_name
from mlops_iac.blueprint.combine import combine, in_order
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.decode import Decoded, Decoder
from mlops_iac.blueprint.fill import LOCAL, LOCAL_ACCOUNT, fill
from mlops_iac.blueprint.layers import command_line, overlay
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.base import EntryName
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.source import Node, Source, problem, read
from mlops_iac.blueprint.words import suggestion
from mlops_iac.errors import BlueprintInvalid, Diagnostic, StackNotFound

BASE_LAYER = "blueprint"
COMMAND_LINE_LAYER = "command line"


class LoadedBlueprint:
    """A valid blueprint. Made by `load`.

    `path` is the absolute path of the file, `shown` what messages call it, `root` its folder,
    `text` its content, `environments` the names of its
    stacks (`local` first, then as declared), `warnings` what is allowed but probably not meant.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        resolved: dict[str, ResolvedBlueprint],
        warnings: Sequence[Diagnostic],
    ) -> None:
        self.path = path
        self.root = path.parent
        self.shown = source.file
        self.text = source.text
        self.warnings = tuple(warnings)
        self._resolved = resolved

    @property
    def name(self) -> str:
        """The blueprint's name."""
        return self._resolved[LOCAL].blueprint.name

    @property
    def environments(self) -> tuple[str, ...]:
        """Names of the stacks; `local` is always there, and first."""
        return tuple(self._resolved)

    def resolve(self, environment: str = LOCAL) -> ResolvedBlueprint:
        """The blueprint of one environment. Raises StackNotFound."""
        found = self._resolved.get(environment)
        if found is None:
            raise StackNotFound(
                f"there is no stack '{environment}'",
                hint=suggestion(environment, self.environments),
            )
        return found


def load(path: Path | str, *, command_line: Sequence[str] = ()) -> LoadedBlueprint:
    """Read and check the blueprint at `path` in all its environments.

    `command_line` holds `PATH=VALUE` texts, laid over every environment.
    Raises BlueprintInvalid with all problems, and UsageError for a file that cannot be read.
    """
    loaded, diagnostics = inspect(path, command_line=command_line)
    if loaded is None:
        raise BlueprintInvalid([item for item in diagnostics if item.severity == "error"])
    return loaded


def validate(
    path: Path | str, *, strict: bool = False, command_line: Sequence[str] = ()
) -> list[Diagnostic]:
    """Every problem of the blueprint at `path`; `strict` adds what a production stack lacks.

    Raises UsageError for a file that cannot be read.
    """
    return inspect(path, strict=strict, command_line=command_line)[1]


def inspect(
    path: Path | str,
    *,
    strict: bool = False,
    command_line: Sequence[str] = (),
    shown: str = "",
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The blueprint if it has no errors, and all diagnostics. Raises UsageError.

    `shown` is what messages call the file where that is not its path.
    """
    absolute = Path(path).absolute()
    source = read(absolute, shown or _shown(Path(path)))
    with _collector_paused():
        try:
            reader = _Reader(absolute, source, strict, command_line)
        except BlueprintInvalid as error:
            return None, list(error.diagnostics)
    diagnostics = reader.diagnostics()
    if any(item.severity == "error" for item in diagnostics):
        return None, diagnostics
    return LoadedBlueprint(absolute, source, reader.resolved, diagnostics), diagnostics


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Reading makes many objects and no garbage: looking for some makes growth quadratic."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _shown(path: Path) -> str:
    """The path as people in this folder would write it."""
    if not path.is_absolute():
        return path.as_posix()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


class _Reader:
    """Merges, decodes and checks each environment."""

    def __init__(
        self, path: Path, source: Source, strict: bool, command_line_values: Sequence[str]
    ) -> None:
        self.resolved: dict[str, ResolvedBlueprint] = {}
        self._root_folder = path.parent
        self._strict = strict
        self._common: list[Diagnostic] = []
        self._found: dict[str, list[Diagnostic]] = {}
        self._between: list[Diagnostic] = []
        self._files: dict[tuple[str, str], str] = {}
        root, problems = compose(source)
        self._common += problems
        self._upper = command_line(command_line_values)
        overlays = self._overlays(root)
        base = Node("map", root.source, root.line, root.column, root.length)
        base.entries = {key: item for key, item in root.entries.items() if key != "environments"}
        self._names = list(overlays)
        checks = [self._environment(name, base, overlays[name]) for name in overlays]
        self._between = check_together(checks)

    def _overlays(self, root: Node) -> dict[str, Node]:
        empty = Node("map", root.source, root.line, root.column)
        found: dict[str, Node] = {LOCAL: empty}
        entry = root.entries.get("environments")
        if entry is None:
            return found
        if entry.value.kind != "map":
            message = "environments takes a mapping of names to partial blueprints"
            self._common.append(problem(entry.value, "wrong-type", message, path="environments"))
            return found
        for name, item in entry.value.entries.items():
            path = f"environments.{name}"
            if wrong := illegal_name(name, EntryName("environment", 20)):
                self._common.append(problem(item.key, *wrong[:2], path=path, hint=wrong[2]))
            if item.value.kind == "map":
                found[name] = item.value
            else:
                message = f"{path} takes a partial blueprint, a mapping"
                hint = "write `{}` if nothing differs" if item.value.is_null else ""
                place = item.value if item.value.text else item.key
                self._common.append(problem(place, "wrong-type", message, path=path, hint=hint))
                found[name] = empty
        return found

    def _environment(self, name: str, base: Node, upper: Node) -> Check:
        layer = f"environment {name}"
        problems: list[Diagnostic] = []
        merged = overlay(base, upper, layer, problems)
        for given in self._upper:
            merged = overlay(merged, given, COMMAND_LINE_LAYER, problems)
        merged = fill(merged, name)
        decoder = Decoder(variables(merged, name))
        blueprint: Blueprint = decoder.root(Blueprint, merged, BASE_LAYER)
        found: Decoded = decoder.found
        resolved = ResolvedBlueprint(
            name, self._root_folder, blueprint, found.written, self.resolved
        )
        self.resolved[name] = resolved
        check = Check(resolved, found, problems + found.problems, self._files, self._names)
        check_environment(check, strict=self._strict)
        self._found[name] = check.diagnostics
        return check

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
    return {
        "name": written("name"),
        "environment": environment,
        "account": account if account or environment != LOCAL else LOCAL_ACCOUNT,
        "region": written("region"),
    }
