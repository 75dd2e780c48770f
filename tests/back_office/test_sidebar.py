"""The sidebar is built from the links that the apps add."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from mechanic_shop.admin.sidebar import navigation
from mechanic_shop.core.registry import SidebarLink, sidebar_links


class TestSidebar:
    def test_late_link_joins_its_section(
        self, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late = SidebarLink("Workshop", "Late", "star", "admin:index", order=999)
        monkeypatch.setattr(sidebar_links, "_items", [*sidebar_links, late])

        sections = navigation(rf.get("/admin/"))

        titles = [section["title"] for section in sections]
        assert len(titles) == len(set(titles))
        assert sections[0]["title"] == "Workshop"
        assert sections[0]["items"][-1]["title"] == "Late"
        assert [section["separator"] for section in sections] == [
            False,
            *[True] * (len(sections) - 1),
        ]
