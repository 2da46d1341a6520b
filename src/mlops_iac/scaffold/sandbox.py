"""Renders a scaffold in a process of its own: what it may take of time and memory is bounded.

Started as a file by `rendering`, with one JSON document on stdin and one on stdout. Imports nothing
of the rest: a scaffold that finds a way out of Jinja2's sandbox finds as little as can be.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from mlops_iac.blueprint.scalars import NO_TEXT

SUFFIX = ".jinja"
"""Only files with it are rendered; it is no part of the name."""
LARGEST = 1024 * 1024
"""Characters of one rendered file."""
MOST = 8 * 1024 * 1024
"""Characters of all rendered files together."""
MEMORY = 512 * 1024 * 1024
"""Bytes of address space."""
SECONDS = 5
"""Processor time."""
_LONGEST_RANGE = 10_000
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*")


class TooMuch(Exception):
    """A rendered file is larger than any that belongs into a project."""


def limit() -> None:
    """Bound this process; where the system cannot, the caller's clock still does."""
    try:
        import resource
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        try:
            hard = resource.getrlimit(what)[1]
            allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (allowed, allowed))
        except (OSError, ValueError):
            continue


def as_yaml(value: Any) -> str:
    """A value as YAML on one line: any parser reads the same value back."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in NO_TEXT:
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(item if item.isprintable() else f"\\U{ord(item):08x}" for item in quoted)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{as_yaml(key)}: {as_yaml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_yaml, value))}]"
    return json.dumps(value)


def _environment() -> Any:
    from jinja2 import StrictUndefined, sandbox

    sandbox.MAX_RANGE = _LONGEST_RANGE
    environment = sandbox.ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # YAML, Markdown and code, not HTML; `yaml` quotes what could break the first.
        autoescape=False,
    )
    environment.filters["yaml"] = as_yaml
    # The same answers give the same files.
    del environment.filters["random"]
    del environment.globals["lipsum"]
    return environment


def render(files: Mapping[str, str | None], values: Mapping[str, Any]) -> list[list[str | None]]:
    """`[path, rendered path, content]` of each file; content is None where it is only copied.

    Raises what Jinja2 raises, with the file in `note`.
    """
    environment = _environment()
    made: list[list[str | None]] = []
    total = 0
    for path, text in files.items():
        try:
            name = _bounded(environment, path.removesuffix(SUFFIX), values)
            content = None if text is None else _bounded(environment, text, values)
        except Exception as error:
            error.add_note(path)
            raise
        total += len(content or "")
        if total > MOST:
            much = TooMuch(f"more than {MOST // 2**20} MiB are rendered")
            much.add_note(path)
            raise much
        made.append([path, name, content])
    return made


def _bounded(environment: Any, text: str, values: Mapping[str, Any]) -> str:
    if "{" not in text:
        return text
    parts: list[str] = []
    size = 0
    for part in environment.from_string(text).generate(values):
        size += len(part)
        if size > LARGEST:
            raise TooMuch(f"more than {LARGEST // 2**20} MiB are rendered")
        parts.append(part)
    return "".join(parts)


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """`{"files": …}`, or `{"error": kind, "file": …, "line": …, "message": …}`."""
    try:
        return {"files": render(request["files"], request["values"])}
    except MemoryError:
        return {"error": "memory", "file": "", "line": 0, "message": ""}
    except Exception as error:
        notes = getattr(error, "__notes__", [""])
        return {
            "error": type(error).__name__,
            "file": notes[-1],
            "line": getattr(error, "lineno", None) or _line(error),
            "message": str(error)[:500],
        }


def _line(error: BaseException) -> int:
    """The line of the template that raised; Jinja2 puts it into the traceback."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def main() -> None:
    """Answer the request on stdin."""
    request = json.loads(sys.stdin.buffer.read())
    _environment()  # imported before memory is short
    limit()
    sys.stdout.buffer.write(json.dumps(answer(request)).encode())


if __name__ == "__main__":
    main()
