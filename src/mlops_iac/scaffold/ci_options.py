"""What people choose about generated workflows.

It stands in the head of each file, as the command that writes it, and is taken from there when they
are generated again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final
from urllib.parse import urlsplit

from mlops_iac.errors import UsageError

_HEAD: Final = re.compile(r"# Written by `mlops-iac ci generate ([^`\n]*)`")
BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_PYTHON: Final = re.compile(r"3\.(1[1-9]|[2-9]\d)(\.\d+)?")
_RUNNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]*(,[A-Za-z0-9][A-Za-z0-9_. -]*)*")
_FILE: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*")
_SOURCE: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_.:/@#=+~-]*")
_URL: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class Options:
    """`runner`: labels, tags or a pool, by comma; empty for the CI system's own machines.

    `index_url` is the one index that packages are installed from; empty for what the runner has.
    The credentials are those of the index and of the repositories of templates, from secrets.
    `docs` is the file of a template's reference, and `source` what it says a blueprint writes.
    """

    branch: str = "main"
    python: str = "3.11"
    runner: str = ""
    index_url: str = ""
    index_credentials: bool = False
    template_credentials: bool = False
    cache: bool = False
    docs: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for what, text, form, allowed in (
            ("branch", self.branch, BRANCH, "letters, digits, `-`, `_`, `.`, `/`"),
            ("Python", self.python, _PYTHON, "3.11 or newer, e.g. 3.12 or 3.12.4"),
            ("runner", self.runner, _RUNNER, "labels, tags or a pool: letters, digits, `-_. `"),
            ("file of the reference", self.docs, _FILE, ""),
            ("source", self.source, _SOURCE, ""),
        ):
            needed = what in ("branch", "Python")
            if (text or needed) and (not form.fullmatch(text) or ".." in text):
                raise UsageError(f"the {what} {text!r} cannot stand in a workflow", hint=allowed)
        if self.index_url:
            checked_index(self.index_url)
        elif self.index_credentials:
            raise UsageError(
                "--index-credentials are for an index that is named", hint="add --index-url"
            )

    @property
    def runners(self) -> list[str]:
        """The labels, tags or pool, one each."""
        return [each.strip() for each in self.runner.split(",") if each.strip()]

    @property
    def index_host(self) -> str:
        """The index's host name, without its port."""
        return urlsplit(self.index_url).hostname or ""

    def changed(self, given: Mapping[str, object]) -> Options:
        """The same with what was given; None is not. Raises UsageError."""
        chosen = {key: value for key, value in given.items() if value is not None}
        return Options(**{**asdict(self), **chosen})

    def words(self) -> str:
        """The flags that give these options, a space before each; none for defaults."""
        default, found = Options(), []
        for each in fields(self):
            value = getattr(self, each.name)
            if value != getattr(default, each.name):
                flag = "--" + each.name.replace("_", "-")
                found.append(flag if value is True else f"{flag} {shlex.quote(value)}")
        return "".join(f" {word}" for word in found)


def kept(texts: Iterable[str]) -> Options:
    """The options that files were generated with, of the first that says so; else the defaults.

    Raises UsageError for a head that names what cannot stand in one.
    """
    flags = {f"--{each.name.replace('_', '-')}": each.name for each in fields(Options)}
    for text in texts:
        if not (match := _HEAD.match(text)):
            continue
        found: dict[str, Any] = {}
        try:
            words = iter(shlex.split(match[1]))
        except ValueError:
            continue
        for word in words:
            if word in flags:
                name = flags[word]
                found[name] = (
                    True if isinstance(getattr(Options(), name), bool) else next(words, "")
                )
        return Options(**found)
    return Options()


def checked_index(url: str) -> str:
    """An index's address, as it may stand in a file. Raises UsageError, and repeats no credential."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("--index-url is no URL", hint="https://HOST/simple") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError(
            "--index-url has credentials, a query or a fragment in it, and it is written to a file",
            hint="leave them out; here `~/.netrc` has them, in CI --index-credentials",
        )
    plain = parts.scheme == "https" or host in ("127.0.0.1", "localhost", "::1")
    if not host or not plain or not _URL.fullmatch(url):
        raise UsageError("--index-url is no https URL of an index", hint="https://HOST/simple")
    return url
