"""``/me/import``: one's own ratings out of another site's file, looked at first, applied, undone."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import caller_of
from apps.accounts.models import User
from apps.accounts.permissions import Oneself
from apps.core.address import client_address
from apps.core.api.bodies import validated_body
from apps.core.api.pagination import BoundedPagination, PageQuery, validate_page_query
from apps.core.api.parsers import UploadParser
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.api.renderers import CsvRenderer, JSONRenderer
from apps.core.api.serializers import StrictSerializer
from apps.core.errors import NotFound
from apps.ratings.imports.applying import apply_import
from apps.ratings.imports.own import own_import, samples_of, unmatched_csv
from apps.ratings.imports.previewing import preview_import
from apps.ratings.imports.reading import scale_of
from apps.ratings.imports.undoing import undo_import
from apps.ratings.models import Import, ImportRow
from apps.recommendations.api.import_shapes import ImportShape, ImportSummaryShape
from apps.recommendations.api.visitors import feedback_viewer

TAGS = ["me"]
CSV_HEADERS = {"Content-Disposition": 'attachment; filename="unmatched.csv"'}


class UploadBody(StrictSerializer):
    file = serializers.FileField(
        help_text="CSV, JSON or zip, as Letterboxd, IMDb, Trakt, MovieLens or Marquee export it; up to 5 MB"
    )


class ApplyBody(StrictSerializer):
    rule = serializers.ChoiceField(
        choices=Import.Rule.choices, help_text="What counts where the file and you differ"
    )


class NoBody(StrictSerializer):
    """Nothing is taken."""


class NoQuery(QuerySerializer):
    """No parameter is taken."""


class ImportsView(APIView):
    permission_classes = [Oneself]
    pagination_class = BoundedPagination

    def get_parsers(self) -> list[Any]:
        return [UploadParser()]

    @extend_schema(
        operation_id="me_import_list",
        parameters=[PageQuery],
        responses=ImportSummaryShape(many=True),
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """One's imports, latest first."""
        validate_page_query(request)
        viewer = caller_of(request)
        rows = Import.objects.of(viewer.pk).order_by("-pk") if viewer else Import.objects.none()
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, self) or []
        return paginator.get_paginated_response([summary_json(one) for one in page])

    @extend_schema(
        operation_id="me_import_create",
        request={"multipart/form-data": UploadBody},
        responses={201: ImportShape},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Send a file and see what it would change. Nothing is changed until it is applied.

        A preview that was not applied gives way to this one.
        """
        file = validated_body(request, UploadBody)["file"]
        viewer = feedback_viewer(request, None)
        address = client_address(request._request)
        made = preview_import(user=viewer, name=file.name, file=file, address=address)
        return Response(import_json(made), status=201)


class ImportView(APIView):
    permission_classes = [Oneself]

    @extend_schema(operation_id="me_import_get", responses=ImportShape, tags=TAGS)
    def get(self, request: Request, import_id: int) -> Response:
        """One import, with the first ten rows of each kind."""
        validated_query(request, NoQuery)
        return Response(import_json(own_import(caller_of(request), import_id)))


class ImportApplyView(APIView):
    permission_classes = [Oneself]

    @extend_schema(operation_id="me_import_apply", request=ApplyBody, responses=ImportShape, tags=TAGS)
    def post(self, request: Request, import_id: int) -> Response:
        """Write it, all or nothing. Once more by the same rule changes nothing."""
        rule = validated_body(request, ApplyBody)["rule"]
        return Response(
            import_json(apply_import(user=_viewer(request, import_id), import_id=import_id, rule=rule))
        )


class ImportUndoView(APIView):
    permission_classes = [Oneself]

    @extend_schema(operation_id="me_import_undo", request=None, responses=ImportShape, tags=TAGS)
    def post(self, request: Request, import_id: int) -> Response:
        """Put back what was there before, but for what you changed since. Once more changes nothing."""
        validated_body(request, NoBody)
        return Response(import_json(undo_import(user=_viewer(request, import_id), import_id=import_id)))


class ImportUnmatchedView(APIView):
    permission_classes = [Oneself]
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="me_import_unmatched", responses={(200, "text/csv"): OpenApiTypes.STR}, tags=TAGS
    )
    def get(self, request: Request, import_id: int) -> HttpResponse:
        """The rows whose film was not found, as CSV."""
        validated_query(request, NoQuery)
        lines = unmatched_csv(own_import(caller_of(request), import_id))
        return HttpResponse("".join(lines), content_type="text/csv; charset=utf-8", headers=CSV_HEADERS)


def summary_json(one: Import) -> dict[str, Any]:
    is_applied = one.applied_at is not None
    return {
        "id": one.pk,
        "file_name": one.file_name,
        "site": one.site,
        "status": one.status,
        "rule": one.rule or None,
        "created_at": one.created_at,
        "applied_at": one.applied_at,
        "undone_at": one.undone_at,
        "can_be_undone": one.can_be_undone,
        "preview": {
            "new": one.n_new,
            "unchanged": one.n_unchanged,
            "conflicts": one.n_conflicts,
            "changed": {rule: one.changed_by(rule) for rule in Import.Rule.values},
            "unmatched": one.n_unmatched,
            "repeated": one.n_repeated,
            "skipped": one.skipped,
        },
        "applied": {"added": one.n_added, "changed": one.n_changed, "kept": one.n_kept}
        if is_applied
        else None,
        "undone": {"restored": one.n_restored, "left": one.n_left} if one.undone_at else None,
    }


def import_json(one: Import) -> dict[str, Any]:
    samples = samples_of(one)
    rows = {status.value: list(map(_row_json, samples.get(status, ()))) for status in ImportRow.Status}
    return {**summary_json(one), "scale": scale_of(one.site), "rows": rows}


def _row_json(row: ImportRow) -> dict[str, Any]:
    """``mine`` is what the viewer said at the preview; of an applied row, before it was applied."""
    return {
        "file": row.file,
        "line": row.line,
        "kind": row.kind,
        "title": row.title,
        "year": row.year,
        "movie_id": row.movie_id,
        "value": row.state,
        "at": row.at,
        "mine": row.before_state,
        "mine_at": row.before_at,
        "why": row.why or None,
    }


def _viewer(request: Request, import_id: int) -> User:
    """A visitor without a row has no import."""
    viewer = caller_of(request)
    if viewer is None:
        raise NotFound(f"There is no import {import_id} of yours")
    return viewer
