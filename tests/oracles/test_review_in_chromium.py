"""The HTML report in a real browser: it fits a phone, in light and dark, and runs and loads nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from html import escape, unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.review.html import to_html
from tests.unit.review_samples import EVERYTHING, HOSTILE_TEXT, NOTHING, hostile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on PATH")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# What the page measures about itself, left in its title.
MEASURE = """<script>
addEventListener('load', () => {
  for (const each of document.querySelectorAll('details')) each.open = true;
  const root = document.documentElement, wide = innerWidth + 0.5, over = [];
  for (const each of document.body.querySelectorAll('*')) {
    if (each.closest('.scroll') && !each.classList.contains('scroll')) continue;
    const box = each.getBoundingClientRect();
    if (box.width && (box.right > wide || box.left < -0.5)) over.push(each.outerHTML.slice(0, 200));
  }
  const scroll = document.querySelector('.scroll'), style = getComputedStyle(document.body);
  const small = [...document.querySelectorAll('summary')]
    .filter(each => each.getBoundingClientRect().height < 24).length;
  parent.document.title = JSON.stringify({
    wide: innerWidth, page: root.scrollWidth, over, small,
    scrolls: scroll ? scroll.scrollWidth > scroll.clientWidth : null,
    picture: scroll ? scroll.querySelector('svg').getBoundingClientRect().height : 0,
    ground: style.backgroundColor, text: style.color, size: parseFloat(style.fontSize),
    signs: [...document.querySelectorAll('svg .sign')].map(
      each => getComputedStyle(each).fill + ' ' + each.textContent),
  });
});
</script>"""


def run(folder: Path, page: str, *flags: str) -> str:
    """The page's DOM after it was loaded."""
    assert CHROMIUM is not None
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    result = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--hide-scrollbars", *flags,
         "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return result.stdout


def measured(folder: Path, page: str, *flags: str, wide: int = 390) -> dict[str, Any]:
    """What the page measures in a frame of that width: a window is never narrower than 500."""
    found, count = POLICY.subn("", page)
    assert count == 1
    inner = escape(found.replace("</body>", f"{MEASURE}</body>"), quote=True)
    frame = f'<iframe style="border:0" width="{wide}" height="844" srcdoc="{inner}"></iframe>'
    dom = run(folder, f"<!doctype html><title>none</title><body>{frame}", *flags)
    match = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert match is not None
    answer: dict[str, Any] = json.loads(unescape(match[1]))
    return answer


@pytest.mark.parametrize("name", ["everything", "nothing", "hostile", "unbroken"])
@pytest.mark.parametrize("wide", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(tmp_path: Path, name: str, wide: int) -> None:
    sample = {
        "everything": EVERYTHING,
        "nothing": NOTHING,
        "hostile": hostile(HOSTILE_TEXT),
        "unbroken": hostile("W" * 5000),
    }[name]
    found = measured(tmp_path, to_html(sample), wide=wide)
    assert found["wide"] == wide
    assert found["page"] <= wide, found["over"]
    assert found["over"] == []
    assert found["small"] == 0
    assert found["size"] >= 14
    if name == "everything":
        assert found["picture"] > 100
        # On a phone the picture keeps a readable size and is moved in its own frame.
        assert found["scrolls"] is (wide < 760)


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("scheme", "ground"), [("1", "rgb(255, 255, 255)"), ("0", "rgb(13, 17, 23)")]
)
def test_light_and_dark_are_readable(tmp_path: Path, scheme: str, ground: str) -> None:
    flag = f"--blink-settings=preferredColorScheme={scheme}"
    found = measured(tmp_path, to_html(EVERYTHING), flag)
    assert found["ground"] == ground
    assert contrast(found["ground"], found["text"]) > 7
    assert {sign.split(" ")[-1] for sign in found["signs"]} == {"±", "−", "+", "~"}
    for sign in found["signs"]:
        assert contrast(ground, sign) > 4.5, sign


def test_the_policy_lets_nothing_run_or_load(tmp_path: Path) -> None:
    """What a value could become, should the escaping ever fail, is put in by hand."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    here = f"http://127.0.0.1:{server.server_address[1]}"
    injected = (
        f"<script>document.title = 'ran'</script><script src='{here}/js'></script>"
        f"<img src='{here}/img' onerror=\"document.title = 'ran'\"><iframe src='{here}/frame'></iframe>"
        f"<link rel=stylesheet href='{here}/css'><style>@import url({here}/import)</style>"
        f"<div style='background: url({here}/style)'>x</div><base href='{here}/'>"
    )
    try:
        page = to_html(EVERYTHING)
        dom = run(tmp_path, page.replace("</body>", f"{injected}</body>"))
        assert "<title>churn → prod · mlops-iac preview</title>" in dom
        assert asked == []
        # Without the policy the same page does load: the test can fail.
        run(tmp_path, POLICY.sub("", page).replace("</body>", f"{injected}</body>"))
        assert {"/js", "/img", "/css"} <= set(asked)
    finally:
        server.shutdown()
        server.server_close()
