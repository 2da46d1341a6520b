"""What a program waits for: a thread that brings it, or nobody, which is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine.embedded.capture import capture

TOPIC = 't = sns.Topic("t")\n'
STUCK = {
    "output": 'pulumi.export("x", pulumi.Output.from_input(never))',
    "input of a resource": 'sns.Topic("v", name=never)',
    "apply": 'pulumi.export("x", t.arn.apply(lambda _: never))',
    "program": """
        async def main():
            await never
        pulumi.run(main)
    """,
}
CAPTURE = f"""\
import sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "engine_support")!r})
from pathlib import Path
from memory_provider import MemoryProvider
from programs import make_target
from mlops_iac.engine.embedded.capture import capture
from mlops_iac.errors import MlopsError
try:
    capture(make_target(Path(sys.argv[1])), {{"aws": MemoryProvider()}})
except MlopsError as error:
    print(error.message)
"""


@pytest.mark.parametrize("name", STUCK)
def test_what_nobody_is_left_to_bring_is_told(tmp_path: Path, name: str) -> None:
    """Without a word it would be waited for without an end."""
    never = "import asyncio\nnever = asyncio.get_event_loop().create_future()\n"
    make_target(tmp_path, TOPIC + never + dedent(STUCK[name]))
    command = [sys.executable, "-c", CAPTURE, str(tmp_path)]
    # A process of its own: one with other threads could be woken by one of them.
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "the program waits for something that never comes\n", done.stderr
    assert done.stderr == ""


def test_a_thread_that_brings_it_is_waited_for(tmp_path: Path) -> None:
    body = """
        import asyncio, threading, time
        loop = asyncio.get_event_loop()
        later = loop.create_future()
        def bring():
            time.sleep(0.2)
            loop.call_soon_threadsafe(later.set_result, "brought")
        threading.Thread(target=bring).start()
        pulumi.export("x", pulumi.Output.from_input(later))
    """
    target = make_target(tmp_path, body)
    assert capture(target, {"aws": MemoryProvider()}).outputs == {"x": "brought"}
