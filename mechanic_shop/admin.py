"""What every page of the back office shares.

The services decide what may happen. This module sees to it that what they refuse is
told in words, that nothing half done stays behind, and that nobody is shown a field
they may not see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from rest_framework.exceptions import APIException
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from mechanic_shop.accounts.models import User
from mechanic_shop.api.errors import Conflict
from mechanic_shop.api.transactions import retry

F = TypeVar("F", bound=Callable[..., Any])

#: What a service or the database raises to say no.
REFUSALS = (Conflict, APIException, IntegrityError)


def user_of(request: HttpRequest) -> User:
    """Return who is signed in; the admin site lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def sentence_of(refusal: Exception) -> str:
    """Put a refusal into words for the person in front of the screen."""
    if isinstance(refusal, Conflict):
        return refusal.message
    if isinstance(refusal, APIException):
        return " ".join(_sentences_in(refusal.detail))
    return "Somebody changed this just now. Try again."


def _sentences_in(detail: Any) -> list[str]:
    if isinstance(detail, Mapping):
        detail = list(detail.values())
    if isinstance(detail, list):
        return [sentence for item in detail for sentence in _sentences_in(item)]
    return [str(detail)]


def changes_of(obj: Model, form: forms.ModelForm) -> dict[str, Any]:
    """Collect what a form changed, as the model's own ``clean`` left it."""
    return {name: getattr(obj, name) for name in form.changed_data}


def become(obj: Model, saved: Model) -> None:
    """Make a form's instance the row that a service saved, for what comes after."""
    vars(obj).update(vars(saved))


def colored(
    description: str, colors: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[F], F]:
    """Show the word in a column on its color."""
    show: Callable[[F], F] = display(
        description=description, ordering=ordering, label=dict(colors)
    )
    return show


def dialog(
    description: str,
    *,
    icon: str,
    permission: str,
    title: str,
    text: str = "",
    submit: str = "Yes",
    form: type[forms.Form] = BaseDialogForm,
    variant: ActionVariant = ActionVariant.DEFAULT,
) -> Callable[[F], F]:
    """Put a button on a row's page that asks before it acts.

    A bare link would act on GET, past the protection against forged requests.
    ``permission`` names the method ``has_<permission>_permission``.
    """
    ask: Callable[[F], F] = action(
        description=description,
        icon=icon,
        variant=variant,
        permissions=[permission],
        dialog={
            "title": title,
            "description": text,
            "form_class": form,
            "form_submit_text": submit,
        },
    )
    return ask


class CentsField(forms.DecimalField):
    """An amount typed in whole currency units and kept in cents."""

    def __init__(self, *, max_cents: int, **kwargs: Any) -> None:
        super().__init__(
            min_value=Decimal(0),
            max_value=Decimal(max_cents) / 100,
            decimal_places=2,
            widget=UnfoldAdminDecimalFieldWidget,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 100:.2f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = Decimal(initial) / 100 if isinstance(initial, int) else initial
        return super().has_changed(before, data)


class GuardedFields:
    """Leave out what the person may not see: columns, fields, filters in the URL."""

    #: Fields and columns, and the permission without which they are hidden.
    guarded_fields: ClassVar[dict[str, str]] = {}

    def hidden_from(self, request: HttpRequest) -> set[str]:
        return {
            name
            for name, permission in self.guarded_fields.items()
            if not user_of(request).has_perm(permission)
        }

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)  # type: ignore[misc]
        hidden = self.hidden_from(request)
        return [column for column in columns if column not in hidden]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        hidden = self.hidden_from(request)
        return [
            (title, {**options, "fields": without(options["fields"], hidden)})
            for title, options in fieldsets
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse to filter by what is hidden: a filter tells the value bit by bit."""
        if lookup.split("__")[0] in self.hidden_from(request):
            return False
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]
        return allowed


def without(fields: Any, hidden: set[str]) -> list[Any]:
    """Drop names from the fields of a fieldset, also from its lines of several."""
    kept = [
        without(field, hidden) if isinstance(field, list | tuple) else field
        for field in fields
    ]
    return [
        field for field in kept if not isinstance(field, str) or field not in hidden
    ]


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


def may(permission: str) -> Callable[[HttpRequest], bool]:
    """Make a check of one permission for an entry of the sidebar."""

    def check(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return check


# Named in ``settings.UNFOLD`` by their dotted paths.
may_view_tickets = may("tickets.view_serviceticket")
may_view_mechanics = may("mechanics.view_mechanic")
may_view_customers = may("customers.view_customer")
may_view_vehicles = may("customers.view_vehicle")
may_view_parts = may("inventory.view_part")
may_view_movements = may("inventory.view_stockmovement")
may_view_users = may("accounts.view_user")
may_view_groups = may("auth.view_group")
may_view_sessions = may("accounts.view_session")
