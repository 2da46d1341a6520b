"""The files of a new template: one that tests green, to be changed from there."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint.templates.manifest import is_name
from mlops_iac.clouds import registry
from mlops_iac.errors import UsageError
from mlops_iac.templates.files import read_folder

_FOLDER = Path(__file__).with_name("starter_files")


def starter(name: str, platform: str = registry.DEFAULT) -> dict[str, bytes]:
    """The files of a template called `name`, POSIX path → content.

    Raises UsageError for what is no name of a template.
    """
    if not is_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a template",
            hint="lowercase letters, digits and hyphens, as NAME or NAMESPACE/NAME",
        )
    said = {"name": name, "platform": platform}
    said["account"] = registry.forms(platform).example_account
    files = read_folder(_FOLDER, "starter")
    for key, value in said.items():
        files = {
            path: data.replace(b"@%s@" % key.encode(), value.encode())
            for path, data in files.items()
        }
    return files
