"""A model that needs no package: an archive as a training leaves it, with the runtime's own code."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from mlops_iac.runtime.files import runtime_files

DOUBLES = """\
def load(folder):
    return 2


def predict(model, rows):
    return [model * row["x"] for row in rows]
"""


def archive(predict: str = DOUBLES, more: Mapping[str, bytes] | None = None) -> bytes:
    """The .tar.gz of a model whose `predict.py` this is."""
    files = {f"code/{name}": content for name, content in runtime_files().items()}
    files |= {"code/predict.py": predict.encode(), **(more or {})}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
