"""The stack as a whole: options, renames, exceptions, delivery."""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.words import join, listed, split, suggestion

# Source: pulumi 3.260, pkg/backend/diy (blob drivers), pkg/secrets/cloud and `stack init --help`.
_BACKENDS = ("https", "http", "s3", "gs", "azblob", "file", "postgres")
_SECRETS = ("awskms", "azurekeyvault", "gcpkms", "hashivault")
# Sections whose entries have names of their own.
RENAMEABLE = ("datasets", "features", "models", "serving", "secrets", "alerts")


def check_platform(check: Check) -> None:
    """What concerns the whole stack."""
    blueprint = check.blueprint
    _state(check, blueprint)
    _options(check, blueprint)
    _moved(check, blueprint)
    for rule, exception in blueprint.exceptions.items():
        path = f"{join('exceptions', rule)}.at"
        # `.` is the whole stack; an address (`module.Type/name`) is known when it is captured.
        known = exception.at in check.found.written
        if (
            not known
            and not check.is_broken(path)
            and exception.at != "."
            and "/" not in exception.at
        ):
            hint = suggestion(exception.at, list(check.found.written))
            check.report(path, "unknown-path", f"there is nothing at '{exception.at}'", hint)
    if blueprint.delivery is not None and not check.is_broken("delivery.repository"):
        repository = blueprint.delivery.repository
        if repository.count("/") < 2 or "://" in repository or " " in repository:
            check.report(
                "delivery.repository",
                "bad-repository",
                f"'{repository}' is not a repository",
                "write HOST/OWNER/NAME, e.g. github.com/acme/adherence",
            )


def _state(check: Check, blueprint: Blueprint) -> None:
    state = blueprint.state
    for path, value, alone, schemes in (
        ("state.backend", state.backend, (), _BACKENDS),
        ("state.secrets_provider", state.secrets_provider, ("default", "passphrase"), _SECRETS),
    ):
        scheme, marked, rest = (value or "").partition("://")
        if value is None or value in alone or (marked and rest and scheme in schemes):
            continue
        what = "backend" if path == "state.backend" else "secrets provider"
        choices = listed([*alone, *(f"{each}://…" for each in schemes)], "or")
        check.report(path, "bad-url", f"'{value}' is no {what} of Pulumi", f"write {choices}")


def _options(check: Check, blueprint: Blueprint) -> None:
    written = [
        path
        for path in check.found.written
        if path.rpartition(".")[0].endswith("options") and check.resolved.is_written(path)
    ]
    for path in written:
        platform = path.rpartition(".")[2]
        if platform != blueprint.platform:
            check.report(
                path,
                "no-effect",
                f"options for {platform} do nothing on {blueprint.platform}",
                "",
                "warning",
                at_key=True,
            )


def _moved(check: Check, blueprint: Blueprint) -> None:
    seen: dict[str, str] = {}
    for new, old in blueprint.moved.items():
        path = f'moved."{new}"' if "." in new else f"moved.{new}"
        new_keys, old_keys = split(new), split(old)
        if len(new_keys) != 2 or len(old_keys) != 2 or new_keys[0] != old_keys[0]:
            hint = "write NEW: OLD, e.g. `serving.api: serving.old`"
            check.report(path, "bad-move", f"'{old}' cannot become '{new}'", hint, at_key=True)
        elif new_keys[0] not in RENAMEABLE:
            check.report(
                path, "bad-move", f"entries of '{new_keys[0]}' cannot be renamed", at_key=True
            )
        elif new not in check.found.written:
            # An environment may have removed the entry; where it never was, it is a typo.
            if check.resolved.environment == "local":
                hint = suggestion(new_keys[1], list(check.names(new_keys[0])))
                check.report(path, "unknown-path", f"there is no '{new}'", hint, at_key=True)
        elif old in check.found.written:
            check.report(path, "bad-move", f"'{old}' is still there, so '{new}' is another entry")
        elif old in seen:
            check.report(path, "bad-move", f"'{old}' cannot become '{new}' and '{seen[old]}'")
        seen[old] = new
