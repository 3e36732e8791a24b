"""The elements of one stack as one Terraform JSON document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flinkform.errors import Invalid
from flinkform_constructs.ref import Ref
from flinkform_constructs.scribe import Scribe


class Page:
    """Collects blocks; `document` is what goes into `cdk.tf.json`."""

    def __init__(self, stack: Any, leave: Callable[[Any], Any]) -> None:
        self.stack = stack
        self.document: dict[str, Any] = {}
        self.scribe = Scribe(self._foreign, leave)

    def block(self, kind: str, type_name: str, name: str, body: dict[str, Any]) -> None:
        """Add a resource or a data source; raises `Invalid` where two have one address."""
        blocks = self.document.setdefault(kind, {}).setdefault(type_name, {})
        if name in blocks:
            paths = " and ".join(b["//"]["metadata"]["path"] for b in (blocks[name], body))
            raise Invalid(f"{paths} both have the address {type_name}.{name}", advice="rename one")
        blocks[name] = body

    def row(self, kind: str, entry: dict[str, Any]) -> None:
        """Add an entry to a list such as `moved` or `import`."""
        self.document.setdefault(kind, []).append(entry)

    def _foreign(self, ref: Ref) -> bool:
        return ref.owner is not None and ref.owner.stack is not self.stack
