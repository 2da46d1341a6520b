"""Which files of the code a step is taken to depend on."""

from __future__ import annotations

import pytest

from mlops_iac.pipeline.step_cache import code_of

CODE = {
    "features.py": b"import pandas\n",
    "mlops_step.py": b"from mlops_runtime.step import main  # train.py and the others\n",
    "prepare.py": b"from features import columns\nprint('train')\n",
    "requirements.txt": b"",
    "steps/train.py": b"from features import columns\n",
}
SCRIPTS = ("prepare.py", "steps/train.py")


def test_the_scripts_of_other_steps_are_left_out() -> None:
    assert set(code_of("prepare.py", CODE, SCRIPTS)) == set(CODE) - {"steps/train.py"}
    assert set(code_of("steps/train.py", CODE, SCRIPTS)) == set(CODE) - {"prepare.py"}


@pytest.mark.parametrize(
    "line",
    [
        "from steps.train import fit",
        "    import os, steps.train",
        "run(['python', 'steps/train.py'])",
    ],
)
def test_one_that_any_file_uses_is_not(line: str) -> None:
    used = {**CODE, "features.py": line.encode()}
    assert set(code_of("prepare.py", used, SCRIPTS)) == set(CODE)
