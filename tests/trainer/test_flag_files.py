import subprocess
import sys

import pytest

from trainer.errors import UserError
from trainer.flag_files import expand_flag_files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_editor_s_flag_file_is_read(tmp_path, encoding):
    path = tmp_path / "mine.flags"
    path.write_bytes(
        "# größer\r\n--seed=3\r\n\r\n  --flip\r\n// x\r\n".encode(encoding)
    )
    assert expand_flag_files([f"--flagfile={path}"]) == ["--seed=3", "--flip"]
    assert expand_flag_files(["--flagfile", str(path), "--seed=4"]) == [
        *("--seed=3", "--flip", "--seed=4")
    ]


def test_flag_files_in_flag_files_come_in_their_place(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "inner.flags").write_text("--seed=2\n")
    (tmp_path / "outer.flags").write_text(
        "--seed=1\n--flagfile=~/inner.flags\n--flip\n"
    )
    expanded = expand_flag_files(
        ["--xla", "--flagfile=~/outer.flags", "--", "--flagfile"]
    )
    assert expanded == [
        *("--xla", "--seed=1", "--seed=2", "--flip", "--", "--flagfile")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"cannot be read \(No such file or directory\); give a file such as"),
        (b"\xff\x00\xfe--seed=1", r"cannot be read \(it is no text in UTF-8\)"),
        (b"# mine\nseed=1\n", "line 2, 'seed=1', is no flag; flags begin with --"),
        (b"--flagfile=mine.flags\n", "--flagfile=mine.flags includes itself"),
    ],
)
def test_what_is_wrong_with_a_flag_file_is_told(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "mine.flags").write_bytes(content)
    with pytest.raises(UserError, match=said):
        expand_flag_files(["--flagfile=mine.flags"])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--flagfile=none.flags"], "error: --flagfile=none.flags: cannot be read"),
        (["--flagfile"], "error: --flagfile has no file"),
        (
            ["--modle=eigen"],
            "error: Unknown command line flag 'modle'. Did you mean: mo",
        ),
        (["--seed=4294967296"], "error: flag --seed=4294967296: 4294967296 is not an"),
        (["--train_steps=many"], "error: flag --train_steps=many: invalid literal"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, flags, said):
    done = subprocess.run(
        [sys.executable, "-m", "trainer.main", *flags],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(said)
