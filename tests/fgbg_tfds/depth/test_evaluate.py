from fgbg_tfds.depth.__main__ import main
from fgbg_tfds.depth.measures.metrics import NAMES


def test_evaluate_prints_the_teacher_beside_baselines(tmp_path, capsys):
    words = ["--scenes", "3", "--workers", "1", "--pictures", str(tmp_path / "none")]
    assert main(["evaluate", *words]) == 0
    printed = capsys.readouterr().out
    assert "nothing measured on real pictures" in printed
    for title in ("3 held-out scenes as in training", "1 held-out streets"):
        assert printed.count(title) == 2  # as they are, after median scaling
    for label in ("teacher", "mean map", "row prior"):
        rows = [line for line in printed.splitlines() if line.startswith(label)]
        assert len(rows) == 4
        assert all(len(row[12:].split()) == len(NAMES) for row in rows)


def test_wrong_weights_are_told_in_one_line(tmp_path, capsys):
    path = tmp_path / "weights.npz"
    assert main(["evaluate", "--weights", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "weights.npz does not exist" in error
