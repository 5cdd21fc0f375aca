"""Scripts of benchmarks/ explain themselves, without the optional packages they use."""

import os
import pathlib
import runpy
import sys
import unittest.mock

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SCRIPTS = [
    path
    for path in sorted((ROOT / "benchmarks").glob("*.py"))
    if '__name__ == "__main__"' in path.read_text()
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_explains_itself(path, monkeypatch, capsys):
    """In this process: most of them import TensorFlow, which takes seconds."""
    monkeypatch.syspath_prepend(str(path.parent))  # as `python FILE` does
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    with unittest.mock.patch.dict(os.environ), pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("usage:")


def test_there_are_scripts():
    assert {"build_speed", "keras_optimizer", "train_step"} <= {p.stem for p in SCRIPTS}
