"""Tidies cell outputs: terminal control characters, progress bars, widgets, remote scripts."""

import re

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PROGRESS = re.compile(r"\d+%\|.*\||\d+it \[|\b(?:it/s|s/it)\b")
KERAS_BAR = re.compile(r" ?\u2501+ ?")
NATIVE_LOG = re.compile(
    r"^(?:WARNING: All log messages before absl::InitializeLog|[IWEF]\d{4} \d\d:\d\d:\d\d|"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,\d]*: [IWE] |To enable the following instructions:)"
)
REMOTE = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>\s*</script>"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|<script\b[^>]*>\s*import\s*[\"'](?:https?:)?//[^<]*</script>",
    re.IGNORECASE,
)
WIDGETS = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")


def settle(text: str) -> str:
    r"""Return what a terminal would finally show: carriage returns and backspaces are applied.

    Args:
        text: a stream's text.

    Returns:
        The text without these control characters; lines that were written once keep their colours.

    >>> settle("10 %\r50 %\r100 %\ndone")
    '100 %\ndone'
    """
    return "\n".join(_settle_line(line) for line in text.replace("\r\n", "\n").split("\n"))


def _settle_line(line: str) -> str:
    if "\r" not in line and "\b" not in line:
        return line
    characters: list[str] = []
    at = 0
    for char in ANSI.sub("", line.rpartition("\x1b[2K")[2]):  # 2K clears the line
        if char == "\r":
            at = 0
        elif char == "\b":
            at = max(0, at - 1)
        else:
            characters[at : at + 1] = [char]
            at += 1
    return "".join(characters).rstrip()


def tidy_text(text: str) -> str:
    r"""Settle a stream, and drop progress bars and the start-up lines of native libraries.

    Args:
        text: all that a cell wrote to one stream.

    Returns:
        The lines that carry information; "" if there are none.

    >>> tidy_text(" 40%|##   | 4/10\r100%|#####| 10/10 [00:01<00:00, 9.5it/s]\nsaved\n")
    'saved\n'
    """
    lines = []
    for line in settle(text).split("\n"):
        plain = ANSI.sub("", line)
        if PROGRESS.search(plain) or NATIVE_LOG.match(plain):
            continue
        lines.append(KERAS_BAR.sub(" ", plain) if KERAS_BAR.search(plain) else line)
    tidied = "\n".join(lines)
    return tidied if tidied.strip() else ""


def tidy(notebook) -> None:
    """Tidy all outputs of a notebook in place.

    Args:
        notebook: an nbformat notebook; adjacent pieces of one stream are joined, widgets and, in
            HTML outputs, references to other hosts are removed.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _tidy_outputs(cell.outputs)


def _tidy_outputs(outputs: list) -> list:
    joined = []
    for output in outputs:
        last = joined[-1] if joined else None
        if output.output_type != "stream":
            joined.append(output)
        elif last is not None and last.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    tidied = []
    for output in joined:
        if output.output_type == "stream":
            output.text = tidy_text(output.text)
            if not output.text:
                continue
        elif "data" in output:
            if any(kind in output.data for kind in WIDGETS):
                continue  # progress bars and sliders: useless without a live kernel
            if "text/html" in output.data:
                output.data["text/html"] = REMOTE.sub("", output.data["text/html"])
        tidied.append(output)
    return tidied
