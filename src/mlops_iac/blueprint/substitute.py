"""`${name}`, `${environment}`, `${account}` and `${region}`; `$${` stands for a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_iac.blueprint.words import listed, nearest

_MARK = re.compile(r"\$\$\{|\$\{([^${}]*)(\}?)")


def substitute(text: str, variables: Mapping[str, str | None]) -> tuple[str, int, int, str, str]:
    """The text with its variables filled in, or where and how long, what is wrong, and a hint."""
    parts: list[str] = []
    end = 0
    for match in _MARK.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match.group() == "$${":
            parts.append("${")
            continue
        name, closed = match.groups()
        at, length = match.start(), match.end() - match.start()
        if not closed:
            return text, at, length, "'${' is not closed", "write `$${` for a plain `${`"
        if name not in variables:
            meant = nearest(name, variables)
            known = listed([f"${{{item}}}" for item in variables])
            hint = (
                f"did you mean '${{{meant}}}'?" if meant else f"there is: {known}; `$${{` escapes"
            )
            return text, at, length, f"'${{{name}}}' is not a variable", hint
        value = variables[name]
        if value is None:
            return (
                text,
                at,
                length,
                f"'${{{name}}}' has no value here",
                f"give the environment its '{name}'",
            )
        parts.append(value)
    parts.append(text[end:])
    return "".join(parts), 0, 0, "", ""
