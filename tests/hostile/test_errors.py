"""Errors of our own tell a stranger nothing."""

import pytest
from django.urls import path as at
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.permissions import Visitor
from recommender_site import urls as site
from tests.callers import Caller
from tests.hostile.sending import assert_problem, send

pytestmark = pytest.mark.django_db


class Unforeseen(APIView):
    permission_classes = [Visitor]

    def get(self, request: Request) -> Response:
        raise RuntimeError("the secret of the film")

    post = get


urlpatterns = [at("api/v1/unforeseen", Unforeseen.as_view()), *site.urlpatterns]
handler400, handler403 = site.handler400, site.handler403
handler404, handler500 = site.handler404, site.handler500


@pytest.mark.urls("tests.hostile.test_errors")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_error_of_ours_tells_nothing_of_itself(method: str, keeper: Caller) -> None:
    response = send(keeper, method, "/api/v1/unforeseen")
    body = assert_problem(response, 500, "server-error")
    assert body["detail"] == "Something broke on our side; quote the request_id to its staff"
    for word in (b"secret", b"RuntimeError", b"Traceback", b".py"):
        assert word not in response.content
