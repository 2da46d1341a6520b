"""Which engine holds `local`: claimed by the first `up`, given back by a complete `destroy`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api.core.engine_claim import EMBEDDED, PULUMI, Holder
from mlops_iac.errors import UsageError


def test_nobody_holds_it(tmp_path: Path) -> None:
    holder = Holder(tmp_path)
    assert holder.engine() == ""
    assert holder.choose(None) == EMBEDDED
    assert holder.choose(PULUMI) == PULUMI
    assert list(tmp_path.iterdir()) == []


def test_the_claim_decides_until_it_is_released(tmp_path: Path) -> None:
    holder = Holder(tmp_path)
    holder.claim(PULUMI)
    holder.claim(PULUMI)
    assert Holder(tmp_path).choose(None) == PULUMI
    for call in (holder.choose, holder.claim):
        with pytest.raises(UsageError, match="deployed by the pulumi engine") as caught:
            call(EMBEDDED)
        assert "destroy --engine pulumi" in caught.value.hint
    holder.release()
    holder.release()
    assert holder.choose(EMBEDDED) == EMBEDDED


def test_a_damaged_claim_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/local.engine").write_text("else\n")
    with pytest.raises(UsageError, match="names no engine: 'else'"):
        Holder(tmp_path).choose(None)
