"""A `CollectError` on a tape: its class, its words and its remedy, so that a replay raises the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annexa.collect.redaction import Redactor
from annexa.errors import CollectError, Denied, NotFound, Unavailable, Unreadable

_CLASSES = {kind.__name__: kind for kind in (CollectError, Denied, NotFound, Unavailable, Unreadable)}


@dataclass(frozen=True, slots=True)
class RecordedError:
    """What is kept of an error; an error of a class made from these comes back as the nearest of them."""

    kind: str
    message: str
    remedy: str
    permission: str = ""
    code: str = ""

    @classmethod
    def of(cls, failure: CollectError, redactor: Redactor) -> RecordedError:
        """The error without secrets."""
        kind = next(known.__name__ for known in type(failure).__mro__ if known.__name__ in _CLASSES)
        message, remedy = (_said(text, redactor) for text in (str(failure), failure.remedy))
        permission = failure.permission if isinstance(failure, Denied) else ""
        return cls(kind, message, remedy, permission, failure.code if isinstance(failure, NotFound) else "")

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> RecordedError:
        """The error that `as_json` wrote."""
        kind, message, remedy = (str(fields[name]) for name in ("class", "message", "remedy"))
        return cls(kind, message, remedy, str(fields.get("permission", "")), str(fields.get("code", "")))

    def as_json(self) -> dict[str, str]:
        """The error as it stands on a tape."""
        extra = {"permission": self.permission, "code": self.code}
        given = {name: value for name, value in extra.items() if value}
        return {"class": self.kind, "message": self.message, "remedy": self.remedy, **given}

    def again(self) -> CollectError:
        """The error, to be raised."""
        if self.kind == Denied.__name__:
            return Denied(self.message, permission=self.permission, remedy=self.remedy)
        if self.kind == NotFound.__name__:
            return NotFound(self.message, code=self.code, remedy=self.remedy)
        return _CLASSES.get(self.kind, CollectError)(self.message, remedy=self.remedy)


def _said(text: str, redactor: Redactor) -> str:
    return redactor.url(text.encode("utf-8", "replace").decode("utf-8"))[0]
