"""``<id:…>`` in addresses."""

from django.urls import register_converter
from django.urls.converters import IntConverter


class IdConverter(IntConverter):
    """A row's id. More digits than a 64-bit column holds are no address: 404, not an error."""

    regex = "[0-9]{1,18}"


register_converter(IdConverter, "id")
