"""Issue 10.4: who a holder is and whether a list names them: simulated and over a socket, with one meaning."""

import pytest

from finaegis.management.commands import third_parties
from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Unavailable
from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from tests.simulators.serving import serving
from treasury.contracts import Document, DocumentStatus, ScreeningSubject
from treasury.ports import chosen, http, simulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["simulated", "http"])
def ports(request):
    """Both ports, as the settings choose them."""
    if request.param == "simulated":
        yield chosen.document_verification(), chosen.sanctions_screening()
        return
    with serving(third_parties.ROUTES) as served:
        yield (
            http.HttpDocumentVerification(served.endpoint(simulator.DOCUMENTS_PARTY)),
            http.HttpScreening(served.endpoint(simulator.SCREENING_PARTY)),
        )


def documents(*references):
    return tuple(Document(kind="passport", reference=reference) for reference in references)


@pytest.mark.parametrize(
    ("references", "status", "codes"),
    [
        (["P-1"], DocumentStatus.VERIFIED, []),
        (["P-9001"], DocumentStatus.FAILED, ["not_genuine"]),
        (["P-9003", "P-1"], DocumentStatus.FAILED, ["expired"]),
        (["P-9004"], DocumentStatus.FAILED, ["other_person"]),
        (["P-9005"], DocumentStatus.INCOMPLETE, ["unreadable"]),
        (["P-9005", "P-9001"], DocumentStatus.FAILED, ["unreadable", "not_genuine"]),
        ([], DocumentStatus.INCOMPLETE, []),
    ],
)
def test_the_end_of_a_reference_decides(ports, references, status, codes):
    check = ports[0].verify(key="k", holder="Ada Byron", documents=documents(*references))

    assert (check.status, [item.code for item in check.findings]) == (status, codes)


def test_the_same_key_gives_the_same_answer(ports):
    asked = {"key": "k", "holder": "Ada Byron", "documents": documents("P-1")}

    assert ports[0].verify(**asked) == ports[0].verify(**asked)


def test_an_outage_is_not_taken(ports):
    with pytest.raises(NotTaken):
        ports[0].verify(key="k", holder="Ada Byron", documents=documents("P-9002"))


#: Name, country, and which entry it matches.
NAMES = [
    ("Viktor Andreyevich Malenkov", None, "SYN-0001"),
    ("MALENKOV, Viktor Andreyevich", None, "SYN-0001"),
    ("Viktor Malenkov", None, "SYN-0001"),
    ("Victor Malenkow", None, "SYN-0001"),
    ("Viktor Andreievich Malenkov", None, "SYN-0001"),
    ("Виктор Андреевич Маленков", None, "SYN-0001"),
    ("Jose Ignacio Barrantes Ugarte", None, "SYN-0005"),
    ("Lukasz Zerominski-Graf", "PL", "SYN-0007"),
    ("Jorg-Uwe Strassenheim", None, "SYN-0008"),
    ("Viktor Petrov", None, None),
    ("Ada Byron", None, None),
    ("Kang Min-jun", None, None),
    ("Maria Ugarte", None, None),
    ("Malenkovich Trading", None, None),
    ("Viktor Andreievich Malenkow", "US", None),
    ("Operating liquidity", None, None),
]


@pytest.mark.parametrize(("name", "country", "entry"), NAMES)
def test_a_name_is_matched_by_likeness(ports, name, country, entry):
    found = ports[1].screen(key="k", subject=ScreeningSubject(name=name, country=country))

    assert found.clear is (entry is None)
    assert [entry in match for match in found.matches] == ([] if entry is None else [True])
    assert found.list_version == "synthetic-2026-11"


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure.NOT_TAKEN, NotTaken),
        (Failure.FAILED, Unavailable),
        (Failure.CALL_LOST, OutcomeUnknown),
        (Failure.ANSWER_LOST, OutcomeUnknown),
    ],
)
def test_failures_keep_their_class(ports, failure, error):
    impose(party=simulator.SCREENING_PARTY, failure=failure)
    impose(party=simulator.DOCUMENTS_PARTY, failure=failure)

    with pytest.raises(error):
        ports[1].screen(key="k", subject=ScreeningSubject(name="Ada Byron"))
    with pytest.raises(error):
        ports[0].verify(key="k", holder="Ada Byron", documents=documents("P-1"))


def test_an_address_chooses_the_adapter(settings):
    told = {"URL": "http://127.0.0.1:1/", "TOKEN": "t"}
    settings.THIRD_PARTIES = {**settings.THIRD_PARTIES, "document_verification": told, "sanctions_screening": told}

    assert isinstance(chosen.document_verification(), http.HttpDocumentVerification)
    assert isinstance(chosen.sanctions_screening(), http.HttpScreening)
