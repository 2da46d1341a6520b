"""The platform team's commands: a template from its first line to its second version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Cli, environment

Edit = Callable[[str, str, str], None]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template as `template init` writes it."""
    folder = tmp_path_factory.mktemp("platform")
    answer = Cli(folder, environment())("template", "init", "acme/standard")
    assert "wrote standard/template.yaml" in answer.err
    assert "lock.json" not in answer.err
    return folder


@pytest.fixture
def platform(started: Path, tmp_path: Path) -> Cli:
    import shutil

    folder = Path(shutil.copytree(started, tmp_path / "platform"))
    own = {"MLOPS_IAC_CACHE": str(tmp_path / "cache"), "MLOPS_IAC_FOLDERS": str(tmp_path)}
    return Cli(folder, {**environment(), **own})


@pytest.fixture
def change(platform: Cli) -> Edit:
    def replace(name: str, old: str, new: str) -> None:
        path = platform.folder / "standard" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture
def lean(platform: Cli) -> Cli:
    """With one case alone, that of a team which fills in nothing."""
    for name in ("gold", "too-many"):
        (platform.folder / f"standard/tests/{name}.yaml").unlink()
    return platform


# -- init


def test_what_init_writes_tests_green(platform: Cli) -> None:
    answer = platform("template", "test", "standard")
    assert "standard: 0 error(s), 0 warning(s), 3 of 3 case(s) passed" in answer.err


def test_what_comes_next_can_be_typed_whatever_the_folder_is_called(platform: Cli) -> None:
    said = platform("template", "init", "acme/other", "our own").err
    assert "next: mlops-iac template test 'our own'" in said
    said = platform("-C", "our own", "init", "../standard", "my svc", "--defaults").err
    assert "next: cd 'our own/my svc' && mlops-iac up" in said


def test_docs_are_written_into_a_folder_that_there_is_not_yet(platform: Cli) -> None:
    for _ in range(2):
        platform("template", "docs", "standard", "--out", "docs/reference.md")
    platform("template", "docs", "standard", "--out", "docs/reference.md", "--check")
    file = "docs/reference.md/x.md"
    assert (
        f"cannot write {file}"
        in platform("template", "docs", "standard", "--out", file, expect=2).err
    )


def test_init_overwrites_nothing(platform: Cli) -> None:
    before = (platform.folder / "standard/template.yaml").read_bytes()
    answer = platform("template", "init", "acme/standard", expect=2)
    assert "already has" in answer.err
    assert (platform.folder / "standard/template.yaml").read_bytes() == before


@pytest.mark.parametrize("name", ["Acme", "a/b/c", "-x", "../x", ""])
def test_init_refuses_what_is_no_name(name: str, platform: Cli) -> None:
    before = sorted(platform.folder.rglob("*"))
    assert "cannot be the name" in platform("template", "init", "--", name, expect=2).err
    assert sorted(platform.folder.rglob("*")) == before


def test_init_refuses_a_platform_for_later(platform: Cli) -> None:
    answer = platform("template", "init", "x", "--platform", "vertex", expect=2)
    assert "not supported yet" in answer.err
    assert not (platform.folder / "x").exists()


def test_a_project_starts_from_it(platform: Cli) -> None:
    platform("init", "./standard", "team", "--defaults")
    answer = Cli(platform.folder / "team", platform.environment)("validate")
    assert "valid" in answer.err


# -- what is wrong with it


def test_everything_wrong_is_told_at_its_line(platform: Cli, change: Edit) -> None:
    change("template.yaml", "default: 4", "default: 40")
    change("blueprint.yaml", "gold: medium", "platinum: medium")
    (platform.folder / "standard/tests/default.yaml").unlink()  # it would only take time
    answer = platform("template", "test", "standard", expect=2)
    assert "standard/template.yaml:18:14: error[bad-default]" in answer.err
    assert "standard/blueprint.yaml:6:" in answer.err
    assert "error[no-case]" in answer.err
    assert answer.out == ""


def test_findings_in_the_forms_of_machines(platform: Cli, change: Edit) -> None:
    change("template.yaml", "default: 4", "default: 40")
    change("blueprint.yaml", "gold: medium", "gold: huge")
    (platform.folder / "standard/tests/default.yaml").unlink()  # it would only take time
    said = platform("template", "test", "standard", "--json", expect=2).json
    assert "bad-default" in [each["code"] for each in said["diagnostics"]]
    assert [each["case"] for each in said["cases"] if not each["passed"]] == ["gold"]
    sarif = platform("template", "test", "standard", "--format", "sarif", expect=2).json
    places = [each["locations"][0]["physicalLocation"] for each in sarif["runs"][0]["results"]]
    uris = {each["artifactLocation"]["uri"] for each in places}
    assert {"standard/template.yaml", "standard/tests/gold.yaml"} <= uris
    github = platform("template", "test", "standard", "--format", "github", expect=2).out
    assert "::error file=standard/template.yaml" in github
    inside = Cli(platform.folder / "standard", platform.environment)
    github = inside("template", "test", "--format", "github", expect=2).out
    assert "::error file=template.yaml" in github


@pytest.mark.parametrize("command", ["test", "docs"])
def test_a_folder_that_is_no_template(command: str, platform: Cli) -> None:
    (platform.folder / "empty").mkdir()
    assert "it has no template.yaml" in platform("template", command, "empty", expect=2).err
    assert "is not there" in platform("template", command, "gone", expect=2).err
    answer = platform("template", command, "standard/README.md", expect=2)
    assert "is a file" in answer.err


# -- test


def test_a_difference_is_shown_and_update_takes_it(platform: Cli, change: Edit) -> None:
    change("tests/gold.yaml", "parameters:", "golden: [prod]\nparameters:")
    run = ("template", "test", "standard", "--case", "gold")
    answer = platform(*run, "--update")
    assert "wrote standard/tests/gold/prod.resolved.yaml" in answer.err
    change("blueprint.yaml", "gold: medium", "gold: large")
    answer = platform(*run, expect=1)
    assert "failed gold" in answer.err
    assert "serving.api.compute.size is 'large', expected 'medium'" in answer.err
    assert '-serving.api.compute.size: "medium"' in answer.err
    assert '+serving.api.compute.size: "large"' in answer.err
    assert "~ sagemaker.EndpointConfiguration/" in answer.err
    # What the case itself says, nobody takes back for its author.
    answer = platform(*run, "--update", expect=1)
    assert "wrote standard/tests/gold/prod.lock.json" in answer.err
    change("tests/gold.yaml", "size: medium", "size: large")
    platform(*run)
    # What nobody asks for any more is taken away, as is what is of no environment.
    change("tests/gold.yaml", "golden: [prod]", "golden: [qa]")
    answer = platform(*run, "--update", expect=1)
    assert "golden: there is no environment 'qa'" in answer.err
    assert not list((platform.folder / "standard/tests/gold").glob("*"))


def test_a_template_without_tests_fails(platform: Cli) -> None:
    import shutil

    shutil.rmtree(platform.folder / "standard/tests")
    assert "has no tests" in platform("template", "test", "standard", expect=2).err


def test_one_case_alone(platform: Cli) -> None:
    answer = platform("template", "test", "standard", "--case", "too-many", "--json")
    (case,) = answer.json["cases"]
    assert (case["case"], case["passed"], case["environments"]) == ("too-many", True, [])
    answer = platform("template", "test", "standard", "--case", "to-many", expect=2)
    assert "did you mean 'too-many'?" in answer.err


def test_a_case_may_say_a_service_alone(platform: Cli) -> None:
    """What it does not say of a dataset, a model and a service is filled in, each by itself."""
    (platform.folder / "standard/tests/alone.yaml").write_text(
        "blueprint: {serving: {api: {mode: real-time, capture: {percent: 7}}}}\n"
        "expect: {resolved: {serving.api.capture.percent: 7, serving.api.model: sample}}\n"
    )
    answer = platform("template", "test", "standard", "--case", "alone")
    assert "passed alone (dev, prod)" in answer.err


CASES = {
    "another error than expected": ("errors: [nothing like it]", "expected an error like 'nothing like it'"),
    "an error nobody expected": ("resolved: {}", "allows at most 2: the quota is shared [locked]"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_errors_are_expected_exactly(case: str, platform: Cli, change: Edit) -> None:
    new, message = CASES[case]
    change("tests/too-many.yaml", 'errors: ["max is 3; .* allows at most 2: the quota is shared"]', new)  # fmt: skip
    answer = platform("template", "test", "standard", "--case", "too-many", expect=1)
    assert message in answer.err


def test_counts_and_values_that_are_wrong(platform: Cli, change: Edit) -> None:
    change(
        "tests/default.yaml",
        "expect:\n",
        "expect:\n  resources:\n    aws:sagemaker/endpoint:Endpoint: 2\n"
        "    prod: {aws:sagemaker/endpoint:Endpiont: 1}\n",
    )
    change("tests/default.yaml", "tags.tier: silver", "tags.teir: silver\n    environments.qa.name: x")  # fmt: skip
    answer = platform("template", "test", "standard", "--case", "default", expect=1)
    assert "dev has 1 of aws:sagemaker/endpoint:Endpoint, expected 2" in answer.err
    assert "did you mean 'aws:sagemaker/endpoint:Endpoint'?" in answer.err
    assert "tags.teir is not set, expected 'silver'; did you mean 'tags.tier'?" in answer.err
    assert "there is no environment 'qa'" in answer.err


RULE = """
from mlops_iac.policy import Rule, Violation

def check(context):
    for endpoint in context.of_type("aws:sagemaker/endpoint:Endpoint"):
        yield Violation("no endpoints on holidays", endpoint)

RULE = Rule(
    id="no-holidays", title="No holidays", severity="mandatory", why="Nobody is there.",
    remediation="another day", source="our handbook", check=check,
)
"""


def test_guard_rails_are_tested_too(platform: Cli, change: Edit) -> None:
    (platform.folder / "standard/policies").mkdir()
    (platform.folder / "standard/policies/no_holidays.py").write_text(RULE, encoding="utf-8")
    change("tests/gold.yaml", "expect:\n", "expect:\n  findings: []\n")
    run = ("template", "test", "standard", "--case", "gold")
    answer = platform(*run, expect=1)
    assert (
        "guard rail of the template is broken: no-holidays: no endpoints on holidays" in answer.err
    )
    change("tests/gold.yaml", "findings: []", 'findings: ["^no-holidays: no endp"]')
    platform(*run)
    change("tests/gold.yaml", "no endp", "none")
    answer = platform(*run, expect=1)
    assert "expected a finding like '^no-holidays: none'; there is: no-holidays" in answer.err


def test_guard_rails_of_a_template_hold_for_its_teams(platform: Cli) -> None:
    """From the template's file to the exit code of the team's check."""
    standard = platform.folder / "standard"
    (standard / "policies").mkdir()
    (standard / "policies/no_holidays.py").write_text(RULE, encoding="utf-8")
    said = "policies: 1\nrules:\n  single-instance: {severity: mandatory}\n"
    (standard / "policies.yaml").write_text(said, encoding="utf-8")
    answer = platform(
        "template", "test", "standard", "--case", "gold", expect=1
    )  # as would be `up`
    assert "a guard rail of the template is broken: no-holidays: no endpoints" in answer.err
    platform("init", "./standard", "team", "--defaults", "--data", "owner=a@acme.com")
    team = Cli(platform.folder / "team", platform.environment)

    def broken(*more: str, expect: int = 5) -> dict[str, str]:
        found = team("policy", "check", "-s", "local", "--json", *more, expect=expect).json
        return {each["rule"]: each["source"] for each in found["findings"]}

    # `init` has pinned the template, so its code is what was looked at.
    assert broken()["no-holidays"] == (
        "acme/standard@0.1.0 (policies/no_holidays.py): our handbook"
    )
    answer = team("policy", "check", "-s", "local", expect=5)
    assert "acme/standard@0.1.0 (policies/no_holidays.py) holds to it" in answer.err + answer.out
    answer = team("policy", "check", "-s", "local", "--no-team-rules")
    assert "were not run: no-holidays" in answer.err
    shown = team("policy", "ls", "single-instance").out
    assert "here: mandatory, as acme/standard@0.1.0 (policies.yaml:3) says" in shown
    own = platform.folder / "team/policies.yaml"
    own.write_text("policies: 1\nrules: {single-instance: {enabled: false}}\n", encoding="utf-8")
    answer = team("validate", expect=2)
    assert "error[locked]: single-instance cannot be switched off" in answer.err
    own.unlink()
    (platform.folder / "team/blueprint.lock").unlink()
    answer = team("policy", "check", "-s", "local", expect=2)
    assert "blueprint.lock does not pin what would run" in answer.err


def test_what_up_would_refuse_fails_a_case_unless_it_is_expected(platform: Cli) -> None:
    """Green is deployable: the tool's own guard rails hold in a case, too."""
    case = platform.folder / "standard/tests/bare.yaml"
    case.write_text("blueprint: {owner: a@acme.com, environments: {prod: {}}}\n", encoding="utf-8")
    answer = platform("template", "test", "standard", "--case", "bare", expect=1)
    assert "`up -s prod` would refuse it: missing-budget: nothing watches" in answer.err
    broken = [line.split(": ")[1] for line in answer.err.splitlines() if "would refuse it" in line]
    expected = "".join(f'    - "{rule}: "\n' for rule in broken)
    with case.open("a", encoding="utf-8") as file:
        file.write(f"expect:\n  findings:\n{expected}")
    platform("template", "test", "standard", "--case", "bare")


def test_a_case_that_is_wrong_is_told_at_its_line(platform: Cli, change: Edit) -> None:
    change("tests/gold.yaml", "parameters:", "parametres:")
    answer = platform("template", "test", "standard", expect=2)
    assert "standard/tests/gold.yaml:2:1: error[unknown-key]: 'parametres'" in answer.err


MALFORMED = {
    "a list": ("[]", "error[not-a-mapping]: a case is a mapping"),
    "a blueprint that is no mapping": ("blueprint: [a]", "blueprint takes a mapping, or a text"),
    "a blueprint that is no YAML": ("blueprint: 'a: ['", "error[syntax]"),
    "a file outside": ("files: {../x: a}", "'../x' leaves its folder"),
    "a count that is none": ("expect: {resources: {a: -1}}", "a whole number"),
    "no regular expression": ("expect: {errors: ['(']}", "is no regular expression"),
    "findings that are none": ("expect: {findings: ['(']}", "is no regular expression"),
    "without the template": ("blueprint: {extends: []}", "error[not-the-template]"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_case(case: str, platform: Cli) -> None:
    text, message = MALFORMED[case]
    (platform.folder / "standard/tests/gold.yaml").write_text(text, encoding="utf-8")
    inside = Cli(platform.folder / "standard", platform.environment)
    answer = inside("template", "test", "--case", "gold", expect=2)
    assert message in answer.err
    assert "./tests" not in answer.err


def test_a_case_over_several_templates(platform: Cli, change: Edit) -> None:
    other = platform.folder / "other"
    other.mkdir()
    (other / "template.yaml").write_text(
        "template: 1\nname: acme/other\nversion: 1.0.0\n"
        "limits: {tags.team: {fixed: ml, because: bills}}\n",
        encoding="utf-8",
    )
    change(
        "tests/too-many.yaml",
        "blueprint:\n",
        "blueprint:\n  extends: [{template: ../other}, {template: .}]\n  tags: {team: b}\n",
    )
    answer = platform("template", "test", "standard", "--case", "too-many", expect=1)
    assert "tags.team is fixed to 'ml' by acme/other@1.0.0" in answer.err


def test_golden_files_that_nothing_makes(platform: Cli) -> None:
    stray = platform.folder / "standard/tests/gold/qa.lock.json"
    stray.parent.mkdir()
    stray.write_text("{}", encoding="utf-8")
    answer = platform("template", "test", "standard", "--case", "gold", expect=1)
    assert "there is tests/gold/qa.lock.json, and nothing that comes out is called so" in answer.err
    platform("template", "test", "standard", "--case", "gold", "--update")
    assert not stray.exists()


def publish(root: Path, tag: str) -> None:
    """Commit what lies in a folder to a repository there, and tag it."""
    from dulwich import porcelain

    if not (root / ".git").exists():
        porcelain.init(str(root))
    for path in root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            porcelain.add(str(root), [str(path)])
    who = b"A <a@example.com>"
    porcelain.commit(str(root), message=b"release", author=who, committer=who)
    porcelain.tag_create(str(root), tag.encode())


def test_templates_below_are_pinned_for_the_tests(lean: Cli, change: Edit) -> None:
    base = lean.folder / "base"
    base.mkdir()
    manifest = base / "template.yaml"
    manifest.write_text("template: 1\nname: acme/base\nversion: 1.0.0\n", encoding="utf-8")
    (base / "blueprint.yaml").write_text("tags: {base: one}\n", encoding="utf-8")
    publish(base, "v1.0.0")
    extends = f"extends: [{{template: 'git+file://{base.as_posix()}', version: ^1}}]\nparameters:\n"
    change("template.yaml", "parameters:\n", extends)
    run = ("template", "test", "standard", "--case", "default")
    answer = lean(*run, expect=1)  # nothing is fetched behind anybody's back
    assert "`template test --update` fetches it, and pins it in blueprint.lock" in answer.err
    change("tests/default.yaml", "expect:\n", "golden: [dev]\nexpect:\n")
    lean("template", "test", "standard", "--update")
    golden = lean.folder / "standard/tests/default/dev.resolved.yaml"
    assert 'tags.base: "one"' in golden.read_text(encoding="utf-8")
    assert "acme/base" in (lean.folder / "standard/blueprint.lock").read_text(encoding="utf-8")
    manifest.write_text("template: 1\nname: acme/base\nversion: 1.1.0\n", encoding="utf-8")
    (base / "blueprint.yaml").write_text("tags: {base: two}\n", encoding="utf-8")
    publish(base, "v1.1.0")
    lean(*run)
    answer = lean("template", "test", "standard")
    assert "0 error(s), 0 warning(s)" in answer.err


# -- release


def test_a_release_is_compared_with_the_version_before(lean: Cli, change: Edit) -> None:
    release = ("template", "release", "standard")
    publish(lean.folder, "unrelated")
    answer = lean(*release)
    assert "standard-v0.1.0, the first version: 0 error(s), 0 warning(s), 1 of 1" in answer.err
    assert "next: git tag standard-v0.1.0 && git push origin standard-v0.1.0" in answer.err
    publish(lean.folder, "standard-v0.1.0")
    publish(lean.folder, "standard-v0.1.1-rc.1")  # a candidate is nobody's version before
    publish(lean.folder, "v9.9.9")  # nor is what is another template's
    change("template.yaml", "version: 0.1.0", "version: 0.1.1")
    change("template.yaml", "changelog:\n", "changelog:\n  0.1.1: [Less.]\n")
    change("template.yaml", "at_most: 20", "at_most: 10")
    answer = lean(*release, expect=2)
    assert "error[wrong-version]: 0.1.1 breaks blueprints that stand on 0.1.0" in answer.err
    assert "write 0.2.0" in answer.err
    assert (
        "warning[changed]: parameter most: a whole number, at least 1 and at most 20" in answer.err
    )
    assert "next:" not in answer.err
    change("template.yaml", "version: 0.1.1", "version: 0.2.0")
    change("template.yaml", "  0.1.1: [Less.]", "  0.2.0: [Less.]")
    answer = lean(*release, "--json", "--notes", "notes.md", "--tag", "standard-v0.2.0")
    assert "next:" not in answer.err
    said = answer.json
    assert (said["version"], said["tag"], said["before"]) == (
        "0.2.0",
        "standard-v0.2.0",
        "acme/standard@0.1.0",
    )
    assert (lean.folder / "notes.md").read_text() == "- Less.\n"
    answer = lean(*release, "--tag", "v0.2.0", expect=2)
    assert "the tag v0.2.0 does not say the template's version, 0.2.0" in answer.err


def test_what_is_published_is_compared_with_what_stands_there_now(lean: Cli, change: Edit) -> None:
    publish(lean.folder, "standard-v0.1.0")
    assert "since acme/standard@0.1.0: 0 error(s)" in lean("template", "release", "standard").err
    change("template.yaml", "at_most: 20", "at_most: 10")
    answer = lean("template", "release", "standard", expect=2).err
    assert "error[wrong-version]: 0.1.0 is not what 0.1.0 was: a version never changes" in answer
    assert "write 0.2.0" in answer


def test_a_version_before_that_is_not_here_is_told(lean: Cli, change: Edit) -> None:
    answer = lean("template", "release", "standard", expect=2)
    assert "is in no git repository" in answer.err
    publish(lean.folder, "unrelated")
    change("template.yaml", "version: 0.1.0", "version: 0.2.0")
    change("template.yaml", "changelog:\n", "changelog:\n  0.2.0: [Less.]\n")
    answer = lean("template", "release", "standard", expect=2)
    assert "has no tag standard-v0.1.0 to compare with" in answer.err
    assert "git fetch --tags" in answer.err


# -- show, ls, docs, schema


def test_show_says_all_about_a_template(platform: Cli) -> None:
    said = platform("template", "show", "./standard", "--json").json
    assert (said["name"], said["version"]) == ("acme/standard", "0.1.0")
    assert [each["name"] for each in said["parameters"]] == ["tier", "most"]
    assert said["limits"][1] == {
        "path": "serving.*.scaling.max",
        "holds": "at most the parameter most",
        "because": "the quota is shared",
    }
    assert said["digest"].startswith("sha256:")
    text = platform("template", "show", "standard").out
    assert "one of silver or gold; default 'silver'" in text
    answer = platform("template", "show", "./gone", expect=2)
    assert "there is no folder ./gone" in answer.err


def test_show_says_what_a_blueprint_stands_on(platform: Cli, change: Edit) -> None:
    platform("init", "./standard", "team", "--defaults", "--data", "tier=gold")
    team = Cli(platform.folder / "team", platform.environment)
    (used,) = team("template", "show", "--json").json
    assert (used["name"], used["version"], used["newest"]) == ("acme/standard", "0.1.0", "0.1.0")
    assert used["parameters"] == {"tier": "gold", "most": 4}
    change("template.yaml", "version: 0.1.0", "version: 0.1.1")
    (used,) = team("template", "show", "--json").json
    assert (used["version"], used["newest"]) == ("0.1.0", "0.1.1")
    assert "newest: 0.1.1" in team("template", "show").out
    (used,) = team("template", "show", "--no-newest", "--json").json
    assert used["newest"] == ""


def test_show_knows_what_a_blueprint_that_is_not_valid_stands_on(
    platform: Cli, change: Edit
) -> None:
    change("template.yaml", "  most:\n", "  audited: {type: boolean, description: d, default: true}\n  most:\n")  # fmt: skip
    platform("init", "./standard", "team", "--defaults")
    team = Cli(platform.folder / "team", platform.environment)
    assert "  audited: true\n" in team("template", "show").out
    blueprint = team.folder / "blueprint.yaml"
    blueprint.write_text(blueprint.read_text().replace("mode: real-time, ", ""))
    assert "'mode'" in team("validate", expect=2).err
    assert team("template", "show", "acme/standard").out.startswith("acme/standard@0.1.0\n")
    assert "../standard" in team("template", "ls").out
    assert team("template", "show", "acme/standard", "--json").json["version"] == "0.1.0"


def test_ls_lists_what_there_is(platform: Cli) -> None:
    found = platform("template", "ls", "--json").json
    assert {"realtime", "governed-realtime", "organisation-standard"} <= {
        each["source"] for each in found if each["where"] == "built-in"
    }


def test_ls_lists_templates_of_packages(platform: Cli) -> None:
    site = platform.folder / "site"
    info = site / "acme_templates-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: acme-templates\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[mlops_iac.templates]\nstandard = acme_templates:standard\n", encoding="utf-8"
    )
    package = site / "acme_templates"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (platform.folder / "standard").rename(package / "standard")
    found = platform("template", "ls", "--json", PYTHONPATH=str(site)).json
    (own,) = [each for each in found if each["where"] == "acme-templates"]
    assert (own["source"], own["name"]) == ("python:acme_templates/standard", "acme/standard")


def test_docs_are_written_and_checked(platform: Cli, change: Edit) -> None:
    page = platform.folder / "reference.md"
    printed = platform("template", "docs", "standard").out
    platform("template", "docs", "standard", "--out", str(page))
    assert page.read_text(encoding="utf-8") == printed
    assert printed.startswith("# acme/standard\n")
    platform("template", "docs", "standard", "--out", str(page), "--check")
    change("template.yaml", "default: 4", "default: 5")
    answer = platform("template", "docs", "standard", "--out", str(page), "--check", expect=1)
    assert "is not what the template says" in answer.err
    assert page.read_text(encoding="utf-8") == printed
    platform("template", "docs", "standard", "--out", "gone.md", "--check", expect=1)
    platform("template", "docs", "standard", "--check", expect=2)


def test_the_schema_of_a_blueprint_knows_its_templates(platform: Cli) -> None:
    import jsonschema
    import yaml

    platform("init", "./standard", "team", "--defaults")
    team = Cli(platform.folder / "team", platform.environment)
    validator = jsonschema.Draft202012Validator(team("schema").json)
    blueprint = yaml.safe_load((platform.folder / "team/blueprint.yaml").read_text("utf-8"))
    assert validator.is_valid(blueprint)
    blueprint["extends"][0]["parameters"] = {"tier": "bronze"}
    assert not validator.is_valid(blueprint)
    named = platform("schema", "--template", "./standard").json
    assert "Parameters of acme/standard" in named["$defs"]


def test_the_group_lists_its_commands(platform: Cli) -> None:
    shown = platform("template", "--help").out
    for name in ("init", "test", "release", "docs", "ls", "show", "update", "usage"):
        assert f"\n  {name} " in shown
