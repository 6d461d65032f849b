"""What the forms on how arms are drawn share."""

from typing import Any

from django import forms

from apps.core.admin.asking import ReasonForm

PREVIEW = "preview"
"""The name of the button that tries and does not do."""


def number_field(label: str, help_text: str = "", **options: Any) -> forms.FloatField:
    widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
    return forms.FloatField(label=label, help_text=help_text, widget=widget, **options)


class TermsForm(ReasonForm):
    """Asks for no reason where it is only tried."""

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.is_preview = PREVIEW in self.data
        self.fields["reason"].required = not self.is_preview
