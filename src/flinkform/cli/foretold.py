"""What a stack without a state will make, where Terraform cannot plan it yet: a stack that it needs is not applied.

Everything in it is created, so its own document says what a plan would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flinkform.cli.stacks import Stack, Terraform
from flinkform.resources.job import RESOURCE
from flinkform.schema.model import Attribute

_REFERENCE = re.compile(r"\$\{(\w+)\.([\w-]+)\.(\w+)\}")
_DEFAULTS: Mapping[str, Any] = {
    one.name: one.default for one in RESOURCE.attributes if isinstance(one, Attribute) and one.name == "state"
}


def fresh(terraform: Terraform, stack: Stack) -> bool:
    """Say whether a stack has nothing in its state, or none."""
    code, text = terraform.run(stack, "state", "list", ok=(0, 1))
    return code == 1 or not text.strip()


def rows(stack: Stack) -> Iterator[Mapping[str, Any]]:
    """Yield what a plan of a stack that has nothing would say, as `terraform show -json` does."""
    resources = json.loads((stack.folder / "cdk.tf.json").read_text()).get("resource", {})
    for kind, named in sorted(resources.items()):
        for name, config in sorted(named.items()):
            values = given(config, resources)
            after = {**_DEFAULTS, **values} if kind == RESOURCE.type_name else values
            change = {"actions": ["create"], "before": None, "after": after}
            yield {"address": f"{kind}.{name}", "type": kind, "name": name, "mode": "managed", "change": change}


def given(config: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a resource that its document alone tells: what another one has, if that is in it too."""
    found = {}
    for key, value in config.items():
        if key == "//":
            continue
        told = _followed(value, resources)
        if key == "sql" or not (isinstance(told, str) and re.search(r"(?<!\$)\$\{", told)):
            found[key] = literal(told)
    return found


def literal(value: Any) -> Any:
    """Return what Terraform makes of text in a configuration."""
    return value.replace("$${", "${").replace("%%{", "%{") if isinstance(value, str) else value


def _followed(value: Any, resources: Mapping[str, Any]) -> Any:
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    kind, name, key = found.groups()
    return resources.get(kind, {}).get(name, {}).get(key, value)
