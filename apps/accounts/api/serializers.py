"""Bodies of the account endpoints. Which values are good enough, the services say."""

from typing import Any

from rest_framework import serializers

from apps.accounts.services.rules import MAX_PASSWORD_LENGTH
from apps.core.api.fields import TextField
from apps.core.api.serializers import StrictSerializer


class SecretField(TextField):
    """A password or token: taken as it is, blanks and all, and never given back."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", MAX_PASSWORD_LENGTH)
        super().__init__(write_only=True, trim_whitespace=False, **options)


class CredentialsInput(StrictSerializer):
    username = TextField(max_length=150)
    password = SecretField()


class RefreshInput(StrictSerializer):
    refresh = SecretField(max_length=4096)


class RegisterInput(StrictSerializer):
    username = TextField(max_length=150)
    password = SecretField()
    email = TextField(max_length=254, required=False, allow_blank=True, default="")


class PasswordChangeInput(StrictSerializer):
    current_password = SecretField()
    new_password = SecretField()


class PasswordResetInput(StrictSerializer):
    email = TextField(max_length=254)


class PasswordResetConfirmInput(StrictSerializer):
    uid = TextField(max_length=64)
    token = TextField(max_length=128)
    password = SecretField()


class ProfileInput(StrictSerializer):
    timezone = TextField(max_length=64, required=False, allow_blank=True)
    email = TextField(max_length=254, required=False, allow_blank=True)
    password = SecretField(required=False, help_text="Needed with `email`.")


class ErasureInput(StrictSerializer):
    password = SecretField(required=False, help_text="Needed for an account, not for a guest.")


class TokenPairOutput(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class RegisteredOutput(TokenPairOutput):
    id = serializers.IntegerField()
    username = serializers.CharField()


class ProfileOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True, help_text="null for a guest who has done nothing yet.")
    username = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    is_guest = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    timezone = serializers.CharField(allow_null=True, help_text="The profile's, else the browser's.")
    date_joined = serializers.DateTimeField(allow_null=True)
