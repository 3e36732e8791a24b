"""What every Terraform type is declared in: what a field is, its place in the API, what changing it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from flinkform.schema.codec import Codec, Plain
from flinkform.schema.types import Object, Type


class Origin(Enum):
    """Who supplies the value."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    COMPUTED = "computed"
    FORETOLD = "computed when planning"
    EITHER = "optional, else computed"


class Change(IntEnum):
    """What a new value costs the running thing, dearest last. Several changes cost the dearest one.

    NOTHING: it runs on. HOT: it runs on and adapts. RESTART: stopped and started again with its state. AFRESH: the
    same without its state. REPLACE: destroyed and made again.
    """

    NOTHING = 0
    HOT = 1
    RESTART = 2
    AFRESH = 3
    REPLACE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One field: the same one in HCL, in a job file, in the API and in the docs.

    *path* is its place in the API's model, `None` for a field only Terraform knows. *stable* says that a
    computed value does not change once it is known, so a plan may keep showing it. *costs* are the keys of a map
    whose change costs otherwise than *change*. *refers* names the type whose key it holds. A *write_only* value is
    sent and kept nowhere: not in a plan, not in state; the API does not tell it either. *exclusive* names the other
    one of two of which exactly one is given; where a change costs anything, going from one to the other costs a new
    object. *needs* names what must be given beside it. *label* is an inner attribute that the API has no field for,
    and the name of the label that keeps it.
    """

    name: str
    type: Type
    doc: str
    origin: Origin = Origin.OPTIONAL
    default: Any = None
    change: Change = Change.NOTHING
    costs: Mapping[str, Change] = field(default_factory=dict)
    sensitive: bool = False
    stable: bool = False
    write_only: bool = False
    refers: str = ""
    path: str | None = None
    codec: Codec = field(default_factory=Plain)
    exclusive: str = ""
    needs: str = ""
    label: tuple[str, str] | None = None

    @property
    def writable(self) -> bool:
        return self.origin not in (Origin.COMPUTED, Origin.FORETOLD)

    @property
    def nested(self) -> tuple[Attribute, ...]:
        """The attributes inside this one, if it is an object."""
        return self.type.attributes if isinstance(self.type, Object) else ()

    def cost(self, old: Any, new: Any) -> Change:
        """Return what it costs to turn *old* into *new*; of a map the dearest of the keys that differ."""
        if not self.writable or old == new:
            return Change.NOTHING
        if self.exclusive and self.change and (old is None) != (new is None):
            return Change.REPLACE
        if not self.costs or not all(isinstance(value, Mapping | None) for value in (old, new)):
            return self.change
        before, after = old or {}, new or {}
        keys = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        return max((self.costs.get(key, self.change) for key in keys), default=Change.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An API operation as one type uses it: *places* override where an attribute goes, *fixed* is always sent."""

    operation: str
    places: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The operations that keep a type. *items* is the field of the list's answer, *answer* that of create's and read's.

    A type has a list, or a read, or both. *tags* is where create takes tags, for a type whose key only the API knows:
    by its own tag a thing is found again when the answer to its create was lost. The list answers them as `Tags`.
    *lock* is called before anything there is changed.
    """

    create: Call
    delete: Call
    list: Call | None = None
    items: str = ""
    answer: str = ""
    tags: str = ""
    lock: Call | None = None
    read: Call | None = None
    update: Call | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The computed attribute that says when a change is done, what it may say meanwhile, and where it says why not."""

    attribute: str
    pending: tuple[str, ...]
    done: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The attribute whose values are brought about by *calls* of their own, no create or update; *rest* to be deleted.

    A thing is made at *rest*.
    """

    attribute: str
    calls: Mapping[str, Call]
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A type of another provider whose state a type of ours takes over.

    *places* says where its state has our attributes: dotted, with the index of a list. What they leave out, reading
    brings. *version* is the newest version of its schema that they are true of.
    """

    provider: str
    type: str
    places: Mapping[str, str]
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A type that Terraform manages. *key* names the attributes that make up its id, in order, joined by `/`.

    A *kept* one means nothing beyond itself: the embedded control plane answers its operations from this alone, and
    no two of one namespace have the same *unique* attributes. *told* names what its data sources tell although the API
    has no field for it. *moved* are the types of other providers that a `moved` block may turn into this one.
    """

    name: str
    doc: str
    attributes: tuple[Attribute, ...]
    api: Api
    key: tuple[str, ...]
    wait: Wait | None = None
    switch: Switch | None = None
    version: int = 0
    kept: bool = False
    unique: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    example: str = ""

    @property
    def type_name(self) -> str:
        return f"flink_{self.name}"

    @property
    def scope(self) -> tuple[Attribute, ...]:
        """The attributes that say where it is: its key without its own name."""
        return tuple(map(self.attribute, self.key[:-1]))

    @property
    def sent(self) -> tuple[Attribute, ...]:
        """The attributes that create and update may send."""
        return tuple(a for a in self.attributes if not self.switch or a.name != self.switch.attribute)

    @property
    def own(self) -> Attribute:
        """The attribute that tells it from others of its place: the last of its key."""
        return self.attribute(self.key[-1])

    def attribute(self, name: str) -> Attribute:
        """Return the attribute called *name*; `KeyError` if there is none."""
        return next((a for a in self.attributes if a.name == name), None) or _missing(self, name)

    def cost(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
        """Return the dearest change that turns *old* into *new*."""
        return max((a.cost(old.get(a.name), new.get(a.name)) for a in self.attributes), default=Change.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A type that Terraform only reads. *arguments* filter, *items* is one row of the answer under *plural*.

    Without a *plural* it has the attributes of the one thing that its arguments find. *of* is the managed type that
    it follows from.
    """

    name: str
    doc: str
    arguments: tuple[Attribute, ...]
    attributes: tuple[Attribute, ...]
    plural: str = ""
    list: Call | None = None
    items: str = ""
    of: Resource | None = None
    extra: tuple[Attribute, ...] = ()
    example: str = ""

    @property
    def type_name(self) -> str:
        return f"flink_{self.name}"


def _missing(resource: Resource, name: str) -> Attribute:
    raise KeyError(f"{resource.type_name} has no attribute {name}")
