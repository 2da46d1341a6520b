"""The generated jobs for pull requests from forks, run as the CI systems would, on hostile forks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_iac.api import load
from mlops_iac.api.ci import workflows
from tests.agents import obeyed
from tests.cli import warm
from tests.cli.harness import Answer, Cli, copy_example, environment
from tests.components.test_repository import git
from tests.sagemaker_blueprints import MINIMAL, write

EVIL = "import pathlib; pathlib.Path({marker!r}).write_text('ran')\n"
BIN = Path(sys.executable).parent
PLATFORMS = ("github", "gitlab", "azure-devops")
# Where a CI system keeps what a pull request would merge.
REFS = {
    "github": "refs/pull/7/head",
    "gitlab": "refs/merge-requests/7/head",
    "azure-devops": "refs/pull/7/merge",
}
TOKEN = "the-jobs-token"
LOCK = "stacks/schedule-adherence/requirements.lock"
COMMANDS = "::add-mask::x ##vso[task.prependpath]/tmp ##[add-path]/tmp"
POLICIES = """\
policies: 1
rules:
  allowed-regions: {severity: mandatory, regions: [eu-*]}
"""
RULE = """\
from mlops_iac.policy import Rule, Violation

def check(context):
    yield Violation("the base's own rule looked at it")

RULE = Rule(id="of-the-base", title="t", severity="advisory", why="w", remediation="r",
            source="s", check=check)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the example and its compiled program, as it stands on a server.

    It has `prod` alone: the jobs preview every environment of it, and one is like another.
    """
    folder = copy_example(tmp_path_factory.mktemp("base") / "project")
    blueprint = folder / "blueprint.yaml"
    text = blueprint.read_text(encoding="utf-8")
    text = re.sub(r"^  dev:\n.*(?=^  prod:\n)", "", text, flags=re.MULTILINE | re.DOTALL)
    text = text.replace("    models: {adherence: {promote_from: staging}}\n", "")
    blueprint.write_text(text, encoding="utf-8")
    (folder / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    (folder / "policies").mkdir()
    (folder / "policies" / "of_the_base.py").write_text(RULE, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    Cli(folder, environment())("compile", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "base")
    return folder


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "the-forks-code-ran"


@dataclass
class Fork:
    """A clone of the base; `change` edits it and commits."""

    folder: Path

    def write(self, place: str, text: str) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        text = (self.folder / "blueprint.yaml").read_text(encoding="utf-8")
        assert old in text
        self.write("blueprint.yaml", text.replace(old, new, 1))

    def commit(self) -> str:
        git(self.folder, "add", "--all", "--force")
        git(self.folder, "commit", "--quiet", "--message", "fork")
        return git(self.folder, "rev-parse", "HEAD")


@pytest.fixture
def fork(base: Path, tmp_path: Path) -> Fork:
    git(tmp_path, "clone", "--quiet", str(base), str(tmp_path / "fork"))
    made = Fork(tmp_path / "fork")
    made.change("scaling: {min: 2, max: 20}", "scaling: {min: 2, max: 30}")
    return made


@dataclass
class Step:
    """One script of a job, with what it has in its environment."""

    script: str
    folder: Path
    env: Mapping[str, str]


@dataclass
class Outcome:
    code: int
    said: str
    temp: Path

    def review(self, stack: str) -> dict[str, Any]:
        [file] = self.temp.glob(f"*{stack}.json")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["review"]
        return found

    def risks(self, stack: str) -> dict[str, str]:
        risks = self.review(stack)["risks"]
        return {each["address"]: each["words"] for each in risks if each["kind"] == "own-rules"}


def steps(platform: str, base: Path, checkout: Path, temp: Path, head: str) -> list[Step]:
    """The scripts of the job for forks from the generated file, but for installing the tool."""
    sha = git(base, "rev-parse", "main")
    files = workflows.workflows(load(base / "blueprint.yaml"), platform, root=base)
    if platform == "gitlab":
        [text] = files.values()
        jobs = {name: job for name, job in yaml.safe_load(text).items() if "fork" in name}
        hidden = yaml.safe_load(text)[".schedule-adherence"]
        found = []
        for job in jobs.values():
            env = {
                **hidden["variables"], **job.get("variables", {}), "CI_COMMIT_SHA": sha,
                "CI_PROJECT_DIR": str(checkout), "MLOPS_IAC_FORK_MERGE_REQUEST": "7",
            }  # fmt: skip
            env["WORK"] = str(temp)
            if "environment" in job:  # the variable is set for that environment alone
                assert job["environment"]["name"] == "mlops-iac/comment"
                env["GITLAB_TOKEN"] = TOKEN
            found.append(Step("\n".join(job["script"]), checkout, env))
        return found
    name = "fork" if platform == "github" else "preview"
    [text] = [text for path, text in files.items() if name in path.name]
    known = {
        "github.event.pull_request.number": "7",
        "github.event.pull_request.head.sha": head,
        "github.event.pull_request.base.sha": sha,
        "github.token": TOKEN,
        "parameters.fork": "7",
    }
    whole = yaml.safe_load(text)
    if platform == "github":
        [job] = whole["jobs"].values()
        given = {"RUNNER_TEMP": str(temp), "GITHUB_WORKSPACE": str(checkout)}
        key = "run"
    else:
        [job] = [job for job in whole["jobs"] if "fork" in job["job"]]
        given = {
            **whole["variables"], "AGENT_TEMPDIRECTORY": str(temp), "BUILD_SOURCEVERSION": sha,
            "BUILD_SOURCESDIRECTORY": str(checkout),
        }  # fmt: skip
        key = "bash"
    found = []
    for step in job["steps"]:
        if key not in step or "pip install" in step[key]:
            continue
        env = dict(given)
        for name, value in step.get("env", {}).items():
            inner = value.removeprefix("${{ ").removesuffix(" }}")
            env[name] = known[inner] if value.startswith("${{") else value
            if value == "$(System.AccessToken)":
                env[name] = TOKEN
        folder = step.get("workingDirectory", str(checkout))
        found.append(
            Step(step[key], Path(folder.replace("$(Build.SourcesDirectory)", str(checkout))), env)
        )
    return found


def run_job(
    platform: str, base: Path, fork: Fork, work: Path, head: str = "", comments: bool = False,
    begun: bool = False,
) -> Outcome:  # fmt: skip
    """Everything the job runs after the installation, in one shell each, as it is written.

    Comments are printed and not posted: there is no server here. `begun` is for forks that bring
    what an interpreter would import: each command then has one that begins.
    """
    checkout, temp = work / "checkout", work / "temp"
    git(work, "clone", "--quiet", "--depth=1", base.as_uri(), str(checkout))
    temp.mkdir()
    git(base, "fetch", "--quiet", str(fork.folder), f"+HEAD:{REFS[platform]}")
    tools = work / "bin"
    tools.mkdir()
    tool = BIN if begun else warm.on_path().partition(os.pathsep)[0]
    (tools / "mlops-iac").write_text(
        f'#!/bin/sh\n[ "$1" = pr ] && set -- "$@" --dry-run\nexec {tool}/mlops-iac "$@"\n'
    )
    (tools / "mlops-iac").chmod(0o755)
    said, code = "", 0
    for step in steps(
        platform, base, checkout, temp, head or git(fork.folder, "rev-parse", "HEAD")
    ):
        commenting = "pr comment" in step.script
        if commenting and not comments:
            continue
        answer = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.script],
            cwd=step.folder,
            env={**environment(), **step.env, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        said += answer.stdout + answer.stderr
        code = code or answer.returncode
        if code not in (0, 5):
            break
    return Outcome(code, said, temp)


# -- runs code


def executables(fork: Fork, marker: Path) -> None:
    """Every file that could be run says so when it is."""
    for place in (
        ".mlops-iac/program/pulumi_aws.py",
        ".mlops-iac/program/json.py",
        ".mlops-iac/emulator/argparse.py",
        "policies/evil.py",
        "policies/of_the_base.py",
        "stacks/schedule-adherence/__main__.py",
        "mlops_iac/__init__.py",
        "yaml/__init__.py",
        "pulumi/__init__.py",
        "sitecustomize.py",
        "conftest.py",
        "workload/train.py",
        "setup.py",
    ):
        fork.write(place, EVIL.format(marker=str(marker)))


def links(fork: Fork, marker: Path) -> None:
    (fork.folder / "workload" / "link.py").symlink_to("/etc/passwd")
    (fork.folder / ".mlops-iac").symlink_to("/tmp")
    shutil.rmtree(fork.folder / "policies")
    (fork.folder / "policies").symlink_to("workload")


def bare_repository(fork: Fork, marker: Path) -> None:
    """Plain files that are a repository whose configuration runs something, and whose branch is
    called like the base's commit."""
    script = f"sh -c 'echo ran > {marker}'"
    base = git(fork.folder, "rev-parse", "HEAD")
    fork.commit()
    made = fork.folder.parent / "made"
    git(fork.folder.parent, "clone", "-q", "--bare", str(fork.folder), str(made))
    (made / "refs" / "heads" / base).write_text(git(fork.folder, "rev-parse", "HEAD") + "\n")
    git(made, "config", "core.fsmonitor", script)
    git(made, "config", "filter.evil.clean", script)
    git(made, "config", "filter.evil.smudge", script)
    git(made, "config", "core.bare", "false")
    git(made, "config", "core.worktree", ".")
    for name in ("HEAD", "config", "objects", "refs", "packed-refs"):
        if (made / name).is_dir():
            shutil.copytree(made / name, fork.folder / name)
        elif (made / name).exists():
            shutil.copy(made / name, fork.folder / name)
    fork.write("refs/keep", "")
    fork.write(".gitattributes", "* filter=evil\n")


@pytest.mark.parametrize(
    ("platform", "hostile"),
    [
        # What the product reads is the same on every platform; what runs git is each one's own.
        ("github", links),
        *((platform, executables) for platform in PLATFORMS),
        *((platform, bare_repository) for platform in PLATFORMS),
    ],
)
def test_nothing_of_a_fork_runs_and_it_is_previewed(
    platform: str,
    hostile: Callable[[Fork, Path], None],
    base: Path,
    fork: Fork,
    marker: Path,
    tmp_path: Path,
) -> None:
    hostile(fork, marker)
    fork.change("search: random", f"search: {COMMANDS!r}")
    fork.commit()
    begun = hostile is executables
    outcome = run_job(platform, base, fork, tmp_path, comments=begun, begun=begun)
    assert not obeyed(outcome.said)
    assert "##vso\\u005btask.prependpath]" in outcome.said  # it was printed
    assert not marker.exists(), marker.read_text(encoding="utf-8")
    assert outcome.code == 0, outcome.said
    review = outcome.review("prod")
    changed = {
        reviewed["step"]["urn"].split("::")[-1]
        for reviewed in review["steps"]
        if reviewed["step"]["op"] != "same" and reviewed["step"]["custom"]
    }
    assert "api-main-scaling" in changed
    assert review["sha"] == git(fork.folder, "rev-parse", "HEAD")
    assert git(base, "rev-parse", "--short=12", "main") in review["against"]
    assert TOKEN not in outcome.said + json.dumps(review)
    assert "root:x:" not in outcome.said + json.dumps(review)
    # Nothing of the fork is in a folder that anything else would look at.
    assert not list(tmp_path.joinpath("temp").rglob("*.py"))


def test_the_marker_tells_when_the_forks_code_does_run(fork: Fork, marker: Path) -> None:
    executables(fork, marker)
    subprocess.run([sys.executable, "workload/train.py"], cwd=fork.folder, check=True)
    assert marker.exists()


def test_no_token_is_where_a_forks_files_are_read(base: Path, tmp_path: Path) -> None:
    for platform in PLATFORMS:
        for step in steps(platform, base, tmp_path, tmp_path, "0" * 40):
            if " preview " in step.script:
                assert TOKEN not in step.env.values(), platform
    assert "AWS_SECRET" not in json.dumps(_bounded_environment(AWS_SECRET_ACCESS_KEY="x"))


def _bounded_environment(**given: str) -> dict[str, str]:
    from mlops_iac.cli import _bounded

    return _bounded._environment({"PATH": "p", "CI_JOB_TOKEN": TOKEN, **given})


def test_the_process_that_reads_a_fork_gets_no_token_of_any_kind() -> None:
    given = {"GITHUB_TOKEN": TOKEN, "SYSTEM_ACCESSTOKEN": TOKEN, "GIT_CONFIG_VALUE_0": TOKEN}
    assert TOKEN not in _bounded_environment(**given).values()
    assert _bounded_environment()["PATH"] == "p"


# -- is judged by the base


def test_what_a_fork_says_of_its_judges_does_not_count_and_is_told_first(
    base: Path, fork: Fork, tmp_path: Path
) -> None:
    fork.write(
        "policies.yaml", "policies: 1\nproduction: []\nrules: {allowed-regions: {regions: ['*']}}\n"
    )
    shutil.rmtree(fork.folder / "policies")
    fork.change("region: eu-west-1", "region: us-east-1")
    fork.change("scaling: {min: 2, max: 30}", "scaling: {min: 1, max: 30}")
    fork.change("  prod:\n", "  prod:\n    protect: false\n")
    fork.change(
        "environments:",
        "exceptions:\n"
        "  allowed-regions: {at: ., reason: because, until: 2099-12-31}\n"
        "environments:",
    )
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path, comments=True)
    assert outcome.code == 5, outcome.said
    review = outcome.review("prod")
    rules = {each["rule"]: each for each in review["policies"]}
    assert rules["allowed-regions"]["severity"] == "mandatory"
    assert not rules["allowed-regions"]["suppressed_by"]
    assert "single-instance" in rules  # looks at production alone
    assert rules["of-the-base"]["message"] == "the base's own rule looked at it"
    told = outcome.risks("prod")
    assert "what the base says judged this" in told["policies.yaml"]
    assert "removed" in told["policies/of_the_base.py"]
    assert "prod is protected no longer" in told["protect"]
    [exception] = [words for place, words in told.items() if "exceptions.allowed-regions" in place]
    assert "lets allowed-regions pass" in exception
    kinds = [each["kind"] for each in review["risks"]]
    assert kinds[: len(told)] == ["own-rules"] * len(told)
    comment = outcome.said.split("### mlops-iac preview · schedule-adherence → prod")[1]
    assert comment.index("Changes what judges it") < comment.index("| Component |")


@pytest.mark.parametrize("same", [True, False])
def test_a_branch_of_the_repository_that_changes_its_judges_is_told_too(
    base: Path, fork: Fork, same: bool
) -> None:
    if not same:
        fork.write("policies.yaml", "policies: 1\nproduction: []\n")
        fork.write(".github/workflows/evil.yml", "on: push\n")
        fork.write(LOCK, "mlops-iac==0.1.0 --hash=sha256:0\n")
    fork.commit()
    against = "refs/remotes/origin/main"
    here = Cli(fork.folder, environment())
    answer = here("preview", "-s", "prod", "--against", against, "--json", expect=None)
    told = {each["address"]: each["words"] for each in risks(answer) if each["kind"] == "own-rules"}
    assert set(told) == (set() if same else {"policies.yaml", ".github/workflows/evil.yml", LOCK})
    assert all("it judged this as it stands now" in words for words in told.values())


SETTINGS = """\
  aws:endpoints: [{sts: https://evil.example}]
environment: [evil]
"""


def settings(fork: Fork) -> None:
    path = fork.folder / "stacks/schedule-adherence/Pulumi.prod.yaml"
    path.write_text(path.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")


def program(fork: Fork) -> None:
    path = fork.folder / "stacks/schedule-adherence/__main__.py"
    path.write_text(path.read_text(encoding="utf-8") + "print(1)\n", encoding="utf-8")


def shadow(fork: Fork) -> None:
    fork.change(
        "environments:\n", "environments:\n  shadow: {account: 666666666666, protect: false}\n"
    )


def renamed(fork: Fork) -> None:
    fork.change("name: schedule-adherence", "name: another-project")


def odd_name(fork: Fork) -> None:
    fork.write("policies/a\n0 mandatory, 0 advisory.py", "")


TOLD = {
    settings: "settings of prod that the blueprint does not make: aws:endpoints, environment",
    program: "not what its blueprint gives, and `up` refuses it: __main__.py",
    shadow: "added here; each has a review of its own",
    renamed: "the project is called another-project here",
    odd_name: "rules in Python, added here",
}


@pytest.mark.parametrize("changes", [[settings, program, shadow, odd_name], [renamed]])
def test_what_steers_besides_the_blueprint_is_told(
    base: Path, fork: Fork, tmp_path: Path, changes: list[Callable[[Fork], None]]
) -> None:
    for change in changes:
        change(fork)
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path, comments=True)
    told = outcome.risks("prod").values()
    for change in changes:
        assert any(words.startswith(TOLD[change]) for words in told), change
    # Whose comment is written is not the fork's to say, and no name begins a line of its own.
    assert '"project":"schedule-adherence"' in outcome.said
    assert "another-project" not in "".join(re.findall("<!-- .* -->", outcome.said))
    assert "\n0 mandatory" not in outcome.said
    if shadow in changes:  # an environment that the base lacks is judged as production
        judged = outcome.review("shadow")["policies"]
        assert "single-instance" in {each["rule"] for each in judged}


def test_no_flood_of_files_hides_what_a_change_puts_at_risk(
    base: Path, fork: Fork, tmp_path: Path
) -> None:
    for number in range(40):
        for folder in ("policies", ".github/workflows", ".gitlab", "CODEOWNERS"):
            fork.write(f"{folder}/{chr(0x1F000) * 50}{number}", "")
    fork.change("security: {keys: customer}", "security: {keys: provider}")
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path, comments=True)
    comment = outcome.said.split("### mlops-iac preview · schedule-adherence → prod")[1]
    comment = comment.split("<!-- mlops-iac")[0]
    assert len(outcome.risks("prod")) <= 11
    assert "more such files differ" in comment
    for risk in outcome.review("prod")["risks"]:
        if risk["kind"] in ("data-loss", "protection-removed"):
            assert risk["address"] in comment


def test_a_rule_file_behind_a_link_is_a_rule_file(standing: Path) -> None:
    (standing / "shared.yaml").write_text("policies: 1\n")
    (standing / "policies.yaml").symlink_to("shared.yaml")
    git(standing, "add", "--all")
    git(standing, "commit", "--quiet", "--message", "a link")
    same = of_fork(standing, blueprint=("max: 2", "max: 3"))
    assert not [each for each in risks(same) if each["kind"] == "own-rules"]
    answer = of_fork(standing, shared=("policies: 1", "policies: 1\nproduction: []"))
    told = {each["address"] for each in risks(answer) if each["kind"] == "own-rules"}
    assert told == {"shared.yaml"}


def risks(answer: Answer) -> list[dict[str, str]]:
    found: list[dict[str, str]] = answer.json["review"]["risks"]
    return found


def test_another_template_of_the_same_name_and_version_is_told(standing: Path) -> None:
    shutil.copytree(standing / "templates", standing / "others")
    git(standing, "add", "--all")
    git(standing, "commit", "--quiet", "--message", "others")
    for old, new in (("./templates/standard", "./others/standard"), ("at_most: 4", "at_most: 9")):
        path = standing / ("blueprint.yaml" if "others" in new else "others/standard/template.yaml")
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    here = Cli(standing, environment())
    answer = here("preview", "-s", "prod", "--against", "HEAD", "--json", expect=None)
    told = {each["address"]: each["words"] for each in risks(answer)}
    assert (
        "(./others/standard), and stood on standard@1.0.0 (./templates/standard)" in told["extends"]
    )


def test_what_is_no_text_no_file_or_nested_without_end_is_no_internal_error(
    base: Path, fork: Fork, tmp_path: Path
) -> None:
    long = "x" * 250
    fork.write(f"workload/{long}", "")
    fork.write(f"workload/{long}2/{long}3", "")
    fork.write("stacks/schedule-adherence/mlops-iac.prod.lock.json", "[" * 100_000)
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path)
    assert outcome.code in (0, 5), outcome.said
    assert "internal" not in outcome.said


# -- leads elsewhere


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("source: ", "source: ../../../../../../../../etc/passwd # "),
        ("source: ", "source: /etc/passwd # "),
        ("code: ", "code: /etc # "),
        ("source: ", "source: .mlops-iac/program/json.py # "),
    ],
)
def test_a_forks_paths_lead_nowhere_else(
    base: Path, fork: Fork, tmp_path: Path, marker: Path, old: str, new: str
) -> None:
    fork.write(".mlops-iac/program/json.py", EVIL.format(marker=str(marker)))
    fork.change(old, new)
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path)
    assert outcome.code == 2
    assert "blueprint.yaml at " in outcome.said
    assert "root:" not in outcome.said
    assert not list(outcome.temp.iterdir())
    assert not marker.exists()


# -- moves on, or is too much


def test_the_local_stack_of_a_fork_is_nobodys(standing: Path) -> None:
    answer = Cli(standing, environment())("preview", "--fork", "HEAD", expect=2)
    assert "name a stack with -s, or take --all" in answer.err


def test_a_pull_request_that_moved_on_is_left_to_its_newest_run(
    base: Path, fork: Fork, tmp_path: Path
) -> None:
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path, "0" * 40)
    assert outcome.code == 1
    assert "moved on" in outcome.said
    assert not list(outcome.temp.iterdir())


def test_more_environments_than_are_looked_at_are_refused_at_once(
    base: Path, fork: Fork, tmp_path: Path
) -> None:
    more = "".join(f"  e{number}: {{}}\n" for number in range(400))
    fork.change("environments:\n", f"environments:\n{more}")
    fork.commit()
    outcome = run_job("github", base, fork, tmp_path)
    assert outcome.code == 2
    assert "the fork has 401 environments; 25 are looked at" in outcome.said
    assert "a maintainer looks at it" in outcome.said
    assert not list(outcome.temp.iterdir())


# -- templates


SCALED = MINIMAL.replace(
    "mode: real-time",
    "mode: real-time, scaling: {min: 1, max: 2, target: {requests_per_minute: 9}}",
)
TEMPLATE = """\
template: 1
name: standard
version: 1.0.0
description: Bounds what a service may cost.
limits:
  serving.*.scaling.max: {at_most: 4, because: it is the standard}
"""


@pytest.fixture(scope="module")
def standing_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base that stands on a template of its own repository, which limits it."""
    folder = tmp_path_factory.mktemp("standing") / "project"
    (folder / "templates" / "standard").mkdir(parents=True)
    (folder / "templates" / "standard" / "template.yaml").write_text(TEMPLATE)
    write(
        folder, SCALED + "extends: [{template: ./templates/standard}]\nenvironments: {prod: {}}\n"
    )
    git(folder, "init", "--quiet", "--initial-branch", "main")
    Cli(folder, environment())("compile", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "base")
    return folder


@pytest.fixture
def standing(standing_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(standing_base, tmp_path / "standing"))


def of_fork(standing: Path, **changes: tuple[str, str]) -> Answer:
    """The preview of a commit that changes files, which are then as the base has them again."""
    for name, (old, new) in changes.items():
        [path] = standing.rglob(f"{name}.yaml")
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    git(standing, "commit", "--quiet", "--all", "--message", "fork")
    fork = git(standing, "rev-parse", "HEAD")
    git(standing, "reset", "--quiet", "--hard", "HEAD~1")
    here = Cli(standing, environment())
    return here("preview", "--all", "--fork", fork, "--json", expect=None)


def test_limits_are_those_of_the_bases_template(standing: Path) -> None:
    answer = of_fork(
        standing, template=("at_most: 4", "at_most: 400"), blueprint=("max: 2", "max: 40")
    )
    assert answer.code == 2
    assert "at most 4" in answer.out
    answer = of_fork(
        standing, template=("at_most: 4", "at_most: 400"), blueprint=("max: 2", "max: 3")
    )
    assert answer.code == 0, answer.err
    told = {each["address"]: each["words"] for each in risks(answer) if each["kind"] == "own-rules"}
    assert "the template standard" in told["templates/standard/template.yaml"]


@pytest.mark.parametrize(
    "extends",
    ["extends: []", "extends: [{template: /etc}]", "extends: [{template: 'git+file:///x'}]",
     "extends: [{template: ./templates/standard, version: ^1.0.0}]"],
)  # fmt: skip
def test_a_fork_does_not_choose_what_it_stands_on(standing: Path, extends: str) -> None:
    answer = of_fork(standing, blueprint=("extends: [{template: ./templates/standard}]", extends))
    assert answer.code == 2
    [problem] = answer.json["diagnostics"]
    assert "a fork does not choose what it is judged by" in problem["message"]
    assert problem["line"]
