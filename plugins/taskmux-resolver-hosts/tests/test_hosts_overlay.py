from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from taskmux_resolver_hosts.overlay import padded, shared, torn

texts = st.lists(st.sampled_from([b"a", b"b", b"\n"])).map(b"".join)


@given(texts, texts)
def test_shared_is_the_longest_common_beginning(one: bytes, other: bytes) -> None:
    length = shared(one, other)
    assert one[:length] == other[:length]
    assert one[length : length + 1] != other[length : length + 1] or one == other


@given(texts, texts, st.data())
def test_a_write_that_ended_on_the_way_is_known_again(
    before: bytes, after: bytes, data: st.DataObject
) -> None:
    written = padded(before, after)
    done = data.draw(st.integers(0, len(written)))
    found = written[:done] + before[done:]
    assert torn(found, before, after) == (found not in (before, after))


def test_what_somebody_wrote_since_then_is_not_torn() -> None:
    assert not torn(b"one\ntwo\nthree\n", b"one\n", b"one\ntwo\n")
    assert not torn(b"", b"one\n", b"one\ntwo\n")
    assert not torn(b"0ne\ntwo\n", b"one\n", b"one\ntwo\n")
