"""The documents say what the code does: tables of codes, roles, holds, settings, commands; and links lead on."""

import re
from dataclasses import fields

import pytest

from finaegis.groups import ROLES
from tests.commands import documents
from workflows.conf import EngineSettings
from workflows.core.status import HoldReason, allowed_acts
from workflows.management.commands._workflow.arguments import SUBCOMMANDS
from workflows.management.commands._workflow.exits import HELP, Exit
from workflows.models.run import ACTS

OPERATIONS = documents.ROOT / "docs" / "operations.md"
GLOSSARY = documents.ROOT / "docs" / "glossary.md"
#: For tests alone; no operator sets it.
_NOT_FOR_OPERATORS = {"WORKFLOWS_FAULTS_DIR"}


def table(heading):
    """The first cells of the tables below a heading, without their head."""
    return documents.first_cells(documents.section(OPERATIONS, heading))[1:]


def rows(heading):
    """The tables below a heading: first cell -> the rest of its row."""
    text = documents.section(OPERATIONS, heading)
    return {name.replace("`", ""): rest for name, rest in re.findall(r"^\| *([^|]+?) *\|(.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", documents.DOCS, ids=lambda path: path.name)
def test_links_between_files_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    local = [target.split("#")[0] for target in targets if "://" not in target]

    missing = [target for target in local if target and not (path.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize("path", documents.DOCS, ids=lambda path: path.name)
def test_links_into_a_page_name_one_of_its_headings(path):
    text = path.read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert [target for target in re.findall(r"\]\(#([^)]+)\)", text) if target not in anchors] == []


@pytest.mark.parametrize("path", documents.DOCS, ids=lambda path: path.name)
def test_python_in_a_document_is_python(path):
    for source in documents.blocks(path, "python"):
        compile(source, str(path), "exec")


def test_every_exit_code_is_explained():
    assert {int(code) for code in table("### Exit codes")} == {int(code) for code in Exit}


def test_the_help_of_the_command_explains_the_codes_that_it_can_choose():
    told = {int(code) for code in re.findall(r"^  (\d+)  ", HELP, re.MULTILINE)}

    assert told == {int(code) for code in Exit} - {Exit.INTERRUPTED, Exit.READER_GONE}


def test_every_reason_of_a_hold_is_explained():
    assert table("## Held runs") == [str(reason) for reason in HoldReason]


@pytest.mark.parametrize("reason", list(HoldReason))
def test_what_releases_a_hold_is_what_the_engine_lets_through(reason):
    told = rows("## Held runs")[str(reason)].rsplit("|", 2)[1]

    named = set(re.findall(r"`(\w+)`", told)) & set(ACTS)
    assert named == set(allowed_acts("held", reason)) - {"rerun"}


def test_every_act_is_explained():
    assert set(table("## Acts")) == set(ACTS) - {"start"}


def test_every_sub_command_is_explained():
    cells = [cell for cell in table("## Command line") if not cell.isdigit() and cell != "Code"]

    named = {word.split(" ")[0] for cell in cells for word in cell.split(", ")}
    assert named == set(SUBCOMMANDS)


def test_every_role_is_explained():
    assert table("## Roles") == list(ROLES)


def variables_read():
    """Environment variables that the settings and entry points read."""
    files = [*documents.ROOT.glob("finaegis/settings/*.py"), documents.ROOT / "manage.py"]
    text = "\n".join(path.read_text() for path in files)
    return set(re.findall(r'(?:env\.\w+\(|environ\.\w+\(|environ\[)"([A-Z_]+)"', text))


def test_every_environment_variable_is_explained():
    section = documents.section(OPERATIONS, "## Settings")
    told = {cell for cell in documents.first_cells(section) if re.fullmatch(r"[A-Z]+(_[A-Z]+)*", cell)}

    assert variables_read() - told - _NOT_FOR_OPERATORS == set()


def test_every_variable_that_is_explained_is_read():
    before_the_engines_own = documents.section(OPERATIONS, "## Settings").split("The engine's own settings")[0]
    told = {cell for cell in documents.first_cells(before_the_engines_own) if cell.isupper()}

    assert told - variables_read() == set()


def test_the_engines_settings_that_are_explained_exist():
    own = documents.section(OPERATIONS, "## Settings").split("The engine's own settings")[1].split("###")[0]
    told = {cell.lower() for cell in documents.first_cells(own) if cell.isupper()}

    assert told
    assert told - {field.name for field in fields(EngineSettings)} == set()


def test_a_word_is_explained_once():
    words = [word.strip() for cell in documents.first_cells(GLOSSARY.read_text()) for word in cell.split(",")]

    assert [word for word in set(words) if words.count(word) > 1] == []
