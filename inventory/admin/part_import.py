"""Parts from a spreadsheet: upload, look at what it would change, agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from import_export.results import Result, RowResult
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
    ADD,
    ADJUST,
    PartResource,
    PlanChanged,
    carry_out,
    compare,
    fingerprint,
    shown,
)
from inventory.part_import.resource import CHANGE as CHANGE_RIGHT
from mechanic_shop.admin import REFUSALS, ShopModelAdmin, sentence_of, user_of
from mechanic_shop.admin.exporting import WRITERS, as_file
from mechanic_shop.core.transactions import retry

FORMATS = (PartsCSV, PartsXLSX)
ENDINGS = {".csv": "0", ".xlsx": "1"}
SALT = "inventory.import"
MOST_ROWS_SHOWN = 200

KINDS = {
    RowResult.IMPORT_TYPE_NEW: ("New", "success"),
    RowResult.IMPORT_TYPE_UPDATE: ("Change", "info"),
}


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


class Uploads(BaseStorage):
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


@dataclass(frozen=True)
class Upload:
    """A file in its second step, as the signed token tells of it."""

    name: str
    format: str
    user_id: int
    agreed: str

    @classmethod
    def of(cls, request: HttpRequest) -> Upload | None:
        """Read the token of a form; None if it is old, not ours or somebody else's."""
        token = request.POST.get("token", "")
        try:
            words = signing.loads(token, salt=SALT, max_age=PendingImport.PATIENCE)
        except signing.BadSignature:
            return None
        upload = cls(**words)
        return upload if upload.user_id == request.user.pk else None

    @property
    def token(self) -> str:
        return signing.dumps(vars(self), salt=SALT)

    @property
    def file(self) -> Uploads:
        return Uploads(name=self.name)

    def read(self) -> Any:
        """:raises PendingImport.DoesNotExist: if the file is gone"""
        return FORMATS[int(self.format)]().create_dataset(self.file.read())


class PartImport(ImportMixin, ShopModelAdmin):
    """The pages of the import. A plan is shown first, and only that is carried out."""

    import_form_class = UploadForm
    import_template_name = "inventory/import_parts.html"
    import_export_change_list_template = None
    tmp_storage_class = Uploads

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
        may = any(user.has_perm(right) for right in (ADD, CHANGE_RIGHT, ADJUST))
        return may and bool(self.has_view_permission(request))

    def get_import_formats(self) -> list[Any]:
        return list(FORMATS)

    def get_import_resource_classes(self, request: HttpRequest) -> list[Any]:
        return [PartResource]

    def get_import_resource_kwargs(
        self, request: HttpRequest, **kwargs: Any
    ) -> dict[str, Any]:
        return {"user": user_of(request)}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        words = "This file cannot be read. Save it again as .xlsx or as “CSV UTF-8”."
        form.add_error(
            "import_file", str(e) if isinstance(e, UnreadableFile) else words
        )

    def create_confirm_form(
        self, request: HttpRequest, import_form: Any = None
    ) -> None:
        """Have none: the token in the plan's own form says it all."""

    def template_view(self, request: HttpRequest, kind: str) -> FileResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if kind not in WRITERS:
            raise Http404
        headings = [column.column_name for column in COLUMNS]
        return as_file(
            "parts-template", kind, headings, [[column.example for column in COLUMNS]]
        )

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Show the form, or what the uploaded file would do."""
        response: TemplateResponse = super().import_action(request, **kwargs)
        context: Any = response.context_data
        context |= PAGE
        file: Any = request.FILES.get("import_file")
        name = getattr(file, "tmp_storage_name", "")
        if result := context.get("result"):
            context |= plan_of(result)
            kind, user_id = ENDINGS[_ending(file)], user_of(request).pk
            context["token"] = Upload(name, kind, user_id, fingerprint(result)).token
        if name and not context.get("can_agree"):
            Uploads(name=name).remove()
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Carry out the plan that the person saw, or show what became of it."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        upload = Upload.of(request)
        try:
            dataset = upload and upload.read()
        except PendingImport.DoesNotExist:
            dataset = None
        if upload is None or dataset is None:
            return self._start_over(request, "Upload the file once more.")
        try:
            result = retry(partial(self._carry_out, request, dataset, upload))
        except PlanChanged:
            return self._show_again(request, dataset, upload)
        except REFUSALS as refusal:
            return self._start_over(request, sentence_of(refusal))
        upload.file.remove()
        self.message_user(request, summary_of(result), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:inventory_part_changelist"))

    def _carry_out(self, request: HttpRequest, dataset: Any, upload: Upload) -> Result:
        with transaction.atomic():
            user = user_of(request)
            result = carry_out(dataset, by=user, agreed=upload.agreed)
            for flag, kind in ((ADDITION, "new"), (CHANGE, "update")):
                parts = [row.instance for row in result.rows if row.import_type == kind]
                if parts:
                    LogEntry.objects.log_actions(
                        user.pk, parts, flag, change_message="Imported from a file."
                    )
        return result

    def _start_over(self, request: HttpRequest, words: str) -> HttpResponse:
        self.message_user(request, words, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:inventory_part_import"))

    def _show_again(
        self, request: HttpRequest, dataset: Any, upload: Upload
    ) -> HttpResponse:
        """Ask once more: the shop went on while the person looked at the plan."""
        result = compare(dataset, user=user_of(request))
        again = replace(upload, agreed=fingerprint(result))
        context = {
            **self.admin_site.each_context(request),
            **PAGE,
            **plan_of(result),
            "form": self.create_import_form(request),
            "opts": self.opts,
            "token": again.token,
            "has_changed": True,
        }
        return TemplateResponse(request, self.import_template_name, context)


def _ending(file: Any) -> str:
    return Path(file.name).suffix.lower()


def plan_of(result: Result) -> dict[str, Any]:
    """Put into words what a file would do."""
    rows = [row for row in result.rows if row.import_type in KINDS]
    problems = list(problems_of(result))
    refusals = [str(error.error) for error in result.base_errors]
    return {
        "result": result,
        "rows": [described(row) for row in rows[:MOST_ROWS_SHOWN]],
        "more_rows": max(len(rows) - MOST_ROWS_SHOWN, 0),
        "row_count": len(rows),
        "problems": problems[:MOST_ROWS_SHOWN],
        "more_problems": max(len(problems) - MOST_ROWS_SHOWN, 0),
        "refusals": refusals,
        "can_agree": bool(rows) and not problems and not refusals,
        "tiles": (
            ("New parts", result.totals["new"]),
            ("Changed parts", result.totals["update"]),
            ("Stock counts", len(counted_in(result))),
            ("Unchanged", result.totals["skip"]),
            ("Rows with mistakes", len(result.invalid_rows)),
        ),
    }


def problems_of(result: Result) -> Iterator[dict[str, Any]]:
    """Name row, column and value of each mistake."""
    headings = {column.attribute: column.column_name for column in COLUMNS}
    for row in result.invalid_rows:
        values = dict(zip(result.diff_headers, row.values, strict=True))
        for name, sentences in row.error_dict.items():
            heading = headings.get(name, "")
            value = values.get(heading, "")
            for sentence in sentences:
                yield {
                    "row": row.number,
                    "column": heading,
                    "value": value,
                    "words": sentence,
                }


def described(row: RowResult) -> dict[str, Any]:
    title, variant = KINDS[row.import_type]
    return {
        "number": row.number,
        "kind": title,
        "variant": variant,
        "part": row.instance,
        "cells": [
            {
                "heading": change.heading,
                "old": shown(name, change.old),
                "new": shown(name, change.new),
            }
            for name, change in row.changes.items()
            # Of a new part, number and name stand beside it, and nothing is no news.
            if row.is_update()
            or (change.new != "" and name not in {"part_number", "name"})
        ],
    }


def counted_in(result: Result) -> list[RowResult]:
    """List the rows that put another quantity on a shelf that is there already."""
    return [
        row
        for row in result.rows
        if row.is_update() and "quantity_in_stock" in row.changes
    ]


def summary_of(result: Result) -> str:
    totals = result.totals
    return (
        f"Import finished: {totals['new']:,} parts added, {totals['update']:,} changed"
        f" ({len(counted_in(result)):,} stock counts), {totals['skip']:,} unchanged."
    )


PAGE = {
    "title": "Import parts",
    "columns": COLUMNS,
    "max_rows": MAX_ROWS,
    "max_megabytes": MAX_FILE_BYTES // 1024**2,
}
