"""Commands say what they have to say, and not what TensorFlow says of the machine."""

import os
import subprocess
import sys

import pytest

import fgbg_tfds.notices
import trainer.notices

MODULES = {"fgbg_tfds": fgbg_tfds.notices, "trainer": trainer.notices}
NOTICES = b"""WARNING: All log messages before absl::InitializeLog() is called
I0000 00:00:1795877344.910396    6481 cudart_stub.cc:31] Could not find cuda drivers
E0000 00:00:1795877353.4 81 cuda_platform.cc:52] failed call to cuInit: (303)
"""
NEWS = b"""E0000 00:00:1795877353.4 81 cuda_platform.cc:52] failed call to cuInit: (999)
W0000 00:00:1795877344.910396    6481 gpu_device.cc:31] Skipping registering GPUs
"""


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_what_is_no_notice_is_told(module, capfd):
    with pytest.raises(KeyboardInterrupt), module.drop_notices():
        os.write(2, NOTICES + NEWS)
        raise KeyboardInterrupt
    os.write(2, b"the end")
    assert capfd.readouterr().err.encode() == NEWS + b"the end"


@pytest.mark.parametrize("name", MODULES)
def test_a_process_without_stderr_goes_on(name):
    path = MODULES[name].__file__
    code = f"""import os, runpy
os.close(2)
with runpy.run_path({path!r})["drop_notices"]():
    print("done")"""
    assert subprocess.check_output([sys.executable, "-c", code]) == b"done\n"


@pytest.mark.parametrize(
    "command", [["fgbg_tfds", "gallery", "fgbg/none"], ["trainer.main", "--dataset=no"]]
)
def test_a_mistake_is_told_without_notices(command, tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", *command, f"--data_dir={tmp_path}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"},
    )
    lines = finished.stderr.splitlines()
    assert finished.returncode == 1
    assert lines[-1].startswith("error: ")
    assert [
        line for line in lines[:-1] if not line.startswith(("devices", "strat"))
    ] == []
