from __future__ import annotations

import pytest

from workers.supervision.device import Device, devices_to_use


@pytest.mark.parametrize(
    ("device", "visible", "then"),
    [
        (Device("gpu", 1), None, "1"),
        (Device("gpu", 1), "4,7", "7"),
        (Device("gpu", 0), "GPU-8f3a", "GPU-8f3a"),
        (Device("cpu"), "4,7", "-1"),
        (Device("cpu"), None, "-1"),
    ],
)
def test_a_process_sees_its_own_gpu_alone(device, visible, then):
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    device.hide_others(environment)
    assert environment == {"CUDA_VISIBLE_DEVICES": then}


def test_each_gpu_is_used_or_else_the_cpu():
    assert [device.name for device in devices_to_use("auto", 0)] == ["CPU:0"]
    assert [device.name for device in devices_to_use("auto", 2)] == ["GPU:0", "GPU:1"]
    assert [device.name for device in devices_to_use("cpu", 2)] == ["CPU:0"]
