"""What CI installs: locked at the index that is named, and installed as the generated jobs install it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mlops_iac.clouds import registry
from mlops_iac.program.project_files import PULUMI_VERSION, own_version
from tests.cli.harness import ROOT, Cli
from tests.cli.package_index import PASSWORD, USER, Index, serving

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("uv") is None and shutil.which("uv") is None,
    reason="uv is not installed (pip install 'mlops-iac[lock]')",
)
LOCK = Path("stacks/schedule-adherence/requirements.lock")
((SDK, SDK_VERSION),) = registry.cloud("aws").sdks.items()


def fill(index: Index) -> Index:
    """All that a project's requirements name, small, with something below them."""
    index.add("mlops-iac", own_version(), ["below>=1 ; extra == 'aws'", "elsewhere ; sys_platform == 'win32'"], extra="aws")  # fmt: skip
    index.add("pulumi", PULUMI_VERSION)
    index.add(SDK, SDK_VERSION, ["below"])
    index.add("below", "1.1")
    index.add("elsewhere", "2.0", tag="cp311-abi3-win_amd64")
    return index


@pytest.fixture
def index() -> Iterator[Index]:
    with serving(fill(Index())) as served:
        yield served


@pytest.fixture
def compiled(cli: Cli, project: Path) -> Cli:
    program = project / LOCK.parent
    program.mkdir(parents=True)
    shutil.copy(ROOT / LOCK.parent / "requirements.txt", program)
    return cli


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+)(?:\[\w+\])?==([^\s;\\]+)", text, re.MULTILINE))


def test_everything_is_locked_by_digest_for_every_system_and_no_index_stands_in_it(
    compiled: Cli, project: Path, index: Index
) -> None:
    other = index.add("below", "1.1", tag="cp312-cp312-macosx_11_0_arm64")
    answer = compiled("ci", "lock", "--index-url", index.url)
    assert "below 1.1, new" in answer.err
    text = (project / LOCK).read_text(encoding="utf-8")
    assert pins(text) == {
        "mlops-iac": own_version(), "pulumi": PULUMI_VERSION, SDK: SDK_VERSION, "below": "1.1",
        "elsewhere": "2.0",
    }  # fmt: skip
    assert "elsewhere==2.0 ; sys_platform == 'win32'" in text
    assert other in text  # every file of a release, also another machine's
    for name in ("127.0.0.1", "localhost", "http", str(project)):
        assert name not in text


def test_what_is_pinned_stays_until_it_is_upgraded(
    compiled: Cli, project: Path, index: Index
) -> None:
    compiled("ci", "lock", "--index-url", index.url)
    before = (project / LOCK).read_bytes()
    index.add("below", "1.2")
    assert "is fresh" in compiled("ci", "lock", "--index-url", index.url).err
    assert (project / LOCK).read_bytes() == before
    assert "below 1.1 → 1.2" in compiled("ci", "lock", "--upgrade", "--index-url", index.url).err


def test_the_digests_are_those_of_the_index_that_is_named(
    compiled: Cli, project: Path, index: Index
) -> None:
    compiled("ci", "lock", "--index-url", index.url)
    before = (project / LOCK).read_bytes()
    with serving(fill(Index())) as other:
        for name in ("mlops_iac", "below"):  # one with an extra, one without
            [file] = [each for each in other.files if each.startswith(f"{name}-")]
            other.files[file] = index.files[file] + b"\0"
        answer = compiled("ci", "lock", "--index-url", other.url, expect=2)
        was, now = (
            hashlib.sha256(each.files["below-1.1-py3-none-any.whl"]).hexdigest()
            for each in (index, other)
        )
        said = f"below 1.1: other files (sha256:{was[:12]}… → sha256:{now[:12]}…)"
        assert said in answer.err
        assert f"mlops-iac {own_version()}: other files" in answer.err
        assert "--upgrade" in answer.err
        assert (project / LOCK).read_bytes() == before
        answer = compiled("ci", "lock", "--upgrade", "--index-url", other.url)
        assert said in answer.err and "fresh" not in answer.err
        assert now in (project / LOCK).read_text(encoding="utf-8")


def test_without_a_named_index_nothing_is_resolved(
    compiled: Cli, project: Path, index: Index
) -> None:
    # What a machine is set to is nobody's decision about the project.
    set_ = {"UV_DEFAULT_INDEX": index.url, "UV_INDEX_URL": index.url, "PIP_INDEX_URL": index.url}
    answer = compiled("ci", "lock", expect=2, **set_)
    assert "no index is named, and the name mlops-iac is not ours on every one" in answer.err
    # Nor may a second one take part: whoever has the higher version there would win.
    with serving(Index()) as second:
        second.add("below", "9.9")
        compiled("ci", "lock", "--index-url", index.url, UV_INDEX=second.url, UV_EXTRA_INDEX_URL=second.url)  # fmt: skip
        assert pins((project / LOCK).read_text(encoding="utf-8"))["below"] == "1.1"
        assert second.asked == []


@pytest.mark.parametrize(
    "url", [f"https://{USER}:s3cr3t-8064@packages.example.com/simple", "https://packages.example.com/simple?token=s3cr3t-8064", "http://packages.example.com/simple"],
)  # fmt: skip
def test_no_credential_and_no_plain_connection_gets_into_a_file(
    compiled: Cli, project: Path, url: str
) -> None:
    for words in (("lock",), ("generate", "github")):
        answer = compiled("ci", *words, "--index-url", url, expect=2)
        assert "s3cr3t" not in answer.err + answer.out
    assert not (project / LOCK).exists()


def test_what_cannot_be_had_as_a_wheel_leaves_the_lock_as_it_was(
    compiled: Cli, project: Path, index: Index
) -> None:
    compiled("ci", "lock", "--index-url", index.url)
    before = (project / LOCK).read_bytes()
    with (project / LOCK.parent / "requirements.txt").open("a") as file:
        file.write("nowhere==1\n")
    answer = compiled("ci", "lock", "--index-url", index.url, expect=2)
    assert "nowhere" in answer.err
    assert (project / LOCK).read_bytes() == before


def test_a_lock_of_other_requirements_is_stale(compiled: Cli, project: Path, index: Index) -> None:
    compiled("ci", "generate", "github", "--index-url", index.url)
    compiled("ci", "lock")  # at the index that the workflows name
    compiled("ci", "generate", "github", "--check")
    with (project / LOCK.parent / "requirements.txt").open("a") as file:
        file.write("below==1.1\n")
    answer = compiled("ci", "generate", "github", "--check", expect=1)
    assert "requirements.lock was made from other requirements" in answer.err


def test_a_program_without_us_is_checked_by_us_all_the_same(
    compiled: Cli, project: Path, index: Index
) -> None:
    (project / LOCK.parent / "requirements.txt").write_text(
        f"pulumi=={PULUMI_VERSION}\n{SDK}=={SDK_VERSION}\n"
    )
    compiled("ci", "lock", "--index-url", index.url)
    assert "mlops-iac" in pins((project / LOCK).read_text(encoding="utf-8"))


# -- installed as the jobs install it


def installing(project: Path) -> str:
    [text] = [p.read_text() for p in (project / ".gitlab").iterdir()]
    found: list[str] = yaml.safe_load(text)[".schedule-adherence-tool"]["before_script"]
    return "\n".join(found)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A Python without packages, as a job's."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "machine"], check=True)
    return tmp_path / "machine"


def job(script: str, project: Path, machine: Path, url: str) -> tuple[int, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    answer = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env={
            **kept, "PATH": f"{machine}/bin:{os.environ['PATH']}", "CI_PROJECT_DIR": str(project),
            "LOCK": str(LOCK), "WORK": str(project / ".ci-mlops-iac"), "PIP_INDEX_URL": url,
            "PIP_NO_CACHE_DIR": "1", "MLOPS_IAC_INDEX_USERNAME": USER,
            "MLOPS_IAC_INDEX_PASSWORD": PASSWORD,
        },
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    return answer.returncode, answer.stdout + answer.stderr


def test_a_job_installs_what_is_locked_and_nothing_that_came_later(
    compiled: Cli, project: Path, machine: Path, tmp_path: Path
) -> None:
    with serving(fill(Index(private=True))) as index:
        home = tmp_path / "home"
        home.mkdir()
        (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        (home / ".netrc").chmod(0o600)
        compiled("ci", "generate", "gitlab", "--index-url", index.url, "--index-credentials")
        compiled("ci", "lock", HOME=str(home), NETRC=str(home / ".netrc"))
        script = installing(project)
        index.add("below", "9.9")  # somebody takes the name
        code, said = job(script, project, machine, index.url)
        assert code == 0, said
        assert PASSWORD not in said
        assert not (project / ".ci-mlops-iac" / "netrc").exists()
        [where] = (machine / "lib").glob("python*/site-packages")
        assert "1.1" in (where / "below.py").read_text()
        assert (where / "mlops_iac.py").exists()
        # Other bytes under the same version: what was installed is not touched, and the job fails.
        index.files["below-1.1-py3-none-any.whl"] += b"\0"
        shutil.rmtree(machine)
        subprocess.run([sys.executable, "-m", "venv", machine], check=True)
        code, said = job(script, project, machine, index.url)
        assert code != 0
        assert "DO NOT MATCH THE HASHES" in said, said
        assert not list(machine.glob("lib/python*/site-packages/mlops_iac.py"))
