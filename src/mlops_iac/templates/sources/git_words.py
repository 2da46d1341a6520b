"""What git and SSH say when something fails, in words that tell what to do."""

from __future__ import annotations

import re

from mlops_iac.templates.sources.git import GitFailed

_ACCESS = (
    "give git access first: a credential helper (`git config --global credential.helper …`), or the"
    " repository over SSH; `git ls-remote URL` has to answer without asking"
)
_TRUST = (
    "the certificate has to be valid and of an authority that git trusts: `git config --global"
    " http.sslCAInfo FILE`, or GIT_SSL_CAINFO"
)
_KNOWN_HOST = "connect once with `ssh HOST` and compare its key, or put the key into known_hosts"
_KEY = "`ssh USER@HOST` has to let you in without asking: load the key into the SSH agent"
_OWNER = "`git config --global --add safe.directory FOLDER` says that its owner is trusted"

_MEANT = (
    # (what is said, what is told instead where that is clumsy, what to do)
    (
        r"could not read (Username|Password)",
        "it asks who you are and git has no credentials for it, or there is no such repository",
        _ACCESS,
    ),
    (r"Authentication failed|error: 403", "", _ACCESS),
    (r"(?i)certificate|SSL: |TLS", "", _TRUST),
    (r"Host key verification failed", "its SSH host key is not known, or another one", _KNOWN_HOST),
    (r"Permission denied \(", "", _KEY),
    (r"dubious ownership", "", _OWNER),
    (
        r"transport '[^']*' not allowed|[Pp]rotocol \W?http\W? (not supported|disabled)",
        "it leads to another protocol than https, ssh and file",
        "a redirect or `url.….insteadOf` of git's configuration does that",
    ),
)
_SAYS_NOTHING = (
    "warning:",
    "hint:",
    "fatal: could not read from remote",
    "please make sure",
    "and the repo",
    "@@@@",
)


def failed(words: str) -> GitFailed:
    """The error for what was said: the line that tells why, and what to do where that is known."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for pattern, instead, hint in _MEANT:
        line = next((line for line in lines if re.search(pattern, line)), None)
        if line is not None:
            return GitFailed(instead or _plain(line), hint=hint)
    told = [line for line in lines if not line.lower().startswith(_SAYS_NOTHING)]
    return GitFailed(_plain((told or lines or ["git said nothing"])[0]))


def _plain(line: str) -> str:
    return line.removeprefix("fatal: ")[:300]
