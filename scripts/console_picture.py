"""docs/console.png, from the demo's story: `python scripts/console_picture.py [--page PATH] [--out FILE]`.

Plays the demo, signs in with the link that it prints, and lets headless Chromium look at a page. Chromium keeps no
session of its own: a small proxy on loopback adds the cookie.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx

ROOT = Path(__file__).parents[1]
SIZE = "1280,820"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "--page", default="", help="a path below /console; default the story of the housing referral"
    )
    asked.add_argument("--out", type=Path, default=ROOT / "docs" / "console.png")
    asked.add_argument("--dark", action="store_true")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="console-picture-") as folder:
        command = [sys.executable, "-m", "service", "demo", "--data-dir", folder]
        demo = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            link = _link(demo)
            origin, _, token = link.rpartition("/console/link/")
            with httpx.Client(base_url=origin, trust_env=False) as http:
                answer = http.post("/console/link", data={"token": token})
                assert answer.status_code == 303, answer.text
                page = given.page or _story(http)
                with _proxy(http) as address:
                    _look(f"{address}{page}", given.out.resolve(), dark=given.dark)
        finally:
            demo.terminate()
            demo.wait(60)


def _link(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    for line in demo.stdout:
        found = re.search(r"http://\S+/console/link/\S+", line)
        if found:
            return found[0]
    raise SystemExit("the demo ended without a link")


def _story(http: httpx.Client) -> str:
    """The referral that came back completed, of those that were sent."""
    page = http.get("/console/referrals?state=closed&direction=outbound").text
    found = re.search(r"/console/referrals/[0-9a-f-]{36}", page)
    assert found, "no referral was closed"
    return found[0]


class _proxy:
    """Serves what the signed-in client sees."""

    def __init__(self, http: httpx.Client) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = http.get(self.path)
                self.send_response(answer.status_code)
                for name in ("content-type", "content-security-policy"):
                    self.send_header(name, answer.headers.get(name, ""))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _look(url: str, out: Path, *, dark: bool) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if browser is None:
        raise SystemExit("a Chromium is needed")
    with tempfile.TemporaryDirectory(prefix="console-picture-browser-") as profile:
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
        ]
        options += [f"--window-size={SIZE}", f"--screenshot={out}", *(["--force-dark-mode"] if dark else [])]
        subprocess.run([browser, *options, url], check=True, stderr=subprocess.DEVNULL, timeout=60)
    print(out)


if __name__ == "__main__":
    main()
