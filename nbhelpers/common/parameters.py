"""The parameters cell of a notebook: names, values, and what the comments allow.

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

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from nbhelpers.common.errors import UsageError, did_you_mean
from nbhelpers.common.paths import user_path

_NUMBER = r"(-?\d+(?:\.\d+)?)"
# What a comment may say of a number, and whether a number keeps it.
RULES: list[tuple[re.Pattern, Callable[..., bool]]] = [
    (
        re.compile(rf"(?<![\w.]){_NUMBER}(?:-| to ){_NUMBER}(?![\w.]*\w)"),
        lambda x, a, b: a <= x <= b,
    ),
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


def read_cell(source: str) -> dict[str, Parameter]:
    """Read a parameters cell without executing it.

    Args:
        source: the cell's Python text.

    Returns:
        name -> parameter, in the order written.

    Raises:
        UsageError: a statement that is not `NAME = literal`.
        SyntaxError: no Python.

    >>> read_cell("EPOCHS = 3  # passes, 1 or more")["EPOCHS"].number_rules()
    ['1 or more']
    """
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    parameters = {}
    for statement in ast.parse(source).body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        try:
            if not isinstance(target, ast.Name) or len(statement.targets) != 1:
                raise ValueError
            default = ast.literal_eval(statement.value)
        except ValueError:
            raise UsageError(
                "Expected only lines `NAME = literal` in the cell tagged 'parameters'; received "
                f"`{ast.unparse(statement)}`. Compute values in a later cell."
            ) from None
        comment = comments.get(statement.end_lineno, "")
        parameters[target.id] = Parameter(target.id, default, comment)
    return parameters


def check(
    values: Mapping[str, object], parameters: Mapping[str, Parameter], *, notebook: str
) -> None:
    """Hold values against what the comments of a parameters cell allow.

    Args:
        values: name -> value, of all parameters that the notebook has.
        parameters: from `read_cell`.
        notebook: its name, for the message.

    Raises:
        UsageError: the first value that its comment does not allow.
    """
    for name, parameter in parameters.items():
        if name in values:
            for problem in _problems(parameter, values[name], values):
                raise UsageError(f"{problem} Set it in {notebook}, or with -p {name} VALUE.")


def check_names(name: str, values: Iterable[str], *, known: Iterable[str]) -> None:
    """Refuse a list parameter with a name that is none of those that the data or a model have.

    Args:
        name: the parameter.
        values: its value.
        known: the names that there are.

    Raises:
        UsageError: an unknown name.
    """
    known = [*known]
    for value in values:
        if value not in known:
            raise UsageError(
                f"Expected known names in {name}; received {value!r}. "
                + did_you_mean(str(value), known)
            )


def _problems(parameter: Parameter, value: object, values: Mapping[str, object]) -> Iterator[str]:
    """Return what is not allowed in a value, as sentences."""
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
            yield (
                f"Expected less than {match[1]} with {match[2]}, {other}, for {name}; received "
                f"{value!r} ({comment})."
            )


def _problems_of_text(
    parameter: Parameter, one: str, values: Mapping[str, object]
) -> Iterator[str]:
    """Return what is not allowed in a text, which may be one of several."""
    name = parameter.name
    known = _known_texts(parameter)
    is_file = bool(known) and one not in known and "file" in parameter.comment and "." in one
    if known and one not in known and not is_file:
        yield f"Expected a known name for {name}; received {one!r}. " + did_you_mean(one, known)
    elif one and (is_file or name.endswith(FILE_ENDINGS)):
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
