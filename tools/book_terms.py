"""Sphinx extension: the glossary's terms, explained where a page first mentions them.

The tables of GLOSSARY.md become a Sphinx glossary, whose terms can be searched. On every other
page, the first mention of a term, and each link to the glossary whose text is a term, leads to it
and has its meaning as a title; `book.js` shows the meaning beside the words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PAGE = "GLOSSARY"
# Single-word names that prose uses in no other sense; for all others only links are explained.
SINGLE = ("backbone", "bootstrap", "calibration", "leakage", "logit", "prior", "saliency")


@dataclass(frozen=True)
class Term:
    """One row of the glossary.

    Attributes:
        names: the field's names for it; the first is the main one.
        here: our name, as Markdown.
        meaning: as Markdown.
    """

    names: tuple[str, ...]
    here: str
    meaning: str

    @property
    def ours(self) -> str:
        """Our name as prose writes it (`auc` becomes AUC), if it is a plain word; else ""."""
        word = re.fullmatch(r"`([a-z]+)`", self.here)
        return "" if not word else word[1].upper() if len(word[1]) <= 4 else word[1]

    @property
    def words(self) -> list[str]:
        """The words that are explained at their first mention in prose."""
        names = [name for name in self.names if " " in name or "-" in name or name in SINGLE]
        return names + [self.ours] * (self.ours.isupper() or self.ours in SINGLE)

    @property
    def explanation(self) -> str:
        """The meaning as plain text."""
        return f"{self.names[0]}: {re.sub(r'[`*]', '', self.meaning)}"


def read_terms(text: str) -> list[Term]:
    r"""Read the tables of the glossary.

    Args:
        text: of GLOSSARY.md.

    Returns:
        One term per row.

    Raises:
        ValueError: a name is in two rows.

    >>> read_terms("| term | here | meaning |\n|---|---|---|\n| log loss | `log_loss` | in nats |")
    [Term(names=('log loss',), here='`log_loss`', meaning='in nats')]
    """
    terms: list[Term] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("|") and len(cells) == 3 and cells[0] != "term":
            names = tuple(name.strip() for name in cells[0].split(","))
            known = {name for term in terms for name in term.names} & set(names)
            if known:
                raise ValueError(f"Expected each term in one row; received {known} in two.")
            terms.append(Term(names, cells[1], cells[2]))
    return terms


def with_directives(text: str) -> str:
    """Turn the glossary's tables into Sphinx's glossaries.

    Args:
        text: of GLOSSARY.md.

    Returns:
        Text for MyST.
    """

    def entries(table: re.Match[str]) -> str:
        blocks = [
            "\n".join(term.names) + f"\n  {_sentence(term.meaning)} Here: {term.here}"
            for term in read_terms(table[0])
        ]
        return "```{glossary}\n" + "\n\n".join(blocks) + "\n```\n"

    return re.sub(r"(?:^\|.*\n?)+", entries, text, flags=re.MULTILINE)


def mentions(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that matches terms in prose: singular or plural, the longest first.

    Args:
        words: to match; upper-case words exactly, the others in any case.

    Returns:
        Pattern with the term as its only group.

    >>> mentions(["log loss", "AUC", "MASK"]).findall("AUCs, Log loss and a mask")
    ['AUC', 'Log loss']
    """
    ways = sorted(words, key=len, reverse=True)
    ways = [re.escape(way) if way.isupper() else f"(?i:{re.escape(way)})" for way in ways]
    return re.compile(rf"\b({'|'.join(ways)})(?=s?\b)")


def _sentence(text: str) -> str:
    """Return text that ends with a full stop."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def setup(app) -> dict:
    """Register the extension with Sphinx."""
    app.connect("source-read", _read)
    app.connect("doctree-resolved", _explain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(app, page: str, source: list[str]) -> None:
    """Give Sphinx the glossary with its tables converted."""
    if page == PAGE:
        source[0] = with_directives(source[0])


def _explain(app, doctree, page: str) -> None:
    """Link the terms of one page."""
    if page == PAGE:
        return
    path = app.env.doc2path(PAGE)
    with open(path, encoding="utf-8") as file:
        terms = read_terms(file.read())
    glossary = app.builder.get_relative_uri(page, PAGE)
    by_word = {word.lower(): term for term in terms for word in (term.ours, *term.names) if word}
    linked = _explain_links(app, doctree, by_word, glossary)
    _explain_mentions(app, doctree, by_word, glossary, linked)


def _explain_links(app, doctree, by_word: dict[str, Term], glossary: str) -> set[Term]:
    """Point links to the glossary at their terms; return these terms."""
    from docutils import nodes

    linked = set()
    for link in doctree.findall(nodes.reference):
        term = by_word.get(link.astext().lower()) or by_word.get(link.astext().lower()[:-1])
        if term and link.get("refuri", "").partition("#")[0] == glossary:
            link["refuri"] = _address(app, term, glossary)
            link["reftitle"] = term.explanation
            link["classes"].append("explained")
            linked.add(term)
    return linked


def _explain_mentions(app, doctree, by_word: dict, glossary: str, linked: set[Term]) -> None:
    """Turn the first mention of every other term into a link."""
    from docutils import nodes

    pattern = mentions({word for term in by_word.values() for word in term.words})
    places = (nodes.paragraph, nodes.strong, nodes.emphasis)
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, places) or _inside(text, (nodes.reference, nodes.image)):
            continue
        pieces, end = [], 0
        for mention in pattern.finditer(text):
            term = by_word[mention[0].lower()]
            if term in linked:
                continue
            linked.add(term)
            link = nodes.reference(
                mention[0],
                mention[0],
                refuri=_address(app, term, glossary),
                reftitle=term.explanation,
                internal=True,
                classes=["explained"],
            )
            pieces += [nodes.Text(text[end : mention.start()]), link]
            end = mention.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def _inside(node, kinds: tuple) -> bool:
    """Whether a node is inside a node of one of the given kinds."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def _address(app, term: Term, glossary: str) -> str:
    """Return the address of a term."""
    anchors = {
        name: anchor
        for name, _, kind, page, anchor, _ in app.env.get_domain("std").get_objects()
        if kind == "term" and page == PAGE
    }
    return f"{glossary}#{anchors[term.names[0]]}"
