"""What every source of templates is to the finder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates.files import shown, wrong_name


class TemplateSource(Protocol):
    """One place that holds a template. Equal sources hold the same.

    `text` is what a lock pins: the source as written, normalised, and for a template of a template
    what the blueprint itself would have to write.
    """

    @property
    def text(self) -> str: ...

    def beside(self, relative: str) -> TemplateSource:
        """What a template from here means by `../x`. Raises TemplateUnavailable for an escape."""


class PresentSource(TemplateSource, Protocol):
    """A source that holds exactly one version now."""

    def read(self) -> Mapping[str, bytes]:
        """Its files, checked by `files.check`. Raises TemplateUnavailable."""


_USER = re.compile(r"(?<=://)\S*@|(?<![\w/.-])[^\s:/'\"]+:(?!//)\S*@")
_QUERY = re.compile(r"(?<=\?)[^\s'\"]+")


def redact(text: str) -> str:
    """`text` without what stands before the host of a URL, where a name may be a token, and queries.

    Rather too much than too little: a password may hold any character.
    """
    return _QUERY.sub("…", _USER.sub("…@", text))


def safe(text: str) -> str:
    """A source as somebody wrote it, fit for a message: no credentials, on one line, not too long."""
    plain = "".join(item if item.isprintable() and item != " " else "?" for item in text)
    return shown(redact(plain))


_SHORT = re.compile(
    r"(?:git\+)?(?:ssh://)?(?P<user>[A-Za-z0-9_.-]+)@(?P<host>[A-Za-z0-9.-]+):(?!//)/?"
    r"(?P<path>[A-Za-z0-9._~/+-]+(?:#subdirectory=[A-Za-z0-9._/-]+)?)"
)


def over_ssh(text: str) -> str:
    """How SSH's short form, `git@HOST:PATH`, is written as a source; empty where it is none."""
    found = _SHORT.fullmatch(text)
    if found is None or re.match(r"[0-9]+(/|$)", found["path"]):  # that is a port
        return ""
    user = "git" if found["user"] == "git" else "USER"  # any other one may be a credential
    return f"git+ssh://{user}@{found['host']}/{found['path']}"


def inner(folder: str, relative: str, source: str) -> str:
    """`relative` as seen from `folder`, both POSIX paths within one source; empty is its top.

    Raises TemplateUnavailable if it leaves the source.
    """
    parts = folder.split("/") if folder else []
    for part in relative.split("/"):
        if part == "..":
            if not parts:
                raise TemplateUnavailable(
                    "template-escape",
                    f"'{shown(relative)}' leaves {safe(source)}, which names it",
                    hint="a template may stand on what is published with it, or on another source",
                )
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return checked_folder("/".join(parts), source)


def checked_folder(folder: str, source: str) -> str:
    """`folder` if it is a plain relative path, or empty. Raises TemplateUnavailable."""
    if folder and (wrong := wrong_name(folder)):
        raise TemplateUnavailable(
            "template-source",
            f"the folder '{shown(folder)}' in {safe(source)} {wrong}",
            hint="name a folder by its path from the top, e.g. templates/standard",
        )
    return folder
