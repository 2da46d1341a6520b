"""What an environment begins with: all that its guard rails ask of it and that can be said for it.

One mechanism for `stack add`, `init` and the tests of templates. What is asked is asked of the guard
rails and of the language; what is written is a start, for a team to change. What nobody can say for
a team, who pays or which account, is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.captures import SharedCaptures
from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.api.core import guard_rails
from mlops_iac.api.stacks.editing import put_in, take_out
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.placeholders import is_placeholder
from mlops_iac.blueprint.words import join, listed, split
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.stacks.editing import BlueprintEdit
    from mlops_iac.blueprint.editing import Editor
    from mlops_iac.policy.model import Finding

_STARTS: Mapping[str, Any] = {
    "security.keys": "customer",
    "alerts": {},
    "budget": {"monthly_usd": 300},
    "serving.*.scaling": {"min": 2, "max": 4, "target": {"requests_per_minute": 200}},
    "serving.*.scaling.min": 2,
    "serving.*.monitor.limits": {
        "latency_p99_ms": {"at_most": 500},
        "error_rate_percent": {"at_most": 1},
    },
    "serving.*.rollout.limits": {"error_rate_percent": {"at_most": 1}},
    "serving.*.capture": {"percent": 100, "retention_days": 30},
}
"""What is written where a guard rail or a limit points at a path that nothing is said at. A plain
value is written over what is said."""
_TOLD = ("budget", "serving.*.monitor.limits")
"""What is worth nothing where nobody hears of it."""
PRODUCTION = "prod"
"""The environment of a project that is delivered and says none."""


class Started(Record):
    """What was written, by path below the environment, and what is left to whom it belongs to."""

    written: Mapping[str, Any]
    findings: Sequence[Finding]
    left: Sequence[str]

    @property
    def notes(self) -> list[str]:
        """Both in words, for people."""
        shown = [f"{path} {_shown(value)}" for path, value in self.written.items()]
        what = [f"what its guard rails ask for was written: {', '.join(shown)}"] if shown else []
        return [*what, *(f"left to fill in: {words}" for words in self.left)]


def is_startable(path: str) -> bool:
    """Whether what a guard rail asks for at a path can be said for a team."""
    return any(_meets(start, path) is not None for start in _STARTS)


def complete(
    editor: Editor,
    name: str,
    read: Callable[[], BaseProject],
    captures: SharedCaptures | None = None,
) -> Started:
    """Write into `environments.NAME` what it has to say; `read` gives the project of the text.

    `captures` are those of whoever asks for the same environment again. Raises BlueprintInvalid where the text is no valid blueprint with all of that.
    """
    read, captures = _read_once(editor, read), captures or SharedCaptures()
    written: dict[str, Any] = {}
    tried: set[str] = set()
    while True:
        asked, found = _asked(name, read, captures)
        wanted = [each for each in _wanted(asked) if each not in tried]
        if not wanted:
            project = read()
            return Started(written, found, _left(project, name, found))
        for path in wanted:
            tried.add(path)
            written |= _write(editor, name, path, read)


def _read_once(editor: Editor, read: Callable[[], BaseProject]) -> Callable[[], BaseProject]:
    """Reads a text once until it is another one."""
    last: list[tuple[str, BaseProject]] = []

    def again() -> BaseProject:
        if not last or last[0][0] != editor.text:
            last[:] = [(editor.text, read())]
        return last[0][1]

    return again


def begin(
    edit: BlueprintEdit,
    read: Callable[[], BaseProject],
    *,
    delivered: bool,
    captures: SharedCaptures | None = None,
) -> list[str]:
    """Let every environment of a new project have its start, and write that; what to tell of it.

    Where it is `delivered` and has no environment, it gets `prod`. Raises BlueprintInvalid.
    """
    names = [name for name in read().environments if name != LOCAL]
    fresh = delivered and not names
    if fresh:
        names = [PRODUCTION]
        put_in(edit.editor, PRODUCTION, None)
    notes: list[str] = []
    for name in names:
        try:
            told = complete(edit.editor, name, read, captures).notes
        except ModuleNotFoundError as error:
            notes.append(not_asked(error))
            break
        notes += [f"{name}: {note}" for note in told]
    if fresh:
        lay_out(edit.editor, PRODUCTION)
    edit.write()
    return notes


def not_asked(error: ModuleNotFoundError) -> str:
    """What to tell where guard rails cannot be asked: what is captured needs the SDK."""
    return f"what its guard rails ask for was not asked: {error.name} is not installed"


def lay_out(editor: Editor, name: str) -> None:
    """Write an environment on lines of its own, that was filled in between the braces of `{}`."""
    path = join("environments", name)
    if whole := editor.get(path):
        take_out(editor, name)
        editor.set(path, whole)


def _asked(
    name: str, read: Callable[[], BaseProject], captures: SharedCaptures
) -> tuple[list[str], list[Finding]]:
    """The paths at which something is asked for, by the language or by guard rails."""
    try:
        project = read()
    except BlueprintInvalid as error:
        head = f"environments.{name}."
        return [item.path.removeprefix(head) for item in error.diagnostics if item.path], []
    found = findings(project, name, captures)
    return [each.path for each in found if each.path], found


def _wanted(asked: Sequence[str]) -> list[str]:
    """The starts that these paths ask for, with names for `*`."""
    found: dict[str, None] = {}
    for start in _STARTS:  # who is told comes before what needs somebody to tell
        for path in asked:
            if (named := _meets(start, path)) is not None:
                if start in _TOLD:
                    found["alerts"] = None
                found[named] = None
    return list(found)


def _meets(start: str, path: str) -> str | None:
    """A start with the names of a path that lies at it, below it, or above it."""
    wanted, keys = split(start), split(path)
    pairs = list(zip(wanted, keys, strict=False))
    if not all(a in ("*", b) for a, b in pairs) or len(keys) < 2 <= wanted.count("*") + 1:
        return None
    named = [b for _, b in pairs] + wanted[len(keys) :]
    found = ""
    for key in named:
        found = join(found, key)
    return None if "*" in named else found


def _write(editor: Editor, name: str, path: str, read: Callable[[], BaseProject]) -> dict[str, Any]:
    """Write one of them; nothing where something is said there already, or where it is refused."""
    start = next(each for each in _STARTS if _meets(each, path) == path)
    value = _STARTS[start]
    errors, owner = 0, editor.get("owner")
    try:
        project = read()
    except BlueprintInvalid as error:
        errors = len(error.diagnostics)
    else:
        resolved = project.resolve(name)
        said = {key: one for key, one in resolved.leaves().items() if _below(key, path)}
        if isinstance(value, Mapping) and any(one not in (None, {}, ()) for one in said.values()):
            return {}
        if said.get(path) == value:
            return {}
        owner = resolved.blueprint.owner
    if start == "alerts":
        value = {"owner": {"email": owner}} if owner and "@" in str(owner) else {}
    if not value:
        return {}
    kept = editor.keep()
    try:
        for leaf, one in _parts(path, value, name, read):
            editor.set(f"environments.{join('', name)}.{leaf}", one)
        read()
    except BlueprintInvalid as error:
        if len(error.diagnostics) >= max(errors, 1):
            editor.go_back(kept)
            return {}
    except UsageError:  # what is written there takes no key, or is shared
        editor.go_back(kept)
        return {}
    return {path: value}


def _parts(
    path: str, value: Any, name: str, read: Callable[[], BaseProject]
) -> Iterator[tuple[str, Any]]:
    """What to set; a range whose least number grows keeps its width, or nothing would scale."""
    most = path.removesuffix("min") + "max"
    said: Mapping[str, Any] = {}
    if path.endswith(".scaling.min"):
        with suppress(BlueprintInvalid):
            said = read().resolve(name).leaves()
    yield path, value
    if most in said and said[most] <= value:
        yield most, value + max(1, said[most] - said.get(path, 1))


def _below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def findings(project: BaseProject, name: str, captures: SharedCaptures) -> list[Finding]:
    """What the guard rails of the tool and of the templates find; nobody's code is run."""
    found = policies(project, name, graph=captures.graph(project, name), own=False)
    return [each for each in found if not each.suppressed_by]


def _left(project: BaseProject, name: str, found: Sequence[Finding]) -> list[str]:
    resolved = project.resolve(name)
    left = [f"{each.rule}: {each.message}: {each.remediation}" for each in found]
    stand_ins = {
        path: value
        for path, value in resolved.leaves().items()
        if isinstance(value, str) and is_placeholder(value) and resolved.is_written(path)
    }
    left += [f"{path} is '{value}', a placeholder" for path, value in stand_ins.items()]
    if resolved.blueprint.account is None:
        left.append(
            f"environments.{name}.account is not said: it would be deployed to whatever account the"
            " credentials are for"
        )
    return list(dict.fromkeys(left))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    return str(value)


def unchecked(project: BaseProject) -> str:
    """Which rules were not run, because they are code of somebody's; empty where all were."""
    ids = guard_rails.own_ids(project)
    return f"not run: {listed(ids)}; `mlops-iac policy check` runs them" if ids else ""
