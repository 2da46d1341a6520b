"""A platform team's git repository with versions of a template, and a team that stands on one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cli.harness import Cli, environment
from tests.sagemaker_blueprints import PREDICT

MANIFEST = """\
template: 1
name: acme/standard
version: 1.0.0
description: What every service of acme has.
platforms: [sagemaker]
parameters:
  tier: {type: text, description: How much it may serve, default: silver, choices: [silver, gold]}
  mail: {type: text, description: Who is called}
limits:
  environments.*.serving.*.scaling.max: {at_most: 20, because: the account's quota}
changelog:
  1.0.0: [the first one]
"""
BLUEPRINT = """\
# What acme serves with.
security: {keys: provider}
alerts: {oncall: {email: "${parameters.mail}"}}
serving:
  api:
    mode: real-time
    compute: {size: small}
    scaling:
      min: 1
      max: {$choose: tier, silver: 4, gold: 8}
      target: {requests_per_minute: 200}
    monitor: {limits: {latency_p99_ms: {at_most: 300}}}
"""
NEXT_MANIFEST = (
    MANIFEST.replace("version: 1.0.0", "version: 1.1.0")
    .replace(
        "limits:\n",
        "  days: {type: integer, description: Days that captures stay, default: 30}\nlimits:\n",
    )
    .replace("at_most: 20,", "at_most: 10,")
    .replace("changelog:\n", "changelog:\n  1.1.0: [customer keys, captures are kept]\n")
)
NEXT_BLUEPRINT = BLUEPRINT.replace("keys: provider", "keys: customer").replace(
    "    compute: {size: small}\n",
    "    compute: {size: medium}\n"
    '    capture: {percent: 100, retention_days: "${parameters.days}"}\n',
)
PATCH_MANIFEST = (
    NEXT_MANIFEST.replace("version: 1.1.0", "version: 1.1.1")
    .replace("default: 30", "default: 60")
    .replace("changelog:\n", "changelog:\n  1.1.1: [captures stay for 60 days]\n")
)
MAJOR_MANIFEST = (
    PATCH_MANIFEST.replace("version: 1.1.1", "version: 2.0.0")
    .replace("mail: {type", "oncall: {type")
    .replace(
        "changelog:\n",
        "migrations:\n  2.0.0:\n    - {rename_parameter: mail, to: oncall}\n"
        "changelog:\n  2.0.0: [the parameter mail is called oncall]\n",
    )
)
MAJOR_BLUEPRINT = NEXT_BLUEPRINT.replace("parameters.mail", "parameters.oncall")

TEAM = """\
# The team's own ten lines.
blueprint: 1
name: churn
extends:
  - template: {source}  # the platform team's
    version: {version}
    parameters: {{mail: ml@acme.example}}  # who is called
platform: sagemaker
region: eu-west-1
datasets: {{customers: {{source: data/customers.csv, format: csv, target: churned}}}}
models:
  churn:
    code: workload/
    runtime: {{framework: scikit-learn, version: 1.9}}
    train: {{script: train.py}}
environments:
  dev: {{account: 123456789012, protect: false}}
  prod:
    account: 210987654321
    serving: {{api: {{scaling: {{max: {most}}}}}}}
"""


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    answer = subprocess.run(
        ["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def release(folder: Path, manifest: str, blueprint: str, tag: str = "") -> None:
    """Write a version of the template; with a tag, committed and tagged."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "template.yaml").write_text(manifest)
    (folder / "blueprint.yaml").write_text(blueprint)
    if tag:
        if not (folder / ".git").exists():
            git(folder, "init", "-q", "-b", "main")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", tag)
        git(folder, "tag", tag)


def publish(folder: Path, *, major: bool = False) -> str:
    """A repository with 1.0.0, 1.1.0 and 1.1.1, and 2.0.0 with `major`; its source."""
    release(folder, MANIFEST, BLUEPRINT, "v1.0.0")
    release(folder, NEXT_MANIFEST, NEXT_BLUEPRINT, "v1.1.0")
    release(folder, PATCH_MANIFEST, NEXT_BLUEPRINT, "v1.1.1")
    if major:
        release(folder, MAJOR_MANIFEST, MAJOR_BLUEPRINT, "v2.0.0")
    return f"git+file://{folder}"


def team(folder: Path, source: str, version: str, *, most: int = 6) -> Cli:
    """A team's checkout, its templates cached beside it."""
    (folder / "data").mkdir(parents=True)
    (folder / "workload").mkdir()
    (folder / "data" / "customers.csv").write_text("churned\n1\n")
    (folder / "workload" / "train.py").write_text("")
    (folder / "workload" / "predict.py").write_text(PREDICT)
    (folder / ".gitignore").write_text(".mlops-iac\n")
    text = TEAM.format(source=source, version=version, most=most)
    (folder / "blueprint.yaml").write_text(text)
    cache = str(folder.parent / "cache")
    return Cli(folder, {**environment(), "MLOPS_IAC_CACHE": cache, "GIT_CONFIG_NOSYSTEM": "1"})


def commit(folder: Path, words: str) -> None:
    """Commit everything, in a repository that is made for it."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", words)


def side_by_side(folder: Path) -> Cli:
    """A repository with a team and its platform's folders, one standing on the other."""
    nested = MANIFEST.replace("platforms:", "extends: [{template: ../base}]\nplatforms:")
    release(folder / "repo/platform/standard", nested, BLUEPRINT)
    git(folder / "repo", "init", "-q", "-b", "main")
    base = "template: 1\nname: acme/base\nversion: 0.1.0\n"
    release(folder / "repo/platform/base", base, "budget: {monthly_usd: 100}\n")
    cli = team(folder / "repo/team", "../platform/standard", "^1.0")
    cli.environment["MLOPS_IAC_CACHE"] = str(folder / "cache")
    cli("compile", "-q")
    commit(folder / "repo", "base")
    return cli


class World:
    """A platform team's repository and a team on its first version, committed.

    A `small` one has one environment, and one other version, which changes one value.
    """

    def __init__(self, folder: Path, *, small: bool = False) -> None:
        self.standard = folder / "standard"
        if small:
            self.source = f"git+file://{self.standard}"
            release(self.standard, MANIFEST, BLUEPRINT, "v1.0.0")
            newer = BLUEPRINT.replace("size: small", "size: medium")
            text = MANIFEST.replace("version: 1.0.0", "version: 1.1.1")
            release(self.standard, text, newer, "v1.1.1")
        else:
            self.source = publish(self.standard, major=True)
        self.cli = team(folder / "team", self.source, "1.0.0")
        self.folder = self.cli.folder
        self.blueprint = self.folder / "blueprint.yaml"
        self.lock = self.folder / "blueprint.lock"
        if small:
            self.change("  dev: {account: 123456789012, protect: false}\n", "")
        self.cli("compile", "-q")
        self.change("version: 1.0.0", "version: ^1.0")
        self.cli("compile", "-q")
        commit(self.folder, "base")

    def change(self, old: str, new: str) -> None:
        text = self.blueprint.read_text()
        assert text.count(old) == 1
        self.blueprint.write_text(text.replace(old, new))

    @property
    def status(self) -> str:
        return git(self.folder, "status", "--porcelain")

    def line(self, words: str) -> int:
        lines = self.blueprint.read_text().splitlines()
        (number,) = [n for n, line in enumerate(lines, 1) if words in line]
        return number
