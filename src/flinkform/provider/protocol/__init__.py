"""The bytes between Terraform and the provider: go-plugin, gRPC, HTTP/2, protobuf, msgpack.

Standard library only, and quick to start: nothing here imports ``typing``, ``dataclasses``, ``json``,
``threading`` or ``ssl`` before it is needed, because each costs 3 to 16 ms, twice or more in a Terraform run.
Nothing here knows a resource. Use it so::

    from flinkform.provider.protocol import grpc, msgpack, plugin, protobuf

**plugin**: be a process that Terraform starts.

``serve(methods, *, version=6, on_stop=None) -> None``
    Handshake on stdout, then answer calls until Terraform says Shutdown, dies, or SIGTERM comes; then returns.
    *methods* maps ``b"/tfplugin6.Provider/ReadResource"`` to a callable ``bytes -> Answer``. Only its ``.get`` is
    called, and only after the handshake line is out: a mapping that imports the provider at its first ``get``
    costs the handshake nothing. *on_stop* is called once, then running work has 5 s. Raises Invalid when it is not
    Terraform that started the process. Nothing is left to do after it: ``os._exit`` saves the interpreter's teardown.
``reattach(methods, name) -> Reattached``
    The same server on a thread of this process, without TLS. ``.environment`` is the value of
    ``TF_REATTACH_PROVIDERS`` for the provider address *name*; ``.close()`` ends it. Also a context manager.

**grpc**: what a method may answer.

``Answer = bytes | list[bytes] | Later | None``
    One message, a server stream of messages, work for a thread, or a stream that stays open and silent.
``Later(work)``
    *work* takes no argument, runs on a worker thread (64 at most) and returns ``bytes`` or ``list[bytes]``.
    What a method does before it returns runs on the one loop thread: keep it free of waiting.
``Status(code, message)``
    Raise it, in either place, to answer with a gRPC error. Anything else raised answers UNKNOWN and leaves a
    traceback on stderr.

**protobuf**: read and write messages by field number.

``fields(data) -> Iterator[tuple[int, int | bytes]]``
    Every field in order: varints as unsigned int, everything else as bytes.
``read(data) -> dict[int, int | bytes]``
    The same, last value of each number only.
``uint(number, value)``, ``boolean(number, value)``, ``string(number, value)``, ``bytes_(number, value)``
    One encoded field; zero, False and empty are left out as proto3 wants. Join the results with ``b"".join``.
``message(number, *parts)``
    A nested message; present even when empty.
``entry(number, key, value)``
    One entry of a ``map<string, Message>``.

**msgpack**: Terraform values (cty).

``pack(value) -> bytes``, ``unpack(data) -> value``
    None, bool, int, float, Decimal, str, bytes, list, tuple, dict, ``UNKNOWN``. Numbers that are no exact
    float64 travel as strings both ways ("0.1"), so a number attribute may arrive as str.
``UNKNOWN``
    A value known only after apply; refined unknowns arrive as the same. Test with ``is``; its truth value raises.

``Malformed`` (from ``faults``) is raised by ``protobuf`` and ``msgpack`` on bytes that break their format, and
answered as INVALID_ARGUMENT when it escapes a method.
"""
