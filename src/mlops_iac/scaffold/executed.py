"""Names that make other tools run a file by themselves: what a stranger's scaffold has to be asked about.

A workload is run when its pipeline is; these are run before anybody means to, by opening the folder,
by committing, by pushing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

_CI = "CI runs it"
_EDITOR = "editors run what it says when the folder is opened"
_AGENT = "coding assistants follow it and start the programs it names"
_GIT = "git, or what hooks into it, runs what it names"
_SHELL = "shells with such a hook run it when the folder is entered"
_PYTHON = "Python or its tools import it by themselves"
_INSTALL = "installing the folder runs it"

RUN_BY_THEMSELVES = {
    ".github": _CI,
    ".gitlab*": _CI,
    ".azure-pipelines": _CI,
    "azure-pipelines*": _CI,
    ".circleci": _CI,
    ".buildkite": _CI,
    ".drone.y*ml": _CI,
    ".travis.yml": _CI,
    ".woodpecker*": _CI,
    "bitbucket-pipelines.yml": _CI,
    "buildspec.y*ml": _CI,
    "cloudbuild.y*ml": _CI,
    "jenkinsfile*": _CI,
    ".vscode": _EDITOR,
    "*.code-workspace": _EDITOR,
    ".idea": _EDITOR,
    ".devcontainer*": _EDITOR,
    ".zed": _EDITOR,
    ".fleet": _EDITOR,
    ".dir-locals.el": _EDITOR,
    ".exrc": _EDITOR,
    ".nvim*": _EDITOR,
    ".vimrc": _EDITOR,
    ".claude*": _AGENT,
    ".cursor*": _AGENT,
    ".mcp.json": _AGENT,
    "agents.md": _AGENT,
    "claude.md": _AGENT,
    ".gitattributes": _GIT,
    ".gitmodules": _GIT,
    ".gitconfig": _GIT,
    ".githooks": _GIT,
    ".husky": _GIT,
    ".lefthook*": _GIT,
    "lefthook.y*ml": _GIT,
    ".pre-commit-config.y*ml": _GIT,
    "head": "git takes the folder for a repository of its own, and runs what its `config` names",
    ".env": "tools put what it says into their environment",
    ".envrc": _SHELL,
    ".mise*": _SHELL,
    "mise.toml": _SHELL,
    ".tool-versions": _SHELL,
    "conftest.py": _PYTHON,
    "sitecustomize.py": _PYTHON,
    "usercustomize.py": _PYTHON,
    "*.pth": _PYTHON,
    "setup.py": _INSTALL,
    "package.json": _INSTALL,
    ".npmrc": _INSTALL,
    ".yarnrc*": _INSTALL,
}
"""Pattern of the name of a file or folder, in lower case, at any depth → why it is told."""


def run_by_themselves(paths: Iterable[str]) -> dict[str, str]:
    """Those of `paths` (POSIX) that other tools run by themselves, each with the reason."""
    found: dict[str, str] = {}
    for path in paths:
        for part in path.lower().split("/"):
            for pattern, reason in RUN_BY_THEMSELVES.items():
                if fnmatchcase(part, pattern):
                    found.setdefault(path, reason)
    return found
