"""The worker process: `python -P -m annexa.assess.worker`. Reads requests from its input, writes replies to its output.

It is started with an empty environment and in a session of its own, and ends when its input does or its parent is gone.
"""

from __future__ import annotations

import os
import sys
import threading

_LOOK = 1.0


def main() -> None:
    """Answer until there is nothing more to answer."""
    import msgspec

    from annexa.assess.protocol import Request
    from annexa.assess.room import Room

    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
    room = Room()
    for line in sys.stdin.buffer:
        replies.write(msgspec.json.encode(room.answer(decoder.decode(line))) + b"\n")
        replies.flush()


def _end_with_parent(parent: int) -> None:
    """A query that never ends would outlive a parent that was killed."""
    ended = threading.Event()
    while os.getppid() == parent:
        ended.wait(_LOOK)
    os._exit(1)


if __name__ == "__main__":
    main()
