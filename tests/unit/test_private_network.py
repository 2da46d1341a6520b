"""The plan of closed networks: what is asked of which component, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.base import ComponentCall, Ref
from mlops_iac.clouds.registry import platform
from mlops_iac.errors import Diagnostic
from tests.sagemaker_blueprints import MINIMAL, PRIVATE, loaded

SAGEMAKER = platform("sagemaker")
EXISTING = "existing: {network: vpc-1, subnets: [subnet-1], security_groups: [sg-1]}\n"
CLOSED = MINIMAL + "security: {network: private, egress: none}\n"


def plan(folder: Path, text: str, environment: str = "local") -> dict[str, ComponentCall]:
    calls = SAGEMAKER.plan(loaded(folder, text).resolve(environment))
    return {call.variable: call for call in calls}


def problems(folder: Path, text: str, environment: str = "local") -> list[Diagnostic]:
    return SAGEMAKER.check(loaded(folder, text).resolve(environment))


def jobs(call: ComponentCall) -> list[dict[str, Any]]:
    """The arguments of every job, with its network settings at one place."""
    found = []
    for step in json.loads(call.args["definition"].content)["Steps"]:
        arguments = step["Arguments"]
        if step["Type"] in ("Processing", "Training", "Tuning"):
            inner = arguments.get("TrainingJobDefinition", arguments)
            found.append(inner.get("NetworkConfig", inner))
    return found


def test_a_public_stack_has_no_network(tmp_path: Path) -> None:
    calls = plan(tmp_path, MINIMAL)
    assert "network" not in calls
    assert not {"subnets", "security_groups", "egress"} & calls["api"].args.keys()
    for job in jobs(calls["churn_pipeline"]):
        assert not {"VpcConfig", "EnableNetworkIsolation"} & job.keys()


def test_jobs_and_endpoints_are_put_into_the_network(tmp_path: Path) -> None:
    calls = plan(tmp_path, CLOSED)
    assert calls["network"].args["endpoints"] == ["api"]
    assert calls["identity"].args["private_network"].value is True
    for variable in ("api", "churn_pipeline"):
        call = calls[variable]
        assert call.args["subnets"] == Ref("network", "subnet_ids")
        assert call.args["security_groups"] == Ref("network", "security_group_ids")
        assert "network" in call.depends_on
    assert calls["api"].args["egress"].value == "none"


def test_every_job_is_in_the_network_isolated_and_encrypted(tmp_path: Path) -> None:
    found = jobs(plan(tmp_path, PRIVATE, "dev")["adherence_pipeline"])
    assert len(found) == 4
    for job in found:
        assert job["VpcConfig"] == {
            "Subnets": ["${subnet_ids}"],
            "SecurityGroupIds": ["${security_group_ids}"],
        }
        assert job["EnableNetworkIsolation"] is True
        assert job["EnableInterContainerTrafficEncryption"] is True


def test_a_way_out_stays_where_it_is_not_closed(tmp_path: Path) -> None:
    for job in jobs(plan(tmp_path, PRIVATE, "prod")["adherence_pipeline"]):
        assert "VpcConfig" in job
        assert "EnableNetworkIsolation" not in job
        assert job["EnableInterContainerTrafficEncryption"] is True


def test_code_can_be_cut_off_without_a_network(tmp_path: Path) -> None:
    calls = plan(tmp_path, MINIMAL + "security: {egress: none}\n")
    assert "network" not in calls
    for job in jobs(calls["churn_pipeline"]):
        assert job["EnableNetworkIsolation"] is True
        assert "VpcConfig" not in job
    assert calls["api"].args["egress"].value == "none"


def test_the_network_reaches_what_the_stack_needs(tmp_path: Path) -> None:
    args = plan(tmp_path, PRIVATE, "dev")["network"].args
    assert [ref.attribute for ref in args["bucket_arns"]] == ["data.arn", "artifacts.arn"]
    assert args["captures_bucket_arn"] == Ref("data", "captures.arn")
    assert [setting.value for setting in args["uris"]] == [
        "s3://acme-dev/history/",
        "s3://acme-models/baseline/3/",
    ]
    assert set(args["images"].value) == {
        "111122223333/baseline",
        "141502667606/sagemaker-scikit-learn",
    }


def test_an_existing_network_is_handed_on_and_stood_in_for_in_local(tmp_path: Path) -> None:
    text = MINIMAL + "security: {network: private}\n" + EXISTING
    text += "environments: {prod: {account: 012345678901}}\n"
    args = plan(tmp_path, text, "prod")["network"].args
    assert args["vpc_id"].value == "vpc-1"
    assert args["subnets"].value == ["subnet-1"]
    assert args["security_groups"].value == ["sg-1"]
    local = plan(tmp_path, text)["network"].args
    assert not {"vpc_id", "subnets", "security_groups"} & local.keys()


def test_environments_that_differ_share_one_form(tmp_path: Path) -> None:
    """A public one beside private ones has none of it; an existing network goes the same way."""
    assert "network" not in plan(tmp_path, PRIVATE, "local")
    for environment in ("dev", "prod"):
        call = plan(tmp_path, PRIVATE, environment)["api"]
        assert call.args["subnets"] == Ref("network", "subnet_ids")
    assert plan(tmp_path, PRIVATE, "local")["api"].args["egress"].value == "all"


def test_the_traffic_log_is_under_the_stacks_own_key_alone(tmp_path: Path) -> None:
    own = MINIMAL + "security: {network: private, keys: customer}\n"
    calls = plan(tmp_path, own)
    assert calls["network"].args["log_key_arn"] == Ref("keys", "operations_key_arn")
    assert calls["keys"].args["log_services"].value == ["logs"]
    assert "log_key_arn" not in plan(tmp_path, CLOSED)["network"].args


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_closed_networks_are_supported(tmp_path: Path, environment: str) -> None:
    found = problems(tmp_path, PRIVATE, environment)
    assert [item for item in found if item.severity == "error"] == []


REFUSED = [
    (
        "security: {network: private}\nexisting: {network: vpc-1}\n",
        "existing.network",
        "told subnets",
        "subnets",
    ),
    (
        "security: {network: private}\nexisting: {subnets: [a], security_groups: [b]}\n",
        "security.network",
        "which network",
        "existing",
    ),
    (
        "security: {network: private}\nexisting: {network: v, subnets: [a]}\n",
        "existing",
        "takes both",
        "both",
    ),
]


@pytest.mark.parametrize(("written", "path", "message", "hint"), REFUSED)
def test_what_cannot_be_is_told_with_its_place(
    tmp_path: Path, written: str, path: str, message: str, hint: str
) -> None:
    text = MINIMAL + written + "environments: {prod: {account: 012345678901}}\n"
    (item,) = [each for each in problems(tmp_path, text, "prod") if each.severity == "error"]
    assert item.path == path
    assert message in item.message
    assert hint in item.hint
    assert item.line > 0


def test_a_way_out_that_is_not_there_is_told_to_who_writes_it(tmp_path: Path) -> None:
    """It is the default, so that nobody is refused for it."""
    text = MINIMAL + "security: {network: private, egress: all}\n"
    text += "environments: {prod: {account: 012345678901}}\n"
    (item,) = problems(tmp_path, text, "prod")
    assert (item.severity, item.path) == ("warning", "security.egress")
    assert "no way out" in item.message


def test_no_network_is_made_in_china(tmp_path: Path) -> None:
    text = CLOSED.replace("eu-west-1", "cn-north-1")
    text += "environments: {prod: {account: 012345678901}}\n"
    found = [each.path for each in problems(tmp_path, text, "prod")]
    assert "security.network" in found


BROUGHT = "# none\n\npandas>=2,<4\nscikit_learn==1.9.*  # the image's\nnumpy\n"
OFFLINE = {
    "a package that the image has not": (
        BROUGHT + "Matplotlib>=3.9\n",
        ("error", "1.9 has no matplotlib"),
    ),
    "a version that the image has not": (
        "pandas==2.*,>=2.3\n",
        ("error", "1.9 has pandas 2.2.3, not ==2.*,>=2.3"),
    ),
    "only with a marker": (
        "pandas>3; python_version < '3'\n",
        ("warning", "have pandas>3; python_version < '3' already"),
    ),
    "with an extra": ("pandas[parquet]>=2\n", ("warning", "have pandas[parquet]>=2 already")),
    "a version with its hash": ("pandas==2.2.3 \\\n    --hash=sha256:00  # reviewed\n", None),
    "wheels that are not packed": (
        "-f ../workload/wheels\nmatplotlib\n",
        ("error", "has no matplotlib"),
    ),
    "another file": ("-r more.txt\n", ("warning", "have -r more.txt already")),
    "an address": ("churn @ https://acme.example/churn.whl\n", ("error", "has no churn")),
    "a wheel beside it": ("--find-links wheels\nmatplotlib\nacme_kit==1.0\n", None),
    "what the image has": (BROUGHT, None),
}


@pytest.mark.parametrize("title", OFFLINE)
def test_packages_that_nobody_can_fetch_are_told(tmp_path: Path, title: str) -> None:
    blueprint = loaded(tmp_path, CLOSED)
    text, expected = OFFLINE[title]
    (tmp_path / "workload" / "requirements.txt").write_text(text)
    wheels = tmp_path / "workload" / "wheels"
    wheels.mkdir()
    for name in ("matplotlib-3.9-py3-none-any.whl", "Acme.Kit-1.0-py3-none-any.whl"):
        (wheels / name).touch()
    found = SAGEMAKER.check(blueprint.resolve("local"))
    assert [(item.severity, item.code, item.path) for item in found] == (
        [(expected[0], "requirements-offline", "models.churn.code")] if expected else []
    )
    assert all(expected[1] in item.message for item in found)


def test_an_image_whose_packages_nobody_lists_is_a_warning(tmp_path: Path) -> None:
    text = CLOSED.replace("scikit-learn, version: 1.9", "pytorch, version: 2.6")
    blueprint = loaded(tmp_path, text)
    (tmp_path / "workload" / "requirements.txt").write_text("torch==2.6.*\npandas\n")
    (item,) = SAGEMAKER.check(blueprint.resolve("local"))
    assert (item.severity, item.code) == ("warning", "requirements-offline")
    assert "have pandas already" in item.message


def test_where_nothing_is_fetched_every_pip_is_told_so(tmp_path: Path) -> None:
    """`0` turns build isolation off: see `containers.json`. An open stack fetches what it wants."""
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    for text, wanted in ((CLOSED, offline), (MINIMAL, {})):
        calls = plan(tmp_path, text)
        steps = json.loads(calls["churn_pipeline"].args["definition"].content)["Steps"]
        (train,) = [step for step in steps if step["Type"] == "Training"]
        (version,) = [step for step in steps if step["Type"] == "RegisterModel"]
        (container,) = version["Arguments"]["InferenceSpecification"]["Containers"]
        (variant,) = calls["api"].args["variants"]
        served = variant.args.get("environment", {})
        for environment in (train["Arguments"]["Environment"], container["Environment"], served):
            told = {key: environment[key] for key in environment if key.startswith("PIP_")}
            assert {k: getattr(v, "value", v) for k, v in told.items()} == wanted


def test_a_stack_may_be_closed_in_one_environment_alone(tmp_path: Path) -> None:
    text = MINIMAL + "environments:\n  prod: {account: 012345678901, security: {egress: none}}\n"
    assert problems(tmp_path, text, "prod") == []
    variant = plan(tmp_path, text, "prod")["api"].args["variants"][0]
    assert variant.args["environment"]["PIP_NO_INDEX"].value == "1"


def test_an_image_of_ones_own_brings_its_packages(tmp_path: Path) -> None:
    image = "{image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn:1}"
    text = CLOSED.replace("{framework: scikit-learn, version: 1.9}", image)
    blueprint = loaded(tmp_path, text)
    (tmp_path / "workload" / "requirements.txt").write_text("pandas\n")
    assert SAGEMAKER.check(blueprint.resolve("local")) == []


def test_the_audit_trail_watches_what_jobs_and_endpoints_touch(tmp_path: Path) -> None:
    calls = plan(tmp_path, PRIVATE, "dev")
    trail = calls["audit"]
    assert trail.args["bucket"] == Ref("data", "audit.bucket")
    assert [ref.attribute for ref in trail.args["bucket_arns"]] == ["data.arn", "artifacts.arn"]
    assert trail.args["captures_bucket_arn"] == Ref("data", "captures.arn")
    assert trail.args["key_arn"] == Ref("keys", "operations_key_arn")
    assert calls["data"].args["audit"].value is True
    assert calls["keys"].args["log_services"].value == ["logs", "cloudtrail"]
    assert "data" in trail.depends_on


def test_without_an_audit_log_there_is_no_trail(tmp_path: Path) -> None:
    assert "audit" not in plan(tmp_path, PRIVATE, "prod")
    assert plan(tmp_path, PRIVATE, "prod")["data"].args["audit"].value is False
    assert "audit" not in plan(tmp_path, MINIMAL)["data"].args


def test_a_key_of_the_users_admits_no_trail(tmp_path: Path) -> None:
    text = MINIMAL + "security: {audit_log: true, keys: customer}\n"
    text += "environments: {prod: {account: 012345678901, existing: {key: 'arn:aws:kms:eu-west-1:012345678901:key/1'}}}\n"
    calls = plan(tmp_path, text, "prod")
    assert "key_arn" not in calls["audit"].args
    assert "audit_key_arn" not in calls["data"].args
    assert calls["keys"].args["log_services"].value == []


def test_names_of_components_are_taken_where_there_are_such(tmp_path: Path) -> None:
    named = MINIMAL.replace("serving: {api:", "serving: {network:")
    assert problems(tmp_path, named) == []
    (item,) = problems(tmp_path, named + "security: {network: private}\n")
    assert (item.path, item.code) == ("serving.network", "name-taken")
    named = named.replace("{network:", "{audit:")
    assert problems(tmp_path, named) == []
    (item,) = problems(tmp_path, named + "security: {audit_log: true}\n")
    assert (item.path, item.code) == ("serving.audit", "name-taken")


# What differs between closed environments, each time in one program.
DIFFERENT = [
    "dev: {serving: {api: {capture: null}}}\n  prod: {}",
    "dev: {security: {network: public}}\n  prod: {}",
    "dev: {security: {audit_log: false}}\n  prod: {}",
    "dev: {}\n  prod: {security: {egress: all}, existing: {network: v, subnets: [a, b, c], security_groups: [d]}}",
    "dev: {security: {keys: provider}}\n  prod: {}",
]


@pytest.mark.parametrize("environments", DIFFERENT)
def test_closed_environments_that_differ_share_one_program(
    tmp_path: Path, environments: str
) -> None:
    import mlops_iac
    from mlops_iac.api.compile import captures
    from tests.sagemaker_blueprints import write

    text = CLOSED.replace("{mode: real-time}", "{mode: real-time, capture: {}}")
    text = text.replace("egress: none}", "egress: none, keys: customer, audit_log: true}")
    path = write(tmp_path, text + f"environments:\n  {environments}\n")
    program = captures.build(mlops_iac.load(path), tmp_path / "out")
    main = program.files["__main__.py"].decode()
    compile(main, "__main__.py", "exec")
    assert "network = Network(" in main
    assert "audit = AuditTrail(" in main
