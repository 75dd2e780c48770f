"""The browsable API: DRF's pages, in the trade's words and with forms for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request

from .browsable.filters import controls_of
from .browsable.form_data import is_json, of_the_view, with_what_was_typed
from .browsable.forms import ShopFormRenderer
from .browsable.labels import description_of, name_of_patch
from .browsable.row_links import may_use, rows_of

if TYPE_CHECKING:
    from django import forms
    from rest_framework.views import APIView

#: Where a form would lead nowhere: nothing is there, or it was just deleted.
GONE = {("GET", 404), ("DELETE", 204)}


class ShopBrowsableAPIRenderer(BrowsableAPIRenderer):
    """DRF's pages; a refused form shows what was typed, and beside it what is wrong."""

    form_renderer_class = ShopFormRenderer
    filter_template = "rest_framework/filters/fields.html"
    renderer_context: Mapping[str, Any] = {}

    def get_context(
        self, data: Any, accepted_media_type: Any, renderer_context: Any
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(
            data, accepted_media_type, renderer_context
        )
        view, request = context["view"], context["request"]
        outcome = (request.method, context["response"].status_code)
        return context | {
            "display_edit_forms": context["display_edit_forms"] and outcome not in GONE,
            "patch_form": self.get_patch_form(data, view, request),
            "patch_name": name_of_patch(view),
            "rows": list(rows_of(data, view, request)),
            "message": data.get("message") if isinstance(data, Mapping) else "",
            "is_refused": self._is_refused,
            "is_only_a_form": outcome == ("GET", 405),
        }

    # --- Words ------------------------------------------------------------------------

    def get_name(self, view: APIView) -> str:
        name = view.get_view_name() or "Nothing here"
        is_row = getattr(view, "suffix", None) == "Instance"
        return f"{name} {view.kwargs['pk']}" if is_row else name

    def get_description(self, view: APIView, status_code: int) -> str:
        """Describe the page, also to those who may not see its content."""
        return description_of(view)

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        """Leave out the parts of the path that are no pages."""
        crumbs = super().get_breadcrumbs(request)
        return [(name, url) for name, url in crumbs if name]

    def get_extra_actions(self, view: Any, status_code: int) -> dict[str, str] | None:
        """Offer the actions that this user may use."""
        urls = super().get_extra_actions(view, status_code)
        if not urls:
            return None
        actions = {
            type(view)(**action.kwargs).get_view_name(): action.__name__
            for action in view.get_extra_actions()
        }
        return {name: url for name, url in urls.items() if may_use(view, actions[name])}

    # --- Forms ------------------------------------------------------------------------

    def get_filter_form(self, data: Any, view: Any, request: Request) -> str | None:
        """Show the filters of a list, beside a bad value too."""
        status_code = self.renderer_context["response"].status_code
        is_list = getattr(view, "action", None) == "list" and status_code in (200, 400)
        if not is_list or getattr(view, "filterset_class", None) is None:
            return None
        [backend] = view.filter_backends
        filterset = backend().get_filterset(request, view.get_queryset(), view)
        form: forms.Form = controls_of(filterset)
        return render_to_string(self.filter_template, {"form": form}, request._request)

    def get_patch_form(self, data: Any, view: APIView, request: Request) -> Any:
        """Show a form for PATCH where there is none for PUT."""
        if "PUT" in view.allowed_methods:
            return None
        return self.get_rendered_html_form(data, view, "PATCH", request)

    def get_rendered_html_form(
        self, data: Any, view: Any, method: str, request: Any
    ) -> Any:
        errors = getattr(self.renderer_context.get("response"), "native_errors", data)
        data = of_the_view(errors, view)
        if request.method == method and self._is_refused:
            data = with_what_was_typed(data, errors, view, request)
        return super().get_rendered_html_form(data, view, method, request)

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(of_the_view(data, view), view, method, request)
        if form:
            form.auto_id, form.label_suffix = f"raw-{method}-%s", ""
            if request.method == method and self._is_refused and is_json(request):
                form.initial["_content"] = json.dumps(request.data, indent=4)
        return form

    @property
    def _is_refused(self) -> bool:
        return bool(self.renderer_context["response"].status_code >= 400)
