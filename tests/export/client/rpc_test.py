"""What is particular to gRPC: message sizes, deadlines on the wire, TLS, reconnection."""

import contextlib
import socket
import threading
import time

import grpc
import numpy as np
import pytest

from export.client import errors, retries, rpc


def test_an_answer_beyond_grpcs_own_limit_of_4_mib_arrives(grpc_fake, connect):
    images = connect(grpc_fake).predict("big", {"seed": 5})["images"]
    assert images.nbytes == 512 * 1024 * 3 * 4 > 6e6
    assert images.shape == (1, 512, 1024, 3)
    assert np.all(images == 5.0)


def test_the_server_is_told_the_time_that_is_left(grpc_fake, connect):
    connect(grpc_fake, deadline=7.0).metadata()
    connect(grpc_fake, deadline=100.0, policy=retries.Policy(attempt_seconds=9.0)).metadata()
    assert 4.0 < grpc_fake.remaining[0] < 7.1  # gRPC rounds up on the wire
    assert 7.1 < grpc_fake.remaining[1] < 9.1


def test_outputs_that_are_not_wanted_do_not_travel(grpc_fake, connect):
    inputs = {"seed": 1, "label": 0, "truncation": 1.0}
    connected = connect(grpc_fake)
    connected.predict("sample", inputs, outputs=["latents"])
    connected.predict("sample", inputs)
    asked = [list(request.output_filter) for request in grpc_fake.requests if request.DESCRIPTOR.name == "PredictRequest"]
    assert asked == [["latents"], []]


def test_an_output_that_is_missing_is_an_error(grpc_fake, connect):
    grpc_fake.alter = lambda outputs: {"images": outputs["images"]}
    with pytest.raises(errors.ServerError, match="INTERNAL: sample answered nothing as 'latents'"):
        connect(grpc_fake).predict("sample", {"seed": 1, "label": 0, "truncation": 1.0})


def test_a_server_that_comes_up_meanwhile_answers_a_later_try(start, grpc_fake):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    policy = retries.Policy(attempts=40, first_wait=0.2, longest_wait=0.2)
    with rpc.connect(f"127.0.0.1:{port}", "toy", policy=policy) as connected:
        timer = threading.Timer(0.6, lambda: start(type(grpc_fake), address=f"127.0.0.1:{port}"))
        timer.start()
        begin = time.monotonic()
        assert connected.metadata().model == "toy"
        assert time.monotonic() - begin < 5.0
        timer.join()


def test_a_server_that_is_slow_to_greet_is_waited_for(grpc_fake):
    """A connection takes a second to be made, as over a long way with TLS: the wait between two attempts does not end one."""
    host, _, port = grpc_fake.address.partition(":")

    def relay(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve():
        taken, _ = listening.accept()
        time.sleep(1.5)
        with taken, socket.create_connection((host, int(port))) as onward:
            back = threading.Thread(target=relay, args=(onward, taken))
            back.start()
            relay(taken, onward)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        with rpc.connect(f"127.0.0.1:{listening.getsockname()[1]}", "toy", policy=retries.Policy(attempts=1)) as connected:
            assert connected.metadata().model == "toy"
        thread.join()


def test_tls_is_on_with_a_file_of_authorities(start, grpc_fake, certificate, connect, tmp_path):
    pair = tuple(open(path, "rb").read() for path in certificate)
    fake = start(type(grpc_fake), credentials=grpc.ssl_server_credentials([pair]))
    assert connect(fake, ca_file=certificate[1]).metadata().model == "toy"
    with pytest.raises(errors.ServerError, match="UNAVAILABLE"):
        connect(fake, policy=retries.Policy(attempts=1)).metadata()
    with pytest.raises(ValueError, match="cannot be read"):
        connect(fake, ca_file=str(tmp_path / "nowhere.pem"))


def test_all_servers_of_a_name_are_asked_in_turn(grpc_fake, monkeypatch):
    port, options = grpc_fake.address.rpartition(":")[2], {}
    made = grpc.insecure_channel
    monkeypatch.setattr(grpc, "insecure_channel", lambda server, options: (given.update(options), made(server, options=options))[1])
    given = options
    with rpc.connect(f"dns:///127.0.0.1:{port}", "toy") as connected:
        assert connected.metadata().model == "toy"
    assert given.pop("grpc.lb_policy_name") == "round_robin"
    given.clear()
    rpc.connect(f"127.0.0.1:{port}", "toy").close()
    assert "grpc.lb_policy_name" not in given


@pytest.mark.parametrize("server", ["", "localhost", "localhost:", "http://localhost:8500", "localhost:http", "dns:///localhost"])
def test_an_address_that_is_none_is_refused(server):
    with pytest.raises(ValueError, match="host:port"):
        rpc.connect(server, "toy")
