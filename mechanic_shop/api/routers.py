import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.urls import URLResolver
from django.urls.resolvers import RoutePattern
from rest_framework.permissions import AllowAny
from rest_framework.routers import APIRootView, DefaultRouter
from rest_framework.viewsets import ViewSetMixin

from mechanic_shop.core.route_names import canonical

#: What every address of a collection begins with: ``service-tickets`` in
#: ``^service-tickets/(?P<pk>[0-9]+)/?$``.
PREFIX = re.compile(r"\^([a-z-]+)")


class PrefixPattern(RoutePattern):
    """Matches the addresses that begin with a word, and takes nothing away from them.

    Django tries one pattern after the other. With these before them it tries those of
    one collection instead of those of all.
    """

    def __init__(self, word: str) -> None:
        super().__init__("")
        self.word = word

    def match(self, path: str) -> tuple[str, tuple[()], dict[str, Any]] | None:
        return (path, (), {}) if path.startswith(self.word) else None


def group_by_prefix(patterns: Sequence[Any]) -> list[URLResolver]:
    """Group a router's patterns by the word that their addresses begin with."""
    groups: dict[str, list[Any]] = {}
    for pattern in patterns:
        found = PREFIX.match(pattern.pattern.regex.pattern)
        assert found, pattern
        groups.setdefault(found[1], []).append(pattern)
    return [URLResolver(PrefixPattern(word), group) for word, group in groups.items()]


class ShopAPIRoot(APIRootView):
    """Customers, vehicles, service tickets, mechanics and parts of the shop."""

    name = "Shop API"
    permission_classes = [AllowAny]


class ShopRouter(DefaultRouter):
    """Serve every path with and without a trailing slash, without a redirect."""

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


#: The API's one router. The view sets of all apps register themselves, by ``route``.
router = ShopRouter()

V = TypeVar("V", bound=type[ViewSetMixin])


def route(prefix: str, basename: str | None = None) -> Callable[[V], V]:
    """Serve a view set of an app's ``views.py`` below ``/api/<prefix>``."""

    def register(view_set: V) -> V:
        router.register(prefix, view_set, basename)
        return view_set

    return register
