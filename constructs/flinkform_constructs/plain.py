"""The few words of the CDK that a program of jobs needs, in Python alone: it writes what the CDK writes, without Node.

To start Node and teach it the CDK takes longer than all else that a synth of some jobs does. `flinkform` asks for these
words (FLINKFORM_PLAIN) when it runs a `main.py` itself. Whatever else a program asks of the CDK ends the process with
`Beyond` before anything is written, and flinkform runs it again with the CDK.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import orjson

from flinkform_constructs.naming import unique_id

CODE = 75
"""What a program ends with that wants more than there is here."""
_TOKEN = re.compile(r"TfToken\[TOKEN\.(\d+)]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_REFERENCE = re.compile(r"(?:data\.)?\w+\.[\w-]+\.\w+")
_OURS = "flinkform_constructs."
_HOOKS = frozenset(
    (
        "prepare_stack",
        "to_terraform",
        "to_metadata",
        "to_string",
        "synth",
        "_allocate_logical_id",
        "dependencies",
        "allocate_logical_id",
        "ensure_backend_exists",
        "run_all_validations",
        "synthesizer",
        "resolve",
    )
)
"""What the CDK asks of a class of a program's own, if it has it."""
_REAL = ("cdktf", "cdktn", "constructs", "jsii")


class Beyond(SystemExit):
    """Only the CDK itself can do this."""

    def __init__(self) -> None:
        super().__init__(CODE)


def beyond() -> NoReturn:
    """End the process."""
    raise Beyond


def __getattr__(name: str) -> Any:
    """Know no other word of the CDK's."""
    if name.startswith("_"):
        raise AttributeError(name)
    beyond()


class Alone:
    """Keeps the CDK itself from being imported beside this."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - as Python asks
        """Find nothing, and end the process where somebody wants the CDK."""
        if name.partition(".")[0] in _REAL:
            beyond()
        return None


def alone(name: str) -> str:
    """See to it that nothing but this is used, and return the version of the CDK called *name* that it stands for."""
    try:
        found = version(name)
    except PackageNotFoundError:
        beyond()
    if any(real in sys.modules for real in _REAL):
        beyond()
    sys.meta_path.insert(0, Alone())
    Stack.version = found
    return found


@dataclass(frozen=True, slots=True)
class Token:
    """A reference to an attribute of a block: *expression* as its own stack writes it."""

    stack: Stack
    expression: str


TOKENS: list[Token] = []


class Node:
    """The place of a construct in the tree."""

    def __init__(self, construct: Construct, scope: Construct | None, name: str) -> None:
        self.id = re.sub(r"[/\n]", "--", name)
        self.scope = scope
        self.children: list[Construct] = []
        self.aspects: list[Any] = []
        self.checks: list[Any] = []
        self.scopes: tuple[Construct, ...] = (*(scope.node.scopes if scope else ()), construct)
        self.path = "/".join(one.node.id for one in self.scopes[1:-1]) if scope else ""
        self.path = "/".join(filter(None, (self.path, self.id)))
        if scope is not None:
            if not name or any(self.id == other.node.id for other in scope.node.children):
                beyond()
            scope.node.children.append(construct)

    @property
    def root(self) -> Construct:
        """The app."""
        return self.scopes[0]

    def add_validation(self, check: Any) -> None:
        """Have *check* asked before anything is written."""
        self.checks.append(check)

    def walk(self) -> Iterator[Construct]:
        """Yield the construct and all below it, parents first."""
        yield self.scopes[-1]
        for child in self.children:
            yield from child.node.walk()

    def __getattr__(self, name: str) -> Any:
        return _unknown(name)


class Construct:
    """A place in the tree."""

    node: Node

    def __init_subclass__(cls) -> None:
        """Leave to the CDK what it would ask a program's own class."""
        if not cls.__module__.startswith(_OURS) and not _HOOKS.isdisjoint(vars(cls)):
            beyond()

    def __init__(self, scope: Construct | None, id: str) -> None:  # noqa: A002 - the CDK's word
        self.node = Node(self, scope, id)

    def __getattr__(self, name: str) -> Any:
        return _unknown(name)


def _unknown(name: str) -> NoReturn:
    if name.startswith("_") or name == "node":
        raise AttributeError(name)
    beyond()


class TerraformElement(Construct):
    """Something of a stack."""


class TerraformModule(TerraformElement):
    """Nothing that is made here."""


class Stack(Construct):
    """One Terraform stack: its own name for the CDK's `TerraformStack`."""

    version = ""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002 - the CDK's word
        # Below another construct its outputs have names that are made otherwise.
        if not isinstance(scope, App) or not _NAME.fullmatch(id):
            beyond()
        super().__init__(scope, id)
        self.dependencies: list[Stack] = []
        self.outputs: dict[str, str] = {}
        self.remotes: dict[str, Stack] = {}

    @staticmethod
    def of(construct: Construct) -> Stack:
        """Return the stack that *construct* is in."""
        found = next((one for one in reversed(construct.node.scopes) if isinstance(one, Stack)), None)
        return found or beyond()

    def add_dependency(self, other: Stack) -> None:
        """Have *other* applied before this."""
        if other is self or self in other.needed():
            beyond()
        if other not in self.dependencies:
            self.dependencies.append(other)

    def needed(self) -> Iterator[Stack]:
        """Yield this stack and all that it depends on."""
        yield self
        for other in self.dependencies:
            yield from other.needed()

    def one(self, kind: type[Any]) -> Any:
        """Return the one *kind* that a stack must have here."""
        found = [child for child in self.node.children if isinstance(child, kind)]
        return found[0] if len(found) == 1 else beyond()

    def resolved(self, value: Any) -> Any:
        """Return *value* with its tokens as Terraform reads them; what another stack has comes through its outputs."""
        if isinstance(value, str):
            return _TOKEN.sub(lambda found: self._read(TOKENS[int(found[1])]), value) if "TfToken[" in value else value
        if isinstance(value, dict):
            return {self.resolved(key): self.resolved(item) for key, item in value.items()}
        return [self.resolved(item) for item in value] if isinstance(value, list) else value

    def _read(self, token: Token) -> str:
        other = token.stack
        if other is self:
            return token.expression
        self.add_dependency(other)
        self.remotes[f"cross-stack-reference-input-{other.node.id}"] = other
        name = f"cross-stack-output-{token.expression}"
        other.outputs[name] = token.expression
        return f"data.terraform_remote_state.cross-stack-reference-input-{other.node.id}.outputs.{unique_id([name])}"


TerraformStack = Stack


class HttpBackend(TerraformElement):
    """Where a stack's state is kept."""

    def __init__(self, scope: Construct, **values: str) -> None:
        super().__init__(scope, "backend")
        self.values = values


class TerraformProvider(TerraformElement):
    """A provider block of a stack."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - the CDK's word
        *,
        terraform_resource_type: str,
        terraform_provider_source: str,
        terraform_generator_metadata: Any,
    ) -> None:
        super().__init__(scope, id)
        self.terraform_resource_type = terraform_resource_type
        self.required = {
            "source": terraform_provider_source,
            "version": terraform_generator_metadata.provider_version,
        }


TerraformProviderGeneratorMetadata = SimpleNamespace


class TerraformResource(TerraformElement):
    """The address of a resource, for tokens."""

    kind = ""

    def __init__(self, scope: Construct, id: str, *, terraform_resource_type: str) -> None:  # noqa: A002 - the CDK's word
        super().__init__(scope, id)
        self.terraform_resource_type = terraform_resource_type
        self.friendly_unique_id = unique_id([id])

    def override_logical_id(self, name: str) -> None:
        """Be called *name*."""
        self.friendly_unique_id = name

    def get_string_attribute(self, name: str) -> str:
        """Return a token for an attribute."""
        expression = f"{self.kind}{self.terraform_resource_type}.{self.friendly_unique_id}.{name}"
        if not _REFERENCE.fullmatch(expression):
            beyond()
        TOKENS.append(Token(Stack.of(self), expression))
        return f"${{TfToken[TOKEN.{len(TOKENS) - 1}]}}"


class TerraformDataSource(TerraformResource):
    """The address of a data source, for tokens."""

    kind = "data."


class Aspects:
    """What visits the elements below a construct."""

    def __init__(self, construct: Construct) -> None:
        self.all = construct.node.aspects

    @classmethod
    def of(cls, construct: Construct) -> Aspects:
        """Return those of *construct*."""
        return cls(construct)

    def add(self, aspect: Any) -> None:
        """Add one."""
        self.all.append(aspect)


class App(Construct):
    """The root."""

    def __init__(self, *, outdir: str, **config: Any) -> None:
        # An app that is none of ours has elements of its own.
        if config or type(self) is App:
            beyond()
        self.outdir = outdir
        super().__init__(None, "")

    def synth(self) -> None:
        """Write every stack, and what they need of each other."""
        every = list(self.node.walk())
        if any(check.validate() for one in every for check in one.node.checks):
            beyond()
        if any(isinstance(one, TerraformElement) and not type(one).__module__.startswith(_OURS) for one in every):
            beyond()
        stacks = [one for one in every if isinstance(one, Stack)]
        # Its references are what gives another stack its outputs, so all are resolved before any is written.
        documents = {stack: _document(stack) for stack in stacks}
        manifest: dict[str, Any] = {"stacks": {}, "version": Stack.version}
        for stack in stacks:
            place = f"stacks/{stack.node.id}"
            _write(Path(self.outdir, place, "cdk.tf.json"), {**documents[stack], **_handed(stack, documents[stack])})
            manifest["stacks"][stack.node.id] = {
                "annotations": [],
                "constructPath": stack.node.path,
                "dependencies": [other.node.path for other in stack.dependencies],
                "name": stack.node.id,
                "stackMetadataPath": f"{place}/metadata.json",
                "synthesizedStackPath": f"{place}/cdk.tf.json",
                "workingDirectory": place,
            }
        manifest["stacks"] = dict(sorted(manifest["stacks"].items()))
        _write(Path(self.outdir, "manifest.json"), manifest)


def _document(stack: Stack) -> dict[str, Any]:
    """Return what the CDK writes of a stack beside the elements of the carrier, which are open in its parcel."""
    backend, provider = stack.one(HttpBackend), stack.one(TerraformProvider)
    carriers = [child for child in stack.node.children if hasattr(type(child), "to_metadata")]
    if any(carrier.to_metadata() for carrier in carriers):
        beyond()
    own: dict[str, Any] = {"metadata": {"backend": "http", "stackName": stack.node.id, "version": Stack.version}}
    for carrier in carriers:
        own |= stack.resolved(carrier.to_terraform()["//"])
    values = stack.resolved(provider._synthesize_attributes())  # noqa: SLF001 - as the CDK asks
    if provider.alias is not None or any(value in ({}, []) for value in values.values()):
        beyond()
    kind = provider.terraform_resource_type
    found: dict[str, Any] = {"//": own, "provider": {kind: [values]}}
    found["terraform"] = {"backend": {"http": backend.values}, "required_providers": {kind: provider.required}}
    return found


def _handed(stack: Stack, document: dict[str, Any]) -> dict[str, Any]:
    """Return what a stack hands to others, and what it takes from them."""
    outputs = {name: unique_id([name]) for name in stack.outputs}
    own = {**document["//"], "outputs": {stack.node.id: outputs} if outputs else {}}
    found: dict[str, Any] = {"//": own}
    if outputs:
        found["output"] = {
            outputs[name]: {"sensitive": True, "value": f"${{{expression}}}"}
            for name, expression in stack.outputs.items()
        }
    if stack.remotes:
        states = {
            name: {"backend": "http", "config": other.one(HttpBackend).values} for name, other in stack.remotes.items()
        }
        found["data"] = {"terraform_remote_state": states}
    return found


def _write(file: Path, document: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def implements(*_: Any) -> Callable[[type[Any]], type[Any]]:
    """Stand for what tells Node of an interface."""
    return lambda kind: kind


def member(*, jsii_name: str) -> Callable[[Any], Any]:  # noqa: ARG001 - the CDK's word
    """Stand for what tells Node of a member."""
    return lambda method: method


IAspect = ITerraformDependable = IValidation = object
