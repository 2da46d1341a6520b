r"""What the agents of CI systems find in the output of a step, as their sources look for it.

- GitHub: actions/runner, `src/Runner.Common/ActionCommand.cs` (`TryParseV2`: `TrimStart()`, then
  `StartsWith("::")`, then the next `::`; `TryParse`: `IndexOf("##[")`, then the next `]`); both know
  the names of commands only.
- Azure: microsoft/azure-pipelines-agent, `src/Microsoft.VisualStudio.Services.Agent/Command.cs`
  (`IndexOf("##vso[")`, then the next `]`; between them `area.event`). `##[section]` and its kind are
  colours of the log.
- GitLab: `lib/gitlab/regex.rb` (`build_trace_section_regex`, whose suffix is `\r\e[0K`).
- TeamCity: `##teamcity[name …]`.

.NET's `StreamReader.ReadLine` ends a line at `\r`, `\n` and `\r\n`. `IndexOf(string)` and
`StartsWith(string)` compare by culture, which passes over control and format characters; newer
agents of Azure compare by ordinals, and find less. Here all compare without case.
"""

from __future__ import annotations

import re
import unicodedata

GITHUB = frozenset(
    {"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group"}
    | {"internal-set-repo-path", "notice", "remove-matcher", "save-state", "set-env"}
    | {"set-output", "stop-commands", "warning"}
)
_GITLAB = re.compile(r"section_(?:start|end):\d+:[a-zA-Z0-9_.-]+(?:\[[^\]\r]*\])?\r\x1b\[0K")
_SPACES = frozenset("\t\n\v\f\r\x85")
_PASSED_OVER = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")


def obeyed(output: str) -> list[str]:
    """The lines that an agent obeys, and the sections that a log is folded by."""
    lines = re.split(r"\r\n|\r|\n", output)
    found = [line for line in lines if _github(line) or _bracketed(line)]
    return found + _GITLAB.findall(output)


def _github(line: str) -> bool:
    text = _compared(line).lstrip()
    if not text.startswith("::") or "::" not in text[2:]:
        return False
    return text[2 : text.index("::", 2)].split(" ")[0] in GITHUB


def _bracketed(line: str) -> bool:
    for area, inside in re.findall(r"##(\w*)\[([^\]]*)\]", _compared(line)):
        name = inside.split(" ")[0]
        if area == "" and (name in GITHUB or name in ("section", "command")):
            return True
        if area == "vso" and len(name.split(".")) == 2:
            return True
    return "##teamcity[" in line


def _compared(line: str) -> str:
    """The line as a comparison by culture sees it, without case."""
    kept = (c for c in line if c in _SPACES or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return _PASSED_OVER.sub("", "".join(kept)).lower()
