"""One setting changed in the text of the host config, its comments kept."""

from __future__ import annotations

import re
import tomllib

from taskmux.toml import Keys, Unknown, Wrong, decode, inside, split

from .read import FIELDS, FREE, complaint, read

FILE = "the host config"

_PLAIN = re.compile(r"true|false|[+-]?[0-9_]+(\.[0-9]+)?")


def change(text: str, key: str, value_text: str) -> str:
    """Return `text` with a dotted key set to what `value_text`, from a command line, means.

    Within `tunnel` and `plugin` it means a string, unless it is `true` or
    `false`. Raises as `load` does, and if the result would not load.
    """
    from taskmux.toml.edit import set_value

    keys = split(key) or (key,)
    decode(text, FILE)
    try:
        changed = set_value(text, keys, _value(keys, value_text))
    except Wrong as wrong:
        raise complaint(wrong) from None
    read(decode(changed, FILE))
    return changed


def _value(keys: Keys, text: str) -> object:
    match keys:
        case (name, _, _, *_) if name in FREE:
            return {"true": True, "false": False}.get(text, text)
        case ("plugins", "disabled"):
            return [name.strip() for name in text.split(",") if name.strip()]
        case (name,) | (name, _) if name in FREE | {"plugins"}:
            example = "plugins.disabled" if name == "plugins" else f"{name}.NAME.KEY"
            raise Wrong("it is a table", f"set a key in it: {example}", keys)
        case (name,) if name in FIELDS:
            with inside(name):
                return _scalar(name, text)
        case _:
            raise Unknown(".".join(keys), FIELDS)


def _scalar(name: str, text: str) -> object:
    complaints = []
    for meant in (_plain(text), text):
        try:
            FIELDS[name](meant)
        except Wrong as wrong:
            complaints.append(wrong)
        else:
            return meant
    raise complaints[0]


def _plain(text: str) -> object:
    if not _PLAIN.fullmatch(text):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text
