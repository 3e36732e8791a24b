"""A command's function that is imported when it is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(command: str, name: str = "run") -> Callable[..., Any]:
    """Return what calls *name* of the module of *command*: its imports cost more than to say what it takes."""

    def called(*given: Any) -> Any:
        return getattr(import_module(f"flinkform.cli.{command}"), name)(*given)

    return called
