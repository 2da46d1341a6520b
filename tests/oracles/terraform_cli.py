"""Runs the real terraform with the real AWS provider from a filesystem mirror, never a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.oracles.to_terraform import VERSION

# Terraform gives a provider a minute to start, which 800 MB read for the first time may take; it has
# not begun anything then.
_SLOW_START, _STARTS = "timeout while waiting for plugin to start", 3


class TerraformMissing(Exception):
    """No terraform, or no provider for it; the message says what to install where."""


class Terraform:
    """One working folder. Raises TerraformMissing where binary or provider are absent."""

    def __init__(self, folder: Path) -> None:
        from tools.aws_facts.provider_process import ADDRESS, ProviderMissing, find_provider

        binary = shutil.which("terraform")
        if binary is None:
            raise TerraformMissing("no terraform on PATH")
        try:
            provider = find_provider(VERSION)
        except ProviderMissing as missing:
            raise TerraformMissing(str(missing)) from None
        mirror = provider.parents[2 + len(Path(ADDRESS).parts)]
        self._binary, self.folder = binary, folder
        config = folder / "cli.tfrc"
        config.write_text(
            f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n', "utf-8"
        )
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_"))}
        self._environment = kept | {
            "TF_CLI_CONFIG_FILE": str(config),
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def write(self, configuration: dict[str, Any]) -> None:
        """Write the configuration, and initialise where that has not been done."""
        (self.folder / "main.tf.json").write_text(json.dumps(configuration, indent=1), "utf-8")
        if not (self.folder / ".terraform").exists():
            done = self.run("init", "-input=false", "-no-color")
            assert done.returncode == 0, done.stdout + done.stderr

    def write_modules(self, configurations: Mapping[str, dict[str, Any]]) -> None:
        """Write each as a module of one configuration: provider and schemas are loaded once for all."""
        for name, configuration in configurations.items():
            (self.folder / name).mkdir(exist_ok=True)
            own = {key: item for key, item in configuration.items() if key != "provider"}
            (self.folder / name / "main.tf.json").write_text(json.dumps(own, indent=1), "utf-8")
        common = {key: configuration[key] for key in ("terraform", "provider")}
        modules = {name: {"source": f"./{name}"} for name in configurations}
        shutil.rmtree(self.folder / ".terraform", ignore_errors=True)
        self.write({**common, "module": modules})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run terraform in the folder; what it prints is text."""
        for _ in range(_STARTS):
            done = subprocess.run(
                [self._binary, *arguments],
                cwd=self.folder,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if _SLOW_START not in done.stderr + done.stdout:
                break
        return done

    def problems(self) -> dict[str, list[str]]:
        """By module, `resource: summary; detail` of each error that the provider finds in it."""
        done = self.run("validate", "-json")
        assert done.stdout.startswith("{"), done.stderr
        found: dict[str, list[str]] = {}
        for each in json.loads(done.stdout)["diagnostics"]:
            if each["severity"] == "error":
                module = Path((each.get("range") or {}).get("filename", "")).parent.name
                where = (each.get("snippet") or {}).get("context") or ""
                found.setdefault(module, []).append(f"{where}: {each['summary']}; {each['detail']}")
        return found

    def plan(self) -> dict[str, Any]:
        """The plan against the state in the folder, nothing refreshed."""
        done = self.run("plan", "-refresh=false", "-input=false", "-no-color", "-out=p")
        assert done.returncode == 0, done.stdout + done.stderr
        shown = self.run("show", "-json", "p")
        assert shown.returncode == 0, shown.stderr
        plan: dict[str, Any] = json.loads(shown.stdout)
        return plan
