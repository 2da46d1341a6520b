"""A template's migrations, run on the blueprint of a team: its text stays the team's.

A template that renames or moves a field says so in `template.yaml`. Whoever goes from one version
to another gets every step between them, in the base and in every environment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from mlops_iac.blueprint.editing import Change, Editor
from mlops_iac.blueprint.editing.trees import ANY, parse_path, shown
from mlops_iac.blueprint.fields import MapType
from mlops_iac.blueprint.templates.manifest import Operation
from mlops_iac.blueprint.templates.reaching import kinds_at
from mlops_iac.records import Record
from mlops_iac.templates.versions import parse_version

_OVERLAYS = "environments"


class Done(Record):
    """One change of the team's text. `line` is that of the text before, 0 for what is new."""

    version: str
    path: str
    line: int
    words: str


class Migrated(Record):
    """The blueprint's text afterwards, and what was done to it in order."""

    text: str
    done: tuple[Done, ...] = ()


def migrate(
    text: str,
    migrations: Mapping[str, Sequence[Operation]],
    *,
    old: str,
    new: str,
    sources: Collection[str] = (),
    file: str = "blueprint.yaml",
) -> Migrated:
    """Apply every migration of a version after `old` up to `new`, the oldest first.

    `migrations` are those of the new version's manifest. `sources` are the texts after
    `extends[].template` that mean this template; parameters are renamed there. An operation that
    finds nothing does nothing.

    Raises EditRefused, and changes nothing, where something stands already where an operation
    would put something, and where an edit would change what anchors share. Raises UsageError for
    a path that is none.
    """
    low, high = parse_version(old), parse_version(new)
    due = [each for each in migrations if low < parse_version(each) <= high]
    editor = Editor(text, file=file)
    done: list[Done] = []
    for version in sorted(due, key=parse_version):
        for operation in migrations[version]:
            for change, words in _apply(editor, operation, sources):
                done.append(Done(version, change.path, change.line, words))
    return Migrated(editor.text, tuple(done))


def _apply(
    editor: Editor, operation: Operation, sources: Collection[str]
) -> Iterator[tuple[Change, str]]:
    because = f": {operation.because}" if operation.because else ""
    path, to = operation.path, operation.to
    match operation.kind:
        case "rename":
            for change in _rename(editor, _everywhere(editor, path), to):
                yield change, f"renamed {change.path} to {to}{because}"
        case "rename_parameter":
            for change in _rename(editor, _parameters(editor, path, sources), to):
                yield change, f"renamed the parameter {path} to {to}{because}"
        case "move":
            places = (_everywhere(editor, each) for each in (path, to))
            for old, new in zip(*places, strict=True):
                for change in editor.move(old, new):
                    _tidy(editor, change.path)
                    yield change, f"moved {change.path} to {change.to}{because}"
        case "remove":
            for old in _everywhere(editor, path):
                for change in editor.remove(old):
                    _tidy(editor, change.path)
                    yield change, f"removed {change.path}{because}"
        case "set":
            for unset in _unset(editor, path):
                for change in editor.set(unset, operation.value):
                    value = _short(editor.get(unset))
                    yield change, f"set {unset} to {value}{because}"


def _rename(editor: Editor, paths: Sequence[str], to: str) -> Iterator[Change]:
    for path in paths:
        yield from editor.rename(path, to)


def _everywhere(editor: Editor, path: str) -> list[str]:
    """A path in the base and in every overlay; one that names its environment is as it is."""
    if parse_path(path)[0] == _OVERLAYS:
        return [path]
    overlays = [where for where, _ in editor.find(f"{_OVERLAYS}.*")]
    return [path, *(f"{where}.{path}" for where in overlays)]


def _parameters(editor: Editor, name: str, sources: Collection[str]) -> list[str]:
    """Where the parameter is given to the template."""
    uses = editor.get("extends")
    return [
        f"extends[{number}].parameters.{name}"
        for number, use in enumerate(uses if isinstance(uses, list) else ())
        if isinstance(use, dict) and use.get("template") in sources
    ]


def _unset(editor: Editor, path: str) -> list[str]:
    """Where the value is missing: at the path, or at that of every entry that its stars name."""
    keys = parse_path(path)
    if ANY not in keys:
        return [] if editor.has(path) else [path]
    last = len(keys) - keys[::-1].index(ANY)
    rest = shown(keys[last:])
    found = [f"{where}.{rest}" for where, _ in editor.find(shown(keys[:last]))] if rest else []
    return [each for each in found if not editor.has(each)]


def _tidy(editor: Editor, path: str) -> None:
    """Take out sections that lost their last field: empty, they would say something else.

    Entries that people have named, and whole environments, stay.
    """
    above = parse_path(path)[:-1]
    while above and editor.has(shown(above)) and editor.get(shown(above)) in ({}, []):
        if _is_named(above):
            return
        editor.remove(shown(above))
        above = above[:-1]


def _is_named(keys: Sequence[str | int]) -> bool:
    """Whether the last key is a name that people chose, or stands for an item."""
    if keys[0] == _OVERLAYS:
        if len(keys) <= 2:
            return True
        keys = keys[2:]
    above = kinds_at(keys[:-1])
    return isinstance(keys[-1], int) or any(isinstance(kind, MapType) for kind in above)


def _short(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
