"""`blueprint.lock`: exactly which templates a blueprint stands on, reviewed in git.

Written by commands only; the line `integrity` tells where a person or a merge changed it.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from uuid import uuid4

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.scalars import NO_TEXT
from mlops_iac.blueprint.source import LARGEST_FILE, Node, Source, problem, read
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.records import Record
from mlops_iac.templates.versions import VersionInvalid, parse_requirement, parse_version

FORMAT = 1
REWRITE = "`mlops-iac template update` writes it anew; what it held is in git"
_HEADER = "# Which templates this blueprint stands on. Written by `mlops-iac template update`.\n"
_REQUIRED = ("template", "requested", "name", "version", "digest")
_FIELDS = (*_REQUIRED, "commit", "by")
# What becomes part of a path or of git's command line.
_SHAPES = {"digest": r"sha256:[0-9a-f]{64}", "commit": r"[0-9a-f]{40}([0-9a-f]{24})?"}


class Pin(Record):
    """One template at one version.

    `template` is the source, `requested` the requirement as written (empty: none), `commit` that of
    a git source, `by` the `name@version` of the template that extends this one, empty for the blueprint.
    """

    template: str
    requested: str
    name: str
    version: str
    digest: str
    commit: str = ""
    by: str = ""


class Lock(Record):
    """Every template of a blueprint, in the order of its layers."""

    pins: tuple[Pin, ...] = ()


def lock_path(blueprint: Path) -> Path:
    """The lock of the blueprint at `blueprint`: beside it, with its name."""
    return blueprint.with_name(f"{blueprint.stem}.lock")


def read_lock(path: Path, shown: str = "", reach: Reach | None = None) -> Lock | None:
    """The lock at `path`, None if there is none; `reach` is that of its blueprint.

    Raises BlueprintInvalid with line and fix, and Outside for a link that leads out of reach.
    """
    real = (reach or Reach.around(path.parent)).inside(path, shown)
    if not path.is_file():
        if path.exists() or path.is_symlink():
            raise _invalid(Diagnostic("lock-unreadable", f"{shown or path.name} is not a file"))
        return None
    try:
        source = read(real, shown or path.name)
    except UsageError as error:
        # What has no way out of its own is the system's refusal, which would refuse a new one, too.
        hint = REWRITE if error.hint else "make it readable"
        found = Diagnostic("lock-unreadable", error.message, file=shown or path.name, hint=hint)
        raise _invalid(found) from None
    return parse_lock(source)


def parse_lock(source: Source) -> Lock:
    """The lock that a text is. Raises BlueprintInvalid."""
    for number, line in enumerate(source.lines(), 1):
        if re.match(r"(<{7}|={7}|>{7}|\|{7})( |$)", line):
            place = Node("scalar", source, number, 1, len(line))
            raise _wrong(place, "lock-conflict", f"there are merge conflicts in {source.file}")
    try:
        root, problems = compose(source)
    except BlueprintInvalid as error:
        first = error.diagnostics[0]
        place = Node("scalar", source, max(1, first.line), max(1, first.column))
        why = "this is not a template lock" if first.code == "not-a-mapping" else first.message
        raise _wrong(place, "lock-unreadable", f"{source.file} cannot be read: {why}") from None
    if problems:
        place = Node("scalar", source, problems[0].line, problems[0].column, problems[0].length)
        raise _wrong(place, "lock-unreadable", problems[0].message)
    _format(root)
    listed = root.entries.get("templates")
    if listed is None or listed.value.kind != "list":
        raise _wrong(root, "lock-unreadable", "'templates' takes a list")
    lock = Lock(pins=tuple(_pin(item) for item in listed.value.items))
    written = root.entries.get("integrity")
    more = root.entries.keys() - {"lock", "templates", "integrity"}
    if written is None or more or written.value.text != integrity(lock):
        raise _wrong(
            written.value if written is not None else root,
            "lock-edited",
            f"{source.file} was edited by hand: what it says is not what was written into it",
        )
    return lock


def render_lock(lock: Lock) -> str:
    """The lock's text: the same for the same lock."""
    lines = [_HEADER, f"lock: {FORMAT}\n", "templates:\n" if lock.pins else "templates: []\n"]
    for pin in lock.pins:
        start = "  - "
        for key, value in _plain(pin).items():
            lines.append(f"{start}{key}: {_scalar(value)}\n")
            start = "    "
    lines.append(f"integrity: {integrity(lock)}\n")
    return "".join(lines)


def write_lock(path: Path, lock: Lock) -> bool:
    """Write the lock, or remove it where there are no templates; whether anything changed.

    Raises UsageError if it cannot be written. A reader sees the old one or the new one, whole.
    """
    content = render_lock(lock).encode()
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        if not lock.pins:
            was = path.exists()
            path.unlink(missing_ok=True)
            return was
        if path.is_file() and path.stat().st_size <= LARGEST_FILE and path.read_bytes() == content:
            return False
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return True


def integrity(lock: Lock) -> str:
    """`sha256:…` over what the lock says, whatever its layout."""
    plain = [FORMAT, [_plain(pin) for pin in lock.pins]]
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _plain(pin: Pin) -> dict[str, str]:
    values = {key: getattr(pin, key) for key in _FIELDS}
    return {key: value for key, value in values.items() if value or key in _REQUIRED}


def _scalar(text: str) -> str:
    """`text` in YAML, quoted unless any parser reads the plain form as this text."""
    plain = re.fullmatch(
        r"[A-Za-z./][A-Za-z0-9./@+:#=_-]*|[0-9a-f.]*[.][0-9a-f]+[.][0-9a-z.-]+", text
    )
    if plain and not text.endswith(":") and text.lower() not in NO_TEXT:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(item if item.isprintable() else f"\\U{ord(item):08x}" for item in quoted)


def _format(root: Node) -> None:
    entry = root.entries.get("lock")
    written = entry.value.text if entry and entry.value.kind == "scalar" else ""
    if not re.fullmatch(r"[0-9]{1,6}", written):
        raise _wrong(
            entry.value if entry else root, "lock-unreadable", "this is not a template lock"
        )
    if entry is not None and int(written) > FORMAT:
        raise _invalid(
            problem(
                entry.value,
                "lock-newer",
                f"{root.source.file} has format {int(written)}; this version reads up to {FORMAT}",
                hint="upgrade mlops-iac to the version that the team uses",
            )
        )


def _pin(node: Node) -> Pin:
    """One template; what was written by a command has just these fields."""
    values = {}
    for key, entry in node.entries.items():
        text = entry.value.text if entry.value.kind == "scalar" else None
        if text is None or key not in _FIELDS or not re.fullmatch(_SHAPES.get(key, ".*"), text):
            raise _wrong(entry.key, "lock-edited", f"'{key}' is not what was written there")
        values[key] = text
    if not values.keys() >= set(_REQUIRED):
        raise _wrong(node, "lock-edited", f"a template has {', '.join(_REQUIRED)}")
    try:
        parse_version(values["version"])
        parse_requirement(values["requested"])
    except VersionInvalid as error:
        raise _wrong(node, "lock-unreadable", error.message) from None
    return Pin(**values)


def _wrong(place: Node, code: str, message: str, hint: str = REWRITE) -> BlueprintInvalid:
    return _invalid(problem(place, code, message, hint=hint))


def _invalid(diagnostic: Diagnostic) -> BlueprintInvalid:
    return BlueprintInvalid([diagnostic])
