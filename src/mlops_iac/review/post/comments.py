"""The comments of one pull request, on any platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mlops_iac.errors import MlopsError
from mlops_iac.review.post.hosts import Host
from mlops_iac.review.post.http import Http, at, shaped

_PAGES: Final = 200


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


@dataclass(slots=True)
class Comments:
    """The comments of pull request `number` of `repo`."""

    http: Http
    host: Host
    repo: str
    number: int

    def identity(self) -> str | None:
        """Who the token is, as `Comment.author` says it; None where the platform does not tell.

        Only a platform that lets nobody rewrite somebody else's comment may answer None.
        """
        host = self.host
        # https://host/api/v3 has its GraphQL at https://host/api/graphql.
        base = self.http.base.removesuffix("/v3") if host.query else self.http.base
        method = "POST" if host.query else "GET"
        answer = self.http.ask(method, f"{base}/{host.viewer}", host.query, told=host.anonymous)
        found = at(answer.data, host.viewer_is) if answer.status == 200 else None
        if isinstance(found, str | int) and found:
            return str(found).casefold()
        if host.anonymous:
            return None
        raise MlopsError(
            f"{host.name} does not say who the token belongs to; nothing was written",
            hint="use the job's own token, or one of a user or an app",
        )

    def all(self) -> Iterator[Comment]:
        """Every comment, page by page."""
        host = self.host
        url = self._url(host.comments, host.page)
        for _ in range(_PAGES):
            answer = self.http.ask("GET", url)
            for item in listed(answer.data, host):
                if not any(at(item, flag) for flag in host.skipped) and at(item, host.inside):
                    yield self._comment(item)
            url = host.next_page(answer, url) if host.next_page else ""
            if not url:
                return
        raise MlopsError(f"{host.name}: more than {_PAGES * 100} comments; nothing was written")

    def create(self, body: str) -> Comment:
        """Write a new one. Raises Uncertain where it may or may not be there now."""
        made = self.host.first or self.host.text
        url = self._url(self.host.comments)
        return self._comment(self.http.ask("POST", url, made(body), once=True).data)

    def rewrite(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text. Raises NotOurs and Gone."""
        host = self.host
        url = self._url(host.comment, id=comment.id, handle=comment.handle)
        answer = self.http.ask(host.rewrite, url, host.text(body), told=(403, 404, 410))
        if answer.status == 403:
            raise NotOurs(f"{host.name}: the comment is somebody else's")
        if answer.status in (404, 410):
            raise Gone(f"{host.name}: the comment is gone")
        return self._read(comment.id, answer.data)

    def _url(self, path: str, query: str = "", **named: object) -> str:
        where = path.format(number=self.number, **named)
        return address(self.http, self.host, self.repo, where, query)

    def _comment(self, item: Any) -> Comment:
        number = shaped(at(item, "id"), int, self.host.name)
        return self._read(number, at(item, self.host.inside))

    def _read(self, number: int, item: Any) -> Comment:
        author = at(shaped(item, dict, self.host.name), self.host.author)
        return Comment(
            id=number,
            body=at(item, self.host.body) or "",
            author="" if author is None else str(author).casefold(),
            handle=str(item.get("id", "")),
            url=str(item.get("html_url", "")),
        )


def address(http: Http, host: Host, repo: str, path: str, query: str = "") -> str:
    """An address below a repository of a platform's API."""
    tail = "&".join(part for part in (query, host.version) if part)
    return f"{http.base}/{host.root(repo)}/{path}" + (f"?{tail}" if tail else "")


def listed(data: Any, host: Host) -> list[dict[str, Any]]:
    """The items of an answer. Raises MlopsError for one that is not as the API promises."""
    found = at(shaped(data, dict, host.name), host.listed) if host.listed else data
    return [shaped(item, dict, host.name) for item in shaped(found, list, host.name)]
