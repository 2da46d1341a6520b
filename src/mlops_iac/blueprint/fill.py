"""Defaults that depend on the rest of the blueprint, filled in as if they had been written.

A reference may be left out where there is only one entry it could mean; a single variant answers
every call; sizes are small; `local` is not protected and has the emulator's account.
"""

from __future__ import annotations

from collections.abc import Callable

from mlops_iac.blueprint.sections.serving import SERVICE_METRICS
from mlops_iac.blueprint.source import Entry, Node
from mlops_iac.blueprint.words import nearest
from mlops_iac.clouds import registry

DEFAULT = "default"
LOCAL = "local"


def fill(root: Node, environment: str) -> Node:
    """`root` with those defaults; `root` itself and what it shares stay as they are."""
    root = _copy(root)
    if environment == LOCAL:
        _put(root, "protect", "false")
        _put(root, "account", registry.forms(_text(root, "platform")).account)
    only = _Only(root)
    _each(root, "features", lambda entry: _feature(entry, only))
    _each(root, "models", lambda entry: _model(entry, only))
    _each(root, "serving", lambda entry: _serving(entry, only))
    return root


class _Only:
    """The only entry of each sort, where there is only one."""

    def __init__(self, root: Node) -> None:
        self.model = self._single(root, "models", lambda _: True)
        self.sourced = self._single(
            root,
            "datasets",
            lambda node: (
                "source" in node.entries and not _text(node, "source").startswith("kafka://")
            ),
        )
        self.made = self._single(
            root, "datasets", lambda node: not {"source", "stream"} & node.entries.keys()
        )
        self.stream = self._single(
            root,
            "datasets",
            lambda node: "stream" in node.entries or _text(node, "source").startswith("kafka://"),
        )

    @staticmethod
    def _single(root: Node, section: str, fits: Callable[[Node], bool]) -> str | None:
        entry = root.entries.get(section)
        if entry is None or entry.value.kind != "map":
            return None
        names = [name for name, item in entry.value.entries.items() if fits(item.value)]
        return names[0] if len(names) == 1 else None


def _feature(node: Node, only: _Only) -> None:
    if not {"dataset", "existing"} & node.entries.keys():
        _put(node, "dataset", only.sourced)


def _model(node: Node, only: _Only) -> None:
    if "train" in node.entries and "datasets" not in node.entries and only.sourced:
        item = node.scalar_like(only.sourced)
        node.entries["datasets"] = Entry(
            node.scalar_like("datasets"),
            Node("list", node.source, node.line, node.column, items=[item]),
            DEFAULT,
        )
    for step in ("prepare", "train", "evaluate"):
        inner = _inner(node, step)
        if inner is not None:
            _size(inner)
    tune = _inner(node, "tune")
    metrics = node.entries.get("metrics")
    if tune is not None and metrics is not None and len(metrics.value.entries) == 1:
        _put(tune, "metric", next(iter(metrics.value.entries)))


def _serving(node: Node, only: _Only) -> None:
    mode = _text(node, "mode")
    if mode not in SERVICE_METRICS:  # what is nearly a mode is read as that mode
        mode = nearest(mode, SERVICE_METRICS)
    if "variants" not in node.entries:
        _put(node, "model", only.model)
    elif (variants := _inner(node, "variants")) is not None:
        for name in list(variants.entries):
            variant = _inner(variants, name)
            if variant is None:
                continue
            _put(variant, "model", only.model)
            if len(variants.entries) == 1 and "shadow_percent" not in variant.entries:
                _put(variant, "traffic_percent", "100")
    if mode in ("real-time", "streaming", "batch"):
        _size(node)
    if mode in ("batch", "streaming"):
        _put(node, "input", only.sourced if mode == "batch" else only.stream)
        _put(node, "output", only.made)
    monitor = _inner(node, "monitor")
    outcomes = _inner(monitor, "outcomes") if monitor is not None else None
    if outcomes is not None:
        _put(outcomes, "dataset", only.sourced)


def _size(node: Node) -> None:
    """The default size of the `compute` in `node`, which is made if there is none."""
    if "compute" not in node.entries:
        place = Node("map", node.source, node.line, node.column, node.length)
        node.entries["compute"] = Entry(node.scalar_like("compute"), place, DEFAULT)
    compute = _inner(node, "compute")
    if compute is not None and "instance" not in compute.entries:
        _put(compute, "size", "small")


def _each(root: Node, section: str, act: Callable[[Node], None]) -> None:
    entries = _inner(root, section)
    if entries is None:
        return
    for name in list(entries.entries):
        if (inner := _inner(entries, name)) is not None:
            act(inner)


def _inner(node: Node, key: str) -> Node | None:
    """A copy of the map under `key`, put in its place; None if there is no map."""
    entry = node.entries.get(key)
    if entry is None or entry.value.kind != "map":
        return None
    inner = _copy(entry.value)
    node.entries[key] = Entry(entry.key, inner, entry.layer, entry.added)
    return inner


def _copy(node: Node) -> Node:
    return node.with_entries(dict(node.entries))


def _put(node: Node, key: str, text: str | None) -> None:
    if text is not None and key not in node.entries:
        node.entries[key] = Entry(node.scalar_like(key), node.scalar_like(text), DEFAULT)


def _text(node: Node, key: str) -> str:
    entry = node.entries.get(key) if node.kind == "map" else None
    return entry.value.text if entry is not None else ""
