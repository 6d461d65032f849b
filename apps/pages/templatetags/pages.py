"""Small words for templates."""

import uuid

from django import template
from django.contrib.messages.storage.base import Message
from django.template import Context

from apps.pages.themes import Theme, theme_of
from apps.pages.undoing import Undo

register = template.Library()


@register.simple_tag(takes_context=True)
def chosen_theme(context: Context) -> str:
    """``light`` or ``dark``; empty where the visitor left it to the device."""
    request = context.get("request")
    theme = Theme.SYSTEM if request is None else theme_of(request)
    return "" if theme is Theme.SYSTEM else theme.value


@register.simple_tag
def client_id() -> str:
    """A new id for one rendering of one form."""
    return uuid.uuid4().hex


@register.filter
def undo(message: Message) -> Undo | None:
    """The way back from what the message says was done, if there is one."""
    return Undo.of_tags(message.extra_tags or "")


@register.filter
def stars(value: float | None) -> str:
    """``4``, ``3.5`` or ``4.3``: one decimal at most."""
    return "" if value is None else f"{round(value, 1):g}"
