"""Every address of the project; the apps' own are found, not named."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.utils.module_loading import autodiscover_modules, module_has_submodule
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from mechanic_shop.accounts.admin import change_own_password
from mechanic_shop.admin.selects import ShopAutocompleteView
from mechanic_shop.admin.session_state import session_state
from mechanic_shop.api import error_pages, routers
from mechanic_shop.api.login_throttling import throttle_login_view
from mechanic_shop.api.redoc import redoc_bundle
from mechanic_shop.api.unknown_path import UnknownPath
from mechanic_shop.core.app_config import get_shop_apps

from .health import healthz, readyz
from .pages import favicon, landing

admin.site.index_title = "Back office"
admin.site.site_title = admin.site.site_header = settings.SHOP_NAME

autodiscover_modules("views")  # whose view sets register themselves on the router
router = routers.router
pages = [
    path("", include(f"{app.name}.urls"))
    for app in get_shop_apps()
    if module_has_submodule(app.module, "urls")
]
api_root = router.get_api_root_view()

urlpatterns = [
    # First, since they are asked for the most.
    path("api/", include(routers.group_by_prefix(router.urls))),
    path("", landing, name="landing"),
    path("admin/login/", throttle_login_view(admin.site.login)),
    path("admin/password_change/", admin.site.admin_view(change_own_password)),
    path("admin/session/", session_state, name="session-state"),
    path(
        "admin/autocomplete/",
        admin.site.admin_view(ShopAutocompleteView.as_view(admin_site=admin.site)),
    ),
    path("admin/", admin.site.urls),
    *pages,
    path("", include("mechanic_shop.api.login_urls")),
    re_path(r"^api/schema/?$", SpectacularAPIView.as_view(), name="schema"),
    re_path(
        r"^api/docs/?$",
        SpectacularSwaggerSplitView.as_view(url_name="schema"),
        name="docs",
    ),
    re_path(
        r"^api/redoc/?$", SpectacularRedocView.as_view(url_name="schema"), name="redoc"
    ),
    path("api/redoc/bundle.js", redoc_bundle, name="redoc-bundle"),
    path("api/", api_root, name="api-root"),
    path("api", api_root),
    re_path(r"^api(?:/.*)?$", UnknownPath.as_view()),
    path("favicon.ico", favicon),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("", include("mechanic_shop.metrics.urls")),
]

handler400 = error_pages.bad_request
handler403 = error_pages.permission_denied
handler404 = error_pages.not_found
handler500 = error_pages.server_error
