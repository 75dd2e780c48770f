"""Every address of the project; the API's are joined from the apps' routers."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

import customers.urls
import inventory.urls
import mechanic_shop.accounts.urls
import mechanics.urls
import tickets.urls
from mechanic_shop.api import errors
from mechanic_shop.api.login_limits import guard_login
from mechanic_shop.api.redoc import redoc_bundle
from mechanic_shop.api.routers import ShopRouter, by_first_word
from mechanic_shop.api.views import UnknownPath, favicon, healthz, landing, readyz
from mechanic_shop.metrics.views import metrics

admin.site.index_title = "Back office"
admin.site.site_title = admin.site.site_header = settings.SHOP_NAME

router = ShopRouter()
for app in (
    mechanic_shop.accounts.urls,
    customers.urls,
    mechanics.urls,
    tickets.urls,
    inventory.urls,
):
    router.registry.extend(app.router.registry)

api_root = router.get_api_root_view()

urlpatterns = [
    # First, since they are asked for the most.
    path("api/", include(by_first_word(router.urls))),
    path("", landing, name="landing"),
    path("admin/login/", guard_login(admin.site.login)),
    path("admin/", admin.site.urls),
    path("", include(mechanic_shop.accounts.urls)),
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
    path("metrics", metrics, name="metrics"),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
