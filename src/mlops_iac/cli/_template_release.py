"""`mlops-iac template release`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mlops_iac.api.templates.linting import release_of
from mlops_iac.cli._session import Session, option, verb, write_file
from mlops_iac.cli._template_test import FOLDER, FORM, run
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint.render import Format


@verb("release")
def command(
    session: Session,
    folder: str = FOLDER,
    tag: str | None = option("Refuse it where it is not this version's.", metavar="TAG"),
    notes: str | None = option("Write the version's changelog there.", metavar="FILE"),
    form: Format = FORM,
) -> int:
    """Check a template as `test` does, hold it against the version before, and say which tag to make.

    The version before is the newest below it that the tags of the template's own git repository have.
    What breaks those who stand on it is told as warnings, what is new or another as notes, and a
    version number that does not say so as an error. Exit codes as those of `test`.
    """
    release = release_of(folder)
    if tag is not None and tag != release.tag:
        raise UsageError(
            f"the tag {tag} does not say the template's version, {release.version}",
            hint=f"its tag is {release.tag}",
        )
    tested = run(session, folder, form, more=release.found)
    if session.json and form == "text":
        about = {key: getattr(release, key) for key in ("version", "tag", "before")}
        session.emit_json({**about, **tested.as_json()})
    since = f"since {release.before}" if release.before else "the first version"
    code = tested.told(session, f"{release.tag}, {since}", form)
    if notes is not None:
        write_file(notes, "".join(f"- {line}\n" for line in release.changelog))
    if not code and tag is None:
        made = shlex.quote(release.tag)
        session.say(f"next: git tag {made} && git push origin {made}")
    return code
