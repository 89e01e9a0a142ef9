"""Credentials, at the moment they are used.

Rules:
- A secret is resolved here and told to the redactor (`learn`) before it is sent anywhere.
- It goes into one header of a request to the origin it was configured for; nothing here is recorded.
- OAuth 2.0 client credentials (RFC 6749, 4.4; client authentication in the body, 2.3.1, as Microsoft, CrowdStrike and
  Jamf document it) are exchanged for a token outside the tape. The token is kept until a minute before it expires, for
  all threads, and exchanged anew once when the system answers 401.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Protocol
from urllib.parse import urlencode

from annexa.collect import answers, strict_json
from annexa.collect.exchange import Request, Response
from annexa.errors import CollectError, Denied, SecretError, Unreadable
from annexa.sdk.transports import ApiKey, Auth, Basic, Bearer, ClientCredentials
from annexa.secrets import Secret

Learn = Callable[[str], None]
Ask = Callable[[Request], Response]

_EARLY = 60.0
_UNSAID = 300.0


class Authorizer(Protocol):
    """Gives the headers that carry a credential."""

    def headers(self) -> Mapping[str, str]:
        """The headers for one request."""
        ...

    def renew(self, used: Mapping[str, str]) -> bool:
        """Whether, after a 401 to these headers, there is a point in asking for new ones."""
        ...


def authorizer(
    auth: Auth | None, learn: Learn, ask: Ask, monotonic: Callable[[], float] = time.monotonic
) -> Authorizer:
    """The authorizer for a way to authenticate.

    Args:
        auth: The way; None for a system that asks for no credential.
        learn: Is told every secret before it is used.
        ask: Sends a request for a token: retried, not recorded, without a credential of its own.
        monotonic: A clock that never goes back, in seconds.
    """
    if isinstance(auth, ClientCredentials):
        return TokenHolder(auth, learn, ask, monotonic)
    return Fixed(auth, learn)


class Fixed:
    """A credential that is what it is."""

    def __init__(self, auth: Bearer | ApiKey | Basic | None, learn: Learn) -> None:
        self._auth = auth
        self._learn = learn

    def headers(self) -> Mapping[str, str]:
        """The one header that carries it.

        Raises:
            SecretError: it is not there, or cannot stand in a header.
        """
        match self._auth:
            case None:
                return {}
            case Bearer(token):
                return {"Authorization": f"Bearer {_in_header(token, self._learn)}"}
            case ApiKey(header, key, prefix):
                return {header: prefix + _in_header(key, self._learn)}
            case Basic(user, password):
                self._learn(password.reveal())
                pair = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()
                self._learn(pair)
                return {"Authorization": f"Basic {pair}"}

    def renew(self, used: Mapping[str, str]) -> bool:
        """There is nothing to renew."""
        return False


class TokenHolder:
    """A token from a token endpoint; shared by threads."""

    def __init__(self, auth: ClientCredentials, learn: Learn, ask: Ask, monotonic: Callable[[], float]) -> None:
        self._auth = auth
        self._learn = learn
        self._ask = ask
        self._monotonic = monotonic
        self._guard = Lock()
        self._header = ""
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """The token's header; asks for a token first when there is none, or none that is fresh.

        Raises:
            Denied: the endpoint refuses the client.
            CollectError: the endpoint does not answer, or not with a token.
        """
        with self._guard:
            if not self._header or self._monotonic() >= self._until:
                self._exchange()
            return {"Authorization": self._header}

    def renew(self, used: Mapping[str, str]) -> bool:
        """Forget the token that was refused, unless another thread has done so already."""
        with self._guard:
            if used.get("Authorization") == self._header:
                self._header = ""
        return True

    def _exchange(self) -> None:
        self._learn(self._auth.client_secret.reveal())
        scope = {"scope": self._auth.scope} if self._auth.scope else {}
        form = {
            "grant_type": "client_credentials",
            "client_id": self._auth.client_id,
            "client_secret": self._auth.client_secret.reveal(),
            **scope,
        }
        headers = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))
        asked = self._monotonic()
        answer = self._ask(Request("POST", self._auth.token_url, headers, urlencode(form).encode()))
        token, seconds = _token(answer, self._auth.client_id)
        self._learn(token)
        self._header = f"Bearer {token}"
        self._until = asked + max(0.0, seconds - _EARLY)


def _token(answer: Response, client: str) -> tuple[str, float]:
    """The token and its life in seconds; CrowdStrike answers 201."""
    if answer.status not in (200, 201):
        kind = Denied if answer.status in (400, 401, 403) else CollectError
        raise kind(
            f"no token for client {client}: {answer.status} {answers.said(answer)}".strip(),
            remedy="Check token_url, client_id, client_secret and scope; a client secret may have expired.",
        )
    fields: Any = strict_json.decode(answer.body, "the answer of the token endpoint")
    token = fields.get("access_token") if isinstance(fields, dict) else None
    if not isinstance(token, str) or not token or not _fits(token):
        raise Unreadable("the token endpoint answered without an access_token")
    seconds = fields.get("expires_in", _UNSAID)
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = float(seconds)
    return token, float(seconds) if isinstance(seconds, int | float) else _UNSAID


def _in_header(secret: Secret, learn: Learn) -> str:
    value = secret.reveal()
    learn(value)
    if not _fits(value):
        raise SecretError(
            f"{secret.reference} holds a character that cannot stand in a header",
            remedy="Store the secret alone: one line, no quotes, ASCII.",
        )
    return value


def _fits(value: str) -> bool:
    return value.isascii() and value.isprintable()
