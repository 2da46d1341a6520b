"""A blueprint file with all its environments, read and checked in one pass (`reading`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.reading import ExtraEnvironment, Reader
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.source import Node, Source, read
from mlops_iac.blueprint.words import suggestion
from mlops_iac.collector import collector_paused
from mlops_iac.errors import BlueprintInvalid, Diagnostic, StackNotFound

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.applied import AppliedTemplate
    from mlops_iac.blueprint.templates.content import TemplateFinder
    from mlops_iac.blueprint.templates.limits import Limit


class LoadedBlueprint:
    """A valid blueprint, made by `load`; or one with holes (`torn`), made by `examine`.

    `path` is the absolute path of the file, `shown` what messages call it, `root` its folder,
    `reach` where its paths may lead,
    `text` its content, `environments` the names of its
    stacks (`local` first, then as declared), `warnings` what is allowed but probably not meant.
    `templates` are those that it builds on, lowest layer first; `limits` what they hold it to.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        reach: Reach,
        resolved: dict[str, ResolvedBlueprint],
        warnings: Sequence[Diagnostic],
        trees: Mapping[str, Node],
        templates: Sequence[AppliedTemplate] = (),
        limits: Mapping[str, Sequence[Limit]] | None = None,
        *,
        torn: bool = False,
    ) -> None:
        self.path = path
        self.root = path.parent
        self.reach = reach
        self.shown = source.file
        self.text = source.text
        self.warnings = tuple(warnings)
        self.templates = tuple(templates)
        self._resolved = resolved
        self._trees = trees
        self._limits = limits or {}
        self.torn = torn

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What the templates fix, restrict, require and forbid, lowest layer first."""
        return tuple(limit for template in self.templates for limit in template.limits)

    def limits_of(self, environment: str) -> Sequence[Limit]:
        """Those that one environment is held to; an ephemeral one to those of its base, too."""
        return self._limits.get(environment, ())

    def tree(self, environment: str) -> Node:
        """All layers of one environment as written, without defaults. Not to be changed."""
        return self._trees[environment]

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

    def let_go(self) -> None:
        """Forget the environments: nothing is asked of it any more.

        They know each other, so that they would wait for the collector, with all that knows them.
        """
        self._resolved.clear()


def load(
    path: Path | str,
    *,
    command_line: Sequence[str] = (),
    templates: TemplateFinder | None = None,
    extra: Mapping[str, ExtraEnvironment] | None = None,
    reach: Reach | None = None,
) -> LoadedBlueprint:
    """Read and check the blueprint at `path` in all its environments; arguments as `inspect`.

    Raises BlueprintInvalid with all problems, and UsageError for a file that cannot be read.
    """
    loaded, diagnostics = inspect(
        path, command_line=command_line, templates=templates, extra=extra, reach=reach
    )
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


def inspect(path: Path | str, **options: Any) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The blueprint if it has no errors, and all diagnostics. Raises UsageError.

    `options` are those of `examine`.
    """
    loaded, diagnostics = examine(path, **options)
    return (None if loaded is None or loaded.torn else loaded), diagnostics


def examine(
    path: Path | str,
    *,
    strict: bool = False,
    command_line: Sequence[str] = (),
    shown: str = "",
    templates: TemplateFinder | None = None,
    extra: Mapping[str, ExtraEnvironment] | None = None,
    text: str | None = None,
    reach: Reach | None = None,
    data: bool = True,
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The blueprint, where it has errors with holes at what is wrong, and all diagnostics.

    None where what was read is no blueprint at all. Raises UsageError.

    `command_line` holds `PATH=VALUE` texts, laid over every environment. `shown` is what messages
    call the file where that is not its path. `templates` finds what the blueprint
    extends; it is not asked where it extends nothing. `extra` are environments that no file
    declares. `text` is read in place of the file's content, as if it stood at `path`.
    `reach` is where its paths may lead; its repository and the user's folders where it is left out.
    Without `data` datasets are not opened: what stands in for them need not have their columns.
    """
    absolute = Path(path).absolute()
    called = shown or shown_as(Path(path))
    reach = reach or Reach.around(absolute.parent)
    if text is None:
        text = read(reach.inside(absolute, called), called).text
    source = Source(called, text)
    with collector_paused():
        try:
            reader = Reader(
                absolute, source, reach, strict, command_line, templates, extra or {}, data
            )
        except BlueprintInvalid as error:
            return None, list(error.diagnostics)
    diagnostics = reader.diagnostics()
    broken = any(item.severity == "error" for item in diagnostics)
    loaded = LoadedBlueprint(
        absolute,
        source,
        reach,
        reader.torn() if broken else reader.resolved,
        diagnostics,
        reader.trees,
        reader.templates,
        reader.limits,
        torn=broken,
    )
    return loaded, diagnostics


def shown_as(path: Path) -> str:
    """The path as people in this folder would write it."""
    if not path.is_absolute():
        return path.as_posix()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
