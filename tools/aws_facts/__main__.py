"""Writes the provider facts: `python -m tools.aws_facts`; `--check` fails where they are stale."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from mlops_iac.emulators.aws.facts import FACTS

from .generate import Refused, generate
from .names import Unmapped
from .provider_process import ProviderMissing

TARGET = FACTS.folder
PROVIDER_IS_MISSING = 3


def main() -> int:
    """Exit code: 0 written or fresh, 1 stale or refused, 3 without the provider's binary."""
    parser = argparse.ArgumentParser(prog="python -m tools.aws_facts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    parser.add_argument("--only", default="", metavar="TOKEN", help="one resource type")
    parser.add_argument("--target", type=Path, default=TARGET, help="folder of the files")
    arguments = parser.parse_args()
    check, target = arguments.check, arguments.target
    started = time.monotonic()
    try:
        files = generate(arguments.only)
    except ProviderMissing as missing:
        print(missing, file=sys.stderr)
        return PROVIDER_IS_MISSING
    except (Refused, Unmapped) as refused:
        print(refused, file=sys.stderr)
        return 1
    stale = _differing(files, target, whole=not arguments.only)
    if not check:
        for name in stale:
            if name in files:
                (target / name).write_text(files[name], encoding="utf-8")
            else:
                (target / name).unlink()
    state = "stale" if check else "written"
    print(f"{len(files)} types in {time.monotonic() - started:.1f} s, {len(stale)} {state}")
    if check and stale:
        print("stale: " + ", ".join(stale), file=sys.stderr)
        return 1
    return 0


def _differing(files: dict[str, str], target: Path, *, whole: bool) -> list[str]:
    there = {file.name: file.read_text("utf-8") for file in target.glob("*.json")}
    names = files.keys() | there if whole else files.keys()
    return sorted(name for name in names if files.get(name) != there.get(name))


if __name__ == "__main__":
    sys.exit(main())
