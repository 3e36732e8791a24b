"""What the provider offers, told twice from the same declarations: as protocol messages and as Terraform's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flinkform.provider.protocol import protobuf
from flinkform.resources import DATA_SOURCES, PROVIDER, RESOURCES
from flinkform.schema.model import Attribute, DataSource, Origin
from flinkform.schema.types import ListOf, Object, String

MARKDOWN = 1
_NESTINGS = {"single": 1, "list": 2}
_CAPABILITIES = b"".join(protobuf.boolean(number, True) for number in (1, 2, 3))
"""Destroys are planned, one schema call serves a whole command, and moves are answered."""

SETTINGS: tuple[Attribute, ...] = (
    Attribute(name="region", type=String(), doc="The region, as `cn-hangzhou`; else `ALIBABA_CLOUD_REGION_ID`."),
    Attribute(name="profile", type=String(), doc="A profile of `~/.aliyun/config.json`; else `ALIBABA_CLOUD_PROFILE`."),
    Attribute(name="access_key_id", type=String(), doc="The access key; else `ALIBABA_CLOUD_ACCESS_KEY_ID`."),
    Attribute(
        name="access_key_secret",
        type=String(),
        doc="Its secret; else `ALIBABA_CLOUD_ACCESS_KEY_SECRET`.",
        sensitive=True,
    ),
    Attribute(
        name="security_token",
        type=String(),
        doc="The token of a temporary key; else `ALIBABA_CLOUD_SECURITY_TOKEN`.",
        sensitive=True,
    ),
    Attribute(
        name="endpoints",
        type=Object(
            (
                Attribute(name="console", type=String(), doc="Where workspaces and namespaces are kept."),
                Attribute(name="ververica", type=String(), doc="Where jobs are kept."),
            )
        ),
        doc="Where to call instead of the region's hosts, as `http://127.0.0.1:8711`; else `FLINKFORM_ENDPOINT`.",
    ),
    Attribute(
        name="commit",
        type=String(pattern=r"[0-9a-f]{40}|[0-9a-f]{64}", hint="the full id of a Git commit"),
        doc="The commit that the stack is written for; jobs that an apply changes are labelled with it.",
    ),
    Attribute(
        name="release",
        type=String(pattern=r"[A-Za-z0-9._-]{1,63}", hint="letters, digits, '.', '_' and '-'"),
        doc="The release that an apply carries out; jobs that it changes are labelled with it.",
    ),
)
"""The provider block."""


def answered(source: DataSource) -> tuple[Attribute, ...]:
    """Return every attribute of a data source: its arguments, its rows, and what stands beside the rows."""
    if not source.plural:
        return (*source.arguments, *source.attributes, *source.extra)
    rows = Attribute(
        name=source.plural, type=ListOf(Object(source.attributes)), doc="What was found.", origin=Origin.COMPUTED
    )
    return (*source.arguments, rows, *source.extra)


def provider_schema() -> bytes:
    """Return the answer to GetProviderSchema."""
    return b"".join(
        (
            protobuf.message(1, _schema(SETTINGS, 0)),
            *(protobuf.entry(2, r.type_name, _schema(r.attributes, r.version, r.doc)) for r in RESOURCES),
            *(protobuf.entry(3, d.type_name, _schema(answered(d), 0, d.doc)) for d in DATA_SOURCES),
            protobuf.message(6, _CAPABILITIES),
        )
    )


def metadata() -> bytes:
    """Return the answer to GetMetadata."""
    return b"".join(
        (
            protobuf.message(1, _CAPABILITIES),
            *(protobuf.message(3, protobuf.string(1, d.type_name)) for d in DATA_SOURCES),
            *(protobuf.message(4, protobuf.string(1, r.type_name)) for r in RESOURCES),
        )
    )


def document() -> dict[str, Any]:
    """Return what `terraform providers schema -json` prints, without what its versions differ in."""
    provider = {
        "provider": _block(SETTINGS, 0),
        "resource_schemas": {r.type_name: _block(r.attributes, r.version, r.doc) for r in RESOURCES},
        "data_source_schemas": {d.type_name: _block(answered(d), 0, d.doc) for d in DATA_SOURCES},
    }
    return {"format_version": "1.0", "provider_schemas": {PROVIDER: provider}}


def attribute(declared: Attribute) -> dict[str, Any]:
    """Return one attribute as Terraform's JSON writes it; what has a default is computed as well."""
    supplied = declared.default is not None
    words = {
        "description": declared.doc,
        "description_kind": "markdown",
        "required": declared.origin is Origin.REQUIRED,
        "optional": declared.origin in (Origin.OPTIONAL, Origin.EITHER),
        "computed": declared.origin in (Origin.COMPUTED, Origin.FORETOLD, Origin.EITHER) or supplied,
        "sensitive": declared.sensitive,
        "write_only": declared.write_only,
    }
    return {**_type(declared), **{word: value for word, value in words.items() if value}}


def _type(declared: Attribute) -> dict[str, Any]:
    kind = declared.type
    if isinstance(kind, Object):
        return {"nested_type": _nested(kind, "single")}
    if isinstance(kind, ListOf) and isinstance(kind.item, Object):
        return {"nested_type": _nested(kind.item, "list")}
    return {"type": kind.cty}


def _nested(kind: Object, mode: str) -> dict[str, Any]:
    return {"attributes": {a.name: attribute(a) for a in kind.attributes}, "nesting_mode": mode}


def _block(attributes: Iterable[Attribute], version: int, doc: str = "") -> dict[str, Any]:
    block: dict[str, Any] = {"attributes": {a.name: attribute(a) for a in attributes}}
    block |= {"description": doc, "description_kind": "markdown"} if doc else {"description_kind": "plain"}
    return {"version": version, "block": block}


def _schema(attributes: Iterable[Attribute], version: int, doc: str = "") -> bytes:
    told = {a.name: attribute(a) for a in attributes}
    block = b"".join(protobuf.message(2, _encoded(name, told[name])) for name in sorted(told))
    if doc:
        block += protobuf.string(4, doc) + protobuf.uint(5, MARKDOWN)
    return protobuf.uint(1, version) + protobuf.message(2, block)


def _encoded(name: str, told: Mapping[str, Any]) -> bytes:
    nested = told.get("nested_type")
    return b"".join(
        (
            protobuf.string(1, name),
            protobuf.bytes_(2, _cty(told["type"])) if nested is None else b"",
            protobuf.string(3, told["description"]),
            protobuf.boolean(4, told.get("required", False)),
            protobuf.boolean(5, told.get("optional", False)),
            protobuf.boolean(6, told.get("computed", False)),
            protobuf.boolean(7, told.get("sensitive", False)),
            protobuf.uint(8, MARKDOWN),
            protobuf.message(10, _object(nested)) if nested is not None else b"",
            protobuf.boolean(11, told.get("write_only", False)),
        )
    )


def _object(nested: Mapping[str, Any]) -> bytes:
    inner = nested["attributes"]
    encoded = b"".join(protobuf.message(1, _encoded(name, inner[name])) for name in sorted(inner))
    return encoded + protobuf.uint(3, _NESTINGS[nested["nesting_mode"]])


def _cty(kind: Any) -> bytes:
    """Return the JSON of a type: a word, or a list of a word and a type."""
    if isinstance(kind, str):
        return f'"{kind}"'.encode()
    return b"[" + b",".join(_cty(part) for part in kind) + b"]"
