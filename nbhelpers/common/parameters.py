"""The parameters cell of a notebook: names, values, and what the comments allow.

What the comments may say is in `parameter_rules`.
"""

import ast
import io
import tokenize
from collections.abc import Iterable, Mapping

from nbhelpers.common.errors import UsageError, did_you_mean
from nbhelpers.common.parameter_rules import Parameter, problems


def read_cell(source: str) -> dict[str, Parameter]:
    """Read a parameters cell without executing it.

    Args:
        source: the cell's Python text.

    Returns:
        name -> parameter, in the order written.

    Raises:
        UsageError: a statement that is not `NAME = literal`.
        SyntaxError: the text is not Python.

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
    """Check values against the comments in a parameters cell.

    Args:
        values: name -> value, of all parameters of the notebook.
        parameters: from `read_cell`.
        notebook: its name, for the message.

    Raises:
        UsageError: the first value that its comment does not allow.
    """
    for name, parameter in parameters.items():
        if name in values:
            for problem in problems(parameter, values[name], values=values):
                raise UsageError(f"{problem} Set it in {notebook}, or with -p {name} VALUE.")


def check_names(name: str, values: Iterable[str], *, known: Iterable[str]) -> None:
    """Refuse a list parameter that contains an unknown name.

    Args:
        name: the parameter.
        values: its value.
        known: the names that exist.

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
