"""What the comment behind a parameter allows, held against a value.

The comment behind a parameter is read by people and checked by machines. It may say, anywhere:

    0-1, -0.4 to 2        the least and the greatest value
    2 or more, at least 71, above 0, below 1
    a multiple of 3, even
    at most OTHER_NAME    another parameter
    below 1 with OTHER_NAME  both together
    in all 1              a list or tuple, added up
    or some               a list of some of the names that stand in the cell
    "auto", "none"        two names in quotes or more: a text is one of them, or a file where the
                          comment says `file`

Of a list or tuple of numbers every one is held against the numbers. Without any comment, a list
holds what its default holds (numbers or texts, no text twice), a tuple is as long as its default,
and a parameter whose name ends in _FILE or _CSV is a file that exists, or "".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nbhelpers.common.errors import did_you_mean
from nbhelpers.common.paths import user_path

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_RANGE = rf"(?<![\w.]){_NUMBER}(?:-| to ){_NUMBER}(?![\w.]*\w)"
# What a comment may say of a number, and whether a number keeps it.
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
        comment: what stands behind it, without the mark.
    """

    name: str
    default: object
    comment: str = ""

    def number_rules(self) -> list[str]:
        """Return what the comment says of numbers, in its words."""
        return [match[0] for pattern, _ in RULES for match in pattern.finditer(self.comment)]


def problems(parameter: Parameter, value: object, *, values: Mapping[str, object]) -> Iterator[str]:
    """Say what is not allowed in a value.

    Args:
        parameter: with its default and comment.
        value: that was given.
        values: name -> value, of all parameters of the notebook.

    Yields:
        Sentences.
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
    what = "numbers" if are_numbers else "texts"
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
    """Return what the comment does not allow in a number, which may be one of several."""
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
    """Return what is not allowed in a text, which may be one of several."""
    name = parameter.name
    known = _known_texts(parameter)
    is_file = bool(known) and one not in known and "file" in parameter.comment and "." in one
    if known and one not in known and not is_file:
        yield f"Expected a known name for {name}; received {one!r}. " + did_you_mean(one, known)
    elif one and one not in known and (is_file or name.endswith(FILE_ENDINGS)):
        path, folder = user_path(one), values.get("OUTPUT_DIR")
        comes_later = bool(folder) and path.is_relative_to(str(folder))  # another notebook's work
        if not path.is_file() and not comes_later:
            yield f"Expected a file that exists for {name}; received {one!r}."


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _known_texts(parameter: Parameter) -> list[str]:
    """Return the texts that a comment allows; none where it allows any."""
    if isinstance(parameter.default, list | tuple):
        return [*parameter.default] if "or some" in parameter.comment else []
    named = NAMES.findall(parameter.comment)
    return sorted({*named, str(parameter.default)}) if len(named) > 1 else []
