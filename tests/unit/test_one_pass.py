"""Everything that is wrong is told at once: each fault as if it were alone, and none for another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_iac import load, validate
from mlops_iac.blueprint import torn
from mlops_iac.blueprint.scalars import NOT_YET
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from tests.examples import examples

GOOD = """\
blueprint: 1
name: mini
owner: team@example.com
platform: sagemaker
region: eu-west-1
timezone: Europe/Amsterdam
tags: {team: risk}
datasets:
  rows: {source: data/rows.csv, format: csv, target: y, checks: {x: {at_least: 0}}}
  more: {source: data/rows.csv, format: csv}
models:
  m:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [rows, more]
    metrics: {accuracy: maximize}
    env: {LEVEL: info}
    prepare:
      script: prepare.py
      timeout_minutes: 60
    train:
      script: train.py
      compute: {instance: ml.m5.large, disk_gb: 30}
      hyperparameters: {depth: 3}
    tune:
      strategy: bayesian
      trials: 2
      search: {rate: {continuous: [0.1, 1]}}
    evaluate:
      script: evaluate.py
      gates: {accuracy: {at_least: 0.5}}
    registry: {approval: automatic}
    retrain:
      schedule: "0 3 * * 1"
      limits: [latency_p99_ms]
serving:
  api:
    mode: real-time
    model: m
    compute: {size: small, disk_gb: 30}
    env: {LEVEL: info}
    scaling:
      min: 1
      max: 2
      target: {requests_per_minute: 200}
    rollout: {strategy: all-at-once, limits: {error_rate_percent: {at_most: 1}}}
    monitor: {limits: {latency_p99_ms: {at_most: 500}}}
security: {keys: customer}
alerts: {oncall: {email: team@example.com}}
budget: {monthly_usd: 100, alert_percent: [80, 100]}
exceptions: {cost-tag: {at: ., reason: split by account, until: 2027-01-31}}
environments:
  dev: {account: 012345678901}
  prod:
    account: 210987654321
    deploy_as: arn:aws:iam::210987654321:role/deployer
    existing: {key: "arn:aws:kms:eu-west-1:210987654321:key/1"}
"""

# what is replaced → by what. Every one is a fault by itself, of every kind that there is.
FAULTS = {
    # shape
    "budget: {monthly_usd: 100": "budget: {monthly_usd: much",
    "security: {keys: customer}": "security: {keys: mine}",
    "    env: {LEVEL: info}\n    prepare": "    env: [LEVEL]\n    prepare",
    "timeout_minutes: 60": "timeout_minute: 60",
    "alert_percent: [80, 100]}": "alert_percent: []}",
    "      max: 2\n": "",
    "reason: split by account, ": "",
    "compute: {instance: ml.m5.large, ": "compute: {instance: ml.m5.large, size: small, ",
    "metrics: {accuracy: maximize}": "metrics: {accuracy: maximise}",
    "      search: {rate: {continuous: [0.1, 1]}}": "      search: {rate: {}}",
    # references and texts
    "datasets: [rows, more]": "datasets: [rows, moer]",
    "timezone: Europe/Amsterdam": "timezone: Europe/Amsterdm",
    '"0 3 * * 1"': '"0 3 * *"',
    "email: team@example.com": "email: team",
    "gates: {accuracy:": "gates: {acuracy:",
    # files
    "script: prepare.py": "script: prepar.py",
    "target: y": "target: yy",
    "more: {source: data/rows.csv": "more: {source: data/more.csv",
    # what does not fit together
    "at_most: 1}}}": "at_most: 101}}}",
    "      trials: 2\n": "",
    # the platform
    "region: eu-west-1": "region: eu-west-9",
    "tags: {team: risk}": "tags: {'aws:team': risk}",
    "version: 1.9": "version: 1.8",
    "instance: ml.m5.large": "instance: ml.nope.large",
    "      script: evaluate.py\n": "      script: evaluate.py\n      explain: true\n",
    "      min: 1\n": "      min: 0\n",
    "monitor: {limits": 'monitor: {schedule: "5 * * * *", limits',
    "account: 012345678901": "account: 42",
    "role/deployer": "user/deployer",
    "kms:eu-west-1:": "kms:eu-west-2:",
    # the services
    "owner: team@example.com": "owner: a;b",
    "depth: 3": "depth: " + "x" * 2501,
    "size: small, disk_gb: 30": "size: small, disk_gb: 513",
    "    env: {LEVEL: info}\n    scaling": "    env: {LEVEL: " + "x" * 1025 + "}\n    scaling",
    # guard rails
    "cost-tag": "cost-tg",
}  # fmt: skip
# Of these two only one can be told: the other is about what is not known, then.
APART = [
    {"region: eu-west-1", "kms:eu-west-1:"},  # in which region the key should be
    {"reason: split by account, ", "cost-tag"},  # both are told, and one at the other's name
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one-pass")
    for name in ("workload/prepare.py", "workload/train.py", "workload/evaluate.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    (folder / "workload/predict.py").write_text("from serving import load, predict\n")
    (folder / "data").mkdir()
    (folder / "data" / "rows.csv").write_text("x,y\n1,0\n")
    return folder


def faulty(*faults: str) -> str:
    text = GOOD
    for fault in faults:
        assert text.count(fault) == 1, fault
        text = text.replace(fault, FAULTS[fault])
    return text


def errors(project: Path, text: str) -> list[Diagnostic]:
    (project / "blueprint.yaml").write_text(text)
    return [item for item in validate(project / "blueprint.yaml") if item.severity == "error"]


def told(project: Path, *faults: str) -> list[tuple[str, str]]:
    return sorted((item.code, item.path) for item in errors(project, faulty(*faults)))


@pytest.fixture(scope="module")
def alone(project: Path) -> dict[str, tuple[str, str]]:
    assert errors(project, GOOD) == []
    found = {}
    for fault in FAULTS:
        (found[fault],) = told(project, fault)
    return found


def overlapping(one: str, other: str) -> bool:
    """Whether both change one text, so that they cannot be made together."""
    return (
        FAULTS[one] in GOOD
        or GOOD.replace(one, FAULTS[one], 1).count(other) != 1
        or (GOOD.replace(other, FAULTS[other], 1).count(one) != 1)
    )


def fitting(faults: Iterable[str]) -> list[str]:
    """Those of them that can be made in one file, and told without another."""
    chosen: list[str] = []
    for fault in faults:
        if not any(overlapping(fault, other) or {fault, other} in APART for other in chosen):
            chosen.append(fault)
    return chosen


@given(faults=st.lists(st.sampled_from(list(FAULTS)), min_size=2, max_size=6, unique=True))
@settings(max_examples=examples(150))
@example(faults=["      search: {rate: {continuous: [0.1, 1]}}", "depth: 3"])
@example(faults=["region: eu-west-1", "version: 1.9"])
@example(faults=["account: 012345678901", "role/deployer"])
def test_some_faults_are_told_as_each_of_them_alone(
    project: Path, alone: dict[str, tuple[str, str]], faults: list[str]
) -> None:
    fit = fitting(faults)
    assert told(project, *fit) == sorted(alone[fault] for fault in fit)


def test_all_of_them_are_told_in_the_order_of_the_file(
    project: Path, alone: dict[str, tuple[str, str]]
) -> None:
    faults = fitting(FAULTS)
    found = errors(project, faulty(*faults))
    assert len(faults) > 25
    assert sorted((item.code, item.path) for item in found) == sorted(alone[f] for f in faults)
    assert [item.line for item in found] == sorted(item.line for item in found)
    assert min(item.line for item in found) > 0


def test_every_other_command_tells_the_same(
    project: Path, alone: dict[str, tuple[str, str]]
) -> None:
    """Also where the language finds nothing and only the platform refuses."""
    only_platform = [fault for fault in FAULTS if alone[fault][0] in ("unsupported", "no-image")]
    for faults in (fitting(FAULTS), only_platform):
        expected = errors(project, faulty(*faults))
        with pytest.raises(BlueprintInvalid) as caught:
            load(project / "blueprint.yaml").calls("local")
        assert list(caught.value.diagnostics) == expected


def test_each_environment_is_torn_as_often_however_many_stand_beside_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    tear = torn._tear
    monkeypatch.setattr(torn, "_tear", lambda *given: (made.append(given), tear(*given))[1])
    text, counts = faulty("timeout_minutes: 60", "version: 1.9"), []
    for _ in range(3):
        made.clear()
        errors(project, text)
        counts.append(len(made))
        first = text.count("account:")
        text += "".join(f"  e{first + each}: {{account: 20000000{first + each:04}}}\n"
                        for each in range(4))  # fmt: skip
    assert counts[0] > 0
    assert counts[2] - counts[1] == counts[1] - counts[0]


def test_a_platform_that_is_not_there_comes_first(project: Path) -> None:
    text = faulty("owner: team@example.com", "target: y", "timezone: Europe/Amsterdam")
    found = errors(project, text.replace("platform: sagemaker", "platform: vertex"))
    first, *others = [(item.code, item.path) for item in found]
    assert first == ("unsupported-platform", "platform")
    assert found[0].line == 4
    assert others == [("unknown-timezone", "timezone"), ("no-column", "datasets.rows.target")]


@pytest.mark.parametrize(
    ("key", "good", "value"),
    [
        ("platform", "platform: sagemaker", "sagemakr"),
        ("mode", "mode: real-time", "realtime"),
        ("mode", "mode: real-time", "straming"),
    ],
)
def test_what_no_platform_supports_yet_is_refused_and_not_proposed(
    project: Path, key: str, good: str, value: str
) -> None:
    for later in NOT_YET[key]:
        found = errors(project, GOOD.replace(good, f"{key}: {later}"))
        assert any(item.path.endswith(key) and "yet" in item.message for item in found), later
    (item,) = errors(project, GOOD.replace(good, f"{key}: {value}"))
    assert item.path.endswith(key)
    allowed = {"platform": "sagemaker", "mode": "real-time or batch"}[key]
    assert item.hint.endswith(f"allowed: {allowed}")
