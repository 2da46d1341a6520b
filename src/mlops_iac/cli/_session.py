"""What every command shares: the global options, where output goes, and how to ask."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from inspect import signature
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from mlops_iac.errors import Cancelled, MlopsError, UsageError

if TYPE_CHECKING:
    from mlops_iac.api import Project


# What is typed about one blueprint; `-C` and `-f` may stand before the command.
_COMMAND = re.compile(
    r"(?<!\w)mlops-iac (?=(?:validate|compile|preview|up|run|open|models|invoke|promote|status|outputs|stack|refresh"
    r"|destroy|local|policy|template (?:show|update)|graph|explain)\b)"
)

# Those of them that take `--emulated`; in backquotes they are typed without the name of the tool, too.
_REHEARSED = re.compile(
    r"(?<!\w)(?:mlops-iac |(?<=`))(?:preview|up|run|models approve|models reject|models ls|invoke|promote"
    r"|status|outputs|stack ls|refresh|destroy)\b"
)

_LEFT_OUT_SHOWN = 5


def option(help_: str, *names: str, **how: Any) -> Any:
    """An option, as the default of the parameter it fills; `names` where it is called otherwise."""
    return lambda name: click.Option(
        [*(names or [f"--{name.replace('_', '-')}"]), name], help=help_, **how
    )


def flag(help_: str, *names: str) -> Any:
    """An option without a value."""
    return option(help_, *names, is_flag=True)


def argument(**how: Any) -> Any:
    """An argument, as the default of the parameter it fills."""
    return lambda name: click.Argument([name], **how)


# They stand before or after the command's name.
GLOBAL_OPTIONS = {
    "file": option("The blueprint (blueprint.yaml).", "-f", "--file", metavar="FILE"),
    "stack": option("An environment, or local (default).", "-s", "--stack", metavar="STACK"),
    "directory": option("Run as if started in DIR.", "-C", metavar="DIR"),
    "yes": flag("Do not ask.", "-y", "--yes"),
    "json": flag("Machine-readable output on stdout."),
    "color": option("Colours; auto.", type=click.Choice(["auto", "always", "never"])),
    "no_input": flag("Never ask; fail instead."),
    "verbose": flag("Say more.", "-v", "--verbose"),
    "quiet": flag("Say less.", "-q", "--quiet"),
}
EMULATED = flag("Rehearse the environment on the emulated cloud of this machine.")
ENGINE = option("Which engine.", type=click.Choice(["embedded", "pulumi"]))


def made(options: Mapping[str, Any]) -> list[click.Parameter]:
    """The parameters of one command: click changes what it is given, so none is shared."""
    return [make(name) for name, make in options.items()]


@dataclass
class Session:
    """One invocation: its options and its way of talking. Data on stdout, words on stderr."""

    file: str | None = None
    stack: str = "local"
    directory: str | None = None
    yes: bool = False
    json: bool = False
    color: str = "auto"
    no_input: bool = False
    verbose: bool = False
    quiet: bool = False
    # Whether the stack is rehearsed on the emulated cloud.
    emulated: bool = False
    # Whether stdout has its one JSON document: what comes after it is words.
    emitted: bool = field(default=False, repr=False)
    _project: Any = field(default=None, repr=False)
    # Where the command was typed, whatever -C says.
    started: str = field(default="", repr=False)

    # The invocation's session, for the one place that prints errors.
    current: ClassVar[Session | None] = None
    # The command line as it was given.
    words: ClassVar[list[str]] = []

    def project(self) -> Project:
        """Load the project of `--file` once; every problem of the blueprint in one error."""
        if self._project is None:
            from mlops_iac.api import load

            self._project = load(self.file or "blueprint.yaml")
            if self.emulated:
                self._project = self._rehearsal(self._project)
            self.notes(self._project.notes)
        project: Project = self._project
        return project

    def _rehearsal(self, project: Project) -> Project:
        """Return its rehearsal, and say so: whatever follows is not about what is real."""
        from mlops_iac.api.kinds import Rehearsal
        from mlops_iac.api.stacks.rehearsal import require_another

        if click.get_current_context().info_name not in ("promote", "stack", "models"):
            require_another(project, self.stack)
        self.say(
            f"{self.style('emulated', fg='magenta', bold=True)}: a rehearsal on this machine;"
            " nothing real is asked or changed"
        )
        return Rehearsal(project)

    @property
    def shown(self) -> str:
        """The stack as people read it: what is rehearsed is never taken for what is real."""
        return self.as_shown(self.stack)

    def as_shown(self, stack: str) -> str:
        """Any stack, so."""
        return f"{stack}, emulated" if self.emulated else stack

    def head(self, project: str, stack: str, platform: str, engine: str) -> None:
        """Say what a plan is about."""
        title = self.style(f"{project} → {self.as_shown(stack)}", bold=True)
        self.say(f"{title} ({platform}, {engine} engine)")

    @property
    def is_local(self) -> bool:
        """Whether the stack stands on the emulated cloud."""
        return self.stack == "local" or self.emulated

    @property
    def of(self) -> str:
        """The stack as it is typed behind a command; nothing for `local`."""
        return "" if self.stack == "local" else f" -s {self.stack}"

    def tell_left_out(self, project: Project) -> dict[str, str]:
        """Name what is not packed with the code, in one line; return all of it."""
        found = project.left_out()
        if found:
            shown = [f"{name} ({why})" for name, why in islice(found.items(), _LEFT_OUT_SHOWN)]
            more = [f"and {len(found) - len(shown)} more"] * (len(found) > len(shown))
            self.say(f"note: not packed with the code: {', '.join([*shown, *more])}")
        return found

    def adopt(self, project: Project) -> None:
        """Use a project that a command made in its own way. Raises UsageError in a rehearsal."""
        self.require_real("a stack that the blueprint does not declare")
        self._project = project

    def require_real(self, what: str) -> None:
        """Raise UsageError where a rehearsal is asked of what would be real all the same."""
        if self.emulated:
            raise UsageError(
                f"--emulated rehearses environments of the blueprint, not {what}; nothing was done",
                hint="leave --emulated out",
            )

    def deployed(self) -> Project:
        """Load the project, for commands about what is deployed already.

        A stack that the blueprint does not declare may be an ephemeral one: its backend is asked.
        Raises StackNotFound where it is neither.
        """
        project = self.project()
        if self.stack in project.environments:
            return project
        if self.emulated:
            project.resolve(self.stack)  # says what there is; no backend is asked
            return project
        from mlops_iac.api.kinds import find

        self.adopt(find(project, self.stack))
        return self.project()

    @property
    def colored(self) -> bool:
        """Whether stderr gets colours: flag, then NO_COLOR, then FORCE_COLOR, then a terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def interactive(self) -> bool:
        """Whether someone is there to be asked."""
        return (
            not self.no_input
            and sys.stdin.isatty()
            and sys.stderr.isatty()
            and not os.environ.get("CI")
        )

    @property
    def live(self) -> bool:
        """Whether progress may redraw the screen."""
        return (
            sys.stderr.isatty()
            and not os.environ.get("CI")
            and os.environ.get("TERM") != "dumb"
            and not self.json
            and not self.quiet
        )

    def style(self, text: str, **style: Any) -> str:
        """Colour `text` where colours are wanted."""
        return click.style(text, **style) if self.colored else text

    def say(self, *texts: str, elsewhere: bool = False) -> None:
        """Words for a person, on stderr; silent under --quiet.

        Commands in them are about the blueprint of this one, unless they are typed `elsewhere`.
        """
        for text in () if self.quiet else texts:
            shown = text if elsewhere else self.typed(text)
            click.echo(shown, err=True, color=self.colored)

    def notes(self, notes: Iterable[str]) -> None:
        """Say what is to be known besides."""
        self.say(*(f"note: {note}" for note in notes))

    def typed(self, text: str) -> str:
        """Return the text; commands in it are about this blueprint, and this rehearsal of it."""
        given = {"-C": self.directory, "-f": self.file}
        options = " ".join(f"{key} {shlex.quote(value)}" for key, value in given.items() if value)
        if self.emulated:
            text = _REHEARSED.sub(r"\g<0> --emulated", text)
        return _COMMAND.sub(f"mlops-iac {options} ".replace("\\", r"\\"), text) if options else text

    def told(self, error: MlopsError) -> dict[str, Any]:
        """An error as JSON, with the fix as it is typed here."""
        hint = self.typed(error.hint)
        return {"exit_code": error.exit_code, "message": error.message, "hint": hint}

    def out(self, *texts: str, nl: bool = True) -> None:
        """Put data on stdout."""
        for text in texts:
            click.echo(text, nl=nl, color=True if self.color == "always" else None)

    def answer(self, document: object, *words: str) -> None:
        """What came of a command: the document under --json, else the words."""
        if self.json:
            self.emit_json(document)
        else:
            self.say(*words)

    def emit_json(self, value: object, *, whole: bool = False) -> None:
        """JSON on stdout, one document; of a rehearsal it says so, but where it is a `whole` already."""
        import json

        self.emitted = True
        if self.emulated and isinstance(value, dict) and not whole:
            value = {"emulated": True, **value}
        click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def error(self, message: str, hint: str = "", *, word: str = "error") -> None:
        """An error and its fix, on stderr, also under --quiet."""
        head = self.style(word, fg="red" if word == "error" else "yellow", bold=True)
        click.echo(f"{head}: {message}", err=True, color=self.colored)
        if hint:
            fix = f"  {self.style('fix', fg='cyan')}: {self.typed(hint)}"
            click.echo(fix, err=True, color=self.colored)

    def confirm(self, question: str, *, word: str | None = None) -> None:
        """Ask before doing; `word` must be typed where a plain yes is too easy.

        Raises UsageError where nobody can be asked and `--yes` is missing, Cancelled on no.
        """
        if self.yes and (word is None or not self.interactive):
            return
        if not self.interactive:
            raise UsageError(
                f"{question} needs an answer and this is not a terminal; nothing was done",
                hint="add --yes",
            )
        if word is None:
            if not click.confirm(question, err=True):
                raise Cancelled("nothing was done")
        elif click.prompt(f"{question} Type {word!r} to go on", err=True, default="") != word:
            raise Cancelled("nothing was done")


def absorb(session: Session, options: Mapping[str, Any]) -> Session:
    """Take over the options that were given; `-C` takes effect at once."""
    for entry in fields(Session):
        if value := options.get(entry.name):
            setattr(session, entry.name, value)
    if options.get("directory"):
        try:
            session.started = session.started or str(Path.cwd())
            os.chdir(options["directory"])
        except OSError as error:
            raise UsageError(f"-C {options['directory']}: {error.strerror}") from None
    Session.current = session
    return session


def verb(
    name: str, /, *, rehearses: bool = False, **more: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function, which receives the session first.

    Its options are the defaults of its parameters, and `more` that it takes as keywords. One that
    `rehearses` takes `--emulated`.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        _, *parameters = signature(function).parameters.values()
        own = {each.name: each.default for each in parameters if each.kind != each.VAR_KEYWORD}
        own |= more
        emulated = {"emulated": EMULATED} if rehearses else {}

        @wraps(function)
        def callback(**options: Any) -> Any:
            given = {key: options.pop(key) for key in own}
            session = absorb(click.get_current_context().find_object(Session) or Session(), options)
            return function(session, **given)

        return click.Command(
            name,
            params=made(own | emulated | GLOBAL_OPTIONS),
            callback=callback,
            help=function.__doc__,
        )

    return decorate


def write_file(path: str, content: str) -> None:
    """Write a file that the user named; a refusal is an error about that file."""
    try:
        Path(path).write_text(content, encoding="utf-8")
    except OSError as error:
        hint = "" if Path(path).parent.exists() else f"make the folder {Path(path).parent} first"
        raise UsageError(f"cannot write {path}: {error.strerror}", hint=hint) from None
