"""HPACK against the examples of RFC 7541, appendix C, and against the library of that name."""

from __future__ import annotations

import contextlib

import hpack as stranger
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flinkform.provider.protocol import huffman
from flinkform.provider.protocol.faults import ConnectionFault
from flinkform.provider.protocol.frames import COMPRESSION_ERROR, ENHANCE_YOUR_CALM
from flinkform.provider.protocol.hpack import SHRINK, STATIC, Decoder, integer, literal, read_integer

LIMIT = 65_536

PLAIN = (  # C.3: three requests on one connection, without Huffman code
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
CODED = (  # C.4: the same with Huffman code
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)
FIRST = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")]
REQUESTS = (
    FIRST,
    [*FIRST, (b"cache-control", b"no-cache")],
    [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":path", b"/index.html"),
        (b":authority", b"www.example.com"),
        (b"custom-key", b"custom-value"),
    ],
)
RESPONSES = (  # C.6: responses with Huffman code and a table of 256 bytes, which evicts
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    (
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af"
        "27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"
    ),
)
DATE, LATER = b"Mon, 21 Oct 2013 20:13:21 GMT", b"Mon, 21 Oct 2013 20:13:22 GMT"
COOKIE = b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
ANSWERS = (
    [(b":status", b"302"), (b"cache-control", b"private"), (b"date", DATE), (b"location", b"https://www.example.com")],
    [(b":status", b"307"), (b"cache-control", b"private"), (b"date", DATE), (b"location", b"https://www.example.com")],
    [
        (b":status", b"200"),
        (b"cache-control", b"private"),
        (b"date", LATER),
        (b"location", b"https://www.example.com"),
        (b"content-encoding", b"gzip"),
        (b"set-cookie", COOKIE),
    ],
)


@pytest.mark.parametrize("blocks", [PLAIN, CODED], ids=["plain", "coded"])
def test_requests_of_the_standard(blocks: tuple[str, ...]) -> None:
    """Three blocks in a row share one dynamic table."""
    decoder = Decoder(LIMIT)
    assert tuple(decoder.decode(bytes.fromhex(block)) for block in blocks) == REQUESTS


def test_responses_of_the_standard_evict() -> None:
    """A small table forgets its oldest entries as the standard's does."""
    decoder = Decoder(LIMIT)
    decoder.decode(integer(256, 5, 0x20))
    assert tuple(decoder.decode(bytes.fromhex(block)) for block in RESPONSES) == ANSWERS


@pytest.mark.parametrize(
    ("block", "headers"),
    [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [(b"custom-key", b"custom-header")]),  # C.2.1
        ("040c2f73616d706c652f70617468", [(b":path", b"/sample/path")]),  # C.2.2
        ("100870617373776f726406736563726574", [(b"password", b"secret")]),  # C.2.3
        ("82", [(b":method", b"GET")]),  # C.2.4
    ],
)
def test_each_form_of_the_standard(block: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Literals with, without and never indexed, and an indexed header."""
    assert Decoder(LIMIT).decode(bytes.fromhex(block)) == headers


@pytest.mark.parametrize(("value", "bits", "expected"), [(10, 5, "0a"), (1337, 5, "1f9a0a"), (42, 8, "2a")])
def test_integers_of_the_standard(value: int, bits: int, expected: str) -> None:
    """C.1, both ways."""
    assert integer(value, bits).hex() == expected
    assert read_integer(bytes.fromhex(expected), 0, bits) == (value, len(expected) // 2)


def test_the_static_table_is_whole() -> None:
    """61 entries, in the stranger's order."""
    assert list(STATIC) == [tuple(entry) for entry in stranger.table.HeaderTable.STATIC_TABLE]


NAMES = st.binary(min_size=1, max_size=40)
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=200), st.booleans()), max_size=12)


@settings(max_examples=40)
@given(st.lists(HEADERS, min_size=1, max_size=4), st.booleans())
def test_the_stranger_s_blocks_are_read(lists: list[list[tuple[bytes, bytes, bool]]], huffman_coded: bool) -> None:
    """Whatever the hpack library encodes, over several blocks that share a table."""
    encoder, decoder = stranger.Encoder(), Decoder(LIMIT)
    for headers in lists:
        block = encoder.encode(headers, huffman=huffman_coded)
        assert decoder.decode(block) == [(name, value) for name, value, _ in headers]


@settings(max_examples=40)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=8))
def test_the_stranger_reads_our_literals(headers: list[tuple[bytes, bytes]]) -> None:
    """Blocks made of literals, after an announcement that our table is empty."""
    block = SHRINK + b"".join(literal(name, value) for name, value in headers)
    assert stranger.Decoder().decode(block, raw=True) == headers


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(block: bytes) -> None:
    """No block raises anything but ConnectionFault."""
    with contextlib.suppress(ConnectionFault):
        Decoder(LIMIT).decode(block)


@pytest.mark.parametrize(
    "block",
    [
        "80",  # index 0
        "be",  # nothing in the dynamic table
        "ffffffffff7f",  # an index without end
        "40",  # a name that is missing
        "0003616263",  # a value that is missing
        "00036162",  # a name that is cut off
        "8220",  # a table size after a header
        "3fe2ffff03",  # a table size over ours
        "008101",  # a Huffman code that ends in zeros
        "00810f81ff",  # a whole byte of padding
        "0084ffffffff00",  # EOS
    ],
)
def test_broken_blocks_are_refused(block: str) -> None:
    """Each with COMPRESSION_ERROR."""
    with pytest.raises(ConnectionFault) as caught:
        Decoder(LIMIT).decode(bytes.fromhex(block))
    assert caught.value.code == COMPRESSION_ERROR


def test_a_small_block_cannot_become_a_large_list() -> None:
    """An entry of 4 KB, named again and again, is stopped at the limit."""
    decoder = Decoder(LIMIT)
    decoder.decode(b"\x40" + integer(1, 7) + b"a" + integer(4000, 7) + bytes(4000))
    with pytest.raises(ConnectionFault) as caught:
        decoder.decode(b"\xbe" * 100)
    assert caught.value.code == ENHANCE_YOUR_CALM


def test_an_entry_larger_than_the_table_empties_it() -> None:
    """As the standard says, and it is no error."""
    decoder = Decoder(LIMIT)
    decoder.decode(literal(b"a", b"b").replace(b"\0", b"\x40", 1))
    decoder.decode(b"\x40" + integer(1, 7) + b"a" + integer(5000, 7) + bytes(5000))
    with pytest.raises(ConnectionFault):
        decoder.decode(b"\xbe")


def test_the_epoch_tells_when_the_table_changed() -> None:
    """So that a block may be remembered while it has not."""
    decoder = Decoder(LIMIT)
    decoder.decode(bytes.fromhex("82"))
    assert decoder.epoch == 0
    decoder.decode(bytes.fromhex(PLAIN[0]))
    assert decoder.epoch == 1


def test_every_byte_has_a_huffman_code() -> None:
    """The stranger's encoder and our decoder agree on all 256."""
    data = bytes(range(256))
    coder = stranger.huffman.HuffmanEncoder(
        stranger.huffman_constants.REQUEST_CODES, stranger.huffman_constants.REQUEST_CODES_LENGTH
    )
    assert huffman.decode(coder.encode(data)) == data
