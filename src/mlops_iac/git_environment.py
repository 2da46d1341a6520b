"""What a `git` goes by that is started here, or by a program that is started here.

It works on the folder it is told, also inside another one's hook: git runs a hook with variables
that say which repository, index and objects everything below is about. And it runs nothing that a
repository's configuration names: that is data of whoever made the repository.
"""

from __future__ import annotations

import os
import re

# `git rev-parse --local-env-vars` lists most of them. What comes by `git -c` (GIT_CONFIG_PARAMETERS)
# stays, because access may depend on it; the rest makes a repository another than it has to be, or
# fills what is read with traces.
_OF_ANOTHER = re.compile(
    r"GIT_(DIR|WORK_TREE|IMPLICIT_WORK_TREE|INDEX_FILE|INDEX_VERSION|OBJECT_DIRECTORY"
    r"|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX|INTERNAL_SUPER_PREFIX|COMMON_DIR|SHALLOW_FILE"
    r"|GRAFT_FILE|REPLACE_REF_BASE|NO_REPLACE_OBJECTS|QUARANTINE_PATH|DEFAULT_HASH"
    r"|DEFAULT_REF_FORMAT|PROTOCOL|ATTR_SOURCE|REDIRECT_.*|TRACE.*|CURL_VERBOSE"
    r"|(LITERAL|GLOB|NOGLOB|ICASE)_PATHSPECS)"
)


def of_no_repository() -> dict[str, str]:
    """Return this process's environment without what ties git to one repository."""
    return {key: value for key, value in os.environ.items() if not _OF_ANOTHER.fullmatch(key)}


SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("safe.bareRepository", "explicit"),
)
_NO_ATTRIBUTES = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # the empty tree


def for_programs() -> dict[str, str]:
    """Variables for a program that calls `git` by itself, as Pulumi's engine does (`git status`).

    Attributes, by which a file names its filter, are then read from the empty tree, from git 2.41
    on; an older one runs the filters that the repository's own configuration defines.
    """
    given = os.environ.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(SETTINGS)), "GIT_ATTR_SOURCE": _NO_ATTRIBUTES}
    for number, (key, value) in enumerate(SETTINGS, first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
