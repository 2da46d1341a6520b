"""The environment for a `git` that works on the folder it is told, also inside another one's hook.

git runs a hook with variables that say which repository, index and objects everything below is
about; a tool that a hook starts would ask about that one whatever folder it names.
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
