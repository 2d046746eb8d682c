"""A model file is read in a child process that has no network, can open nothing, and is bounded in memory and time."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest
from structlog.testing import capture_logs

from schemas.errors import InternalError, ModelLoadFailed, ModelLoadInterrupted
from workers.models.limits import ModelLimits
from workers.models.reading import read_file
from workers.models.reading.confined_child import read_in_child
from workers.models.reading.read_file import read_model_file

ROOT = Path(__file__).parents[4]


def write_weights(path: Path) -> dict[str, np.ndarray]:
    """Write arrays of several types and shapes, an empty one and a single number among them, and return them by path."""
    random = np.random.default_rng(3)
    arrays = {
        "a/kernel": random.normal(size=(3, 5, 7)).astype(np.float32),
        "a/b/steps": np.arange(11, dtype=np.int64),
        "a/b/empty": np.zeros((0, 4), np.float64),
        "flag": np.array(True),
        "half": random.normal(size=(5, 3)).astype(np.float16),
    }
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
        file["packed"] = arrays["packed"] = np.arange(3000, dtype=np.float32).reshape(30, 100)
        del file["packed"]
        file.create_dataset("packed", data=arrays["packed"], chunks=(7, 9), compression="gzip", shuffle=True)
        short = np.array([1.5, -2, 3], ml_dtypes.bfloat16)
        file.create_dataset("short", data=short).attrs["dtype"] = "bfloat16"
        arrays["short"] = short
        file["a"].attrs["weight_names"] = [b"kernel", b"gr\xc3\xb6\xc3\x9fe"]
        file["a/b"].attrs["weight_names"] = []
        file.attrs["keras_version"] = "3.15.0"
    return arrays


def test_arrays_arrive_as_they_were_stored(tmp_path: Path) -> None:
    arrays = write_weights(tmp_path / "w.h5")
    with read_model_file(tmp_path / "w.h5", ModelLimits()) as stored, stored.weights() as file:
        assert (stored.config, stored.keras_version) == (None, 3)
        assert stored.number_count == sum(values.size for values in arrays.values())
        for name, values in arrays.items():
            got = np.array(file[name], values.dtype)
            np.testing.assert_array_equal(got, values, err_msg=name)
            assert got.shape == values.shape
        assert list(file["a"].attrs["weight_names"]) == ["kernel", "größe"]
        assert list(file["a/b"].attrs["weight_names"]) == []
        assert file["short"].attrs["dtype"] == "bfloat16"


def run_confined(code: str, memory: int = 2**30, seconds: int = 5) -> Any:
    """Run code in a process that has confined itself as the reading process does, and return what it prints as JSON."""
    program = f"""
import json, os, socket, sys, traceback
sys.path.insert(0, {str(ROOT)!r})
from workers.models.reading.confinement import confine
confine(memory_bytes={memory}, cpu_seconds={seconds}, file_bytes=1000)
{code}
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_a_confined_process_opens_neither_a_file_nor_a_socket() -> None:
    tried = run_confined("""
found = {}
for name, attempt in {
    "file": lambda: open("/etc/hostname"),
    "socket": lambda: socket.socket(socket.AF_INET),
    "local socket": lambda: socket.socket(socket.AF_UNIX),
    "pipe": lambda: os.pipe(),
}.items():
    try:
        attempt()
        found[name] = "done"
    except OSError as error:
        found[name] = error.errno
print(json.dumps(found))
""")
    assert tried == dict.fromkeys(("file", "socket", "local socket", "pipe"), errno.EMFILE)


def test_a_confined_process_has_no_network_where_the_kernel_permits_it() -> None:
    """The name space of the network is another one, unless this user may not make one. Descriptors are refused in either case."""
    own = str(Path("/proc/self/ns/net").readlink())
    may = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    may = may or subprocess.run(["unshare", "--user", "--net", "true"], check=False, capture_output=True).returncode == 0
    assert (run_confined('print(json.dumps(os.readlink("/proc/self/ns/net")))') != own) == may


def test_memory_is_bounded(tmp_path: Path) -> None:
    code = """
try:
    bytearray(2**29)
    print('"taken"')
except MemoryError:
    print('"refused"')
"""
    assert run_confined(code, memory=2**28) == "refused"
    assert run_confined(code, memory=2**30) == "taken"


def end_of_long_work(before: str = "") -> int:
    """Return the exit status of a process that may use one second of processor time and never stops. It runs `before` at first."""
    program = f"""
import resource, sys
{before}
sys.path.insert(0, {str(ROOT)!r})
from workers.models.reading.confinement import confine
confine(memory_bytes=2**30, cpu_seconds=1, file_bytes=1000)
while True:
    pass
"""
    return subprocess.run([sys.executable, "-I", "-c", program], check=False, timeout=60).returncode


def test_processor_time_ends_with_a_signal_of_its_own() -> None:
    """SIGKILL would look as if the kernel had ended the process because memory was short."""
    assert end_of_long_work() == -signal.SIGXCPU


@pytest.mark.slow
def test_processor_time_ends_with_a_signal_of_its_own_below_a_limit_of_the_system() -> None:
    assert end_of_long_work("resource.setrlimit(resource.RLIMIT_CPU, (2, 2))") == -signal.SIGXCPU


def with_program(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(read_file, "_PROGRAM", f"import os, signal, sys, time; {code}")


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        ("time.sleep(60)", ModelLoadInterrupted, "took more than 0.4 s and was stopped"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", ModelLoadFailed, "more than 0.2 s of processor time"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", ModelLoadFailed, "ended the process that read it .SIGSEGV."),
        ("os.kill(os.getpid(), signal.SIGKILL)", ModelLoadInterrupted, "was killed twice"),
        ("sys.exit(3)", InternalError, "exit status 3"),
    ],
)
def test_the_end_of_the_child_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception], says: str
) -> None:
    write_weights(tmp_path / "w.h5")
    with_program(monkeypatch, code)
    with pytest.raises(error, match=says) as raised, read_model_file(tmp_path / "w.h5", ModelLimits(load_timeout=0.2)):
        pass
    assert type(raised.value) is error


def test_a_child_process_that_is_killed_once_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = write_weights(tmp_path / "w.h5")
    mark = tmp_path / "killed"
    kill_once = f"p = {str(mark)!r}; os.path.exists(p) or (open(p, 'w').close(), os.kill(os.getpid(), {int(signal.SIGKILL)})); "
    monkeypatch.setattr(read_file, "_PROGRAM", f"import os; {kill_once}{read_file._PROGRAM}")
    with read_model_file(tmp_path / "w.h5", ModelLimits()) as stored, stored.weights() as file:
        np.testing.assert_array_equal(file["packed"], arrays["packed"])
    assert mark.exists()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    (tmp_path / "folder.keras").mkdir()
    for name in ("pipe.keras", "folder.keras"):
        with pytest.raises(ModelLoadFailed, match=f"'{name}' is not a file"), read_model_file(tmp_path / name, ModelLimits()):
            pass


def test_what_the_child_process_writes_becomes_one_line_of_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_weights(tmp_path / "w.h5")
    program = "import os, sys; os.write(2, b'x' * 9000 + b'\\n2026-01-01 forged'); os.write(int(sys.argv[2]), b'{}')"
    with ExitStack() as files, capture_logs() as logged:
        assert read_in_child(program, tmp_path / "w.h5", ModelLimits(), {}, written=0, files=files).answer == {}
    assert capfd.readouterr().err == ""
    (line,) = logged
    assert (line["event"], line["log_level"], line["file"]) == ("model_reader_said", "warning", "w.h5")
    assert (len(line["words"]), line["words"][-19:]) == (8192, "x\n2026-01-01 forged")
