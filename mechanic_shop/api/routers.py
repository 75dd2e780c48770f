from rest_framework.routers import DefaultRouter


class ShopRouter(DefaultRouter):
    """Serve every path with and without a trailing slash, without a redirect.

    Each app registers its view sets on one of these; ``mechanic_shop.urls`` joins them
    into the one that also serves the API root.
    """

    include_format_suffixes = False

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
