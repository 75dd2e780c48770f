from collections.abc import Sequence
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.routers import APIRootView, DefaultRouter

from .schema import canonical


class ShopAPIRoot(APIRootView):
    """Customers, vehicles, service tickets, mechanics and parts of the shop."""

    name = "Shop API"
    permission_classes = [AllowAny]


class ShopRouter(DefaultRouter):
    """Serve every path with and without a trailing slash, without a redirect.

    Each app registers its view sets on one of these; ``mechanic_shop.urls`` joins them
    into the one that also serves the API root.
    """

    include_format_suffixes = False
    include_root_view = False  # mechanic_shop.urls serves it, with and without a slash
    APIRootView = ShopAPIRoot

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"

    def get_api_root_view(self, api_urls: Sequence[Any] | None = None) -> Any:
        """List the collections; those below another one need an id and have no link."""
        list_name = self.routes[0].name
        collections = {
            canonical(prefix): list_name.format(basename=basename)
            for prefix, viewset, basename in self.registry
            if "(?P<" not in prefix and hasattr(viewset, "list")
        }
        return self.APIRootView.as_view(api_root_dict=collections)
