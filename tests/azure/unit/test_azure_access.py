"""How Azure is reached without its SDK: a token of its command line, ARM's answers by what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.clouds.azure.access import AzureAccess
from mlops_iac.clouds.azure.errors import SignedOut, Silent
from mlops_iac.clouds.azure.session import Https, token
from mlops_iac.emulators.azure.arm import ArmError

TOKEN = "eyJ.secret.x"


def az(folder: Path, script: str) -> None:
    path = folder / "az"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_whoever_is_signed_in_has_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    az(tmp_path, f'[ "$4" = https://arm/ ] && echo \'{{"accessToken": "{TOKEN}"}}\'')
    assert token("https://arm/") == TOKEN


@pytest.mark.parametrize(
    "script", [f"echo {TOKEN} >&2; exit 1", f"echo {TOKEN}", f'echo \'{{"token": "{TOKEN}"}}\'']
)
def test_nobody_is_signed_in_and_no_token_is_shown(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    az(tmp_path, script)
    with pytest.raises(SignedOut, match="run `az login`") as raised:
        token("https://arm/")
    assert TOKEN not in str(raised.value)


def test_the_command_line_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SignedOut, match="install `az`"):
        token("https://arm/")


def test_nobody_answers() -> None:
    with pytest.raises(Silent, match=r"127\.0\.0\.1:1 does not answer"):
        Https("127.0.0.1:1", lambda: TOKEN, 1).request("GET", "/", {}, None)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ArmError(404, "ResourceNotFound", ""), "gone"),
        (ArmError(403, "AuthorizationFailed", ""), "refused"),
        (ArmError(401, "ExpiredAuthenticationToken", ""), "signed out"),
        (ArmError(409, "Conflict", ""), "rejected"),
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
