"""What of a folder is never packed: what git ignores, what holds secrets, what tools keep there.

An archive is committed beside the program and uploaded, so it is no place for what is on one
machine alone. The same files stay out where they are absent: two machines pack the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mlops_iac.blueprint.ignoring import Ignoring
from mlops_iac.blueprint.reach import is_checkout

TOOLS: Final = frozenset(
    {
        "__pycache__",
        ".git",
        ".venv",
        "venv",
        "node_modules",
        ".mlops-iac",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".ipynb_checkpoints",
        ".DS_Store",
    }
)
_COMPILED: Final = (".pyc", ".pyo")
_TOOLS: Final = "a tool made it"

# Files that by their tools' own documentation hold credentials. A pattern is one of a name in any
# folder, or of the last names of a path; what ends in `/` is a folder. Tracked or not: git would
# keep them, and no job needs them. Add what a tool documents as a place of secrets; what merely may
# hold one (`config.yaml`) stays in.
SECRETS: Final = (
    (".env", "environment of a process"),
    (".env.*", "environment of a process"),
    (".envrc", "environment of direnv"),
    (".netrc", "passwords of hosts"),
    ("_netrc", "passwords of hosts"),
    (".git-credentials", "passwords of git"),
    (".pypirc", "tokens of package indexes"),
    (".npmrc", "tokens of package registries"),
    (".aws/", "credentials of AWS"),
    (".azure/", "credentials of Azure"),
    (".config/gcloud/", "credentials of Google Cloud"),
    ("application_default_credentials.json", "credentials of Google Cloud"),
    ("service-account*.json", "key of a service account"),
    ("service_account*.json", "key of a service account"),
    ("client_secret*.json", "secret of an OAuth client"),
    (".boto", "credentials of gsutil"),
    (".s3cfg", "credentials of s3cmd"),
    (".kube/", "credentials of clusters"),
    ("kubeconfig", "credentials of clusters"),
    (".docker/config.json", "passwords of registries"),
    (".dockercfg", "passwords of registries"),
    (".databrickscfg", "tokens of Databricks"),
    (".snowsql/", "passwords of Snowflake"),
    ("kaggle.json", "token of Kaggle"),
    (".cache/huggingface/token", "token of Hugging Face"),
    (".streamlit/secrets.toml", "secrets of Streamlit"),
    (".pgpass", "passwords of PostgreSQL"),
    (".my.cnf", "passwords of MySQL"),
    (".htpasswd", "password hashes"),
    (".vault-token", "token of Vault"),
    (".vault_pass*", "password of Ansible"),
    ("*.tfstate", "state of Terraform"),
    ("*.tfstate.*", "state of Terraform"),
    (".ssh/", "keys of SSH"),
    ("id_rsa*", "keys of SSH"),
    ("id_dsa*", "keys of SSH"),
    ("id_ecdsa*", "keys of SSH"),
    ("id_ed25519*", "keys of SSH"),
    ("*.pem", "often a private key"),
    ("*.key", "often a private key"),
    ("*.ppk", "private key"),
    ("*.p8", "private key"),
    ("*.p12", "store of keys"),
    ("*.pfx", "store of keys"),
    ("*.jks", "store of keys"),
    ("*.keystore", "store of keys"),
    ("*.kdbx", "store of passwords"),
)
# Samples that say which settings there are, and public halves of keys.
_NOT: Final = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub")


class Leaving:
    """What stays out of an archive of one folder, and why. Asks git once for each checkout in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._checkouts: dict[str, tuple[str, Ignoring | None]] = {"": ("", Ignoring.below(root))}

    def why(self, name: str) -> str:
        """Why a file stays out, or a folder whose name ends in `/`; empty where it is packed.

        `name` is relative to the root, and nothing that it lies in stays out.
        """
        last = name.rstrip("/").rpartition("/")[2]
        if last in TOOLS or last.endswith(_COMPILED):
            return _TOOLS
        if secret := _secret(name):
            return f"secrets: {secret}"
        start, ignoring = self._checkout(name.rstrip("/").rpartition("/")[0])
        if ignoring is not None and ignoring.ignores(name[len(start) :]):
            return "git ignores it"
        return ""

    def why_path(self, name: str) -> str:
        """`why`, of a file or of the outermost folder that it lies in."""
        parts = name.split("/")
        above = ["/".join(parts[:end]) + "/" for end in range(1, len(parts))]
        return next(filter(None, map(self.why, [*above, name])), "")

    def _checkout(self, folder: str) -> tuple[str, Ignoring | None]:
        """The checkout that decides in a folder, and where in the root it begins."""
        known = self._checkouts.get(folder)
        if known is None:
            here = self._root / folder
            known = (
                (f"{folder}/", Ignoring.below(here))
                if is_checkout(here)
                else self._checkout(folder.rpartition("/")[0])
            )
            self._checkouts[folder] = known
        return known


def walk(root: Path) -> Iterator[tuple[str, str]]:
    """Every file and link below `root`, and why it stays out: empty for what is packed.

    A folder that stays out is one entry, whose name ends in `/`. Names are relative, with `/`.
    """
    leaving = Leaving(root)
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        before = "" if inside == "." else f"{inside}/"
        links = [each for each in folders if Path(folder, each).is_symlink()]
        stay = {
            each: why
            for each in folders
            if each not in links and (why := leaving.why(f"{before}{each}/"))
        }
        folders[:] = sorted(each for each in folders if each not in stay and each not in links)
        yield from ((f"{before}{each}/", why) for each, why in sorted(stay.items()))
        yield from ((before + each, leaving.why(before + each)) for each in sorted(files + links))


def left_out(root: Path) -> dict[str, str]:
    """What stays out of an archive of `root` and why, but for what tools made, which is no news."""
    return {name: why for name, why in walk(root) if why and why != _TOOLS}


def _fits(name: str, pattern: str) -> bool:
    """Whether a name has the form of a pattern; `*` is any text. Nothing is compiled for it."""
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    last = others.pop()
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in others:
        if (at := name.find(part, at, end)) < 0:
            return False
        at += len(part)
    return True


def _secret(name: str) -> str:
    """What the list says of a name; empty for nothing."""
    folded = name.lower()
    last = folded.rstrip("/").rpartition("/")[2]
    if any(_fits(last, pattern) for pattern in _NOT):
        return ""
    slash = "/" if folded.endswith("/") else ""
    for pattern, kept in SECRETS:
        if "/" not in pattern.rstrip("/"):
            if _fits(last + slash, pattern):
                return kept
        elif f"/{folded}".endswith(f"/{pattern}"):
            return kept
    return ""
