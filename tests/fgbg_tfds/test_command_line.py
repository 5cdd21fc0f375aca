"""The end of a command, whichever comes."""

import io
import pathlib
import signal
import sys
import threading

import pytest

from fgbg_tfds.command_line import STOPPED, run_command
from fgbg_tfds.errors import InputError


def fail(error):
    raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("--flag is wrong"), "error: --flag is wrong"),
        (MemoryError("8 TiB"), "error: not enough memory: 8 TiB"),
        (PermissionError(13, "Permission denied", "a.png"),
         "error: a.png: Permission denied"),
        (KeyboardInterrupt(), "stopped; finished files stay"),
    ],
)  # fmt: skip
def test_an_error_is_one_line(error, said, capsys):
    status = STOPPED if isinstance(error, KeyboardInterrupt) else 1
    assert run_command(lambda: fail(error)) == status
    assert capsys.readouterr().err == said + "\n"


def test_terminate_stops_a_command_as_ctrl_c_does(ctrl_c, capsys):
    before = signal.getsignal(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM):
        assert run_command(lambda n=number: signal.raise_signal(n)) == STOPPED
    assert signal.getsignal(signal.SIGTERM) == before
    assert capsys.readouterr().err.count("stopped") == 2


def test_a_command_runs_in_a_thread_too():
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(run_command(dict)))
    thread.start()
    thread.join()
    assert statuses == [0]


def test_names_that_the_terminal_cannot_show_are_printed_otherwise(monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii"))
    assert run_command(lambda: print("Straße \udcff.jpg")) == 0
    assert shown.getvalue().split() == rb"Stra\xdfe \udcff.jpg".split()


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_to_a_full_disk_is_told(monkeypatch, capsys):
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", full)
        assert run_command(lambda: print("lost")) == 1
    said = capsys.readouterr().err
    assert said == "error: the output: No space left on device\n"
