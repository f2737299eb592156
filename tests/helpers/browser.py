"""A page in a real browser without a window: what a person would do on it, and what came of it."""

import json
import re
import shutil
import subprocess

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MILLISECONDS = 15_000  # of the browser's own time, which passes as quickly as it can
FRAME = """
<pre id="result"></pre>
<script>
const errors = [];
window.onerror = message => errors.push(String(message));
const said = {};
const wait = ms => new Promise(done => setTimeout(done, ms));
const traces = () => by("diagram").data;
(async () => {
  await wait(300);
  %s
  said.outside = [...document.querySelectorAll("script[src], link[href], img[src^=http]")].length;
  said.errors = errors;
  by("result").textContent = JSON.stringify(said);
})();
</script>
"""


def act(page, actions, folder):
    """What ``actions``, JavaScript that fills ``said``, come to on a page, with the errors that it met."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    acted = folder / "acted.html"
    before, _, after = page.read_text(encoding="utf-8").rpartition("</body>")
    acted.write_text(before + FRAME.replace("%s", actions) + "</body>" + after, encoding="utf-8")
    command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command += [f"--virtual-time-budget={MILLISECONDS}", "--window-size=1300,820", "--dump-dom", acted.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, encoding="utf-8")
    return json.loads(re.search(r'<pre id="result">(\{.*?)</pre>', done.stdout, re.S)[1].replace("&amp;", "&"))
