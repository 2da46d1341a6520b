"""`promote` and `stack add | rm`, as they are typed: from the emulated cloud to a pin in the blueprint.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    home = tmp_path_factory.mktemp("promote")
    bare = home / "bin"
    bare.mkdir()
    # No Pulumi here, whatever the machine has: nothing is asked that a laptop could not answer.
    project = teach_nothing(copy_example(home / "project"))
    command = Cli(project, {**environment(), "PATH": f"{bare}:/usr/bin:/bin"})
    yield command
    command("local", "stop", expect=None)


def text(walk: Cli) -> str:
    return (walk.folder / "blueprint.yaml").read_text(encoding="utf-8")


def test_nothing_runs_before_it_was_trained_approved_and_deployed(walk: Cli) -> None:
    walk("compile")
    words = ("promote", "--from", "local", "--to", "prod", "--yes")
    assert "local runs no version of adherence yet" in walk(*words, expect=2).err
    walk("up", "--yes")
    walk("run")
    assert "local runs no version of adherence yet" in walk(*words, expect=2).err
    walk("models", "approve", "latest")
    answer = walk(*words, expect=2)
    assert "local runs no version of adherence yet" in answer.err
    assert "version:" not in text(walk).split("environments:")[1]
    walk("up", "--yes")


def test_a_dry_run_shows_it_and_writes_nothing(walk: Cli) -> None:
    before = text(walk)
    answer = walk("promote", "--from", "local", "--to", "prod", "--dry-run")
    assert "adherence/1, instead of the newest approved (blueprint.yaml:64 " in answer.err
    assert "nothing was written (--dry-run)" in answer.err
    assert 'model-package/schedule-adherence-dev-adherence/1"' in answer.out
    assert "±2 replace" in answer.out
    assert text(walk) == before


def test_a_number_of_the_emulated_registry_is_never_pinned(walk: Cli) -> None:
    before = text(walk)
    for words in (("promote", "--yes"), ("promote", "--yes", "--json")):
        answer = walk(*words, "--from", "local", "--to", "prod", expect=2)
        told = answer.json["error"]["message"] if "--json" in words else answer.err
        assert "versions of local are never pinned in prod" in told
    answer = walk("promote", "--from", "local", "--to", "prod", expect=2)
    assert "`mlops-iac promote --from staging --to prod` pins what staging runs" in answer.err
    assert text(walk) == before


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--from", "prod", "--to", "prod"), 2, "to itself"),
        (("--from", "nope", "--to", "prod"), 6, "there is no stack 'nope'"),
        (("--from", "local", "--to", "prd"), 6, "did you mean 'prod'?"),
        (("--from", "local", "--to", "prod", "adherance"), 2, "no model 'adherance'"),
        (("--from", "dev", "--to", "prod"), 2, "the Pulumi CLI is not installed"),
        (("--to", "prod"), 2, "--from"),
    ],
)
def test_what_does_not_fit(walk: Cli, words: tuple[str, ...], code: int, message: str) -> None:
    before = text(walk)
    assert message in walk("promote", *words, "--yes", expect=code).err
    assert text(walk) == before


def test_an_environment_comes_and_goes(walk: Cli) -> None:
    before = text(walk)
    told = walk("stack", "add", "qa", "--from", "prod", "--json").json
    assert (told["environment"], told["line"]) == ("qa", 70)
    assert text(walk).count("{promote_from: staging}") == 2
    walk("compile")
    folder = walk.folder / "stacks" / "schedule-adherence"
    assert (folder / "Pulumi.qa.yaml").exists()
    refused = walk("stack", "rm", "qa", "--yes", expect=2)
    assert "is not known: the Pulumi CLI is not installed" in refused.err
    assert "--force is for" in walk("stack", "rm", "qa", "--force", expect=2).err
    (walk.folder / "blueprint.yaml").write_text(before, encoding="utf-8")
    assert "qa is gone from the blueprint" in walk("compile", expect=2).err
    assert (folder / "mlops-iac.qa.lock.json").exists()
    told = walk("stack", "rm", "qa", "--yes", "--force")
    assert "removed stacks/schedule-adherence/Pulumi.qa.yaml" in told.err
    walk("compile")
    assert not list(Path(folder).glob("*qa*"))
    assert text(walk) == before


def test_local_follows_a_pin_that_its_registry_has_and_tells_of_another(walk: Cli) -> None:
    path = walk.folder / "blueprint.yaml"
    before = text(walk)
    path.write_text(before.replace("{approval: manual}", "{approval: manual}\n    version: 7"))
    answer = walk("preview", "--json")
    assert set(answer.json["changeSummary"]) == {"same"}
    answer = walk("up", "--yes")
    assert "local has no adherence/7, which the blueprint pins" in answer.err
    assert "serves adherence/1, the newest approved version" in answer.err
    path.write_text(before.replace("{approval: manual}", "{approval: manual}\n    version: 1"))
    answer = walk("preview")
    assert "newest approved" not in answer.err
    assert "which the blueprint pins" not in answer.err
    path.write_text(before)


def test_an_endpoint_is_not_deleted_because_its_only_version_was_rejected(walk: Cli) -> None:
    told = walk("models", "reject", "latest").err
    assert "local serves it still; no other is approved, and `up` is refused until one is" in told
    cause = "no approved version of adherence is left, and serving.api serves 1: approve one"
    same = walk("preview")
    assert cause in same.err
    assert "−0 delete" in same.err + same.out
    assert cause in walk("up", "--yes", expect=2).err
    before = text(walk)
    path = walk.folder / "blueprint.yaml"
    path.write_text(before.replace("api:\n", "web:\n"))  # the entry is taken out: that is asked for
    assert walk("preview", "--json").json["changeSummary"]["delete"] > 1
    path.write_text(before)
    walk("models", "approve", "latest")
    assert set(walk("preview", "--json").json["changeSummary"]) == {"same"}
