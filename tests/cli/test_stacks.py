"""`stack ls`, `stack export` and `explain --diff`, on the example."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Cli

Edit = Callable[[str, str], None]


def rows(cli: Cli, *words: str) -> dict[str, dict[str, Any]]:
    answer = cli("stack", "ls", "--json", *words).json
    return {row["stack"]: row for row in answer["stacks"]}


def test_every_environment_and_what_it_adds(cli: Cli, edit: Edit) -> None:
    found = rows(cli, "--offline")
    assert list(found) == ["local", "dev", "staging", "prod"]
    assert found["dev"]["account"] == "012345678901"
    assert found["local"]["adds"] == {}
    assert found["staging"]["adds"] == {
        "models.adherence.promote_from": "dev",
        "account": "112233445566",
    }
    assert found["prod"]["protect"] is True
    assert found["prod"]["adds"]["serving.api.scaling.max"] == 20
    assert len(found["prod"]["adds"]) == 8
    assert found["prod"]["headlines"][0] == "models.adherence.promote_from staging"
    assert found["prod"]["headlines"][-1] == "3 more"
    # What is removed is added too; what is said again is not.
    edit("    budget: {monthly_usd: 100}", "    budget: null\n    owner: analytics@acme.example")
    adds = rows(cli, "--offline")["dev"]["adds"]
    assert adds == {"account": "012345678901", "protect": False, "budget.monthly_usd": None,
                    "budget.alert_percent": None}  # fmt: skip


def test_program_and_blueprint(cli: Cli, edit: Edit, project: Path) -> None:
    def program() -> dict[str, str]:
        return {name: row["program"] for name, row in rows(cli, "--offline").items()}

    assert program() == {
        "local": "agrees", "dev": "nothing", "staging": "nothing", "prod": "nothing"
    }  # fmt: skip
    cli("compile")
    assert set(program().values()) == {"agrees"}
    edit("max: 20", "max: 21")
    changed = rows(cli, "--offline")
    # The program itself names the blueprint's hash; what is an environment's own comes first.
    assert {changed[name]["program"] for name in ("dev", "staging", "prod")} == {"differs"}
    assert "serving.api.scaling.max is 20, must be 21" in changed["prod"]["program_why"]
    assert "max" not in changed["dev"]["program_why"]
    edit("max: 21", "max: 20")
    (project / "stacks" / "schedule-adherence" / "mlops-iac.dev.lock.json").unlink()
    assert program()["dev"] == "differs"


def test_what_git_does_not_have_is_told_of_the_stacks_that_it_is_about(
    cli: Cli, project: Path
) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=n@acme.example")
        subprocess.run(["git", *who, *words], cwd=project, check=True, capture_output=True)

    def waiting() -> dict[str, str]:
        found = rows(cli, "--offline")
        return {name: row["program_why"] for name, row in found.items()
                if row["program"] == "uncommitted"}  # fmt: skip

    git("init")
    cli("compile")
    assert waiting() == dict.fromkeys(
        ("dev", "staging", "prod"), "git does not have schedule-adherence yet"
    )
    git("add", ".")
    git("commit", "-m", "first")
    assert waiting() == {}
    settings = project / "stacks" / "schedule-adherence" / "Pulumi.staging.yaml"
    settings.write_text(settings.read_text() + "encryptionsalt: v1:x\n")
    assert waiting() == {"staging": "git does not have Pulumi.staging.yaml yet"}
    (settings.parent / "__main__.py").touch()
    assert list(waiting()) == ["staging"]


def test_states_that_cannot_be_asked_are_unknown_with_the_reason(cli: Cli, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    answer = cli("stack", "ls", "--json", PATH=str(bare)).json
    by_name = {row["stack"]: row for row in answer["stacks"]}
    assert by_name["local"]["state"] == "nothing"
    assert by_name["prod"]["state"] == "unknown"
    assert "the Pulumi CLI is not installed" in by_name["prod"]["state_why"]
    assert by_name["prod"]["resources"] is None
    assert any("states are unknown" in note for note in answer["notes"])


@pytest.mark.pulumi_cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` on PATH")
def test_nobody_logged_in_and_nothing_deployed(cli: Cli, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PULUMI_HOME": str(tmp_path / "home")}
    unknown = cli("stack", "ls", "--json", **home).json["stacks"][-1]
    assert unknown["state"] == "unknown"
    assert "nobody is logged in" in unknown["state_why"]
    backend = tmp_path / "backend"
    backend.mkdir()
    asked = cli("stack", "ls", "--json", PULUMI_BACKEND_URL=backend.as_uri(), **home).json
    assert asked["stacks"][-1]["state"] == "nothing"
    assert asked["stacks"][-1]["resources"] == 0
    told = cli(
        "stack", "export", "-s", "prod", expect=6, PULUMI_BACKEND_URL=backend.as_uri(), **home
    )
    assert "the backend has no stack prod" in told.err


@pytest.mark.pulumi_cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` on PATH")
def test_the_blueprint_says_where_the_state_is(
    cli: Cli, edit: Edit, project: Path, tmp_path: Path
) -> None:
    (project / "kept").mkdir()
    edit(
        "    account: 012345678901",
        "    account: 012345678901\n    state: {backend: 'file://./kept'}",
    )
    home = {"HOME": str(tmp_path), "PULUMI_HOME": str(tmp_path / "home")}
    found = {row["stack"]: row for row in cli("stack", "ls", "--json", **home).json["stacks"]}
    assert found["dev"]["state"] == "nothing"
    assert found["prod"]["state"] == "unknown"
    elsewhere = {**home, "PULUMI_BACKEND_URL": tmp_path.as_uri()}
    refused = cli("stack", "export", "-s", "dev", expect=2, **elsewhere)
    assert "names another backend" in refused.err


def test_the_state_of_local_is_exported_with_its_secrets_sealed(cli: Cli) -> None:
    assert "nothing was ever deployed" in cli("stack", "export", expect=6).err
    cli("up", "--yes")
    answer = cli("stack", "export").json
    assert answer["version"] == 3
    assert len(answer["deployment"]["resources"]) > 50
    row = rows(cli, "--offline")["local"]
    assert row["state"] == "agrees"
    assert row["engine"] == "embedded"
    assert row["updated"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("stack", "ls", "dev"), "takes no name"),
        (("stack", "ls", "--from", "dev"), "--from is for `stack add`"),
        (("stack", "export", "--offline"), "--offline is for `stack ls`"),
        (("stack", "export", "prod", "-s", "dev"), "prod is named"),
        (("stack", "add"), "which environment?"),
        (("stack", "ls", "--force"), "--force is for `stack rm"),
        (("explain", "--resources"), "--resources is for --diff"),
        (("explain", "--diff", "dev", "prod", "serving", "--resources"), "compares whole stacks"),
        (("explain", "--diff", "dev", "dev"), "compared with itself"),
        (("explain", "--diff", "dev", "prod", "servng"), "neither dev nor prod has a field"),
    ],
)
def test_what_does_not_fit(cli: Cli, words: tuple[str, ...], message: str) -> None:
    assert message in cli(*words, expect=2).err


# -- stack add, stack rm ---------------------------------------------------------------------------


def test_environments_come_and_go(cli: Cli, project: Path) -> None:
    before = (project / "blueprint.yaml").read_text(encoding="utf-8")
    added = cli("stack", "add", "test", "--from", "dev", "--json").json
    assert added["environment"] == "test"
    assert list(rows(cli, "--offline")) == ["local", "dev", "staging", "prod", "test"]
    assert "not a terminal" in cli("stack", "rm", "test", expect=2).err
    assert "test" in rows(cli, "--offline")
    cli("stack", "rm", "test", "--yes")
    assert (project / "blueprint.yaml").read_text(encoding="utf-8") == before
    assert "there is an environment dev already" in cli("stack", "add", "dev", expect=2).err
    assert cli("stack", "add", "Dev_1", expect=2).err
    assert cli("stack", "rm", "test", "--yes", expect=6).err
    assert (project / "blueprint.yaml").read_text(encoding="utf-8") == before


# -- explain --diff --------------------------------------------------------------------------------


def test_two_environments_as_written(cli: Cli) -> None:
    answer = cli("explain", "--diff", "dev", "prod", "--json").json
    leaves = {leaf["path"]: leaf for leaf in answer["leaves"]}
    assert len(leaves) == 9
    most = leaves["serving.api.scaling.max"]
    assert (most["left"]["value"], most["right"]["value"]) == (4, 20)
    assert most["left"]["where"] == "blueprint.yaml:44"
    assert most["right"]["layer"] == "environment prod"
    assert leaves["models.adherence.promote_from"]["left"]["value"] is None
    assert leaves["protect"]["right"] == {"value": True, "where": "", "layer": "default"}
    text = cli("explain", "--diff", "dev", "prod", "serving.api").out
    assert len(text.splitlines()) == 6
    assert "there is no stack 'test'" in cli("explain", "--diff", "dev", "test", expect=6).err


def test_two_environments_as_resources(cli: Cli) -> None:
    answer = cli("explain", "--diff", "dev", "prod", "--resources", "--json").json["resources"]
    assert "sagemaker.Pipeline/adherence-training-pipeline" in answer["only_left"]
    promotions = [f"iam.RolePolicy/{each}promotion-policy" for each in ("api-monitoring-", "")]
    assert answer["only_right"] == promotions
    differ = {item["address"]: item["properties"] for item in answer["differ"]}
    assert {"path": "limitAmount", "left": "100.0", "right": "500.0"} in differ[
        "budgets.Budget/budget-monthly"
    ]
    # Names, tags and ids alone are no difference.
    assert answer["differ_in_names_alone"] > 5
    assert "sns.Topic/alerts-topic" not in differ
    assert "(in" not in json.dumps(answer)
    screen = cli("explain", "--diff", "dev", "prod", "--resources").out.splitlines()
    assert len(screen) <= 40
    assert sum("names, account and region alone" in line for line in screen) == 1


def test_a_stack_that_there_is_not_is_never_let_pass(cli: Cli) -> None:
    for words in (("validate",), ("compile",), ("compile", "--check"), ("stack", "rm", "nope")):
        answer = cli(*words, "-s", "nope", expect=6)
        assert "there is: local, dev, staging" in answer.err
        assert cli(*words, "-s", "nope", "--json", expect=6).json["error"]["exit_code"] == 6
    assert not (cli.folder / "stacks").exists()
    cli("validate", "-s", "prod")
    assert "-C nope" in cli("-C", "nope", "validate", "--json", expect=2).json["error"]["message"]


def test_what_comes_next_is_about_the_same_blueprint(cli: Cli) -> None:
    (cli.folder / "blueprint.yaml").rename(cli.folder / "team.blueprint.yaml")
    missing = cli("stack", "add", "qa", expect=2).err
    assert "there is team.blueprint.yaml: name it with --file" in missing
    (cli.folder / "deep" / "er").mkdir(parents=True)
    shutil.copy(cli.folder / "team.blueprint.yaml", cli.folder / "blueprint.yaml")
    missing = cli("-C", "deep/er", "validate", expect=2).err
    assert "there is ../../blueprint.yaml: name it with --file" in missing
    said = cli("stack", "add", "qa", "-f", "team.blueprint.yaml").err
    assert "next: mlops-iac -f team.blueprint.yaml compile, review and commit" in said
    stale = cli("compile", "--check", "-f", "team.blueprint.yaml", expect=1).err
    assert "run `mlops-iac -f team.blueprint.yaml compile` and commit" in stale


def test_what_is_named_elsewhere_is_not_removed_and_nothing_is_said_to_be_wrong_now(
    cli: Cli, edit: Edit, tmp_path: Path
) -> None:
    before = (cli.folder / "blueprint.yaml").read_text()
    bare = {"PATH": str(tmp_path / "nothing")}
    answer = cli("stack", "rm", "staging", "--yes", "--force", expect=2, **bare).err
    assert "without staging blueprint.yaml is not valid, nothing was removed:" in answer
    assert "there is no environment 'staging'" in answer
    assert (cli.folder / "blueprint.yaml").read_text() == before


def test_a_name_that_environments_would_share_is_told_once(cli: Cli, edit: Edit) -> None:
    edit("account: 210987654321", "account: 012345678901")
    path = cli.folder / "blueprint.yaml"
    path.write_text(
        path.read_text() + "overrides: {sagemaker.Endpoint/api-endpoint: {name: same}}\n"
    )
    for command in (("validate",), ("compile",)):
        answer = cli(*command, expect=2).err
        assert answer.count("would share the sagemaker.Endpoint 'same'") == 1
