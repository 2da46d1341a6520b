"""Digests of a program tell what runs, and nothing about its secrets."""

from __future__ import annotations

from mlops_iac.program.binding import program_digests
from mlops_iac.program.build import Program


def digests(**files: str) -> dict[str, str]:
    named = {name.replace("__", "."): text.encode() for name, text in files.items()}
    return program_digests(Program("churn", named, {}, frozenset(), {}, {}))


def test_comments_docstrings_and_readmes_do_not_run() -> None:
    one = digests(main__py='"""From sha256:aaaa."""\n# why\nx = 1\n', README__md="a")
    assert one == digests(main__py='"""From sha256:bbbb."""\nx = 1\n', README__md="b")


def test_a_changed_value_is_another_program() -> None:
    assert digests(main__py="x = 1\n") != digests(main__py="x = 2\n")
    assert digests(a__json='{"a": 1}') != digests(a__json='{"a": 2}')
    assert digests(a__json='{"a": 1, "b": 2}') == digests(a__json='{"b":2,"a":1}')


def test_a_digest_says_nothing_about_a_secret() -> None:
    for one, other in (
        ('f(env={"API_KEY": "hunter2"})', 'f(env={"API_KEY": "other"})'),
        ('f(master_password="hunter2")', 'f(master_password="other")'),
    ):
        assert digests(main__py=one) == digests(main__py=other)
    assert digests(a__json='{"TOKEN": "x"}') == digests(a__json='{"TOKEN": "y"}')
    assert digests(main__py='f(level="x")') != digests(main__py='f(level="y")')


def test_an_archive_counts_by_what_was_packed() -> None:
    def program(content: bytes, made_from: str) -> Program:
        return Program(
            "churn", {"code/m.tar.gz": content}, {}, frozenset(), {"code/m.tar.gz": made_from}, {}
        )

    assert program_digests(program(b"zlib 1", "f")) == program_digests(program(b"zlib 2", "f"))
    assert program_digests(program(b"zlib 1", "f")) != program_digests(program(b"zlib 1", "g"))
