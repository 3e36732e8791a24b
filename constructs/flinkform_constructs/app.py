"""An App whose stacks Python writes: what stock `App` would write, faster, and all of it or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import orjson

from flinkform.errors import Invalid
from flinkform_constructs._cdk import cdk, out_folder, wants_hcl
from flinkform_constructs.carrier import CROSSING, Carried, Carrier
from flinkform_constructs.page import Page
from flinkform_constructs.scribe import Crossing, Open

_STYLE = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


class App(cdk.App, Carried):
    """The root of the tree.

    *outdir* is where the output goes: the folder that the CDK's command line asks for, else `cdktf.out`. The output
    is put together in a folder inside it and moved when it is complete, so that a failed synth leaves the last
    one untouched and no reader meets a stack without its jobs. Until then `App.outdir` is that other folder.
    The other arguments are those of stock `App`.
    """

    def __init__(self, *, outdir: str | Path | None = None, **config: Any) -> None:
        self.carriers: list[Carrier] = []
        self.target = Path(outdir or out_folder()).absolute()
        self.target.mkdir(parents=True, exist_ok=True)
        self._checks = not config.get("skip_validation")
        self._draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.target))
        self.discard = weakref.finalize(self, shutil.rmtree, self._draft, ignore_errors=True)
        super().__init__(outdir=str(self._draft), **config)

    def synth(self) -> None:
        """Write every stack. Raises `Invalid` with what validations say, before anything is written."""
        if wants_hcl():
            raise Invalid("flinkform_constructs writes Terraform JSON only", advice="run without --hcl")
        self._distinct()
        for carrier in self.carriers:
            carrier.visit()
        if self._checks:
            self._check()
        drafts = [_Draft(carrier) for carrier in self.carriers]
        try:
            super().synth()
        finally:
            for draft in drafts:
                draft.carrier.parcel = None
        for draft in drafts:
            draft.write(self._draft / "stacks" / draft.name / "cdk.tf.json")
        _named(self._draft / "manifest.json")
        _publish(self._draft, self.target)

    def _distinct(self) -> None:
        """The CDK writes a stack to a folder of its id, wherever it stands in the tree: the last one would win."""
        places: dict[str, str] = {}
        for carrier in self.carriers:
            name, path = carrier.stack.node.id, carrier.path
            if (other := places.setdefault(name, path)) != path:
                advice = "the CDK writes both to one folder: give each an id of its own"
                raise Invalid(f"two stacks are called {name}: {other} and {path}", advice=advice)

    def _check(self) -> None:
        found = [f"[{path}] {message}" for carrier in self.carriers for path, message in carrier.faults()]
        if found:
            raise Invalid("\n  ".join(("validation failed", *found)))


class _Draft:
    """One stack: its elements as written in Python, and what of them the CDK is asked to fill in."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.name: str = carrier.stack.node.id
        crossing = Crossing()
        self.page: Page = carrier.page(crossing.open)
        self.count = carrier.count
        carrier.parcel = crossing.values

    def write(self, file: Path) -> None:
        """Merge the elements into what the CDK wrote to *file*."""
        if self.carrier.count != self.count:
            raise Invalid(f"{self.name}: an aspect on a jsii construct added elements", advice="add them before synth")
        document = orjson.loads(file.read_bytes())
        filled = document["//"].pop(CROSSING, {})
        for kind, blocks in self.page.document.items():
            if isinstance(blocks, list):
                document.setdefault(kind, []).extend(blocks)
            else:
                for type_name, named in blocks.items():
                    self._add(document.setdefault(kind, {}).setdefault(type_name, {}), named, type_name)

        def fill(place: Any) -> Any:
            if isinstance(place, Open):
                return filled.get(place.name)
            raise TypeError

        file.write_bytes(orjson.dumps(document, default=fill, option=_STYLE))

    def _add(self, there: dict[str, Any], named: dict[str, Any], type_name: str) -> None:
        if twice := there.keys() & named.keys():
            raise Invalid(f"{self.name}: two constructs have the address {type_name}.{min(twice)}", advice="rename one")
        there.update(named)


def _named(manifest: Path) -> None:
    """Have the manifest call a stack one name: the CDK says what a stack needs by path, and what it is by id."""
    document = orjson.loads(manifest.read_bytes())
    for stack in document["stacks"].values():
        stack["dependencies"] = [path.rpartition("/")[2] for path in stack.get("dependencies", ())]
    manifest.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _publish(draft: Path, target: Path) -> None:
    """Move every file of *draft* to its place below *target*, the manifest last, each of them in one step."""
    for folder, _, files in sorted(os.walk(draft), reverse=True):
        place = target / Path(folder).relative_to(draft)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            Path(folder, name).replace(place / name)
