"""The generated classes are those of the declared types, and every attribute has a place in one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import flinkform_constructs
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform.schema.model import DataSource, Origin, Resource
from flinkform_constructs import cdk, generate
from flinkform_constructs.declared import inputs

KINDS = (*RESOURCES, *DATA_SOURCES)


def test_the_file_is_current() -> None:
    """`make generate` would write the very same bytes."""
    assert generate.FILE.read_text() == generate.source()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type_name)
def test_every_type_has_a_class_with_its_arguments(kind: Any, stock: Callable[[], cdk.App]) -> None:
    """Arguments are keywords, those that are required have no default, and every attribute can be referred to."""
    declared = getattr(flinkform_constructs, generate.class_name(kind))
    arguments = inspect.signature(declared.__init__).parameters
    for attribute in inputs(kind):
        assert arguments[attribute.name].kind is inspect.Parameter.KEYWORD_ONLY
        required = attribute.origin is Origin.REQUIRED
        assert (arguments[attribute.name].default is inspect.Parameter.empty) == required
    given: dict[str, Any] = {
        a.name: flinkform_constructs.Ref("var.x")
        for a in inputs(kind)
        if not a.exclusive or a.name > a.exclusive  # of two that exclude each other one
    }
    block = declared(cdk.TerraformStack(stock(), "s"), "x", **given)
    prefix = "" if isinstance(kind, Resource) else "data."
    told = (*kind.arguments, *kind.extra) if isinstance(kind, DataSource) else kind.attributes
    for attribute in (a for a in told if not a.write_only):
        assert getattr(block, attribute.name) == f"${{{prefix}{kind.type_name}.x.{attribute.name}}}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type_name)
def test_every_argument_is_described(kind: Any) -> None:
    """The class says what each argument is for and what happens if it is left out."""
    text = " ".join((getattr(flinkform_constructs, generate.class_name(kind)).__doc__ or "").split())
    for attribute in inputs(kind):
        assert f"{attribute.name}: {attribute.doc.split('.')[0]}" in text
        if attribute.default is not None and not attribute.nested:
            shown = str(attribute.default).lower() if isinstance(attribute.default, bool) else attribute.default
            assert f"Left out: {shown}." in text
