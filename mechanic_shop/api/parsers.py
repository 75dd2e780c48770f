"""Bodies that are what they claim to be, or a clear 400."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from .errors import ContentTooLarge


class StrictJSONParser(JSONParser):
    """Parse one JSON object in UTF-8.

    :raises ParseError: on anything else, also on lone surrogates (they have no UTF-8
        form and would fail later, when stored or sent back) and on absurd nesting
    :raises ContentTooLarge: if a body without a length turns out to be over the limit
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        raw = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(raw) > settings.MAX_BODY_BYTES:
            raise ContentTooLarge
        if not raw.strip():
            return {}
        try:
            data = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
            json.dumps(data, ensure_ascii=False).encode("utf-8")
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:  # also UnicodeError and JSONDecodeError
            raise ParseError("The body is not valid JSON in UTF-8.") from error
        if not isinstance(data, dict):
            raise ParseError("The body must be a JSON object.")
        return data


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
