"""The generated jobs about templates, run as the CI systems would: weekly updates, checks, releases."""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_iac.api.ci import template_workflows
from mlops_iac.clouds.aws.cloud import AWS
from mlops_iac.scaffold import ci, ci_templates
from mlops_iac.scaffold.ci import PLATFORMS, Delivery, Stack
from mlops_iac.scaffold.ci_templates import TemplateDelivery
from mlops_iac.templates.sources.git import versions_of
from tests.cli import warm
from tests.cli.harness import environment
from tests.cli.template_sources import (
    BLUEPRINT,
    MANIFEST,
    NEXT_BLUEPRINT,
    NEXT_MANIFEST,
    World,
    git,
    release,
)
from tests.emulated.comment_servers import TOKEN, serving
from tests.emulated.request_servers import Requests

BRANCH = "mlops-iac/template-update/churn"


def run(script: str, folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    answer = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**environment(), **env, "PATH": warm.on_path()},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return answer.returncode, answer.stdout + answer.stderr


# -- weekly updates


def update_scripts(
    platform: str, checkout: Path, temp: Path
) -> list[tuple[str, Path, dict[str, str]]]:
    """The scripts of the update job, but for installing, with what they have in their environment."""
    delivery = Delivery(
        project="churn", stacks=[Stack("dev", "eu-west-1")], folder=".", program="stacks/churn",
        lock="stacks/churn/requirements.lock", pulumi="3.272.0",
        remote=["https://git.example.com/standard"], sign_in=AWS.access.workflows,
    )  # fmt: skip
    files = ci.workflows(platform, delivery)
    if platform == "gitlab":
        [text] = files.values()
        job = yaml.safe_load(text)["churn template update"]
        hidden = yaml.safe_load(text)[".churn"]["variables"]
        env = {**hidden, **job["variables"], "WORK": str(temp), "CI_PROJECT_DIR": str(checkout)}
        return [("\n".join(job["script"]), checkout, {**env, "GITLAB_TOKEN": TOKEN})]
    [text] = [text for path, text in files.items() if "template-update" in path]
    whole = yaml.safe_load(text)
    if platform == "github":
        [job] = whole["jobs"].values()
        given = {"RUNNER_TEMP": str(temp), "GITHUB_WORKSPACE": str(checkout), **job["env"]}
        key, token = "run", {"GITHUB_TOKEN": TOKEN}
    else:
        [job] = whole["jobs"]
        given = {
            "AGENT_TEMPDIRECTORY": str(temp), "BUILD_SOURCESDIRECTORY": str(checkout),
            **whole["variables"],
        }  # fmt: skip
        key, token = "bash", {"SYSTEM_ACCESSTOKEN": TOKEN}
    found = []
    for step in job["steps"]:
        if key in step and "pip install" not in step[key]:
            env = {k: v for k, v in step.get("env", {}).items() if "$" not in v}
            secret = token if set(token) & set(step.get("env", {})) else {}
            found.append((step[key], checkout, {**given, **env, **secret}))
    return found


def the_job(platform: str, world: World, api: Requests, work: Path) -> str:
    checkout, temp = work / "checkout", work / "temp"
    temp.mkdir(parents=True)
    git(work, "clone", "--quiet", str(work.parent / "group/sub/project.git"), str(checkout))
    ci_system = {
        **world.cli.environment, "GITHUB_REPOSITORY": "o/r", "GITHUB_API_URL": api.url,
        "CI_PROJECT_ID": "group/sub/project", "CI_API_V4_URL": api.url,
        "CI_SERVER_URL": work.parent.as_uri(), "CI_PROJECT_PATH": "group/sub/project",
        "SYSTEM_COLLECTIONURI": api.url, "SYSTEM_TEAMPROJECT": "My Project",
        "BUILD_REPOSITORY_ID": "r-id",
    }  # fmt: skip
    said = ""
    for script, folder, env in update_scripts(platform, checkout, temp):
        code, words = run(script, folder, {**ci_system, **env})
        said += words
        assert code == 0, said
    return said


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Its next version changes one value, of one environment: what that does is tested elsewhere."""
    return World(tmp_path_factory.mktemp("world"), small=True)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_newer_versions_come_as_one_pull_request_until_it_is_merged(
    platform: str, world: World, tmp_path: Path
) -> None:
    remote = tmp_path / "group/sub/project.git"
    remote.parent.mkdir(parents=True)
    git(tmp_path, "clone", "--quiet", "--bare", str(world.folder), str(remote))
    with serving(Requests(platform, branch=BRANCH)) as api:
        said = the_job(platform, world, api, tmp_path / "first")
        assert TOKEN not in said
        [opened] = api.open
        assert opened["title"] == "Update the templates of churn"
        assert "acme/standard" in opened["text"] and "1.1.1" in opened["text"]
        changed = git(remote, "diff", "--name-only", "main", BRANCH).splitlines()
        assert "blueprint.lock" in changed
        assert any(name.startswith("stacks/churn/") for name in changed)
        assert not [name for name in changed if name.startswith((".mlops-iac", ".ci-"))]
        first = git(remote, "rev-parse", BRANCH)
        # A week later nothing is new: the branch stays as it is, and so does the one pull request.
        assert "The branch says this already." in the_job(platform, world, api, tmp_path / "second")
        assert git(remote, "rev-parse", BRANCH) == first
        assert len(api.open) == 1
        # It is merged: there is nothing to do, and nobody is asked.
        git(remote, "update-ref", "refs/heads/main", first)
        asked = len(api.requests)
        assert "There is nothing to update." in the_job(platform, world, api, tmp_path / "third")
        assert len(api.requests) == asked


# -- the repository of a template

CASE = """\
description: What everybody gets.
parameters: {mail: ml@acme.example}
expect: {resolved: {serving.api.scaling.max: 4}}
"""


def repository(folder: Path, inside: str) -> Path:
    place = folder / inside
    release(place, MANIFEST, BLUEPRINT)
    (place / "README.md").write_text("# For everybody\n")
    (place / "tests").mkdir()
    (place / "tests" / "default.yaml").write_text(CASE)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return place


def check(platform: str, place: Path, root: Path, temp: Path) -> tuple[int, str]:
    """What the check of the generated workflow runs after installing."""
    return _run_job(platform, place, root, temp, "check", {})


def _run_job(
    platform: str, place: Path, root: Path, temp: Path, name: str, more: Mapping[str, str]
) -> tuple[int, str]:
    [text] = template_workflows.workflows(place, platform, root=root, given={}).values()
    whole: dict[str, Any] = yaml.safe_load(text)
    temp.mkdir(exist_ok=True)
    env = {"RUNNER_TEMP": str(temp), "AGENT_TEMPDIRECTORY": str(temp), "WORK": str(temp), **more}
    if platform == "gitlab":
        env |= whole[".acme-standard-template"]["variables"] | {"WORK": str(temp)}
        scripts = list(whole[f"acme-standard template {name}"]["script"])
        scripts = ["\n".join(each for each in scripts if "curl" not in each)]
    elif platform == "github":
        job = whole["jobs"][name]
        env |= job["env"]
        scripts = [step["run"] for step in job["steps"] if "run" in step]
    else:
        [job] = whole["jobs"]
        env |= whole["variables"]
        tagged = "TAG" in more
        scripts = [
            step["bash"] for step in job["steps"]
            if "bash" in step and ("refs/tags" in step.get("condition", "")) == tagged
        ]  # fmt: skip
    said = ""
    for script in scripts:
        if "pip install" in script or "gh release" in script:
            continue
        code, words = run(script, root, env)
        said += words
        if code:
            return code, said
    return 0, said


def test_a_template_is_compared_with_the_version_before_as_soon_as_there_is_one(
    tmp_path: Path,
) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    place = repository(root, ".")
    code, said = check("github", place, root, tmp_path / "temp")
    assert code == 0, said
    assert "v1.0.0, the first version" in said
    git(root, "tag", "v1.0.0")
    # Other content under the same number is red.
    (place / "template.yaml").write_text(MANIFEST.replace("at_most: 20,", "at_most: 10,"))
    code, said = check("github", place, root, tmp_path / "temp")
    assert code == 2, said
    assert "a version never changes" in said


@pytest.mark.parametrize(
    ("platform", "inside"),
    [("github", "."), ("gitlab", "templates/standard"), ("azure-devops", "templates/standard")],
)
def test_a_number_that_hides_what_breaks_teams_is_red(
    platform: str, inside: str, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    place = repository(root, inside)
    git(root, "tag", "v1.0.0" if inside == "." else "standard-v1.0.0")
    (place / "template.yaml").write_text(NEXT_MANIFEST)
    (place / "blueprint.yaml").write_text(NEXT_BLUEPRINT)
    code, said = check(platform, place, root, tmp_path / "temp")
    assert code == 2, said
    assert "wrong-version" in said and "since acme/standard@1.0.0" in said


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("inside", ["", "templates/standard"])
def test_every_tag_that_is_a_version_is_checked_and_released(inside: str, platform: str) -> None:
    delivery = TemplateDelivery("acme/standard", inside or ".")
    [text] = ci_templates.workflows(platform, delivery).values()
    whole = yaml.safe_load(text)
    match platform:
        case "gitlab":
            rules = whole["acme-standard template release"]["rules"]
            pattern = rules[0]["if"].partition(" =~ ")[2].strip("/").replace("\\/", "/")
            patterns = [pattern]
        case "github":
            found = (whole.get("on") or whole[True])["push"]["tags"]
            patterns = [fnmatch.translate(each) for each in found]
        case _:
            found = whole["trigger"]["tags"]["include"]
            assert not [each for each in found if "[" in each]  # it has * alone
            patterns = [fnmatch.translate(each) for each in found]
    for number in ("0.1.0", "2.10.3", "3.0.0-rc.1"):
        for start in (
            "",
            "v",
            "standard-",
            "standard-v",
            "standard/",
            "standard/v",
            "other-v",
            "x",
        ):
            tag = f"{start}{number}"
            assert any(re.match(each, tag) for each in patterns) is bool(
                versions_of([tag], inside)
            ), tag


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_tag_that_is_not_the_templates_version_is_no_release(
    platform: str, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    place = repository(root, ".")
    for tag, expected in (("v1.0.1", 2), ("other-v1.0.0", 2), ("1.0.0", 2), ("v1.0.0", 0)):
        more = {"TAG": tag, "CI_COMMIT_TAG": tag, "BUILD_SOURCEBRANCH": f"refs/tags/{tag}"}
        code, said = _run_job(platform, place, root, tmp_path / "temp", "release", more)
        assert code == expected, said
        refused = f"the tag {tag} does not say the template's version, 1.0.0"
        assert (refused in said) == bool(expected)
    assert (tmp_path / "temp" / "notes.md").read_text() == "- the first one\n"


def test_its_workflow_is_no_part_of_what_is_complained_about(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    place = repository(root, ".")
    for platform in PLATFORMS:
        for path, text in template_workflows.workflows(
            place, platform, root=root, given={}
        ).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    code, said = run(f"mlops-iac template test {shlex.quote(str(place))}", root, {})
    assert code == 0, said
    assert "0 error(s)" in said
