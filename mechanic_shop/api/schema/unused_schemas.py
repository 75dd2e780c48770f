"""Leave out of the document what nothing in it refers to."""

from __future__ import annotations

import json
import re
from typing import Any

REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def drop_unused_schemas(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Drop the request shapes of rows that are only ever shown inside of others."""
    schemas: dict[str, Any] = result["components"]["schemas"]
    while unused := schemas.keys() - set(
        REFERENCE.findall(json.dumps(result, default=str))
    ):
        for name in unused:
            del schemas[name]
    return result
