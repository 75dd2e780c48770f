"""Hashed names for static files, which old code can do without."""

from __future__ import annotations

import logging

from whitenoise.storage import CompressedManifestStaticFilesStorage

logger = logging.getLogger(__name__)


class ShopStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Name a file plainly that was not there when this process started.

    During an update, old code meets new templates, which may name a new file. For that
    moment a page without the file is better than a 500.
    """

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:
            logger.warning("There is no static file %s", name)
            return name
