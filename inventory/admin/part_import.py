"""Parts from a spreadsheet: upload, look at what it would change, agree."""

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
from import_export.tmp_storages import BaseStorage
from unfold.contrib.import_export.forms import ImportForm
from unfold.enums import ActionVariant

from inventory.models import PendingImport
from inventory.part_import.fields import COLUMNS
from inventory.part_import.readers import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    PartsCSV,
    PartsXLSX,
    UnreadableFile,
)
from inventory.part_import.resource import (
    MISSING,
    PartImportResult,
    PartResource,
    PlanChanged,
)
from mechanic_shop.accounts.models import User
from mechanic_shop.admin import REJECTIONS, ShopModelAdmin, message_for, user_of
from mechanic_shop.admin.export import WRITERS, file_response
from mechanic_shop.core.transactions import retry

FORMATS = (PartsCSV, PartsXLSX)
ENDINGS = {".csv": "0", ".xlsx": "1"}
MOST_ROWS_SHOWN = 200


class UploadForm(ImportForm):
    """A file; its name tells the format."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].label = "CSV or Excel file"
        self.fields["import_file"].widget.attrs["accept"] = ",".join(ENDINGS)

    @property
    def media(self) -> forms.Media:
        return forms.Media()

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if Path(file.name).suffix.lower() not in ENDINGS:
            raise forms.ValidationError("Choose a file that ends in .csv or .xlsx.")
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB. Split it into"
                " several."
            )
        return file

    def clean(self) -> dict[str, Any]:
        if file := self.cleaned_data.get("import_file"):
            ending = Path(file.name).suffix.lower()
            self.cleaned_data["format"] = ENDINGS[ending]
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned


class DatabaseStorage(BaseStorage):
    """Where a file waits for the second step, under a name that it gets here."""

    name: str

    def save(self, data: bytes) -> None:
        PendingImport.objects.too_old().delete()
        self.name = PendingImport.objects.create(content=data).name

    def read(self) -> bytes:
        """:raises PendingImport.DoesNotExist: if the file is gone"""
        return bytes(PendingImport.objects.get(name=self.name).content)

    def remove(self) -> None:
        PendingImport.objects.filter(name=self.name).delete()


class AgreementForm(forms.Form):
    """What somebody agrees to: a file that waits, and what it would do.

    The token is signed for one person, so that nobody agrees to a plan that was not
    shown, or that was shown to somebody else.
    """

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salt = f"inventory.part_import:{user.pk}"

    def sign(self, agreed: str) -> None:
        """Offer what the form was made for, and the fingerprint of its plan."""
        facts = {**self.initial, "agreed": agreed}
        self.initial = {"token": signing.dumps(facts, salt=self.salt)}

    def clean(self) -> dict[str, Any]:
        """Read the facts that were signed.

        :raises forms.ValidationError: if they are old, not ours or somebody else's
        """
        token = self.cleaned_data.get("token", "")
        max_age = PendingImport.PATIENCE
        try:
            facts: dict[str, Any] = signing.loads(
                token, salt=self.salt, max_age=max_age
            )
        except signing.BadSignature as error:
            raise forms.ValidationError("Upload the file once more.") from error
        return facts


class PartImport(ImportMixin, ShopModelAdmin):
    """The pages of the import. A plan is shown first, and only that is carried out."""

    resource_classes = (PartResource,)
    import_formats = FORMATS
    import_form_class = UploadForm
    confirm_form_class = AgreementForm
    import_template_name = "inventory/import_parts.html"
    import_export_change_list_template = None
    tmp_storage_class = DatabaseStorage

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.template_view)
        name = "inventory_part_import_template"
        urls: list[Any] = super().get_urls()
        return [path("import/template/<slug:kind>/", view, name=name), *urls]

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
        """Let in who may write any of it; the rows are asked about one by one."""
        user = user_of(request)
        may = any(user.has_perm(code) for code in MISSING)
        return may and bool(self.has_view_permission(request))

    def template_view(self, request: HttpRequest, kind: str) -> FileResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if kind not in WRITERS:
            raise Http404
        headings = [column.column_name for column in COLUMNS]
        return file_response(
            "parts-template", kind, headings, [[column.example for column in COLUMNS]]
        )

    # --- What import-export asks for on the way ---------------------------------------

    def get_import_resource_kwargs(
        self, request: HttpRequest, *, form: Any, **kwargs: Any
    ) -> dict[str, Any]:
        facts = getattr(form, "cleaned_data", {})
        return {"user": user_of(request), "agreed": facts.get("agreed")}

    def get_confirm_form_kwargs(
        self, request: HttpRequest, import_form: Any = None
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_confirm_form_kwargs(request, import_form)
        return {**kwargs, "user": user_of(request)}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        words = "This file cannot be read. Save it again as .xlsx or as “CSV UTF-8”."
        form.add_error(
            "import_file", str(e) if isinstance(e, UnreadableFile) else words
        )

    def generate_log_entries(
        self, result: PartImportResult, request: HttpRequest
    ) -> None:
        user, words = user_of(request), "Imported from a file."
        for flag, kind in ((ADDITION, "new"), (CHANGE, "update")):
            if parts := [row.instance for row in result if row.import_type == kind]:
                LogEntry.objects.log_actions(user.pk, parts, flag, change_message=words)

    def add_success_message(
        self, result: PartImportResult, request: HttpRequest
    ) -> None:
        totals = result.totals
        words = (
            f"Import finished: {totals['new']:,} parts added, {totals['update']:,}"
            f" changed ({result.stock_counts:,} stock counts), {totals['skip']:,}"
            " unchanged."
        )
        self.message_user(request, words, messages.SUCCESS)

    # --- The two steps ----------------------------------------------------------------

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Show the form, or what the uploaded file would do."""
        response: TemplateResponse = super().import_action(request, **kwargs)
        context: Any = response.context_data
        context |= PAGE
        if result := context.get("result"):
            context |= plan_of(result, context.get("confirm_form"))
        name = getattr(request.FILES.get("import_file"), "tmp_storage_name", "")
        if name and not context.get("can_agree"):
            DatabaseStorage(name=name).remove()
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Carry out the plan that the person saw, or show what became of it."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if not form.is_valid():
            return self._start_over(request, "Upload the file once more.")
        try:
            result = retry(partial(self._import_agreed, request, form))
        except PendingImport.DoesNotExist:
            return self._start_over(request, "Upload the file once more.")
        except PlanChanged as changed:
            return self._show_again(request, form, changed.result)
        except REJECTIONS as refusal:
            return self._start_over(request, message_for(refusal))
        self.add_success_message(result, request)
        return HttpResponseRedirect(reverse("admin:inventory_part_changelist"))

    @transaction.atomic
    def _import_agreed(
        self, request: HttpRequest, form: AgreementForm
    ) -> PartImportResult:
        """Import the rows, log it and drop the file: all of that, or nothing.

        :raises PendingImport.DoesNotExist: if the file is gone
        :raises PlanChanged: if it would do something else by now
        """
        file = DatabaseStorage(name=form.cleaned_data["import_file_name"])
        reader = FORMATS[int(form.cleaned_data["format"])]()
        dataset = reader.create_dataset(file.read())
        result: PartImportResult = self.process_dataset(dataset, form, request)
        self.generate_log_entries(result, request)
        file.remove()
        return result

    def _start_over(self, request: HttpRequest, words: str) -> HttpResponse:
        self.message_user(request, words, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:inventory_part_import"))

    def _show_again(
        self, request: HttpRequest, form: AgreementForm, result: PartImportResult
    ) -> HttpResponse:
        """Ask once more: the shop went on while the person looked at the plan."""
        again = AgreementForm(user=user_of(request), initial=form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            **PAGE,
            **plan_of(result, again),
            "opts": self.opts,
            "has_changed": True,
        }
        return TemplateResponse(request, self.import_template_name, context)


def plan_of(result: PartImportResult, form: AgreementForm | None) -> dict[str, Any]:
    """Put into words what a file would do, and let the person agree to just that."""
    rows, problems = result.changed_rows, list(problems_of(result))
    can_agree = bool(form and rows and result.is_valid)
    if form and can_agree:
        form.sign(result.fingerprint)
    return {
        "result": result,
        "rows": rows[:MOST_ROWS_SHOWN],
        "more_rows": max(len(rows) - MOST_ROWS_SHOWN, 0),
        "row_count": len(rows),
        "problems": problems[:MOST_ROWS_SHOWN],
        "more_problems": max(len(problems) - MOST_ROWS_SHOWN, 0),
        "refusals": result.rejections,
        "can_agree": can_agree,
        "confirm_form": form,
        "tiles": (
            ("New parts", result.totals["new"]),
            ("Changed parts", result.totals["update"]),
            ("Stock counts", result.stock_counts),
            ("Unchanged", result.totals["skip"]),
            ("Rows with mistakes", len(result.invalid_rows)),
        ),
    }


def problems_of(result: PartImportResult) -> Iterator[dict[str, Any]]:
    """Name row, column and value of each mistake."""
    headings = {column.attribute: column.column_name for column in COLUMNS}
    for row in result.invalid_rows:
        values = dict(zip(result.diff_headers, row.values, strict=True))
        for name, sentences in row.error_dict.items():
            heading = headings.get(name, "")
            for sentence in sentences:
                yield {
                    "row": row.number,
                    "column": heading,
                    "value": values.get(heading, ""),
                    "words": sentence,
                }


PAGE = {
    "title": "Import parts",
    "columns": COLUMNS,
    "max_rows": MAX_ROWS,
    "max_megabytes": MAX_FILE_BYTES // 1024**2,
}
