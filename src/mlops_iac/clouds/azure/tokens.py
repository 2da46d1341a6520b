"""Who is signed in: access tokens of the environment's identity, or of whoever is signed in to Azure's CLI.

A job in CI is given an identity by variables (workload identity federation), which goes first. Source:
Microsoft identity platform, "OAuth 2.0 client credentials flow", third case, and "Error codes"; azure-workload-identity,
"Mutating admission webhook" (AZURE_FEDERATED_TOKEN_FILE); GitHub, "OpenID Connect reference"
(ACTIONS_ID_TOKEN_REQUEST_URL); azure-cli, `az account get-access-token`. The variables that begin with ARM are those of
azure-native, so that both sign in as the same.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from mlops_iac.clouds.azure.errors import SignedOut
from mlops_iac.clouds.azure.https import ask
from mlops_iac.records import Record

LOGIN = "https://login.microsoftonline.com"
_AUDIENCE = "api://AzureADTokenExchange"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SECONDS = 30
# A token is asked for anew so long before it ends.
_MARGIN = 300
# Anything else would break out of its header, and would be quoted in the error of that.
_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)
# What is known to be done about a refusal, by the beginning of its code: for people, as codes may change.
_FIXES = (
    ("AADSTS90002", "{tenant} is no tenant: AZURE_TENANT_ID is the directory's id"),
    ("AADSTS700016", "the tenant {tenant} has no application {client}: AZURE_CLIENT_ID is its"),
    ("AADSTS700024", "the job's token has expired, or its clock is wrong: start the job again"),
    ("AADSTS70021", "no federated credential of {client} has the issuer, subject and audience of this job"),
    ("AADSTS50173", "the sign-in was revoked: run `az login`"),
    ("AADSTS70043", "the sign-in has expired: run `az login`"),
    ("AADSTS700082", "the sign-in has expired: run `az login`"),
    ("AADSTS5007", "the tenant wants a second factor: run `az login`"),
)  # fmt: skip
_CODE = re.compile(r"AADSTS\d+")


class _Kept(Record):
    token: str
    ends: float


class Tokens:
    """Access tokens by what they are for (`https://management.azure.com/`), each kept until shortly before it ends.

    `login` is who exchanges tokens. No exception holds a token, or what a command printed that may hold one.
    """

    def __init__(self, *, environment: Mapping[str, str] = os.environ, login: str = LOGIN) -> None:
        self._environment, self._login = environment, login
        self._kept: dict[tuple[str, str], _Kept] = {}

    def __call__(self, audience: str, subscription: str = "") -> str:
        """A token for an audience. Raises SignedOut, Silent.

        `subscription` says which of several accounts of the CLI is meant, and so which tenant.
        """
        kept = self._kept.get((audience, subscription))
        if kept is None or kept.ends - _MARGIN < time.time():
            assertion = self._assertion()
            kept = (
                self._exchanged(audience, assertion)
                if assertion
                else self._of_cli(audience, subscription)
            )
            self._kept[audience, subscription] = kept
        return kept.token

    def who(self, audience: str) -> str:
        """The name, or the application, that the last token for an audience is of; empty where none says it.

        Nothing is decided by it: whoever takes the token reads it as he likes.
        """
        try:
            last = [kept.token for key, kept in self._kept.items() if key[0] == audience][-1]
            claims = last.split(".")[1]
            told = _read(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        except (IndexError, ValueError):
            return ""
        named = (told.get(key) for key in ("upn", "unique_name", "appid", "oid"))
        return next((str(each) for each in named if each), "")

    def _told(self, name: str) -> str:
        """A variable of the identity, by either of its names."""
        names = (f"ARM_{name}", f"AZURE_{name}")
        return next((value for each in names if (value := self._environment.get(each))), "")

    def _assertion(self) -> str:
        """The token with which the place where this runs vouches for it; empty where it does not."""
        given = self._environment
        if not (self._told("CLIENT_ID") and self._told("TENANT_ID")):
            return ""
        path = given.get("ARM_OIDC_TOKEN_FILE_PATH") or given.get("AZURE_FEDERATED_TOKEN_FILE")
        if path:
            try:
                return _whole(Path(path).read_text(encoding="utf-8"), path)
            except (OSError, UnicodeDecodeError) as error:
                raise SignedOut(f"{path} with the job's token cannot be read: {error}") from None
        if token := given.get("ARM_OIDC_TOKEN"):
            return _whole(token, "ARM_OIDC_TOKEN")
        url = given.get("ACTIONS_ID_TOKEN_REQUEST_URL")
        bearer = given.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        if not (url and bearer):
            return ""
        headers = {"Authorization": f"Bearer {_whole(bearer, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')}"}
        reply = ask("GET", f"{url}&{urlencode({'audience': _AUDIENCE})}", headers, None, _SECONDS)
        found = _read(reply.content).get("value")
        if reply.status != http.client.OK or not found:
            raise SignedOut(
                f"GitHub gives this job no token (HTTP {reply.status}): it needs"
                " `permissions: {id-token: write}`"
            )
        return _whole(str(found), "GitHub's answer")

    def _exchanged(self, audience: str, assertion: str) -> _Kept:
        tenant, client = self._told("TENANT_ID"), self._told("CLIENT_ID")
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "scope": f"{audience.rstrip('/')}/.default",
            "client_assertion_type": _ASSERTION,
            "client_assertion": assertion,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self._login}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        reply = ask("POST", url, headers, urlencode(form).encode(), _SECONDS)
        told = _read(reply.content)
        if reply.status != http.client.OK or "access_token" not in told:
            why = _why(str(told.get("error_description")), tenant, client)
            raise SignedOut(
                f"the tenant {tenant} gives {client} no token (HTTP {reply.status})"
                f"{why and f': {why}'}"
            )
        seconds = float(told.get("expires_in") or 0)
        return _Kept(_whole(str(told["access_token"]), "the answer"), time.time() + seconds)

    def _of_cli(self, audience: str, subscription: str) -> _Kept:
        az = shutil.which("az", path=self._environment.get("PATH"))
        if az is None:
            raise SignedOut(
                "Azure's CLI is not installed, which signs in: install `az`, then `az login`; a job in CI has"
                " AZURE_CLIENT_ID, AZURE_TENANT_ID and a token of its own instead"
            )
        words = [az, "account", "get-access-token", "--resource", audience, "--output", "json"]
        if subscription:
            words += ["--subscription", subscription]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SignedOut(f"Azure's CLI cannot be run: {type(error).__name__}") from None
        told = _read(done.stdout)
        if done.returncode or "accessToken" not in told:
            raise SignedOut(_refused(done.stderr, subscription))
        # Before 2.54 it said when in local time alone: such a token is asked for each time.
        return _Kept(
            _whole(str(told["accessToken"]), "Azure's CLI"), float(told.get("expires_on") or 0)
        )


def _refused(printed: str, subscription: str) -> str:
    """Why the CLI gives no token, of what it printed."""
    if "Check the spelling and casing" in printed:
        return (
            f"whoever is signed in to Azure's CLI has no subscription {subscription}: `az login` as who has"
            " it, `az login --tenant TENANT` where it is in another tenant; `az account list` shows them"
        )
    return f"Azure's CLI has no token: {_why(printed) or 'run `az login`'}"


def _why(words: str, tenant: str = "", client: str = "") -> str:
    """The code in a refusal, and what is done about it; empty without one. The rest may quote a token."""
    code = _CODE.search(words)
    if code is None:
        return ""
    fixes = (fix for start, fix in _FIXES if code[0].startswith(start))
    known = next(fixes, f"{LOGIN}/error?code={code[0].removeprefix('AADSTS')} says what that is")
    return f"{code[0]}: {known.format(tenant=tenant, client=client)}"


def _whole(token: str, source: str) -> str:
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise SignedOut(f"{source} holds no token")
    return token


def _read(content: str | bytes) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
