"""The pages of a model: refusals are sentences, nothing is left half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline

from mechanic_shop.api.transactions import retry

from .guarded import GuardedFields
from .words import REFUSALS, sentence_of


class ShopModelAdmin(GuardedFields, ModelAdmin):
    """A model's pages, on which a refused change is a sentence and no error page."""

    #: True where a service decides on deletes; it says no in better words than PROTECT.
    deletes_through_service: ClassVar[bool] = False

    list_per_page = 50

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return self.all_or_nothing(request, super().changeform_view, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return self.all_or_nothing(request, super().delete_view, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return self.all_or_nothing(request, super().changelist_view, *args, **kwargs)

    def all_or_nothing(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponse:
        """Run a view that may write; on a refusal undo it, say why and start over.

        The refusal is caught outside of the transaction: caught inside, the half that
        was done before it would be committed.
        """
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            return retry(lambda: _undivided(request, view, *args, **kwargs))
        except REFUSALS as refusal:
            self.message_user(request, sentence_of(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def carry_out(
        self, request: HttpRequest, object_id: str, verb: Callable[[Any], str]
    ) -> HttpResponse:
        """Run the verb of a dialog on its row and return to the row's page.

        ``verb`` returns the sentence that says what was done.
        """
        obj = self.object_in_sight(request, object_id)

        @transaction.atomic
        def carry_out_and_log() -> str:
            # Read anew by each try: an earlier one has left its marks on the object.
            obj = self.object_in_sight(request, object_id)
            said = verb(obj)
            self.log_change(request, obj, said)
            return said

        try:
            said = retry(carry_out_and_log)
        except REFUSALS as refusal:
            self.message_user(request, sentence_of(refusal), messages.ERROR)
        else:
            self.message_user(request, said, messages.SUCCESS)
        return _go_to(request, self.page_of(obj))

    def object_in_sight(self, request: HttpRequest, object_id: str) -> Any:
        """:raises PermissionDenied: if the person may not see it"""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj

    def page_of(self, obj: Model) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[obj.pk])

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Any, Any]
    ) -> None:
        """Delete each row the way a single one is deleted."""
        for obj in queryset:
            if not self.has_delete_permission(request, obj):
                raise PermissionDenied
            self.delete_model(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List what goes along; the right to delete the row itself is enough.

        Ledgers and timelines are read-only, which must not keep their row alive.
        """
        gone, counts, _, protected = super().get_deleted_objects(objs, request)
        return gone, counts, set(), [] if self.deletes_through_service else protected


def _undivided(
    request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
) -> HttpResponse:
    try:
        with transaction.atomic():
            return view(request, *args, **kwargs)
    except Exception:
        # What the view wanted to say did not happen.
        vars(messages.get_messages(request))["_queued_messages"] = []
        raise


def _go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Leave a dialog: htmx follows a header, a browser without scripts a redirect."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


class ReadOnly:
    """Show rows that only services write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShopInline(GuardedFields, TabularInline):
    extra = 0
    hide_title = True

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Leave out the buttons beside a select; in a table they take a column."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class ReadOnlyInline(ReadOnly, ShopInline):
    """A page of a ledger below the row it belongs to."""

    per_page = 20
    can_delete = False
