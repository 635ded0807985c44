"""Lists of Mautic end, whatever its answers are."""

from __future__ import annotations

from typing import Any

import pytest

from integration.errors import ServerFault
from integration.mautic import paging


def test_pages_that_come_again_end_the_list() -> None:
    calls: list[int] = []

    def read(start: int) -> list[dict[str, Any]]:
        calls.append(start)
        return [{"id": number} for number in range(1, 11)]

    assert len(list(paging.paged(read, 10))) == 10
    assert calls == [0, 10]


def test_a_list_without_an_end_is_given_up() -> None:
    with pytest.raises(ServerFault) as caught:
        list(paging.paged(lambda start: [{"id": start + number} for number in range(1, 11)], 10))
    assert caught.value.code == "endless"


@pytest.mark.parametrize("value", [True, "²", "9" * 5000, None, [], -1])
def test_what_is_no_id_is_none(value: Any) -> None:
    assert paging.number_of({"id": value}) in (0,)
