"""Social security numbers: their form, and how the same person is told without keeping the number."""

import pytest
from django.test import override_settings

from lending import queries
from lending.errors import InvalidSsn
from lending.rules.identity import never_told, normalise_ssn


@pytest.mark.parametrize("text", ["123-45-6789", "123456789", "123 45 6789", " 123-45-6789 "])
def test_the_ways_to_write_a_number_are_one_number(text):
    assert normalise_ssn(text) == "123456789"


@pytest.mark.parametrize(
    "text",
    [
        "", "12345678", "1234567890", "123-45 6789", "123-456-789", "abc-de-fghi", "000-45-6789", "666-45-6789",
        "123-00-6789", "123-45-0000", "\uff11\uff12\uff13-45-6789", "123-45-6789\n1",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_without_showing_it(text):
    with pytest.raises(InvalidSsn) as refused:
        normalise_ssn(text)

    assert refused.value.code == "invalid_ssn"
    assert not text.strip() or text not in str(refused.value)


def test_a_number_of_a_taxpayer_without_a_card_is_taken():
    assert normalise_ssn("912-70-1234") == "912701234"


def test_the_same_person_has_one_identity_and_another_person_another():
    one, again, other = map(queries.identity_of, ("123-45-6789", "123 45 6789", "123-45-6788"))

    assert one == again != other
    assert "6789" not in one


def test_the_identity_hangs_on_a_key_that_is_in_no_database(settings):
    before = queries.identity_of("123-45-6789")

    with override_settings(WORKFLOWS={**settings.WORKFLOWS, "HISTORY_KEY": "another"}):
        assert queries.identity_of("123-45-6789") != before


@pytest.mark.parametrize("written", ["123-45-6789", "123456789", "123 45 6789", "1-2-3-4-5-6-7-8-9"])
def test_an_error_is_rid_of_the_number_however_it_is_written(written):
    with pytest.raises(ValueError, match="no") as raised, never_told("123-45-6789"):
        raise ValueError(f"no {written}, no luck") from KeyError(written)

    assert str(raised.value) == "no •••, no luck"
    assert raised.value.__cause__.args == ("•••",)
