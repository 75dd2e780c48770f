"""The pages of a customer: sign in, a new password, the own vehicles and tickets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import FormView

from customers.models import Customer
from mechanic_shop.accounts.services import request_password_reset
from mechanic_shop.api.error_pages import too_many_requests
from mechanic_shop.api.throttling import client_address, hit
from tickets.models import ServiceTicket, TicketEvent

from .forms import ForgottenPasswordForm, SignInForm

TICKETS_PER_PAGE = 10
#: Larger numbers fit into no key column.
MAX_KEY_BITS = 63
#: A longer timeline would not be read; the newest count.
MAX_EVENTS = 50


def customer_page(
    page: Callable[..., HttpResponse],
) -> Callable[..., HttpResponseBase]:
    """Give a page the customer who is signed in; others are sent to where they belong.

    It is always the caller's own record, whatever else somebody may see.
    """

    @never_cache
    @require_safe
    @login_required
    @wraps(page)
    def find_customer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        assert user.is_authenticated
        customer = Customer.objects.not_erased().filter(user=user).first()
        if customer is not None:
            return page(request, customer, **kwargs)
        if user.is_staff:
            return redirect("admin:index")
        return render(request, "portal/no_record.html")

    return find_customer


@customer_page
def home(request: HttpRequest, customer: Customer) -> HttpResponse:
    """List the customer's vehicles and a page of the tickets, newest first."""
    tickets = ServiceTicket.objects.filter(customer=customer).order_by(
        "-opened_at", "-pk"
    )
    page = Paginator(tickets, TICKETS_PER_PAGE).get_page(request.GET.get("page"))
    vehicles = customer.vehicles.order_by("pk")
    context = {"customer": customer, "vehicles": vehicles, "page": page}
    return render(request, "portal/home.html", context)


@customer_page
def ticket(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    """Show how far a ticket is, what was done, and the notes meant for the customer."""
    if pk.bit_length() > MAX_KEY_BITS:
        raise Http404
    found = get_object_or_404(ServiceTicket, pk=pk, customer=customer)
    lines = [line for line in found.loaded_parts if line.returned_at is None]
    events = TicketEvent.objects.filter(ticket=found, visible_to_customer=True)
    context = {
        "ticket": found,
        "lines": lines,
        "total_cents": sum(line.total_cost_cents for line in lines),
        "events": events[:MAX_EVENTS],
    }
    return render(request, "portal/ticket.html", context)


class SignInView(LoginView):
    """Sign in; customers go on to their pages, staff to the back office."""

    template_name = "portal/sign_in.html"
    authentication_form = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send on who is signed in; a POST always checks the password."""
        if request.user.is_authenticated:
            return redirect(self.get_default_redirect_url())
        return super().get(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        is_staff = self.request.user.is_staff
        return reverse("admin:index" if is_staff else "portal:home")


@method_decorator(never_cache, name="dispatch")
class ForgottenPasswordView(FormView):
    """Mail a link that sets a password; nobody learns whether the login exists."""

    template_name = "portal/forgotten_password.html"
    form_class = ForgottenPasswordForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        result = hit("PASSWORD_RESET", client_address(request))
        if result is not None and not result.allowed:
            return too_many_requests(request, result.reset)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: ForgottenPasswordForm) -> HttpResponse:
        request_password_reset(email=form.cleaned_data["email"])
        return render(self.request, "portal/link_on_its_way.html")
