"""One figure with a title, an icon and a link."""

from __future__ import annotations

from typing import Any

Figures = dict[str, Any]


def build_card(title: str, value: str, icon: str, link: str, hint: str) -> Figures:
    return {"title": title, "value": value, "icon": icon, "link": link, "hint": hint}
