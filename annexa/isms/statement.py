"""The Statement of Applicability (ISO/IEC 27001, 6.1.3 d) as people decided it: content of a pack, adopted by a run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from annexa.events import StatementAdopted, StatementLine
from annexa.isms.catalogue import Control


def lines(content: Mapping[str, Any], controls: Mapping[str, Control]) -> dict[str, StatementLine]:
    """Every control's line: what the statement says of it over the statement's defaults.

    A control that the statement does not name has the defaults, so that all controls are always accounted for.
    """
    defaults = content["statement"]["defaults"]
    named = content["statement"]["controls"]
    return {control: _line(control, {**defaults, **named.get(control, {})}) for control in controls}


def _line(control: str, item: Mapping[str, Any]) -> StatementLine:
    return StatementLine(
        control=control,
        applicable=item["applicable"],
        reasons=list(item.get("reasons", [])) if item["applicable"] else [],
        justification=item.get("justification", ""),
        implementation=item["implementation"],
        owner=item.get("owner"),
        documents=list(item.get("documents", [])),
        provider=item.get("provider"),
    )


def adoption(adopted: Mapping[str, StatementLine], decided: Mapping[str, StatementLine]) -> StatementAdopted | None:
    """The event that makes the adopted statement the decided one; None when it already is."""
    changed = [line for control, line in decided.items() if adopted.get(control) != line]
    return StatementAdopted(digest(decided), changed) if changed else None


def digest(decided: Mapping[str, StatementLine]) -> str:
    """SHA-256 of the whole statement, so that an approval can name what it approves."""
    import msgspec

    content = msgspec.json.encode([decided[control] for control in sorted(decided)], order="sorted")
    return hashlib.sha256(content).hexdigest()
