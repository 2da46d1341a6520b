"""Private templates in CI: the generated steps have access, by HTTPS and SSH, and no others get it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from mlops_iac.api import load
from mlops_iac.api.ci import workflows
from mlops_iac.templates import cache
from tests.cli import git_servers as servers
from tests.cli import warm
from tests.cli.git_servers import HOST, Authority
from tests.cli.harness import environment
from tests.cli.template_sources import MANIFEST, publish, release, team

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.new_user(tmp_path, monkeypatch)


def job(folder: Path, work: Path, secrets: dict[str, str]) -> tuple[int, str]:
    """Validate, as GitLab's preview begins, on a machine that has fetched nothing yet."""
    given = {"template_credentials": True}
    [text] = workflows.workflows(
        load(folder / "blueprint.yaml"), "gitlab", root=folder, given=given
    ).values()
    hidden = yaml.safe_load(text)[".churn-tool"]["before_script"]
    script = "\n".join(
        [*(line for line in hidden if "pip install" not in line), "mlops-iac validate"]
    )
    work.mkdir()
    cache.forget()
    answer = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={
            **environment(), **secrets, "WORK": str(work), "MLOPS_IAC_CACHE": str(work / "cache"),
            "PATH": warm.on_path(),
        },
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return answer.returncode, answer.stdout + answer.stderr


def test_over_https_with_a_token_for_the_hosts_that_the_blueprint_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(authority.path))
    publish(tmp_path / "served" / "standard")
    with servers.https_server(tmp_path / "served", authority.context(HOST)) as server:
        command = team(tmp_path / "team", f"git+{server.url('standard')}", "^1.0")
        command("compile", "-q", **{k: v for k, v in os.environ.items() if k.startswith("GIT_")})
        server.behaviour.user, server.behaviour.password = "reader", SECRET
        user = {"MLOPS_IAC_TEMPLATES_USERNAME": "reader"}
        code, said = job(command.folder, tmp_path / "with", {**user, "MLOPS_IAC_TEMPLATES_TOKEN": SECRET})  # fmt: skip
        assert code == 0, said
        assert SECRET not in said
        code, said = job(command.folder, tmp_path / "wrong", {**user, "MLOPS_IAC_TEMPLATES_TOKEN": "of-another"})  # fmt: skip
        assert code == 2
        assert "template" in said and "of-another" not in said


@pytest.mark.parametrize("also", [False, True], ids=["by a template", "by the blueprint, too"])
def test_a_host_that_only_a_template_names_gets_no_token(
    also: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(authority.path))
    publish(tmp_path / "far" / "base")
    with (
        servers.https_server(tmp_path / "near", authority.context(HOST)) as near,
        servers.https_server(tmp_path / "far", authority.context(HOST)) as far,
    ):
        below = f"git+{far.url('base')}"
        manifest = MANIFEST.replace("acme/standard", "acme/above").replace(
            "limits:",
            f"extends: [{{template: '{below}', version: ^1.0, parameters: {{mail: '${{parameters.mail}}'}}}}]\nlimits:",
        )
        release(tmp_path / "near" / "above", manifest, "", "v1.0.0")
        command = team(tmp_path / "team", f"git+{near.url('above')}", "^1.0")
        if also:
            path = command.folder / "blueprint.yaml"
            more = f"  - {{template: '{below}', version: ^1.0, parameters: {{mail: ml@acme.example}}}}\n"
            path.write_text(
                path.read_text().replace("platform: sagemaker\n", f"{more}platform: sagemaker\n")
            )
        git_variables = {k: v for k, v in os.environ.items() if k.startswith("GIT_")}
        answer = command(
            "ci",
            "generate",
            "gitlab",
            "--template-credentials",
            "--root",
            str(command.folder),
            **git_variables,
        )
        place = far.url("").rstrip("/")
        assert (f"note: {place} gets no credentials" in answer.err) is not also
        command("compile", "-q", **git_variables)
        for server in (near, far):
            server.behaviour.user, server.behaviour.password = "reader", SECRET
        secrets = {"MLOPS_IAC_TEMPLATES_USERNAME": "reader", "MLOPS_IAC_TEMPLATES_TOKEN": SECRET}
        code, said = job(command.folder, tmp_path / "job", secrets)
        assert code == (0 if also else 2), said
        if not also:
            assert place in said


def test_over_ssh_with_a_key_and_hosts_that_are_known(tmp_path: Path) -> None:
    publish(tmp_path / "standard")
    with servers.ssh_server(tmp_path / "sshd") as server:
        source = f"git+{server.url(tmp_path / 'standard')}"
        command = team(tmp_path / "team", source, "^1.0")
        command("compile", "-q", GIT_SSH_COMMAND=server.command())
        secrets = {
            "MLOPS_IAC_TEMPLATES_SSH_KEY": (server.folder / "client").read_text(),
            "MLOPS_IAC_TEMPLATES_KNOWN_HOSTS": (server.folder / "known_hosts").read_text(),
        }
        code, said = job(command.folder, tmp_path / "with", secrets)
        assert code == 0, said
        assert (tmp_path / "with" / "templates-key").stat().st_mode & 0o077 == 0
        stranger = (server.folder / "changed_hosts").read_text()
        code, said = job(command.folder, tmp_path / "other", {**secrets, "MLOPS_IAC_TEMPLATES_KNOWN_HOSTS": stranger})  # fmt: skip
        assert code == 2
        assert "host key" in said
