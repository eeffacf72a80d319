"""The command, on fakes of the server."""

import os

import numpy as np
import pytest
from PIL import Image

from export.client import main, pictures


@pytest.fixture
def ask(command):
    """Runs the command in this process: (exit code, lines of output, lines of errors but the one that says how to see more)."""

    def ask(*arguments):
        code, output, errors = command(main, *arguments)
        return code, output.splitlines(), [line for line in errors.splitlines() if "TFGAN_TRACEBACK" not in line]

    return ask


def asking(fake, *arguments):
    return (f"--server={fake.address}", "--model=toy", *(["--grpc"] if fake.protocol == "grpc" else []), *arguments)


def test_a_grid_is_the_images_row_by_row(ask, fake, tmp_path, pixels):
    path = str(tmp_path / "new" / "grid.png")
    assert ask(*asking(fake, "--seeds=0:3,100", "--label=3", "--truncation=0.8", f"--output={path}")) == (0, [path], [])
    with Image.open(path) as written:
        np.testing.assert_array_equal(np.asarray(written), pictures.grid(np.stack([pixels(seed, 0.8, 3) for seed in (0, 1, 2, 100)])))
    assert os.listdir(tmp_path / "new") == ["grid.png"]


def test_a_folder_gets_a_file_for_each_image_named_by_its_seed(ask, fake, tmp_path, pixels):
    code, lines, _ = ask(*asking(fake, "--seeds=7,-2", "--label=0,1", f"--output_dir={tmp_path}"))
    names = ["0000-seed-7.png", "0001-seed--2.png"]
    assert (code, lines, sorted(os.listdir(tmp_path))) == (0, [str(tmp_path / name) for name in names], names)
    for name, seed, label in zip(names, (7, -2), (0, 1), strict=True):
        np.testing.assert_array_equal(pictures.decode([(tmp_path / name).read_bytes()]), [pixels(seed, label=label)])


def test_an_interpolation_is_a_strip_from_one_seed_to_the_other(ask, fake, tmp_path, pixels):
    path = str(tmp_path / "strip.png")
    assert ask(*asking(fake, "--interpolate=7,8", "--steps=5", "--label=1", f"--output={path}"))[0] == 0
    with Image.open(path) as written:
        expected = pictures.grid(np.stack([pixels(7, label=1, position=step / 4) for step in range(5)]), columns=5)
        np.testing.assert_array_equal(np.asarray(written), expected)


def test_a_condition_is_any_input_by_its_name(ask, rest_fake, tmp_path):
    assert ask(*asking(rest_fake, "--seeds=1,2", "--condition=label=[4, 0]", f"--output={tmp_path / 'a.png'}"))[0] == 0
    assert rest_fake.calls[0][1]["label"].tolist() == [4, 0]


def test_more_images_than_a_request_takes_are_split(ask, rest_fake, tmp_path):
    assert ask(*asking(rest_fake, "--seeds=0:5", "--label=0", "--chunk=2", f"--output={tmp_path / 'a.png'}"))[0] == 0
    assert [len(inputs["seed"]) for _, inputs in rest_fake.calls] == [2, 2, 1]


def test_the_metadata_are_a_line_per_signature(ask, fake):
    code, lines, _ = ask(*asking(fake, "--metadata"))
    assert (code, lines[0], len(lines)) == (0, "toy, version 3", 10)
    assert "  sample_png(label int64 [b], seed int64 [b], truncation float32 [b]) -> image_bytes string [b]" in lines


def test_the_status_fails_where_no_version_is_available(ask, fake):
    assert ask(*asking(fake, "--status")) == (0, ["version 3: AVAILABLE", "version 2: END (INTERNAL: no such file)"], [])
    fake.states = [(3, "LOADING", "OK", "")]
    assert ask(*asking(fake, "--status")) == (2, [], ["error: No version of toy is available: version 3: LOADING."])


def test_a_version_and_a_label_are_passed_on(ask, fake, tmp_path):
    ask(*asking(fake, "--version=2", "--label=0", f"--output={tmp_path / 'a.png'}"))
    ask(*asking(fake, "--version_label=stable", "--label=0", f"--output={tmp_path / 'a.png'}"))
    assert [named for _, named in fake.targets] == [{"versions": "2"}] * 2 + [{"labels": "stable"}] * 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Say where the images go"),
        (["--output=a.png"], "missing: label"),
        (["--output=a.png", "--label=cat"], "--label must be whole numbers"),
        (["--output=a.png", "--label=1,2"], "as many rows"),
        (["--output=a.png", "--seeds=5:1"], "--seeds"),
        (["--output=a.png", "--interpolate=7"], "--interpolate must be"),
        (["--output=a.png", "--condition=codes"], "name=JSON"),
        (["--output=a.png", "--label=1", "--condition=codes=1"], "unknown: codes"),
        (["--metadata", "--status"], "two questions"),
        (["--metadata", "--version=1", "--version_label=stable"], "by number or by label"),
        (["--metadata", "--deadline=0"], "above 0"),
        (["--metadata", "--server=localhost:http"], "host:port"),
        (["--metadata", "--model="], "--model is missing"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2_and_nothing_is_written(ask, rest_fake, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, lines, (error,) = ask(*asking(rest_fake), *arguments)
    assert (code, lines) == (2, [])
    assert error.startswith("error: ") and message in error
    assert not os.listdir(tmp_path)


def test_a_servers_refusal_is_one_line_and_nothing_is_written(ask, fake, tmp_path):
    existing = tmp_path / "grid.png"
    existing.write_bytes(b"as it was")
    connected = asking(fake, "--seeds=0:4", "--label=9", "--chunk=2", f"--output={existing}", f"--output_dir={tmp_path / 'images'}")
    fake.fail("", times=2)  # the metadata and the first two images arrive
    fake.fail("INVALID_ARGUMENT", "label must be in [0, 5)\n\treceived [9 9]")
    code, lines, (error,) = ask(*connected)
    assert (code, lines, len(fake.calls)) == (2, [], 1)
    assert error.endswith("INVALID_ARGUMENT: label must be in [0, 5) received [9 9]")
    assert (os.listdir(tmp_path), existing.read_bytes()) == (["grid.png"], b"as it was")


def test_an_image_that_is_none_is_not_written(ask, rest_fake, tmp_path):
    rest_fake.alter = lambda outputs: {"image_bytes": np.array([b"GIF89a"], dtype=object)}
    code, _, (error,) = ask(*asking(rest_fake, "--seeds=1", "--label=1", f"--output_dir={tmp_path}"))
    assert (code, error, os.listdir(tmp_path)) == (2, "error: 6 bytes that are no image", [])


def test_a_folder_that_cannot_be_written_is_one_line(ask, rest_fake, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, (error,) = ask(*asking(rest_fake, "--seeds=1", "--label=1", f"--output={tmp_path / 'file' / 'a.png'}"))
    assert code == 2 and error.startswith("error: ") and "file" in error
