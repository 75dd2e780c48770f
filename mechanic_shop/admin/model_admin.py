"""The pages of a model: refusals are sentences, nothing is left half done."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from django.contrib import messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline

from mechanic_shop.core.transactions import retry

from .double_submit import DoneAlready, Once, fresh_key, took_effect
from .edit_conflicts import TellsNewerChanges, newer_change_of
from .error_messages import REFUSALS, sentence_of
from .field_permissions import GuardedFields
from .forms import KnownSelect
from .read_only import ReadOnly


class Badge(NamedTuple):
    """A word on a color: one of unfold's, such as ``success`` or ``danger``."""

    text: str
    color: str


class ShopModelAdmin(GuardedFields, TellsNewerChanges, ModelAdmin):
    """A model's pages, on which a refused change is a sentence and no error page."""

    class Media:
        js = ("back_office/once.js",)

    #: True where a service decides on deletes; it says no in better words than PROTECT.
    deletes_through_service: ClassVar[bool] = False

    list_per_page = 50

    #: What ``register_badge`` has added.
    badges: ClassVar[tuple[Callable[[HttpRequest, Any], Badge | None], ...]] = ()

    change_form_outer_before_template: ClassVar[str | None] = "back_office/badges.html"

    @classmethod
    def register_inline(cls, inline: type[InlineModelAdmin]) -> None:
        """Show rows of another app below this model's, whose app does not know it.

        With ``tab = True`` they have a tab of their own.
        """
        cls.inlines = (*cls.inlines, inline)

    @classmethod
    def register_button(cls, button: Callable[..., Any]) -> None:
        """Add a button of another app to the pages of rows; ``dialog`` makes one.

        ``button`` is a method: it gets this admin, the request, the dialog's form and
        the row's id.
        """
        setattr(cls, button.__name__, button)
        cls.actions_detail = (*cls.actions_detail, button.__name__)

    @classmethod
    def register_badge(cls, badge: Callable[[HttpRequest, Any], Badge | None]) -> None:
        """Add a word on a color to the pages of rows.

        ``badge`` gets the request and the row; it returns None where there is none.
        """
        cls.badges = (*cls.badges, badge)

    @classmethod
    def register_page(
        cls, route: str, name: str, view: Callable[..., HttpResponse]
    ) -> None:
        """Add a page of another app below this model's address.

        ``view`` gets the request and ``model_admin``, behind the site's own guard.
        """
        cls.custom_urls = (*cls.custom_urls, (route, name, view))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Any = None,
        **kwargs: Any,
    ) -> HttpResponse:
        if obj is not None:
            found = (badge(request, obj) for badge in self.badges)
            context["badges"] = [badge for badge in found if badge]
        answer: HttpResponse = super().render_change_form(
            request, context, *args, obj=obj, **kwargs
        )
        return answer

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self.all_or_nothing(
            request, self._marked_form, object_id, form_url, extra_context
        )

    def _marked_form(
        self,
        request: HttpRequest,
        object_id: str | None,
        form_url: str,
        extra_context: dict[str, Any] | None,
    ) -> HttpResponse:
        marks = {"once_key": fresh_key(), **self.marks(request, object_id)}
        answer: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), **marks}
        )
        if newer_change_of(request):
            answer.status_code = HTTPStatus.CONFLICT
        return answer

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
        once = Once(request)
        try:
            return retry(lambda: _undivided(request, once, view, *args, **kwargs))
        except DoneAlready as done:
            self.message_user(request, str(done), messages.INFO)
            return HttpResponseRedirect(done.location or request.get_full_path())
        except REFUSALS as refusal:
            self.message_user(request, sentence_of(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def carry_out(
        self, request: HttpRequest, object_id: str, verb: Callable[[Any], str]
    ) -> HttpResponse:
        """Run the verb of a dialog on its row and return to the row's page.

        ``verb`` returns the sentence that says what was done.
        """
        page = self.page_of(self.object_in_sight(request, object_id))
        once = Once(request)

        @transaction.atomic
        def carry_out_and_log() -> str:
            once.begin()
            # Read anew by each try: an earlier one has left its marks on the object.
            obj = self.object_in_sight(request, object_id)
            said = verb(obj)
            self.log_change(request, obj, said)
            once.end(page)
            return said

        try:
            said = retry(carry_out_and_log)
        except DoneAlready as done:
            self.message_user(request, str(done), messages.INFO)
        except REFUSALS as refusal:
            self.message_user(request, sentence_of(refusal), messages.ERROR)
        else:
            self.message_user(request, said, messages.SUCCESS)
        return _go_to(request, page)

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
    request: HttpRequest,
    once: Once,
    view: Callable[..., HttpResponse],
    *args: Any,
    **kwargs: Any,
) -> HttpResponse:
    try:
        with transaction.atomic():
            once.begin()
            answer = view(request, *args, **kwargs)
            if took_effect(answer):
                once.end(answer.get("Location", ""))
            return answer
    except Exception:
        # What the view wanted to say did not happen.
        vars(messages.get_messages(request))["_queued_messages"] = []
        raise


def _go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Leave a dialog: htmx follows a header, a browser without scripts a redirect."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


class ShopInline(GuardedFields, TabularInline):
    extra = 0
    hide_title = True

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = KnownSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

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
