"""CI for the repository of a template: its workflow, and the packages that it installs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.ci.workflows import named
from mlops_iac.api.compile import package_lock
from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.manifest import Manifest


def workflows(
    folder: Path, platform: str, *, root: Path | None = None, given: Mapping[str, object]
) -> dict[Path, str]:
    """File → content of a platform's workflow for the template in `folder`.

    `root` and `given` as in `api.delivering.workflows`. Raises UsageError, BlueprintInvalid.
    """
    from mlops_iac.scaffold import ci_templates
    from mlops_iac.scaffold.ci_options import kept

    top = top_of(folder, root)
    here = folder.resolve()
    if not here.is_relative_to(top):
        raise UsageError(f"the template's folder {here} lies outside of {top}")
    manifest = _read(folder)
    name = manifest.name
    path = top / ci_templates.places(platform, name)[0]
    options = kept([path.read_text(encoding="utf-8")] if path.is_file() else ()).changed(given)
    delivery = ci_templates.TemplateDelivery(
        name, here.relative_to(top).as_posix(), options, named(manifest.extends, folder)
    )
    return {top / path: text for path, text in ci_templates.workflows(platform, delivery).items()}


def top_of(folder: Path, root: Path | None = None) -> Path:
    """The repository's root."""
    return (root or checkout_around(folder.resolve()) or folder).resolve()


def locks(folder: Path, root: Path) -> dict[Path, str]:
    """Lock → the index that its workflow names, of every workflow that there is."""
    from mlops_iac.scaffold.ci import PLATFORMS
    from mlops_iac.scaffold.ci_options import kept
    from mlops_iac.scaffold.ci_templates import places

    name = _read(folder).name
    found = {}
    for platform in PLATFORMS:
        workflow, lock = places(platform, name)
        if (root / workflow).is_file():
            found[root / lock] = kept([(root / workflow).read_text(encoding="utf-8")]).index_url
    if not found:
        raise UsageError(
            f"{name} has no workflow, whose packages would be locked",
            hint=f"mlops-iac ci generate {'|'.join(PLATFORMS)} --template {folder}",
        )
    return found


def unlocked(folder: Path, platform: str, root: Path | None = None) -> tuple[str, bool]:
    """Why CI could not install what a template's checks need, or nothing; and whether a lock is there."""
    from mlops_iac.scaffold.ci_templates import places

    path = top_of(folder, root) / places(platform, _read(folder).name)[1]
    why = package_lock.unlocked(path, package_lock.of_templates())
    told = f"{os.path.relpath(path)} {why}: `mlops-iac ci lock --template {folder}`" if why else ""
    return told, path.exists()


def _read(folder: Path) -> Manifest:
    from mlops_iac.blueprint.templates.applying import parse
    from mlops_iac.templates.authoring import read_template

    return parse(read_template(folder)).manifest
