"""The real CLI's errors in a line or two; its own text is a page, with the host's tracebacks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlops_iac.clouds import registry
from mlops_iac.engine.pulumi_events import plain
from mlops_iac.errors import AuthenticationError, MlopsError, StackNotFound, UsageError
from mlops_iac.graph.model import address_of_urn

# What providers say of missing or refused credentials, beside what each cloud's alone says.
_CREDENTIALS = re.compile(
    r"credentials?[^.;]{0,40}(not found|expired|could not be)|"
    r"unable to (locate|validate) credentials",
    re.IGNORECASE,
)
_PLUGIN = re.compile(r"resource plugin 'pulumi-resource-([^']+)'.{0,40}? at version v([^\s,]+)")
_NO_STACK = re.compile(r"no stack named '([^']+)' found")
# `resource "URN" cannot be deleted\nbecause it is protected.` Source: pulumi 3.260,
# pkg/resource/deploy/step_generator.go.
_PROTECTED = re.compile(
    r'resource "(urn:pulumi:[^"]+)" cannot be deleted\s+because it is protected'
)
# Source: pulumi 3.260, pkg/backend/diy/lock.go: the lock's URL, with its bucket's options, and holder.
_HELD = re.compile(
    r"^\s*(\S+?)/\.pulumi/locks/(\S+)/[^/\s]+\.json\S*: created by (\S+) \(pid (\d+)\) at (\S+)",
    re.MULTILINE,
)
_NOISE = ("Traceback", 'File "')


def explained(error: Exception, said: Sequence[str] = ()) -> MlopsError:
    """`error` of the Automation API as one of ours; `said` are the run's own error diagnostics."""
    text = plain(str(error))
    message = "; ".join(dict.fromkeys(map(_brief, said))) or _gist(text)
    everything = f"{message}\n{text}"
    plugin = _PLUGIN.search(everything)
    if plugin is not None:
        name, version = plugin.groups()
        return UsageError(
            f"Pulumi's plugin `{name}` {version} is not installed and could not be downloaded;"
            " no resource was touched",
            hint=f"pulumi plugin install resource {name} v{version}",
        )
    if absent := _NO_STACK.search(text):
        return missing(absent[1].rpartition("/")[2])
    if "PULUMI_ACCESS_TOKEN" in text or "pulumi login" in text:
        return AuthenticationError(
            "Pulumi has no backend to keep the state in: nobody is logged in; nothing was changed",
            hint="run `pulumi login`, or set PULUMI_BACKEND_URL (and PULUMI_ACCESS_TOKEN in CI)",
        )
    if "PULUMI_CONFIG_PASSPHRASE" in everything:
        return AuthenticationError(
            "the backend keeps secrets under a passphrase, and none was given; nothing was changed",
            hint="set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
        )
    if "incorrect passphrase" in everything:
        return AuthenticationError(
            "the passphrase is not the stack's; nothing was changed",
            hint="set PULUMI_CONFIG_PASSPHRASE to the one the stack was made with",
        )
    if kept := sorted({address_of_urn(urn) for urn in _PROTECTED.findall(everything)}):
        early = "; nothing was changed" if "preview failed" in everything.lower() else ""
        these = "is" if len(kept) == 1 else "are"
        return MlopsError(
            f"{', '.join(kept)} {these} protected and cannot be deleted{early}",
            hint="to lift the protection, write `protect: false` for this environment, `mlops-iac"
            " compile` and `up`; then delete",
        )
    if _CREDENTIALS.search(everything) or any(
        each.access.says_signed_out(everything) for each in registry.clouds()
    ):
        return AuthenticationError(f"Pulumi: {message}", hint="sign in to the cloud of this stack")
    if held := _HELD.search(text):
        url, stack, who, process, since = held.groups()
        return MlopsError(
            f"the stack is in use: by {who}, process {process}, since {since}",
            hint="wait for it to end, and run it again; if it was killed, first:"
            f" PULUMI_BACKEND_URL={url} pulumi cancel {stack}",
        )
    if "currently locked by" in text or "[409] Conflict" in text:
        return MlopsError(
            f"the stack is in use: {message}", hint="wait for it to end, or run `pulumi cancel`"
        )
    return MlopsError(f"Pulumi: {message}")


def missing(stack: str) -> StackNotFound:
    """What is said where a stack is needed that the backend does not have."""
    return StackNotFound(
        f"the backend has no stack {stack}: nothing was deployed to it",
        hint=f"`mlops-iac up -s {stack}` makes it; look at PULUMI_BACKEND_URL or `pulumi whoami -v`"
        " if it should be there",
    )


def _brief(message: str) -> str:
    """A diagnostic; of one with a traceback the line that says what happened."""
    if "Traceback (most recent call last)" not in message:
        return message
    lines = [line for line in message.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith((" ", "\t"))] or lines
    return f"the program failed: {told[-1].strip()}"


def _gist(text: str) -> str:
    """The lines that say `error:`, or the last one, without the names of streams."""
    lines = [line.strip().removeprefix("stderr: ") for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(_NOISE)]
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error:")]
    return "; ".join(dict.fromkeys(said)) or (lines[-1] if lines else "it failed without a word")


__all__ = ["explained", "missing"]
