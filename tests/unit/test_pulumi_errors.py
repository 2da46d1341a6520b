"""The real CLI's words as errors of ours: which kind, and what to do."""

from __future__ import annotations

import pytest

from mlops_iac.engine.pulumi_errors import explained, missing
from mlops_iac.errors import AuthenticationError, MlopsError, StackNotFound, UsageError

HEAD = "\n code: 255\n stdout: \n stderr: "


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        (
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            AuthenticationError,
            "pulumi login",
        ),
        (
            (
                "error: could not create secrets manager for new stack: passphrase must be set with"
                " PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables"
            ),
            AuthenticationError,
            "PULUMI_CONFIG_PASSPHRASE",
        ),
        ("error: incorrect passphrase", AuthenticationError, "made with"),
        (
            (
                "error: no resource plugin 'pulumi-resource-aws' found in the workspace at version"
                " v7.51.1 or on your $PATH"
            ),
            UsageError,
            "pulumi plugin install resource aws v7.51.1",
        ),
        (
            (
                "error: Could not automatically download and install resource plugin"
                " 'pulumi-resource-aws' at version v7.51.1, install the plugin using `pulumi plugin"
                " install resource aws v7.51.1`: failed all 5 attempts"
            ),
            UsageError,
            "pulumi plugin install resource aws v7.51.1",
        ),
        (
            (
                "error: pulumi:providers:aws resource 'default' has a problem: No valid credential"
                " sources found."
            ),
            AuthenticationError,
            "sign in",
        ),
        ("error: the stack is currently locked by 1 lock(s)", MlopsError, "pulumi cancel"),
        ("error: something else", MlopsError, ""),
    ],
)
def test_kinds(said: str, kind: type[MlopsError], hint: str) -> None:
    error = explained(Exception(HEAD + said))
    assert type(error) is kind
    assert hint in error.hint
    assert "stderr" not in error.message
    assert "\n" not in error.message


def test_who_holds_a_stack_and_how_it_is_let_go() -> None:
    said = (
        "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es)"
        " to end or delete the lock file with `pulumi cancel`.\n  s3://states/.pulumi/locks/"
        "organization/churn/pr-1/6b1c-5c.json?region=eu-west-1: created by ci@runner-7 (pid 123)"
        " at 2026-11-22T02:12:00Z\n"
    )
    error = explained(Exception(HEAD + said))
    assert error.message == (
        "the stack is in use: by ci@runner-7, process 123, since 2026-11-22T02:12:00Z"
    )
    assert error.hint.endswith(
        "PULUMI_BACKEND_URL=s3://states pulumi cancel organization/churn/pr-1"
    )


def test_a_programs_traceback_is_told_by_its_last_line() -> None:
    said = (
        "Program failed with an unhandled exception:\nTraceback (most recent call last):\n"
        '  File "/somewhere/__main__.py", line 3, in <module>\n    open("x")\n'
        "FileNotFoundError: [Errno 2] No such file or directory: 'x'\n"
    )
    error = explained(Exception(HEAD), [said, said])
    assert error.message == (
        "Pulumi: the program failed: FileNotFoundError: [Errno 2] No such file or directory: 'x'"
    )


def test_what_is_protected_is_named_by_its_address() -> None:
    def said(name: str) -> str:
        return (
            f'resource "urn:pulumi:dev::churn::mlops-iac:aws:DataStore$aws:s3/bucket:Bucket::{name}"'
            " cannot be deleted\nbecause it is protected. To unprotect the resource, either remove"
            " the `protect` flag"
        )

    error = explained(Exception(HEAD + "error: preview failed"), [said("logs"), said("data")])
    assert error.message == (
        "s3.Bucket/data, s3.Bucket/logs are protected and cannot be deleted; nothing was changed"
    )
    assert "`protect: false`" in error.hint
    later = explained(Exception(HEAD + "error: update failed"), [said("logs")])
    assert later.message == "s3.Bucket/logs is protected and cannot be deleted"


def test_without_a_word() -> None:
    assert explained(Exception("")).message == "Pulumi: it failed without a word"


def test_a_missing_stack() -> None:
    error = missing("prod")
    assert isinstance(error, StackNotFound)
    assert error.exit_code == 6
    assert "up -s prod" in error.hint
