from django.http import HttpRequest, HttpResponse

from apps.core.middleware import GetResponse


class UnitMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
