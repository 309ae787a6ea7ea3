"""What can be seen of a page in a browser, and what is wrong with it."""

import os
from importlib.util import find_spec
from pathlib import Path

PATIENCE = float(os.environ.get("NBHELPERS_PATIENCE", "600"))  # seconds for one notebook

# Boxes that hide a part of what is in them; drawings in SVG clip on purpose.
CUT_OFF = """() => {
  const page = document.documentElement;
  const all = [...document.body.querySelectorAll("*")].filter((one) => !one.closest("svg"));
  const cut = all.filter((one) => ["hidden", "clip"].includes(getComputedStyle(one).overflowX)
    && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1);
  const names = cut.map((one) => `${one.tagName} ${one.className}`);
  return page.scrollWidth > page.clientWidth ? [...names, "the page itself"] : names;
}"""
AXE = """async (contrast) => {
  const rules = {"color-contrast": {enabled: contrast}};
  const done = await axe.run({resultTypes: ["violations"], rules});
  return done.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`);
}"""


def open_offline(browser, path, **options):
    """A page of a file, everything but files refused; and the list of what was asked for."""
    options = {"viewport": {"width": 1200, "height": 900}} | options
    context = browser.new_context(offline=True, **options)
    asked, problems = [], []

    def only_files(route):
        if not route.request.url.startswith("file:"):
            asked.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    context.route("**/*", only_files)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(Path(path).resolve().as_uri(), timeout=PATIENCE * 1000)
    return context, page, asked, problems


def cut_off(page):
    """What a page hides of its content at its present width, sideways."""
    return page.evaluate(CUT_OFF)


def axe_source():
    """The text of axe-core: of the file in `NBHELPERS_AXE`, else of axe-playwright-python."""
    spec = find_spec("axe_playwright_python")
    file = os.environ.get("NBHELPERS_AXE") or (spec and Path(spec.origin).with_name("axe.min.js"))
    return Path(file).read_text(encoding="utf-8") if file else ""


def faults(page, axe, *, contrast=True):
    """The serious faults that axe-core finds on a page; none without it."""
    if not axe:
        return []
    page.evaluate(axe)
    return page.evaluate(AXE, contrast)
