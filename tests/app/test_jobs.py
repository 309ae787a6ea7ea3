"""The queue of the page: one file at a time, nothing kept."""

import threading
import time

import pytest

from nbhelpers.app import jobs as queues


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


class Gate:
    """A judge that waits at each file until it is let go on."""

    def __init__(self):
        self.at, self.go = [], threading.Semaphore(0)
        self.stopped = []

    def __call__(self, path, progress):
        self.at.append(path.name)
        while not self.go.acquire(timeout=0.005):
            try:
                progress("looking", 0.5)
            except BaseException:
                self.stopped.append(path.name)
                raise
        if path.name == "bad":
            raise ZeroDivisionError("by the judge")
        return f"<p>{path.name}</p>"


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def jobs(gate):
    queue = queues.Jobs(gate)
    yield queue
    queue.close()


def add(jobs, tmp_path, name):
    folder = tmp_path / f"of {name}"
    folder.mkdir()
    (folder / name).write_text("x")
    return jobs.add(folder / name)


def test_one_at_a_time_in_order_and_each_answer_once(jobs, gate, tmp_path):
    first, second, third = (add(jobs, tmp_path, name) for name in ("a", "b", "c"))
    wait_until(lambda: jobs.ask(first)["share"] == 0.5)
    assert jobs.ask(first)["state"] == "working"
    waiting = jobs.ask(third)
    assert (waiting["state"], waiting["ahead"], waiting["answer"]) == ("waiting", 2, "")
    assert gate.at == ["a"]
    assert jobs.unfinished == 3
    gate.go.release()
    wait_until(lambda: gate.at == ["a", "b"])
    assert (jobs.ask(second)["ahead"], jobs.ask(third)["ahead"]) == (0, 1)
    done = jobs.ask(first)
    assert (done["state"], done["answer"]) == ("done", "<p>a</p>")
    assert jobs.ask(first) is None
    assert jobs.ask("nobody") is None
    assert not (tmp_path / "of a").exists()
    assert (tmp_path / "of c").exists()


def test_a_failure_of_the_program_ends_no_other_file(jobs, gate, tmp_path, caplog):
    bad, good = add(jobs, tmp_path, "bad"), add(jobs, tmp_path, "good")
    gate.go.release(2)
    wait_until(lambda: not jobs.unfinished)
    assert (jobs.ask(bad)["state"], jobs.ask(good)["state"]) == ("failed", "done")
    assert "by the judge" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_who_leaves_frees_the_place(jobs, gate, tmp_path):
    first, second = add(jobs, tmp_path, "a"), add(jobs, tmp_path, "b")
    wait_until(lambda: gate.at == ["a"])
    jobs.forget(first)
    assert not (tmp_path / "of a").exists()
    wait_until(lambda: gate.at == ["a", "b"])
    assert gate.stopped == ["a"]
    assert jobs.ask(second)["ahead"] == 0


def test_a_file_that_nobody_asks_for_any_more_is_deleted(jobs, gate, tmp_path, monkeypatch):
    add(jobs, tmp_path, "a"), add(jobs, tmp_path, "b")
    gate.go.release()
    wait_until(lambda: gate.at == ["a", "b"])  # the answer about a waits for somebody
    monkeypatch.setattr(queues, "PATIENCE", -1)
    assert jobs.unfinished == 0
    wait_until(lambda: gate.stopped == ["b"])
    assert jobs._jobs == {}
    assert list(tmp_path.iterdir()) == []


def test_closing_breaks_off_and_deletes(gate, tmp_path):
    queue = queues.Jobs(gate)
    add(queue, tmp_path, "a"), add(queue, tmp_path, "b")
    wait_until(lambda: gate.at == ["a"])
    queue.close()
    assert gate.at == gate.stopped == ["a"]
    assert list(tmp_path.iterdir()) == []
