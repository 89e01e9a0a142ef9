"""The controls of Annex A as the mappings describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Control:
    """One control.

    Args:
        automation: How much of it data can show: `strong`, `partial` or `manual`.
        evidence: What data can show. attest: What a person still has to judge.
        threshold: Share of judged resources that must pass for the control to be effective, 0 to 1.
    """

    id: str
    title: str
    theme: str
    intent: str
    automation: str
    evidence: str
    attest: str
    attributes: Mapping[str, list[str]]
    threshold: float = 1.0

    @property
    def order(self) -> tuple[int, ...]:
        """Sorts A.5.9 before A.5.10."""
        return tuple(int(part) for part in self.id.split(".") if part.isdigit())


def catalogue(content: Mapping[str, Any]) -> dict[str, Control]:
    """The controls of a validated mappings file, by id, in the order of the standard."""
    controls = [
        Control(
            id=item["id"],
            title=item["title"],
            theme=item["theme"],
            intent=item["intent"],
            automation=item["automation"],
            evidence=item.get("evidence", ""),
            attest=item.get("attest", ""),
            attributes=item["attributes"],
            threshold=item.get("threshold", 1.0),
        )
        for item in content["controls"]
    ]
    return {control.id: control for control in sorted(controls, key=lambda control: control.order)}
