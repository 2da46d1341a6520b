"""What goes out through our streams can be read, and is obeyed by no agent and no terminal."""

from __future__ import annotations

import ast
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import mlops_iac
from mlops_iac.cli import _output
from mlops_iac.cli._output import Inert, put_commands, visible
from tests.agents import obeyed

HOSTILE = {
    "Azure's": "##vso[task.prependpath]/tmp",
    "Azure's in a line": "a value ##VSO[task.setvariable variable=x]y",
    "Azure's colours": "x ##[section]y",
    "TeamCity's": "##teamcity[buildNumber '1']",
    "GitHub's": "::add-path::/tmp",
    "GitHub's behind spaces": "x\n \t\u2003::set-env name=x::y",
    "GitHub's old ones": "a ##[add-path]/tmp",
    "behind a carriage return": "x\r::error::y",
    "behind a line break of Windows": "x\r\n::error::y",
    "behind a form feed": "\f::error::y",
    "behind what is not seen": "\u200b::error::y",
    "within what is not seen": "#\u200d#\xadvso\u2060[task.complete]x",
    "colons apart by what is not seen": ":\ufeff:error::y",
    "apart by no character": "#\x00#vso[task.complete]x",
    "apart by half a character": "#\udc80#vso[task.complete]x",
    "apart by a selector": "#\ufe0f#[add-mask]x",
    "two in one": "####vso[task.complete]##[add-mask]x",
    "GitLab's section": "section_start:1:x\r\x1b[0Ky",
}
MARKERS = ["##vso[task.x]", "##[error]", "::error::", "##teamcity[", "section_end:1:x\r\x1b[0K"]
PIECES = st.sampled_from(
    [
        *MARKERS,
        *"#:[] \n\r\t\v\fé",
        "vso",
        "\x00",
        "\x1b[31m",
        "\u200b",
        "\ufe0f",
        "\u2028",
        "\udc80",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join)


class Printed:
    """A stream and what has come out of it."""

    def __init__(self, encoding: str = "utf-8", errors: str = "strict") -> None:
        self._raw = io.BytesIO()
        self.real = io.TextIOWrapper(self._raw, encoding=encoding, errors=errors, newline="\n")
        self.stream = Inert(self.real)

    def __str__(self) -> str:
        self.stream.flush()
        return self._raw.getvalue().decode()


def printed(*texts: str) -> str:
    to = Printed()
    for text in texts:
        to.stream.write(text)
    return str(to)


@pytest.mark.parametrize("what", HOSTILE)
def test_wherever_it_is_split_nothing_is_obeyed(what: str) -> None:
    text = HOSTILE[what]
    assert obeyed(text)
    assert not obeyed(printed(text))
    for cut in range(len(text)):
        out = printed(text[:cut], text[cut:])
        assert not obeyed(out), cut
        assert not obeyed(printed(*text[:cut], text[cut:])), cut


@given(st.lists(TEXTS, max_size=4))
def test_of_any_texts_nothing_is_obeyed(texts: list[str]) -> None:
    out = printed(*texts)
    assert not obeyed(out)
    left = out.replace("\r\n", "\n").replace("\x1b[31m", "")
    assert not [c for c in left if unicodedata.category(c) == "Cc" and c not in "\n\t"]


@given(st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_a_document_stays_the_same(value: object) -> None:
    out = printed(json.dumps(value, indent=1, ensure_ascii=False))
    assert not obeyed(out)
    # Escapes of two halves that stand side by side are one character to JSON.
    same = json.loads(json.dumps(value))
    assert json.loads(out) == same


@pytest.mark.parametrize("what", HOSTILE)
def test_every_way_goes_through_it(what: str) -> None:
    text = HOSTILE[what]
    to = Printed()
    with redirect_stdout(to.stream):
        print(text)
        click.echo(text)
        click.echo(text, color=True)
        click.echo(text.encode(errors="surrogateescape"))
        sys.stdout.writelines([text, "\n"])
        Console(width=80).print(text, markup=False)
        for byte in text.encode(errors="surrogateescape"):
            sys.stdout.buffer.write(bytes([byte]))
    assert not obeyed(str(to))


def test_what_is_harmless_stays_as_it_is() -> None:
    text = (
        "# one\n## two [a](b)\n### three\na::b C::D ::\n  - x: y::z\n\ttab\r\n$a #[derive(x)]\n"
        "👩\u200d🔬 ⚠️ naïve 数\x1b[1mbold\x1b[0m \x1b[31mred\x1b[90mgrey\n"
    )
    assert printed(text) == text
    assert printed(*text) == text.replace("\r", "\\u000d").replace("\x1b", "\\u001b")


def test_what_a_terminal_obeys_is_written_out() -> None:
    for control in map(chr, [*range(32), *range(0x7F, 0xA0)]):
        assert control in "\n\t" or visible(control) == f"\\u{ord(control):04x}"
    turning = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert visible(turning) == turning.encode("ascii", "backslashreplace").decode()
    # Colours that we do not have: hidden text, and the background.
    assert visible("\x1b[8mx\x1b[30m\x1b[41m\x1b]0;t\x07") == (
        "\\u001b[8mx\\u001b[30m\\u001b[41m\\u001b]0;t\\u0007"
    )


@pytest.mark.parametrize("errors", ["ignore", "surrogateescape", "strict"])
@pytest.mark.parametrize(("encoding", "arrow"), [("ascii", "→"), ("latin-1", "\\u2192")])
def test_an_encoding_brings_nothing_together(encoding: str, arrow: str, errors: str) -> None:
    to = Printed(encoding, errors)
    to.stream.write("#\udc80#\udc23vso[task.complete] #→#[error] →\n")
    assert not obeyed(str(to))
    assert str(to).endswith(f" {arrow}\n")


def test_github_obeys_ours_and_nothing_in_them() -> None:
    ours = "::error file=a,title=b::##vso[task.complete] ##[add-mask]x\x0b\r::add-path::y"
    to = Printed()
    with redirect_stdout(to.stream):
        put_commands(f"{ours}\n{ours}")
        print("::add-path::z")
    lines = str(to).split("\n")
    assert obeyed(str(to)) == lines[:2]
    assert lines[0] == (
        "::error file=a,title=b::##vso\\u005btask.complete] ##\\u005badd-mask]x\\u000b\\u000d"
        "::add-path::y"
    )


def test_a_long_line_is_looked_at_once() -> None:
    """A regular expression that begins anew within what it has passed takes hours for these."""
    for text in ("#" * 200_000, "##" + "a" * 200_000, "\n" + " é" * 100_000, "\n" * 200_000):
        assert len(printed(text)) >= 200_000
    to = Printed()
    for _ in range(20_000):
        to.stream.write("##a")
        assert len(to.stream._begun) <= 2


def calls() -> Iterator[tuple[str, ast.Call]]:
    root = Path(mlops_iac.__file__).parent
    for file in sorted(root.rglob("*.py")):
        if {"runtime", "template"} & set(file.relative_to(root).parts):
            continue  # runs where output is no longer ours, or read through a pipe by us
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{file.relative_to(root)}:{node.lineno}", node


def test_no_child_writes_beside_us() -> None:
    """One that inherits our streams writes past them."""
    found = 0
    for place, call in calls():
        name = ast.unparse(call.func)
        assert not name.startswith(("os.system", "os.exec", "os.spawn", "os.posix_spawn")), place
        if name.startswith("subprocess.") and name.split(".")[1] not in ("TimeoutExpired",):
            found += 1
            given = {keyword.arg for keyword in call.keywords}
            assert given >= {"stdout", "stderr"} or "capture_output" in given, place
    assert found > 5


def test_the_real_streams_are_for_who_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Printed().real
    monkeypatch.setattr(sys, "stdout", real)
    monkeypatch.setattr(sys, "stderr", None)
    _output.guard()
    assert isinstance(sys.stdout, Inert)
    assert sys.stderr is None
    assert (sys.stdout.encoding, sys.stdout.line_buffering) == ("utf-8", real.line_buffering)
