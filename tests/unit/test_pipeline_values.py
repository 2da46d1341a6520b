"""The URIs that are read, the requirements of a workload."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings
from mlops_iac.clouds.aws.sagemaker.local import SageMakerBackend
from mlops_iac.clouds.aws.store import split_uri
from mlops_iac.errors import ResourceFailed, UsageError
from mlops_iac.pipeline.steps import Lifecycle, Register, Train
from mlops_iac.workload import environments
from mlops_iac.workload.archives import unpack
from mlops_iac.workload.environments import OVERRIDE, requirements, workload_python


@pytest.mark.parametrize("uri", ["/data/x", "https://bucket/key", "s3://"])
def test_only_s3_uris_are_read(uri: str) -> None:
    with pytest.raises(UsageError, match="not an s3"):
        split_uri(uri)


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("../outside.txt")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(UsageError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "inside")
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.parametrize(
    ("text", "image", "wanted"),
    [
        ("pandas\n", "1.dkr.ecr.x/sagemaker-scikit-learn:1.9-0", "pandas\nscikit-learn==1.9.*\n"),
        ("scikit-learn==1.9.1\n", "1.dkr.ecr.x/sagemaker-scikit-learn:1.9-0", "scikit-learn==1.9.1\n"),
        ("# nothing\n", "1.dkr.ecr.x/sagemaker-xgboost:3.2-0", "xgboost==3.2.*\n"),
        ("", "1.dkr.ecr.x/pytorch-training:2.6.0-cpu-py312", "torch==2.6.*\n"),
        ("numpy\n", "my/own:latest", "numpy\n"),
    ],
)  # fmt: skip
def test_an_images_framework_is_installed_here_too(text: str, image: str, wanted: str) -> None:
    life = Lifecycle("m", (), (), None, Train(script="train.py"), None, (), Register())
    settings = SageMakerSettings(images={"train": image}, instance_types={})
    values = {"artifacts_bucket": "b", "code_uri": "s3://b/code"}
    backend = SageMakerBackend(life, settings, values, lambda _: None)
    assert requirements(text, backend.framework) == wanted
    # What else is brought along gives way in the same manner.
    assert requirements(text + "brought==1\n", backend.framework, "Brought>=2").count("ought") == 1


class Recorder:
    """Stands for subprocesses: makes what they would make, or fails at the one that is named."""

    def __init__(self, fails: str = "") -> None:
        self.commands: list[list[str]] = []
        self.fails = fails

    def run(self, what: str, command: list[str], **_: Any) -> None:
        self.commands.append(command)
        if self.fails and self.fails in command:
            raise ResourceFailed(f"{what} failed; its log ends with\n  No matching distribution")
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()


def make(recorder: Recorder, wanted: str = "pandas\n") -> Path:
    return workload_python(wanted, recorder, lambda _: None)  # type: ignore[arg-type]


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_IAC_CACHE", str(tmp_path))
    monkeypatch.delenv(OVERRIDE, raising=False)
    return tmp_path


@pytest.mark.usefixtures("own_cache")
def test_an_environment_is_made_once_per_requirements() -> None:
    recorder = Recorder()
    first = make(recorder)
    made = len(recorder.commands)
    assert made == 2
    assert make(recorder) == first
    assert [command[1:] for command in recorder.commands[made:]] == [["-P", "-c", ""]]
    assert make(recorder, "numpy\n") != first


def test_an_environment_that_was_left_half_made_is_dropped(own_cache: Path) -> None:
    """Whoever still writes into it writes into nothing that is used."""
    half = make(Recorder()).parents[1]
    (half.parent / "made").unlink()
    recorder = Recorder()
    assert make(recorder).parents[1] != half
    assert len(recorder.commands) == 2
    assert not half.exists()


def test_a_python_that_is_gone_is_made_anew(own_cache: Path) -> None:
    first = make(Recorder())
    first.unlink()
    assert make(Recorder()) != first


@pytest.mark.usefixtures("own_cache")
def test_pips_failure_is_told_and_leaves_nothing_usable() -> None:
    with pytest.raises(ResourceFailed, match="No matching distribution") as caught:
        make(Recorder(fails="install"))
    assert OVERRIDE in caught.value.hint
    recorder = Recorder()
    make(recorder)
    assert len(recorder.commands) == 2


@pytest.mark.parametrize(
    ("variables", "config", "tool"),
    [
        ({}, "[global]\ncert = c.pem\n", "uv"),
        # A package of a private index must not be looked for on the public one.
        ({"PIP_EXTRA_INDEX_URL": "https://private"}, "", "python"),
        ({}, "[global]\nindex-url = https://private\n", "python"),
        ({"PIP_INDEX_URL": "https://private", "UV_DEFAULT_INDEX": "https://private"}, "", "uv"),
    ],
)
def test_uv_makes_it_unless_pip_alone_knows_from_where(
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    config: str,
    tool: str,
) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    file, program = own_cache / "pip.conf", own_cache / "uv"
    file.write_text(config)
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(own_cache))
    monkeypatch.setattr(environments, "_FILES", {"PIP_": (str(file),), "UV_": ()})
    recorder = Recorder()
    make(recorder)
    assert Path(recorder.commands[-1][0]).name == tool


def test_an_override_is_used_as_it_is_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    python = tmp_path / "python"
    monkeypatch.setenv(OVERRIDE, str(python))
    with pytest.raises(UsageError, match="which is no program"):
        make(recorder)
    python.touch(mode=0o755)
    assert make(recorder) == python
    assert recorder.commands == []
