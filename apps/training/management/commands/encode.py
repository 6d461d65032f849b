"""``manage.py encode``"""

import sys
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from tqdm import tqdm

from apps.core.management.base import MarqueeCommand
from apps.training.encoding import TEXT_ENCODERS
from apps.training.services.encoding import EncodedFilms, encode_catalogue


class Command(MarqueeCommand):
    help = "Makes the vectors of all films that the arm embeddings goes by, of what is new or changed alone."
    example = "manage.py encode --encoder minilm"

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--encoder",
            choices=list(TEXT_ENCODERS),
            help="of the texts (default: TEXT_ENCODER, which fits use)",
        )

    def execute_command(self, *args: Any, encoder: str | None, **options: Any) -> Mapping[str, object]:
        hidden = self.quiet or not sys.stderr.isatty()
        with tqdm(disable=hidden, file=sys.stderr, leave=False, unit=" films") as bar:

            def begin(label: str, total: int) -> None:
                bar.set_description(label)
                bar.reset(total)

            def progress(count: int) -> None:
                bar.update(count)

            done = encode_catalogue(encoder or settings.TEXT_ENCODER, begin=begin, progress=progress)
        return _summary(done)


def _summary(done: EncodedFilms) -> Mapping[str, object]:
    return {
        "encoder": done.encoder,
        "films": done.n_films,
        "new": done.texts.n_new,
        "cached": done.texts.n_read - done.texts.n_new,
        "dimensions": int(done.texts.vectors.shape[1]),
        "posters": done.posters.n_read if done.posters else 0,
        "posters_new": done.posters.n_new if done.posters else 0,
        "poster_dimensions": int(done.posters.vectors.shape[1]) if done.posters else 0,
        "seconds": done.seconds,
    }
