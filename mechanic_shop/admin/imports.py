"""Import of rows from a spreadsheet: upload, review the plan, confirm.

Each page is its own GET, so that going back never asks to send a form again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget

from mechanic_shop.core.errors import NotFound
from mechanic_shop.core.uploads import allow_uploads
from mechanic_shop.spreadsheets import services
from mechanic_shop.spreadsheets.cells import LARGE, MAX_FILE_BYTES, UnreadableFile
from mechanic_shop.spreadsheets.models import Upload
from mechanic_shop.spreadsheets.registry import get_resource
from mechanic_shop.spreadsheets.resource import ImportResource, PlanChanged
from mechanic_shop.spreadsheets.tables import READERS

from .error_messages import REJECTIONS, message_for, user_of
from .export import WRITERS, ExportMixin, file_response

ONCE_MORE = "Upload the file once more."


class UploadForm(forms.Form):
    """A file upload; the suffix of the name decides the format."""

    import_file = forms.FileField(
        label="CSV or Excel file",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(READERS)}),
    )

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if suffix_of(file) not in READERS:
            raise forms.ValidationError("Choose a file that ends in .csv or .xlsx.")
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB. Split it into"
                " several."
            )
        return file


def suffix_of(file: Any) -> str:
    return Path(file.name).suffix.lower()


class ConfirmationForm(forms.Form):
    """The confirmation of an uploaded file and of the plan that was shown for it.

    The token is signed for one user: nobody can confirm a plan that was not shown, or
    that was shown to somebody else.
    """

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, salt: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salt = salt

    def clean(self) -> dict[str, Any]:
        """Read the signed data.

        :raises forms.ValidationError: if it has expired or the signature is wrong
        """
        token, max_age = self.cleaned_data.get("token", ""), Upload.EXPIRES_AFTER
        try:
            data: dict[str, Any] = signing.loads(token, salt=self.salt, max_age=max_age)
        except signing.BadSignature as error:
            raise forms.ValidationError(ONCE_MORE) from error
        return data


class ImportMixin(ExportMixin):
    """Add an import to a change list: it shows a plan and imports exactly that plan.

    Put it to the left of ``ShopModelAdmin``. What a row means says the app's
    ``ImportResource`` of the same model.
    """

    def get_urls(self) -> list[Any]:
        upload = allow_uploads(self._view(self.import_view), self.may_upload)
        pages = [
            ("import/", upload, "import"),
            ("import/<slug:name>/", self._view(self.import_plan_view), "import_plan"),
            (
                "import/template/<slug:kind>/",
                self._view(self.import_template_view),
                "import_template",
            ),
            ("process_import/", self._view(self.process_import_view), "process_import"),
        ]
        urls: list[Any] = super().get_urls()
        return [
            path(url, view, name=self._url_name(name)) for url, view, name in pages
        ] + urls

    def _view(self, view: Any) -> Any:
        return self.admin_site.admin_view(view)  # type: ignore[attr-defined]

    @property
    def import_resource(self) -> type[ImportResource]:
        return get_resource(self._target)

    @property
    def _target(self) -> str:
        return str(self.opts.label_lower)  # type: ignore[attr-defined]

    def get_list_buttons(self, request: HttpRequest) -> list[dict[str, Any]]:
        buttons = super().get_list_buttons(request)
        if not self.has_import_permission(request):
            return buttons
        own = {
            "title": "Import",
            "icon": "upload",
            "path": self._import_url(),
            "variant": ActionVariant.DEFAULT,
        }
        return [own, *buttons]

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Require any permission to write rows; each row is checked for its own."""
        user = user_of(request)
        codes = self.import_resource.permission_errors
        can_write = any(user.has_perm(code) for code in codes)
        return can_write and bool(self.has_view_permission(request))  # type: ignore[attr-defined]

    def may_upload(self, request: HttpRequest) -> bool:
        is_admitted = self.admin_site.has_permission(request)  # type: ignore[attr-defined]
        return is_admitted and self.has_import_permission(request)

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_import_permission(request):
            raise PermissionDenied

    # --- Pages ------------------------------------------------------------------------

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Show the upload form; plan an uploaded file and show its plan."""
        self._check_permission(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                upload = self._plan(request, form.cleaned_data["import_file"])
            except UnreadableFile as error:
                form.add_error("import_file", str(error))
            else:
                return self._show_upload(request, upload)
        return self._render(request, {"form": form})

    def _show_upload(self, request: HttpRequest, upload: Upload) -> HttpResponse:
        """Lead a browser to the plan; a program reads it from this response."""
        is_browser = "text/html" in request.headers.get("Accept", "")
        if is_browser or upload.state != Upload.State.PLANNED:
            return redirect(self._import_url("import_plan", upload.name))
        return self.import_plan_view(request, upload.name)

    def _plan(self, request: HttpRequest, file: Any) -> Upload:
        return services.plan_import(
            user=user_of(request),
            target=self._target,
            suffix=suffix_of(file),
            content=file.read(),
        )

    def import_plan_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show the plan of an uploaded file, with the form that confirms it."""
        self._check_permission(request)
        uploads = Upload.objects.select_related("task").defer("content")
        upload = uploads.filter(
            name=name, user=user_of(request), target=self._target
        ).first()
        if upload is None:
            return self._start_over(request, ONCE_MORE)
        if upload.state == Upload.State.PLANNED:
            return self._render(request, self._plan_context(request, upload))
        return self._render(
            request, {"upload": upload, "progress": upload.task, "shows_state": True}
        )

    def process_import_view(self, request: HttpRequest) -> HttpResponse:
        """Import the confirmed plan, or show the new plan if it has changed."""
        self._check_permission(request)
        form = ConfirmationForm(request.POST or None, salt=self._salt(request))
        if not form.is_valid():
            return self._start_over(request, ONCE_MORE)
        return self._import(request, **form.cleaned_data)

    def _import(self, request: HttpRequest, name: str, confirmed: str) -> HttpResponse:
        user = user_of(request)
        try:
            result = services.import_upload(
                name=name, user=user, target=self._target, confirmed=confirmed
            )
        except (NotFound, UnreadableFile):
            return self._start_over(request, ONCE_MORE)
        except PlanChanged:
            services.plan_again(name=name)
            return redirect(self._import_url("import_plan", name))
        except REJECTIONS as error:
            return self._start_over(request, message_for(error))
        if result is None:
            return redirect(self._import_url("import_plan", name))
        message = self.import_resource(user=user).summarize(result)
        self.message_user(request, message, messages.SUCCESS)  # type: ignore[attr-defined]
        return redirect(self._import_url("changelist"))

    def import_template_view(self, request: HttpRequest, kind: str) -> FileResponse:
        self._check_permission(request)
        if kind not in WRITERS:
            raise Http404
        columns = [each for each in self.import_resource.columns if each.example != ""]
        return file_response(
            f"{self.import_resource.noun[1]}-template",
            kind,
            [column.column_name for column in columns],
            [[column.example for column in columns]],
        )

    def _start_over(self, request: HttpRequest, message: str) -> HttpResponse:
        self.message_user(request, message, messages.ERROR)  # type: ignore[attr-defined]
        return redirect(self._import_url())

    def _import_url(self, page: str = "import", *args: str) -> str:
        return reverse(f"admin:{self._url_name(page)}", args=args)

    def _salt(self, request: HttpRequest) -> str:
        return f"import:{self._target}:{user_of(request).pk}"

    # --- What they show ---------------------------------------------------------------

    def _plan_context(self, request: HttpRequest, upload: Upload) -> dict[str, Any]:
        plan = upload.plan
        data = {"name": upload.name, "confirmed": plan["fingerprint"]}
        salt = self._salt(request)
        initial = {"token": signing.dumps(data, salt=salt)}
        return {
            **plan,
            "upload": upload,
            "more_rows": plan["row_count"] - len(plan["rows"]),
            "more_problems": plan["problem_count"] - len(plan["problems"]),
            "confirm_form": ConfirmationForm(initial=initial, salt=salt),
        }

    def _render(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        kind = "admin:" + self._url_name("import_template")
        one, many = self.import_resource.noun
        shared = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": f"Import {many}",
            "noun": one.capitalize(),
            "columns": self.import_resource.columns,
            "templates": {each: reverse(kind, args=[each]) for each in WRITERS},
            "import_url": self._import_url(),
            "process_url": self._import_url("process_import"),
            "max_rows": f"{LARGE.rows:,}",
            "list_url": self._import_url("changelist"),
            "max_megabytes": MAX_FILE_BYTES // 1024**2,
        }
        return TemplateResponse(request, "back_office/import.html", shared | context)
