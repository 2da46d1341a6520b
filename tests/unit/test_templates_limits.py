"""Limits: what a template fixes, restricts, requires and forbids holds against every layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.template_support import TEAM, read, template, valid

STANDARD = "acme/standard@2.1.0 (template.yaml:4)"


def limit(path: str, what: str) -> str:
    return f"limits: {{{path}: {{{what}, because: customer data}}}}\n"


def messages(found: list) -> list[str]:
    return [f"{each.file}:{each.line}:{each.column}: {each.message}" for each in found]


@pytest.mark.parametrize(
    ("path", "what", "team", "message"),
    [
        ("environments.prod.security.keys", "fixed: customer",
         "environments: {prod: {security: {keys: provider}}}",
         f"environments.prod.security.keys is fixed to 'customer' by {STANDARD}: customer data"),
        ("environments.*.security.keys", "fixed: customer", "security: {keys: provider}",
         f"environments.dev.security.keys is fixed to 'customer' by {STANDARD}: customer data"),
        ("protect", "fixed: true", "protect: false", f"protect is fixed to true by {STANDARD}: customer data"),
        ("tags", "fixed: {cost: a}", "tags: {cost: b}", f"tags is fixed to {{cost: a}} by {STANDARD}: customer data"),
        ("tags.cost", "fixed: '0042'", "tags: {cost: 42}", f"tags.cost is fixed to '0042' by {STANDARD}: customer data"),
        ("budget.alert_percent", "fixed: [50, 100]", "budget: {monthly_usd: 1, alert_percent: [100]}",
         f"budget.alert_percent is fixed to [50, 100] by {STANDARD}: customer data"),
        ("region", "one_of: [eu-west-1, eu-central-1]", "region: us-east-1",
         f"region is 'us-east-1'; {STANDARD} allows one of 'eu-west-1' or 'eu-central-1': customer data"),
        ("budget.monthly_usd", "at_most: 100", "budget: {monthly_usd: 100.5}",
         f"budget.monthly_usd is 100.5; {STANDARD} allows at most 100: customer data"),
        ("serving.*.capture.retention_days", "at_least: 30", "serving: {api: {mode: real-time, capture: {retention_days: 29}}}",
         f"serving.api.capture.retention_days is 29; {STANDARD} allows at least 30: customer data"),
        ("serving.*.monitor", "required: true", "serving: {api: {mode: real-time}}",
         f"serving.api.monitor is required by {STANDARD}: customer data"),
        ("budget.monthly_usd", "required: true", "protect: true",
         f"budget.monthly_usd is required by {STANDARD}: customer data"),
        ("tags.cost-centre", "required: true", "tags: {a: b}", f"tags.cost-centre is required by {STANDARD}: customer data"),
        ("models.*.train.compute.size", "one_of: [medium, large]", "protect: true",
         f"models.churn.train.compute.size is 'small'; {STANDARD} allows one of 'medium' or 'large': customer data"),
        ("overrides", "forbidden: true", "overrides: {x: {y: 1}}", f"overrides is forbidden by {STANDARD}: customer data"),
        ("overrides.*.forceDestroy", "forbidden: true", "overrides: {x: {forceDestroy: false}}",
         f"overrides.x.forceDestroy is forbidden by {STANDARD}: customer data"),
        ("exceptions.*", "forbidden: true", "exceptions: {owner-tag: {at: ., reason: x, until: 2027-01-31}}",
         f"exceptions.owner-tag is forbidden by {STANDARD}: customer data"),
        ("budget", "forbidden: true", "budget: {monthly_usd: 1}", f"budget is forbidden by {STANDARD}: customer data"),
        # Blank is no value, and an empty text that is written is one that nobody allowed.
        ("owner", "required: true", "owner: '  '", f"owner is required by {STANDARD}: customer data"),
        ("tags.cost", "required: true", "tags: {cost: ' '}", f"tags.cost is required by {STANDARD}: customer data"),
        ("tags.cost", "one_of: [a]", "tags: {cost: ''}", f"tags.cost is ''; {STANDARD} allows one of 'a': customer data"),
        # Nor does what only stands where a value is to be written.
        ("owner", "required: true", "owner: you@example.com",
         f"owner is 'you@example.com', a placeholder; it is required by {STANDARD}: customer data"),
        ("tags.cost", "required: true", "tags: {cost: TODO ask finance}",
         f"tags.cost is 'TODO ask finance', a placeholder; it is required by {STANDARD}: customer data"),
        ("tags.cost", "required: true", "tags: {cost: n/a}",
         f"tags.cost is 'n/a', a placeholder; it is required by {STANDARD}: customer data"),
        ("owner", "required: true", "owner: '-'",
         f"owner is '-', a placeholder; it is required by {STANDARD}: customer data"),
        ("environments.prod.account", "required: true", "environments: {prod: {account: 123456789012}}",
         f"environments.prod.account is '123456789012', a placeholder; it is required by {STANDARD}: customer data"),
        ("alerts", "required: true", "alerts: {oncall: {email: oncall@example.org}}",
         f"alerts says only 'oncall@example.org', a placeholder; it is required by {STANDARD}: customer data"),
        # The whole of a text has a form, and so has each item of a list and a number as written.
        ("tags.cost", "pattern: 'CC-[0-9]{4}'", "tags: {cost: CC-12345}",
         f"tags.cost is 'CC-12345'; {STANDARD} allows a text of the form CC-[0-9]{{4}}: customer data"),
        ("security.access.approvers", "pattern: 'ml-.*'", "security: {access: {approvers: [ml-leads, risk]}}",
         f"security.access.approvers is 'risk'; {STANDARD} allows a text of the form ml-.*: customer data"),
        ("overrides.*.port", "pattern: '80[0-9]{2}'", "overrides: {x: {port: 443}}",
         f"overrides.x.port is 443; {STANDARD} allows a text of the form 80[0-9]{{2}}: customer data"),
        ("overrides.*.port", "pattern: '.*'", "overrides: {x: {port: true}}",
         f"overrides.x.port is true; {STANDARD} allows a text of the form .*: customer data"),
        # What cannot be told is refused: an expression that takes longer than anybody lives.
        ("tags.cost", "pattern: '(a+)+b'", "tags: {cost: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac}",
         f"whether tags.cost is a text of the form (a+)+b takes too long to tell, and {STANDARD} asks for it: customer data"),
        # What a number is bound by, no other form of it passes.
        ("overrides.*.maxCapacity", "at_most: 10", "overrides: {x: {maxCapacity: '100'}}",
         f"overrides.x.maxCapacity is '100'; {STANDARD} allows at most 10: customer data"),
        ("overrides.*.maxCapacity", "at_most: 10", "overrides: {x: {maxCapacity: [100]}}",
         f"overrides.x.maxCapacity is [100]; {STANDARD} allows at most 10: customer data"),
        ("overrides.*.maxCapacity", "at_most: 0", "overrides: {x: {maxCapacity: true}}",
         f"overrides.x.maxCapacity is true; {STANDARD} allows at most 0: customer data"),
        # A property has two spellings.
        ("overrides.*.maxCapacity", "at_most: 10", "overrides: {x: {max_capacity: 11}}",
         f"overrides.x.max_capacity is 11; {STANDARD} allows at most 10: customer data"),
        ("overrides.*.max_capacity", "forbidden: true", "overrides: {x: {maxCapacity: 11}}",
         f"overrides.x.maxCapacity is forbidden by {STANDARD}: customer data"),
        ("overrides.*.rules.*.acl", "forbidden: true", "overrides: {x: {rules: [{acl: public}]}}",
         f"overrides.x.rules[0].acl is forbidden by {STANDARD}: customer data"),
        # A plain value does not stand in for the section that a limit goes into.
        ("overrides.*.rule.acl", "fixed: private", "overrides: {x: {rule: public}}",
         f"overrides.x.rule.acl is fixed to 'private' by {STANDARD}: customer data"),
        ("environments.dev.models.*.env.*.secret", "required: true", "environments: {dev: {models: {churn: {env: {TOKEN: abc}}}}}",
         f"environments.dev.models.churn.env.TOKEN.secret is required by {STANDARD}: customer data"),
        # A text field has what is written.
        ("environments.dev.models.*.runtime.version", "one_of: [1.20, 1.9]", "environments: {dev: {models: {churn: {runtime: {version: 1.2}}}}}",
         f"environments.dev.models.churn.runtime.version is '1.2'; {STANDARD} allows one of 1.20 or 1.9: customer data"),
        ("tags", "keys: [cost, team]", "tags: {cost: a, pii: b}", f"tags has 'pii'; {STANDARD} allows only 'cost' and 'team': customer data"),
        ("environments.*.tags", "keys: [cost]", "tags: {cosd: a}", f"environments.dev.tags has 'cosd'; {STANDARD} allows only 'cost': customer data"),
    ],
)  # fmt: skip
def test_what_breaks_a_limit(tmp_path: Path, path: str, what: str, team: str, message: str) -> None:
    key = team.partition(":")[0]
    kept = [line for line in TEAM.splitlines() if not line.startswith(f"{key}:")]
    if key != "environments":
        kept = [line for line in kept if not line.startswith("environments:")]
        kept.append("environments: {dev: {}}")
    text = "\n".join(kept).replace("template: standard", "template: s") + f"\n{team}\n"
    loaded, found = read(tmp_path, text, s=template(limit(path, what)))
    assert loaded is None
    assert [each.message for each in found] == [message]
    assert found[0].file == "blueprint.yaml"


@pytest.mark.parametrize("path", ["environments.prod.security.keys", "security.keys"])
def test_a_limit_that_no_value_can_keep_is_said_where_the_team_writes_one(
    tmp_path: Path, path: str
) -> None:
    team = TEAM.replace("template: standard", "template: s") + "security: {keys: provider}\n"
    loaded, found = read(tmp_path, team, s=template(limit(path, "fixed: platform")))
    assert loaded is None
    assert [each.code for each in found] == ["unknown-value"]
    assert "'platform' is not a value of security.keys" in found[0].message
    assert found[0].file.endswith("template.yaml")


@pytest.mark.parametrize(
    "path",
    ["environments", "environments.prod", "environments.*", "environments.prod.environments"],
)
def test_environments_themselves_have_no_other_limits_and_none_is_ignored(
    tmp_path: Path, path: str
) -> None:
    team = TEAM.replace("template: standard", "template: s")
    loaded, found = read(tmp_path, team, s=template(limit(path, "forbidden: true")))
    assert loaded is None
    assert [each.code for each in found] == ["unknown-path"]
    assert "`environments.NAME.PATH`" in (found[0].hint or "")


def test_what_stands_in_the_place_of_a_fixed_field_is_told_at_its_line(tmp_path: Path) -> None:
    text = TEAM.replace("real-time}", "real-time, compute: {instance: ml.c5.18xlarge}}")
    size = limit("serving.*.compute.size", "fixed: small")
    _, found = read(tmp_path, text, standard=template(size))
    (said,) = found
    assert (said.code, said.file) == ("locked", "blueprint.yaml")
    assert said.line == 13


def test_what_an_environment_lacks_is_told_where_it_is_named(tmp_path: Path) -> None:
    text = TEAM.replace("environments: {dev: {}, prod: ", "environments:\n  dev: {}\n  prod: ")
    text = text.replace("210987654321}}", "210987654321}")
    _, found = read(
        tmp_path,
        text,
        standard=template(limit("environments.*.budget.monthly_usd", "required: true")),
    )
    lines = {each.message.partition(".budget")[0]: each.line for each in found}
    assert lines == {"environments.dev": 15, "environments.prod": 16}


@pytest.mark.parametrize("overlay", ["tags: null", "tags: {cost: null}"])
def test_what_null_takes_away_is_told_at_the_null(tmp_path: Path, overlay: str) -> None:
    text = TEAM.replace("prod: {", f"prod: {{{overlay}, ") + "tags: {cost: 1}\n"
    _, found = read(tmp_path, text, standard=template(limit("tags.cost", "required: true")))
    (said,) = found
    (line,) = [n for n, each in enumerate(text.splitlines(), 1) if overlay in each]
    assert (said.code, said.line) == ("locked", line)


def test_the_place_is_that_of_the_value(tmp_path: Path) -> None:
    text = TEAM.replace("prod: {", "prod: {security: {keys: provider}, ")
    _, found = read(
        tmp_path,
        text,
        standard=template(limit("environments.prod.security.keys", "fixed: customer")),
    )
    assert messages(found) == [
        (
            "blueprint.yaml:14:49: environments.prod.security.keys is fixed to 'customer' by"
            f" {STANDARD}: customer data"
        )
    ]


def test_a_fixed_field_is_filled_in_where_nobody_writes_it(tmp_path: Path) -> None:
    standard = template(
        "limits:\n"
        "  environments.*.security.keys: {fixed: customer, because: a}\n"
        "  budget.monthly_usd: {fixed: 5, because: b}\n"
        "  serving.*.compute.size: {fixed: medium, because: c}\n"
    )
    loaded = valid(tmp_path, standard=standard)
    prod, local = loaded.resolve("prod"), loaded.resolve("local")
    assert prod.blueprint.security.keys == "customer"
    assert local.blueprint.security.keys == "provider"
    assert prod.blueprint.budget is not None
    assert prod.blueprint.budget.monthly_usd == 5
    assert prod.blueprint.serving["api"].compute.size == "medium"
    origin = prod.origin("security.keys")
    assert (origin.layer, origin.file, origin.line) == (
        "fixed by acme/standard@2.1.0",
        "acme/standard@2.1.0/template.yaml",
        5,
    )


@pytest.mark.parametrize("undone", ["security: {keys: null}", "security: null"])
def test_null_does_not_remove_what_is_fixed(tmp_path: Path, undone: str) -> None:
    standard = template(limit("security.keys", "fixed: customer"), "security: {keys: customer}\n")
    text = TEAM.replace("prod: {", f"prod: {{{undone}, ")
    loaded = valid(tmp_path, text, standard=standard)
    assert loaded.resolve("prod").blueprint.security.keys == "customer"


def test_the_command_line_cannot_undo_it(tmp_path: Path) -> None:
    _, found = read(
        tmp_path,
        standard=template(limit("environments.*.security.keys", "fixed: customer")),
        command_line=("security.keys=provider",),
    )
    assert {each.file for each in found} == {"command line"}
    assert [each.code for each in found] == ["locked", "locked"]  # dev and prod, not local


def test_a_template_above_cannot_undo_it(tmp_path: Path) -> None:
    base = template(limit("security.keys", "fixed: customer"), name="acme/base")
    standard = template(blueprint="owner: x\nsecurity: {keys: provider}\n")
    text = TEAM.replace("[{template: standard}]", "[{template: base}, {template: standard}]")
    _, found = read(tmp_path, text, base=base, standard=standard)
    (one,) = found
    assert (one.file, one.line) == ("acme/standard@2.1.0/blueprint.yaml", 2)
    assert one.message == (
        "security.keys is fixed to 'customer' by acme/base@2.1.0 (template.yaml:4): customer data"
    )


def test_two_templates_that_fix_the_same_field_differently(tmp_path: Path) -> None:
    one = template(limit("security.*", "fixed: customer").replace("*", "keys"), name="acme/one")
    two = template(limit("security.keys", "fixed: provider"), name="acme/two")
    text = TEAM.replace("[{template: standard}]", "[{template: one}, {template: two}]")
    _, found = read(tmp_path, text, one=one, two=two)
    assert messages(found) == [
        (
            "blueprint.yaml:6:1: security.keys is fixed to 'customer' by acme/one@2.1.0"
            " (template.yaml:4) and to 'provider' by acme/two@2.1.0 (template.yaml:4)"
        )
    ]


def test_two_templates_that_fix_the_same_field_alike(tmp_path: Path) -> None:
    one = template(limit("security.keys", "fixed: customer"), name="acme/one")
    two = template(limit("security.keys", "fixed: customer"), name="acme/two")
    text = TEAM.replace("[{template: standard}]", "[{template: one}, {template: two}]")
    assert valid(tmp_path, text, one=one, two=two).resolve("dev").blueprint.security.keys == (
        "customer"
    )


def test_a_limit_may_be_a_parameter(tmp_path: Path) -> None:
    standard = template(
        "parameters: {most: {type: integer, description: x}}\n"
        + limit("budget.monthly_usd", "at_most: '${parameters.most}'")
    )
    text = TEAM.replace("{template: standard}", "{template: s, parameters: {most: 5}}")
    _, found = read(tmp_path, text + "budget: {monthly_usd: 6}\n", s=standard)
    assert [each.message for each in found] == [
        (
            "budget.monthly_usd is 6; acme/standard@2.1.0 (template.yaml:5) allows at most 5:"
            " customer data"
        )
    ]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (limit("security.keyz", "fixed: customer"), "'keyz' is not a field of security", "keys"),
        (limit("serving.*.scaling.maks", "at_most: 1"), "'maks' is not a field of serving.*.scaling", "max"),
        (limit("environments.*.sekurity", "required: true"), "'sekurity' is not a section", "security"),
        (limit("owner.x", "required: true"), "'x' is not a field of owner", "nothing stands below"),
        (limit("owner", "fixt: a"), "'fixt' is not a field of limits.owner", "fixed"),
        ("limits: {owner: {required: true}}\n", "limits.owner needs 'because'", ""),
        ("limits: {owner: {because: x}}\n", "limits.owner needs one of fixed", ""),
        (limit("owner", "fixed: a, one_of: [a]"), "takes one of fixed, one_of, keys, pattern or forbidden", ""),
    ],
)  # fmt: skip
def test_a_limit_that_is_wrong(tmp_path: Path, text: str, message: str, hint: str) -> None:
    loaded, found = read(tmp_path, standard=template(text))
    assert loaded is None
    assert any(message in each.message and hint in each.hint for each in found), messages(found)
    assert {each.file for each in found} == {"acme/standard@2.1.0/template.yaml"}


def test_what_a_limit_allows(tmp_path: Path) -> None:
    standard = template(
        "limits:\n"
        "  region: {one_of: [eu-west-1], because: a}\n"
        "  budget.monthly_usd: {at_least: 1, at_most: 10, required: true, because: b}\n"
        "  owner: {required: true, because: c}\n"
        "  delivery: {forbidden: true, because: d}\n"
        "  serving.*.scaling.max: {at_most: 4, because: e}\n"
        "  name: {pattern: '[a-z]{5}', because: f}\n"
        "  account: {required: true, because: g}\n"  # `local` has the emulator's, which nobody wrote
    )
    team = TEAM.replace("dev: {}", "dev: {account: 210987654322}")
    loaded = valid(tmp_path, team + "budget: {monthly_usd: 10}\n", standard=standard)
    assert [each.words() for each in loaded.limits] == [
        "one of 'eu-west-1'",
        "at least 1, at most 10, required",
        "required",
        "forbidden",
        "at most 4",
        "a text of the form [a-z]{5}",
        "required",
    ]


def test_what_a_limit_writes_as_the_field_has_it(tmp_path: Path) -> None:
    standard = template(
        "limits:\n"
        "  models.*.runtime.version: {one_of: [1.20, 1.9], because: a}\n"
        "  tags.live: {one_of: [true], because: b}\n"
        "  tags: {keys: [live], because: c}\n"
        "  overrides.*.maxCapacity: {at_most: 10, because: d}\n"
    )
    text = TEAM.replace("version: 1.9", "version: 1.20") + (
        "tags: {live: true}\noverrides: {x: {max_capacity: 10}, y: {maxCapacity: null}}\n"
    )
    loaded = valid(tmp_path, text, standard=standard)
    assert [each.words() for each in loaded.limits] == [
        "one of 1.20 or 1.9",
        "one of true",
        "only 'live'",
        "at most 10",
    ]


@pytest.mark.parametrize("given", ["'*'", "a.b", "'\"a'", "'a\"'", "''"])
def test_a_parameter_in_a_path_is_one_key_of_it(tmp_path: Path, given: str) -> None:
    """With `*` the tag that is required would be any tag: none at all."""
    standard = template(
        "parameters: {tag: {description: x, default: cost}}\n"
        'limits: {"tags.${parameters.tag}": {required: true, because: bills}}\n'
    )
    text = TEAM.replace("{template: standard}", f"{{template: s, parameters: {{tag: {given}}}}}")
    loaded, found = read(tmp_path, text, s=standard)
    assert loaded is None
    assert [(each.code, each.file, each.line) for each in found] == [
        ("wrong-parameter", "blueprint.yaml", 6)
    ]
    assert "is one key in the path of a limit" in found[0].message


def test_a_key_with_a_dot_is_one_where_the_path_quotes_it(tmp_path: Path) -> None:
    standard = template(
        "parameters: {tag: {description: x, default: acme.com/cost}}\n"
        """limits: {'tags."${parameters.tag}"': {fixed: a, because: bills}}\n"""
    )
    loaded = valid(tmp_path, standard=standard)
    assert loaded.resolve("dev").blueprint.tags == {"acme.com/cost": "a"}
