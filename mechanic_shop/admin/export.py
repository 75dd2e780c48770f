"""CSV and XLSX export of change lists, limited to the columns a person may see."""

from __future__ import annotations

import csv
import html
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.cell.cell import (  # type: ignore[import-untyped]
    ILLEGAL_CHARACTERS_RE,
)
from openpyxl.styles import Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from unfold.enums import ActionVariant

from mechanic_shop.core.money import format_cents
from mechanic_shop.spreadsheets.formulas import mark
from mechanic_shop.spreadsheets.xlsx_cells import escape

CHUNK_SIZE = 500
COLUMN_WIDTH = 18

Row = list[Any]


class ExportMixin:
    """Add an export to a change list; it keeps the list's filters, search and order.

    Put it to the left of ``ShopModelAdmin``. Override ``get_list_buttons`` to add more
    buttons to the list.
    """

    #: Fields, methods of the admin or functions; the list's own columns if empty.
    export_columns: ClassVar[tuple[Any, ...]] = ()

    def get_export_columns(self, request: HttpRequest) -> list[Any]:
        columns = self.export_columns or self.get_list_display(request)  # type: ignore[attr-defined]
        hidden = self.hidden_from(request)  # type: ignore[attr-defined]
        return [column for column in columns if column not in hidden]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)  # type: ignore[attr-defined]
        urls: list[Any] = super().get_urls()  # type: ignore[misc]
        return [path("export/<slug:kind>/", view, name=self._url_name("export")), *urls]

    def _url_name(self, page: str) -> str:
        opts = self.opts  # type: ignore[attr-defined]
        return f"{opts.app_label}_{opts.model_name}_{page}"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response = super().changelist_view(request, extra_context)  # type: ignore[misc]
        if isinstance(response, TemplateResponse) and response.context_data:
            buttons = response.context_data.get("actions_list") or []
            response.context_data["actions_list"] = [
                *buttons,
                *self.get_list_buttons(request),
            ]
        return response

    def get_list_buttons(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the export button; its links keep the list's filters."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            return []
        return [
            {
                "title": "Export",
                "icon": "download",
                "method_name": "Export",
                "variant": ActionVariant.DEFAULT,
                "items": [self._export_link(request, kind) for kind in WRITERS],
            }
        ]

    def _export_link(self, request: HttpRequest, kind: str) -> dict[str, Any]:
        url = reverse(f"admin:{self._url_name('export')}", args=[kind])
        query = request.GET.urlencode()
        return {
            "title": TITLES[kind],
            "icon": "table_view" if kind == "xlsx" else "csv",
            "path": f"{url}?{query}" if query else url,
            "variant": ActionVariant.DEFAULT,
        }

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse | Any:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if kind not in WRITERS:
            raise Http404
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            name = f"admin:{self._url_name('changelist')}"
            return HttpResponseRedirect(f"{reverse(name)}?e=1")
        columns = self.get_export_columns(request)
        return file_response(
            f"{slugify(self.opts.verbose_name_plural)}-{timezone.localdate()}",  # type: ignore[attr-defined]
            kind,
            [self._heading(column) for column in columns],
            self._export_rows(changelist.queryset, columns),
        )

    def _heading(self, column: Any) -> str:
        me: Any = self
        label: Any = label_for_field(column, me.model, me)
        return capfirst(str(label))

    def _export_rows(
        self, queryset: QuerySet[Any], columns: list[Any]
    ) -> Iterator[Row]:
        """Read the rows in chunks, because a cursor may load the whole result.

        All primary keys are read first, so that rows added meanwhile shift no page.
        """
        keys = list(queryset.prefetch_related(None).values_list("pk", flat=True))
        for start in range(0, len(keys), CHUNK_SIZE):
            some = keys[start : start + CHUNK_SIZE]
            found = queryset.in_bulk(some)
            for row in (found[key] for key in some if key in found):
                yield [self._export_value(column, row) for column in columns]

    def _export_value(self, column: Any, row: Model) -> Any:
        try:
            field, attr, value = lookup_field(column, row, self)  # type: ignore[arg-type]
        except ObjectDoesNotExist:
            return None
        if field is not None:
            return field_value(field, row, value)
        return underlying_value(attr, row, value)


def field_value(field: Field[Any, Any], row: Model, value: Any) -> Any:
    if isinstance(field, ForeignKey):
        return getattr(row, field.name)
    if choices := getattr(field, "flatchoices", None):
        return dict(choices).get(value, value)
    return value


def underlying_value(attr: Any, row: Model, value: Any) -> Any:
    """Return the number or time behind a column that shows it as text.

    So ``1,234.50`` is a number, and all times of a file are written in one way.
    """
    stored = getattr(row, str(getattr(attr, "admin_order_field", "")), None)
    if isinstance(stored, date) and isinstance(value, str):
        return stored
    if type(stored) is not int:
        return value
    if value == format_cents(stored):
        return Decimal(stored).scaleb(-2)
    return stored if value == f"{stored:,}" else value


def cell_value(value: Any) -> Any:
    """Convert a value to text, or to a number or time, which keep their type."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.replace(tzinfo=None, microsecond=0)
    if isinstance(value, int | float | Decimal) or hasattr(value, "isoformat"):
        return value
    return ILLEGAL_CHARACTERS_RE.sub("", cell_text(value))


def cell_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(
            cell_text(part) for part in value if isinstance(part, TEXT_TYPES)
        )
    if isinstance(value, SafeString):
        return html.unescape(strip_tags(value)).strip()
    return str(value)


#: The text in a column of several parts; the other parts are about its looks.
TEXT_TYPES = (str, int, Decimal, Promise)


def file_response(
    name: str, kind: str, headings: Iterable[str], rows: Iterable[Row]
) -> FileResponse:
    """Write a table into a temporary file and return it as a download.

    An error is raised before the response begins, so nobody gets half a list.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        WRITERS[kind](
            file,
            [cell_value(heading) for heading in headings],
            ([cell_value(value) for value in row] for row in rows),
        )
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{name}.{kind}",
        content_type=CONTENT_TYPES[kind],
    )


def write_csv(file: IO[bytes], headings: Row, rows: Iterable[Row]) -> None:
    # Spreadsheets read a file as UTF-8 only if it begins with a byte order mark.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([_marked(value) for value in row] for row in rows)
    text.flush()
    text.detach()


def _marked(value: Any) -> Any:
    """Keep a spreadsheet from running a text; a negative number is no formula."""
    return mark(value) if isinstance(value, str) else value


def write_xlsx(file: IO[bytes], headings: Row, rows: Iterable[Row]) -> None:
    """Write a workbook row by row; in this mode openpyxl keeps no rows in memory."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    sheet.freeze_panes = "A2"
    for number in range(1, len(headings) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = COLUMN_WIDTH
    sheet.append([_bold(sheet, heading) for heading in headings])
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    book.save(file)


def _xlsx_cell(sheet: Any, value: Any) -> Any:
    """Write text as text, even if it looks like a formula or an error value."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, escape(value))
    cell.data_type = "s"
    return cell


def _bold(sheet: Any, heading: str) -> Any:
    cell = WriteOnlyCell(sheet, heading)
    cell.font = Font(bold=True)
    return cell


WRITERS: dict[str, Callable[[IO[bytes], Row, Iterable[Row]], None]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}
TITLES = {"csv": "CSV", "xlsx": "Excel (XLSX)"}
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
