"""Bitbucket Cloud's REST API 2.0.

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests. Nobody but its author
can rewrite a comment; `GET /user` does not answer for a repository's access token.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlops_iac.errors import MlopsError
from mlops_iac.review.post.http import Http, shaped
from mlops_iac.review.post.model import Comment, Gone, NotOurs

NAME: Final = "Bitbucket"
DEFAULT_API: Final = "https://api.bitbucket.org/2.0"
_PAGES: Final = 200


def headers(token: str, user: str) -> Mapping[str, str]:
    """Return how a token is shown: an access token as a bearer, a user's as a password."""
    if user:
        return {"Authorization": f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {token}"}


@dataclass(slots=True)
class BitbucketComments:
    """Comments of pull request `number` of `repo` (`workspace/slug`)."""

    http: Http
    repo: str
    number: int

    def identity(self) -> str | None:
        """Return the token's user; None for a token that belongs to none."""
        answer = self.http.put("GET", self.http.url("user"), None, told=(401, 403, 404))
        data = answer.data if answer.status == 200 and isinstance(answer.data, dict) else {}
        found = data.get("uuid")
        return found if isinstance(found, str) and found else None

    def all(self) -> Iterator[Comment]:
        """Every comment that is not deleted; `next` in a page is the next page's address."""
        next_: object = f"{self._comments()}?pagelen=100&sort=created_on"
        for _ in range(_PAGES):
            data = shaped(self.http.get(shaped(next_, str, NAME)).data, dict, NAME)
            for item in shaped(data.get("values"), list, NAME):
                if not shaped(item, dict, NAME).get("deleted") and not item.get("inline"):
                    yield self._comment(item)
            next_ = data.get("next")
            if next_ is None:
                return
        raise MlopsError(f"{NAME}: more than {_PAGES * 100} comments; nothing was written")

    def create(self, body: str) -> Comment:
        """Write a new comment."""
        answer = self.http.post(self._comments(), {"content": {"raw": body}})
        return self._comment(answer.data)

    def rewrite(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""
        url = f"{self._comments()}/{comment.id}"
        answer = self.http.put("PUT", url, {"content": {"raw": body}}, told=(403, 404, 410))
        if answer.status == 403:
            raise NotOurs(f"{NAME}: the comment is somebody else's")
        if answer.status in (404, 410):
            raise Gone(f"{NAME}: the comment is gone")
        return self._comment(answer.data)

    def _comments(self) -> str:
        parts = self.repo.split("/")
        return self.http.url("repositories", *parts, "pullrequests", self.number, "comments")

    def _comment(self, data: Any) -> Comment:
        item = shaped(data, dict, NAME)
        content, user = item.get("content"), item.get("user")
        return Comment(
            id=shaped(item.get("id"), int, NAME),
            body=(content.get("raw") or "") if isinstance(content, dict) else "",
            author=str(user.get("uuid", "")) if isinstance(user, dict) else "",
        )
