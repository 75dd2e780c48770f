"""The sidebar of the admin site, built from the links that the apps add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from mechanic_shop.core.registry import SidebarLink, sidebar_links


def link_to_list(
    model: type[Model],
    *,
    section: str,
    icon: str,
    order: int,
    title: str = "",
    **more: Any,
) -> None:
    """Add a model's list to the sidebar, for those who may view its rows."""
    meta = model._meta
    name = f"{meta.app_label}_{meta.model_name}"
    sidebar_links.add(
        SidebarLink(
            section=section,
            title=title or str(capfirst(meta.verbose_name_plural)),
            icon=icon,
            url_name=f"admin:{name}_changelist",
            permission=f"{meta.app_label}.view_{meta.model_name}",
            order=order,
            **more,
        )
    )


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections as unfold wants them; settings name this function.

    A section stands where the first of its links does.
    """
    sections: dict[str, list[dict[str, Any]]] = {}
    for link in sorted(sidebar_links, key=lambda link: link.order):
        sections.setdefault(link.section, []).append(_item(link))
    return [
        {"title": title, "separator": number > 0, "items": items}
        for number, (title, items) in enumerate(sections.items())
    ]


def _item(link: SidebarLink) -> dict[str, Any]:
    item: dict[str, Any] = {
        "title": link.title,
        "icon": link.icon,
        "link": reverse(link.url_name),
    }
    if link.permission:
        item["permission"] = _check(link.permission)
    if link.is_active:
        item["active"] = link.is_active
    return item


def _check(permission: str) -> Callable[[HttpRequest], bool]:
    def has_permission(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return has_permission
