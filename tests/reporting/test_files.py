"""The files themselves, opened as their readers open them."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from tests.reporting import books
from tests.treasury.factories import TreasuryAccountFactory

pytestmark = pytest.mark.django_db

#: Names as an attacker would choose them.
EVIL = '=HYPERLINK("http://evil.example","click")'


# --- CSV -------------------------------------------------------------------------------------------------------------


def test_csv_is_one_table_with_the_day_and_the_report_in_each_row(env, treasury) -> None:
    report = books.made(env, "treasury_positions", "csv")

    rows = books.csv_rows(report)
    assert {row["business date"] for row in rows} == {"2026-01-05"}
    assert {row["report"] for row in rows} == {str(report.id)}
    assert {(row["account"], row["position"]): row["balance"] for row in rows} == {
        ("Liquidity", "operating"): "900000.00",
        ("Liquidity", "allocated cash"): "20000.00",
        ("Liquidity", "allocated bonds"): "40000.00",
        ("Liquidity", "allocated equities"): "40000.00",
        ("Reserve", "operating"): "5000.00",
        ("Reserve", "allocated cash"): "0.00",
        ("Reserve", "allocated bonds"): "0.00",
        ("Reserve", "allocated equities"): "0.00",
    }


def test_csv_lines_end_as_rfc_4180_says(env, treasury) -> None:
    content = books.content_of(books.made(env))

    assert content.count(b"\r\n") == content.count(b"\n") == 9


def test_csv_keeps_a_formula_as_a_text_and_a_comma_in_its_place(env) -> None:
    TreasuryAccountFactory(name=EVIL)
    TreasuryAccountFactory(name='a, "b"\nc')

    names = {row["account"] for row in books.csv_rows(books.made(env))}

    assert names == {f"'{EVIL}", 'a, "b"\nc'}


# --- XLSX ------------------------------------------------------------------------------------------------------------


def test_xlsx_has_the_report_its_table_and_the_trial_balance(env, treasury) -> None:
    report = books.made(env, "treasury_positions", "xlsx")

    book = books.workbook(report)
    assert book.sheetnames == ["Report", "Positions", "Trial balance"]
    rows = books.sheet_rows(book["Positions"])
    assert [row["balance"] for row in rows if row["position"] == "operating"] == [900000, 5000]
    summary = {row[0]: row[1:] for row in book["Report"].iter_rows(values_only=True) if row[0]}
    assert summary["report"][0] == str(report.id)
    assert summary["code version"][0] == report.metadata.code_version
    assert summary["treasury, operating"] == ("USD", 900000, 900000, 0, "ties")


def test_xlsx_amounts_are_numbers_in_the_places_of_their_currency(env, treasury) -> None:
    cells = [row[5] for row in books.workbook(books.made(env, format="xlsx"))["Positions"].iter_rows(min_row=2)]

    assert {(cell.data_type, cell.number_format) for cell in cells} == {("n", "#,##0.00")}


def test_xlsx_negative_amounts_stay_numbers(env, treasury) -> None:
    rows = books.sheet_rows(books.workbook(books.made(env, format="xlsx"))["Trial balance"])

    assert [row["balance"] for row in rows if row["owner"] == "external"] == [-5000, -1000000]


@pytest.mark.parametrize("amount", ["12345678901234.56", "98765432109876.54"])
def test_xlsx_writes_an_amount_that_it_would_round_as_text(env, amount) -> None:
    TreasuryAccountFactory(name="Huge", balance=amount)

    [row] = [
        row
        for row in books.sheet_rows(books.workbook(books.made(env, format="xlsx"))["Positions"])
        if row["position"] == "operating"
    ]

    assert row["balance"] == amount


def test_xlsx_takes_no_text_for_a_formula(env) -> None:
    TreasuryAccountFactory(name=EVIL)

    sheet = books.workbook(books.made(env, format="xlsx"))["Positions"]

    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {(cell.value, cell.data_type) for cell in cells} == {(f"'{EVIL}", "s")}


def test_xlsx_survives_what_xml_cannot_hold(env) -> None:
    TreasuryAccountFactory(name="bell\x07 and <tag> & more")

    sheet = books.workbook(books.made(env, format="xlsx"))["Positions"]

    assert sheet["A2"].value == "bell\ufffd and <tag> & more"


# --- PDF -------------------------------------------------------------------------------------------------------------


def test_pdf_tells_the_facts_the_totals_the_ties_and_the_rows(env, treasury) -> None:
    report = books.made(env, "treasury_positions", "pdf")

    text = books.pdf_text(report)
    for told in (
        "Treasury positions, 2026-01-05", str(report.id), report.metadata.code_version, "Positions in USD", "Totals",
        "Ties to the ledger's trial balance", "Liquidity", "900,000.00", "all accounts of the ledger", "page 1",
    ):  # fmt: skip
        assert told in text, told
    assert "DIFFERS" not in text


@pytest.mark.parametrize("kind", books.KINDS)
def test_pdf_has_a_chart_with_bars(env, everything, kind) -> None:
    """Bars are filled rectangles in the chart's own blue, drawn as vectors."""
    report = books.made(env, kind, "pdf")

    assert bars_of(books.content_of(report)) >= 1


def test_pdf_draws_a_bar_for_each_position(env, treasury) -> None:
    assert bars_of(books.content_of(books.made(env, "treasury_positions", "pdf"))) == 5  # of 8, three are zero


def test_pdf_draws_mark_up_in_a_name_as_it_is(env) -> None:
    TreasuryAccountFactory(name="<b>Łódź</b> & <para>")

    assert "<b>Łódź</b> & <para>" in books.pdf_text(books.made(env, format="pdf"))


def test_pdf_marks_a_letter_that_its_typeface_does_not_have(env) -> None:
    TreasuryAccountFactory(name="漢字 Bank")

    assert "?? Bank" in books.pdf_text(books.made(env, format="pdf"))


def test_pdf_goes_on_over_many_pages_with_its_head(env) -> None:
    for number in range(40):
        TreasuryAccountFactory(name=f"Account number {number}")

    pages = PdfReader(io.BytesIO(books.content_of(books.made(env, format="pdf")))).pages

    with_rows = [page.extract_text() for page in pages if "Account number" in page.extract_text()]
    assert len(with_rows) >= 4
    assert all("account id" in text for text in with_rows)


def bars_of(content: bytes) -> int:
    """How many bars in the first series' colour the file draws: filled rectangles of some height, without an edge."""
    drawn = 0
    reader = PdfReader(io.BytesIO(content))
    for page in reader.pages:
        is_blue, height = False, 0.0
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator == b"rg":
                is_blue = [round(float(item), 2) for item in operands] == [0.15, 0.39, 0.92]
            elif operator == b"re":
                height = abs(float(operands[3]))
            elif operator == b"f*" and is_blue and height > 0.01:
                drawn += 1
    return drawn
