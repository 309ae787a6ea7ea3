"""The part of YAML that parameters need: mappings, lists, strings, decimal numbers, booleans.

YAML 1.1 reads `010` as eight, `1:30` as ninety, `2020-01-01` as a date and `1e-3` as a string, and
a page of it can expand to more than a machine's memory. Here numbers are decimal, anything else is
the string that it looks like, and everything has a limit.
"""

import codecs
import math
import re
from pathlib import Path

import yaml

from nbhelpers.common.errors import UsageError

MOST_BYTES = 300_000
DEEPEST = 20  # levels of nested lists and mappings
INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
TAG = "tag:yaml.org,2002:"
PLAIN = ("bool", "null", "str", "seq")  # PyYAML's own values for these are used
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in pairs if tag in (f"{TAG}bool", f"{TAG}null")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CONSTRUCTORS = {
    tag: construct
    for tag, construct in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.removeprefix(TAG) in PLAIN
}
OTHER_CODES = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def read_text(text: str, *, what: str) -> object:
    """Read YAML.

    Args:
        text: the YAML.
        what: what it is, for the message: "a value for SEED".

    Returns:
        None, bool, int, float, str, or lists and dictionaries of them; the keys are strings.

    Raises:
        UsageError: not YAML, other values than the above, a key twice, or too large or too deep.

    >>> read_text("[010, 1e-3, 1:30, 2020-01-01, 0x1F, true]", what="an example")
    [10, 0.001, '1:30', '2020-01-01', '0x1F', True]
    """
    if len(text) > MOST_BYTES:
        raise UsageError(
            f"Expected {what} of at most {MOST_BYTES:,} characters; received {len(text):,}."
        )
    try:
        return _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        problem = problem if len(problem) <= 120 else f"{problem[:50]} ... {problem[-50:]}"
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None and "\n" in text.strip() else ""
        raise UsageError(f"Expected YAML for {what}; {problem}{where}. Correct it.") from None


def read_file(path: Path, *, what: str) -> object:
    """Read a YAML file in UTF-8.

    Args:
        path: the file.
        what: what it is, for the message: "a grid".

    Returns:
        As `read_text`.

    Raises:
        UsageError: as `read_text`; the file cannot be read, or is in another encoding.
    """
    name = f"{what} in {path}"
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"Expected {what} in YAML; {path}: {error.strerror}.") from None
    try:
        if content.startswith(OTHER_CODES):
            raise ValueError("it is UTF-16 or UTF-32")
        return read_text(content.decode("utf-8-sig"), what=name)
    except UsageError:
        raise
    except ValueError as error:
        problem = f"byte {error.start} is invalid" if isinstance(error, UnicodeError) else error
        raise UsageError(
            f"Expected UTF-8 for {name}; {problem}. Save the file again as UTF-8."
        ) from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with fewer kinds of values, decimal numbers, and limits."""

    yaml_implicit_resolvers = _RESOLVERS
    yaml_constructors = _CONSTRUCTORS
    _depth = 0

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise self._refused("anchors and aliases (&, *) are not supported", self.peek_event())
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._refused(f"it is more than {DEEPEST} levels deep", self.peek_event())
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node, deep=False):
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):  # `!!bool 3`
            raise self._refused(
                f"{node.value!r} is not of type {node.tag.rpartition(':')[2]}", node
            ) from None

    def construct_number(self, node):
        text = self.construct_scalar(node)
        if INTEGER.fullmatch(text):
            return int(text)
        if NUMBER.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        raise self._refused(f"{text!r} is not a decimal number", node)

    def construct_plain_mapping(self, node):
        mapping = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._refused("a name is not a string", key_node)
            if key_node.value in mapping:
                raise self._refused(f"{key_node.value!r} is given twice", key_node)
            mapping[key_node.value] = self.construct_object(value_node, deep=True)
        return mapping

    def _refused(self, problem, place):
        return yaml.constructor.ConstructorError(None, None, problem, place.start_mark)


for _name, _pattern, _first in (
    ("int", INTEGER, "-+0123456789"),
    ("float", NUMBER, "-+.0123456789"),
):
    _Loader.add_implicit_resolver(TAG + _name, re.compile(f"(?:{_pattern.pattern})$"), [*_first])
    _Loader.add_constructor(TAG + _name, _Loader.construct_number)
_Loader.add_constructor(f"{TAG}map", _Loader.construct_plain_mapping)
