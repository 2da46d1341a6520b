"""The root command: lazy subcommands, the global options, and the one place that catches errors."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any

import click

from mlops_iac import __version__
from mlops_iac.cli._session import GLOBAL_OPTIONS, Session, absorb, made
from mlops_iac.errors import (
    AuthenticationError,
    BlueprintInvalid,
    Cancelled,
    MlopsError,
    TimedOut,
    UsageError,
)

# Command → module and one line of help, in the order a newcomer needs them.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Start a project: blueprint, data, workload."),
    "validate": ("validate", "Check the blueprint; every problem in one pass."),
    "compile": ("compile", "Write the Pulumi program and a lock file per stack."),
    "eject": ("eject", "Copy components beside the program, to change them or to walk away."),
    "preview": ("preview", "Show what would change, without credentials (aliases plan, diff)."),
    "up": ("up", "Deploy (alias deploy); the stack `local` is a cloud on this machine."),
    "run": ("run", "Run a model's compiled pipeline on this machine."),
    "open": ("open", "Open the page of a run: metrics, pictures, steps."),
    "models": ("models", "List, show, approve and reject model versions."),
    "invoke": ("invoke", "Get predictions from the model behind a serving entry."),
    "monitor": ("monitor", "Measure drift and quality of what an entry was asked."),
    "simulate": ("simulate", "Call an entry with its dataset, as it is or drifted."),
    "promote": ("promote", "Pin in one environment the versions that another one runs."),
    "status": ("status", "What is deployed, and whether it is emulated or recorded."),
    "outputs": ("outputs", "The stack's outputs."),
    "stack": ("stack", "Show every stack; export its state; add and remove environments."),
    "refresh": ("refresh", "Take over into the state what vanished or drifted."),
    "destroy": ("destroy", "Delete everything a stack made."),
    "ci": ("ci", "Generate CI workflows: previews on pull requests, exact plans on merge."),
    "local": ("local", "Start, stop and inspect the emulated cloud."),
    "pr": ("pr", "Put a preview into a pull request, as a comment that is rewritten; open one."),
    "policy": ("policy", "Check stacks against guard rails; list them; make a policy pack."),
    "template": ("template", "Build on templates, and write, check and document them."),
    "graph": ("graph", "Draw the stack as Mermaid, DOT or SVG."),
    "schema": ("schema", "Print the blueprint's JSON Schema."),
    "explain": ("explain", "Say a field's value and the line it comes from."),
    "doctor": ("doctor", "Check this machine: Python, extras, CLIs, emulator."),
    "completion": ("completion", "Print the completion script of a shell."),
}
ALIASES = {"plan": "preview", "diff": "preview", "deploy": "up"}


class _Bug(MlopsError):
    exit_code = 255

    def __init__(self, message: str) -> None:
        hint = "this is a bug in mlops-iac; repeat with -v for the details to report"
        super().__init__(message, hint=hint)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    `table` is command → module and one line of help, `aliases` other name → command.
    """

    def __init__(
        self,
        name: str | None,
        table: Mapping[str, tuple[str, str]],
        aliases: Mapping[str, str] = MappingProxyType({}),
        **how: Any,
    ) -> None:
        super().__init__(name, **how)
        self._table = table
        self._aliases = aliases

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None where there is no such command."""
        name = self._aliases.get(cmd_name, cmd_name)
        if name not in self._table:
            return None
        module = importlib.import_module(f"mlops_iac.cli.{self._table[name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Add a did-you-mean to an unknown command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], [*self._table, *self._aliases], n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in self._table.items()])


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    aliases=ALIASES,
    # Every command inherits it.
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    params=made(GLOBAL_OPTIONS),
)
@click.version_option(__version__, prog_name="mlops-iac", message="%(prog)s %(version)s")
def root(**options: Any) -> None:
    """Compile one blueprint into a Pulumi program for cloud MLOps; preview and deploy it.

    Without a cloud account, the stack `local` is an emulated cloud on this machine.
    """
    ctx = click.get_current_context()
    ctx.obj = absorb(Session(), options)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; no exception leaves this function."""
    Session.current = None
    words = Session.words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(words)
    except BrokenPipeError:
        # The reader (head, less) went away; that is its right.
        silence = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(silence, stream.fileno())
        return 0


def _run(words: list[str]) -> int:
    try:
        code = root.main(args=words, prog_name="mlops-iac", standalone_mode=False, obj=Session())
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        # Raised before the options were read, so the flag is looked for in the words.
        if "--json" in words:
            context = getattr(error, "ctx", None)
            hint = f"see `{context.command_path} --help`" if context else ""
            return _tell(UsageError(error.format_message(), hint=hint), Session(json=True))
        error.show()
        return UsageError.exit_code
    except (KeyboardInterrupt, click.Abort):
        with _undisturbed():
            return _tell(
                Cancelled("interrupted", hint="what was done so far is kept; run it again")
            )
    except BrokenPipeError:
        raise
    except SystemExit:
        # click's own way out when a reader went away (EPIPE); nothing else of ours exits.
        raise BrokenPipeError from None
    except MlopsError as error:
        # What the root's own options are wrong in is raised before the command's are read.
        return _tell(error, Session.current or Session(json="--json" in words))
    except ModuleNotFoundError as error:
        return _missing(error)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not error.filename:
            return _tell(
                UsageError("the folder that you stand in is gone", hint="cd to one that is there")
            )
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _tell(MlopsError(what, hint="make room or give access, and run it again"))
    except RecursionError:
        return _tell(
            UsageError(
                "something that was read is nested without end; nothing more was done",
                hint="a file of `.mlops-iac/` or of the compiled program that somebody else wrote",
            )
        )
    except MemoryError:
        return _tell(MlopsError("there is not enough memory; nothing more was done"))
    except Exception as error:
        told = _cloud_error(error)
        return _internal(error) if told is None else _tell(told)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody interrupt the words about an interruption: Ctrl-C is often pressed twice."""
    previous = None
    with suppress(ValueError):  # not the main thread, which alone is interrupted
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)


def _missing(error: ModuleNotFoundError) -> int:
    """Tell what to install; what nothing of ours brings is a bug."""
    from mlops_iac.clouds.software import install

    how = install(error.name or "")
    if not how:
        return _internal(error)
    package = (error.name or "").partition(".")[0]
    return _tell(
        UsageError(
            f"this command needs {package}, which is not installed; nothing was done",
            hint=f"{how}; validate, explain and schema work without",
        )
    )


def _cloud_error(error: Exception) -> MlopsError | None:
    """Say in our words what a cloud's SDK raised outside of a deployment; None: it was none."""
    from mlops_iac.clouds.registry import clouds

    failures = (each.access.failure(error) for each in clouds())
    match next(filter(None, failures), None):
        case None:
            return None
        case "silent":
            hint = "look at `mlops-iac local status`"
            return TimedOut(f"the cloud did not answer: {error}", hint=hint)
        case "signed out":
            return AuthenticationError(f"the cloud was not asked: {error}", hint="sign in to it")
        case _:
            return MlopsError(f"the cloud refused: {error}")


def _tell(error: MlopsError, session: Session | None = None) -> int:
    session = session or Session.current or Session()
    if isinstance(error, BlueprintInvalid):
        from mlops_iac.cli._diagnostics import show

        show(error.diagnostics, session)
    elif session.json and not session.emitted:
        session.emit_json({"error": session.told(error)})
    else:
        word = "cancelled" if isinstance(error, Cancelled) else "error"
        session.error(error.message, error.hint, word=word)
    return error.exit_code


def _internal(error: Exception) -> int:
    import traceback

    if Session.current and Session.current.verbose:
        traceback.print_exception(error, file=sys.stderr)
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    where = f"{frame.f_globals.get('__name__', '?')}:{line}"
    return _tell(_Bug(f"internal error: {type(error).__name__}: {error} ({where})"))
