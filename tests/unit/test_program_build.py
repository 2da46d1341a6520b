"""Plans of several environments → one program: what is printed, configured, shared and refused."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.base import (
    Archive,
    ComponentCall,
    Construct,
    Definition,
    Ref,
    Setting,
    UserFile,
)
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.program.build import Program, ProjectInput, build

PARTS = "fakecloud.parts"
ENVIRONMENTS = ("dev", "staging", "prod")


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    path = tmp_path / "blueprint.yaml"
    path.write_text("blueprint: 1\n")
    return path


def call(variable: str, args: Mapping[str, Any] | None = None, **more: Any) -> ComponentCall:
    fields: dict[str, Any] = {"component": f"{PARTS}:Part", "name": variable, "path": variable}
    return ComponentCall(variable=variable, args=args or {}, **(fields | more))


def compiled(
    blueprint: Path, plans: Mapping[str, Sequence[ComponentCall]], **project: Any
) -> Program:
    source = ProjectInput("demo", "Does it work?", blueprint, **project)
    return build(source, plans, {}, blueprint.parent / "out")


def text(program: Program) -> str:
    return program.files["__main__.py"].decode()


def test_what_is_equal_everywhere_is_a_literal_and_configures_nothing(blueprint: Path) -> None:
    plan = [call("data", {"size": Setting(3, "data.size"), "names": ["a", "b"]})]
    program = compiled(blueprint, dict.fromkeys(ENVIRONMENTS, plan))
    assert 'data = Part("data", PartArgs(size=3, names=["a", "b"]))' in text(program)
    assert program.config == {"dev": {}, "staging": {}, "prod": {}}
    assert "settings" not in text(program)


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ((1, 2), "integer"),
        ((1, 2.5), "number"),
        ((True, False), "flag"),
        (("x", "y"), "text"),
        ((["x"], ["x", "y"]), "items"),
        (({"k": 1}, {"k": 2}), "mapping"),
        ((None, 2), "optional_integer"),
        ((None, "x"), "optional_text"),
    ],
)
def test_a_setting_that_differs_is_read_by_its_blueprint_path_and_type(
    blueprint: Path, values: tuple[Any, Any], method: str
) -> None:
    plans = {
        env: [call("api", {"x": Setting(value, "serving.api.x")})]
        for env, value in zip(("dev", "prod"), values, strict=True)
    }
    program = compiled(blueprint, plans)
    assert f'PartArgs(x=settings.{method}("serving.api.x"))' in text(program)
    for env, value in zip(("dev", "prod"), values, strict=True):
        expected = {} if value is None else {"demo:serving.api.x": value}
        assert program.config[env] == expected
    assert program.optional == (
        {"demo:serving.api.x"} if method.startswith("optional") else frozenset()
    )


def test_an_optional_setting_is_read_even_where_no_environment_has_it(blueprint: Path) -> None:
    plan = [call("api", {"version": Setting(None, "models.m.version", optional=True)})]
    program = compiled(blueprint, {"dev": plan, "prod": plan})
    assert 'version=settings.optional_text("models.m.version")' in text(program)
    assert program.optional == {"demo:models.m.version"}


def test_true_and_one_are_not_the_same(blueprint: Path) -> None:
    plans = {"dev": [call("a", {"x": True})], "prod": [call("a", {"x": 1})]}
    with pytest.raises(BlueprintInvalid) as caught:
        compiled(blueprint, plans)
    assert caught.value.diagnostics[0].path == "a.x"


def test_the_environments_name_is_the_stack_and_needs_no_configuration(blueprint: Path) -> None:
    plans = {env: [call("a", {"env": env, "bucket": f"acme-{env}-x"})] for env in ENVIRONMENTS}
    program = compiled(blueprint, plans)
    assert 'PartArgs(env=stack, bucket=f"acme-{stack}-x")' in text(program)
    assert "stack = pulumi.get_stack()" in text(program)
    assert not any(program.config.values())


def test_data_that_differs_without_a_setting_gets_a_key_from_its_place(blueprint: Path) -> None:
    plans = {
        "dev": [call("api", {"limit": {"cpu": 1, "gb": 4}}, path="serving.api")],
        "prod": [call("api", {"limit": {"cpu": 2, "gb": 4}}, path="serving.api")],
    }
    program = compiled(blueprint, plans)
    assert 'limit={"cpu": settings.integer("serving.api.limit.cpu"), "gb": 4}' in text(program)
    assert program.config["prod"] == {"demo:serving.api.limit.cpu": 2}


def test_a_call_of_some_environments_stands_behind_one_flag_with_its_dependants(
    blueprint: Path,
) -> None:
    def plan(env: str) -> list[ComponentCall]:
        calls = [call("data")]
        if env == "prod":
            calls += [
                call("edge", {"x": Ref("data", "arn")}, path="serving.edge", exports={"e": "arn"}),
                call("edge_monitor", {"of": Ref("edge", "arn")}, path="serving.edge.monitor"),
            ]
        return [*calls, call("budget", {"watch": Ref("edge", "arn") if env == "prod" else None})]

    program = compiled(blueprint, {env: plan(env) for env in ENVIRONMENTS})
    assert (
        'if settings.flag("serving.edge.enabled"):\n'
        "    # serving.edge\n"
        '    edge = Part("edge", PartArgs(x=data.arn))\n'
        "\n"
        "    # serving.edge.monitor\n"
        '    edge_monitor = Part("edge_monitor", PartArgs(of=edge.arn))\n'
        "\n"
        '    pulumi.export("e", edge.arn)\n'
    ) in text(program)
    assert 'watch=edge.arn if settings.flag("serving.edge.enabled") else None' in text(program)
    assert program.config["dev"] == {"demo:serving.edge.enabled": False}
    assert program.config["prod"] == {"demo:serving.edge.enabled": True}


def test_a_dependant_of_fewer_environments_stands_behind_both_flags(blueprint: Path) -> None:
    edge = call("edge", path="serving.edge")
    watcher = call("watcher", {"of": Ref("edge")}, path="watch")
    program = compiled(blueprint, {"dev": [], "staging": [edge], "prod": [edge, watcher]})
    assert 'if settings.flag("serving.edge.enabled") and settings.flag("watch.enabled"):' in text(
        program
    )


def test_an_argument_that_some_environments_lack_is_conditional(blueprint: Path) -> None:
    rollback = Construct(f"{PARTS}:Rollback", {"p": Setting(5, "s.rollback.p")})
    plans = {"dev": [call("a", {"r": None})], "prod": [call("a", {"r": rollback})]}
    program = compiled(blueprint, plans)
    assert 'r=Rollback(p=5) if settings.flag("a.r.enabled") else None' in text(program)
    assert program.config["dev"] == {"demo:a.r.enabled": False}


def test_an_omitted_argument_is_the_classs_default_and_a_literal_type_a_choice(
    blueprint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shapes_for_defaults.py").write_text(
        "from dataclasses import dataclass, field\nfrom typing import Literal\n"
        'Mode = Literal["calm", "fast"]\n'
        "@dataclass\nclass Rollout:\n    mode: Mode = 'calm'\n    percent: int = 100\n"
        "@dataclass\nclass PartArgs:\n    rollout: Rollout = field(default_factory=Rollout)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = "shapes_for_defaults"
    rollout = Construct(
        f"{module}:Rollout",
        {"mode": Setting("fast", "r.mode"), "percent": Setting(10, "r.percent")},
    )
    plans = {
        "dev": [call("a", {}, component=f"{module}:Part")],
        "prod": [call("a", {"rollout": rollout}, component=f"{module}:Part")],
    }
    program = compiled(blueprint, plans)
    assert 'mode=settings.choice("r.mode", "calm", "fast")' in text(program)
    assert program.config["dev"] == {"demo:r.mode": "calm", "demo:r.percent": 100}


def test_definitions_are_shared_where_equal_and_picked_by_stack_where_not(blueprint: Path) -> None:
    plans = {
        env: [call("a", {"d": Definition("p/x.json", env), "e": Definition("same.json", "{}")})]
        for env in ENVIRONMENTS
    }
    program = compiled(blueprint, plans)
    assert 'd=settings.definition(f"p/x.{stack}.json")' in text(program)
    assert 'e=settings.definition("same.json")' in text(program)
    assert program.files["p/x.prod.json"] == b"prod"
    assert program.files["same.json"] == b"{}"
    assert "p/x.json" not in program.files


def test_files_are_named_relative_to_the_program(blueprint: Path) -> None:
    code = blueprint.parent / "code"
    code.mkdir()
    (code / "train.py").write_text("print()")
    plan = [
        call(
            "a",
            {
                "data": UserFile(str(blueprint.parent / "data" / "x.csv")),
                "code": Archive("code/m.tar.gz", str(code), {"entry.py": b"1"}),
            },
        )
    ]
    program = compiled(blueprint, {"dev": plan})
    assert 'data=pulumi.FileAsset("../data/x.csv")' in text(program)
    assert 'code=pulumi.FileAsset("code/m.tar.gz")' in text(program)
    assert str(blueprint.parent) not in text(program)
    assert set(program.made_from) == {"code/m.tar.gz"}


def test_tags_that_calls_share_become_one_variable(blueprint: Path) -> None:
    tags = {"project": "demo", "owner": "me"}
    program = compiled(blueprint, {"dev": [call("a", {"tags": tags}), call("b", {"tags": tags})]})
    assert text(program).count('"owner"') == 1
    assert 'a = Part("a", PartArgs(tags=tags))' in text(program)


@pytest.mark.parametrize(
    ("left", "right", "names"),
    [
        (
            Construct(f"{PARTS}:A", {}),
            Construct(f"{PARTS}:B", {}),
            "the kind of building block",
        ),
        ([Ref("data")], [Ref("data"), Ref("data")], "the number of entries"),
        (Ref("data", "x"), Ref("data", "y"), "what it refers to"),
        (Setting("a", "x"), Setting(1, "x"), "the type of the value"),
        (Setting("a", "x"), Setting("b", "y"), "where the value comes from (x, y)"),
        ({"a": Ref("data")}, {"b": Ref("data")}, "the set of names"),
    ],
)
def test_a_deeper_difference_is_refused_with_path_and_advice(
    blueprint: Path, left: Any, right: Any, names: str
) -> None:
    plans = {
        "dev": [call("data"), call("a", {"x": left}, path="serving.a")],
        "prod": [call("data"), call("a", {"x": right}, path="serving.a")],
    }
    with pytest.raises(BlueprintInvalid) as caught:
        compiled(blueprint, plans)
    diagnostic = caught.value.diagnostics[0]
    assert names in diagnostic.message
    assert "dev, prod" in diagnostic.message
    assert "two blueprints" in diagnostic.hint
    assert diagnostic.path


def test_one_key_cannot_hold_two_values(blueprint: Path) -> None:
    plans = {
        env: [call("a", {"x": Setting(x, "k"), "y": Setting(y, "k")})]
        for env, x, y in (("dev", 1, 2), ("prod", 3, 4))
    }
    with pytest.raises(BlueprintInvalid, match="share this path"):
        compiled(blueprint, plans)


def test_a_reference_to_what_is_not_made_before_is_a_bug_of_the_platform(blueprint: Path) -> None:
    with pytest.raises(ValueError, match=r"'a' refers to \['b'\]"):
        compiled(blueprint, {"dev": [call("a", {"x": Ref("b")}), call("b")]})


def test_names_that_python_keeps_for_itself_get_an_underscore(blueprint: Path) -> None:
    plan = [call("input"), call("class"), call("pulumi", {"x": Ref("class", "y")})]
    program = compiled(blueprint, {"dev": plan})
    assert 'class_ = Part("class", PartArgs())' in text(program)
    assert "input_ = " in text(program)
    assert "pulumi_ = " in text(program)
    assert "x=class_.y" in text(program)


def test_a_name_that_pulumi_refuses_is_refused_here(blueprint: Path) -> None:
    with pytest.raises(UsageError, match="no name for a Pulumi project"):
        build(ProjectInput("a b", "", blueprint), {"dev": []}, {}, blueprint.parent)


def everything(env: str, code: Path) -> list[ComponentCall]:
    tags = {"project": "demo", "environment": env, "owner": "x@y"}
    prod = env == "prod"
    calls = [
        call("keys", {"tags": tags, "mode": Setting("customer", "security.keys")}, path=""),
        call(
            "data",
            {
                "tags": tags,
                "text": 'He said "no", and it\'s a \\ fine\nday with wide 日本 text',
                "arn": Ref("keys", "arn"),
                "code": Archive("code/a.tar.gz", str(code)),
                "many": [Ref("keys", f"attribute_number_{n}") for n in range(9)],
            },
        ),
        call(
            "api",
            {
                "tags": tags,
                "scaling": Construct(
                    f"{PARTS}:Scaling",
                    {"low": Setting(2 if prod else 1, "serving.api.scaling.low"), "high": 4},
                ),
                "a_rather_long_argument_name": (
                    Construct(f"{PARTS}:Rollback", {"p": 5, "q": Ref("data", "arn")})
                    if prod
                    else None
                ),
            },
            path="serving.api",
            depends_on=["data"],
            exports={"endpoint": "endpoint.name"},
        ),
    ]
    if prod:
        calls.append(call("edge", {"tags": tags, "x": Ref("data", "arn")}, path="serving.edge"))
        calls.append(
            call(
                "watch",
                {"x": Ref("edge", "arn")},
                component=f"{PARTS}:AVeryLongComponentNameThatNeedsItsOwnImportLine",
            )
        )
    return calls


@pytest.fixture
def full_program(blueprint: Path) -> Program:
    code = blueprint.parent / "code"
    code.mkdir()
    (code / "train.py").write_text("print()")
    overrides = {env: {"sagemaker.Endpoint/api": {"name": f"{env}-x"}} for env in ENVIRONMENTS}
    plans = {env: everything(env, code) for env in ENVIRONMENTS}
    return compiled(blueprint, plans, overrides=overrides)


def test_the_program_is_formatted_linted_and_byte_identical(
    full_program: Program, blueprint: Path, tmp_path: Path
) -> None:
    main = tmp_path / "__main__.py"
    main.write_bytes(full_program.files["__main__.py"])
    ruff = [sys.executable, "-m", "ruff"]
    formatted = subprocess.run(
        [*ruff, "format", "--isolated", "--diff", main],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert formatted.returncode == 0, formatted.stdout
    rules = "A,B,C4,E4,E7,E9,F,I,N,PIE,RUF100,SIM,UP,W"
    linted = subprocess.run(
        [*ruff, "check", "--isolated", "--select", rules, main],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert linted.returncode == 0, linted.stdout
    plans = {env: everything(env, blueprint.parent / "code") for env in ENVIRONMENTS}
    overrides = {env: {"sagemaker.Endpoint/api": {"name": f"{env}-x"}} for env in ENVIRONMENTS}
    again = compiled(blueprint, plans, overrides=overrides)
    assert again.files == full_program.files
    assert again.config == full_program.config


def test_no_import_is_missing(full_program: Program) -> None:
    tree = ast.parse(full_program.files["__main__.py"])
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {"pulumi", "Path", "Settings", "Overrides", "Part", "PartArgs", "Scaling"} <= imported
    assert text(full_program).rstrip().endswith("overrides.verify(settings)")


def test_the_header_says_what_wrote_it_and_from_what(full_program: Program) -> None:
    head = text(full_program)[:300]
    assert head.startswith('"""demo: Does it work?\n')
    assert "from blueprint.yaml (sha256:" in head


def test_pins_are_those_this_release_is_tested_with() -> None:
    import tomllib

    from mlops_iac.program.project_files import requirements

    here = Path(__file__).resolve().parents[2] / "pyproject.toml"
    project = tomllib.loads(here.read_text())["project"]
    dev = project["optional-dependencies"]["dev"]
    lines = requirements(["aws"]).decode().splitlines()
    assert lines[0] == f"mlops-iac[aws]=={project['version']}"
    for line in lines[1:]:
        assert line in dev


def test_overrides_that_differ_in_shape_are_one_mapping_in_the_configuration(
    blueprint: Path,
) -> None:
    overrides = {"prod": {"s3.Bucket/x": {"acl": "private"}}}
    program = compiled(blueprint, {"dev": [], "prod": []}, overrides=overrides)
    assert 'Overrides(settings.mapping("overrides"))' in text(program)
    assert program.config["dev"] == {"demo:overrides": {}}
    assert program.config["prod"] == {"demo:overrides": overrides["prod"]}


@pytest.mark.parametrize("name", ["demo", "true", "123", "1e5", "a.b", "schedule-adherence"])
def test_the_projects_name_stays_a_text(blueprint: Path, name: str) -> None:
    import yaml

    program = build(ProjectInput(name, "a: #b\nc", blueprint), {"dev": []}, {}, blueprint.parent)
    document = yaml.safe_load(program.files["Pulumi.yaml"])
    assert document["name"] == name
    assert document["description"] == "a: #b\nc"
