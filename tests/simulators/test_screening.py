"""The simulated sanctions screening: whom it finds under which spelling, and whom it leaves alone."""

import pytest

from finaegis.simulators.screening import UNREADABLE, matches, normalised, published


def found(name, *, account="DE00 1", country=None):
    return [match.rpartition("[")[2].rstrip("]") for match in matches(
        name=name, account=account, country=country, within=published()
    )]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Viktor Andreyevich Malenkov", "SYN-0001"),
        ("MALENKOV, Viktor Andreyevich", "SYN-0001"),
        ("Viktor Malenkov", "SYN-0001"),
        ("Viktor Andreyevitch Malenkow", "SYN-0001"),
        ("Виктор Андреевич Маленков", "SYN-0001"),
        ("Jose Ignacio Barrantes Ugarte", "SYN-0005"),
        ("Youssef Abdulkarim Al-Sharkawi", "SYN-0006"),
        ("Lukasz Zerominski-Graf", "SYN-0007"),
        ("Jörg Uwe Strassenheim", "SYN-0008"),
        ("Northstar Meridian Shipping", "SYN-0009"),
        ("BLUEWATER QUARTZ TRADING LTD.", "SYN-0010"),
    ],
)
def test_a_listed_name_is_found_in_any_spelling(name, entry):
    assert found(name) == [entry]


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Viktor Ivanov",
        "Maria Ignacia Ugarte Soto",
        "Kang Min-ji",
        "Northern Star Bakery Ltd",
        "Li",
        "José",
    ],
)
def test_another_name_is_clear(name):
    assert found(name) == []


def test_a_listed_account_is_found_under_any_name():
    assert found("Ada Lovelace", account="gb33 synt 2020 1555 5599 99") == ["SYN-0012"]


def test_abroad_a_name_must_be_nearly_the_same():
    assert found("Viktor Andreyevitch Malenkof", country="RU") == ["SYN-0001"]
    assert found("Viktor Andreyevitch Malenkof", country="CA") == []
    assert found("Viktor Andreyevich Malenkov", country="CA") == ["SYN-0001"]


def test_a_name_that_cannot_be_read_is_not_clear():
    assert matches(name="...", account="x", country=None, within=published()) == (UNREADABLE,)


def test_a_match_names_the_entry():
    assert matches(name="Kang Myong-hyok", account="x", country=None, within=published()) == (
        "Kang Myong-hyok [SYN-0004]",
    )


def test_a_name_of_legal_forms_alone_is_kept():
    assert normalised("SA GmbH") == "sa gmbh"


def test_the_list_says_where_it_comes_from_and_finds_each_of_its_names():
    listed = published()

    assert "invented" in listed.source
    assert len({entry.id for entry in listed.entries}) == len(listed.entries) == 12
    for entry in listed.entries:
        for name in (entry.name, *entry.aliases):
            assert entry.id in found(name)
