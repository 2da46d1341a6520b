"""Files of a template that nothing reads, that are missing, or that hold what looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch

from mlops_iac.blueprint.source import Node, Source, problem
from mlops_iac.blueprint.templates.content import BLUEPRINT, MANIFEST, POLICIES, TemplateContent
from mlops_iac.blueprint.words import nearest
from mlops_iac.clouds import registry
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.files import CI_FILES

README = "README.md"
KNOWN = (
    MANIFEST, BLUEPRINT, README, POLICIES, "blueprint.lock", "CHANGELOG.md", "LICENSE", "NOTICE",
    ".gitignore",
)  # fmt: skip
FOLDERS = ("scaffold", "policies", "tests", "docs")
# Of a template that is a repository of its own: what the CI system and whoever reviews it reads.
_REPOSITORY = (*CI_FILES, ".gitattributes", ".editorconfig")
# Forms that their issuers publish so that scanners find them.
_TOKENS = (
    *(
        (what, re.compile(form))
        for each in registry.clouds()
        for what, form in each.forms.credentials.items()
    ),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})\b")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}\b")),
    ("a Slack webhook", re.compile(r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z]{30,}\b")),
    ("a Pulumi token", re.compile(r"\bpul-[0-9a-f]{40}\b")),
    ("credentials in a URL", re.compile(r"://[^/\s:@'\"${}]+:[^/\s@'\"${}]{3,}@")),
)


def check_files(content: TemplateContent, folder: str) -> Iterator[Diagnostic]:
    """What is wrong with the names of a template's files; `folder` is what messages call it."""
    for name in sorted(content.files):
        top, _, rest = name.partition("/")
        if any(fnmatch(top, each) for each in _REPOSITORY):
            continue
        if rest:
            if top not in FOLDERS:
                near = nearest(top, FOLDERS)
                yield _unread(folder, name, f"did you mean {near}/?" if near else "")
            elif top == "policies" and not name.endswith(".py"):
                yield _unread(folder, name, "rules are Python files: policies/NAME.py")
            elif top == "tests" and rest.endswith(".yml"):
                yield _unread(folder, name, "cases are called tests/NAME.yaml")
        elif name not in KNOWN:
            near = nearest(name, KNOWN)
            yield _unread(folder, name, f"did you mean {near}?" if near else "")
    if README not in content.files:
        yield problem(
            _place(f"{folder}/{MANIFEST}"),
            "no-readme",
            f"there is no {README}",
            hint="say in it for whom the template is, and what it leaves to the team",
            severity="warning",
        )


def _unread(folder: str, name: str, hint: str) -> Diagnostic:
    words = f"a template is {', '.join(KNOWN[:4])} and the folders {', '.join(FOLDERS)}"
    place = _place(f"{folder}/{name}")
    return problem(place, "unknown-file", f"nothing reads {name}", hint=hint or words)


def _place(file: str) -> Node:
    return Node("scalar", Source(file, ""), 0, 0)


def check_secrets(content: TemplateContent, folder: str) -> Iterator[Diagnostic]:
    """What looks like a secret, in any file of text. The value itself is not shown."""
    for name, raw in sorted(content.files.items()):
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for what, pattern in _TOKENS:
                if match := pattern.search(line):
                    # No snippet: what is printed ends up in the log of a CI.
                    place = Node(
                        "scalar", Source(f"{folder}/{name}", ""), number, match.start() + 1
                    )
                    hint = "everybody who uses the template reads it; take it back if real"
                    message = f"this looks like {what}"
                    yield problem(place, "secret-literal", message, hint=hint)
