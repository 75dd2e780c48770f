from __future__ import annotations

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class ShopBrowsableAPIRenderer(BrowsableAPIRenderer):
    """DRF's pages; their forms find the inline errors in DRF's own shape of a 400."""

    def get_rendered_html_form(
        self, data: Any, view: Any, method: str, request: Any
    ) -> Any:
        response = getattr(self, "renderer_context", {}).get("response")
        native = getattr(response, "native_errors", data)
        return super().get_rendered_html_form(native, view, method, request)
