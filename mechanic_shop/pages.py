"""The pages beside the API and the back office."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static


def landing(request: HttpRequest) -> HttpResponse:
    """Show where everything is."""
    return render(request, "landing.html", {"shop_name": settings.SHOP_NAME})


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Send browsers that ask for the icon by its old name to the real one."""
    return HttpResponseRedirect(static("favicon.svg"))
