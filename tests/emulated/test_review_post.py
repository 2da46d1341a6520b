"""Posting a comment, against each platform's API on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from mlops_iac.errors import AuthenticationError, MlopsError, TimedOut, UsageError
from mlops_iac.review.escape import Platform as PlatformName
from mlops_iac.review.markdown import to_markdown
from mlops_iac.review.marker import Marker, read_marker
from mlops_iac.review.post.target import Target, connect, find_target
from mlops_iac.review.post.upsert import Posted, upsert
from tests.emulated.comment_servers import ME, OTHER, TOKEN, Fault, Platform, serving
from tests.unit.review_samples import EVERYTHING, NOTHING, ONE_LINE

PLATFORMS: tuple[PlatformName, ...] = get_args(PlatformName)
REPOSITORIES = {
    "github": "o/r",
    "gitlab": "group/sub/project",
    "azure-devops": "My Project/r-id",
    "bitbucket": "ws/repo",
}
VARIABLES = {
    "github": "GITHUB_TOKEN",
    "gitlab": "GITLAB_TOKEN",
    "azure-devops": "SYSTEM_ACCESSTOKEN",
    "bitbucket": "BITBUCKET_TOKEN",
}


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    with serving(Platform(request.param)) as found:
        yield found


@pytest.fixture
def github() -> Iterator[Platform]:
    with serving(Platform("github")) as found:
        yield found


class Naps(list[float]):
    """Sleeps that only are counted."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def comments(
    platform: Platform,
    *,
    token: str = TOKEN,
    timeout: float = 5.0,
    patience: float = 180.0,
    naps: Naps | None = None,
    **more: str,
) -> Any:
    name: Any = platform.name
    target = Target(name, REPOSITORIES[platform.name], 7, platform.url)
    found = connect(target, {VARIABLES[platform.name]: token, **more}, timeout=timeout)
    found.http.sleep = Naps() if naps is None else naps  # type: ignore[attr-defined]
    found.http._until = time.monotonic() + patience  # type: ignore[attr-defined]
    return found


def post(platform: Platform, review: Any = ONE_LINE, *, run: int = 0, **more: Any) -> Posted:
    name: Any = platform.name
    return upsert(comments(platform, **more), to_markdown(review, name, run=run), name)


def live(platform: Platform) -> list[str]:
    """Bodies that are previews of churn → prod, and no duplicates."""
    return [
        entry.body
        for entry in platform.entries
        if (marker := read_marker(entry.body)) and not marker.duplicate and marker.stack == "prod"
    ]


def test_the_first_run_creates_and_the_next_rewrites(platform: Platform) -> None:
    name: Any = platform.name
    first = post(platform, ONE_LINE)
    assert first.action == "created"
    assert [entry.body for entry in platform.entries] == [to_markdown(ONE_LINE, name)]
    second = post(platform, EVERYTHING)
    assert second.action == "rewritten"
    assert second.comment.id == first.comment.id
    assert [entry.body for entry in platform.entries] == [to_markdown(EVERYTHING, name)]
    before = len(platform.requests)
    assert post(platform, EVERYTHING).action == "unchanged"
    assert {request.method for request in platform.requests[before:]} <= {"GET", "POST"}
    assert platform.entries[0].body == to_markdown(EVERYTHING, name)
    assert "DELETE" not in platform.methods()


def test_own_comment_is_found_behind_many_pages(platform: Platform) -> None:
    for number in range(8):
        platform.add(f"talk {number}", OTHER)
    mine = platform.add(Marker("churn", "prod").line("github") + "\nold")
    platform.add("later", OTHER)
    posted = post(platform)
    assert (posted.action, posted.comment.id) == ("rewritten", mine.id)
    assert len(platform.entries) == 10


def test_another_stack_or_project_has_a_comment_of_its_own(platform: Platform) -> None:
    post(platform, ONE_LINE)
    post(platform, replace(ONE_LINE, stack="dev"))
    post(platform, replace(ONE_LINE, project="other"))
    post(platform, NOTHING)
    assert len(platform.entries) == 3


def test_a_marker_that_somebody_else_wrote_is_left_alone(platform: Platform) -> None:
    forged = to_markdown(EVERYTHING, "github")
    platform.add(forged, OTHER)
    platform.add(f"> {forged}", OTHER)
    quoted = platform.add(f"I mean this:\n{forged}", ME)
    assert post(platform).action == "created"
    assert platform.entries[0].body == forged
    assert quoted.body.startswith("I mean")
    assert len(platform.entries) == 4


@pytest.mark.parametrize("name", ["azure-devops", "bitbucket"])
def test_where_nobody_says_who_we_are_the_platform_refuses_what_is_not_ours(name: str) -> None:
    with serving(Platform(name, tells_identity=False)) as platform:
        platform.add(to_markdown(EVERYTHING, "github"), OTHER)
        assert post(platform).action == "created"
        assert post(platform, NOTHING).action == "rewritten"
        assert len(platform.entries) == 2
        assert platform.entries[0].body == to_markdown(EVERYTHING, "github")


def test_a_comment_deleted_meanwhile_is_made_anew(platform: Platform) -> None:
    platform.add(Marker("churn", "prod").line("github"))
    rewriting = "PUT" if platform.name in ("gitlab", "bitbucket") else "PATCH"
    platform.faults.append(Fault(404, method=rewriting))
    original = platform.answer

    def answer(request: Any) -> Any:
        if platform.faults[0].times == 0:
            platform.entries[:] = [e for e in platform.entries if e.id != 100]
        return original(request)

    platform.answer = answer  # type: ignore[method-assign]
    assert post(platform).action == "created"
    assert len(live(platform)) == 1


def test_two_runs_that_create_at_once_leave_one_preview(platform: Platform) -> None:
    """The other run's comment appears between this run's look and its create."""
    name: Any = platform.name
    other = to_markdown(EVERYTHING, name, run=5)
    platform.on_create = lambda p: p.add(other) and None
    posted = post(platform, ONE_LINE, run=6)
    assert posted.action == "rewritten"
    assert live(platform) == [to_markdown(ONE_LINE, name, run=6)]
    assert len(platform.entries) == 2
    younger = read_marker(platform.entries[1].body)
    assert younger is not None
    assert younger.duplicate
    assert "earlier comment" in platform.entries[1].body
    # And the next run still knows which one it is.
    assert post(platform, NOTHING, run=7).comment.id == posted.comment.id
    assert len(live(platform)) == 1
    assert "DELETE" not in platform.methods()


def test_an_older_run_does_not_write_over_a_newer_one(platform: Platform) -> None:
    name: Any = platform.name
    post(platform, EVERYTHING, run=20)
    posted = post(platform, ONE_LINE, run=19)
    assert posted.action == "outdated"
    assert live(platform) == [to_markdown(EVERYTHING, name, run=20)]
    # Run again is the same number, and may.
    assert post(platform, ONE_LINE, run=20).action == "rewritten"


def test_an_older_run_that_created_second_steps_back(platform: Platform) -> None:
    name: Any = platform.name
    newer = to_markdown(EVERYTHING, name, run=9)
    platform.on_create = lambda p: p.add(newer) and None
    assert post(platform, ONE_LINE, run=8).action == "outdated"
    assert live(platform) == [newer]


def test_many_runs_in_parallel_leave_one_preview(platform: Platform) -> None:
    name: Any = platform.name
    start = threading.Barrier(4)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            found = comments(platform)
            body = to_markdown(replace(ONE_LINE, sha=f"{number:040}"), name, run=number)
            start.wait()
            upsert(found, body, name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    # Whoever comes next (here: the newest run, again) finds one comment and leaves one.
    post(platform, ONE_LINE, run=5)
    assert live(platform) == [to_markdown(ONE_LINE, name, run=5)]


def test_a_create_without_an_answer_is_looked_for_before_it_is_tried_again(
    platform: Platform,
) -> None:
    path = {"azure-devops": "threads", "gitlab": "notes"}.get(platform.name, "comments")
    for fault in (
        Fault(502, method="POST", path=path, after=True),
        Fault(0, method="POST", path=path, after=True),
        Fault(200, method="POST", path=path, after=True, sleep=1.5),
    ):
        platform.entries.clear()
        platform.faults[:] = [fault]
        assert post(platform, timeout=0.5 if fault.sleep else 5).action == "unchanged"
        assert len(platform.entries) == 1
    platform.entries.clear()
    platform.faults[:] = [Fault(502, method="POST", path=path)]
    assert post(platform).action == "created"
    assert len(platform.entries) == 1


def test_a_create_that_never_settles_is_an_error_that_says_so(platform: Platform) -> None:
    path = {"azure-devops": "threads", "gitlab": "notes"}.get(platform.name, "comments")
    platform.faults.append(Fault(503, method="POST", path=path, times=99))
    with pytest.raises(MlopsError, match="answers 503") as caught:
        post(platform)
    assert "run it again" in caught.value.hint
    assert platform.methods().count("POST") <= 5
    assert not platform.entries


@pytest.mark.parametrize(
    ("fault", "error", "exit_code", "words"),
    [
        (Fault(401), AuthenticationError, 3, "refuses the token"),
        (
            Fault(403, body='{"message": "Resource not accessible"}'),
            AuthenticationError,
            3,
            "may not",
        ),
        (Fault(404), UsageError, 2, "no such pull request"),
        (Fault(422, body='{"message": "too long"}'), MlopsError, 1, "422"),
        (Fault(409, times=9), MlopsError, 1, "409"),
        (Fault(429, {"Retry-After": "7"}, times=9), TimedOut, 9, "too many requests"),
        (Fault(429, {"Retry-After": "86400"}), TimedOut, 9, "asks to wait 86400 s"),
        (Fault(503, times=9), MlopsError, 1, "503"),
        (Fault(0, times=9), MlopsError, 1, "cannot be reached"),
        (Fault(200, body="<html>sign in</html>"), MlopsError, 1, "not as its API describes"),
        (Fault(200, body='{"a": 1}'), MlopsError, 1, "not as its API describes"),
        (Fault(200, body="[" * 100_000), MlopsError, 1, "not as its API describes"),
        (Fault(302, {"Location": "http://127.0.0.1:9/steal"}), MlopsError, 1, "another server"),
        (
            Fault(302, {"Location": "https://app.example/_signin?x"}),
            AuthenticationError,
            3,
            "token",
        ),
    ],
)
def test_what_an_api_refuses_is_a_typed_error_without_the_token(
    platform: Platform, fault: Fault, error: type[MlopsError], exit_code: int, words: str
) -> None:
    path = {"azure-devops": "threads", "gitlab": "notes"}.get(platform.name, "comments")
    platform.faults.append(replace(fault, path=path))
    naps = Naps()
    with pytest.raises(MlopsError, match=words) as caught:
        post(platform, naps=naps)
    assert type(caught.value) is error
    assert caught.value.exit_code == exit_code
    assert TOKEN not in f"{caught.value.message} {caught.value.hint} {caught.value!r}"
    assert len(platform.requests) < 8
    assert sum(naps) <= 60
    assert not platform.entries


def test_what_passes_is_waited_for_as_long_as_is_asked(platform: Platform) -> None:
    path = {"azure-devops": "threads", "gitlab": "notes"}.get(platform.name, "comments")
    platform.faults += [
        Fault(429, {"Retry-After": "7"}, method="GET", path=path),
        Fault(503, {"Retry-After": "3"}, method="GET", path=path),
        Fault(500, method="GET", path=path),
        Fault(429, {"Retry-After": "2"}, method="POST", path=path),
        Fault(409, method="POST", path=path),
    ]
    naps = Naps()
    assert post(platform, naps=naps).action == "created"
    assert naps[:2] == [7.0, 3.0]
    assert 2.0 in naps
    assert len(platform.entries) == 1


def test_github_says_too_many_with_403(github: Platform) -> None:
    github.faults += [
        Fault(403, {"Retry-After": "5"}, path="comments"),
        Fault(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, path="comments"),
    ]
    naps = Naps()
    assert post(github, naps=naps).action == "created"
    assert naps == [5.0, 1.0]


@pytest.mark.parametrize("fault", [Fault(200, sleep=3.0, times=99), Fault(drip=True, times=99)])
def test_a_server_that_never_answers_ends_in_time(platform: Platform, fault: Fault) -> None:
    platform.faults.append(replace(fault))
    start = time.monotonic()
    with pytest.raises(TimedOut, match="no answer within") as caught:
        post(platform, timeout=0.3, patience=2.5)
    assert time.monotonic() - start < 30
    assert caught.value.exit_code == 9
    assert not platform.entries


def test_nobody_listens(github: Platform) -> None:
    found = comments(github)
    found.http.base = "http://127.0.0.1:9"
    with pytest.raises(MlopsError, match="cannot be reached"):
        upsert(found, to_markdown(ONE_LINE), "github")


def test_the_token_goes_to_no_other_server(github: Platform) -> None:
    with serving(Platform("github")) as thief:
        for fault in (
            Fault(302, {"Location": f"{thief.url}/repos/o/r/issues/7/comments"}, method="GET"),
            Fault(200, {"Link": f'<{thief.url}/x>; rel="next"'}, method="GET", body="[]"),
        ):
            github.faults[:] = [fault]
            with pytest.raises(MlopsError, match="another server"):
                post(github)
        assert not thief.requests
    with serving(Platform("bitbucket")) as bitbucket:
        bitbucket.faults.append(
            Fault(200, path="comments", body=f'{{"values": [], "next": "{github.url}/x"}}')
        )
        with pytest.raises(MlopsError, match="another server"):
            post(bitbucket)


def test_a_moved_repository_is_followed_on_its_own_server_only_to_read(github: Platform) -> None:
    github.faults.append(
        Fault(301, {"Location": "/repos/o/r/issues/7/comments?per_page=100"}, method="GET")
    )
    assert post(github).action == "created"
    github.entries.clear()
    github.faults.append(Fault(301, {"Location": "/x"}, method="POST", path="comments"))
    with pytest.raises(MlopsError, match="has moved"):
        post(github)


def test_a_platform_that_echoes_the_token_does_not_make_us_say_it(platform: Platform) -> None:
    platform.faults.append(
        Fault(422, body=f'{{"message": "bad {TOKEN} \\u001b[31m @all"}}', path="7")
    )
    with pytest.raises(MlopsError) as caught:
        post(platform)
    assert TOKEN not in caught.value.message
    assert "\x1b" not in caught.value.message


def test_a_wrong_token_is_an_authentication_error(platform: Platform) -> None:
    with pytest.raises(AuthenticationError) as caught:
        post(platform, token="wrong-wrong-wrong")
    assert "wrong-wrong" not in caught.value.message


def test_a_comment_that_is_not_what_was_written_is_an_error(github: Platform) -> None:
    github.faults.append(
        Fault(201, method="POST", path="comments", body='{"id": 1, "body": "something else"}')
    )
    with pytest.raises(MlopsError, match="another comment than was written"):
        post(github)


def test_endless_pages_end(github: Platform) -> None:
    link = f'<{github.url}/repos/o/r/issues/7/comments?per_page=100>; rel="next"'
    github.faults.append(Fault(200, {"Link": link}, method="GET", body="[]", times=10_000))
    with pytest.raises(MlopsError, match="more than"):
        post(github)


def test_personal_tokens_are_shown_as_passwords() -> None:
    with serving(Platform("azure-devops")) as azure:
        target = Target("azure-devops", "My Project/r-id", 7, azure.url)
        found = connect(target, {"AZURE_DEVOPS_EXT_PAT": TOKEN})
        assert upsert(found, to_markdown(ONE_LINE), "azure-devops").action == "created"
    with serving(Platform("bitbucket")) as bitbucket:
        assert post(bitbucket, BITBUCKET_USERNAME="me").action == "created"


def test_targets_come_from_each_ci(tmp_path: Any) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"pull_request": {"number": 12}}')
    base = {"GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "99"}
    run = "https://github.com/o/r/actions/runs/99"
    api = "https://api.github.com"
    expected = Target("github", "o/r", 12, api, 99, run)
    assert find_target("github", {**base, "GITHUB_REF": "refs/pull/12/merge"}) == expected
    on_base = {**base, "GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": str(event)}
    assert find_target("github", on_base) == expected
    event.write_text('{"workflow_run": {"pull_requests": [{"number": 12}]}}')
    assert find_target("github", on_base) == expected
    gitlab = {
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_PROJECT_ID": "4",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PIPELINE_ID": "8",
        "CI_JOB_URL": "https://gitlab.example/j/1",
    }
    assert find_target("gitlab", gitlab) == Target(
        "gitlab", "4", 3, "https://gitlab.example/api/v4", 8, "https://gitlab.example/j/1"
    )
    azure = {
        "SYSTEM_COLLECTIONURI": "https://dev.azure.com/org/",
        "SYSTEM_TEAMPROJECT": "My Project",
        "BUILD_REPOSITORY_ID": "r-id",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "3",
        "BUILD_BUILDID": "77",
    }
    found = find_target("azure-devops", azure)
    assert (found.repo, found.number, found.api_url, found.run) == (
        "My Project/r-id", 3, "https://dev.azure.com/org", 77,
    )  # fmt: skip
    bitbucket = {
        "BITBUCKET_REPO_FULL_NAME": "ws/repo",
        "BITBUCKET_PR_ID": "3",
        "BITBUCKET_BUILD_NUMBER": "4",
    }
    assert find_target("bitbucket", bitbucket).repo == "ws/repo"
    # Flags come first.
    flagged = find_target("github", on_base, repo="x/y", number=1, api_url="https://h/api/v3/")
    assert (flagged.repo, flagged.number, flagged.api_url) == ("x/y", 1, "https://h/api/v3")


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        ({}, {}, "--repo, --number"),
        ({"repo": "o/r"}, {}, "--number"),
        ({"repo": "o/r/../x", "number": 1}, {}, "no repository"),
        ({"repo": "o/r?x=1", "number": 1}, {}, "no repository"),
        ({"repo": "o", "number": 1}, {}, "no repository"),
        ({"repo": "o/r", "number": 0}, {}, "no pull request's number"),
        ({"repo": "o/r", "number": 1, "api_url": "http://evil.example"}, {}, "https"),
        ({"repo": "o/r", "number": 1, "api_url": "https://me:pw@h/"}, {}, "https"),
        ({"repo": "o/r", "number": 1, "api_url": "file:///etc/passwd"}, {}, "https"),
        ({"repo": "o/r", "number": 1, "api_url": "https://h:x/"}, {}, "https"),
        ({}, {"GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_PATH": "/nowhere"}, "--number"),
    ],
)
def test_a_target_that_is_none_is_refused(
    flags: dict[str, Any], environment: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        find_target("github", environment, **flags)
    assert ":pw@" not in caught.value.message


def test_the_wrong_platform_is_told_which_one_this_is() -> None:
    with pytest.raises(UsageError) as caught:
        find_target("github", {"GITLAB_CI": "true"})
    assert caught.value.hint == "this job runs on GitLab: --platform gitlab"


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_missing_token_names_its_variable(name: PlatformName) -> None:
    target = Target(name, REPOSITORIES[name], 7, "https://h")
    for environment in ({}, {VARIABLES[name]: "  "}):
        with pytest.raises(AuthenticationError, match=VARIABLES[name]):
            connect(target, environment)
    with pytest.raises(AuthenticationError, match="characters") as caught:
        connect(target, {VARIABLES[name]: "a\r\nX-Evil: 1"})
    assert "X-Evil" not in caught.value.message
