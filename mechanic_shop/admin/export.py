"""Every list can be taken away as a file: what the person sees, and no more."""

from __future__ import annotations

import csv
import html
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
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

#: A spreadsheet computes a cell that begins like this. What has apostrophes already
#: gets one more, so that who reads the file knows which of them was put there.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
ROWS_AT_ONCE = 500
COLUMN_WIDTH = 18

Row = list[Any]


class Exported:
    """Give a list an export that keeps to its filters, its search and its order.

    Stand it to the left of ``ShopModelAdmin``; a button of its own for the list a page
    adds in ``get_list_buttons``.
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
        """Offer the files; their links carry what the list is filtered by."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            return []
        return [
            {
                "title": "Export",
                "icon": "download",
                "method_name": "Export",
                "variant": ActionVariant.DEFAULT,
                "items": [self._link_to(request, kind) for kind in WRITERS],
            }
        ]

    def _link_to(self, request: HttpRequest, kind: str) -> dict[str, Any]:
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
        return as_file(
            f"{slugify(self.opts.verbose_name_plural)}-{timezone.localdate()}",  # type: ignore[attr-defined]
            kind,
            [self._heading(column) for column in columns],
            self._rows_of(changelist.queryset, columns),
        )

    def _heading(self, column: Any) -> str:
        me: Any = self
        label: Any = label_for_field(column, me.model, me)
        return capfirst(str(label))

    def _rows_of(self, queryset: QuerySet[Any], columns: list[Any]) -> Iterator[Row]:
        """Read some rows at a time, whatever the database's cursor would hold.

        The keys come first and all at once, so that rows which are added meanwhile
        shift nothing.
        """
        keys = list(queryset.prefetch_related(None).values_list("pk", flat=True))
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = keys[start : start + ROWS_AT_ONCE]
            found = queryset.in_bulk(some)
            for row in (found[key] for key in some if key in found):
                yield [self._value_of(column, row) for column in columns]

    def _value_of(self, column: Any, row: Model) -> Any:
        try:
            field, attr, value = lookup_field(column, row, self)  # type: ignore[arg-type]
        except ObjectDoesNotExist:
            return None
        if field is not None:
            return value_of_field(field, row, value)
        return number_behind(attr, row, value)


def value_of_field(field: Field[Any, Any], row: Model, value: Any) -> Any:
    if isinstance(field, ForeignKey):
        return getattr(row, field.name)
    if choices := getattr(field, "flatchoices", None):
        return dict(choices).get(value, value)
    return value


def number_behind(attr: Any, row: Model, value: Any) -> Any:
    """Take a number for itself that a column spells out, like ``1,234.50``."""
    number = getattr(row, str(getattr(attr, "admin_order_field", "")), None)
    if type(number) is not int:
        return value
    if value == format_cents(number):
        return Decimal(number).scaleb(-2)
    return number if value == f"{number:,}" else value


def cell_of(value: Any) -> Any:
    """Make a value something that a spreadsheet takes as a value, never as a formula.

    Numbers and times stay what they are; a negative number is no formula.
    """
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.replace(tzinfo=None, microsecond=0)
    if isinstance(value, int | float | Decimal) or hasattr(value, "isoformat"):
        return value
    return safe_text(words_of(value))


def words_of(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(words_of(part) for part in value if isinstance(part, WORDS))
    if isinstance(value, SafeString):
        return html.unescape(strip_tags(value)).strip()
    return str(value)


#: What of a column in several parts is text; the rest is about how it looks.
WORDS = (str, int, Decimal, Promise)


def safe_text(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would compute."""
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{text}" if FORMULA.match(text) else text


def as_file(
    name: str, kind: str, headings: Iterable[str], rows: Iterable[Row]
) -> FileResponse:
    """Write a table into a file on disk and send that.

    What goes wrong on the way goes wrong before the answer begins: nobody takes half
    a list for a whole one.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    try:
        WRITERS[kind](
            file,
            [safe_text(heading) for heading in headings],
            ([cell_of(value) for value in row] for row in rows),
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
    # Only with the mark at its beginning do spreadsheets take the file for UTF-8.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows(rows)
    text.flush()
    text.detach()


def write_xlsx(file: IO[bytes], headings: Row, rows: Iterable[Row]) -> None:
    """Write a workbook row by row; openpyxl keeps none of them in this mode."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    sheet.freeze_panes = "A2"
    for number in range(1, len(headings) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = COLUMN_WIDTH
    sheet.append([_bold(sheet, heading) for heading in headings])
    for row in rows:
        sheet.append(row)
    book.save(file)


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
