"""The forms of the customers' pages."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator

from mechanic_shop.core.password_forms import BoundedPasswordMixin


class SignInForm(BoundedPasswordMixin, AuthenticationForm):
    """Sign in with the email address of the login, customers and staff alike."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The email address or the password is wrong.",
    }


class ForgottenPasswordForm(forms.Form):
    email = forms.EmailField(
        label="Email address",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        validators=[MaxLengthValidator(254)],
    )
