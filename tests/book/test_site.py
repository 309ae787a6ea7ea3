"""The course site, every page of it, as a reader's browser sees it.

Built once from the stored outputs and served to headless Chromium; skipped where Sphinx, playwright
or Chromium is not installed, and what axe-core says where that is not.
"""

import functools
import http.server
import threading

import pytest

from tools import book

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"}
DESK = {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"}
SEEN = """async () => {
  const pictures = [...document.images];
  for (const one of pictures) one.loading = 'eager';
  await Promise.all(pictures.map(one => one.decode().catch(() => null)));
  return {
    links: [...document.links].map(one => one.href),
    names: [...document.querySelectorAll('[id]')].map(one => one.id),
    missing: pictures.filter(one => !(one.naturalWidth > 1)).map(one => one.src.slice(0, 200)),
    textless: pictures.filter(one => !one.hasAttribute('alt')).map(one => one.src.slice(0, 200)),
    width: document.documentElement.scrollWidth,
  };
}"""


# Code and rows of tables look the same all along a page, and there are thousands of their parts.
THIN = """() => {
  document.querySelectorAll('.highlight pre').forEach((one, at) => at < 4 || one.remove());
  document.querySelectorAll('tr:nth-child(n+5)').forEach(one => one.remove());
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site: its folder."""
    pytest.importorskip("sphinx_book_theme", reason="the course site's packages are not installed")
    out = tmp_path_factory.mktemp("book") / "site"
    assert book.build(out) == 0
    return out


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def names(site):
    """Every page."""
    paths = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert len(paths) > 15
    return sorted(path.relative_to(site).as_posix() for path in paths)


def serious_faults(page, *rules):
    """What axe-core objects to on a page, by all rules or some; None where there is no axe-core."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        return None
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    return [
        (fault["id"], len(fault["nodes"]), fault["nodes"][0]["html"][:200])
        for fault in Axe().run(page, options=options).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def visits(browser, address, names):
    """What was seen on each page, on a phone: page -> facts."""
    context = browser.new_context(**PHONE)
    page, facts = context.new_page(), {}
    requests, failures = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("response", lambda answer: failures.append(answer.url) if answer.status >= 400 else 0)
    page.on("pageerror", lambda error: failures.append(str(error)))
    for name in names:
        requests.clear()
        failures.clear()
        page.goto(address + name)
        facts[name] = page.evaluate(SEEN) | {"requests": [*requests], "failures": [*failures]}
        page.evaluate(THIN)
        facts[name]["light"] = serious_faults(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        facts[name]["dark"] = serious_faults(page, "color-contrast")
        page.emulate_media(color_scheme="light")
    context.close()
    return facts


def broken_links(visits, address, site):
    """Links that lead to no page, no file or no place on a page: (page, link)."""
    for name, facts in visits.items():
        for link in facts["links"]:
            if not link.startswith(address):
                continue
            path, _, place = link.removeprefix(address).partition("#")
            target = path.partition("?")[0] or "index.html"
            there = (site / target).is_file()
            if not there or (place and target in visits and place not in visits[target]["names"]):
                yield name, link


def test_no_link_is_broken(visits, address, site):
    assert not list(broken_links(visits, address, site))
    assert sum(len(facts["links"]) for facts in visits.values()) > 500


def test_no_picture_is_missing_or_without_text(visits):
    assert not {name: facts["missing"] for name, facts in visits.items() if facts["missing"]}
    assert not {name: facts["textless"] for name, facts in visits.items() if facts["textless"]}


def test_nothing_is_cut_off_on_a_phone(visits):
    width = PHONE["viewport"]["width"]
    assert not {name: facts["width"] for name, facts in visits.items() if facts["width"] > width}


def test_pages_ask_no_other_host_and_nothing_fails(visits, address):
    for name, facts in visits.items():
        others = [url for url in facts["requests"] if not url.startswith((address, "data:"))]
        assert not others, name
        assert not facts["failures"], name


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_serious_fault(colours, visits):
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    faults = {name: facts[colours] for name, facts in visits.items()}
    assert not {name: found for name, found in faults.items() if found}


@pytest.fixture
def page(browser):
    """A page on a desk, dark."""
    context = browser.new_context(**DESK)
    yield context.new_page()
    context.close()


def test_solutions_are_folded_until_clicked(page, address):
    page.goto(f"{address}notebooks/01_eda.html")
    solutions = page.locator("details", has_text="Solution").filter(has=page.locator("pre"))
    folded, code = solutions.first, solutions.first.locator("pre").first
    assert not code.is_visible()
    folded.locator("summary").click()
    assert code.is_visible()
    assert not solutions.nth(1).locator("pre").first.is_visible()


BRIGHTNESS = """() => getComputedStyle(document.body).backgroundColor
  .match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) / 3"""


def test_colours_follow_the_system_and_the_button(page, address):
    page.goto(f"{address}notebooks/01_eda.html")
    assert page.evaluate(BRIGHTNESS) < 60
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.locator("button.theme-switch-button:visible").first.click()
    page.locator("button.theme-change-button[data-mode=light]:visible").click()
    assert page.evaluate(BRIGHTNESS) > 200


def test_search_finds_a_word(page, address):
    page.goto(f"{address}search.html?q=leak")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a").evaluate_all("all => all.map(one => one.href)")
    assert any("notebooks/01_eda.html" in link for link in links)


def test_search_knows_the_glossary(page, address):
    page.goto(f"{address}search.html?q=equal+error+rate")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a").evaluate_all("all => all.map(one => one.href)")
    assert any("GLOSSARY.html#term-" in link for link in links)


def test_a_term_is_explained_beside_it(page, address):
    page.goto(f"{address}docs/results.html")
    term = page.locator("a.explained").first
    note = page.locator("#explanation")
    assert not note.is_visible()
    term.hover()
    assert note.is_visible()
    assert len(note.inner_text()) > 20
    page.mouse.move(0, 0)
    assert not note.is_visible()
    term.focus()
    assert note.is_visible()


def test_lessons_follow_each_other(page, address):
    page.goto(f"{address}notebooks/01_eda.html")
    page.locator("a.right-next").click()
    assert page.url == f"{address}notebooks/02_baseline_cnn.html"
    page.locator("a.left-prev").click()
    assert page.url == f"{address}notebooks/01_eda.html"
