"""Same seed, same machine: the same numbers, to the last digit."""

from scenes import HERE, Process, line_with


def test_two_processes_find_the_same():
    found = []
    for hash_seed in "12":  # orders of sets and dictionaries must not matter
        with Process(HERE / "judge.py", env={"PYTHONHASHSEED": hash_seed}) as process:
            code, said = process.end()
        assert code == 0, said
        found.append(line_with(said, "results:"))
    assert found[0] == found[1]
    assert '"auc"' in found[0]
