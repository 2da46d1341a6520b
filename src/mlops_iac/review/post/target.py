"""Where a comment goes: flags first, then the variables that each platform's CI sets.

Tokens come from variables alone: a flag stands in process lists and logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from mlops_iac.errors import AuthenticationError, UsageError
from mlops_iac.review.escape import Platform, visible
from mlops_iac.review.post import azure_devops, bitbucket, github, gitlab
from mlops_iac.review.post.http import Http, checked_address
from mlops_iac.review.post.model import Comments

# Variables a token may stand in, the job's own first.
TOKENS: Final[Mapping[Platform, tuple[str, ...]]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "azure-devops": ("SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"),
    "bitbucket": ("BITBUCKET_TOKEN",),
}
_CI: Final[Mapping[Platform, str]] = {
    "github": "GITHUB_ACTIONS",
    "gitlab": "GITLAB_CI",
    "azure-devops": "TF_BUILD",
    "bitbucket": "BITBUCKET_BUILD_NUMBER",
}
_NAMES: Final[Mapping[Platform, str]] = {
    "github": github.NAME,
    "gitlab": gitlab.NAME,
    "azure-devops": azure_devops.NAME,
    "bitbucket": bitbucket.NAME,
}
_COMMENTS: Final[Mapping[Platform, Callable[[Http, str, int], Comments]]] = {
    "github": github.GitHubComments,
    "gitlab": gitlab.GitLabComments,
    "azure-devops": azure_devops.AzureDevOpsComments,
    "bitbucket": bitbucket.BitbucketComments,
}
_REPOSITORY: Final = {
    "github": r"[\w.-]+/[\w.-]+",
    "gitlab": r"\d+|[\w.-]+(/[\w.-]+)+",
    "azure-devops": r"[^/\\?#%]+/[^/\\?#%]+",
    "bitbucket": r"[\w.-]+/[\w.-]+",
}
_PULL_REF = re.compile(r"refs/pull/(\d+)/(?:merge|head)")


@dataclass(frozen=True, slots=True)
class Target:
    """A pull request, and what is known of the CI run that posts.

    `run` is 0 and `details_url` empty where they are not known.
    """

    platform: Platform
    repo: str
    number: int
    api_url: str
    run: int = 0
    details_url: str = ""


def find_target(
    platform: Platform,
    environment: Mapping[str, str],
    *,
    repo: str | None = None,
    number: int | None = None,
    api_url: str | None = None,
    of_number: bool = True,
) -> Target:
    """The pull request meant, or, unless `of_number`, its repository with the number 0.

    Raises UsageError that names the flags that would say it.
    """
    found = _from_environment(platform, environment)
    chosen_repo = repo or found["repo"]
    chosen_number = str(number) if number is not None else found["number"]
    chosen_api = api_url or found["api_url"]
    missing = [
        flag
        for flag, value in (
            ("--repo", chosen_repo),
            ("--number", chosen_number if of_number else "0"),
            ("--api-url", chosen_api),
        )
        if not value
    ]
    if missing:
        what = "pull request" if of_number else "repository"
        raise UsageError(
            f"which {what} of {_NAMES[platform]}? Neither flags nor the variables of its CI"
            f" say it: {', '.join(missing)}",
            hint=_elsewhere(platform, environment) or f"give {' and '.join(missing)}",
        )
    if not re.fullmatch(_REPOSITORY[platform], chosen_repo) or ".." in chosen_repo:
        raise UsageError(
            f"{visible(chosen_repo, 80)!r} is no repository of {_NAMES[platform]}",
            hint="project/repository" if platform == "azure-devops" else "owner/name",
        )
    if of_number and not re.fullmatch(r"[1-9]\d{0,17}", chosen_number):
        raise UsageError(
            f"{visible(chosen_number, 40)!r} is no pull request's number", hint="--number 12"
        )
    run = found["run"]
    return Target(
        platform=platform,
        repo=chosen_repo,
        number=int(chosen_number) if of_number else 0,
        api_url=checked_address(chosen_api),
        run=int(run) if run.isdecimal() and len(run) < 19 else 0,
        details_url=found["details_url"],
    )


def connect(target: Target, environment: Mapping[str, str], *, timeout: float = 20.0) -> Comments:
    """The comments of a target. Raises AuthenticationError where no token is set."""
    http = asked(target.platform, target.api_url, environment, timeout=timeout)
    return _COMMENTS[target.platform](http, target.repo, target.number)


def asked(
    platform: Platform, api_url: str, environment: Mapping[str, str], *, timeout: float = 20.0
) -> Http:
    """How a platform is asked, with the job's token. Raises AuthenticationError without one."""
    names = TOKENS[platform]
    name = next((name for name in names if environment.get(name, "").strip()), "")
    if not name:
        raise AuthenticationError(
            f"no token for {_NAMES[platform]}: {' or '.join(names)} is not set",
            hint="pass it to this step as a variable; a flag would stand in the log",
        )
    token = environment[name].strip()
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise AuthenticationError(f"the token in {name} has characters that no token has")
    match platform:
        case "github":
            headers = github.headers(token)
        case "gitlab":
            headers = gitlab.headers(token)
        case "azure-devops":
            headers = azure_devops.headers(token, personal=name != "SYSTEM_ACCESSTOKEN")
        case "bitbucket":
            headers = bitbucket.headers(token, environment.get("BITBUCKET_USERNAME", ""))
        case _:
            assert_never(platform)
    credentials = [value.partition(" ")[2] or value for value in headers.values()]
    secrets = [token, *(each for each in credentials if len(each) >= len(token))]
    return Http(_NAMES[platform], api_url, headers, tuple(secrets), timeout=timeout)


def _from_environment(platform: Platform, env: Mapping[str, str]) -> dict[str, str]:
    def value(*names: str) -> str:
        return next((env[name] for name in names if env.get(name)), "")

    match platform:
        case "github":
            repo, run = value("GITHUB_REPOSITORY"), value("GITHUB_RUN_ID")
            match = _PULL_REF.fullmatch(value("GITHUB_REF"))
            server = value("GITHUB_SERVER_URL") or "https://github.com"
            return {
                "repo": repo,
                "number": match[1] if match else _event_number(value("GITHUB_EVENT_PATH")),
                "api_url": value("GITHUB_API_URL") or github.DEFAULT_API,
                "run": run,
                "details_url": f"{server}/{repo}/actions/runs/{run}" if repo and run else "",
            }
        case "gitlab":
            return {
                # In a fork's pipeline the merge request belongs to the target project.
                "repo": value("CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID"),
                "number": value("CI_MERGE_REQUEST_IID"),
                "api_url": value("CI_API_V4_URL") or gitlab.DEFAULT_API,
                "run": value("CI_PIPELINE_ID"),
                "details_url": value("CI_JOB_URL"),
            }
        case "azure-devops":
            api = value("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI").rstrip("/")
            project, run = value("SYSTEM_TEAMPROJECT"), value("BUILD_BUILDID")
            repository = value("BUILD_REPOSITORY_ID", "BUILD_REPOSITORY_NAME")
            return {
                "repo": f"{project}/{repository}" if project and repository else "",
                "number": value("SYSTEM_PULLREQUEST_PULLREQUESTID"),
                "api_url": api,
                "run": run,
                "details_url": f"{api}/{project}/_build/results?buildId={run}" if run else "",
            }
        case "bitbucket":
            repo, run = value("BITBUCKET_REPO_FULL_NAME"), value("BITBUCKET_BUILD_NUMBER")
            return {
                "repo": repo,
                "number": value("BITBUCKET_PR_ID"),
                "api_url": bitbucket.DEFAULT_API,
                "run": run,
                "details_url": f"https://bitbucket.org/{repo}/pipelines/results/{run}"
                if repo and run
                else "",
            }
        case _:
            assert_never(platform)


def _event_number(path: str) -> str:
    """The pull request of an event whose ref is not the pull request's (`pull_request_target`)."""
    if not path:
        return ""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
        if "workflow_run" in event:
            found = event["workflow_run"]["pull_requests"]
            return str(found[0]["number"]) if len(found) == 1 else ""
        return str(event["pull_request"]["number"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _elsewhere(platform: Platform, environment: Mapping[str, str]) -> str:
    """A hint where this is another platform's CI."""
    here = [name for name, variable in _CI.items() if environment.get(variable)]
    return (
        f"this job runs on {_NAMES[here[0]]}: --platform {here[0]}"
        if (len(here) == 1 and here[0] != platform)
        else ""
    )
