"""What each platform calls things: where its API is, how a token is shown, what its CI says.

GitHub's REST API 2022-11-28: https://docs.github.com/en/rest/issues/comments, …/rest/pulls/pulls.
A pull request's comments are those of its issue. Who the token is comes from GraphQL's `viewer`,
because `GET /user` refuses the token of a workflow.

GitLab's REST API v4: https://docs.gitlab.com/api/notes, …/api/merge_requests. Maintainers may
rewrite other people's notes, so whose a note is has to be known: `GET /user` answers for personal,
project and group access tokens.

Azure DevOps' REST API 7.1: https://learn.microsoft.com/rest/api/azure/devops/git/. A comment is the
first of a thread, which is made `closed`, so that a policy that asks for resolved comments does not
wait for it. A token that is not accepted is answered with a sign-in page: status 203 or a redirect.

Bitbucket Cloud's REST API 2.0:
https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests. `GET /user` does not
answer for a repository's access token.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from mlops_iac.review.escape import Platform
from mlops_iac.review.post.http import Answer


@dataclass(frozen=True, slots=True)
class Branches:
    """What is to be merged, and into what; both in the one repository."""

    head: str
    base: str


@dataclass(frozen=True, slots=True)
class Host:
    """One platform. Paths into answers are dotted (`user.login`, `comments.0`).

    Of what its CI says (`repo` to `details`), the first template counts whose variables are all set;
    the last of `api` is where the platform itself is. `tokens` are variables, the job's own first.
    """

    name: str
    ci: str
    tokens: tuple[str, ...]
    # (token, its variable, the environment) → how it is shown.
    headers: Callable[[str, str, Mapping[str, str]], Mapping[str, str]]
    repo: tuple[str, ...]
    number: tuple[str, ...]
    api: tuple[str, ...]
    run: tuple[str, ...]
    details: tuple[str, ...]
    # What a repository's name looks like, and the path of its API.
    repository: str
    root: Callable[[str], str]
    # Who the token is: the address below the API, what is sent there, and where the answer says it.
    # `anonymous` are the statuses by which a platform does not tell; then it lets nobody rewrite
    # somebody else's comment.
    viewer: str
    viewer_is: str
    # The comments of a pull request below the root, and one of them.
    comments: str
    comment: str
    body: str
    author: str
    # (text) → what is sent to rewrite a comment, and to make one where that is another thing.
    text: Callable[[str], Mapping[str, Any]]
    # Pull requests below the root, and (repository, branches) → the query for the open ones.
    pulls: str
    open: Callable[[str, Branches], Mapping[str, str]]
    new_pull: Callable[[Branches], Mapping[str, Any]]
    pull_number: str
    rewrite: str
    first: Callable[[str], Mapping[str, Any]] | None = None
    query: Mapping[str, str] | None = None
    anonymous: tuple[int, ...] = ()
    page: str = ""
    next_page: Callable[[Answer, str], str] | None = None
    # The key that answers have lists under, and where in an item of comments the comment stands.
    listed: str = ""
    inside: str = ""
    skipped: tuple[str, ...] = ()
    # The key of a pull request's description, its longest, and where people see it.
    description: str = "description"
    longest: int = 1_000_000
    url: str = ""
    version: str = ""


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _password(user: str, token: str) -> Mapping[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"}


def _linked(answer: Answer, _url: str) -> str:
    """The next page in a `Link` header (RFC 8288)."""
    for part in answer.headers.get("link", "").split(","):
        target, _, parameters = part.partition(";")
        if 'rel="next"' in parameters.replace(" ", ""):
            return target.strip().removeprefix("<").removesuffix(">")
    return ""


def _numbered(answer: Answer, url: str) -> str:
    page = answer.headers.get("x-next-page", "").strip()
    return f"{url.rpartition('=')[0]}={page}" if page.isdecimal() else ""


HOSTS: Final[Mapping[Platform, Host]] = {
    "github": Host(
        name="GitHub",
        ci="GITHUB_ACTIONS",
        tokens=("GITHUB_TOKEN", "GH_TOKEN"),
        headers=lambda token, _variable, _env: {
            **_bearer(token),
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        repo=("{GITHUB_REPOSITORY}",),
        number=(),  # see `target`: it stands in the ref or in the event
        api=("{GITHUB_API_URL}", "https://api.github.com"),
        run=("{GITHUB_RUN_ID}",),
        details=(
            "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
            "https://github.com/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
        ),
        repository=r"[\w.-]+/[\w.-]+",
        root=lambda repo: f"repos/{quote(repo)}",
        viewer="graphql",
        query={"query": "{viewer{login}}"},
        viewer_is="data.viewer.login",
        comments="issues/{number}/comments",
        comment="issues/comments/{id}",
        page="per_page=100",
        next_page=_linked,
        body="body",
        author="user.login",
        text=lambda text: {"body": text},
        pulls="pulls",
        open=lambda repo, on: {
            "state": "open",
            "head": f"{repo.partition('/')[0]}:{on.head}",
            "base": on.base,
        },
        new_pull=lambda on: {"head": on.head, "base": on.base},
        pull_number="number",
        rewrite="PATCH",
        description="body",
        longest=65_536,
        url="html_url",
    ),
    "gitlab": Host(
        name="GitLab",
        ci="GITLAB_CI",
        tokens=("GITLAB_TOKEN",),
        headers=lambda token, _variable, _env: {"PRIVATE-TOKEN": token},
        # In a fork's pipeline the merge request belongs to the target project.
        repo=("{CI_MERGE_REQUEST_PROJECT_ID}", "{CI_PROJECT_ID}"),
        number=("{CI_MERGE_REQUEST_IID}",),
        api=("{CI_API_V4_URL}", "https://gitlab.com/api/v4"),
        run=("{CI_PIPELINE_ID}",),
        details=("{CI_JOB_URL}",),
        repository=r"\d+|[\w.-]+(/[\w.-]+)+",
        root=lambda repo: f"projects/{quote(repo, safe='')}",
        viewer="user",
        viewer_is="id",
        comments="merge_requests/{number}/notes",
        comment="merge_requests/{number}/notes/{id}",
        page="per_page=100&sort=asc&order_by=created_at&page=1",
        next_page=_numbered,
        skipped=("system",),
        body="body",
        author="author.id",
        text=lambda text: {"body": text},
        pulls="merge_requests",
        open=lambda _, on: {
            "state": "opened",
            "source_branch": on.head,
            "target_branch": on.base,
        },
        new_pull=lambda on: {
            "source_branch": on.head,
            "target_branch": on.base,
            "remove_source_branch": True,
        },
        pull_number="iid",
        rewrite="PUT",
        url="web_url",
    ),
    "azure-devops": Host(
        name="Azure DevOps",
        ci="TF_BUILD",
        tokens=("SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"),
        # The job's own token is a bearer's, a personal one a password.
        headers=lambda token, variable, _env: (
            _bearer(token) if variable == "SYSTEM_ACCESSTOKEN" else _password("", token)
        ),
        repo=(
            "{SYSTEM_TEAMPROJECT}/{BUILD_REPOSITORY_ID}",
            "{SYSTEM_TEAMPROJECT}/{BUILD_REPOSITORY_NAME}",
        ),
        number=("{SYSTEM_PULLREQUEST_PULLREQUESTID}",),
        api=("{SYSTEM_COLLECTIONURI}", "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}"),
        run=("{BUILD_BUILDID}",),
        details=(
            "{SYSTEM_COLLECTIONURI}/{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
        ),
        repository=r"[^/\\?#%]+/[^/\\?#%]+",
        root=lambda repo: quote(repo).replace("/", "/_apis/git/repositories/"),
        viewer="_apis/connectionData?api-version=7.1-preview.1",
        viewer_is="authenticatedUser.id",
        anonymous=(400, 403, 404),
        comments="pullRequests/{number}/threads",
        comment="pullRequests/{number}/threads/{id}/comments/{handle}",
        listed="value",
        inside="comments.0",
        skipped=("isDeleted", "comments.0.isDeleted"),
        body="content",
        author="author.id",
        text=lambda text: {"content": text},
        first=lambda text: {
            "comments": [{"parentCommentId": 0, "content": text, "commentType": 1}],  # 1: text
            "status": 4,  # closed
        },
        pulls="pullrequests",
        open=lambda _, on: {
            "searchCriteria.status": "active",
            "searchCriteria.sourceRefName": f"refs/heads/{on.head}",
            "searchCriteria.targetRefName": f"refs/heads/{on.base}",
        },
        new_pull=lambda on: {
            "sourceRefName": f"refs/heads/{on.head}",
            "targetRefName": f"refs/heads/{on.base}",
        },
        pull_number="pullRequestId",
        rewrite="PATCH",
        longest=4_000,
        version="api-version=7.1",
    ),
    "bitbucket": Host(
        name="Bitbucket",
        ci="BITBUCKET_BUILD_NUMBER",
        tokens=("BITBUCKET_TOKEN",),
        # An access token is a bearer's, a user's a password.
        headers=lambda token, _variable, env: (
            _password(user, token) if (user := env.get("BITBUCKET_USERNAME")) else _bearer(token)
        ),
        repo=("{BITBUCKET_REPO_FULL_NAME}",),
        number=("{BITBUCKET_PR_ID}",),
        api=("https://api.bitbucket.org/2.0",),
        run=("{BITBUCKET_BUILD_NUMBER}",),
        details=(
            "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        ),
        repository=r"[\w.-]+/[\w.-]+",
        root=lambda repo: f"repositories/{quote(repo)}",
        viewer="user",
        viewer_is="uuid",
        anonymous=(401, 403, 404),
        comments="pullrequests/{number}/comments",
        comment="pullrequests/{number}/comments/{id}",
        page="pagelen=100&sort=created_on",
        next_page=lambda answer, _url: answer.data.get("next") or "",
        listed="values",
        skipped=("deleted", "inline"),
        body="content.raw",
        author="user.uuid",
        text=lambda text: {"content": {"raw": text}},
        pulls="pullrequests",
        open=lambda _, on: {
            "q": f'state="OPEN" AND source.branch.name="{on.head}"'
            f' AND destination.branch.name="{on.base}"'
        },
        new_pull=lambda on: {
            "source": {"branch": {"name": on.head}},
            "destination": {"branch": {"name": on.base}},
        },
        pull_number="id",
        rewrite="PUT",
        longest=32_768,
        url="links.html.href",
    ),
}
