"""What the pages of imports accept."""

from django import forms

from apps.ratings.models import Import

NO_FILE = "Choose a file first."


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Your file",
        help_text="CSV, JSON or zip, up to 5 MB.",
        error_messages={"required": NO_FILE, "empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ".csv,.json,.zip"}),
    )


class RuleForm(forms.Form):
    rule = forms.ChoiceField(choices=Import.Rule.choices)
