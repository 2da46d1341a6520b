"""dev → staging → prod on a laptop: `--emulated`, as it is typed.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing

ACCOUNTS = {"dev": "012345678901", "staging": "112233445566", "prod": "210987654321"}
GROUP = "schedule-adherence-dev-adherence"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    home = tmp_path_factory.mktemp("rehearsal")
    (home / "bin").mkdir()
    # No Pulumi here, so that whoever asked a real backend would be found out.
    command = Cli(
        teach_nothing(copy_example(home / "project")),
        {**environment(), "PATH": f"{home / 'bin'}:/usr/bin:/bin"},
    )
    command("compile")
    yield command
    command("local", "stop", expect=None)


@pytest.fixture(scope="module")
def before(walk: Cli) -> dict[str, str]:
    return committed(walk)


def committed(walk: Cli) -> dict[str, str]:
    """Every file of the project outside of the work folder, by digest."""
    return {
        path.relative_to(walk.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in walk.folder.rglob("*")
        if path.is_file()
        and not {".mlops-iac", "__pycache__"} & set(path.relative_to(walk.folder).parts)
    }


def test_dev_trains_a_version_that_is_approved_and_served(walk: Cli, before: Any) -> None:
    answer = walk("up", "-s", "dev", "--emulated", "--yes")
    assert "nothing real is asked or changed" in answer.err
    assert "schedule-adherence → dev, emulated (sagemaker, embedded engine)" in answer.err
    assert (
        "next: mlops-iac run --emulated -s dev, mlops-iac models approve --emulated" in answer.err
    )
    assert walk("status", "-s", "dev", "--emulated", "--json").json["next"] == [
        "mlops-iac run --emulated -s dev"
    ]
    walk("run", "-s", "dev", "--emulated")
    assert "dev runs no version" in walk(*to("staging", "dev"), expect=2).err
    (version,) = walk("models", "ls", "-s", "dev", "--emulated", "--json").json
    assert version["id"] == (
        f"arn:aws:sagemaker:eu-west-1:{ACCOUNTS['dev']}:model-package/{GROUP}/1"
    )
    assert version["status"] == "PendingManualApproval"
    walk("models", "approve", "latest", "-s", "dev", "--emulated")
    answer = walk("up", "-s", "dev", "--emulated", "--yes", "--json").json
    assert answer["emulated"] is True
    assert answer["outputs"]["api_pending"] == []


def to(target: str, source: str) -> tuple[str, ...]:
    return ("promote", "--from", source, "--to", target, "--emulated", "--yes")


def test_what_is_served_is_promoted_from_account_to_account(walk: Cli) -> None:
    answer = walk(*to("staging", "dev"))
    assert "adherence/1, instead of the newest approved" in answer.err
    assert "next: mlops-iac up --emulated -s staging" in answer.err
    walk("up", "-s", "staging", "--emulated", "--yes")
    standing = walk("status", "-s", "staging", "--emulated", "--json").json
    [variant] = standing["entries"][0]["variants"]
    assert (variant["version"], variant["approval"]) == ("1", "Approved")
    assert standing["notes"] == []
    again = walk(*to("staging", "dev"), "--json").json
    assert (again["written"], again["pins"][0]["before"]) == (False, "1")
    assert set(again["preview"]["changeSummary"]) == {"same"}
    skipped = walk(*to("prod", "dev"), "--dry-run").err
    assert "staging is skipped on the way to prod" in skipped
    walk(*to("prod", "staging"))
    walk("up", "-s", "prod", "--emulated", "--yes")
    exported = walk("stack", "export", "prod", "--emulated").json["deployment"]["resources"]
    (model,) = [each for each in exported if each["type"] == "aws:sagemaker/model:Model"]
    assert model["outputs"]["arn"].split(":")[4] == ACCOUNTS["prod"]
    package = model["inputs"]["primaryContainer"]["modelPackageName"]
    assert package == f"arn:aws:sagemaker:eu-west-1:{ACCOUNTS['dev']}:model-package/{GROUP}/1"


def test_a_pin_holds_a_stack_back_until_the_next_promotion(walk: Cli) -> None:
    walk("run", "-s", "dev", "--emulated")
    walk("models", "approve", "latest", "-s", "dev", "--emulated")
    walk("up", "-s", "dev", "--emulated", "--yes")
    same = walk("preview", "-s", "staging", "--emulated", "--json").json
    assert (same["emulated"], set(same["changeSummary"])) == (True, {"same"})
    assert "adherence/2, instead of 1" in walk(*to("staging", "dev")).err
    assert (
        "replace" in walk("preview", "-s", "staging", "--emulated", "--json").json["changeSummary"]
    )


def test_nothing_that_is_committed_or_local_was_touched(walk: Cli, before: dict[str, str]) -> None:
    assert committed(walk) == before
    assert json.loads((walk.folder / ".mlops-iac/rehearsal/pins.json").read_text()) == {
        "staging": {"adherence": "2"},
        "prod": {"adherence": "1"},
    }
    assert not (walk.folder / ".mlops-iac/state").exists()
    # Virtual environments have links, which are in order in one place alone.
    kept = {path.name for path in (walk.folder / ".mlops-iac/rehearsal").iterdir()}
    assert {name for name in kept if name[0] != "."} == {"pins.json", "program", "state"}
    walk("up", "--yes")
    rows = {row["stack"]: row for row in walk("stack", "ls", "--offline", "--json").json["stacks"]}
    assert rows["local"]["state"] == "agrees"
    assert [rows[name]["resources"] for name in ACCOUNTS] == [None] * 3
    shown = walk("stack", "ls", "--emulated")
    assert [line.split()[:3] for line in shown.out.splitlines() if line[0] != " "] == [
        [f"{name},", "emulated", account] for name, account in ACCOUNTS.items()
    ]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("up", "--emulated"), 2, "local is emulated as it is"),
        (("up", "-s", "nope", "--emulated"), 6, "there is no stack 'nope'"),
        (("up", "-s", "dev", "--emulated", "--engine", "pulumi"), 2, "by the embedded engine"),
        (("preview", "-s", "dev", "--emulated", "--live"), 2, "dev is emulated, never live"),
        (("preview", "-s", "dev", "--emulated", "--save-plan", "x"), 2, "has no plan to save"),
        (
            ("models", "ls", "-s", "prod", "--emulated"),
            0,
            "`mlops-iac run --emulated -s dev` trains",
        ),
        (("run", "-s", "staging", "--emulated"), 2, "it serves what is promoted from dev"),
        (("run", "-s", "dev"), 2, "rehearsals (--emulated) only"),
        (to("staging", "local"), 2, "local is emulated as it is"),
        (("stack", "add", "qa", "--emulated"), 2, "changes the blueprint"),
        # What would be real all the same, whatever else is typed.
        (("up", "-s", "pr-1", "--from", "dev", "--emulated", "--yes"), 2, "not an ephemeral stack"),
        (("destroy", "--expired", "--emulated", "--yes"), 2, "not ephemeral stacks"),
        (("status", "-s", "pr-1", "--emulated"), 6, "there is no stack 'pr-1'"),
        (("preview", "--all-stacks", "--emulated"), 2, "not a folder of blueprints"),
        (("preview", "--fork", "HEAD", "--all", "--emulated"), 2, "a fork is compared"),
        (
            ("promote", "--from", "dev", "--to", "staging", "--yes"),
            2,
            "Pulumi CLI is not installed",
        ),
    ],
)
def test_what_does_not_fit(walk: Cli, words: tuple[str, ...], code: int, message: str) -> None:
    assert message in walk(*words, expect=code).err


def test_accounts_that_nobody_has_yet_are_the_emulators(tmp_path: Path) -> None:
    project = copy_example(tmp_path / "project")
    path = project / "blueprint.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(each for each in lines if not each.startswith("    account:")))
    here = Cli(project, environment())
    assert "nothing says in which account dev is" in here("validate", expect=2).err
    assert set(here("preview", "-s", "prod", "--emulated", "--json").json["changeSummary"]) == {
        "create"
    }
    asked = here("run", "-s", "staging", "--emulated", "--json", expect=2).json["error"]["hint"]
    assert "promote --emulated --from dev" in asked


def test_it_ends_whatever_is_protected_and_leaves_local_alone(walk: Cli, before: Any) -> None:
    assert "add --yes" in walk("destroy", "-s", "prod", "--emulated", expect=2).err
    for name in ("dev", "staging", "prod"):
        told = walk("destroy", "-s", name, "--emulated", "--yes").err
        kept = "all else is deleted; 2 are kept in the cloud: sagemaker.EndpointConfiguration/"
        end = "everything is deleted" if name == "dev" else kept  # which is not protected
        assert f"{name}, emulated: {end}" in told
        assert "nothing is deployed" in walk("status", "-s", name, "--emulated").out
        if name == "dev":
            # A protected endpoint whose version is gone: the cause, not how to lift the protection.
            asked = walk("up", "-s", "prod", "--emulated", "--yes", expect=2).err
            assert "prod, emulated, has no adherence/1, which the rehearsal pins" in asked
            assert "no approved version of adherence is left, and serving.api serves 1" in asked
    assert set(walk("preview", "--json").json["changeSummary"]) == {"same"}
    assert committed(walk) == before
