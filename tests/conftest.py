"""What tests of pages share: the one browser of a test run."""

import pytest
from browsers import chromium


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = chromium()
    if not program:
        pytest.skip("no Chromium found; apt-get install chromium, or set NBHELPERS_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-dev-shm-usage"],  # as root in containers
        )
        yield running
        running.close()
