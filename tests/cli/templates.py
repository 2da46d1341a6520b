"""Templates to be found: folders, repositories made with git, and finders of a blueprint."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateContent, Wanted
from mlops_iac.templates import cache
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.lockfile import lock_path, write_lock

_GIT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def write_template(
    folder: Path, version: str, *, name: str = "acme/standard", extends: str = "", body: str = ""
) -> Path:
    """A template that only has a name and a version."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"template: 1\nname: {name}\nversion: {version}\ndescription: For tests.\n{extends}"
    (folder / "template.yaml").write_text(text)
    (folder / "blueprint.yaml").write_text(f"owner: platform{body}@acme.com\n")
    return folder


class Origin:
    """A repository whose tags are versions."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def copied(self, folder: Path) -> Origin:
        """The same in another folder, for a test that changes it."""
        made = Origin.__new__(Origin)
        made.folder = Path(shutil.copytree(self.folder, folder))
        return made

    @property
    def source(self) -> str:
        return f"git+file://{self.folder}"

    def git(self, *arguments: str, given: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **_GIT},
            input=given,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def release(self, version: str, tag: str = "", *, under: str = "", **template: str) -> str:
        """Commit a version and tag it; the commit."""
        write_template(self.folder / under, version, **template)
        return self.commit(tag or f"v{version}")

    def commit(self, tag: str, *, annotated: bool = False) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", tag)
        self.git("tag", "--force", *(["-a", "-m", tag] if annotated else []), tag)
        return self.git("rev-parse", "HEAD")

    def tree(self, *entries: str, tag: str) -> None:
        """Tag a commit of a tree that no work tree could hold; an entry is a line of mktree."""
        tree = self.git("mktree", "--missing", given="\n".join(entries).encode())
        self.git("tag", "--force", tag, self.git("commit-tree", tree, "-m", tag))

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", given=content)


class Team:
    """A blueprint's folder, and what its commands do with templates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        (folder.parent / ".git").mkdir(exist_ok=True)  # what lies beside it is its repository's
        self.blueprint = folder / "blueprint.yaml"
        self.lock = lock_path(self.blueprint)

    def finder(self, **options: object) -> Finder:
        """A finder as a new process would have it: nothing is remembered but what is on disk."""
        cache.forget()
        return Finder.beside(self.blueprint, **options)  # type: ignore[arg-type]

    def find(self, source: str, version: str = "", **options: object) -> TemplateContent:
        return self.finder(**options).find(Wanted(source=source, version=version))

    def compile(self, source: str, version: str = "", **options: object) -> TemplateContent:
        """Find it and write the lock."""
        finder = self.finder(**options)
        content = finder.find(Wanted(source=source, version=version))
        write_lock(self.lock, finder.pins())
        return content
