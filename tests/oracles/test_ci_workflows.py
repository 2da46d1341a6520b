"""Generated workflows: accepted by what others wrote, and a seeded defect of each kind rejected."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import check_jsonschema
import click
import pytest
import yaml
from click.testing import CliRunner

from mlops_iac.api import load
from mlops_iac.api.ci import workflows
from mlops_iac.clouds.aws.cloud import AWS
from mlops_iac.scaffold import ci, ci_templates
from mlops_iac.scaffold.ci import ACTIONS, PLATFORMS, Delivery, Stack
from mlops_iac.scaffold.ci_options import Options
from mlops_iac.scaffold.ci_templates import TemplateDelivery

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence"
SCHEMAS = {
    "github": ("vendor.github-workflows",),
    "gitlab": ("vendor.gitlab-ci",),
    # Its patterns are no Python ones.
    "azure-devops": ("vendor.azure-pipelines", "--regex-variant", "nonunicode"),
}
# Not in the schema, which knows Microsoft's own tasks. Source: task.json of AWSShellScript in
# aws/aws-toolkit-azure-devops.
AWS_TASK = {
    "awsCredentials", "regionName", "arguments", "scriptType", "filePath", "inlineScript",
    "disableAutoCwd", "workingDirectory", "failOnStandardError",
}  # fmt: skip


STACKS = [Stack("dev", "eu-west-1", approval=False), Stack("prod", "eu-west-1", "210987654321")]
# Everything that can be chosen at once.
CHOSEN = Options(
    branch="trunk",
    python="3.12.4",
    index_url="https://packages.example.com/simple",
    index_credentials=True,
    template_credentials=True,
    cache=True,
)
REMOTE = ["https://git.example.com/ml/standard", "ssh://git@git.example.com:2222/ml/base"]
PRIVATE = Delivery(
    project="churn",
    stacks=STACKS,
    folder="teams/churn",
    program="stacks/churn",
    lock="stacks/churn/requirements.lock",
    pulumi="3.272.0",
    sign_in=AWS.access.workflows,
    options=CHOSEN,
    templates=["templates/own"],
    remote=REMOTE,
    named=REMOTE,
    ejected=True,
)
RUNNERS = {"github": "self-hosted,linux", "gitlab": "ml,large", "azure-devops": "ml"}


@pytest.fixture(scope="module")
def project() -> Any:
    return load(EXAMPLE / "blueprint.yaml")


def made(kind: str, platform: str, project: Any) -> dict[str, str]:
    """Path → content of a platform's workflows: as they are by default, or with all that can be chosen."""
    options = replace(CHOSEN, runner=RUNNERS[platform], cache=False, docs="docs/reference.md", source="git+https://git.example.com/ml/standard")  # fmt: skip
    match kind:
        case "plain":
            files = workflows.workflows(project, platform, root=EXAMPLE)
            return {path.relative_to(EXAMPLE).as_posix(): text for path, text in files.items()}
        case "private":
            return ci.workflows(platform, replace(PRIVATE, options=replace(CHOSEN, runner=RUNNERS[platform])))  # fmt: skip
        case "fetched":
            return ci.workflows(platform, replace(PRIVATE, options=Options()))
        case "template":
            delivery = TemplateDelivery("acme/standard", "templates/standard", options, REMOTE)
            return ci_templates.workflows(platform, delivery)
        case _:
            return ci_templates.workflows(platform, TemplateDelivery("acme", "."))


KINDS = ("plain", "private", "fetched", "template", "plain template")


@pytest.fixture(params=["plain"])
def written(
    request: pytest.FixtureRequest, project: Any, tmp_path: Path
) -> Iterator[dict[str, list[Path]]]:
    """The workflows of every platform on disk, in a folder that looks like a repository."""
    found: dict[str, list[Path]] = {}
    for platform in PLATFORMS:
        for path, text in made(request.param, platform, project).items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            found.setdefault(platform, []).append(target)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    yield found


every_kind = pytest.mark.parametrize("written", KINDS, indirect=True)


def run(*command: str, cwd: Path) -> tuple[int, str]:
    answer = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    return answer.returncode, answer.stdout + answer.stderr


def schema(platform: str, *files: Path) -> tuple[int, str]:
    """The validator's own command, in this process: to begin takes it longer than to judge."""
    if platform == "azure-devops":
        files = tuple(map(without_aws_task, files))
    name, *more = SCHEMAS[platform]
    words = ["--builtin-schema", name, *more, *map(str, files)]
    answer = CliRunner().invoke(check_jsonschema.main, words)
    assert answer.exc_info and answer.exc_info[0] is SystemExit, answer.output  # it did not crash
    return answer.exit_code, answer.output


def without_aws_task(file: Path) -> Path:
    """The same without the steps of the one task that the schema does not know."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for stage in document.get("stages", ()):
        for job in stage["jobs"]:
            steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
            for step in [s for s in steps if s.get("task") == "AWSShellScript@1"]:
                assert set(step["inputs"]) <= AWS_TASK
                assert step["inputs"]["scriptType"] == "inline"
                steps.remove(step)
    stripped = file.with_suffix(".stripped.yml")
    stripped.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return stripped


def zizmor(folder: Path) -> tuple[int, str]:
    tool = str(Path(sys.executable).parent / "zizmor")
    arguments = ("--offline", "--no-progress", "--persona=auditor", "--format=json")
    answer = subprocess.run(
        [tool, *arguments, str(folder)], capture_output=True, text=True, timeout=120
    )
    json.loads(answer.stdout)  # a crash has found nothing
    return answer.returncode, answer.stdout


def actionlint(folder: Path) -> tuple[int, str]:
    tool = shutil.which("actionlint")
    if tool is None:
        pytest.skip(
            "no actionlint on PATH: its package on PyPI downloads a binary from elsewhere; "
            "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
        )
    return run(tool, "-no-color", *map(str, sorted(folder.glob("*.yml"))), cwd=folder)


# -- accepted


@every_kind
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_platforms_own_schema_accepts_them(
    platform: str, written: dict[str, list[Path]]
) -> None:
    code, said = schema(platform, *written[platform])
    assert code == 0, said


@every_kind
def test_zizmor_finds_nothing_but_what_was_asked_for_and_the_trigger_that_is_argued_for(
    written: dict[str, list[Path]],
) -> None:
    _, said = zizmor(written["github"][0].parent)
    texts = {file.name: file.read_text(encoding="utf-8") for file in written["github"]}
    asked = {"self-hosted-runner"} if any("--runner" in text for text in texts.values()) else set()
    assert {finding["ident"] for finding in json.loads(said)} == asked, said
    ignored = [name for name, text in texts.items() if "zizmor: ignore" in text]
    assert ignored == [name for name in texts if name.endswith("-fork-preview.yml")]


@every_kind
def test_actionlint_accepts_them(written: dict[str, list[Path]]) -> None:
    code, said = actionlint(written["github"][0].parent)
    assert code == 0, said


# -- seeded defects

SCHEMA_DEFECTS = [
    ("github", "e-preview.yml", "timeout-minutes: 15", "timeout-minutes: [15]"),
    ("github", "apply.yml", "    runs-on: ubuntu-24.04\n", "    runs_on: ubuntu-24.04\n"),
    ("github", "apply.yml", "permissions: {}", "permissions: everything"),
    ("gitlab", ".yml", "  interruptible: true", "  interruptible: 1"),
    ("gitlab", ".yml", "      when: manual", "      when: sometimes"),
    ("gitlab", ".yml", "  stage: test", "  stage: {test: 1}"),
    ("azure-devops", "preview.yml", 'fetchDepth: "0"', "fetchDepth: [0]"),
    ("azure-devops", "preview.yml", "  - job: preview", "  - jbo: preview"),
    ("azure-devops", "apply.yml", "lockBehavior: sequential", "lockBehavior: whenever"),
]


@pytest.mark.parametrize(("platform", "name", "old", "new"), SCHEMA_DEFECTS)
def test_a_schema_rejects(
    platform: str, name: str, old: str, new: str, written: dict[str, list[Path]]
) -> None:
    file = edited(written[platform], name, old, new)
    code, said = schema(platform, file)
    assert code == 1, said
    assert "Schema validation errors" in said, said


INJECTED = "run: echo ${{ github.event.pull_request.title }} && mlops-iac validate --format github"
ZIZMOR_DEFECTS = [
    ("a-preview.yml", "run: mlops-iac validate --format github", INJECTED, "template-injection"),
    ("a-preview.yml", ACTIONS["checkout"], "actions/checkout@v7", "unpinned-uses"),
    ("a-preview.yml", "persist-credentials: false", "persist-credentials: true", "artipacked"),
    ("apply.yml", "permissions: {}\n", "permissions: write-all\n", "excessive-permissions"),
    ("fork-preview.yml", "# zizmor: ignore[dangerous-triggers]", "#", "dangerous-triggers"),
]


@pytest.mark.parametrize(("name", "old", "new", "audit"), ZIZMOR_DEFECTS)
def test_zizmor_rejects(
    name: str, old: str, new: str, audit: str, written: dict[str, list[Path]]
) -> None:
    name = name.replace("a-preview", "adherence-preview")
    file = edited(written["github"], name, old, new)
    code, said = zizmor(file.parent)
    assert code >= 11, said
    assert audit in {finding["ident"] for finding in json.loads(said)}


ACTIONLINT_DEFECTS = [
    ("apply.yml", "needs: plan-dev", "needs: plan-nowhere", "plan-nowhere"),
    ("apply.yml", "steps.plan.outputs", "steps.plna.outputs", "plna"),
    ("adherence-preview.yml", "run: mlops-iac validate --format github", INJECTED, "untrusted"),
    ("adherence-preview.yml", "${{ github.base_ref }}", "${{ github.base_reff }}", "base_reff"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), ACTIONLINT_DEFECTS)
def test_actionlint_rejects(
    name: str, old: str, new: str, words: str, written: dict[str, list[Path]]
) -> None:
    file = edited(written["github"], name, old, new)
    code, said = actionlint(file.parent)
    assert code == 1, said
    assert words in said


def edited(files: list[Path], name: str, old: str, new: str) -> Path:
    [file] = [file for file in files if file.name.endswith(name)]
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


# -- what no validator knows


@pytest.mark.parametrize("written", ["plain", "private"], indirect=True)
def test_every_action_is_pinned_by_a_commit_that_its_tag_named(
    written: dict[str, list[Path]],
) -> None:
    used = {
        line.split("uses:", 1)[1].strip()
        for file in written["github"]
        for line in file.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    }
    [sign_in] = used - set(ACTIONS.values())
    assert sign_in.startswith("aws-actions/configure-aws-credentials@")
    assert used - {sign_in} == set(ACTIONS.values())
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used)


@every_kind
def test_no_script_holds_an_expression_and_no_checkout_keeps_the_token(
    written: dict[str, list[Path]],
) -> None:
    for file in written["github"]:
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}
        assert workflow["concurrency"]["group"].startswith("mlops-iac-")
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")
                if "checkout" in step.get("uses", ""):
                    assert step["with"]["persist-credentials"] is False


def test_the_fork_job_runs_nothing_of_the_fork_and_shows_its_token_to_two_kinds_of_steps(
    written: dict[str, list[Path]],
) -> None:
    [file] = [file for file in written["github"] if "fork" in file.name]
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(workflow[True]) == {"pull_request_target"}  # `on` of YAML 1.1
    [job] = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    checkouts = [s["with"]["ref"] for s in job["steps"] if "checkout" in s.get("uses", "")]
    assert checkouts == ["${{ github.event.pull_request.base.sha }}"]
    for step in job["steps"]:
        words = step.get("run", "")
        if "GITHUB_TOKEN" in step.get("env", {}):
            assert "git " in words or words.startswith("mlops-iac pr comment")
        if "fork" in words:
            assert not re.search(r"\b(pip|python|bash|source|make|npm)\b", words), words
    assert "secrets." not in file.read_text(encoding="utf-8")
    [preview] = [s["run"] for s in job["steps"] if " preview " in s.get("run", "")]
    assert '--fork "$HEAD" --against "$BASE"' in preview


def test_production_waits_for_people_and_its_plan_and_no_key_is_stored(
    written: dict[str, list[Path]],
) -> None:
    [file] = [file for file in written["github"] if file.name.endswith("apply.yml")]
    text = file.read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert list(jobs) == [f"{what}-{s}" for s in ("dev", "staging", "prod") for what in PHASES]
    assert jobs["apply-prod"]["environment"] == "prod"
    assert jobs["apply-prod"]["needs"] == "plan-prod"
    assert jobs["plan-prod"]["needs"] == "apply-staging"
    assert jobs["plan-prod"]["environment"] == "prod-plan"
    assert "required reviewers" in text
    assert "secrets." not in text
    assert "aws-access-key-id" not in text


PHASES = ("plan", "apply")
SECRETS = ("secrets.", "MLOPS_IAC_INDEX_", "MLOPS_IAC_TEMPLATES_")


def jobs(platform: str, file: Path) -> dict[str, Any]:
    """The jobs of a file by name, those that only others extend left out."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    match platform:
        case "github":
            return dict(document["jobs"])
        case "gitlab":
            return {
                name: document[job["extends"]] | job
                for name, job in document.items()
                if isinstance(job, dict) and "extends" in job and not name.startswith(".")
            }
        case _:
            stages = document.get("stages") or [document]
            return {each.get("job", "apply"): each for stage in stages for each in stage["jobs"]}


def scripts(platform: str, job: dict[str, Any]) -> Iterator[str]:
    if platform == "gitlab":
        yield "\n".join([*job.get("before_script", ()), *job["script"]])
        return
    steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
    for step in steps:
        found = step.get("run") or step.get("bash") or step.get("inputs", {}).get("inlineScript")
        if found:
            yield found


@every_kind
def test_a_shell_can_read_every_script(written: dict[str, list[Path]]) -> None:
    for platform, files in written.items():
        found = [s for file in files for job in jobs(platform, file).values() for s in scripts(platform, job)]  # fmt: skip
        assert found
        for script in found:
            answer = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True)
            assert answer.returncode == 0, f"{answer.stderr}\n{script}"


@every_kind
def test_every_package_is_installed_by_its_digest_and_from_a_wheel(
    written: dict[str, list[Path]],
) -> None:
    for platform, files in written.items():
        for file in files:
            for job in jobs(platform, file).values():
                for script in scripts(platform, job):
                    for line in script.splitlines():
                        if "pip install" in line or "pip download" in line:
                            assert "--no-deps --require-hashes --only-binary :all:" in line
                            assert "extra-index" not in line


@pytest.mark.parametrize("written", ["private"], indirect=True)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_job_that_reads_a_fork_is_given_no_secret_of_the_index_or_of_templates(
    platform: str, written: dict[str, list[Path]]
) -> None:
    reading = {"github": "preview", "gitlab": "churn fork preview", "azure-devops": "fork_preview"}
    [file] = [f for f in written[platform] if reading[platform] in jobs(platform, f)
              and (platform != "github" or "fork" in f.name)]  # fmt: skip
    found = jobs(platform, file)
    job = found[reading[platform]]
    assert not [word for word in SECRETS if word in json.dumps(job)]
    assert "environment" not in job  # which is what gives a job variables on GitLab
    # What has them sees the base alone, and comes before.
    preparing = reading[platform].replace("fork preview", "fork prepare")
    preparing = {"preview": "prepare", "fork_preview": "fork_prepare"}.get(preparing, preparing)
    words = json.dumps(found[preparing])
    assert any(word in words for word in SECRETS)
    assert "--fork" not in words and "refs/pull" not in words and "refs/merge-requests" not in words


def commands(text: str) -> Iterator[list[str]]:
    """Every command line of ours in a workflow, as the shell would split it."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.splitlines():
        if line.strip().startswith("#"):
            continue
        for found in re.finditer(r"(?:^|[\s:])mlops-iac (?=[a-z-])(.*)", line):
            words = shlex.split(found[1], comments=True)
            for stop in ("||", ">", "&&"):
                if stop in words:
                    words = words[: words.index(stop)]
            yield words


@every_kind
def test_every_command_in_them_is_one_that_we_have(
    written: dict[str, list[Path]], tmp_path: Path
) -> None:
    given = tmp_path / "given.json"
    given.write_text("{}", encoding="utf-8")
    seen: set[str] = set()
    for file in (file for files in written.values() for file in files):
        for words in commands(file.read_text(encoding="utf-8")):
            number = ("7" if before == "--number" else word for before, word in pairs(words))
            arguments = [str(given) if "$" in word else word for word in number]
            seen.add(parsed(arguments))
    delivered = {"validate", "preview", "pr", "compile", "up"}
    assert seen in (delivered, delivered | {"template"}, {"template"})


def pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    return zip(["", *words], words, strict=False)


def parsed(arguments: list[str]) -> str:
    """Parse a command line with the real command; raises click's errors. Runs nothing."""
    from mlops_iac.cli._app import root

    context = root.make_context("mlops-iac", list(arguments))
    rest = [*context._protected_args, *context.args]
    name, command, rest = root.resolve_command(context, rest)
    assert command is not None, arguments
    while isinstance(command, click.Group):
        inner = command.make_context(command.name, rest, parent=context)
        rest = [*inner._protected_args, *inner.args]
        _, command, rest = command.resolve_command(inner, rest)
        assert command is not None, arguments
    command.make_context(command.name, rest, parent=context)
    return str(name)


def test_the_check_of_commands_can_fail() -> None:
    for line in ("preview --agianst lock", "pr comment --platform sourceforge", "perview"):
        with pytest.raises(click.UsageError):
            parsed(line.split())
