"""What Azure's answers mean, and how it is asked: again where it is busy, never with a token in the words."""

from __future__ import annotations

import pytest

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.azure.access import AzureAccess
from mlops_iac.clouds.azure.errors import SignedOut, Silent
from mlops_iac.clouds.azure.session import Https, RealSession
from mlops_iac.clouds.azure.tokens import Tokens
from mlops_iac.emulators.azure.arm import Arm, ArmError
from tests.azure.loopback import Replies, answering

TOKEN = "eyJ.secret.x"
BUSY = (429, {"error": {"code": "TooManyRequests", "message": "later"}})


def arm(replies: Replies, *, seconds: float = 60) -> tuple[Arm, list[float]]:
    slept: list[float] = []
    return Arm(Https(replies.url, lambda _: TOKEN, seconds, slept.append)), slept


def test_nobody_answers() -> None:
    with pytest.raises(Silent, match=r"127\.0\.0\.1:1 does not answer"):
        Https("http://127.0.0.1:1", lambda _: TOKEN, 1).request("GET", "/", {}, None)


def test_a_busy_service_is_asked_again_when_it_says() -> None:
    with answering((*BUSY, {"Retry-After": "7"}), (503, {}), (200, {"id": "x"})) as replies:
        there, slept = arm(replies)
        assert there.call("PUT", "/subscriptions/a b", "2025-12-01", {"tags": {}}) == {"id": "x"}
    assert slept == [7, 2]
    asked = replies.asked[-1]
    assert asked.target == "/subscriptions/a%20b?api-version=2025-12-01"
    assert (asked.headers["authorization"], asked.json) == (f"Bearer {TOKEN}", {"tags": {}})


def test_who_only_looks_does_not_wait_long() -> None:
    with answering((*BUSY, {"Retry-After": "17"})) as replies:
        there, slept = arm(replies, seconds=10)
        with pytest.raises(ArmError, match="TooManyRequests: later"):
            there.call("GET", "/x", "1")
    assert slept == []


def test_what_may_have_been_done_is_not_done_twice() -> None:
    with answering((500, {"error": {"code": "Internal"}})) as replies:
        with pytest.raises(ArmError):
            arm(replies)[0].call("POST", "/x", "1")
        assert len(replies.asked) == 1


def test_a_list_goes_on_where_it_was_asked() -> None:
    """The address of its next page leads a token nowhere else."""
    more = {"value": [1, 2], "nextLink": "https://elsewhere.example/?api-version=1&$skip=x%3D"}
    with answering((200, more), (200, {"value": [3]})) as replies:
        assert list(arm(replies)[0].listed("/m", "1", tags="a")) == [1, 2, 3]
    assert replies.asked[1].target == "/m?api-version=1&%24skip=x%3D"


@pytest.mark.parametrize(
    ("path", "subscription"),
    [("/subscriptions/theirs/resourceGroups/x", "theirs"), ("/tenants", "ours")],
)
def test_the_subscription_that_is_asked_says_whose_token(
    path: str, subscription: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(Tokens, "__call__", lambda _, *words: asked.append(words) or TOKEN)
    with answering((200, {})) as replies:
        monkeypatch.setattr("mlops_iac.clouds.azure.session.ARM", replies.url)
        RealSession(Place("x", "ours"), patient=True).arm.call("GET", path, "1")
    assert asked == [(f"{replies.url}/", subscription)]


def test_a_redirect_is_no_answer_and_takes_no_token_along() -> None:
    with answering((302, {}, {"Location": "http://127.0.0.1:1/"})) as replies:
        assert Https(replies.url, lambda _: TOKEN, 5).request("GET", "/", {}, None).status == 302


def test_a_page_of_a_proxy_is_told() -> None:
    with (
        answering((200, "<html>sign in</html>")) as replies,
        pytest.raises(Silent, match="is there a proxy between"),
    ):
        arm(replies)[0].call("GET", "/x", "1")


def test_a_subscription_that_is_not_seen_is_not_an_empty_one() -> None:
    with answering(
        (404, {"error": {"code": "ResourceNotFound", "message": "x"}}),
        (404, {"error": {"code": "SubscriptionNotFound", "message": "x"}}),
    ) as replies:
        there, _ = arm(replies)
        assert there.get("/x", "1") is None
        with pytest.raises(ArmError, match="SubscriptionNotFound"):
            there.get("/x", "1")


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ArmError(404, "ResourceNotFound", ""), "gone"),
        (ArmError(404, "SubscriptionNotFound", ""), "rejected"),
        (ArmError(403, "AuthorizationFailed", ""), "refused"),
        (ArmError(401, "ExpiredAuthenticationToken", ""), "signed out"),
        (ArmError(401, "InvalidAuthenticationTokenTenant", ""), "signed out"),
        (ArmError(409, "Conflict", ""), "rejected"),
        (ArmError(503, "ServiceUnavailable", ""), "silent"),
        (SignedOut(""), "signed out"),
        (Silent(""), "silent"),
        (ValueError(""), None),
    ],
)
def test_what_is_raised_means_something(raised: Exception, said: str | None) -> None:
    assert AzureAccess().failure(raised) == said


@pytest.mark.parametrize(
    ("text", "signed_out"),
    [
        ("AADSTS700016: Application not found in the directory", True),
        ("could not get authorization: please run 'az login'", True),
        ('Code="StorageAccountAlreadyTaken"', False),
    ],
)
def test_what_the_provider_says_of_credentials(text: str, signed_out: bool) -> None:
    assert AzureAccess().says_signed_out(text) is signed_out
