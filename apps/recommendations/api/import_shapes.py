"""Imports as the schema describes them."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from apps.core.api.fields import FloatField, IdField, IntegerField
from apps.ratings.models import Import, ImportRow


def _numbers(name: str, *names: str, **options: Any) -> serializers.Serializer[Any]:
    return inline_serializer(name, {each: IntegerField(min_value=0) for each in names}, **options)


class ImportPreviewShape(serializers.Serializer[Any]):
    """``changed`` says how many of the conflicts each rule would decide for the file."""

    new = IntegerField(min_value=0)
    unchanged = IntegerField(min_value=0)
    conflicts = IntegerField(min_value=0)
    changed = _numbers("ImportChanged", *Import.Rule.values)
    unmatched = IntegerField(min_value=0)
    repeated = IntegerField(min_value=0)
    skipped = serializers.DictField(child=IntegerField(min_value=0))


class ImportSummaryShape(serializers.Serializer[Any]):
    id = IdField()
    file_name = serializers.CharField()
    site = serializers.ChoiceField(choices=Import.Site.choices)
    status = serializers.ChoiceField(choices=Import.Status.choices)
    rule = serializers.ChoiceField(choices=Import.Rule.choices, allow_null=True)
    created_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    can_be_undone = serializers.BooleanField()
    preview = ImportPreviewShape()
    applied = _numbers("ImportApplied", "added", "changed", "kept", allow_null=True)
    undone = _numbers("ImportUndone", "restored", "left", allow_null=True)


class ImportRowShape(serializers.Serializer[Any]):
    """``value`` is stars (null: taken back), 1, 0 or -1 of a thumb, 1 or 0 of what is there or not."""

    file = serializers.CharField()
    line = IntegerField(min_value=1)
    kind = serializers.ChoiceField(choices=ImportRow.Kind.choices)
    title = serializers.CharField(allow_blank=True)
    year = IntegerField(allow_null=True)
    movie_id = IdField(allow_null=True)
    value = FloatField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    mine = FloatField(allow_null=True)
    mine_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(allow_null=True)


class ImportShape(ImportSummaryShape):
    scale = serializers.CharField()
    rows = inline_serializer(
        "ImportRows", {status.value: ImportRowShape(many=True) for status in ImportRow.Status}
    )
