"""The words of `flinkform show`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later
from flinkform.resources import DATA_SOURCES

NOUNS = tuple(one.name.replace("_", "-") for one in DATA_SOURCES if one.plural)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="list what a control plane keeps, noun by noun, or show one thing of it")
    parser.add_argument("noun", metavar="NOUN", type=_noun, help=f"one of {', '.join(NOUNS)}; its end is enough")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="show the one of this name or id")
    parser.add_argument("--workspace", default="", metavar="NAME_OR_ID", help="needed where there are several")
    parser.add_argument("--namespace", default="", metavar="NAME", help="left out: every namespace of the workspace")
    parser.add_argument("--region", default="", help="of Alibaba Cloud; left out: the control plane of `up`")
    parser.add_argument(
        "--where", action="append", default=[], metavar="WHAT=VALUE", help="only those like this, as labels.team=bids"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("show"))


def _noun(word: str) -> str:
    """Return the noun that *word* is, or is the end of: `clusters` are session clusters."""
    plain = word.replace("_", "-")
    found = [plain] if plain in NOUNS else [noun for noun in NOUNS if noun.endswith(f"-{plain}")]
    if len(found) != 1:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(NOUNS)}, got {word}")
    return found[0]
