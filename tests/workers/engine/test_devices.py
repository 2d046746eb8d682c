from __future__ import annotations

import json
import subprocess
import sys

import pytest

from schemas.errors import InvalidParameters
from workers.engine.devices import list_devices, use_device


def test_the_cpu_is_always_there_and_last() -> None:
    found = list_devices()
    assert found[-1].name == "CPU:0"
    assert found[-1].kind == "CPU"
    assert len({device.name for device in found}) == len(found)


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidParameters, match=r"no device 'GPU:7' here, only .*CPU:0"):
        use_device("GPU:7")


PROGRAM = """
import json, warnings
warnings.simplefilter("error")
from workers.engine.devices import use_device
device = use_device("CPU:0", intra_op_threads=3)
import tensorflow as tf
visible = [device.device_type for device in tf.config.get_visible_devices()]
print(json.dumps([device.name, tf.config.threading.get_intra_op_parallelism_threads(), visible]))
tf.constant(1) + 1
try:
    use_device("CPU:0", intra_op_threads=2)
except RuntimeError as error:
    print(json.dumps(str(error)))
"""


@pytest.mark.slow
def test_a_process_is_bound_to_its_device_before_tensorflow_starts_and_not_after() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    first, second = done.stdout.splitlines()
    assert json.loads(first) == ["CPU:0", 3, ["CPU"]]
    assert "initial" in json.loads(second)
