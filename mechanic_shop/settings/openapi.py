"""How the OpenAPI document introduces the API; its content comes from the views."""

from typing import Any

from .apps import SHOP_APP_CONFIGS
from .back_office import SHOP_NAME

#: Semantic versioning; what that promises to clients is in docs/adr/0012.
API_VERSION = "1.0.0"

ABOUT = """\
Customers, vehicles, mechanics, service tickets and parts of a car repair shop.

**Tokens.** `POST /api/auth/login` returns an access token and a refresh token. Send the
access token with every request: `Authorization: Bearer <token>`.

**Paths** work with and without a trailing slash; `service_tickets` is another spelling
of `service-tickets`.

**Values.** Money is in whole cents where the name ends in `_cents`. Times are ISO 8601
in UTC. PUT and PATCH both change only the fields that are sent. An unknown
field is rejected; a field that the server sets may be sent back unchanged.

**Errors** have one shape, the schema `Error`, whatever the status is. Besides
the listed ones, every operation can return 405 for another method, 406 for an `Accept`
without JSON, and 500.

**Limits.** Operations with a rate limit return what is left in `RateLimit-…` headers.

**Retries.** With an `Idempotency-Key`, POST and PATCH can be sent again when a response
was lost. They take effect once.

**Edits.** Send the `ETag` of the row that you read as `If-Match`, and your change
overwrites nobody else's: if the row has changed since, the response is a 412.
"""

SCHEMA = "mechanic_shop.api.schema"

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": f"{SHOP_NAME} API",
    "DESCRIPTION": ABOUT,
    "VERSION": API_VERSION,
    "LICENSE": {"name": "MIT"},
    "TAGS": [
        {"name": name, "description": description}
        for app in SHOP_APP_CONFIGS
        for name, description in app.api_tags.items()
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The document is the same for everybody: what one sees who may see all.
    "GET_MOCK_REQUEST": f"{SCHEMA}.operations.request_of_the_owner",
    "GET_LIB_DOC_EXCLUDES": f"{SCHEMA}.components.bases_without_words",
    "PREPROCESSING_HOOKS": [f"{SCHEMA}.path_names.one_path_per_operation"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        f"{SCHEMA}.unused_schemas.drop_unused_schemas",
    ],
    "SORT_OPERATIONS": f"{SCHEMA}.path_names.by_tag_and_path",
    "SORT_OPERATION_PARAMETERS": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "deepLinking": True},
    "ENUM_NAME_OVERRIDES": {
        name: path for app in SHOP_APP_CONFIGS for name, path in app.api_enums.items()
    },
}
