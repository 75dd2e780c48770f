"""Base classes of all model admins and of the rows below them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

from django.contrib import messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from unfold.admin import TabularInline

from mechanic_shop.core.search_text import match_words, split_words
from mechanic_shop.core.transactions import run_with_retries

from .atomic_views import AtomicModelAdmin
from .double_submit import AlreadySubmitted, FormToken
from .edit_conflicts import EditConflictMixin
from .error_messages import REJECTIONS, message_for
from .field_permissions import FieldPermissionsMixin
from .forms import PreloadedSelect, ReadOnlyFormSet, ShopInlineFormSet
from .period_filter import PARTS, needs_time_zone_tables
from .read_only import ReadOnlyAdminMixin
from .rejected_forms import (
    DialogRejected,
    RejectedFormMixin,
    RejectedPageMixin,
)
from .selects import ChoicesMixin
from .typed_fields import NUMBER_FIELDS, TypedFieldsMixin

#: Characters in the values of a list's filters and order; each may be a condition.
MAX_FILTERS_LENGTH = 500
#: In the address of a form: the page that follows after it is saved.
BACK_VAR = "_back"


class Badge(NamedTuple):
    """A word on one of unfold's colors, such as ``success`` or ``danger``."""

    text: str
    color: str


class PreloadedSelectMixin:
    def formfield_for_foreignkey(
        self: Any, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = PreloadedSelect(db_field, self.admin_site)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        model, offered = db_field.related_model, None
        if self.admin_site.is_registered(model):
            offered = self.admin_site.get_model_admin(model)
        if field is not None and isinstance(offered, ChoicesMixin):
            field.label_from_instance = partial(offered.get_choice_label, request)
            if related := offered.choice_select_related:
                field.queryset = field.queryset.select_related(*related)
        return field


class ShopModelAdmin(
    ChoicesMixin,
    FieldPermissionsMixin,
    RejectedPageMixin,
    EditConflictMixin,
    PreloadedSelectMixin,
    TypedFieldsMixin,
    AtomicModelAdmin,
):
    """A model's admin; it shows rejected changes as messages, not as error pages."""

    class Media:
        js = ("back_office/once.js", "back_office/offers.js")

    #: True where a service decides on deletes; its messages are better than PROTECT's.
    deletes_through_service: ClassVar[bool] = False

    list_per_page = 50
    formfield_overrides = NUMBER_FIELDS

    #: What ``register_badge`` has added.
    badges: ClassVar[tuple[Callable[[HttpRequest, Any], Badge | None], ...]] = ()

    #: The time by which a list is narrowed to years, months and days.
    drill_down: ClassVar[str | None] = None

    list_before_template = "back_office/drill_down.html"

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

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Reject filters that a database without time zone tables answers wrongly."""
        filters = {f"{item}__{part}" for item in self.list_filter for part in PARTS}
        if lookup not in filters and needs_time_zone_tables(self.model, lookup):
            return False
        return super().lookup_allowed(lookup, value, request)

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
        response: HttpResponse = super().render_change_form(
            request, context, *args, obj=obj, **kwargs
        )
        return response

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """:raises BadRequest: if filters and order have absurdly many values"""
        if _length_of_filters(request) > MAX_FILTERS_LENGTH:
            raise BadRequest("The address of this list is too long.")
        page = super().get_changelist_instance(request)
        if not page.is_popup:
            page.title = capfirst(self.opts.verbose_name_plural)
        return page

    def response_post_save_change(
        self, request: HttpRequest, obj: Any
    ) -> HttpResponseRedirect:
        """Return to the page that asked for it with ``?_back=``, on this site only."""
        back = request.GET.get(BACK_VAR, "")
        if back.startswith("/") and url_has_allowed_host_and_scheme(back, None):
            return HttpResponseRedirect(back)
        response: HttpResponseRedirect = super().response_post_save_change(request, obj)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find rows that have every word in one of the ``search_fields``.

        See ``match_words``. A text that is longer than a search may be finds nothing.
        """
        try:
            words = split_words(search_term)
        except ValidationError as error:
            if "term" not in request.GET:  # as selects ask, where no message is shown
                self.message_user(request, error.message, messages.WARNING)
            return queryset.none(), False
        if not words:
            return queryset, False
        return queryset.filter(match_words(words, *self.search_fields)), False

    def run_service(
        self, request: HttpRequest, object_id: str, service: Callable[[Any], str]
    ) -> HttpResponse:
        """Run a dialog's service on its row and redirect to the row's page.

        ``service`` gets the row and returns the message that is shown and logged.

        :raises DialogRejected: if it is rejected in an open dialog, which shows it
        """
        page = self.change_url(self.get_visible_object(request, object_id))
        token = FormToken(request)

        @transaction.atomic
        def run_and_log() -> str:
            token.lock()
            # Read again by each retry: an earlier one may have changed the object.
            obj = self.get_visible_object(request, object_id)
            message = service(obj)
            self.log_change(request, obj, message)
            token.mark_used(page)
            return message

        try:
            message = run_with_retries(run_and_log)
        except AlreadySubmitted as done:
            self.message_user(request, str(done), messages.INFO)
        except REJECTIONS as error:
            if request.headers.get("HX-Request"):
                raise DialogRejected(error) from error
            self.message_user(request, message_for(error), messages.ERROR)
        else:
            self.message_user(request, message, messages.SUCCESS)
        return _redirect(request, page)

    def get_visible_object(self, request: HttpRequest, object_id: str) -> Any:
        """:raises PermissionDenied: if the user may not view it"""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj

    def change_url(self, obj: Model) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[obj.pk])

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Any, Any]
    ) -> None:
        """Delete each row by ``delete_model``, as a single one is deleted."""
        for obj in queryset:
            if not self.has_delete_permission(request, obj):
                raise PermissionDenied
            self.delete_model(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List what is deleted too; only the row itself needs the delete permission.

        Ledgers and timelines are read-only, which must not prevent the delete.
        """
        gone, counts, _, protected = super().get_deleted_objects(objs, request)
        return gone, counts, set(), [] if self.deletes_through_service else protected


def _length_of_filters(request: HttpRequest) -> int:
    """Return the length of what follows the ``?``, without the text of a search."""
    return sum(
        len(name) + len(value)
        for name, values in request.GET.lists()
        for value in values
        if name != SEARCH_VAR
    )


def _redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect from a dialog: by a header for htmx, without scripts as usual."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


class ShopInline(
    FieldPermissionsMixin,
    RejectedFormMixin,
    PreloadedSelectMixin,
    TypedFieldsMixin,
    TabularInline,
):
    formset = ShopInlineFormSet
    extra = 0
    hide_title = True
    formfield_overrides = NUMBER_FIELDS

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Remove the add and change buttons beside a select, which need much room."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class ReadOnlyInline(ReadOnlyAdminMixin, ShopInline):
    """Read-only rows, such as a ledger, below the row they belong to."""

    formset = ReadOnlyFormSet
    per_page = 20
    can_delete = False
