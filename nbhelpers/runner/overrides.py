"""From profiles and `-p NAME VALUE` to checked parameters for each notebook."""

import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbhelpers.common import parameters
from nbhelpers.common.errors import UsageError, did_you_mean
from nbhelpers.common.paths import user_path
from nbhelpers.runner import plain_yaml
from nbhelpers.runner.notebooks import Notebook

PATH_ENDINGS = ("_DIR", "_FILE", "_CSV", "_PATH")
MOST_VALUES = 10_000  # in one parameter
PATH_SUFFIXES = (".keras", ".h5", ".csv")


def checked(name: str, value: object, *, default: object) -> object:
    """Check a value against the type of the parameter's default.

    Args:
        name: the parameter, for the message.
        value: what was given.
        default: the notebook's value; None accepts anything.

    Returns:
        The value; an int for a float parameter becomes a float. A list given for a tuple stays a
        list, because papermill would write a tuple as a string.

    Raises:
        UsageError: a wrong type, or a value that JSON cannot express.

    >>> checked("RATE", 1, default=0.5)
    1.0
    """
    _refuse_strange(name, value)
    expected = type(default)
    if default is None or (type(value) is expected and expected is not float):
        return value
    if expected is float and (number := _finite(value)) is not None:
        return number
    if expected is tuple and isinstance(value, list):
        return value
    hint = f"Write it as in the notebook: {name} = {default!r}."
    if expected is str:
        hint = f"Quote it to pass a string: '\"{str(value)[:40]}\"'."
    raise UsageError(
        f"Expected {expected.__name__} for {name}; received {type(value).__name__} "
        f"{_short(value)}. {hint}"
    )


def _short(value: object) -> str:
    """Return a value as it would be written, cut to fit on a line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _finite(value: object) -> float | None:
    """Return a number, or the text of one, as float; None if it is not a finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and plain_yaml.NUMBER.fullmatch(value)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _refuse_strange(name: str, value: object) -> None:
    """Refuse what JSON cannot express: papermill writes sets and the like without quoting."""
    waiting, seen = [value], 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if isinstance(part, dict) and all(isinstance(key, str) for key in part):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif part is not None and not isinstance(part, bool | int | float | str):
            raise UsageError(
                f"Expected numbers, strings and lists of them for {name}; received a "
                f"{type(part).__name__} {part!r}. Quote it to pass a string."
            )
        elif isinstance(part, str) and re.search(r"[\ud800-\udfff]", part):
            raise UsageError(
                f"Expected whole characters for {name}; received half of one in {part!r}. "
                "Write the character itself."
            )
        if seen > MOST_VALUES:
            raise UsageError(f"Expected at most {MOST_VALUES} values for {name}; received more.")


def resolved(name: str, value: object, *, base: Path) -> object:
    """Make a path absolute: the notebooks do not run in the folder in which it was typed.

    Args:
        name: the parameter; names that end in _DIR, _FILE, _CSV or _PATH hold paths. A single
            lower-case word for a _FILE is a name, such as "bundled", and is not changed.
        value: its value; model and table files are paths whatever the parameter's name.
        base: the folder that a relative path starts from.

    Returns:
        An absolute path as text, or the unchanged value.

    Raises:
        UsageError: a path that no file can have.
    """
    if not isinstance(value, str) or not value:
        return value
    if name.endswith("_FILE") and re.fullmatch("[a-z]+", value):
        return value
    if name.endswith(PATH_ENDINGS) or value.endswith(PATH_SUFFIXES):
        if "\0" in value:
            raise UsageError(f"Expected a path for {name}; received {value!r}. Remove the \\0.")
        return str((base / user_path(value)).resolve())
    return value


def parse_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Read the values of `-p NAME VALUE`.

    Args:
        pairs: names, and values as YAML.

    Returns:
        name -> value; if a name is given twice, the last value counts.

    Raises:
        UsageError: a value that is not YAML.

    >>> parse_pairs([("EPOCHS", "3"), ("WEIGHTS", "none"), ("RATES", "[0.1, 0.2]")])
    {'EPOCHS': 3, 'WEIGHTS': 'none', 'RATES': [0.1, 0.2]}
    """
    values = {}
    for name, text in pairs:
        try:
            what = f"the value of {name}"
            values[name] = plain_yaml.read_text(text, what=what) if text.strip() else text
        except UsageError as error:
            hint = f" Quote it to pass a string: '\"{text}\"'." if text.isprintable() else ""
            raise UsageError(f"{error}{hint if len(text) <= 60 else ''}") from None
    return values


def read_profile(profile: str, folder: Path) -> tuple[dict[str, dict], Path]:
    """Read a profile: notebook name -> {parameter: value}, and `all` for every notebook.

    Args:
        profile: the name of a profile in `folder`, or a YAML file's path.
        folder: the series' own profiles.

    Returns:
        The mapping, and the folder that relative paths in it start from.

    Raises:
        UsageError: no such profile, or one of the wrong form.
    """
    path, base = user_path(profile), Path.cwd()
    named = folder / f"{profile}.yaml"
    if os.path.isfile(named) and not path.suffix:
        path = named
    else:
        base = path.resolve().parent
    if not path.is_file():
        names = [entry.stem for entry in folder.glob("*.yaml")]
        raise UsageError(
            f"Expected a profile's name or a YAML file; received {profile!r}. "
            + did_you_mean(profile, names)
        )
    content = plain_yaml.read_file(path, what="a profile")
    content = {} if content is None else content
    if not isinstance(content, dict) or not all(
        isinstance(part, dict | None) for part in content.values()
    ):
        raise UsageError(
            f"Expected `notebook: {{PARAMETER: value}}` in {path}; received {str(content)[:80]!r}. "
            "See notebooks/profiles/smoke.yaml for an example."
        )
    return {str(key): part or {} for key, part in content.items()}, base


def combine(
    notebooks: list[Notebook],
    selected: list[Notebook],
    *,
    profile: Mapping[str, Mapping[str, object]],
    profile_base: Path,
    pairs: Mapping[str, object],
    data_dir: Path | None,
    output_dir: Path,
) -> dict[str, dict[str, object]]:
    """Determine every selected notebook's parameters, and refuse unknown names.

    Args:
        notebooks: all notebooks of the series; a profile is checked against all of them.
        selected: the ones that will run; `pairs` is checked against these.
        profile: notebook name or `all` -> parameters.
        profile_base: the folder of relative paths in the profile.
        pairs: parameters for every selected notebook that has them; they override the profile.
        data_dir: value for DATA_DIR, or None to leave it.
        output_dir: value for OUTPUT_DIR.

    Returns:
        notebook name -> only the values that override the notebook's own.

    Raises:
        UsageError: an unknown notebook or parameter, a value of the wrong type, or one that the
            comment in the notebook does not allow.
    """
    stems = [notebook.stem for notebook in notebooks]
    for stem in profile:
        if stem not in (*stems, "all"):
            raise UsageError(
                f"Expected a notebook's name or 'all' in the profile; received {stem!r}. "
                + did_you_mean(stem, [*stems, "all"])
            )
    for notebook in notebooks:
        _refuse_unknown(profile.get(notebook.stem, {}), [notebook], f" for {notebook.stem}")
    _refuse_unknown(profile.get("all", {}), notebooks, " under 'all' in the profile")
    _refuse_unknown(pairs, selected, "")
    combined = {}
    for notebook in notebooks:
        values = {}
        layers = (
            (profile.get("all", {}), profile_base),
            (profile.get(notebook.stem, {}), profile_base),
            ({"DATA_DIR": str(data_dir)} if data_dir else {}, Path.cwd()),
            (pairs if notebook in selected else {}, Path.cwd()),
            ({"OUTPUT_DIR": str(output_dir)}, Path.cwd()),
        )
        for layer, base in layers:
            for name, value in layer.items():
                if name in notebook.defaults:
                    value = checked(name, value, default=notebook.defaults[name])
                    values[name] = resolved(name, value, base=base)
        parameters.check(notebook.defaults | values, notebook.parameters, notebook=notebook.stem)
        combined[notebook.stem] = values
    return {notebook.stem: combined[notebook.stem] for notebook in selected}


def _refuse_unknown(names: Iterable[str], notebooks: list[Notebook], where: str) -> None:
    """Raise UsageError for a name that is not a parameter of any of the notebooks."""
    known = {name for notebook in notebooks for name in notebook.defaults}
    for name in names:
        if name == "OUTPUT_DIR":
            raise UsageError(
                f"Expected the output folder from --out; received OUTPUT_DIR{where} as a "
                "parameter. Use --out, so that the pages find the results."
            )
        if name not in known:
            raise UsageError(
                f"Expected the name of a parameter{where}; received {name!r}, which no selected "
                f"notebook has. {did_you_mean(name, known)}"
            )
