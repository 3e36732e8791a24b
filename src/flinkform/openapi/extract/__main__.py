"""Write the generated files below the current folder, which is the repository's root."""

from __future__ import annotations

from pathlib import Path

from flinkform.errors import Invalid
from flinkform.openapi.extract import render, sdk

DOCUMENTS = Path("provider-schema/openapi")
MODULES = Path("src/flinkform/openapi")


def main(root: Path) -> None:
    """Read the installed SDKs and write all four files below *root*, each as a whole or not at all."""
    if not (root / MODULES).is_dir():
        raise Invalid(f"expected the repository's root, got {root}")
    (root / DOCUMENTS).mkdir(parents=True, exist_ok=True)
    for path, text in files().items():
        target = root / path
        draft = target.with_name(target.name + ".new")
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(target)


def files() -> dict[Path, str]:
    """Return what the installed SDKs make: path to text."""
    sdks = {product: sdk.read(product) for product in sdk.PACKAGES}
    return {
        DOCUMENTS / "operations.json": render.document([o for found in sdks.values() for o in found.operations]),
        DOCUMENTS / "models.json": render.document({name: render.used(found) for name, found in sdks.items()}),
        MODULES / "table.py": render.table(sdks),
        MODULES / "modeltable.py": render.models(sdks),
    }


if __name__ == "__main__":
    main(Path.cwd())
