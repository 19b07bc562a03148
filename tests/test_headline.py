"""``make headline``, from the archives and from the sources' public commits."""

import pytest
from backfilling import commits
from click.testing import CliRunner

from benchmarks import headline, history
from local.sources.publisher import Publisher

pytestmark = [pytest.mark.cloud, pytest.mark.data]


def test_the_headline_is_the_same_from_the_archives_and_from_the_public_commits(data, monkeypatch, tmp_path):
    from_archives = CliRunner().invoke(headline.main)
    assert from_archives.exit_code == 0
    assert "230 of 343, wrong for 72 days (median)" in from_archives.output
    assert "2020-10-24: 102,426 shown, 78,698 published (+30%)" in from_archives.output
    assert "In Daybook's: 0." in from_archives.output
    with Publisher() as publisher:
        publisher.files.update(commits(history.archived()))
        monkeypatch.setattr(history, "DATA", tmp_path / "nothing")
        monkeypatch.setattr(history, "CACHE", tmp_path / "cache")
        monkeypatch.setattr(history, "default", lambda _: publisher.address("").rstrip("/"))
        fetched = CliRunner().invoke(headline.main)
        publisher.files.clear()
        again = CliRunner().invoke(headline.main)
    assert fetched.output.endswith(from_archives.output)
    assert again.output == fetched.output


def test_a_machine_without_internet_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setattr(history, "DATA", tmp_path / "nothing")
    monkeypatch.setattr(history, "CACHE", tmp_path)
    monkeypatch.setattr(history, "default", lambda _: "http://127.0.0.1:9")
    told = CliRunner().invoke(headline.main)
    assert told.exit_code == 1
    assert "can't be reached" in told.output
