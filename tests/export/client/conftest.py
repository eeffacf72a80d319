"""Clients and the fake servers they talk to, one for each protocol."""

import subprocess

import fake_grpc
import fake_rest
import fake_server
import pytest

from export.client import retries

FEW_TRIES = retries.Policy(attempts=4, first_wait=0.01, attempt_seconds=10.0)


@pytest.fixture
def start():
    """Starts fakes of a test's own: `start(fake_rest.Rest)`; they are stopped at the end."""
    started = []

    def start(kind, *arguments, **options):
        started.append(kind(*arguments, **options))
        return started[-1]

    yield start
    for fake in started:
        fake.stop()


@pytest.fixture(params=[fake_rest.Rest, fake_grpc.Grpc], ids=["rest", "grpc"])
def fake(request, start):
    """One fake server, over each protocol in turn."""
    return start(request.param)


@pytest.fixture
def rest_fake(start):
    """The fake that speaks REST."""
    return start(fake_rest.Rest)


@pytest.fixture
def grpc_fake(start):
    """The fake that speaks gRPC."""
    return start(fake_grpc.Grpc)


@pytest.fixture
def connect():
    """`connect(fake, **options)` -> a client that tries a few times, quickly; closed at the end."""
    opened = []

    def connect(to, **options):
        opened.append(to.connect(to.address, "toy", **{"policy": FEW_TRIES} | options))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture(name="pixels", scope="session")
def pixels_fixture():
    """`pixels(seed, truncation, label, position)`: the image that the fakes answer."""
    return fake_server.pixels


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(key file, certificate file) for 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, signed = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", signed], check=True, capture_output=True)
    return key, signed
