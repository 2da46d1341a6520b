"""GitLab's REST API v4: a merge request's comments are its notes.

https://docs.gitlab.com/api/notes; maintainers may rewrite other people's notes, so whose a note is
has to be known: `GET /user`, which answers for personal, project and group access tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlops_iac.errors import MlopsError
from mlops_iac.review.post.http import Http, shaped
from mlops_iac.review.post.model import Comment, Gone, NotOurs

NAME: Final = "GitLab"
DEFAULT_API: Final = "https://gitlab.com/api/v4"
_PAGES: Final = 200


def headers(token: str) -> Mapping[str, str]:
    """Return how a token is shown."""
    return {"PRIVATE-TOKEN": token}


@dataclass(slots=True)
class GitLabComments:
    """Notes of merge request `number` (its iid) of `repo` (a project's id or full path)."""

    http: Http
    repo: str
    number: int

    def identity(self) -> str | None:
        """Return the id of the token's user."""
        return str(
            shaped(self._dict(self.http.get(self.http.url("user")).data).get("id"), int, NAME)
        )

    def all(self) -> Iterator[Comment]:
        """Every note, oldest first; `X-Next-Page` names the next page."""
        page = "1"
        for _ in range(_PAGES):
            url = f"{self._notes()}?per_page=100&sort=asc&order_by=created_at&page={page}"
            answer = self.http.get(url)
            for item in shaped(answer.data, list, NAME):
                if not self._dict(item).get("system"):
                    yield self._comment(item)
            page = answer.headers.get("x-next-page", "").strip()
            if not page.isdecimal():
                return
        raise MlopsError(f"{NAME}: more than {_PAGES * 100} comments; nothing was written")

    def create(self, body: str) -> Comment:
        """Write a new note."""
        return self._comment(self.http.post(self._notes(), {"body": body}).data)

    def rewrite(self, comment: Comment, body: str) -> Comment:
        """Replace a note's text."""
        url = f"{self._notes()}/{comment.id}"
        answer = self.http.put("PUT", url, {"body": body}, told=(403, 404, 410))
        if answer.status == 403:
            raise NotOurs(f"{NAME}: the comment is somebody else's")
        if answer.status in (404, 410):
            raise Gone(f"{NAME}: the comment is gone")
        return self._comment(answer.data)

    def _notes(self) -> str:
        return self.http.url("projects", self.repo, "merge_requests", self.number, "notes")

    def _dict(self, data: Any) -> dict[str, Any]:
        found: dict[str, Any] = shaped(data, dict, NAME)
        return found

    def _comment(self, data: Any) -> Comment:
        item = self._dict(data)
        author = item.get("author")
        return Comment(
            id=shaped(item.get("id"), int, NAME),
            body=item.get("body") or "",
            author=str(author.get("id", "")) if isinstance(author, dict) else "",
        )
