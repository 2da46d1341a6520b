"""The printer leaves nothing for `ruff format` to do, whatever the expression."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from mlops_iac.program.expressions import (
    NONE,
    Array,
    Call,
    Choose,
    Code,
    Expression,
    Table,
    literal,
    quote,
    render,
)

TEXTS = ["日本" * 21, "é" * 30, "a'b\"c", "it's", 'q"q', "back\\slash", "nl\n\t\x1b", "", "x" * 95]


def some(random: Random, depth: int) -> Expression:
    chance = random.random()
    if depth == 0 or chance < 0.35:
        return random.choice(
            [
                Code(quote("x" * random.randint(0, 100))),
                Code(quote(random.choice(TEXTS))),
                Code("data.a.b"),
                Code(str(random.randint(0, 10**9))),
                NONE,
                Code('f"x-{stack}-' + "y" * random.randint(0, 70) + '"'),
            ]
        )
    inner = [some(random, depth - 1) for _ in range(random.randint(0, 4))]
    if chance < 0.5:
        name = random.choice(["Foo", "settings.integer", "pulumi.FileAsset"])
        return Call(name, inner[:1], {f"arg_{i}": item for i, item in enumerate(inner[1:])})
    if chance < 0.65:
        return Array(inner)
    if chance < 0.85:
        return Table({f"k{'y' * random.randint(0, 30)}{i}": e for i, e in enumerate(inner)})
    flag = Call("settings.flag", [Code(quote("s." + "w" * random.randint(0, 40) + ".enabled"))])
    then = Call("Roll", (), {"p": Code("5"), "q": Code(quote("z" * random.randint(0, 80)))})
    return Choose(then, flag, random.choice([NONE, Array([]), Table({})]))


@pytest.mark.parametrize("seed", range(3))
def test_the_formatter_changes_nothing(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    lines: list[str] = []
    for number in range(120):
        arguments = Call("PartArgs", (), {"a": some(random, 3), "bb": some(random, 3)})
        lines += render(Call("Part", [Code('"n"'), arguments]), f"v{number} = ")
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"],
        input="\n".join(lines) + "\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout == ""


@pytest.mark.parametrize(
    "text", [*TEXTS, "'", '"', "'\"", "\\'", '\\"', "{x}", "\u2028", "\ud83d\ude00"]
)
def test_a_quoted_text_is_that_text(text: str) -> None:
    assert ast.literal_eval(quote(text)) == text


def test_what_is_no_data_is_no_literal() -> None:
    with pytest.raises(TypeError, match="set is no literal"):
        literal({"a": {1, 2}})
