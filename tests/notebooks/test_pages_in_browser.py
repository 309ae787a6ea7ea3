"""The page of a small notebook in headless Chromium: figures, solutions, narrow and dark.

Its outputs are put together here, so that no kernel is needed. Skipped like test_browser.py.
"""

import nbformat
import pytest
import tiny_notebooks as tiny
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from seen import cut_off, faults, open_offline
from tiny_figures import FIGURES, Y_SCORE, Y_TRUE, bundle_of

from nbhelpers.evaluation import calibration
from nbhelpers.reporting.interactive import people
from nbhelpers.runner import pages

pytestmark = pytest.mark.browser
VIEWS = [(width, scheme) for width in (390, 1200) for scheme in ("light", "dark")]
SOLUTION = "<details>\n<summary>Solution</summary>\n\n```python\nprint('hidden')\n```\n\n</details>"
LONG = f"result = compute({', '.join(f'argument_{number}={number}' for number in range(12))})"
WIDE = f"<table><tr>{''.join(f'<th>column_{number}</th>' for number in range(30))}</tr></table>"


def code_cell(source, *bundles):
    outputs = [
        new_output("display_data", data={kind: bundle[kind] for kind in bundle if "/" in kind})
        for bundle in bundles
    ]
    return new_code_cell(source, outputs=outputs, execution_count=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A page with everything that a lesson has: every figure, and the threshold twice."""
    figures = [bundle_of(show) for show in (*FIGURES.values(), FIGURES["threshold"])]
    solution = new_markdown_cell(SOLUTION, metadata={"tags": ["solution"]})
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A lesson\n\nWords with `code` and a [link](#x)."),
            new_code_cell("SEED = 42  # a comment", metadata={"tags": ["parameters"]}),
            *(
                code_cell(f"interactive.figure({number})", one)
                for number, one in enumerate(figures)
            ),
            code_cell(LONG, {"text/html": WIDE}, {"text/plain": LONG}, {"image/png": tiny.PIXEL}),
            new_markdown_cell("## An exercise"),
            solution,
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}},
    )
    nbformat.validate(notebook)
    folder = tmp_path_factory.mktemp("page")
    html = pages.notebook_html(notebook, name="01_x", folder=folder, notes=["a"], alarms=["b"])
    (folder / "01_x.html").write_text(html, encoding="utf-8")
    return folder / "01_x.html"


@pytest.fixture
def opened(browser, path):
    """Call it with a width and a scheme for the page; whatever fails on it fails the test."""
    contexts = []

    def open_it(width=1200, scheme="light"):
        size = {"width": width, "height": 844}
        context, page, asked, problems = open_offline(
            browser, path, viewport=size, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append((context, asked, problems))
        return page

    yield open_it
    for context, asked, problems in contexts:
        context.close()
        assert asked == problems == []


def figure(page, title):
    return page.locator(f'.nbh-figure:has(.nbh-title:text-is("{title}"))')


def matrix(place):
    return [int(text) for text in place.locator("td b").all_inner_texts()]


THRESHOLD = "Where to draw the line: verdicts at a threshold"


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_the_slider_moves_the_confusion_matrix(opened, width, scheme):
    page = opened(width, scheme)
    first, second = figure(page, THRESHOLD).all()
    slider = first.get_by_label("Threshold")
    assert matrix(first) == [2, 1, 1, 1]
    slider.focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    expected = calibration.confusion(Y_TRUE, Y_SCORE, threshold=0.65).to_numpy().ravel().tolist()
    assert matrix(first) == expected != [2, 1, 1, 1]
    assert slider.get_attribute("aria-valuetext") == "0.65"
    assert first.get_by_role("status").inner_text().startswith("At 0.65, 1 of 2 fakes")
    assert matrix(second) == [2, 1, 1, 1]  # figures of one kind do not move together
    area = first.locator(".nbh-area")
    box = area.bounding_box()
    area.click(position={"x": 0.2 * box["width"], "y": 20})
    assert slider.input_value() == "20"
    page.keyboard.press("Home")


def test_shares_of_fakes_colour_the_dots(opened):
    place = figure(opened(390), "How many of those called fake are fake?")
    at = people.SHARES.index(0.1)
    place.get_by_label("Share of fakes").fill(str(at))
    counts = [place.locator(f".nbh-people .nbh-kind-{kind}").count() for kind in range(4)]
    assert counts == [90, 10, 90, 810]
    assert "right in 50.0% of cases" in place.get_by_role("status").inner_text()


def test_the_wipe_uncovers_the_original(opened):
    place = figure(opened(), "Wipe between an original and its fake")
    seen = "one => getComputedStyle(one).clipPath"
    above = place.locator("img").nth(1)
    before = above.evaluate(seen)
    place.get_by_label("Part that shows").fill("100")
    assert above.evaluate(seen) != before
    box = place.locator(".nbh-wipe").bounding_box()
    place.locator(".nbh-wipe").click(position={"x": 0.25 * box["width"], "y": 9})
    assert place.get_by_label("Part that shows").input_value() == "25"


def test_a_damage_is_picked_from_the_list(opened):
    place = figure(opened(390), "One picture, damaged: what the detector says")
    rows = place.locator(".nbh-row")
    assert [row.is_visible() for row in rows.all()] == [True, True]
    place.get_by_label("Damage").select_option("noise")
    assert [row.is_visible() for row in rows.all()] == [False, True]
    assert place.get_by_role("status").inner_text().startswith("noise, P(fake)")


def test_a_point_of_the_curve_brings_its_picture(opened):
    place = figure(opened(390), "P(fake) by share removed")
    visible = place.locator("img:visible")
    assert visible.get_attribute("alt") == "share removed 0: P(fake) 0.9."
    place.get_by_label("share removed").fill("2")
    assert visible.get_attribute("alt") == "share removed 0.5: P(fake) 0.2."


def test_a_clip_plays_and_pauses(opened):
    page = opened()
    place = figure(page, "P(fake) along a clip")
    button = place.get_by_role("button")
    time = place.get_by_label("Time")
    assert place.locator(".nbh-box").is_visible()
    button.click()
    page.wait_for_function("one => one.value !== '0'", arg=time.element_handle())
    assert place.get_by_role("status").get_attribute("aria-live") == "off"
    button.click()
    assert button.inner_text() == "Play"
    stopped = time.input_value()
    page.wait_for_timeout(350)
    assert time.input_value() == stopped
    time.fill("1")
    assert not place.locator(".nbh-box").is_visible()
    assert not place.locator(".nbh-dot").is_visible()


@pytest.mark.parametrize("width", [390, 700, 1200])
def test_nothing_is_cut_off(opened, width):
    page = opened(width)
    assert cut_off(page) == []
    scrolled = "one => { one.scrollLeft = 1e6; return one.scrollLeft; }"
    wide = page.locator(".jp-OutputArea-output:has(th:text-is('column_29'))")
    assert wide.evaluate(scrolled) > 0
    assert page.locator("pre:has-text('argument_11')").first.evaluate(scrolled) == 0


@pytest.mark.parametrize("width", [390, 1200])
def test_solutions_are_folded_and_open_by_a_click(opened, width):
    page = opened(width)
    text = page.get_by_text("print('hidden')")
    assert page.locator("summary").count() == 1
    assert not text.is_visible()
    page.get_by_text("Solution", exact=True).click()
    assert text.is_visible()
    page.get_by_text("Solution", exact=True).click()
    assert not text.is_visible()


LIGHTNESS = """(one, name) => {
  const parts = getComputedStyle(one)[name].match(/[\\d.]+/g).map(Number);
  return parts.slice(0, 3).reduce((a, b) => a + b) / 765;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_follow_the_scheme(opened, scheme):
    page = opened(1200, scheme)
    back = page.locator("body").evaluate(LIGHTNESS, "backgroundColor")
    texts = [
        page.locator(name).first.evaluate(LIGHTNESS, "color")
        for name in (".nbh-title", ".nbh-status", "p", "h1", ".nbh-figure td")
    ]
    assert (back < 0.15, min(texts) > 0.7, max(texts) < 0.3) == (
        (True, True, False) if scheme == "dark" else (False, False, True)
    )


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1200, "light")])
def test_axe_finds_no_serious_fault(opened, width, scheme, axe):
    if not axe:
        pytest.skip("no axe-core; pip install axe-playwright-python, or set NBHELPERS_AXE")
    page = opened(width, scheme)
    page.locator("summary").click()
    assert faults(page, axe) == []


def test_faults_and_cut_off_boxes_are_seen(browser, tmp_path, axe):
    (tmp_path / "x.html").write_text(
        "<html lang='en'><title>x</title><main><h1>x</h1><p style='color:#aaa'>pale</p>"
        "<div class='bad' style='overflow:hidden;width:90px'><pre>too long for this box</pre></div>"
        "<div style='overflow:auto;width:90px'><pre tabindex='0'>too long for this box</pre></div>"
    )
    context, page, _, _ = open_offline(browser, tmp_path / "x.html")
    try:
        assert cut_off(page) == ["DIV bad"]
        page.evaluate("() => { document.querySelector('p').style.width = '3000px'; }")
        assert cut_off(page) == ["DIV bad", "the page itself"]
        if axe:
            assert [text.split(":")[0] for text in faults(page, axe)] == ["color-contrast"]
            assert faults(page, axe, contrast=False) == []
    finally:
        context.close()
