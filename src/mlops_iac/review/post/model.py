"""What every platform's comments have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mlops_iac.errors import MlopsError


class Uncertain(MlopsError):
    """A write got no answer that says whether it was done; look before trying again."""


class NotOurs(MlopsError):
    """The platform does not let this token rewrite that comment: somebody else wrote it."""


class Gone(MlopsError):
    """The comment was deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a pull request. `id` rises with time; `handle` is what its platform needs."""

    id: int
    body: str
    author: str
    handle: str = ""
    url: str = ""


class Comments(Protocol):
    """The comments of one pull request on one platform."""

    def identity(self) -> str | None:
        """Who the token is, as `Comment.author` says it; None where the platform does not tell.

        Only a platform that lets nobody rewrite somebody else's comment may answer None.
        """

    def all(self) -> Iterator[Comment]:
        """Every comment, page by page."""

    def create(self, body: str) -> Comment:
        """Write a new one. Raises Uncertain where it may or may not be there now."""

    def rewrite(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text. Raises NotOurs and Gone."""
