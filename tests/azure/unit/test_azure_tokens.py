"""Who is signed in to Azure: by federation in CI, by Azure's CLI elsewhere; and what is said of who is not."""

from __future__ import annotations

import base64
import json
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.azure.errors import SignedOut
from mlops_iac.clouds.azure.tokens import Tokens
from tests.azure.loopback import Replies, answering

ARM = "https://management.azure.com/"
TOKEN, ASSERTION, BEARER = "eyJ.secret.x", "eyJ.vouched.y", "eyJ.asks.z"
CLIENT, TENANT = "0a1b2c3d-client", "4e5f-tenant"
WHO = {"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": TENANT}
# As Microsoft documents the answer of the token endpoint ("client credentials flow", successful response).
GIVEN = (200, {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN})


def refused(code: str, words: str) -> tuple[int, Any]:
    """As "Error codes" of the identity platform documents a refusal; the words quote what was sent."""
    described = f"{code}: {words} \r\nTrace ID: 0000aaaa {ASSERTION} {TOKEN}"
    return 400, {"error": "invalid_client", "error_description": described, "error_codes": [1]}


def exchanged(replies: Replies, environment: Mapping[str, str]) -> str:
    return Tokens(environment=environment, login=replies.url)(ARM)


def hidden(raised: pytest.ExceptionInfo[BaseException]) -> None:
    """No token stands in an exception, or in those that it came of."""
    told = "".join(traceback.format_exception(raised.value))
    assert not [each for each in (TOKEN, ASSERTION, BEARER) if each in told]


def test_a_token_of_a_file_is_exchanged_once(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{ASSERTION}\n")
    given = WHO | {"AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}
    with answering(GIVEN) as replies:
        tokens = Tokens(environment=given, login=replies.url)
        assert tokens(ARM) == tokens(ARM) == TOKEN
        assert len(replies.asked) == 1
        tokens("https://storage.azure.com/")
    asked, other = replies.asked
    assert (asked.method, asked.target) == ("POST", f"/{TENANT}/oauth2/v2.0/token")
    assert asked.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": "https://management.azure.com/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ASSERTION,
    }
    assert other.form["scope"] == "https://storage.azure.com/.default"


def test_one_that_ends_soon_is_asked_for_anew(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(ASSERTION)
    given = WHO | {"AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}
    with answering((200, {**GIVEN[1], "expires_in": 200}), GIVEN) as replies:
        tokens = Tokens(environment=given, login=replies.url)
        tokens(ARM), tokens(ARM), tokens(ARM)
        assert len(replies.asked) == 2


def test_a_job_of_github_asks_for_its_own_token() -> None:
    with answering((200, {"value": ASSERTION}), GIVEN) as replies:
        given = {
            "ARM_CLIENT_ID": CLIENT,
            "ARM_TENANT_ID": TENANT,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{replies.url}/idtoken?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }
        assert exchanged(replies, given) == TOKEN
    asked = replies.asked[0]
    audience = "audience=api%3A%2F%2FAzureADTokenExchange"
    assert (asked.method, asked.target) == ("GET", f"/idtoken?api-version=2.0&{audience}")
    assert asked.headers["authorization"] == f"Bearer {BEARER}"
    assert replies.asked[1].form["client_assertion"] == ASSERTION


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AADSTS90002", f"{TENANT} is no tenant"),
        ("AADSTS700016", f"the tenant {TENANT} has no application {CLIENT}"),
        ("AADSTS700213", f"no federated credential of {CLIENT} has the issuer, subject and audience"),
        ("AADSTS700024", "the job's token has expired"),
        ("AADSTS99999", "https://login.microsoftonline.com/error?code=99999"),
    ],
)  # fmt: skip
def test_why_a_tenant_gives_no_token(code: str, words: str) -> None:
    with (
        answering(refused(code, "no")) as replies,
        pytest.raises(SignedOut, match="gives 0a1b2c3d-client no token") as raised,
    ):
        exchanged(replies, WHO | {"ARM_OIDC_TOKEN": ASSERTION})
    assert f"{code}: {words}" in str(raised.value)
    hidden(raised)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, {"message": BEARER}), "`permissions: {id-token: write}`"),
        ((200, {"value": f"{ASSERTION}\r\nX: y"}), "GitHub's answer holds no token"),
    ],
)
def test_a_job_that_is_given_no_token(answer: tuple[int, Any], words: str) -> None:
    with answering(answer) as replies:
        given = WHO | {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{replies.url}/?x",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }
        with pytest.raises(SignedOut) as raised:
            exchanged(replies, given)
    assert words in str(raised.value)
    hidden(raised)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SignedOut, match="/nowhere with the job's token cannot be read"):
        Tokens(environment=WHO | {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere"})(ARM)


def az(folder: Path, script: str) -> Mapping[str, str]:
    path = folder / "az"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_whoever_is_signed_in_has_a_token_of_the_subscriptions_tenant(tmp_path: Path) -> None:
    """With half an identity in the environment it is the CLI's."""
    answer = json.dumps({"accessToken": TOKEN, "expires_on": int(time.time()) + 3600})
    given = az(tmp_path, f"echo \"$@\" >> {tmp_path}/asked; echo '{answer}'")
    tokens = Tokens(environment={**given, "AZURE_CLIENT_ID": CLIENT})
    assert tokens(ARM, "a-subscription") == tokens(ARM, "a-subscription") == TOKEN
    words = f"account get-access-token --resource {ARM} --output json --subscription a-subscription"
    assert (tmp_path / "asked").read_text() == f"{words}\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"echo {TOKEN} >&2; exit 1", "run `az login`"),
        (f"echo {TOKEN}", "run `az login`"),
        (f'echo \'{{"token": "{TOKEN}"}}\'', "run `az login`"),
        (f'printf %s \'{{"accessToken": "{TOKEN}\\nX: y"}}\'', "Azure's CLI holds no token"),
        (f"echo AADSTS700082: {TOKEN} >&2; exit 1", "AADSTS700082: the sign-in has expired"),
        (
            "echo \"ERROR: Subscription 'sub' not found. Check the spelling and casing and try again.\" >&2; exit 1",
            "no subscription sub: `az login` as who has it, `az login --tenant TENANT`",
        ),
    ],
)  # fmt: skip
def test_nobody_is_signed_in_and_no_token_is_shown(script: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SignedOut) as raised:
        Tokens(environment=az(tmp_path, script))(ARM, "sub")
    assert words in str(raised.value)
    hidden(raised)


def test_the_command_line_is_not_there() -> None:
    with pytest.raises(SignedOut, match="install `az`"):
        Tokens(environment={"PATH": "/nowhere"})(ARM)


@pytest.mark.parametrize(
    ("claims", "who"),
    [({"upn": "ada@example.org", "oid": "1"}, "ada@example.org"), ({"appid": "app"}, "app"), ([], "")],
)  # fmt: skip
def test_who_a_token_is_of(claims: Any, who: str) -> None:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    with answering((200, {**GIVEN[1], "access_token": f"eyJ.{part}.x"})) as replies:
        given = WHO | {"ARM_OIDC_TOKEN": ASSERTION}
        tokens = Tokens(environment=given, login=replies.url)
        assert tokens.who(ARM) == ""
        tokens(ARM)
        assert tokens.who(ARM) == who
