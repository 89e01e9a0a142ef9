from __future__ import annotations

import json
import threading

import pytest

from annexa.collect.shared_answers import AnswerKey, SharedAnswers
from annexa.errors import CollectError


def key(name: str, nth: int = 1) -> AnswerKey:
    return AnswerKey(name.encode(), nth)


def test_two_shards_ask_once_and_both_record_it(server, make_shard) -> None:
    server.routes["/list"] = lambda asked: asked.answer(200, '[{"password": "x"}]')
    shared: SharedAnswers = SharedAnswers()
    shards = [make_shard(server.url, shared=shared) for _ in range(2)]
    assert [shard.api.get("/list", a=1) for shard in shards] == [[{"password": "[redacted]"}]] * 2
    assert len(server.asked) == 1
    first, second = (json.loads(shard.log.getvalue()) for shard in shards)
    assert "shared" not in first["_annexa"]
    assert second["_annexa"].pop("shared") is True
    first["time"] = second["time"] = 0
    assert first == second
    assert shards[0].bodies.getvalue() == shards[1].bodies.getvalue()
    assert [shard.tape.redaction_count for shard in shards] == [1, 1]
    shards[1].api.get("/list", a=2)
    assert len(server.asked) == 2


def test_a_shard_that_asks_again_wants_to_know_anew(server, make_shard) -> None:
    server.replies("/job", (200, '"running"', {}), (200, '"ready"', {}))
    shared: SharedAnswers = SharedAnswers()
    for _ in range(2):
        shard = make_shard(server.url, shared=shared)
        assert [shard.api.get("/job") for _ in range(2)] == ["running", "ready"]
    assert len(server.asked) == 2


def test_errors_are_not_shared(server, make_shard) -> None:
    server.replies("/x", (404, "{}", {}), (200, "[]", {}))
    shared: SharedAnswers = SharedAnswers()
    with pytest.raises(CollectError):
        make_shard(server.url, shared=shared).api.get("/x")
    assert make_shard(server.url, shared=shared).api.get("/x") == []


def test_threads_wait_for_the_one_that_asks_and_ask_themselves_when_it_fails() -> None:
    shared: SharedAnswers[str] = SharedAnswers()
    began, go_on, asked, got = threading.Event(), threading.Event(), [], []

    def slow() -> str:
        asked.append("slow")
        began.set()
        assert go_on.wait(5)
        raise CollectError("broke")

    def quick() -> str:
        asked.append("quick")
        return "answer"

    def first() -> None:
        with pytest.raises(CollectError):
            shared.answer(key("a"), slow, len)

    def other() -> None:
        got.append(shared.answer(key("a"), quick, len))

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert began.wait(5)
    threads += [threading.Thread(target=other) for _ in range(4)]
    for thread in threads[1:]:
        thread.start()
    assert shared.answer(key("b"), lambda: "other key", len) == ("other key", False)
    assert asked == ["slow"]
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert asked == ["slow", "quick"]
    assert sorted(got) == [("answer", False)] + [("answer", True)] * 3


def test_what_is_kept_is_bounded_and_the_longest_unused_goes_first() -> None:
    shared: SharedAnswers[str] = SharedAnswers(limit=10)

    def ask(name: str, size: int | None = 4) -> bool:
        return shared.answer(key(name), lambda: name, lambda _: size)[1]

    assert [ask("a"), ask("b"), ask("a"), ask("c")] == [False, False, True, False]
    assert [ask("a"), ask("c")] == [True, True]
    assert ask("b") is False
    assert [ask("big", 11), ask("big", 11)] == [False, False]
    assert [ask("error", None), ask("error", None)] == [False, False]
