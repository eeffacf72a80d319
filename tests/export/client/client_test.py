"""What a client does, over both protocols."""

import socket
import threading
import time

import numpy as np
import pytest

from export.client import errors, retries


def test_images_come_in_the_order_of_their_seeds(fake, connect, pixels):
    images = connect(fake).sample([5, 300, 5], label=2, truncation=0.5)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, [pixels(5, 0.5, 2), pixels(300, 0.5, 2), pixels(5, 0.5, 2)])


def test_each_row_has_its_own_conditions_and_truncation_is_none_unless_told(fake, connect, pixels):
    images = connect(fake).sample(7, label=[0, 1, 2])
    np.testing.assert_array_equal(images, [pixels(7, np.inf, label) for label in range(3)])


def test_one_value_of_everything_is_one_image(fake, connect, pixels):
    np.testing.assert_array_equal(connect(fake).sample(7, label=1), [pixels(7, label=1)])


def test_an_interpolation_has_a_position_per_row(fake, connect, pixels):
    images = connect(fake).interpolate(7, 8, [0.0, 0.25, 1.0], label=1, truncation=0.8)
    np.testing.assert_array_equal(images, [pixels(7, 0.8, 1, position) for position in (0.0, 0.25, 1.0)])


def test_the_smallest_lossless_form_is_asked(fake, connect):
    connect(fake).sample(1, label=0)
    assert [name for name, _ in fake.calls] == [{"rest": "sample_png", "grpc": "sample_uint8"}[fake.protocol]]


def test_a_model_without_an_8_bit_form_answers_its_own_values(fake, connect):
    np.testing.assert_array_equal(connect(fake).images("draw", {"codes": [[0.5, -1.0]]}), np.reshape([0.5, -1.0], [1, 1, 2, 1]))


def test_files_are_the_servers_bytes(fake, connect):
    (file,) = connect(fake).files("sample", {"seed": 3, "label": 1, "truncation": 1.0})
    assert file.startswith(b"\x89PNG\r\n\x1a\n")


def test_more_rows_than_a_request_takes_are_split_and_joined_in_order(fake, connect, pixels):
    images = connect(fake, chunk=3).sample(range(7), label=[0, 1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(images, [pixels(i, label=i) for i in range(7)])
    assert [inputs["seed"].tolist() for _, inputs in fake.calls] == [[0, 1, 2], [3, 4, 5], [6]]
    assert all(len(inputs["label"]) == len(inputs["truncation"]) == len(inputs["seed"]) for _, inputs in fake.calls)


def test_any_signature_can_be_asked_and_bytes_survive(fake, connect):
    words = [["red", b"a\x00\xff\x00"], ["\u00e9t\u00e9", ""]]
    answer = connect(fake, chunk=1).predict("read", {"words": words})
    assert answer["tokens"].tolist() == [[3, 4], [5, 0]]
    assert answer["tokens"].dtype == np.int64
    assert answer["word_bytes"].tolist() == [[b"red", b"a\x00\xff\x00"], ["\u00e9t\u00e9".encode(), b""]]


def test_only_the_outputs_named_are_answered(fake, connect):
    answer = connect(fake).predict("sample", {"seed": 1, "label": 0, "truncation": 1.0}, outputs=["images"])
    assert set(answer) == {"images"}
    with pytest.raises(ValueError, match="no output pictures"):
        connect(fake).predict("sample", {"seed": 1, "label": 0, "truncation": 1.0}, outputs=["pictures"])


@pytest.mark.parametrize(
    "conditions, message",
    [
        ({}, "missing: label"),
        ({"labels": 1}, "unknown: labels; missing: label"),
        ({"label": 1.5}, "'label' must be int64"),
        ({"label": [1, 2]}, "as many rows"),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_before_it_is_sent(fake, connect, conditions, message):
    with pytest.raises(ValueError, match=message) as refused:
        connect(fake).sample([1, 2, 3], **conditions)
    assert "label int64 [b], seed int64 [b], truncation float32 [b]" in str(refused.value)
    assert not fake.calls


def test_an_unknown_signature_is_refused_with_those_that_there_are(fake, connect):
    with pytest.raises(ValueError, match="'encode'.* it has big, draw, interpolate,") as refused:
        connect(fake).predict("encode", {})
    assert "__saved_model_init_op" not in str(refused.value)
    with pytest.raises(ValueError, match="no images"):
        connect(fake).images("read", {"words": [["a", "b"]]})


def test_the_metadata_are_the_signatures_without_the_initializer(fake, connect):
    known = connect(fake).metadata()
    assert (known.model, known.version, set(known.signatures)) == ("toy", 3, set(fake.signatures) - {"__saved_model_init_op"})
    assert str(known.signatures["sample"]) == (
        "sample(label int64 [b], seed int64 [b], truncation float32 [b]) -> images float32 [b, 2, 3, 3], latents float32 [b, 4]"
    )


def test_the_status_names_versions_states_and_errors(fake, connect):
    assert [str(version) for version in connect(fake).status()] == ["version 3: AVAILABLE", "version 2: END (INTERNAL: no such file)"]
    assert connect(fake).available()
    fake.states = [(3, "LOADING", "OK", "")]
    assert not connect(fake).available()


@pytest.mark.parametrize("chosen, named", [({}, {}), ({"version": 2}, {"versions": "2"}), ({"version_label": "stable"}, {"labels": "stable"})])
def test_a_version_or_a_label_is_asked_wherever_it_decides(fake, connect, chosen, named):
    connected = connect(fake, **chosen)
    connected.sample(1, label=0)
    assert fake.targets == [("toy", named)] * 2
    connected.status()
    assert fake.targets[-1] == ("toy", {} if "version_label" in chosen else named)


def test_a_busy_server_is_asked_again(fake, connect, pixels):
    connected = connect(fake)
    connected.metadata()
    fake.fail("UNAVAILABLE", "the queue is full", times=2)
    np.testing.assert_array_equal(connected.sample(1, label=0), [pixels(1)])
    assert fake.asked[":predict"] == 3
    fake.fail("UNAVAILABLE", "starting", times=2)
    connected.metadata()
    assert fake.asked["/metadata"] == 4


def test_a_server_that_stays_busy_is_given_up_with_its_message(fake, connect):
    connected = connect(fake)
    connected.metadata()
    fake.fail("UNAVAILABLE", "the queue is full", times=100)
    with pytest.raises(errors.ServerError, match="UNAVAILABLE: the queue is full") as given_up:
        connected.sample(1, label=0)
    assert (given_up.value.code, fake.asked[":predict"]) == ("UNAVAILABLE", 4)
    assert fake.address in str(given_up.value)


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "INTERNAL"])
def test_a_refusal_is_not_asked_again(fake, connect, code):
    connected = connect(fake)
    connected.metadata()
    fake.fail(code, "label must be in [0, 5)")
    with pytest.raises(errors.ServerError, match=r"label must be in \[0, 5\)") as refused:
        connected.sample(1, label=9)
    assert (refused.value.code, fake.asked[":predict"]) == (code, 1)


def test_a_slow_try_is_given_up_and_asked_again(fake, connect, pixels):
    connected = connect(fake, policy=retries.Policy(attempt_seconds=0.5, first_wait=0.01))
    connected.metadata()
    fake.fail("", seconds=2.0)
    np.testing.assert_array_equal(connected.sample(1, label=0), [pixels(1)])
    assert fake.asked[":predict"] == 2


def test_the_deadline_holds_over_all_tries(fake, connect):
    connected = connect(fake, policy=retries.Policy(attempts=1000, first_wait=0.05))
    connected.metadata()
    fake.fail("UNAVAILABLE", "busy", times=1000)
    start = time.monotonic()
    with pytest.raises(errors.ServerError, match="busy"):
        connected.sample(1, label=0, deadline=0.5)
    assert time.monotonic() - start < 2.0
    assert 1 < fake.asked[":predict"] < 100


def test_the_deadline_holds_for_a_server_that_does_not_answer(fake, connect):
    connected = connect(fake)
    connected.metadata()
    fake.fail("", seconds=3.0)
    start = time.monotonic()
    with pytest.raises(errors.ServerError, match="DEADLINE_EXCEEDED"):
        connected.sample(1, label=0, deadline=0.3)
    assert time.monotonic() - start < 2.0


def test_the_deadline_holds_over_all_requests_of_a_call(fake, connect):
    connected = connect(fake, chunk=1)
    connected.metadata()
    fake.fail("", seconds=0.2, times=100)
    with pytest.raises(errors.ServerError, match="DEADLINE_EXCEEDED"):
        connected.sample(range(100), label=0, deadline=0.7)
    assert len(fake.calls) < 10


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_server_that_is_not_there_is_unavailable(fake):
    connected = fake.connect(f"127.0.0.1:{free_port()}", "toy", policy=retries.Policy(attempts=2, first_wait=0.01))
    with pytest.raises(errors.ServerError, match="UNAVAILABLE.*refused") as failed:
        connected.sample(1, label=0)
    assert failed.value.code == "UNAVAILABLE"
    assert not connected.available(deadline=1.0)
    connected.close()


def test_a_signature_that_a_new_version_brought_is_found(fake, connect):
    connected = connect(fake)
    connected.metadata()
    fake.signatures["sample_later_uint8"] = fake.signatures["sample_uint8"]
    assert connected.predict("sample_later_uint8", {"seed": 1, "label": 0, "truncation": 1.0})["images"].shape == (1, 2, 3, 3)
    assert fake.asked["/metadata"] == 2


def test_metadata_are_read_once_until_the_server_refuses(fake, connect):
    connected = connect(fake)
    for _ in range(3):
        connected.sample(1, label=0)
    assert fake.asked["/metadata"] == 1
    fake.fail("INVALID_ARGUMENT", "inputs do not match the signature")
    with pytest.raises(errors.ServerError, match="do not match"):
        connected.sample(1, label=0)
    connected.sample(1, label=0)
    assert fake.asked["/metadata"] == 2


def test_an_answer_with_too_few_rows_is_an_error(fake, connect):
    fake.alter = lambda outputs: {name: value[:-1] for name, value in outputs.items()}
    with pytest.raises(errors.ServerError, match="INTERNAL.* for 3 rows"):
        connect(fake).sample([1, 2, 3], label=0)


def test_bytes_that_are_no_image_are_an_error(rest_fake, connect):
    rest_fake.alter = lambda outputs: {"image_bytes": np.array([b"GIF89a"], dtype=object)}
    with pytest.raises(errors.ServerError, match="sample_png answered 6 bytes that are no image"):
        connect(rest_fake).sample(1, label=0)


def test_threads_may_share_a_client_over_grpc_and_each_gets_its_own(grpc_fake, connect, pixels):
    connected, wrong = connect(grpc_fake), []

    def ask(first):
        for seed in range(first, first + 10):
            if not np.array_equal(connected.sample([seed], label=3), [pixels(seed, label=3)]):
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=(100 * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(grpc_fake.calls) == 80


@pytest.mark.parametrize(
    "options, message", [({"chunk": 0}, "at least one row"), ({"deadline": 0}, "above 0"), ({"deadline": float("nan")}, "above 0")]
)
def test_impossible_settings_are_refused(rest_fake, connect, options, message):
    with pytest.raises(ValueError, match=message):
        connect(rest_fake, **options)
