"""Which build this is: the version, and the commit wherever git keeps it."""

from __future__ import annotations

import pytest

from finaegis.shared.version import code_version

COMMIT = "2a272eb0c1d2e3f405162738495a6b7c8d9e0f10"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n')
    return tmp_path


def test_without_a_checkout_it_is_the_version(project) -> None:
    assert code_version(project) == "1.2.3"


def test_a_branch_is_followed_to_its_commit(project) -> None:
    heads = project / ".git/refs/heads"
    heads.mkdir(parents=True)
    (project / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (heads / "main").write_text(f"{COMMIT}\n")

    assert code_version(project) == "1.2.3+2a272eb0c1d2"


def test_a_packed_branch_is_found(project) -> None:
    (project / ".git").mkdir()
    (project / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (project / ".git/packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")

    assert code_version(project) == "1.2.3+2a272eb0c1d2"


def test_a_checked_out_commit_is_itself(project) -> None:
    (project / ".git").mkdir()
    (project / ".git/HEAD").write_text(f"{COMMIT}\n")

    assert code_version(project) == "1.2.3+2a272eb0c1d2"


def test_a_work_tree_leads_to_its_repository(project, tmp_path) -> None:
    git = tmp_path / "elsewhere/worktrees/x"
    git.mkdir(parents=True)
    (project / ".git").write_text(f"gitdir: {git}\n")
    (git / "HEAD").write_text("ref: refs/heads/x\n")
    (git / "commondir").write_text("../..\n")
    (tmp_path / "elsewhere/refs/heads").mkdir(parents=True)
    (tmp_path / "elsewhere/refs/heads/x").write_text(COMMIT)

    assert code_version(project) == "1.2.3+2a272eb0c1d2"


def test_a_branch_without_a_commit_is_the_version(project) -> None:
    (project / ".git").mkdir()
    (project / ".git/HEAD").write_text("ref: refs/heads/main\n")

    assert code_version(project) == "1.2.3"
