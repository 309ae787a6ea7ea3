"""Checks of a value against the comment after its parameter.

People read the comment after a parameter, and this module checks it. It may say, anywhere:

    0-1, -0.4 to 2        the smallest and the largest value
    2 or more, at least 71, above 0, below 1
    a multiple of 3, even
    at most OTHER_NAME    the value of another parameter
    below 1 with OTHER_NAME  the sum of both
    in all 1              the sum of a list or tuple
    or some               a list of some of the names in the default
    "auto", "none"        two or more names in quotes: a string must be one of them, or a file if
                          the comment says `file`

In a list or tuple of numbers, every number is checked. Even without a comment, a list must contain
what its default contains (numbers, or strings without repeats), a tuple must be as long as its
default, and a parameter whose name ends in _FILE or _CSV must be an existing file, or "".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nbhelpers.common.errors import did_you_mean
from nbhelpers.common.paths import user_path

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_RANGE = rf"(?<![\w.]){_NUMBER}(?:-| to ){_NUMBER}(?![\w.]*\w)"
# What a comment may say about a number, and whether a number obeys it.
RULES: list[tuple[re.Pattern, Callable[..., bool]]] = [
    (re.compile(_RANGE), lambda x, least, most: least <= x <= most),
    (re.compile(rf"(?<![\w.]){_NUMBER} or more"), lambda x, least: x >= least),
    (re.compile(rf"at least {_NUMBER}"), lambda x, least: x >= least),
    (re.compile(rf"above {_NUMBER}"), lambda x, bound: x > bound),
    (re.compile(rf"below {_NUMBER}"), lambda x, bound: x < bound),
    (re.compile(rf"a multiple of {_NUMBER}"), lambda x, step: x % step == 0),
    (re.compile(r"\beven\b"), lambda x: x % 2 == 0),
]
AT_MOST = re.compile(r"at most ([A-Z][A-Z_]+)")
BELOW_WITH = re.compile(rf"below {_NUMBER} with ([A-Z][A-Z_]+)")
IN_ALL = re.compile(rf"in all {_NUMBER}")
FILE_ENDINGS = ("_FILE", "_CSV")
NAMES = re.compile(r'"([^"]+)"')


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell.

    Attributes:
        name: in capitals.
        default: the literal.
        comment: the comment after it, without the hash sign.
    """

    name: str
    default: object
    comment: str = ""

    def number_rules(self) -> list[str]:
        """Return the parts of the comment that are rules for numbers."""
        return [match[0] for pattern, _ in RULES for match in pattern.finditer(self.comment)]


def problems(parameter: Parameter, value: object, *, values: Mapping[str, object]) -> Iterator[str]:
    """Describe what is not allowed in a value.

    Args:
        parameter: with its default and comment.
        value: the value given.
        values: name -> value, of all parameters of the notebook.

    Yields:
        One sentence per problem.
    """
    several = isinstance(value, list | tuple)
    if several:
        yield from _problems_of_several(parameter, value)
    for one in value if several else [value]:
        if _is_number(one):
            yield from _problems_of_number(parameter, one, value, values)
        elif isinstance(one, str):
            yield from _problems_of_text(parameter, one, values)


def _problems_of_several(parameter: Parameter, value: list | tuple) -> Iterator[str]:
    """Return what is wrong with a list or tuple as a whole."""
    name, default, comment = parameter.name, parameter.default, parameter.comment
    if not isinstance(default, list | tuple):
        return
    are_numbers = bool(default) and all(map(_is_number, default))
    fits = _is_number if are_numbers else lambda one: isinstance(one, str)
    what = "numbers" if are_numbers else "strings"
    received = f"for {name}; received {value!r}"
    if not all(map(fits, value)):
        yield f"Expected only {what} {received}."
    elif isinstance(default, tuple) and len(value) != len(default):
        yield f"Expected {len(default)} {what} {received} ({comment})."
    elif not are_numbers and len(set(value)) < len(value):
        yield f"Expected each name once {received}."
    elif are_numbers:
        for match in IN_ALL.finditer(comment):
            if abs(sum(value) - float(match[1])) > 1e-6:
                yield f"Expected {match[0]} {received}, which is {sum(value):g} ({comment})."


def _problems_of_number(
    parameter: Parameter, one: float, value: object, values: Mapping[str, object]
) -> Iterator[str]:
    """Return what the comment does not allow about a number, which may be one of several."""
    name, comment = parameter.name, parameter.comment
    for pattern, keeps in RULES:
        for match in pattern.finditer(comment):
            if not keeps(one, *map(float, match.groups())):
                yield f"Expected {match[0]} for {name}; received {value!r} ({comment})."
    for match in AT_MOST.finditer(comment):
        other = values.get(match[1])
        if _is_number(other) and one > other:
            yield f"Expected at most {match[1]}, {other}, for {name}; received {value!r}."
    for match in BELOW_WITH.finditer(comment):
        other = values.get(match[2])
        if _is_number(other) and not one + other < float(match[1]):
            yield f"Expected {match[0]}, {other}, for {name}; received {value!r} ({comment})."


def _problems_of_text(
    parameter: Parameter, one: str, values: Mapping[str, object]
) -> Iterator[str]:
    """Return what is not allowed about a string, which may be one of several."""
    name = parameter.name
    known = _known_texts(parameter)
    is_file = bool(known) and one not in known and "file" in parameter.comment and "." in one
    if known and one not in known and not is_file:
        yield f"Expected a known name for {name}; received {one!r}. " + did_you_mean(one, known)
    elif one and one not in known and (is_file or name.endswith(FILE_ENDINGS)):
        path, folder = user_path(one), values.get("OUTPUT_DIR")
        comes_later = bool(folder) and path.is_relative_to(str(folder))  # from another notebook
        if not path.is_file() and not comes_later:
            yield f"Expected a file that exists for {name}; received {one!r}."


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _known_texts(parameter: Parameter) -> list[str]:
    """Return the strings that a comment allows; an empty list if it allows any."""
    if isinstance(parameter.default, list | tuple):
        return [*parameter.default] if "or some" in parameter.comment else []
    named = NAMES.findall(parameter.comment)
    return sorted({*named, str(parameter.default)}) if len(named) > 1 else []
