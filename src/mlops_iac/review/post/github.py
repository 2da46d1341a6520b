"""GitHub's REST API, version 2022-11-28: a pull request's comments are those of its issue.

https://docs.github.com/en/rest/issues/comments; who the token is comes from GraphQL's `viewer`,
because `GET /user` refuses the token of a workflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from mlops_iac.errors import MlopsError
from mlops_iac.review.post.http import Answer, Http, shaped
from mlops_iac.review.post.model import Comment, Gone, NotOurs

NAME: Final = "GitHub"
DEFAULT_API: Final = "https://api.github.com"
_PAGES: Final = 200


def headers(token: str) -> Mapping[str, str]:
    """Return how a token is shown."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


@dataclass(slots=True)
class GitHubComments:
    """Comments of pull request `number` of `repo` (`owner/name`)."""

    http: Http
    repo: str
    number: int

    def identity(self) -> str | None:
        """Return the login behind the token. Raises MlopsError where GitHub does not say."""
        parts = urlsplit(self.http.base)
        # https://host/api/v3 has its GraphQL at https://host/api/graphql.
        path = f"{parts.path.removesuffix('/v3')}/graphql"
        url = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        answer = self.http.put("POST", url, {"query": "{viewer{login}}"})
        data = shaped(answer.data, dict, NAME).get("data")
        viewer = data.get("viewer") if isinstance(data, dict) else None
        login = viewer.get("login") if isinstance(viewer, dict) else None
        if not isinstance(login, str) or not login:
            raise MlopsError(
                f"{NAME} does not say who the token belongs to; nothing was written",
                hint="use the workflow's GITHUB_TOKEN or a token of a user or an app",
            )
        return login.casefold()

    def all(self) -> Iterator[Comment]:
        """Every comment, oldest first; a page's `Link` header names the next."""
        url = self.http.url("repos", *self.repo.split("/"), "issues", self.number, "comments")
        url = f"{url}?per_page=100"
        for _ in range(_PAGES):
            answer = self.http.get(url)
            for item in shaped(answer.data, list, NAME):
                yield _comment(item)
            next_ = next_link(answer)
            if next_ is None:
                return
            url = next_
        raise MlopsError(f"{NAME}: more than {_PAGES * 100} comments; nothing was written")

    def create(self, body: str) -> Comment:
        """Write a new comment."""
        url = self.http.url("repos", *self.repo.split("/"), "issues", self.number, "comments")
        return _comment(self.http.post(url, {"body": body}).data)

    def rewrite(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""
        url = self.http.url("repos", *self.repo.split("/"), "issues", "comments", comment.id)
        answer = self.http.put("PATCH", url, {"body": body}, told=(403, 404, 410))
        if answer.status == 403:
            raise NotOurs(f"{NAME}: the comment is somebody else's")
        if answer.status in (404, 410):
            raise Gone(f"{NAME}: the comment is gone")
        return _comment(answer.data)


def next_link(answer: Answer) -> str | None:
    """Return the address of the next page in a `Link` header (RFC 8288)."""
    for part in answer.headers.get("link", "").split(","):
        target, _, parameters = part.partition(";")
        if 'rel="next"' in parameters.replace(" ", ""):
            return target.strip().removeprefix("<").removesuffix(">")
    return None


def _comment(data: Any) -> Comment:
    item = shaped(data, dict, NAME)
    user = item.get("user")
    login = user.get("login", "") if isinstance(user, dict) else ""
    return Comment(
        id=shaped(item.get("id"), int, NAME),
        body=item.get("body") or "",
        author=str(login).casefold(),
        url=str(item.get("html_url", "")),
    )
