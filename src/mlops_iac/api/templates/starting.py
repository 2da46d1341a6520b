"""A new project from a template: found, asked for its parameters, rendered, pinned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.templates.start_answers import as_node, extends_item, values_of
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.content import BLUEPRINT
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.compile.captures import SharedCaptures
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.core.templating import Templates
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.blueprint.templates.content import TemplateContent
    from mlops_iac.blueprint.templates.manifest import Parameter, Reading

ANSWERS = ("name", "owner", "region", "platform")
"""What every scaffold is told; a parameter of the same name is the same question."""


class Start(Record):
    """A template to start from. `source` is what the blueprint will say of where it is."""

    source: str
    reading: Reading

    @property
    def content(self) -> TemplateContent:
        """Its files."""
        return self.reading.content

    @property
    def label(self) -> str:
        """`realtime@1.0.0`."""
        return self.reading.label

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """What a team fills in."""
        return self.reading.manifest.parameters

    @property
    def answers(self) -> tuple[str, ...]:
        """Which of `ANSWERS` become something: others would be dropped."""
        from mlops_iac.scaffold.rendering import names_in

        known = names_in(self.content, self.label)
        return tuple(key for key in ANSWERS if key in known or key in self.parameters)


class Started(Record):
    """A project that was written: its files, and what it lacks to be valid."""

    paths: Sequence[Path]
    problems: Sequence[Diagnostic]
    notes: Sequence[str] = ()
    project: BaseProject | None = None


def open_template(source: str, version: str, target: Path) -> Start:
    """Find the template that a project in `target` is to start from.

    `version` is a requirement, empty for the newest; a relative folder is seen from the working
    directory. Raises UsageError where it cannot be had, BlueprintInvalid where it is none.
    """
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.blueprint.templates.applying import parse
    from mlops_iac.blueprint.templates.content import TemplateUnavailable, Wanted
    from mlops_iac.templates.finder import Finder
    from mlops_iac.templates.sources import require_reach

    try:
        # Whoever names a folder on the command line wants it read; the blueprint has to reach it, too.
        finder = Finder(Path.cwd() / BLUEPRINT, reach=Reach.around(Path(source)))
        content = finder.find(Wanted(source, version))
        require_reach(content.origin, Reach.around(target))
    except TemplateUnavailable as error:
        raise UsageError(f"{error.message}; nothing was written", hint=error.hint) from None
    return Start(_seen_from(content.source, target), parse(content))


def _seen_from(source: str, target: Path) -> str:
    """A relative folder as a blueprint in `target` names it; any other source as it is."""
    if not source.startswith(("./", "../")) and source not in (".", ".."):
        return source
    try:
        relative = Path(os.path.relpath(source, target.resolve())).as_posix()
    except ValueError:  # another drive
        return Path(source).resolve().as_posix()
    return relative if relative.startswith("../") or relative in (".", "..") else f"./{relative}"


@contextmanager
def started(
    start: Start,
    target: Path,
    answers: Mapping[str, str],
    given: Mapping[str, str],
    *,
    delivered: bool = False,
    unanswered: Sequence[str] = (),
    agree: Callable[[Mapping[str, str]], None] | None = None,
    reach: Reach | None = None,
    captures: SharedCaptures | None = None,
) -> Iterator[Started]:
    """Write the project into `target`, with its lock; what the body raises undoes that.

    `given` are the parameters that were answered; `reach` is where the paths of the project may
    lead. `unanswered` are those of `answers` that nobody gave or accepted. `agree` is told, before
    anything is written, which files other tools run by themselves, each with the reason; it raises
    where they shall not be. `captures` are those of whoever asks for them again. Raises UsageError for answers that do not fit or
    are missing, a scaffold that is refused, and files that are there already; BlueprintInvalid
    where what the scaffold makes is no valid blueprint. Then nothing is written.
    """
    from mlops_iac.scaffold.executed import run_by_themselves
    from mlops_iac.scaffold.render import check
    from mlops_iac.scaffold.rendering import rendered
    from mlops_iac.scaffold.writing import written

    check(answers)
    manifest = start.reading.manifest
    if manifest.platforms and answers["platform"] not in manifest.platforms:
        raise UsageError(
            f"{start.label} is not made for {answers['platform']}; nothing was written",
            hint=f"--data platform={manifest.platforms[0]}",
        )
    nodes = {
        name: as_node(parameter, given[name])
        for name, parameter in start.parameters.items()
        if name in given
    }
    values = values_of(start, nodes, unanswered)
    told = {key: value for key, value in values.items() if key.isidentifier()} | {
        **answers,
        "parameters": values,
        "template": {"name": manifest.name, "version": manifest.version},
        "extends": extends_item(start, nodes),
        "delivered": delivered,
    }
    files = rendered(start.content, start.label, told)
    _check_extends(start, files.get(BLUEPRINT, b""))
    lock = target / "blueprint.lock"
    if lock.exists() or lock.is_symlink():
        raise UsageError(f"{target} already has {lock.name}; nothing was written")
    risky = run_by_themselves(files)
    if risky and agree is not None:
        agree(risky)
    with written(target, files, [lock.name]) as paths:
        yield _finished(start, target, list(paths), reach, captures, delivered=delivered)


def _check_extends(start: Start, content: bytes) -> None:
    """Refuse a blueprint that does not stand on the template, or that reaches for other folders."""
    from mlops_iac.blueprint.compose import compose
    from mlops_iac.blueprint.templates.applying import uses
    from mlops_iac.templates.sources.folder import FolderSource

    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UsageError(
            f"the scaffold of {start.label} writes a {BLUEPRINT} that is no text;"
            " nothing was written",
            hint="tell whoever publishes it",
        ) from None
    root, problems = compose(Source(f"{start.label}/scaffold/{BLUEPRINT}", text))
    if problems:
        raise BlueprintInvalid(problems)
    entry = root.entries.get("extends")
    found = [use.template for use, _ in uses(entry.value)[0]] if entry else []
    if start.source not in found:
        raise UsageError(
            f"the scaffold of {start.label} writes a blueprint that does not extend it;"
            " nothing was written",
            hint="its scaffold/blueprint.yaml.jinja has to say `extends:` and `{{ extends }}`",
        )
    foreign = not isinstance(start.content.origin, FolderSource)
    for text in found:
        if text != start.source and foreign and text.startswith((".", "/", "git+file:")):
            raise UsageError(
                f"the scaffold of {start.label} is refused: its blueprint names {text!r}, which is"
                " on this machine, and the template is not; nothing was written",
                hint="tell whoever publishes it",
            )


def _is_the_teams(item: Diagnostic, blueprint: str) -> bool:
    """Whether a team can mend it: not what is wrong with the template itself."""
    from mlops_iac.templates.linting.resolving import THE_TEAMS

    return item.file in ("", blueprint) or item.code in ("locked", *THE_TEAMS)


def _finished(
    start: Start,
    target: Path,
    paths: list[Path],
    reach: Reach | None,
    captures: SharedCaptures | None,
    *,
    delivered: bool,
) -> Started:
    """Read what was written, let its environments begin, and pin its templates.

    Raises BlueprintInvalid.
    """
    from mlops_iac.api.core.templating import Templates
    from mlops_iac.api.stacks.editing import BlueprintEdit
    from mlops_iac.api.stacks.initial_overlay import begin
    from mlops_iac.blueprint.loaded import shown_as
    from mlops_iac.scaffold.rendering import has_blueprint
    from mlops_iac.templates.lockfile import lock_path, write_lock

    path = target / BLUEPRINT
    templates = Templates(path, update={start.source: start.reading.manifest.version}, reach=reach)
    project, found = _read(path, templates, reach)
    errors = [item for item in found if item.severity == "error"]
    # Without a scaffold it is a first line for the team to go on from, not a project yet.
    if errors and (has_blueprint(start.content) or templates.finder is None):
        raise BlueprintInvalid(errors)
    if broken := [item for item in errors if not _is_the_teams(item, shown_as(path))]:
        raise BlueprintInvalid(broken)
    if templates.finder is not None:
        write_lock(lock_path(path), templates.finder.pins())
        paths.append(lock_path(path))
    notes = [item for item in templates.notes if ".lock" not in item]
    if errors or project is None:
        return Started(paths, tuple(found), tuple(notes), None)
    edit = BlueprintEdit(path)

    def read() -> BaseProject:
        again, said = _read(path, templates, reach, edit.editor.text)
        if again is None or any(item.severity == "error" for item in said):
            raise BlueprintInvalid([item for item in said if item.severity == "error"])
        return again

    notes += begin(edit, read, delivered=delivered, captures=captures)
    return Started(paths, tuple(found), tuple(notes), read())


def _read(
    path: Path, templates: Templates, reach: Reach | None, text: str | None = None
) -> tuple[BaseProject | None, list[Diagnostic]]:
    """The project of a blueprint, or of a `text` in its place, and all that is said of it."""
    from mlops_iac import blueprint as language
    from mlops_iac.api.compile.checks import problems
    from mlops_iac.api.core.project import BaseProject

    loaded, found = language.examine(path, templates=templates, reach=reach, text=text)
    if loaded is None:
        return None, list(found)
    project = BaseProject(loaded, templates)
    return project, problems(project, found)
