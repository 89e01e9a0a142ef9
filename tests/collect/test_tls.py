"""TLS against a server whose certificate was made for this test."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from annexa.collect.wire import Limits
from annexa.errors import CollectError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def address(server, certificate: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server.url.replace("http:", "https:")


def test_a_system_that_cannot_prove_who_it_is_is_not_asked(server, address, make_shard, still) -> None:
    server.routes["/x"] = lambda asked: asked.answer(200, "[]")
    with pytest.raises(CollectError, match="cannot prove who it is: self-signed certificate"):
        make_shard(address).api.get("/x")
    assert server.asked == []
    assert still.slept == []


def test_an_authority_of_ones_own_is_trusted_when_the_environment_names_it(
    server, address, make_shard, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server.routes["/x"] = lambda asked: asked.answer(200, "[1]")
    shard = make_shard(address)
    assert [shard.api.get("/x") for _ in range(3)] == [[1]] * 3


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_a_slow_drip_is_cut_off_over_tls_too(
    server, address, make_shard, make_wire, certificate: Path, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    def drip(asked) -> None:
        asked.wfile.write(start)
        while not asked.server.stopping.wait(0.02):
            asked.wfile.write(b"x")

    server.routes["/x"] = drip
    began = time.monotonic()
    with pytest.raises(CollectError, match="no complete answer within"):
        make_shard(address, wire=make_wire(Limits(deadline=0.3), attempts=1)).api.get("/x")
    assert time.monotonic() - began < 3
