import dataclasses
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from export import expectations, images, signatures, verify
from tfgan_suite.core import endpoint


def test_a_moved_version_answers_alike_in_every_loader(published, tmp_path):
    report = verify.verify(published.directory, str(tmp_path))
    assert set(report) == {"load", "session", "batching", "c_api"}
    for differences in report.values():
        assert set(differences) == {"serving_default", "sample", "sample_png", "sample_jpeg", "sample_uint8", "read"}
        assert max(differences[name] for name in ("serving_default", "sample")) <= 1e-5
        assert max(differences["sample_png"], differences["sample_uint8"]) <= 1.0 and differences["sample_jpeg"] <= 12.0
        assert differences["read"] == 0.0


def answers_of(expected, change):
    """What a process would report if it computed the expected rows but for `change`."""

    def run(plan, scratch):
        answers = {}
        for name, one in expected.items():
            for composition, rows in plan["compositions"].items():
                for key, value in one.outputs.items():
                    answer = value[rows]
                    if one.encoding:
                        pixels = expected["sample_uint8"].outputs["images"][rows]
                        answer = images.ENCODINGS[one.encoding].encode(tf.constant(pixels)).numpy()
                    answers |= {f"{check}/{name}/{composition}/{key}": answer.copy() for check in verify.CHECKS}
        change(answers)
        return answers, []

    return run


def shift(levels, values):
    """Changes an image by some grey levels on some of its values."""

    def change(answers):
        picture = images.decode(answers["session/sample_png/all rows/image_bytes"][:1], "png")[0]
        picture.reshape(-1)[:values] ^= levels  # within a byte, so no overflow
        answers["session/sample_png/all rows/image_bytes"][0] = tf.io.encode_png(picture).numpy()

    return change


def edit(key, function):
    def change(answers):
        answers[f"session/{key}"] = function(answers[f"session/{key}"].copy())

    return change


@pytest.mark.parametrize(
    "change, message",
    [
        (
            edit("serving_default/all rows/images", lambda x: x + np.float32(2e-5)),
            "session: serving_default, rows .0, 1, 2.: images differs by 2e-05",
        ),
        (edit("serving_default/reversed/images", lambda x: x[::-1]), "serving_default, rows .2, 1, 0.: images differs"),
        (edit("sample/row 1 alone/latents", lambda x: x * np.nan), "latents is not finite"),
        (edit("sample/row 1 alone/latents", lambda x: x.astype(np.float64)), "latents is float64"),
        (edit("sample/all rows/latents", lambda x: x[:2]), r"latents is float32\[2, 8\], not float32\[3, 8\]"),
        (edit("read/all rows/tokens", lambda x: x + 1), "tokens differs"),
        (edit("read/all rows/word_bytes", lambda x: x[::-1]), "word_bytes differs"),
        (shift(2, 1), "image_bytes differs by up to 2 grey levels"),
        (shift(1, 8), "image_bytes differs by up to 1 grey levels"),
        (edit("sample_png/all rows/image_bytes", lambda x: np.array([b"GIF"] * 3, dtype=object)), "image_bytes is no png"),
    ],
)
def test_every_difference_is_reported(published, tmp_path, monkeypatch, change, message):
    monkeypatch.setattr(verify, "_run", answers_of(expectations.read(published.directory), change))
    with pytest.raises(ValueError, match=message):
        verify.verify(published.directory, str(tmp_path))


def test_an_output_that_some_loader_does_not_give_is_reported(published, tmp_path, monkeypatch):
    def change(answers):
        for path in [path for path in answers if path.startswith("c_api/sample/") and path.endswith("/latents")]:
            del answers[path]

    monkeypatch.setattr(verify, "_run", answers_of(expectations.read(published.directory), change))
    with pytest.raises(ValueError, match="c_api: sample has no latents"):
        verify.verify(published.directory, str(tmp_path))


def test_rounding_is_no_difference(published, tmp_path, monkeypatch):
    def change(answers):
        answers["session/serving_default/all rows/images"] += np.float32(5e-6)

    monkeypatch.setattr(verify, "_run", answers_of(expectations.read(published.directory), change))
    report = verify.verify(published.directory, str(tmp_path))
    assert report["session"]["serving_default"] == pytest.approx(5e-6, rel=0.1)
    assert report["session"]["sample"] == 0.0


def test_every_row_is_asked_alone_in_company_in_another_place_and_in_the_largest_batch(published, tmp_path):
    plan = verify._plan(published.directory, expectations.read(published.directory), str(tmp_path))
    assert sorted(plan["compositions"].values()) == sorted([[0], [1], [2], [0, 1, 2], [2, 1, 0], [0, 1, 2, 0]])
    assert plan["batch_sizes"] == [1, 4]


def test_sixteen_callers_ask_the_batching_kernel_at_once_for_rows_that_fit_a_batch(published, tmp_path, monkeypatch):
    directory, expected = published.directory, expectations.read(published.directory)
    callers = verify._plan(directory, expected, str(tmp_path))["callers"]
    assert len(callers) == 16 and {tuple(rows) for rows in callers.values()} == {(0,), (1,), (2,), (0, 1, 2), (2, 1, 0), (0, 1, 2, 0)}
    monkeypatch.setattr(verify.warmup, "read", lambda directory: [("sample", {"seed": np.zeros([rows])}) for rows in (1, 2)])
    assert {tuple(rows) for rows in verify._plan(directory, expected, str(tmp_path))["callers"].values()} == {(0,), (1,), (2,), (0, 1)}


def test_a_version_that_a_server_cannot_load_fails_with_the_loaders_reason(published, tmp_path):
    broken = str(tmp_path / "broken")
    shutil.copytree(published.directory, broken)
    os.remove(os.path.join(broken, "variables", "variables.index"))
    with pytest.raises(ValueError) as raised:
        verify.verify(broken, str(tmp_path))
    assert "run_in_c.py ended with status 1: RuntimeError: TensorFlow's C API, code" in str(raised.value)
    assert "run_in_tensorflow.py ended with status 1" in str(raised.value)


def test_what_is_no_version_of_ours_is_an_error(published, tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a SavedModel"):
        verify.verify(str(tmp_path), str(tmp_path))
    shutil.copy(os.path.join(published.directory, "saved_model.pb"), tmp_path)
    with pytest.raises(ValueError, match="not a version written by tfgan-export"):
        verify.verify(str(tmp_path), str(tmp_path))


def constant(function):
    return endpoint.Endpoint(
        name="sample",
        function=function,
        networks=(),
        inputs={"x": tf.TensorSpec([None, 2], tf.float32)},
        examples=lambda b: {"x": np.ones([b, 2])},
    )


def test_half_precision_inside_is_given_more_room():
    def tolerance(function):
        (expected,) = expectations.compute(signatures.build([constant(function)])).values()
        return expected.tolerance

    assert tolerance(lambda x: {"y": x * 2.0}) == 1e-5
    assert tolerance(lambda x: {"y": tf.cast(tf.cast(x, tf.bfloat16) * 2.0, tf.float32)}) == 0.05


def test_an_endpoint_that_fails_on_its_examples_is_named():
    failing = constant(lambda x: {"y": tf.ensure_shape(tf.reshape(x, [-1, 4]), [None, 4])})
    with pytest.raises(ValueError, match="'sample' fails on its own examples"):
        expectations.compute(signatures.build([dataclasses.replace(failing, examples=lambda b: {"x": np.ones([b, 2])})]))


def test_strings_with_trailing_zeros_survive_storage(tmp_path):
    words = np.array([[b"a\0\0", b""], [b"\0", b"longer"]], dtype=object)
    np.savez(tmp_path / "words.npz", words=expectations.pack(words))
    with np.load(tmp_path / "words.npz") as file:
        np.testing.assert_array_equal(expectations.unpack(file["words"]), words)
