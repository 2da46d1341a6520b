"""What is packed and compiled, started by the code of AWS's containers, with no index to be reached.

The toolkits run as they do in an image (`packages_env`); nginx and TorchServe, which are not on the
package index, do not: gunicorn answers itself, and PyTorch's handler service is called as TorchServe
calls it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.aws import containers
from mlops_iac.clouds.registry import platform
from mlops_iac.program.archive import members, pack
from mlops_iac.runtime import contract
from mlops_iac.runtime.files import runtime_files
from mlops_iac.workload.archives import pack as pack_model
from mlops_iac.workload.archives import unpack
from tests.oracles import packages_env
from tests.sagemaker_blueprints import MINIMAL, loaded

IMAGES = Path(__file__).with_name("container_images.py")
WORKLOAD = {
    "train.py": """\
import json, sys
from pathlib import Path
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
Path(given["--model"], "factor.txt").write_text(given["--factor"])
Path(given["--metrics"]).write_text(json.dumps({"accuracy": 0.9}))
""",
    "predict.py": """\
from pathlib import Path
from parts.scale import scaled
def load(folder): return float(Path(folder, "factor.txt").read_text())
def predict(model, rows): return [scaled(model, row["x"]) for row in rows]
""",
    "parts/__init__.py": "",
    "parts/scale.py": "def scaled(factor, value): return factor * value\n",
    "requirements.txt": "numpy>=2  # every image has it\n",
}
CLOSED = MINIMAL.replace(
    "train: {script: train.py}", "train: {script: train.py, hyperparameters: {factor: 2.5}}"
) + ("security: {network: private, egress: none}\n")
VERSIONS = {"scikit-learn": "1.9", "xgboost": "3.2", "pytorch": "2.6"}


@pytest.fixture(scope="session")
def toolkits() -> Path:
    return packages_env.python_of("containers")


class Container:
    """An image of a framework, with the environment and the files of one stack's jobs."""

    def __init__(self, folder: Path, toolkits: Path, framework: str, **changed: str) -> None:
        self.root = folder / "opt" / "ml"
        self.framework = framework
        text = CLOSED.replace(
            "scikit-learn, version: 1.9", f"{framework}, version: {VERSIONS[framework]}"
        )
        blueprint = loaded(folder, text)
        workload = folder / "workload"
        shutil.rmtree(workload)
        for name, content in {**WORKLOAD, **changed}.items():
            file = workload / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        calls = {
            each.variable: each for each in platform("sagemaker").plan(blueprint.resolve("local"))
        }
        definition = calls["churn_pipeline"].args["definition"].content
        steps = json.loads(self._here(definition))["Steps"]
        (self.training,) = (each["Arguments"] for each in steps if each["Type"] == "Training")
        (version,) = (each["Arguments"] for each in steps if each["Type"] == "RegisterModel")
        self.serving = version["InferenceSpecification"]["Containers"][0]["Environment"]
        self.put("input/data/customers/customers.csv", "churned\n1\n")
        (self.root / contract.OUTPUT).mkdir(parents=True)
        code = self.root / contract.CHANNELS / contract.CODE_CHANNEL / contract.CODE_FILE
        code.parent.mkdir()
        code.write_bytes(pack(members(workload, runtime_files())))
        self.python = self._image(folder / "image", toolkits)

    def _here(self, text: str) -> str:
        """With the folder that is `/opt/ml`, and a region."""
        return text.replace(f"{contract.ROOT}/", f"{self.root}/").replace("${region}", "eu-west-1")

    def _image(self, folder: Path, toolkits: Path) -> Path:
        """A Python that sees the toolkits and installs into a folder of its own, as a container."""
        make = [toolkits, "-m", "venv", "--without-pip", folder]
        subprocess.run(make, check=True)
        (site,) = folder.glob("lib/python*/site-packages")
        asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
        done = subprocess.run([toolkits, "-c", asked], check=True, capture_output=True, text=True)
        (site / "toolkits.pth").write_text(done.stdout)
        shutil.copy(IMAGES, site)
        # The images patch it so: docker/sklearn/1.9-0/Dockerfile, "collections.Mapping".
        patch = (
            "import collections, collections.abc\ncollections.Mapping = collections.abc.Mapping\n"
        )
        (site / "sitecustomize.py").write_text(patch)
        # A handler of PyTorch's own is never called here, and torch is large.
        (site / "torch.py").touch()
        python = folder / "bin" / "python"
        gunicorn = python.with_name("gunicorn")
        gunicorn.write_text(f'#!/bin/sh\nexec "{python}" -m gunicorn "$@"\n')
        gunicorn.chmod(0o755)
        return python

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def environment(self, given: Mapping[str, str], **own: str) -> dict[str, str]:
        """Of the image and of the job; an index that nobody answers at."""
        return {
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": str(self.root),
            "SAGEMAKER_BASE_DIR": str(self.root),
            "SAGEMAKER_USE_NGINX": "false",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
            "PIP_RETRIES": "0",
            **given,
            **own,
        }

    def train(self, **own: str) -> str:
        """Train as the image does; what it said. Fails where the job fails."""
        self.put("input/config/hyperparameters.json", json.dumps(self.training["HyperParameters"]))
        self.put("input/config/inputdataconfig.json", "{}")
        resources = {"current_host": "localhost", "hosts": ["localhost"]}
        self.put("input/config/resourceconfig.json", json.dumps(resources))
        xgboost = self.framework == "xgboost"
        own = {
            "SAGEMAKER_TRAINING_MODULE": "container_images:train_"
            + ("xgboost" if xgboost else "scikit_learn"),
            contract.ROOT_SETTING: str(self.root),
            **own,
        }
        toolkit = "sagemaker_containers" if xgboost else "sagemaker_training"
        return self.run(
            ["-m", f"{toolkit}.cli.train"], self.environment(self.training["Environment"], **own)
        )

    def untrained(self) -> None:
        """What a training leaves, without one."""
        code = self.root / contract.CHANNELS / contract.CODE_CHANNEL / contract.CODE_FILE
        unpack(code, self.root / contract.MODEL / contract.CODE)

    def deliver(self) -> None:
        """The trained model, packed as the service does and unpacked on another machine."""
        archive = self.root.parent / contract.MODEL_FILE
        pack_model(self.root / contract.MODEL, archive)
        shutil.rmtree(self.root)
        unpack(archive, self.root / contract.MODEL)

    @contextmanager
    def served(self, **own: str) -> Iterator[str]:
        """The address of the server that the image starts. Fails where it ends before it listens."""
        own = {
            "SAGEMAKER_SERVING_MODULE": "container_images:serve",
            "SAGEMAKER_BIND_TO_PORT": "0",
            **own,
        }
        start = (
            "from sagemaker_containers import _env, _server;"
            "_server.start(_env.ServingEnv().framework_module)"
        )
        server = subprocess.Popen(
            [self.python, "-c", start],
            env=self.environment(self.serving, **own),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said: list[str] = []
        try:
            for line in server.stdout or ():
                said.append(line)
                if found := re.search(r"Listening at: http://0\.0\.0\.0:(\d+)", line):
                    threading.Thread(target=said.extend, args=(server.stdout,), daemon=True).start()
                    yield f"http://127.0.0.1:{found[1]}"
                    return
            raise AssertionError("".join(said))
        finally:
            server.terminate()
            server.wait()

    def run(self, arguments: list[str], env: Mapping[str, str]) -> str:
        done = subprocess.run(
            [self.python, *arguments], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def asked(address: str, rows: list[Any]) -> tuple[int, Any]:
    """The answer to /invocations once /ping is answered."""
    body = json.dumps({"instances": rows}).encode()
    try:
        urllib.request.urlopen(f"{address}/ping").read()
        request = urllib.request.Request(
            f"{address}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_a_closed_stack_trains_and_serves(tmp_path: Path, toolkits: Path, framework: str) -> None:
    container = Container(tmp_path, toolkits, framework)
    assert "metric accuracy=0.9" in container.train()
    container.deliver()
    with container.served() as address:
        assert asked(address, [{"x": 2}, {"x": 4}]) == (200, {"predictions": [5.0, 10.0]})


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_whose_fault_it_is_reaches_the_caller(
    tmp_path: Path, toolkits: Path, framework: str
) -> None:
    """The toolkit makes a 500 without a reason of what handlers raise (its container's issue 62)."""
    container = Container(tmp_path, toolkits, framework)
    container.untrained()
    container.put("model/factor.txt", "2.5")
    with container.served() as address:
        status, said = asked(address, [{"x": 2}, {"y": 4}])
        assert (status, json.loads(said)["row"]) == (400, 2)
        status, said = asked(address, [{"y": 4}, {}])
        assert (status, json.loads(said)["row"]) == (400, 1)
        assert asked(address, [{"x": 2}]) == (200, {"predictions": [5.0]})


def test_torchserves_handler_service_answers(tmp_path: Path, toolkits: Path) -> None:
    container = Container(tmp_path, toolkits, "pytorch")
    container.train()
    container.deliver()
    program = """
import os, sys, types
from sagemaker_inference import environment, model_server
assert os.path.exists(model_server.REQUIREMENTS_PATH)
model_server._install_requirements()
from sagemaker_pytorch_serving_container import torchserve
torchserve._set_python_path()  # of the workers that TorchServe starts
sys.path[:0] = os.environ["PYTHONPATH"].split(":")
from sagemaker_pytorch_serving_container.handler_service import HandlerService
service, told = HandlerService(), {}
asked = types.SimpleNamespace(get_request_properties=lambda: {"Content-Type": "application/json"})
context = types.SimpleNamespace(
    system_properties={"model_dir": environment.model_dir},
    request_processor=[asked],
    get_request_header=lambda index, name: {"Content-type": "application/json"}.get(name),
    get_all_request_header=lambda index: {"Content-Type": "application/json"},
    set_response_content_type=lambda index, kind: told.update(kind=kind),
    set_response_status=lambda **status: told.update(status),
    metrics=types.SimpleNamespace(add_time=lambda *_: None),
)
service.initialize(context)
for row in (b'{"x": 2}', b'{"y": 2}'):
    print(service.handle([{"body": bytearray(b'{"instances": [%s]}' % row)}], context), told)
"""
    said = container.run(["-c", program], container.environment(container.serving))
    assert """['{"predictions": [5.0]}'] {'kind': 'application/json'}""" in said
    assert "'code': 400, 'phrase': 'Bad Request'" in said
    assert "(predict.py, line 4); it lacks: x" in said


SETUPTOOLS = "No matching distribution found for setuptools"


def test_a_folder_that_is_installed_is_built_in_isolation_unless_told(
    tmp_path: Path, toolkits: Path
) -> None:
    """Why `offline` stands in the table: what 1 does looks like the opposite."""
    container = Container(tmp_path, toolkits, "xgboost")
    with pytest.raises(AssertionError, match=SETUPTOOLS):
        container.train(PIP_NO_BUILD_ISOLATION="1")
    shutil.rmtree(container.root / contract.CODE)
    container.untrained()
    for name in containers.offline():
        del container.serving[name]
    with pytest.raises(AssertionError, match=SETUPTOOLS), container.served():
        pass


def test_a_package_that_the_image_has_not_stops_it(tmp_path: Path, toolkits: Path) -> None:
    container = Container(
        tmp_path, toolkits, "scikit-learn", **{"requirements.txt": "acme-scoring>=2\n"}
    )
    with pytest.raises(AssertionError, match="No matching distribution found for acme-scoring"):
        container.train()


def test_a_wheel_in_the_code_folder_is_found(tmp_path: Path, toolkits: Path) -> None:
    """What a refused requirements.txt is told to do, wherever pip was started."""
    container = Container(
        tmp_path,
        toolkits,
        "pytorch",
        **{"requirements.txt": "--find-links wheels\nacme_scoring>=2\n", "wheels/.keep": ""},
    )
    container.untrained()
    wheels = container.root / contract.MODEL / contract.CODE / "wheels"
    with zipfile.ZipFile(wheels / "acme_scoring-2.1-py3-none-any.whl", "w") as wheel:
        info = "acme_scoring-2.1.dist-info"
        wheel.writestr("acme_scoring.py", "")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: acme-scoring\nVersion: 2.1\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    program = "from sagemaker_inference import model_server; model_server._install_requirements()"
    container.run(
        ["-c", f"{program}; import acme_scoring"], container.environment(container.serving)
    )


def test_a_model_without_its_functions_answers_nothing(tmp_path: Path, toolkits: Path) -> None:
    """What `validate` refuses, refused by the container."""
    container = Container(
        tmp_path, toolkits, "scikit-learn", **{"predict.py": "def load(folder): return 1\n"}
    )
    container.untrained()
    with container.served() as address:
        assert asked(address, [{"x": 2}])[0] == 500
