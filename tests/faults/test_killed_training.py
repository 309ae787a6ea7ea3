"""A training that is killed continues after its last whole epoch."""

import json
import re

from scenes import HERE, Process, line_with


def test_killed_training_goes_on_after_its_last_epoch(tmp_path, told):
    def epochs_on_disk():
        states = list((tmp_path / "training").glob("*/state.json"))
        return json.loads(states[0].read_text())["epoch"] if states else 0

    with Process(HERE / "train.py", tmp_path) as running:
        running.wait_for(lambda: epochs_on_disk() >= 2)
        running.kill()
    before = epochs_on_disk()
    assert 2 <= before < 8
    with Process(HERE / "train.py", tmp_path) as again:
        code, said = again.end()
    assert code == 0, said
    epochs_run = [int(number) for number in re.findall(r"^Epoch (\d+)/8$", said, re.MULTILINE)]
    assert epochs_run == list(range(before + 1, 9))
    loss = json.loads(line_with(said, '{"loss"'))["loss"]
    assert len(loss) == 8
    assert loss == sorted(loss, reverse=True)
    line = line_with(said, "continues after epoch").replace(f"epoch {before}", "epoch (number)")
    told(
        "kill -9 in training",
        "all epochs that were finished, the best weights; `--resume` continues after them",
        line,
    )
