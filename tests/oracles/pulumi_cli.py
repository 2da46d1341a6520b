"""The real Pulumi CLI as a user calls it: in a folder, with a backend of files beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NEEDED = [
    pytest.mark.pulumi_cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` on PATH"),
]
"""The marks of a module whose tests need it."""


@dataclass(frozen=True)
class Pulumi:
    """Runs `pulumi` in `program`. Its state, and what it keeps of its own, lie in `home`."""

    program: Path
    home: Path
    environment: Mapping[str, str]

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        self.home.mkdir(exist_ok=True)
        variables = {
            **os.environ,
            "HOME": str(self.home),
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": self.home.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.environment,
            **more,
        }
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.program,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, ok: bool = True, **more: str) -> str:
        """What it printed: on stdout, and where it fails as it should (`ok=False`) on both."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=180)
        assert (process.returncode == 0) is ok, out + err
        return out if ok else out + err

    def json(self, *arguments: str, **more: str) -> Any:
        return json.loads(self(*arguments, "--json", **more))
