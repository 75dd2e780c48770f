"""The 404 of every path under ``/api`` that is no route."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


@extend_schema(exclude=True)
class UnknownPath(APIView):
    """Whatever is under ``/api`` and is nothing."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Without it DRF chooses no renderer, and shows people JSON.
        self.format_kwarg = None
        raise NotFound("There is nothing at this address.")
