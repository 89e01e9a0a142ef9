r"""What gives access, told by its name: fields in JSON, in JSON inside a JSON string, and in XML; and signed links.

The whole name must match, and the value must be a non-empty string: `password_last_used`, `"password": null` and
`"passwordPolicy": {}` say something about security without giving it away, and are evidence.
A link whose signature stands in it (S3, Azure SAS, Google) is a key to what it points at: the signature is cut. A
parameter that is only called `token` stays, for lists are paged with those.

Every name contains one of a few stems, and looking for those is quick (70 MB/s where one expression for all makes 6);
only where one stands is the expression tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAMES = (
    rb"[\w-]*(?:secret[_-]?access[_-]?key|client[_-]?secret|access[_-]?token|refresh[_-]?token|private[_-]?key|"
    rb"api[_-]?key)|"
    rb"(?:(?:id|auth|bearer|session|security|api|clone|temp[_-]?clone|runners?|runners?[_-]registration|registration|bot|"
    rb"verification|private|deploy|job)[_-]?)?token|"
    rb"(?:(?:shared|consumer|webhook|app|signing|totp)[_-]?)?secret|secret[_-]?(?:text|key|string|value)|"
    rb"(?:integration|routing)[_-]?key|"
    rb"(?:(?:user|admin|master|master[_-]?user|db|database|smtp|bind|ldap|root|service|account|login|new|old|current|temp|"
    rb"temporary|default|initial)[_-]?)?(?:password|passwd|passphrase)|pwd|client[_-]?assertion"
)
_STEMS = tuple(
    b"token secret passw passphrase pwd assertion private_key private-key privatekey api_key api-key apikey "
    b"integration_key integration-key integrationkey routing_key routing-key routingkey "
    b"x-amz-signature= x-goog-signature= sig=".split()
)
_PLAIN = rb'"(?i:' + _NAMES + rb')"\s*:\s*"(?P<plain>(?:[^"\\]|\\.)+)"'
_NESTED = rb'\\"(?i:' + _NAMES + rb')\\"\s*:\s*\\"(?P<nested>(?:[^"\\]|\\\\(?:[^"\\]|\\"|\\\\)|\\[^"\\])+)\\"'
_XML = rb"<(?i:" + _NAMES + rb")(?:\s[^<>]*)?>(?P<text>[^<]+)</"
_FIELD = re.compile(b"|".join((_PLAIN, _NESTED, _XML)), re.DOTALL)
_LINK = re.compile(
    rb"(?i)(?:(?:u0026)?(?:x-amz-signature|x-amz-security-token|x-goog-signature|access_token)|(?<=[?&;])sig|u0026sig)="
    rb"(?P<value>[\w%.~+/-]+)"
)
_NAME_SO_FAR = re.compile(rb"[\w-]*\Z")
_OPENERS = (b'\\"', b'"', b"<")
_LONGEST_NAME = 64


def secret_fields(body: bytes) -> Iterator[tuple[int, int]]:
    """First byte and byte after the last of every secret value; the same one may come twice."""
    lowered = body.lower()
    for stem in _STEMS:
        at = lowered.find(stem)
        while at >= 0:
            found = _around(body, at)
            if found is not None and found.lastgroup is not None:
                yield found.span(found.lastgroup)
            at = lowered.find(stem, at + len(stem))


def _around(body: bytes, at: int) -> re.Match[bytes] | None:
    """The secret field, or the parameter of a link, in whose name the byte at `at` stands."""
    so_far = _NAME_SO_FAR.search(body[max(0, at - _LONGEST_NAME) : at])
    start = at - len(so_far[0]) if so_far is not None else at
    for opener in _OPENERS:
        if body.endswith(opener, 0, start):
            return _FIELD.match(body, start - len(opener))
    return _LINK.match(body, start)
