"""`manage.py load_models FILE.toml`: bring the registry to what a model file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inference.model_file import ModelFileError, read_model_file
from inference.services import RegistryError, endpoint_warnings, model_file_load


class Command(BaseCommand):
    help = "Add and update organizations, trainings, models and endpoints from a TOML file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            changes = model_file_load(model_file=read_model_file(file))
        except ModelFileError as error:
            raise CommandError(str(error)) from error
        except RegistryError as error:
            raise CommandError(f"{file}: {error}") from error
        for change in changes:
            self.stdout.write(change)
        self.stdout.write(f"{file}: {len(changes)} changes" if changes else f"{file}: no changes")
        for warning in endpoint_warnings():
            self.stderr.write(self.style.WARNING(f"warning: {warning}"))
