"""Does Keras's `fit` train over several machines? Over several devices? A plain script.

    python tests/benchmarks/several_machines.py

Two processes on this machine, told of each other by TF_CONFIG as two machines would be, train the
same small network under `MultiWorkerMirroredStrategy`; then one process trains it on two virtual
CPUs under `MirroredStrategy`. What each of them says is printed.
"""

import json
import os
import re
import socket
import subprocess
import sys

NETWORK = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import keras

x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")

def train(strategy):
    with strategy.scope():
        model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, "sigmoid")])
        model.compile("adam", "binary_crossentropy")
    data = tf.data.Dataset.from_tensor_slices((x, y)).repeat().batch(16)
    model.fit(data, epochs=1, steps_per_epoch=4, verbose=0)
    print(f"trained on {strategy.num_replicas_in_sync} replicas; TensorFlow {tf.__version__}, "
          f"Keras {keras.__version__}")
"""
MACHINES = NETWORK + "train(tf.distribute.MultiWorkerMirroredStrategy())\n"
DEVICES = NETWORK + (
    "cpu = tf.config.list_physical_devices('CPU')[0]\n"
    "two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
    "tf.config.set_logical_device_configuration(cpu, two)\n"
    "train(tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1']))\n"
)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(name, process):
    """What a process says last: its last line, or its error."""
    try:
        out, error = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.kill()
        out, error = process.communicate()
        error += "\nnothing for 300 s"
    if process.returncode == 0:
        print(f"{name}: works: {out.strip().splitlines()[-1]}")
    else:
        begins = [match.start() for match in re.finditer(r"^\w+Error: ", error, re.MULTILINE)]
        words = " ".join(error[begins[-1] if begins else -400 :].split())
        print(f"{name}: FAILS: {words[:300]}")


def main():
    places = [f"localhost:{port}" for port in free_ports(2)]
    configs = [
        json.dumps({"cluster": {"worker": places}, "task": {"type": "worker", "index": index}})
        for index in range(2)
    ]
    both = [start(MACHINES, TF_CONFIG=config, CUDA_VISIBLE_DEVICES="") for config in configs]
    for index, process in enumerate(both):
        told(f"two machines, worker {index}", process)
    told("one machine, two devices", start(DEVICES, CUDA_VISIBLE_DEVICES=""))


if __name__ == "__main__":
    main()
