"""The page over HTTP: who may ask, what is taken, what stays."""

import asyncio
import http.client
import json
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("tornado", reason="tornado is not installed")
from nbhelpers.app import server, uploads


class Page:
    """The page, served by a thread of its own.

    Attributes:
        host: name and port.
        token: the secret of its address.
        judged: path, size and permissions of its folder of each file that was judged.
        free: while it is not set, files wait.
    """

    def __init__(self):
        self.judged, self.free = [], threading.Event()
        self.free.set()
        self._ready, self._thread = threading.Event(), threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_):
        self.free.set()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _serve(self):
        async def serve():
            self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            async with server.serving(self._judge, facts="<p>how to read it</p>") as address:
                _, _, self.host, self.token, rest = address.split("/")
                assert rest == ""
                self._ready.set()
                await self._end.wait()

        asyncio.run(serve())

    def _judge(self, path, progress):
        progress("looking for faces", 0.25)
        self.free.wait(30)
        self.judged.append((path, path.read_bytes(), path.parent.stat().st_mode & 0o777))
        return f"<p>about {path.name}</p>"

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        is_json = reply.headers.get_content_subtype() == "json"
        facts = json.loads(text) if is_json and text else text
        return SimpleNamespace(status=reply.status, facts=facts, headers=reply.headers)

    def send(self, content, name="me.jpg"):
        reply = self.ask("POST", f"/{self.token}/files", content, X_File_Name=name)
        assert reply.status == 201, reply.facts
        return f"/{self.token}/files/{reply.facts['id']}"

    def answer(self, address):
        for _ in range(2000):
            reply = self.ask("GET", address)
            if reply.facts["state"] == "done":
                return reply.facts["answer"]
            time.sleep(0.01)
        raise AssertionError(reply.facts)


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Page() as page:
        yield page
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_judged_and_nothing_of_it_stays(page, tmp_path):
    content = os.urandom(3_000_000)
    address = page.send(content, "..%2F..%2Fmein%20Bild%20%C3%A4.jpg")
    assert page.answer(address) == "<p>about mein Bild ä.jpg</p>"
    ((path, read, mode),) = page.judged
    assert (path.name, read, mode) == ("mein Bild ä.jpg", content, 0o700)
    assert path.is_relative_to(tmp_path)
    assert not path.parent.exists()
    assert page.ask("GET", address).status == 404


def test_the_page_loads_nothing_from_anywhere(page):
    reply = page.ask("GET", f"/{page.token}/")
    assert reply.status == 200
    assert "how to read it" in reply.facts
    assert "http" not in reply.facts.replace("XMLHttpRequest", "")
    rules = dict(
        rule.strip().split(" ", 1) for rule in reply.headers["Content-Security-Policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    nonce = rules["script-src"].removeprefix("'nonce-").removesuffix("'")
    assert f'<script nonce="{nonce}">' in reply.facts
    assert reply.headers["Cache-Control"] == "no-store"
    assert nonce not in page.ask("GET", f"/{page.token}/").facts


def test_only_who_has_the_address_gets_anything(page):
    address = page.send(b"x")
    for path in ("/", "/files", "/nobody/", f"/{page.token}x/", address.replace(page.token, "a")):
        reply = page.ask("GET", path)
        assert (reply.status, reply.facts["error"]) == (403, server.STRANGER)
        assert page.token not in str(reply.facts)
    assert page.ask("POST", "/files", b"x").status == 403
    assert page.answer(address)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Origin": "http://evil.example"}],
    ids=str,
)
def test_another_site_gets_nothing_though_it_has_the_token(page, headers):
    assert page.ask("GET", f"/{page.token}/", **headers).status == 403
    assert page.ask("POST", f"/{page.token}/files", b"x", **headers).status == 403
    assert page.judged == []
    good = {"Origin": f"http://{page.host}", "Host": page.host.replace("127.0.0.1", "localhost")}
    assert page.ask("GET", f"/{page.token}/", **good).status == 200


def announce(page, size):
    """The answer to a file of which only the size is sent."""
    connection = http.client.HTTPConnection(page.host, timeout=30)
    connection.putrequest("POST", f"/{page.token}/files")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    reply = connection.getresponse()
    facts = json.loads(reply.read())
    connection.close()
    return reply.status, facts.get("error")


def test_what_is_too_large_is_refused_before_it_is_sent(page, monkeypatch):
    status, reason = announce(page, uploads.MOST_BYTES + 1)
    assert status == 413
    assert "at most 1,000 MB" in reason
    usage = SimpleNamespace(free=uploads.SPARE_BYTES + 299_999_999)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    assert announce(page, 300_000_000)[0] == 507
    assert page.ask("POST", f"/{page.token}/files", b"").status == 400
    chunks = page.ask("POST", f"/{page.token}/files", iter([b"x"]), Transfer_Encoding="chunked")
    assert chunks.status == 411


def test_the_browser_can_ask_before(page):
    address = f"/{page.token}/files?size="
    assert page.ask("GET", f"{address}300000000").status == 204
    reply = page.ask("GET", f"{address}{uploads.MOST_BYTES + 1}")
    assert (reply.status, reply.facts["error"]) == announce(page, uploads.MOST_BYTES + 1)


def test_no_body_is_held_in_memory(page, monkeypatch):
    seen = []
    monkeypatch.setattr(
        server._Page, "on_finish", lambda self: seen.append(self.request.body), raising=False
    )
    assert page.ask("POST", f"/{page.token}/", bytes(10_000_000)).status == 405
    for _ in range(2000):
        if seen:
            break
        time.sleep(0.005)
    assert seen == [b""]


def test_two_people_at_once(page):
    page.free.clear()
    one, other = page.send(b"1", "one.jpg"), page.send(b"2", "other.jpg")
    for _ in range(1000):
        first, second = (page.ask("GET", address).facts for address in (one, other))
        if first["state"] == "working":
            break
    assert (first["step"], first["share"], first["ahead"]) == ("looking for faces", 0.25, 0)
    assert (second["state"], second["ahead"]) == ("waiting", 1)
    page.free.set()
    assert page.answer(other) == "<p>about other.jpg</p>"
    assert page.answer(one) == "<p>about one.jpg</p>"


def test_a_crowd_is_asked_to_come_back(page, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_WAITING", 2)
    page.free.clear()
    for _ in range(2):
        page.send(b"x")
    assert page.ask("POST", f"/{page.token}/files", b"x").status == 503


def test_an_upload_that_breaks_off_leaves_nothing(page, tmp_path):
    connection = http.client.HTTPConnection(page.host, timeout=30)
    connection.putrequest("POST", f"/{page.token}/files")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(bytes(10_000))
    (folder,) = tmp_path.iterdir()
    for _ in range(2000):
        if any(folder.iterdir()):
            break
        time.sleep(0.005)
    assert any(folder.iterdir())
    connection.close()
    for _ in range(2000):
        if not any(folder.iterdir()):
            return
        time.sleep(0.005)
    raise AssertionError("a part of a file stays")


def test_who_leaves_takes_the_file_along(page, tmp_path):
    page.free.clear()
    page.send(b"1")
    address = page.send(b"2")
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 2
    assert page.ask("DELETE", address).status == 204
    assert len(list(folder.iterdir())) == 1
    assert page.ask("GET", address).status == 404


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("me.jpg", "me.jpg"),
        ("%2Fetc%2Fpasswd", "passwd"),
        ("C%3A%5Cphotos%5Cme.jpg", "me.jpg"),
        ("..", "file"),
        ("", "file"),
        (None, "file"),
        ("a%00b%0A.png", "a_b_.png"),
        ("%FF%FE.png", "\ufffd\ufffd.png"),
        ("%ED%A0%80.png", "\ufffd\ufffd\ufffd.png"),
    ],
)
def test_names_stay_in_their_folder(given, expected, tmp_path):
    assert uploads.safe_name(given) == expected
    upload = uploads.Upload(given, tmp_path)
    assert upload.close().parent.parent == Path(tmp_path)


def test_long_names_keep_their_ending(tmp_path):
    name = uploads.safe_name("ä" * 500 + ".jpg")
    assert name.endswith(".jpg")
    uploads.Upload("ä" * 500 + ".jpg", tmp_path).close()
