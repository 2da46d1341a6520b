"""One HTML page: everything in it, readable on a phone and in the dark.

The page asks nothing of anyone: no script, no font, no picture from elsewhere, and a content security
policy that would refuse them, should a value ever get past the escaping.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape

STYLE = """
  :root { color-scheme: light dark; --ground: #ffffff; --text: #1f2328; --quiet: #59636e;
    --line: #d1d9e0; --panel: #f6f8fa; --create: #1a7f37; --update: #9a6700; --replace: #8250df;
    --delete: #cf222e; --old: #ffebe9; --new: #dafbe1; }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #0d1117; --text: #f0f6fc; --quiet: #9198a1; --line: #3d444d;
      --panel: #161b22; --create: #3fb950; --update: #d29922; --replace: #ab7df8;
      --delete: #f85149; --old: #4a1f22; --new: #12361f; }
  }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 1100px; padding: 16px; background: var(--ground);
    color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    overflow-wrap: anywhere; }
  h1 { font-size: 22px; line-height: 1.25; margin: 8px 0 4px; }
  h2 { font-size: 17px; margin: 28px 0 8px; }
  p { margin: 6px 0; }
  code { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
    unicode-bidi: isolate; }
  ul { margin: 6px 0; padding-left: 22px; }
  .quiet { color: var(--quiet); font-size: 13.5px; }
  .counts { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0; padding: 0; list-style: none; }
  .counts li { border: 1px solid var(--line); border-radius: 99px; padding: 2px 12px;
    font-weight: 600; }
  .zero { opacity: 0.65; }
  .card, details.card { border: 1px solid var(--line); border-radius: 8px; margin: 8px 0;
    padding: 8px 12px; }
  summary { cursor: pointer; min-height: 28px; }
  .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 12px; }
"""
# Of pages with tables of numbers.
TABLES = (
    STYLE
    + """
  h3 { font-size: 15px; margin: 16px 0 6px; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { text-align: left; padding: 6px 12px; border-top: 1px solid var(--line);
    vertical-align: top; }
  th { border-top: 0; color: var(--quiet); font-weight: 600; font-size: 13.5px; white-space: nowrap; }
  .good { color: var(--create); font-weight: 600; } .bad { color: var(--delete); font-weight: 600; }
  figure { margin: 12px 0; }
  img { max-width: 100%; height: auto; background: #ffffff; border-radius: 8px; }
  pre { background: var(--panel); border-radius: 8px; padding: 8px 12px; overflow-x: auto;
    white-space: pre-wrap; font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
"""
)


def document(title: str, body: str, styles: Sequence[str]) -> str:
    """The page's text, of a title and a body that are escaped; `styles[0]` goes into its head.

    The others stand in pictures of the body, and are let pass, too.
    """
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(styles)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{title}</title>",
            f"<style>{styles[0]}</style></head><body>",
            body,
            "</body></html>",
            "",
        ]
    )


def text(value: object, limit: int = 600) -> str:
    """Text for an element or a quoted attribute: nothing in it is obeyed, or hides what it is."""
    whole = str(value)
    shown = "".join(
        each if each.isprintable() or each == "\n" else f"\\u{ord(each):04x}"
        for each in whole[:limit]
    )
    return escape(shown, quote=True) + "…" * (len(whole) > limit)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are escaped; on a small screen it scrolls in its own frame."""
    cells = "".join(f"<th>{each}</th>" for each in head)
    body = "".join(f"<tr>{''.join(f'<td>{each}</td>' for each in row)}</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><tr>{cells}</tr>{body}</table></div>'


def groups(found: Mapping[str, Mapping[str, float]], rates: Sequence[str]) -> str:
    """A table of the groups of a column with some of their rates, as `quality.groups` has them."""
    rows = (
        [text(name), f"{each['rows']:g}", *(f"{each[rate]:.1%}" for rate in rates)]
        for name, each in found.items()
    )
    return table(["group", "rows", *map(text, rates)], rows)


def judged(word: str, good: bool) -> str:
    """A word in the colour of what is well, or is not."""
    return f'<span class="{"good" if good else "bad"}">{text(word)}</span>'


def _policy(styles: Sequence[str]) -> str:
    """Nothing may be loaded or run: of styles those of this page, of pictures those in it."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'"
        for each in dict.fromkeys(styles)
    )
    return f"default-src 'none'; style-src {hashes}; img-src data:; base-uri 'none'; form-action 'none'"
