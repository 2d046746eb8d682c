"""Time the explorer page in a real Chromium: the first heat after opening, and the heat after a click on a class.

A time ends when the browser has painted the frame with the new heat. The service, Redis and the worker are the real ones, with their
default settings, and are warm: the page has been opened once before. A class is clicked once for each sample photo, so no click is
answered from an earlier result.

It needs Chromium on the PATH, as the tests of the page do.

Example:
    python -m benchmarks.explorer_times --openings 10
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from collections.abc import Sequence

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.this_machine import this_machine
from cli.run_service import service_for_a_run

_GOAL_FIRST_HEAT, _GOAL_CLICK = 1500, 150  # milliseconds
_SIZE = {"width": 1400, "height": 1000}
# The heading of the stage names the class in the same update in which the canvas is drawn. The frame is painted before the timer fires.
_TITLE_CHANGED = """
  changed => new Promise(done => {
    const began = changed ? 0 : performance.now();
    const target = () => document.querySelector('#stage-title .subtitle');
    let before = target()?.textContent;
    const check = () => {
      const now = target()?.textContent;
      before = now && before; // while a new photo has no heat, the heading names no class
      if (now && now !== before) {
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
      }
    };
    const observer = new MutationObserver(check);
    observer.observe(document, {childList: true, subtree: true, characterData: true});
    CLICK
  })
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explorer_times", description=__doc__)
    parser.add_argument("--openings", type=int, default=10, help="how often the page is opened")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        parser.error("There is no chromium on the PATH. On Debian: apt-get install chromium")
    machine = this_machine()
    with service_for_a_run() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _opened(browser, url)[0].close()
        first = [_time_of_opening(browser, url) for _ in range(arguments.openings)]
        clicks = _clicks(browser, url)
        browser.close()
    print(f"{machine.processor}, {machine.cores} cores, load {os.getloadavg()[0]:.1f}; {machine.at}")
    print(_in_words("first heat after opening", first, _GOAL_FIRST_HEAT))
    print(_in_words("heat after a click on a class", clicks, _GOAL_CLICK))


def _opened(browser: Browser, url: str) -> tuple[Page, float]:
    """Open the page, and return it with the milliseconds from the beginning of the navigation to the first heat."""
    page = browser.new_context(viewport=_SIZE).new_page()  # pyright: ignore[reportArgumentType] - Playwright wants its own TypedDict
    page.add_init_script(f"window.firstHeat = ({_TITLE_CHANGED.replace('CLICK', '')})(true)")
    page.goto(url + "/", wait_until="commit")
    return page, page.evaluate("window.firstHeat")


def _time_of_opening(browser: Browser, url: str) -> float:
    page, taken = _opened(browser, url)
    page.context.close()
    return taken


def _clicks(browser: Browser, url: str) -> list[float]:
    """Return the milliseconds of a click on each class but the first, for each sample photo."""
    page, _ = _opened(browser, url)
    samples = page.locator(".samples button")
    times: list[float] = []
    for sample in range(samples.count()):
        if sample:  # the page opens with the first one
            page.evaluate(_clicking(".samples button", sample), False)
        page.locator(".bars li button").nth(1).wait_for()
        for place in range(1, page.locator(".bars li button").count()):
            page.wait_for_timeout(300)  # as a person would; what the page fetches after the heat is over then
            times.append(page.evaluate(_clicking(".bars li button", place), False))
    page.context.close()
    return times


def _clicking(selector: str, number: int) -> str:
    return _TITLE_CHANGED.replace("CLICK", f"document.querySelectorAll('{selector}')[{number}].click()")


def _in_words(what: str, times: Sequence[float], goal: int) -> str:
    within = sum(taken <= goal for taken in times)
    return (
        f"{what}: median {statistics.median(times):.0f} ms, {min(times):.0f} to {max(times):.0f} ms; "
        f"{within} of {len(times)} within {goal} ms"
    )


if __name__ == "__main__":
    main()
