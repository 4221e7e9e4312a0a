"""Secrets are compared, shown by name, and never turned into text by accident."""

from __future__ import annotations

import json

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats.records import to_data, value_from_data
from dronekit_cfg.model import Kind, Value, Vault, is_secret, secret_name

KEY = "correct horse battery staple"


def vault(key: bytes = b"k" * 32, **given: str) -> Vault:
    return Vault(given, lambda: key)


@pytest.mark.parametrize(
    ("text", "name"),
    [("<secret:sik-key>", "sik_key"), ("<secret:Bind>", "bind"), ("x<secret:a>", None), ("<secret:>", None), (5, None)],
)
def test_only_a_whole_reference_names_a_secret(text: object, name: str | None) -> None:
    assert secret_name(text) == name


def test_a_value_shows_its_name_and_nothing_of_the_text() -> None:
    value = vault(sik_key=KEY).wanted("<secret:sik-key>")
    assert str(value) == "<secret:sik_key>"
    assert KEY not in repr(value) + json.dumps(to_data(value)) + repr(vault(sik_key=KEY))
    assert value_from_data(json.loads(json.dumps(to_data(value)))).same(value)
    assert is_secret(value)
    assert value.kind is Kind.SECRET


def test_equal_texts_are_the_same_whatever_they_are_called_and_different_ones_are_not() -> None:
    one = vault(a=KEY, b=KEY, c=KEY + "!")
    assert one.wanted("<secret:a>").same(one.wanted("<secret:b>"))
    assert one.seal(KEY).same(one.wanted("<secret:b>"))
    assert not one.seal(KEY).same(one.wanted("<secret:c>"))
    assert not one.seal("").same(one.seal(KEY))
    assert not one.seal(KEY).same(Value(Kind.TEXT, KEY))


def test_what_another_computer_wrote_down_is_never_taken_for_equal() -> None:
    elsewhere = vault(b"x" * 32, a=KEY)
    assert not vault(a=KEY).wanted("<secret:a>").same(elsewhere.wanted("<secret:a>"))


def test_a_fingerprint_is_not_a_plain_hash_that_could_be_guessed_at() -> None:
    assert str(vault(b"1" * 32).seal(KEY).raw) != str(vault(b"2" * 32).seal(KEY).raw)


def test_what_was_given_or_read_can_be_written_back_and_nothing_else() -> None:
    one = vault(a=KEY)
    assert one.open(one.wanted("<secret:a>")) == KEY
    old = one.seal("old one")
    assert one.open(old) == "old one"
    assert vault(a=KEY).open(one.seal("")) == ""
    with pytest.raises(UsageError, match="never stored"):
        vault(a=KEY).open(old)
    assert vault(some_old_one="old one").open(old) == "old one"


def test_a_secret_that_is_not_given_says_how_to_give_it() -> None:
    with pytest.raises(UsageError, match="sik_key is not given") as caught:
        vault().wanted("<secret:sik-key>")
    assert "DRONEKIT_CFG_SECRET_SIK_KEY" in caught.value.hint
    with pytest.raises(ValueError, match="write <secret:NAME>") as plain:
        vault().wanted(KEY)
    assert KEY not in str(plain.value)


def test_a_text_on_its_way_to_a_screen_loses_every_secret_of_this_run() -> None:
    one = vault(a=KEY, tiny="ab")
    one.seal("read from the radio")
    assert one.redact(f"ERROR {KEY} / read from the radio / ab") == "ERROR <secret:a> / <secret> / ab"


def test_hushing_nests_and_ends() -> None:
    one = vault()
    with one.hush(), one.hush():
        assert one.hushed
    assert not one.hushed
