from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annexa.collect.redaction import Redactor

SECRET = 's3cr/et+"with\\odd ch€rs'


def cut(body: object) -> object:
    redacted, _ = Redactor().body(json.dumps(body).encode())
    return json.loads(redacted)


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "refresh_token", "id_token", "client_secret", "password", "secret", "private_key", "api_key",
        "SecretAccessKey", "SessionToken", "clientSecret", "runners_token", "temp_clone_token", "aws_secret_access_key",
        "apiKey", "secretText", "token", "sharedSecret", "MasterUserPassword", "integration_key",
    ],
)  # fmt: skip
def test_fields_that_hold_secrets_are_cut(name: str) -> None:
    assert cut({"keep": "me", name: 'v"al\\ue'}) == {"keep": "me", name: "[redacted]"}


@pytest.mark.parametrize(
    "field",
    [
        {"password_last_used": "2026-01-01"},
        {"passwordPolicy": {"MinimumPasswordLength": 14}},
        {"password": {"hash": "none"}},
        {"password": None},
        {"password": ""},
        {"password": True},
        {"passwordRequiredType": "alphanumeric"},
        {"NextToken": "page-2"},
        {"nextPageToken": "page-2"},
        {"next_page_token": "page-2"},
        {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        {"kms_encryption_key": "arn:aws:kms:eu-west-1:1:key/2"},
        {"permissions": ["secret", "token", "password"]},
        {"title": "secret: rotate the password"},
        {"next": "https://example.com/users?token=page-2&limit=10"},
    ],
)
def test_evidence_about_secrets_stays(field: dict[str, object]) -> None:
    assert cut(field) == field


def test_json_inside_a_json_string_is_cut_too() -> None:
    inner = {"user": "ada", "password": 'p"a\\ss\n', "n": 1}
    outer = cut({"requestParameters": json.dumps(inner)})
    assert isinstance(outer, dict)
    assert json.loads(outer["requestParameters"]) == {"user": "ada", "password": "[redacted]", "n": 1}


def test_xml_keeps_its_form() -> None:
    body = b"<Credentials><SecretAccessKey>abc/def</SecretAccessKey><NextToken>page</NextToken></Credentials>"
    redacted, cuts = Redactor().body(body)
    assert (
        redacted
        == b"<Credentials><SecretAccessKey>[redacted]</SecretAccessKey><NextToken>page</NextToken></Credentials>"
    )
    assert [(c.where, c.offset, c.length) for c in cuts] == [("body", 30, 7)]


def test_signed_links_lose_their_signature() -> None:
    link = "https://s3.example.com/log.gz?X-Amz-Date=2026&X-Amz-Security-Token=abc%2Fdef&X-Amz-Signature=0123&x=1"
    assert cut({"url": link}) == {
        "url": "https://s3.example.com/log.gz?X-Amz-Date=2026&X-Amz-Security-Token=[redacted]"
        "&X-Amz-Signature=[redacted]&x=1"
    }
    assert cut({"u": "https://b.example.com/x?se=2026&sig=abc%3D"}) == {
        "u": "https://b.example.com/x?se=2026&sig=[redacted]"
    }


def test_the_address_that_was_asked_loses_its_secret_parameters() -> None:
    redactor = Redactor(["hunter2hunter2"])
    url, cuts = redactor.url("https://example.com/x?page=2&token=abc&api_key=k%20k&key=PROJ&q=hunter2hunter2&sig=1#f")
    assert url == (
        "https://example.com/x?page=2&token=[redacted]&api_key=[redacted]&key=PROJ&q=[redacted]&sig=[redacted]#f"
    )
    assert len(cuts) == 4
    assert redactor.url("https://example.com/x?key=AIzaSyD-0123456789abcdef")[0].endswith("?key=[redacted]")


@pytest.mark.parametrize(
    "form",
    [
        lambda secret: secret,
        lambda secret: quote(secret, safe=""),
        lambda secret: f"Basic {base64.b64encode(f'ada@example.com:{secret}'.encode()).decode()}",
        lambda secret: f"Basic {base64.b64encode(f'bob:{secret}'.encode()).decode()}",
        lambda secret: base64.urlsafe_b64encode(f"xx:{secret}".encode()).decode(),
    ],
)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_known_secret_is_cut_in_every_form(form: object, escaped: bool) -> None:
    said = form(SECRET)
    body = json.dumps({"echo": f"<{said}>", said: 1}, ensure_ascii=escaped).encode()
    redacted, cuts = Redactor([SECRET]).body(body)
    assert len(cuts) == 2
    plain = json.dumps(json.loads(redacted), ensure_ascii=False)
    assert json.loads(redacted)["echo"].startswith("<")
    for told in (SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()[4:-6]):
        assert told not in plain


def test_a_secret_that_is_a_number_is_cut_as_a_number() -> None:
    redacted, _ = Redactor(["12345678"]).body(b'{"pin": 12345678, "n": [1123456780.5], "s": "x12345678x", "k": 1234}')
    assert json.loads(redacted) == {"pin": "[redacted]", "n": ["[redacted]"], "s": "x[redacted]x", "k": 1234}


def test_an_escape_is_not_taken_for_the_beginning_of_a_secret() -> None:
    body = b'{"a": "line\\nset-token-7", "b": "nset-token-7"}'
    redacted, _ = Redactor(["nset-token-7"]).body(body)
    assert json.loads(redacted) == {"a": "line\nset-token-7", "b": "[redacted]"}


def test_bytes_that_are_no_text_are_searched_for_known_secrets_only() -> None:
    body = b'\xff\xfe{"password": "x"} hunter2hunter2 \x00'
    assert Redactor(["hunter2hunter2"]).body(body)[0] == b'\xff\xfe{"password": "x"} [redacted] \x00'


def test_very_short_secrets_do_not_shred_the_evidence() -> None:
    assert Redactor(["abc", ""]).body(b'{"a": "abc"}') == (b'{"a": "abc"}', ())


def test_cuts_say_where_they_stand_in_what_was_recorded() -> None:
    body = b'{"token": "' + b"x" * 50 + b'", "password": "yy"}'
    redacted, cuts = Redactor().body(body, "request.body")
    for found in cuts:
        assert found.where == "request.body"
        assert redacted[found.offset : found.offset + 10] == b"[redacted]"
    assert sorted(found.length for found in cuts) == [2, 50]
    assert len(redacted) == len(body) - sum(found.length - 10 for found in cuts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["password", "secret", "token", "Token", "x", 'a"password', "u?sig=", "api_key"])
            | st.text(),
            inner,
            max_size=4,
        )
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    JSON,
    st.lists(st.text(min_size=4, max_size=8) | st.sampled_from(["true", "null", "1111", '", "', "\\\\n1"])),
    st.booleans(),
)
@example({"a": "\\", "password": "\\"}, ["\\\\\\\\"], True)
@example(["true", True, 11111], ["true", "1111"], True)
def test_json_stays_json_and_keeps_its_shape(value: object, secrets: list[str], escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    redacted, cuts = Redactor(secrets).body(raw)
    again = json.loads(redacted.decode("utf-8", "surrogatepass"))
    assert bool(cuts) == (redacted != raw)
    assert shape(again) == shape(value)


def shape(value: object) -> object:
    """Objects and lists by their sizes; two keys that are cut may become one, so an object counts as one thing."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "object" if isinstance(value, dict) else "value"


@settings(deadline=None)
@given(JSON)
def test_cutting_twice_changes_nothing_more(value: object) -> None:
    raw = json.dumps(value).encode()
    once, _ = Redactor().body(raw)
    assert Redactor().body(once) == (once, ())
