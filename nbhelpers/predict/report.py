"""The page of `predict`, which grows file by file and can be read meanwhile."""

from __future__ import annotations

import html
import logging
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.common.files import displayable
from nbhelpers.common.html import NO_PROOF, beginning, page
from nbhelpers.predict import sections, wording
from nbhelpers.predict.detector import Detector
from nbhelpers.predict.scoring import FileScore

logger = logging.getLogger(__name__)

TITLE = "Do these files look manipulated?"
BANNER = f'<p class="banner">{html.escape(NO_PROOF)}</p>'
#: Answer -> class of its files.
KINDS = {**{str(answer): kind for answer, kind in sections.COLOURS.items()}, "no answer": "none"}
#: The totals are known last and end the file, but are shown under the title.
STYLE = """
main { display: flex; flex-direction: column; }
h1 { order: -2; } .sums { order: -1; }
.choices { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; border: 0; padding: 0; margin: 0; }
.choices label { cursor: pointer; }
.file { margin: .5rem 0; }
""" + "\n".join(
    f"main:has(#only-{kind}:checked) .file:not(.{kind}) {{ display: none; }}"
    for kind in KINDS.values()
)


class Report:
    """A page that grows file by file, as a context manager that writes the end of the page.

    It does so however the block ends: after an interruption the page holds all scores up to then.

    Args:
        target: the file to write, already checked by `files.check_target`.
        detector: the one that gives the scores.
    """

    def __init__(self, target: Path, detector: Detector) -> None:
        self._target, self._detector = target, detector
        self._answers: Counter[str] = Counter()
        self._lost = 0
        self._resources = ExitStack()

    def __enter__(self) -> Report:
        head, self._tail = page(TITLE, "\0", style=sections.STYLE + STYLE).split("\0")
        try:
            self._file = self._resources.enter_context(files.growing(self._target))
            self._append(f"{head}{BANNER}{facts(self._detector)}")
        except OSError as error:
            self._resources.close()
            raise self._problem(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with self._resources:
                self._append(self._sums() + self._tail)
        except OSError as error:
            raise self._problem(error) from None

    def add(self, result: FileScore) -> None:
        """Draw a file; if the disk is full it is left out, and the page says so.

        Args:
            result: from `scoring.score_file`.
        """
        answer = self._detector.verdict(result.p_fake) if result.people else "no answer"
        self._answers[str(answer)] += 1
        try:
            self._append(sections.section(result, self._detector))
        except OSError as error:  # a full disk: scoring continues
            logger.warning("%s is not drawn: %s", displayable(result.path.name), error.strerror)
            self._lost += 1

    def _append(self, text: str) -> None:
        """Write all of a text, or nothing."""
        end, rest = self._file.tell(), text.encode("utf-8")
        try:
            while rest:  # a nearly full disk accepts a part
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.seek(end)
            self._file.truncate()
            raise

    def _sums(self) -> str:
        answers = self._answers.most_common()
        sums = "; ".join(f"{count} {answer}" for answer, count in answers)
        lost = f" {self._lost} of them could not be drawn: no room." if self._lost else ""
        total = f"{self._answers.total()} files: {html.escape(sums)}.{lost}"
        choices = _choices([answer for answer, _ in answers]) if len(answers) > 1 else ""
        return f'<div class="sums"><p>{total}</p>{choices}</div>'

    def _problem(self, error: OSError) -> UsageError:
        return UsageError(f"{displayable(str(self._target))} cannot be written: {error.strerror}.")


def _choices(answers: list[str]) -> str:
    """Return what shows only the files with one of the answers; it needs no script."""
    tag = '<label><input type="radio" name="only" id="only-{}"{}> {}</label>'
    tags = [tag.format("all", " checked", "all")]
    tags += [tag.format(KINDS[answer], "", html.escape(answer)) for answer in answers]
    return f'<fieldset class="choices" aria-label="Files to show">{"".join(tags)}</fieldset>'


def facts(detector: Detector) -> str:
    """Explain how to read the answers.

    Args:
        detector: the one that gives the scores.

    Returns:
        HTML, for a page with `sections.STYLE`.
    """
    lines = "".join(f"<li>{html.escape(text)}</li>" for text in wording.about(detector))
    return (
        f'<ul class="facts">{lines}</ul>{sections.key_tag(detector)}'
        f'<div><p class="small">{sections.EXPLAINED}</p>{sections.scale_tag()}</div>\n'
    )


def page_beginning() -> str:
    """Return the text with which every report begins, for `files.check_target`."""
    return beginning(TITLE)
