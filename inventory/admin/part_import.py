"""Import of parts from a spreadsheet: upload, review the plan, confirm."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from import_export.admin import ImportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.tmp_storages import BaseStorage
from unfold.contrib.import_export.forms import ImportForm
from unfold.enums import ActionVariant

from inventory.models import PendingImport
from inventory.part_import.fields import COLUMNS, HEADINGS
from inventory.part_import.resource import (
    PERMISSION_ERRORS,
    PartImportResult,
    PartResource,
    PlanChanged,
)
from mechanic_shop.accounts.models import User
from mechanic_shop.admin import REJECTIONS, ShopModelAdmin, message_for, user_of
from mechanic_shop.admin.export import WRITERS, file_response
from mechanic_shop.core.transactions import run_with_retries
from mechanic_shop.core.uploads import allow_uploads
from mechanic_shop.spreadsheets.cells import MAX_FILE_BYTES, MAX_ROWS, UnreadableFile
from mechanic_shop.spreadsheets.tables import read_table


class PartsCSV(CSV):
    """Text with commas, semicolons or tabs between the cells."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        return read_table(in_stream, ".csv", HEADINGS)

    def get_read_mode(self) -> str:
        return "rb"

    def is_binary(self) -> bool:
        """Read bytes, so that a wrong encoding is noticed here."""
        return True


class PartsXLSX(XLSX):
    """The first sheet of a workbook."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        return read_table(in_stream, ".xlsx", HEADINGS)


FORMATS = (PartsCSV, PartsXLSX)
SUFFIXES = {".csv": "0", ".xlsx": "1"}
MAX_ROWS_SHOWN = 200


class UploadForm(ImportForm):
    """A file upload; the suffix of the name decides the format."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].label = "CSV or Excel file"
        self.fields["import_file"].widget.attrs["accept"] = ",".join(SUFFIXES)

    @property
    def media(self) -> forms.Media:
        return forms.Media()

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if Path(file.name).suffix.lower() not in SUFFIXES:
            raise forms.ValidationError("Choose a file that ends in .csv or .xlsx.")
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB. Split it into"
                " several."
            )
        return file

    def clean(self) -> dict[str, Any]:
        if file := self.cleaned_data.get("import_file"):
            suffix = Path(file.name).suffix.lower()
            self.cleaned_data["format"] = SUFFIXES[suffix]
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned


class DatabaseStorage(BaseStorage):
    """Keep an uploaded file in the database between the two steps."""

    name: str

    def save(self, data: bytes) -> None:
        PendingImport.objects.expired().delete()
        self.name = PendingImport.objects.create(content=data).name

    def read(self) -> bytes:
        """:raises PendingImport.DoesNotExist: if the file is gone"""
        return bytes(PendingImport.objects.get(name=self.name).content)

    def remove(self) -> None:
        PendingImport.objects.filter(name=self.name).delete()


class ConfirmationForm(forms.Form):
    """The confirmation of an uploaded file and of the plan that was shown for it.

    The token is signed for one user: nobody can confirm a plan that was not shown, or
    that was shown to somebody else.
    """

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salt = f"inventory.part_import:{user.pk}"

    def sign(self, confirmed: str) -> None:
        """Put the form's initial data and the plan's fingerprint into the token."""
        data = {**self.initial, "confirmed": confirmed}
        self.initial = {"token": signing.dumps(data, salt=self.salt)}

    def clean(self) -> dict[str, Any]:
        """Read the signed data.

        :raises forms.ValidationError: if it has expired or the signature is wrong
        """
        token = self.cleaned_data.get("token", "")
        max_age = PendingImport.EXPIRES_AFTER
        try:
            data: dict[str, Any] = signing.loads(token, salt=self.salt, max_age=max_age)
        except signing.BadSignature as error:
            raise forms.ValidationError("Upload the file once more.") from error
        return data


class PartImportMixin(ImportMixin, ShopModelAdmin):
    """The pages of the import: it shows a plan first and imports exactly that plan."""

    resource_classes = (PartResource,)
    import_formats = FORMATS
    import_form_class = UploadForm
    confirm_form_class = ConfirmationForm
    import_template_name = "inventory/import_parts.html"
    import_export_change_list_template = None
    tmp_storage_class = DatabaseStorage

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.template_view)
        name = "inventory_part_import_template"
        urls: list[Any] = super().get_urls()
        return [
            path("import/template/<slug:kind>/", view, name=name),
            path("import/", self._upload_view(), name="inventory_part_import"),
            *urls,
        ]

    def _upload_view(self) -> Any:
        view = self.admin_site.admin_view(self.import_action)
        return allow_uploads(view, self.may_upload)

    def may_upload(self, request: HttpRequest) -> bool:
        is_admitted = self.admin_site.has_permission(request)
        return is_admitted and self.has_import_permission(request)

    def get_list_buttons(self, request: HttpRequest) -> list[dict[str, Any]]:
        buttons: list[dict[str, Any]] = super().get_list_buttons(request)
        if not self.has_import_permission(request):
            return buttons
        own = {
            "title": "Import",
            "icon": "upload",
            "path": reverse("admin:inventory_part_import"),
            "variant": ActionVariant.DEFAULT,
        }
        return [own, *buttons]

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Require any permission to write parts; each row is checked for its own."""
        user = user_of(request)
        can_write = any(user.has_perm(code) for code in PERMISSION_ERRORS)
        return can_write and bool(self.has_view_permission(request))

    def template_view(self, request: HttpRequest, kind: str) -> FileResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if kind not in WRITERS:
            raise Http404
        headings = [column.column_name for column in COLUMNS]
        return file_response(
            "parts-template", kind, headings, [[column.example for column in COLUMNS]]
        )

    # --- Hooks of import-export -------------------------------------------------------

    def get_import_resource_kwargs(
        self, request: HttpRequest, *, form: Any, **kwargs: Any
    ) -> dict[str, Any]:
        data = getattr(form, "cleaned_data", {})
        return {"user": user_of(request), "confirmed": data.get("confirmed")}

    def get_confirm_form_kwargs(
        self, request: HttpRequest, import_form: Any = None
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_confirm_form_kwargs(request, import_form)
        return {**kwargs, "user": user_of(request)}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        message = "This file cannot be read. Save it again as .xlsx or as “CSV UTF-8”."
        form.add_error(
            "import_file", str(e) if isinstance(e, UnreadableFile) else message
        )

    def generate_log_entries(
        self, result: PartImportResult, request: HttpRequest
    ) -> None:
        user, message = user_of(request), "Imported from a file."
        for flag, kind in ((ADDITION, "new"), (CHANGE, "update")):
            if parts := [row.instance for row in result if row.import_type == kind]:
                LogEntry.objects.log_actions(
                    user.pk, parts, flag, change_message=message
                )

    def add_success_message(
        self, result: PartImportResult, request: HttpRequest
    ) -> None:
        totals = result.totals
        message = (
            f"Import finished: {totals['new']:,} parts added, {totals['update']:,}"
            f" changed ({result.stock_counts:,} stock counts), {totals['skip']:,}"
            " unchanged."
        )
        self.message_user(request, message, messages.SUCCESS)

    # --- The two steps ----------------------------------------------------------------

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Show the upload form, or the plan for the uploaded file."""
        response: TemplateResponse = super().import_action(request, **kwargs)
        context: Any = response.context_data
        context |= PAGE_CONTEXT
        if result := context.get("result"):
            context |= plan_context(result, context.get("confirm_form"))
        name = getattr(request.FILES.get("import_file"), "tmp_storage_name", "")
        if name and not context.get("can_confirm"):
            DatabaseStorage(name=name).remove()
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import the confirmed plan, or show the new plan if it has changed."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if not form.is_valid():
            return self._start_over(request, "Upload the file once more.")
        try:
            result = run_with_retries(partial(self._import_confirmed, request, form))
        except PendingImport.DoesNotExist:
            return self._start_over(request, "Upload the file once more.")
        except PlanChanged as changed:
            return self._show_again(request, form, changed.result)
        except REJECTIONS as error:
            return self._start_over(request, message_for(error))
        self.add_success_message(result, request)
        return HttpResponseRedirect(reverse("admin:inventory_part_changelist"))

    @transaction.atomic
    def _import_confirmed(
        self, request: HttpRequest, form: ConfirmationForm
    ) -> PartImportResult:
        """Import the rows, log the import and delete the file, in one transaction.

        :raises PendingImport.DoesNotExist: if the file is gone
        :raises PlanChanged: if the file would now change something else
        """
        file = DatabaseStorage(name=form.cleaned_data["import_file_name"])
        reader = FORMATS[int(form.cleaned_data["format"])]()
        dataset = reader.create_dataset(file.read())
        result: PartImportResult = self.process_dataset(dataset, form, request)
        self.generate_log_entries(result, request)
        file.remove()
        return result

    def _start_over(self, request: HttpRequest, message: str) -> HttpResponse:
        self.message_user(request, message, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:inventory_part_import"))

    def _show_again(
        self, request: HttpRequest, form: ConfirmationForm, result: PartImportResult
    ) -> HttpResponse:
        """Show the new plan: the parts have changed since the first one was shown."""
        again = ConfirmationForm(user=user_of(request), initial=form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            **PAGE_CONTEXT,
            **plan_context(result, again),
            "opts": self.opts,
            "has_changed": True,
        }
        return TemplateResponse(request, self.import_template_name, context)


def plan_context(
    result: PartImportResult, form: ConfirmationForm | None
) -> dict[str, Any]:
    """Return the template context of a plan, and sign the form for that plan."""
    rows, problems = result.changed_rows, list(list_problems(result))
    can_confirm = bool(form and rows and result.is_valid)
    if form and can_confirm:
        form.sign(result.fingerprint)
    return {
        "result": result,
        "rows": rows[:MAX_ROWS_SHOWN],
        "more_rows": max(len(rows) - MAX_ROWS_SHOWN, 0),
        "row_count": len(rows),
        "problems": problems[:MAX_ROWS_SHOWN],
        "more_problems": max(len(problems) - MAX_ROWS_SHOWN, 0),
        "rejections": result.rejections,
        "can_confirm": can_confirm,
        "confirm_form": form,
        "tiles": (
            ("New parts", result.totals["new"]),
            ("Changed parts", result.totals["update"]),
            ("Stock counts", result.stock_counts),
            ("Unchanged", result.totals["skip"]),
            ("Rows with mistakes", len(result.invalid_rows)),
        ),
    }


def list_problems(result: PartImportResult) -> Iterator[dict[str, Any]]:
    """Name row, column and value of each mistake."""
    headings = {column.attribute: column.column_name for column in COLUMNS}
    for row in result.invalid_rows:
        values = dict(zip(result.diff_headers, row.values, strict=True))
        for name, messages_of_field in row.error_dict.items():
            heading = headings.get(name, "")
            for message in messages_of_field:
                yield {
                    "row": row.number,
                    "column": heading,
                    "value": values.get(heading, ""),
                    "message": message,
                }


PAGE_CONTEXT = {
    "title": "Import parts",
    "columns": COLUMNS,
    "max_rows": MAX_ROWS,
    "max_megabytes": MAX_FILE_BYTES // 1024**2,
}
