"""IAM policies, statement by statement: the same columns whatever way the policy was written.

The grammar lets an author write one statement or a list, one action or a list, `"*"` or `{"AWS": "*"}` (IAM User Guide,
"Grammar of the IAM JSON policy language"). Here each statement is one row, lists are always lists, and what a statement
does not have is null: `NotAction` is not `Action` with something missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annexa.sdk import Unreadable

Statement = dict[str, Any]


def statements(document: object, name: str) -> Iterator[Statement]:
    """The statements of a policy document, a JSON text or what was parsed from one.

    Raises:
        Unreadable: it is not a policy document.
    """
    policy = _parsed(document, name)
    found = policy.get("Statement", [])
    for number, statement in enumerate(found if isinstance(found, list) else [found]):
        if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
            raise Unreadable(f"{name}: statement {number} is neither an Allow nor a Deny")
        yield {
            "statement": number,
            "sid": statement.get("Sid"),
            "effect": statement["Effect"],
            "actions": _texts(statement.get("Action"), name),
            "not_actions": _texts(statement.get("NotAction"), name),
            "resources": _texts(statement.get("Resource"), name),
            "not_resources": _texts(statement.get("NotResource"), name),
            "principals": _principals(statement.get("Principal"), name),
            "not_principals": _principals(statement.get("NotPrincipal"), name),
            "condition": statement.get("Condition"),
        }


def _parsed(document: object, name: str) -> Mapping[str, Any]:
    try:
        policy = json.loads(document) if isinstance(document, str | bytes) else document
    except ValueError as damage:
        raise Unreadable(f"{name}: not a JSON policy document") from damage
    if not isinstance(policy, Mapping) or "Statement" not in policy:
        raise Unreadable(f"{name}: not a policy document: it has no Statement")
    return policy


def _texts(value: object, name: str) -> list[str] | None:
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        raise Unreadable(f"{name}: a statement's element is neither a text nor a list of texts")
    return texts


def _principals(value: object, name: str) -> list[str] | None:
    """`AWS:arn…`, `Service:ec2.amazonaws.com`, `Federated:…`; everybody is `*`, however it is written."""
    if not isinstance(value, Mapping):
        return _texts(value, name)
    found = [(kind, who) for kind, whom in value.items() for who in _texts(whom, name) or []]
    return ["*" if (kind, who) == ("AWS", "*") else f"{kind}:{who}" for kind, who in found]
