"""Preparing many documents on all cores: helper processes cut texts, the writer only adds.

Cutting Chinese text is most of the work of indexing, and one interpreter uses one core. A helper
is this module run as a program: it reads batches of documents on standard input and answers with
the values of their fields. When its parent dies it reads the end of its input and ends too.
Answers are marshalled, which takes a quarter of the time of pickling; they hold plain values only.
"""

from __future__ import annotations

import gc
import marshal
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import IO, Any

from search_index.fields import Values, field_values
from search_index.model import Document, IndexSchema

ALONE = 1000  # documents up to which helpers are not worth their start
BATCH = 250
MOST_HELPERS = 4
_LENGTH = struct.Struct("=Q")  # of an answer, in bytes; stands before it

Prepared = tuple[str, Values]


def prepared(schema: IndexSchema, documents: Iterable[Document]) -> Iterator[Prepared]:
    """Key and field values of each document, in order.

    Raises:
        ValueError: a document that the schema does not allow.
    """
    rest = iter(documents)
    head = list(islice(rest, ALONE))
    cores = len(os.sched_getaffinity(0))
    if len(head) < ALONE or cores < 2:
        for document in chain(head, rest):
            yield document.key, field_values(schema, document)
        return
    yield from _with_helpers(schema, chain(head, rest), min(cores, MOST_HELPERS))


def _with_helpers(
    schema: IndexSchema, documents: Iterator[Document], count: int
) -> Iterator[Prepared]:
    command = [sys.executable, "-m", "search_index.cutter"]
    helpers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    try:
        for helper in helpers:
            _send(helper, schema)
        busy = [helper for helper in helpers if _give(helper, documents)]
        # Each holds one batch; the next is read while the others work. So order is kept, and no
        # pipe is written to whose reader waits to write.
        while busy:
            helper = busy.pop(0)
            answer = _receive(helper.stdout)
            if _give(helper, documents):
                busy.append(helper)
            yield from answer
    finally:
        for helper in helpers:
            _end(helper)


def _give(helper: subprocess.Popen[bytes], documents: Iterator[Document]) -> bool:
    batch = list(islice(documents, BATCH))
    if batch:
        _send(helper, batch)
    return bool(batch)


def _send(helper: subprocess.Popen[bytes], what: object) -> None:
    assert helper.stdin is not None
    pickle.dump(what, helper.stdin, pickle.HIGHEST_PROTOCOL)
    helper.stdin.flush()


def _receive(stream: IO[bytes] | None) -> list[Prepared]:
    """The next answer of a helper; only what our own child wrote is read here."""
    assert stream is not None
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError("a helper that cuts texts ended")
    (length,) = _LENGTH.unpack(head)
    answer = marshal.loads(stream.read(length))
    if isinstance(answer, str):
        raise ValueError(answer)
    found: list[Prepared] = answer
    return found


def _end(helper: subprocess.Popen[bytes]) -> None:
    assert helper.stdin is not None
    assert helper.stdout is not None
    helper.stdout.close()
    with suppress(BrokenPipeError):  # it ended before us
        helper.stdin.close()
    helper.wait()


def main() -> None:
    """Answer batches until the input ends."""
    gc.disable()  # batches make no reference cycles
    source, target = sys.stdin.buffer, sys.stdout.buffer
    schema: IndexSchema = pickle.load(source)
    while True:
        try:
            batch: list[Document] = pickle.load(source)
        except EOFError:
            return
        try:
            answer: Any = [(one.key, field_values(schema, one)) for one in batch]
        except ValueError as error:
            answer = str(error)
        try:
            data = marshal.dumps(answer)
            target.write(_LENGTH.pack(len(data)) + data)
            target.flush()
        except BrokenPipeError:
            os._exit(1)  # nobody wants the answer any more


if __name__ == "__main__":
    main()
