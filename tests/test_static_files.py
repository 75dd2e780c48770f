"""Pages name their static files, also those that a running server does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import LazySettings

from mechanic_shop.static_files import ShopStaticFilesStorage


@pytest.fixture
def storage(tmp_path: Path, settings: LazySettings) -> ShopStaticFilesStorage:
    settings.DEBUG = False
    paths = {"shop.css": "shop.0123456789ab.css"}
    manifest = {"version": "1.1", "hash": "", "paths": paths}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    return ShopStaticFilesStorage(location=tmp_path, base_url="/static/")


class TestUrl:
    def test_has_the_hash_of_a_known_file(
        self, storage: ShopStaticFilesStorage
    ) -> None:
        assert storage.url("shop.css") == "/static/shop.0123456789ab.css"

    def test_of_a_file_that_came_with_an_update_is_plain(
        self, storage: ShopStaticFilesStorage
    ) -> None:
        assert storage.url("new.css") == "/static/new.css"
