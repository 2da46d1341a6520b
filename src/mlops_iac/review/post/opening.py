"""Opening the pull request of a branch, or rewriting the one that is open: never a second one.

https://docs.github.com/en/rest/pulls/pulls, https://docs.gitlab.com/api/merge_requests,
https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests,
https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mlops_iac.errors import MlopsError
from mlops_iac.review.escape import Platform
from mlops_iac.review.post.http import Http, shaped
from mlops_iac.review.post.model import Uncertain

# The longest description that each takes, in characters.
LIMITS: Final[Mapping[Platform, int]] = {
    "github": 65_536,
    "gitlab": 1_000_000,
    "azure-devops": 4_000,
    "bitbucket": 32_768,
}
_SHORTENED: Final = "\n\n*Shortened to fit; all of it stands in the log of the run.*\n"


@dataclass(frozen=True, slots=True)
class Branches:
    """What is to be merged, and into what; both in the one repository."""

    head: str
    base: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What was done with which pull request."""

    action: Literal["opened", "rewritten"]
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class _Api:
    """What a platform calls things. `where` is its collection of pull requests, `of` one of them."""

    where: Callable[[Http, str], str]
    of: Callable[[Http, str, int], str]
    find: Callable[[str, Branches], Mapping[str, str]]
    new: Callable[[Branches], Mapping[str, Any]]
    text: Callable[[str, str], Mapping[str, Any]]
    # The key that one answer has the list under, the number's key, and the verb that rewrites.
    listed: str
    number: str
    rewrite: str
    version: str = ""


def open_or_rewrite(
    http: Http, platform: Platform, repo: str, branches: Branches, title: str, body: str
) -> Opened:
    """Bring title and description into the open pull request of these branches, or open it.

    Raises AuthenticationError, TimedOut, UsageError or MlopsError.
    """
    api = _APIS[platform]
    text = api.text(title, shortened(body, LIMITS[platform]))
    for last in (False, True):
        number = _number(http, api, platform, repo, branches)
        if number:
            answer = http.put(api.rewrite, _with(api, api.of(http, repo, number)), text)
            return Opened("rewritten", number, _url(answer.data))
        try:
            made = http.post(_with(api, api.where(http, repo)), {**api.new(branches), **text})
        except Uncertain:  # the next look tells whether it is there
            if last:
                raise
            continue
        data = shaped(made.data, dict, http.platform)
        return Opened("opened", shaped(data.get(api.number), int, http.platform), _url(data))
    raise MlopsError(f"{http.platform}: it does not say whether the pull request is open")


def shortened(body: str, most: int) -> str:
    """The description, cut after a paragraph where it is longer than the platform takes."""
    if len(body) <= most:
        return body
    kept = body[: most - len(_SHORTENED)]
    return (kept.rpartition("\n\n")[0] or kept) + _SHORTENED


def _number(http: Http, api: _Api, platform: Platform, repo: str, branches: Branches) -> int:
    query = "&".join(f"{key}={_quoted(value)}" for key, value in api.find(repo, branches).items())
    data = http.get(_with(api, f"{api.where(http, repo)}?{query}")).data
    found = shaped(data, dict, http.platform).get(api.listed) if api.listed else data
    for each in shaped(found, list, http.platform):
        item = shaped(each, dict, http.platform)
        # A fork's branch may have the same name.
        if platform != "gitlab" or item.get("source_project_id") == item.get("target_project_id"):
            return int(shaped(item.get(api.number), int, http.platform))
    return 0


def _quoted(value: str) -> str:
    from urllib.parse import quote

    return quote(value, safe="")


def _with(api: _Api, url: str) -> str:
    return url + ("&" if "?" in url else "?") + api.version if api.version else url


def _url(data: Any) -> str:
    """Where people see it, where the answer says so."""
    if not isinstance(data, dict):
        return ""
    links = data.get("links")
    html = links.get("html") if isinstance(links, dict) else None
    found = data.get("html_url") or data.get("web_url") or (html or {}).get("href")
    return found if isinstance(found, str) else ""


def _github(http: Http, repo: str, *more: object) -> str:
    return http.url("repos", *repo.split("/"), "pulls", *more)


def _gitlab(http: Http, repo: str, *more: object) -> str:
    return http.url("projects", repo, "merge_requests", *more)


def _azure(http: Http, repo: str, *more: object) -> str:
    project, _, repository = repo.partition("/")
    return http.url(project, "_apis", "git", "repositories", repository, "pullrequests", *more)


def _bitbucket(http: Http, repo: str, *more: object) -> str:
    return http.url("repositories", *repo.split("/"), "pullrequests", *more)


_APIS: Final[Mapping[Platform, _Api]] = {
    "github": _Api(
        where=_github,
        of=_github,
        find=lambda repo, on: {
            "state": "open",
            "head": f"{repo.partition('/')[0]}:{on.head}",
            "base": on.base,
        },
        new=lambda on: {"head": on.head, "base": on.base},
        text=lambda title, body: {"title": title, "body": body},
        listed="",
        number="number",
        rewrite="PATCH",
    ),
    "gitlab": _Api(
        where=_gitlab,
        of=_gitlab,
        find=lambda _, on: {
            "state": "opened",
            "source_branch": on.head,
            "target_branch": on.base,
        },
        new=lambda on: {
            "source_branch": on.head,
            "target_branch": on.base,
            "remove_source_branch": True,
        },
        text=lambda title, body: {"title": title, "description": body},
        listed="",
        number="iid",
        rewrite="PUT",
    ),
    "azure-devops": _Api(
        where=_azure,
        of=_azure,
        find=lambda _, on: {
            "searchCriteria.status": "active",
            "searchCriteria.sourceRefName": f"refs/heads/{on.head}",
            "searchCriteria.targetRefName": f"refs/heads/{on.base}",
        },
        new=lambda on: {
            "sourceRefName": f"refs/heads/{on.head}",
            "targetRefName": f"refs/heads/{on.base}",
        },
        text=lambda title, body: {"title": title, "description": body},
        listed="value",
        number="pullRequestId",
        rewrite="PATCH",
        version="api-version=7.1",
    ),
    "bitbucket": _Api(
        where=_bitbucket,
        of=_bitbucket,
        find=lambda _, on: {
            "q": f'state="OPEN" AND source.branch.name="{on.head}"'
            f' AND destination.branch.name="{on.base}"'
        },
        new=lambda on: {
            "source": {"branch": {"name": on.head}},
            "destination": {"branch": {"name": on.base}},
        },
        text=lambda title, body: {"title": title, "description": body},
        listed="values",
        number="id",
        rewrite="PUT",
    ),
}
