"""The same rules as a policy pack of the plain Pulumi CLI: a folder for `--policy-pack`.

The folder holds what the rules have to know of the blueprint (accounts, components, exceptions, the
team's settings), because the CLI hands a pack resources and nothing else. It has an environment of
its own: pulumi-policy asks for another protobuf than some provider SDKs do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from mlops_iac.errors import UsageError

SETTINGS: Final = "settings.json"
FORMAT: Final = 1

_MAIN = '''"""Guard rails of {project}, for `pulumi preview --policy-pack` and `pulumi up --policy-pack`.

Written by `mlops-iac policy pack`; write it again when the blueprint or its policies change.
"""

from pathlib import Path

from mlops_iac.policy.served import serve

serve(Path(__file__).parent)
'''
_README = """# Guard rails of {project}

    pulumi install          # in this folder, once: makes .venv
    pulumi preview --policy-pack {folder} -s STACK

Written by `mlops-iac policy pack`; write it again when the blueprint or its policies change. What
the pack cannot know of a preview, values that exist only after the deployment, it does not judge:
`mlops-iac policy check` does, over stand-ins.
"""


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What the rules have to know of one stack. `components` maps names to blueprint paths."""

    production: bool
    region: str
    accounts: tuple[str, ...] = ()
    components: Mapping[str, str] = field(default_factory=dict)
    # rule → {at, reason, until}
    exceptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What holds for one rule."""

    severity: str
    parameters: Mapping[str, bool | int | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PackSettings:
    """All that stands in `settings.json`. A rule that is not in `rules` does not run."""

    project: str
    stacks: Mapping[str, StackSettings]
    rules: Mapping[str, RuleSettings]

    def to_json(self) -> str:
        """The file's text."""
        content = {"format": FORMAT, **asdict(self)}
        return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> PackSettings:
        """Read the file. Raises UsageError for one of another version."""
        data = json.loads(text)
        if (found := data.pop("format", None)) != FORMAT:
            raise UsageError(
                f"{SETTINGS} has format {found}; this version reads {FORMAT}",
                hint="write the pack again with `mlops-iac policy pack`",
            )
        from pydantic import TypeAdapter

        return TypeAdapter(cls).validate_python(data)


def write(out: Path, settings: PackSettings, own: Mapping[str, str], version: str) -> list[Path]:
    """Write the pack's folder; `own` are the rules of the team and its templates, text by name.

    Raises UsageError where it cannot be written, or where something else stands in it.
    """
    if out.exists() and not (out / "PulumiPolicy.yaml").exists() and any(out.iterdir()):
        raise UsageError(f"{out} holds something else", hint="name a new or empty folder")
    files = {
        "PulumiPolicy.yaml": _pulumi_policy_yaml(settings.project, version),
        "__main__.py": _MAIN.format(project=settings.project),
        "requirements.txt": f"mlops-iac=={version}\npulumi-policy>=1.20,<2\n",
        "README.md": _README.format(project=settings.project, folder=out.name),
        ".gitignore": ".venv/\n__pycache__/\n",
        SETTINGS: settings.to_json(),
        **{f"policies/{name}": text for name, text in own.items()},
    }
    try:
        for name, text in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for stale in (out / "policies").glob("*.py"):
            if f"policies/{stale.name}" not in files:
                stale.unlink()
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from None
    return [out / name for name in files]


def _pulumi_policy_yaml(project: str, version: str) -> str:
    return (
        f"description: {json.dumps(f'Guard rails of {project}')}\n"
        f"version: {json.dumps(version)}\n"
        "runtime:\n"
        "  name: python\n"
        "  options:\n"
        "    toolchain: pip\n"
        "    virtualenv: .venv\n"
    )
