"""A picture of a stack as one HTML page: the SVG, and every resource with its dependencies."""

from __future__ import annotations

from html import escape

from mlops_iac.graph.canonical import in_order
from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.svg import to_svg

_STYLE = """
  :root { color-scheme: light dark; }
  body { font: 14px/1.5 system-ui, sans-serif; margin: 24px auto; max-width: 1200px; }
  svg { max-width: 100%; height: auto; }
  table { border-collapse: collapse; margin-top: 24px; }
  th, td { text-align: left; padding: 4px 16px 4px 0; vertical-align: top; }
  td { border-top: 1px solid #8884; }
  code { font-size: 12.5px; }
"""


def to_html(graph: ResourceGraph) -> str:
    """The page's text; it loads nothing from anywhere."""
    by_urn = graph.by_urn()
    rows = []
    for resource in in_order(graph.resources):
        if not resource.in_cloud:
            continue
        needs = sorted(
            by_urn[urn].address
            for urn in set(resource.dependencies)
            if urn in by_urn and by_urn[urn].custom
        )
        mark = " (recorded, not emulated)" if resource.recorded else ""
        rows.append(
            f"<tr><td><code>{escape(resource.address)}</code>{mark}</td>"
            f"<td>{'<br>'.join(f'<code>{escape(each)}</code>' for each in needs)}</td></tr>"
        )
    title = escape(f"{graph.project} · {graph.stack}")
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body>",
            to_svg(graph).rstrip(),
            "<table><thead><tr><th>Resource</th><th>Uses</th></tr></thead><tbody>",
            *rows,
            "</tbody></table></body></html>",
            "",
        ]
    )
