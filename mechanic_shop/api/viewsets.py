"""What every view set shares, so that the ones of the apps nearly disappear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import mixins, status
from rest_framework.exceptions import PermissionDenied, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import GenericViewSet

from mechanic_shop.core.locking import lock_row, save_changes
from mechanic_shop.core.prepared_queries import PreparedQuery

from .atomic_writes import atomic_write, is_atomic
from .detail_sections import add_sections
from .etags import not_modified_if_matches, response_with_etag
from .idempotency import get_idempotency_key
from .pagination import PreparedList, ShopPagination
from .permissions import get_required_permissions, has_permission
from .throttling import add_rate_headers
from .unique_errors import save_or_raise_validation_error

if TYPE_CHECKING:
    from mechanic_shop.accounts.models import User

M = TypeVar("M", bound=Model)

#: A number of fewer digits than this fits into any key column.
MAX_KEY_DIGITS = 19
PAGE_PARAMETERS = frozenset({"page", "per_page"})


def parse_pk(digits: str) -> int | None:
    """Read a key; there may be more digits than Python reads into a number."""
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) < MAX_KEY_DIGITS else None


class ShopViewSet(GenericViewSet[M]):
    """The base of every resource: rows, permissions, limits and bodies of its actions.

    ``action_permissions`` maps actions to the permission that each needs (see
    ``get_required_permissions``), ``action_throttles`` maps some of them to a rate
    limit, and ``results_key`` names the list in a paginated response. Handlers of
    writes are an ``atomic_write``, except those that hash a password, which would make
    others wait for too long.

    Frequent queries may be prepared: ``detail_query`` finds one row, ``list_queries``
    finds the lists that their query strings ask for. They are used for callers with the
    permission of ``retrieve``, to whom ``visible_to`` has to show every row.
    """

    action_permissions: ClassVar[Mapping[str, str | tuple[str, ...]]] = {}
    action_throttles: ClassVar[Mapping[str, type[BaseThrottle]]] = {}
    results_key: ClassVar[str] = "results"
    detail_query: ClassVar[PreparedQuery[Any] | None] = None
    list_queries: ClassVar[Mapping[str, PreparedList[Any]]] = {}
    deferred_throttle: Throttled | None = None
    #: Whether the handler of a write is running.
    is_writing = False
    pagination_class = ShopPagination
    lookup_value_regex = "[0-9]+"

    @property
    def user(self) -> User:
        """The caller; only for actions that need a sign-in."""
        user = self.request.user
        assert user.is_authenticated
        return user

    def get_queryset(self) -> QuerySet[M]:
        queryset = super().get_queryset()
        visible: QuerySet[M] = queryset.visible_to(self.request.user)  # type: ignore[attr-defined]
        return visible

    def get_object(self) -> M:
        if self.detail_query is None or not self.may_see_every_row():
            return super().get_object()
        pk = parse_pk(self.kwargs["pk"])
        row = None if pk is None else self.detail_query.first(pk)
        if row is None:
            raise Http404
        self.check_object_permissions(self.request, row)
        return row  # type: ignore[no-any-return]

    def may_see_every_row(self) -> bool:
        """Return whether ``visible_to`` depends on nothing else for this caller."""
        permission = get_required_permissions(self, "retrieve")
        return isinstance(permission, str) and self.request.user.has_perm(permission)

    def get_authenticate_header(self, request: Request) -> str:
        """Name the scheme where nobody authenticates too: a wrong password is a 401."""
        return super().get_authenticate_header(request) or 'Bearer realm="api"'

    def check_throttles(self, request: Request) -> None:
        """Reject over the limit; of a retry only if no response is stored."""
        try:
            super().check_throttles(request)
        except Throttled as refusal:
            if not is_atomic(self) or get_idempotency_key(request) is None:
                raise
            self.deferred_throttle = refusal

    def raise_deferred_throttle(self) -> None:
        if self.deferred_throttle is not None:
            raise self.deferred_throttle

    def get_throttles(self) -> list[BaseThrottle]:
        limit = self.action_throttles.get(self.action or "")
        return [limit()] if limit else []

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        add_rate_headers(request, response)
        return super().finalize_response(request, response, *args, **kwargs)

    def get_validated(
        self, serializer_class: type[Serializer[Any]], **kwargs: Any
    ) -> dict[str, Any]:
        """Return the checked body, or raise a 400 that names each bad field."""
        serializer = serializer_class(
            data=self.request.data, context=self.get_serializer_context(), **kwargs
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def require_permission(self, permission: str) -> None:
        """:raises PermissionDenied: if the caller does not have this permission"""
        if not has_permission(self.request.user, permission):
            raise PermissionDenied

    def paginated_response(
        self,
        rows: QuerySet[Any],
        serializer_class: type[BaseSerializer[Any]],
    ) -> Response:
        """Return a page of rows that belong to the one in the path.

        The action names the ``results_key`` in its decorator.
        """
        page = self.paginate_queryset(rows)
        context = self.get_serializer_context()
        serializer = serializer_class(page, many=True, context=context)
        return self.get_paginated_response(serializer.data)

    def get_detail_queryset(self) -> QuerySet[M]:
        """Return the rows with everything that a response shows of them."""
        return self.get_queryset()

    def get_detail_row(self, pk: int) -> M:
        """Read one of these rows.

        :raises ObjectDoesNotExist: if it is not there, or not visible to the caller
        """
        row = None
        if self.detail_query is not None and self.may_see_every_row():
            row = self.detail_query.first(pk)
        return self.get_detail_queryset().get(pk=pk) if row is None else row

    def lock(self, row: M) -> None:
        """Keep others from writing a row until the transaction ends."""
        lock_row(row)

    def read_detail(self, pk: int) -> Any:
        """Read a row and show it as its own address does, whatever the action."""
        return self.serialize_detail(self.get_detail_row(pk))

    def serialize_detail(self, row: M) -> Mapping[str, Any]:
        """Show a row, with the sections that other apps add to it."""
        context = self.get_serializer_context()
        detail = type(self).serializer_class(row, context=context).data  # type: ignore[misc]
        return add_sections(row, detail, context)

    def detail_response(
        self, pk: int, status_code: int = status.HTTP_200_OK
    ) -> Response:
        """Return a response with the row as the database has it now."""
        return response_with_etag(self.read_detail(pk), status_code)


class ListMixin(mixins.ListModelMixin):
    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        named = self.list_queries.get(filters_asked_for(request))
        if named is None or not self.may_see_every_row():
            return super().list(request, *args, **kwargs)
        serializer = self.get_serializer(self.paginate_queryset(named), many=True)
        return self.get_paginated_response(serializer.data)  # type: ignore[no-any-return]


def filters_asked_for(request: Request) -> str:
    """Return the query string without what only names a page."""
    asked = [
        (name, value)
        for name, values in request.query_params.lists()
        if name not in PAGE_PARAMETERS
        for value in values
    ]
    return urlencode(asked)


class CreateMixin(mixins.CreateModelMixin):
    @atomic_write
    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        save_or_raise_validation_error(self.perform_create, serializer)
        return self.detail_response(serializer.instance.pk, status.HTTP_201_CREATED)  # type: ignore[no-any-return]


class RetrieveMixin(mixins.RetrieveModelMixin):
    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        detail = self.serialize_detail(self.get_object())
        return not_modified_if_matches(request, response_with_etag(detail))


class UpdateMixin(mixins.UpdateModelMixin):
    @atomic_write
    def update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields that were sent; PUT and PATCH mean the same."""
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        save_or_raise_validation_error(self.perform_update, serializer)
        return self.detail_response(row.pk)  # type: ignore[no-any-return]

    @atomic_write
    def partial_update(
        self: Any, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        return self.update(request, *args, **kwargs)  # type: ignore[no-any-return]

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        assert serializer.instance is not None
        save_changes(serializer.instance, serializer.validated_data)


class DestroyMixin(mixins.DestroyModelMixin):
    @atomic_write
    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.perform_destroy(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ShopModelViewSet(
    CreateMixin,
    RetrieveMixin,
    UpdateMixin,
    DestroyMixin,
    ListMixin,
    ShopViewSet[M],
):
    """List, create, retrieve, update and delete."""
