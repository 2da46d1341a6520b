"""A cloud that another distribution brings goes through every command: `tests/fake_cloud/`.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import ROOT, Cli, environment, teach_nothing

FAKE = str(ROOT / "tests" / "fake_cloud")
BLUEPRINT = """\
blueprint: 1
name: flowers
owner: botany@example.org
tags: {cost-centre: 4711}
platform: fake
region: left
options: {fake: {replicas: 2}}

datasets:
  irises: {source: data/irises.csv, format: csv, target: species}
  guesses: {format: csv}

models:
  iris:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    metrics: {accuracy: maximize}
    prepare: {script: prepare.py}
    train: {script: train.py}
    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.75}}}

serving:
  api: {mode: real-time, model: iris, compute: {size: medium}}
  night: {mode: batch, model: iris, schedule: "0 3 * * *", input: irises, output: guesses}

environments:
  staging: {account: fake-1}
  prod:
    account: fake-2
    region: right
    models: {iris: {promote_from: staging}}
    serving: {api: {compute: {size: large}}}
"""


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    folder = tmp_path_factory.mktemp("fake") / "project"
    for part in ("data", "workload"):
        (folder / part).mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(BLUEPRINT)
    (folder / "data" / "irises.csv").write_text("petal,species\n1,0\n")
    for name in ("prepare", "train", "evaluate", "predict"):
        (folder / "workload" / f"{name}.py").touch()
    teach_nothing(folder)
    subprocess.run(["git", "init", "-q", folder], check=True)
    return Cli(folder, environment() | {"PYTHONPATH": FAKE})


@pytest.fixture
def world(fake: Cli) -> Iterator[dict[str, Any]]:
    """What the emulated cloud holds; what is done to it, somebody has done by hand."""
    file = fake.folder / ".mlops-iac" / "emulator" / "world.json"
    found = json.loads(file.read_text())
    yield found
    file.write_text(json.dumps(found))


def change(fake: Cli, old: str, new: str) -> None:
    path = fake.folder / "blueprint.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def committed(fake: Cli, message: str) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(fake.folder)]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", message], check=True)


def test_without_it_there_is_no_such_platform(fake: Cli) -> None:
    answer = fake("validate", expect=2, PYTHONPATH="")
    assert "'fake' is not a value of platform" in answer.err
    assert "fake" not in fake("schema", PYTHONPATH="").out


def test_what_a_checkout_has_under_the_name_is_not_looked_at(fake: Cli) -> None:
    stray = fake.folder / "mlops_iac_clouds"
    stray.mkdir()
    (stray / "mine.py").write_text("raise SystemExit('ran')")
    fake("validate")
    code = "import mlops_iac; print(mlops_iac.load('blueprint.yaml').name)"
    done = subprocess.run(
        [fake_python(), "-c", code], cwd=fake.folder, env=fake.environment, capture_output=True
    )
    assert done.stdout == b"flowers\n", done.stderr
    (stray / "mine.py").unlink()
    stray.rmdir()


def fake_python() -> str:
    return environment()["MLOPS_IAC_WORKLOAD_PYTHON"]


def test_validate_tells_what_the_platform_refuses(fake: Cli) -> None:
    change(fake, "region: left", "region: up")
    change(fake, "{replicas: 2}", "{replicas: 0}")
    change(fake, "size: medium}}", "size: medium}, capture: {percent: 5}, callers: [x]}")
    change(fake, ', schedule: "0 3 * * *"', "")
    answer = fake("validate", expect=2)
    (fake.folder / "blueprint.yaml").write_text(BLUEPRINT)
    for place, words in (
        ("6:9:", "the fake cloud has no region 'up'"),
        ("7:28:", "options.fake.replicas must be at least 1"),
        ("23:", "serving.api.capture: the fake cloud forgets every call"),
        ("23:", "serving.api.callers is not supported on Fake yet"),
        ("24:3:", "batch serving has no schedule"),
    ):
        assert any(
            line.startswith(f"blueprint.yaml:{place}") and words in line
            for line in answer.err.splitlines()
        ), (place, words, answer.err)
    change(fake, "mode: batch", "mode: streaming")
    answer = fake("validate", expect=2)
    (fake.folder / "blueprint.yaml").write_text(BLUEPRINT)
    assert "blueprint.yaml:24:11: error" in answer.err
    assert "serving.night.mode: only real-time, batch are served" in answer.err


def test_compile_twice_gives_the_same(fake: Cli) -> None:
    fake("compile")
    program = fake.folder / "stacks" / "flowers"
    before = files(program)
    assert "nothing changed" in fake("compile").err
    assert files(program) == before
    requirements = (program / "requirements.txt").read_text()
    assert "pulumi-fake==1.0.0" in requirements and "aws" not in requirements
    lock = json.loads((program / "mlops-iac.prod.lock.json").read_text())
    assert lock["versions"].keys() == {"mlops-iac", "pulumi"}  # the SDK is not installed here
    assert "version" in str(lock["resources"])
    committed(fake, "one")


def test_the_lock_is_what_the_blueprint_gives(fake: Cli) -> None:
    fake("preview", "-s", "prod", "--expect-no-changes")
    assert fake("policy", "check").code == 0  # its own rule, and none of another cloud's


def test_its_guard_rail_is_asked(fake: Cli) -> None:
    change(
        fake,
        "environments:",
        "overrides: {store.Bucket/store-bucket: {encrypted: false}}\nenvironments:",
    )
    answer = fake("policy", "check", expect=5)
    assert "encrypted-bucket" in answer.err + answer.out
    (fake.folder / "blueprint.yaml").write_text(BLUEPRINT)


def test_a_review_tells_lines_risks_and_facts(fake: Cli) -> None:
    change(fake, "replicas: 2", "replicas: 3")
    page, comment = fake.folder / "review.html", fake.folder / "review.md"
    options = ("--html", str(page), "--markdown", str(comment))
    fake("preview", "-s", "prod", "--against", "HEAD", *options)
    told = comment.read_text()
    assert "blueprint.yaml:7" in told and "copies: 2 → 3" in told
    assert "store-bucket" in page.read_text()
    page.unlink()
    comment.unlink()
    (fake.folder / "blueprint.yaml").write_text(BLUEPRINT)


def test_graph_and_explain(fake: Cli) -> None:
    assert "Training" in fake("graph").out
    assert "blueprint.yaml:23" in fake("explain", "serving.api.compute.size").out


def test_up_without_a_version(fake: Cli) -> None:
    answer = fake("up", "--yes")
    assert "waits for a first approved version: api (model iris), night (model iris)" in answer.err
    found = fake("status", "--json").json
    assert found["next"] == ["mlops-iac run"]
    assert found["entries"][0]["missing"] == "iris has no version yet"
    answer = fake("invoke", "api", expect=2)
    assert "api has no endpoint yet: iris has no version yet" in answer.err
    assert "fix: `mlops-iac run`" in answer.err


def test_run_registers_what_a_person_approves(fake: Cli) -> None:
    result = fake("run", "--json").json
    assert (result["status"], result["model_package"]) == ("registered", "flowers-local-iris/1")
    assert list(result["steps"]) == [
        "Prepare",
        "Train",
        "Seal",
        "Evaluate",
        "SealReport",
        "Try",
        "SealExamples",
        "Gate",
        "Register",
    ]
    [version] = fake("models", "ls", "--json").json
    assert (version["status"], version["metrics"]) == ("PendingManualApproval", {"accuracy": 0.8})
    assert "waits for approval" in fake("invoke", expect=2).err
    fake("models", "approve", "1", "--comment", "smells right")
    told = fake("models", "ls").out
    assert "by whoever asks: smells right" in told and "serves" not in told
    assert "iris/1 is approved and not deployed yet" in fake("local", "status").err


def test_a_saved_plan_is_what_is_applied(fake: Cli) -> None:
    plan = fake.folder / "plan.json"
    fake("preview", "--save-plan", str(plan))
    answer = fake("up", "--yes", "--plan", str(plan))
    assert "+2 create" in answer.err and "serves iris/1" in answer.err
    plan.unlink()
    outputs = fake("outputs", "--json").json
    assert outputs["api_endpoint"] == "flowers-local-api" and outputs["night_pending"] == []
    fake("preview", "--expect-no-changes")


def test_status_tells_what_serves(fake: Cli) -> None:
    found = fake("status", "--json").json
    assert [(each["name"], each["state"]) for each in found["entries"]] == [
        ("api", "InService"),
        ("night", "InService"),
    ]
    [variant] = found["entries"][0]["variants"]
    assert (variant["model"], variant["version"], variant["approval"]) == ("iris", "1", "Approved")
    assert found["models"][0]["last_run"]["status"] == "registered" and found["notes"] == []


def test_what_serves_is_called(fake: Cli) -> None:
    assert "  serves  " in fake("models", "ls").out
    assert "  mlops-iac invoke api" in fake("local", "status").err
    answer = fake("invoke")
    header, row = answer.out.splitlines()
    assert (header.split(), row.split()) == (["petal", "prediction"], ["1", "1"])
    assert "1 prediction in 1 ms by flowers-local-api, variant main" in answer.err
    (fake.folder / "rows.csv").write_text("petal,kind\n1,a\n2.5,\n")
    assert fake("invoke", "api", "--rows", "rows.csv", "--json", "--variant", "main").json == {
        "entry": "api",
        "endpoint": "flowers-local-api",
        "variant": "main",
        "predictions": [2, 2],
        "latency_ms": 1.0,
        "rows": [{"petal": 1.0, "kind": "a"}, {"petal": 2.5, "kind": None}],
    }
    (fake.folder / "leaf.png").write_bytes(b"12345")
    assert fake("invoke", "--rows", "leaf.png").out == "5 bytes of image/png\n"
    (fake.folder / "leaf.png").unlink()
    (fake.folder / "rows.csv").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "mlops_iac", "invoke", "--rows", "-", "--first", "2", "--json"],
        cwd=fake.folder, env=fake.environment, input=b'{"petal": 1}\n' * 3, capture_output=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["predictions"] == [1, 1], done.stderr


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (["ap"], 2, "did you mean 'api'?"),
        (["night"], 2, "fix: `mlops-iac run night`"),
        (["--rows", "gone.csv"], 2, "there is no file gone.csv"),
        (["--rows", '{"petal": '], 2, "is not JSON: "),
        (["--rows", "[]"], 2, "there are no rows"),
        (["--rows", "dataset:guesses"], 2, "beside the blueprint are: irises"),
        (["--rows", json.dumps([{"petal": 1}] * 200)], 2, "an endpoint takes at once"),
        (["--rows", '[{"petal": 1}, {}]'], 2, "refused row 2 of what was given: no petal"),
        (["--rows", '{"petal": "break"}'], 4, "the model of api failed: ZeroDivisionError"),
        (["--variant", "other"], 2, "it has: main"),
        (["--variant", "a\nb"], 2, "is no name of a variant"),
        (["--rows", "[1]", "--content-type", "a/b"], 2, "a file is sent as it is"),
        (["--rows", "blueprint.yaml", "--content-type", "yaml"], 2, "'yaml' is no content type"),
        (["-s", "nowhere"], 6, "nowhere"),
    ],
)
def test_what_cannot_be_predicted_is_one_error(
    fake: Cli, typed: list[str], code: int, said: str
) -> None:
    answer = fake("invoke", *typed, expect=code)
    assert said in answer.err and answer.out == ""


def test_a_service_that_failed_says_why(fake: Cli, world: dict[str, Any]) -> None:
    service = world["things"]["fake:serve/service:Service|flowers-local-api"]["inputs"]
    service |= {"state": "Failed", "reason": "the greenhouse is on fire"}


def test_its_reason_is_what_a_caller_is_told(fake: Cli) -> None:
    assert "api is not in service: the greenhouse is on fire" in fake("invoke", expect=4).err
    [api, _] = fake("status", "--json").json["entries"]
    assert (api["serves"], api["missing"]) == (False, "the greenhouse is on fire")


def test_somebody_changes_things_by_hand(world: dict[str, Any]) -> None:
    things = world["things"]
    things["fake:store/bucket:Bucket|flowers-local"]["inputs"]["encrypted"] = False
    del things["fake:serve/service:Service|flowers-local-api"]


def test_refresh_takes_over_what_drifted_and_up_mends_it(fake: Cli) -> None:
    assert fake("status", "--json").json["entries"][0]["state"] == "Missing"
    answer = fake("refresh", "--yes")
    assert "[it vanished]" in answer.err + answer.out and "[it drifted]" in answer.err + answer.out
    answer = fake("up", "--yes")
    assert "+1 create · ~1 update" in answer.err


def test_a_rehearsal_promotes(fake: Cli) -> None:
    for words in ("up -s staging --yes", "run -s staging", "models approve -s staging 1"):
        fake(*words.split(), "--emulated")
    fake("up", "-s", "prod", "--yes", "--emulated")
    fake("up", "-s", "staging", "--yes", "--emulated")
    answer = fake("promote", "--from", "staging", "--to", "prod", "--yes", "--emulated")
    assert "iris/1" in answer.err + answer.out
    fake("destroy", "-s", "prod", "--yes", "--emulated")
    fake("destroy", "-s", "staging", "--yes", "--emulated")


def test_destroy_tells_what_goes(fake: Cli, world: dict[str, Any]) -> None:
    answer = fake("destroy", "--yes")
    assert "1 registered versions of flowers-local-iris go, too" in answer.err
    world.clear()
    world.update(json.loads((fake.folder / ".mlops-iac/emulator/world.json").read_text()))
    assert world["things"] == {} and world["versions"] == {}


def test_the_emulator_is_started_and_stopped(fake: Cli) -> None:
    assert "emulated Fake" in fake("local", "start").err
    fake("local", "stop")
    fake("local", "status", expect=1)


def test_stacks_are_listed_and_added(fake: Cli) -> None:
    fake("stack", "add", "qa", "--from", "staging")
    assert "qa       fake-1 left" in fake("stack", "ls", "--offline").out
    answer = fake("preview", "--all-stacks", "-s", "qa")
    assert "+6 create" in answer.out + answer.err
    fake("stack", "rm", "qa", "--yes", "--force")


def test_components_are_ejected_and_taken_back(fake: Cli) -> None:
    fake("eject", "Store")
    program = fake.folder / "stacks" / "flowers"
    source = Path(FAKE, "fake_cloud", "components", "store.py").read_bytes()
    assert (program / "components" / "store.py").read_bytes() == source
    fake("preview", "-s", "prod", "--expect-no-changes")
    fake("eject", "--undo")
    assert not (program / "components").exists()


@pytest.mark.parametrize("system", ["github", "gitlab", "azure-devops"])
def test_ci_signs_in_to_it(fake: Cli, system: str) -> None:
    fake("ci", "generate", system)
    folder = fake.folder / {"github": ".github", "gitlab": ".gitlab"}.get(
        system, ".azure-pipelines"
    )
    text = b"".join(files(folder).values()).decode()
    assert "fake sign-in" in text and "AWS" not in text


def test_the_real_cloud_asks_who_one_is(fake: Cli) -> None:
    """No backend, no credentials: an error each, and never a traceback."""
    assert fake("up", "-s", "prod", "--yes", expect=None).code in (2, 3)
    assert "mlops-iac-fake" in fake("doctor", expect=None).out


def test_templates_are_written_and_tested(fake: Cli) -> None:
    fake("template", "init", "tulips", "--platform", "fake")
    answer = fake("template", "test", "tulips")
    assert "0 error(s), 0 warning(s), 3 of 3 case(s) passed" in answer.out + answer.err
    (fake.folder / "new").mkdir()
    (fake.folder / "tulips").rename(fake.folder / "new" / "tulips")
    fake("-C", "new", "init", "./tulips", ".", "--defaults")
    assert "region: left" in (fake.folder / "new" / "blueprint.yaml").read_text()
    fake("-C", "new", "validate")
