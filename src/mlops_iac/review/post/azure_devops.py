"""Azure DevOps' REST API 7.1: a comment is the first of a thread of a pull request.

https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads. The thread is made
`closed`, so that a policy that asks for resolved comments does not wait for it. Nobody but its
author can rewrite a comment. A token that is not accepted is answered with a sign-in page: status
203 or a redirect.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlops_iac.review.post.http import Http, shaped
from mlops_iac.review.post.model import Comment, Gone, NotOurs

NAME: Final = "Azure DevOps"
_VERSION: Final = "api-version=7.1"
_CLOSED: Final = 4
_TEXT: Final = 1


def headers(token: str, *, personal: bool) -> Mapping[str, str]:
    """Return how a token is shown: the job's own as a bearer, a personal one as a password."""
    if personal:
        return {"Authorization": f"Basic {base64.b64encode(f':{token}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {token}"}


@dataclass(slots=True)
class AzureDevOpsComments:
    """Threads of pull request `number` of `repo` (`project/repository`, names or ids)."""

    http: Http
    repo: str
    number: int

    def identity(self) -> str | None:
        """Return the id of the token's identity; None where the organisation does not tell."""
        url = f"{self.http.base}/_apis/connectionData?api-version=7.1-preview.1"
        answer = self.http.put("GET", url, None, told=(400, 403, 404))
        data = answer.data if answer.status == 200 and isinstance(answer.data, dict) else {}
        user = data.get("authenticatedUser")
        found = user.get("id") if isinstance(user, dict) else None
        return found.casefold() if isinstance(found, str) and found else None

    def all(self) -> Iterator[Comment]:
        """The first comment of every thread; one answer has them all."""
        data = shaped(self.http.get(f"{self._threads()}?{_VERSION}").data, dict, NAME)
        threads = [shaped(thread, dict, NAME) for thread in shaped(data.get("value"), list, NAME)]
        for thread in sorted(threads, key=lambda thread: shaped(thread.get("id"), int, NAME)):
            if thread.get("isDeleted") or not thread.get("comments"):
                continue
            if not thread["comments"][0].get("isDeleted"):
                yield self._comment(thread)

    def create(self, body: str) -> Comment:
        """Open a thread, closed at once."""
        first = {"parentCommentId": 0, "content": body, "commentType": _TEXT}
        url = f"{self._threads()}?{_VERSION}"
        answer = self.http.post(url, {"comments": [first], "status": _CLOSED})
        return self._comment(answer.data)

    def rewrite(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a thread's first comment."""
        url = f"{self._threads()}/{comment.id}/comments/{comment.handle}?{_VERSION}"
        answer = self.http.put("PATCH", url, {"content": body}, told=(403, 404, 410))
        if answer.status == 403:
            raise NotOurs(f"{NAME}: the comment is somebody else's")
        if answer.status in (404, 410):
            raise Gone(f"{NAME}: the comment is gone")
        data = shaped(answer.data, dict, NAME)
        return self._comment({"id": comment.id, "comments": [data]})

    def _threads(self) -> str:
        project, _, repository = self.repo.partition("/")
        return self.http.url(
            project,
            "_apis",
            "git",
            "repositories",
            repository,
            "pullRequests",
            self.number,
            "threads",
        )

    def _comment(self, data: Any) -> Comment:
        thread = shaped(data, dict, NAME)
        first = shaped(shaped(thread.get("comments"), list, NAME)[0], dict, NAME)
        author = first.get("author")
        return Comment(
            id=shaped(thread.get("id"), int, NAME),
            body=first.get("content") or "",
            author=str(author.get("id", "")).casefold() if isinstance(author, dict) else "",
            handle=str(shaped(first.get("id"), int, NAME)),
        )
