"""The same four platforms' APIs of pull requests: found by their branches, opened, rewritten."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.emulated.comment_servers import TOKEN, Platform, Request

PLACES = {
    "github": "/repos/o/r/pulls",
    "gitlab": "/projects/group%2Fsub%2Fproject/merge_requests",
    "azure-devops": "/My%20Project/_apis/git/repositories/r-id/pullrequests",
    "bitbucket": "/repositories/ws/repo/pullrequests",
}
# How each asks for the branches, and calls number and description.
QUERIES = {
    "github": {"state": "open", "head": "o:update", "base": "main"},
    "gitlab": {"state": "opened", "source_branch": "update", "target_branch": "main"},
    "azure-devops": {
        "searchCriteria.status": "active",
        "searchCriteria.sourceRefName": "refs/heads/update",
        "searchCriteria.targetRefName": "refs/heads/main",
        "api-version": "7.1",
    },
    "bitbucket": {
        "q": 'state="OPEN" AND source.branch.name="update" AND destination.branch.name="main"'
    },
}
NUMBERS = {"github": "number", "gitlab": "iid", "azure-devops": "pullRequestId", "bitbucket": "id"}
MADE = {
    "github": {"head": "update", "base": "main"},
    "gitlab": {"source_branch": "update", "target_branch": "main", "remove_source_branch": True},
    "azure-devops": {"sourceRefName": "refs/heads/update", "targetRefName": "refs/heads/main"},
    "bitbucket": {
        "source": {"branch": {"name": "update"}}, "destination": {"branch": {"name": "main"}},
    },
}  # fmt: skip


@dataclass
class Requests(Platform):
    """A repository's pull requests. `branch` is what is to be merged."""

    branch: str = "update"
    open: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, dict[str, str], Any]:
        with self.lock:
            return self._answer(request)

    def _named(self, value: Any) -> Any:
        """The same with this repository's branch."""
        match value:
            case dict():
                return {key: self._named(each) for key, each in value.items()}
            case str():
                return re.sub(r"\bupdate\b", self.branch, value)
            case _:
                return value

    def _answer(self, request: Request) -> tuple[int, dict[str, str], Any]:
        if TOKEN not in " ".join(request.headers.values()):
            return 401, {}, {"message": "Bad credentials"}
        place, number = PLACES[self.name], NUMBERS[self.name]
        if self.name == "azure-devops":
            assert request.query.get("api-version") == "7.1"
        if request.path == place and request.method == "GET":
            assert request.query == self._named(QUERIES[self.name])
            listed = {"azure-devops": "value", "bitbucket": "values"}.get(self.name)
            return 200, {}, {listed: self.open} if listed else self.open
        body = "body" if self.name == "github" else "description"
        if request.path == place and request.method == "POST":
            text = {key: request.json.pop(key) for key in ("title", body)}
            assert request.json == self._named(MADE[self.name])
            made = {number: 31, "title": text["title"], "text": text[body]}
            made |= (
                {"source_project_id": 1, "target_project_id": 1} if self.name == "gitlab" else {}
            )
            self.open.append(made)
            return 201, {}, made
        verb = "PATCH" if self.name in ("github", "azure-devops") else "PUT"
        for each in self.open:
            if request.path == f"{place}/{each[number]}" and request.method == verb:
                each |= {"title": request.json["title"], "text": request.json[body]}
                return 200, {}, each
        return 404, {}, {"message": "Not Found"}
