"""Signed notes: against the published examples of Go's sumdb/note, against OpenSSL, and against malformed input."""

from __future__ import annotations

import base64
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from annexa.errors import StoreError, Tampered
from annexa.evidence.note_keys import is_name
from annexa.evidence.notes import Signer, Verifier, open_note, parse_note, sign

# From the package documentation of golang.org/x/mod/sumdb/note.
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_SECOND = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

SIGNER = Signer.generate("log.example.com/annexa")
OTHER = Signer.generate("witness.example.com")
TEXT = "log.example.com/annexa\n12\nroot\n"


def test_signs_as_go_does() -> None:
    signer = Signer.parse(GO_SKEY)
    assert sign(GO_TEXT, [signer]) == GO_TEXT + "\n" + GO_LINE
    assert signer.verifier.text() == GO_VKEY
    assert signer.private_text() == GO_SKEY


def test_opens_what_go_signed() -> None:
    opened = open_note((GO_TEXT + "\n" + GO_LINE + GO_SECOND).encode(), [Verifier.parse(GO_VKEY)])
    assert opened.text == GO_TEXT
    assert [(item.name, item.key_id.hex()) for item in opened.verified] == [("PeterNeumann", "c74f20a3")]
    assert [item.name for item in opened.unknown] == ["EnochRoot"]


def test_openssl_believes_the_signature(tmp_path: Path) -> None:
    text, _, line = sign(TEXT, [SIGNER]).rpartition("\n\n")
    raw = base64.b64decode(line.split(" ")[2])
    name, public = SIGNER.name.encode(), SIGNER.verifier.public
    assert raw[:4] == sha256(name + b"\n\x01" + public).digest()[:4]
    der = Ed25519PublicKey.from_public_bytes(public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for file, content in {"key": der, "text": f"{text}\n".encode(), "signature": raw[4:]}.items():
        (tmp_path / file).write_bytes(content)
    command = "openssl pkeyutl -verify -pubin -inkey key -rawin -in text -sigfile signature"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Signature Verified Successfully" in done.stdout, done.stderr
    (tmp_path / "text").write_bytes(b"another text\n")
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode != 0


TEXT_LINES = st.sampled_from(["", "— a AAAAAAAA", "\u2028", "\x7f"]) | st.text().filter(
    lambda line: min(line, default=" ") >= " "
)


@given(st.lists(TEXT_LINES, min_size=1))
def test_any_clean_text_comes_back(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    opened = open_note(sign(text, [SIGNER, OTHER]), [OTHER.verifier, SIGNER.verifier])
    assert opened.text == text
    assert [item.name for item in opened.verified] == [SIGNER.name, OTHER.name]
    assert opened.unknown == ()


def test_a_changed_text_is_refused() -> None:
    with pytest.raises(Tampered, match="does not fit"):
        open_note(sign(TEXT, [SIGNER]).replace("12", "13", 1), [SIGNER.verifier])


def test_one_wrong_signature_by_a_known_key_refuses_the_note() -> None:
    wrong = sign("another text\n", [SIGNER]).rpartition("\n\n")[2]
    good = sign(TEXT, [OTHER, SIGNER])
    for note in (good + wrong, sign(TEXT, [OTHER]) + wrong):
        with pytest.raises(Tampered, match="does not fit"):
            open_note(note, [SIGNER.verifier, OTHER.verifier])


def test_a_note_without_a_known_signature_is_refused() -> None:
    impostor = Signer.generate(SIGNER.name)
    for verifiers in ([], [OTHER.verifier], [impostor.verifier]):
        with pytest.raises(Tampered, match="not signed by"):
            open_note(sign(TEXT, [SIGNER]), verifiers)


def test_a_repeated_signature_counts_once() -> None:
    note = sign(TEXT, [SIGNER, OTHER])
    note += note.rpartition("\n\n")[2]
    opened = open_note(note, [SIGNER.verifier])
    assert (len(opened.verified), len(opened.unknown)) == (1, 1)


def test_two_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "key_id", b"same")
    first, second = Signer.generate("a.example").verifier, Signer.generate("a.example").verifier
    with pytest.raises(ValueError, match="two different keys"):
        open_note(sign(TEXT, [SIGNER]), [first, second])


def test_a_hundred_signatures_are_read_and_no_more() -> None:
    line = sign(TEXT, [OTHER]).rpartition("\n\n")[2]
    assert open_note(sign(TEXT, [SIGNER]) + line * 99, [SIGNER.verifier]).text == TEXT
    with pytest.raises(Tampered, match="101 signatures"):
        open_note(sign(TEXT, [SIGNER]) + line * 100, [SIGNER.verifier])


GOOD = sign(TEXT, [SIGNER])
LINE = GOOD.rpartition("\n\n")[2]
ENCODED = LINE.rstrip("\n").split(" ")[2]


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        LINE,
        TEXT + LINE,
        TEXT + "\n",
        GOOD[:-1],
        GOOD[:-1] + "x",
        GOOD + "\n",
        GOOD + "comment\n",
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("12", "1\t2"),
        GOOD.replace("12", "1\x002"),
        GOOD.replace("— ", "- "),
        GOOD.replace("— ", "—"),
        GOOD.replace("— ", "—  "),
        GOOD.replace(SIGNER.name + " ", SIGNER.name + "  "),
        GOOD.replace(SIGNER.name + " ", " "),
        GOOD.replace(SIGNER.name + " ", "a+b "),
        GOOD.replace(SIGNER.name + " ", "a\u00a0b "),
        GOOD.replace(ENCODED, ""),
        GOOD.replace(ENCODED, ENCODED[:-1]),
        GOOD.replace(ENCODED, ENCODED + "="),
        GOOD.replace(ENCODED, ENCODED[:5] + "*" + ENCODED[6:]),
        GOOD.replace(ENCODED, ENCODED + " "),
        GOOD.replace(ENCODED, base64.urlsafe_b64encode(b"\xff" * 68).decode()),
        GOOD.replace(ENCODED, "AAAAAA=="),
        GOOD.replace(ENCODED, "AAAAAAF="),
        GOOD.replace("12", "1\ud8002"),
        GOOD.encode().replace(b"12", b"1\xff2"),
        GOOD.encode("utf-16"),
    ],
)
def test_a_malformed_note_is_refused(note: str | bytes) -> None:
    with pytest.raises(Tampered, match="malformed note"):
        open_note(note, [SIGNER.verifier])
    with pytest.raises(Tampered, match="malformed note"):
        parse_note(note)


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\rb\n", "\x00\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="a note's text"):
        sign(text, [SIGNER])


def test_nobody_signs_nothing() -> None:
    with pytest.raises(ValueError, match="1 to 100 signatures"):
        sign(TEXT, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x1fb", "\u00a0", "a\x85", "\ud800"])
def test_names_that_no_key_may_have(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ValueError, match="cannot name a key"):
        Signer.generate(name)


@given(st.text(min_size=1).filter(is_name))
def test_keys_come_back_from_their_text(name: str) -> None:
    signer = Signer.generate(name)
    assert Verifier.parse(signer.verifier.text()) == signer.verifier
    assert Signer.parse(signer.private_text()).verifier == signer.verifier


VKEY = SIGNER.verifier.text()
KEY_TEXT = VKEY.split("+", 2)[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        GO_SKEY,
        VKEY + "\n",
        VKEY.replace("annexa", "other"),
        VKEY.replace("log.", "log ."),
        VKEY.replace(KEY_TEXT, ""),
        VKEY.replace(KEY_TEXT, base64.b64encode(b"\x01" + bytes(31)).decode()),
        VKEY.replace(KEY_TEXT, base64.b64encode(b"\x02" + SIGNER.verifier.public).decode()),
        GO_VKEY.replace("c74f20a3", "C74F20A3"),
        GO_VKEY.replace("c74f20a3", "c74f20a"),
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
    ],
    ids=range(12),  # the keys are made anew each time: names must not be
)
def test_what_is_not_a_public_key(text: str) -> None:
    with pytest.raises(StoreError, match="not a public key"):
        Verifier.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        GO_VKEY,
        GO_SKEY[:-4],
        GO_SKEY.replace("c74f20a3", "c74f20a4"),
        GO_SKEY.replace("PeterNeumann", "Peter"),
        GO_SKEY.replace("+AYEK", "+AoEK"),
    ],
)
def test_a_broken_private_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(StoreError, match="not a private key") as caught:
        Signer.parse(text)
    assert "FALVFGyNhPJEMzD1QIDr" not in str(caught.value) + repr(caught.value) + caught.value.remedy


def test_the_seed_is_in_no_repr() -> None:
    signer = Signer.parse(GO_SKEY)
    seed = signer.key.private_bytes_raw()
    assert seed.hex() not in repr(signer)
    assert repr(signer) == "Signer(name='PeterNeumann')"
