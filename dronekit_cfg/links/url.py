"""Reads link URLs such as `serial:/dev/ttyACM0@115200` or `chaos+tcp:127.0.0.1:5760?loss=0.05`, and makes the links.

Grammar: `[wrapper+]...scheme:target[?option=value[&option=value]...]`. An option belongs to the outermost wrapper that
knows it, else to the link itself. A bare `/dev/...` or `COM3` is a serial port.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dronekit_cfg.errors import UsageError
from dronekit_cfg.events import Reporter, silent
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.grammar import NICKNAMES, SCHEMES, WRAPPERS, Options, Scheme, is_baud
from dronekit_cfg.text import t

__all__ = ["DEFAULT_BAUD", "LinkUrl", "Wrapper", "make_link", "parse"]

DEFAULT_BAUD = 115200

_Makers = Mapping[str, Callable[["LinkUrl", Clock], Link]]

_BARE_PORT = re.compile(r"(/dev/|\\\\\.\\COM\d|COM\d+(@|\?|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A prefix such as `chaos+` with the options that belong to it."""

    name: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LinkUrl:
    """A link URL, taken apart.

    `text` is what the user typed; `wrappers` go from the outermost to the innermost; `target` is what stands between
    `scheme:` and `?`, and `options` are those of the link itself.
    """

    text: str
    wrappers: tuple[Wrapper, ...]
    scheme: str
    target: str
    options: Mapping[str, str]


def _closest(word: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.5)), "")


def _split_query(text: str, query: str) -> dict[str, str]:
    """Take `a=1&b` apart into {"a": "1", "b": ""}; %XX is decoded, "+" is kept (it stands in file names)."""
    options: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if not part:
            continue
        if "%" in value:
            from urllib.parse import unquote

            value = unquote(value)
        if name in options:
            raise UsageError(
                t("{url}: option {name} is given twice", url=text, name=name), hint=t("give every option once")
            )
        options[name] = value
    return options


def _check_option(text: str, name: str, value: str, known: Options) -> None:
    fits, example = known[name]
    if not fits(value):
        raise UsageError(
            t("{url}: {name}={value} is not valid", url=text, name=name, value=value),
            hint=t("for example {name}={example}", name=name, example=example),
        )


def _unknown_option(text: str, name: str, known: Options) -> UsageError:
    message = t("{url}: unknown option {name}", url=text, name=name)
    near = _closest(name, known)
    if near:
        return UsageError(
            message, hint=t("did you mean {near}, for example {near}={value}?", near=near, value=known[near][1])
        )
    if known:
        return UsageError(message, hint=t("options here: {names}", names=", ".join(sorted(known))))
    return UsageError(message, hint=t("this link takes no options"))


def _scheme_of(text: str, name: str, known: Collection[str]) -> str:
    """Check a scheme name; raises `UsageError` with the closest known one."""
    if name in known:
        return name
    near = NICKNAMES.get(name) or _closest(name, known)
    if near in SCHEMES:
        hint = t("did you mean {example}?", example=SCHEMES[near].example)
    elif near:
        hint = t("did you mean {near}:?", near=near)
    else:
        hint = t(
            "links start with {names}; for example {example}",
            names=", ".join(f"{scheme}:" for scheme in sorted(known)),
            example=SCHEMES["serial"].example,
        )
    raise UsageError(t("{url}: unknown link {name}:", url=text, name=name), hint=hint)


def _split_head(text: str, known: Collection[str]) -> tuple[list[str], str, str]:
    """Give wrapper names, scheme, and what follows the colon."""
    rest = text
    names: list[str] = []
    while match := re.match(r"([A-Za-z_]+)\+", rest):
        name = match[1].lower()
        if name not in WRAPPERS:
            near = _closest(name, WRAPPERS) or "chaos"
            raise UsageError(
                t("{url}: unknown prefix {name}+", url=text, name=name),
                hint=t("did you mean {near}+, for example {near}+tcp:127.0.0.1:5760?", near=near),
            )
        names.append(name)
        rest = rest[match.end() :]
    if _BARE_PORT.match(rest):
        return names, "serial", rest
    scheme, colon, target = rest.partition(":")
    if not colon:
        raise UsageError(
            t("{url} is not a link URL", url=text or '""'),
            hint=t("write for example {a}, {b} or {c}", a="serial:/dev/ttyACM0@115200", b="serial:COM3", c="udp:14550"),
        )
    return names, _scheme_of(text, scheme.lower(), known), target


def parse(text: str, *, extra: Collection[str] = ()) -> LinkUrl:
    """Take a link URL apart; raises `UsageError` that names the closest scheme or option and an example.

    `extra` are further scheme names; their targets and options are judged by whoever makes such links.
    """
    text = text.strip()
    names, scheme, rest = _split_head(text, {*SCHEMES, *extra})
    target, _, query = rest.partition("?")
    left = _split_query(text, query)
    wrappers = []
    for name in names:
        known = WRAPPERS[name]
        mine = {option: left.pop(option) for option in list(left) if option in known}
        for option, value in mine.items():
            _check_option(text, option, value, known)
        wrappers.append(Wrapper(name, MappingProxyType(mine)))
    shape = SCHEMES.get(scheme, Scheme(f"{scheme}:", None))
    if shape.options is not None:
        reachable = dict(shape.options)
        for name in names:
            reachable |= WRAPPERS[name]
        for option, value in left.items():
            if option not in shape.options:
                raise _unknown_option(text, option, reachable)
            _check_option(text, option, value, shape.options)
    url = LinkUrl(text, tuple(wrappers), scheme, target, MappingProxyType(left))
    if scheme in SCHEMES:
        _check_target(url)
    _check_wrappers(url)
    return url


def _check_wrappers(url: LinkUrl) -> None:
    for wrapper in url.wrappers:
        if wrapper.name == "record" and "file" not in wrapper.options:
            raise UsageError(
                t("{url}: record+ needs a file", url=url.text),
                hint=t("for example {example}", example="record+serial:auto?file=session.jsonl"),
            )
        if "cut_for" in wrapper.options and "cut_after" not in wrapper.options:
            raise UsageError(
                t("{url}: cut_for needs cut_after", url=url.text), hint=t("for example cut_after=5&cut_for=3")
            )


def _bad_target(url: LinkUrl, why: str) -> UsageError:
    return UsageError(
        t("{url}: {why}", url=url.text, why=why), hint=t("for example {example}", example=SCHEMES[url.scheme].example)
    )


def _address(url: LinkUrl, text: str, *, host_needed: bool) -> tuple[str, int]:
    """Read `host:port`, `[v6]:port`, or `port` alone where the host may be left out."""
    host, colon, port = text.removeprefix("//").rstrip("/").rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise _bad_target(url, t("{port} is not a port (1 to 65535)", port=port or '""'))
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise _bad_target(url, t("write an IPv6 address in brackets"))
    if host_needed and not host:
        raise _bad_target(url, t("the host is missing") if not colon else t("the host before the port is missing"))
    return host, int(port)


def _device(url: LinkUrl, text: str) -> tuple[str, int]:
    """Read `device[@baud]`."""
    device, at, baud = text.rpartition("@")
    if not at:
        device, baud = text, str(DEFAULT_BAUD)
    if not is_baud(baud):
        raise _bad_target(url, t("{baud} is not a baud rate", baud=baud or '""'))
    if not device:
        raise _bad_target(url, t("the device is missing"))
    return device, int(baud)


def _check_target(url: LinkUrl) -> None:
    if url.scheme == "serial":
        _device(url, url.target)
    elif url.scheme == "rfc2217":
        _address(url, _device(url, url.target)[0], host_needed=True)
    elif url.scheme == "http":
        _web(url)
    elif url.scheme in ("tcp", "udpout", "udp"):
        _address(url, url.target, host_needed=url.scheme != "udp")
    elif not url.target:
        raise _bad_target(url, t("something must follow {scheme}:", scheme=url.scheme))


def _serial(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.serial_port import SerialLink

    device, baud = _device(url, url.target)
    return SerialLink(url.text, device, baud, clock, report=report)


def _rfc2217(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.rfc2217 import Rfc2217Link

    del report
    place, baud = _device(url, url.target)
    host, port = _address(url, place, host_needed=True)
    return Rfc2217Link(url.text, host, port, baud, clock)


def _tcp(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.tcp import TcpLink

    del clock, report
    return TcpLink(url.text, *_address(url, url.target, host_needed=True))


def _web(url: LinkUrl) -> tuple[str, int]:
    """Read `host[:port]`, also with slashes before and a slash behind, as browsers show it."""
    place = url.target.removeprefix("//").rstrip("/")
    return _address(url, place if re.search(r":\d+$", place) else f"{place}:80", host_needed=True)


def _http(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.http import HttpLink

    del report
    return HttpLink(url.text, *_web(url), clock)


def _udp(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.udp import UdpListenLink

    host, port = _address(url, url.target, host_needed=False)
    peer = url.options.get("peer")
    named: tuple[str, int] | None = None
    if peer is not None:
        named = _address(url, peer, host_needed=True) if re.search(r":\d+$", peer) else (peer, 0)
    return UdpListenLink(url.text, host, port, peer=named, clock=clock, report=report)


def _udpout(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.udp import UdpOutLink

    del report
    return UdpOutLink(url.text, *_address(url, url.target, host_needed=True), clock=clock)


def _replay(url: LinkUrl, clock: Clock, report: Reporter) -> Link:
    from dronekit_cfg.links.replay import ReplayLink

    del report
    strict = url.options.get("strict", "false") in ("", "1", "true")
    return ReplayLink(url.text, url.target, clock, strict=strict)


_MAKERS: Mapping[str, Callable[[LinkUrl, Clock, Reporter], Link]] = {
    "serial": _serial,
    "rfc2217": _rfc2217,
    "tcp": _tcp,
    "http": _http,
    "udp": _udp,
    "udpout": _udpout,
    "replay": _replay,
}


def _wrap(wrapper: Wrapper, inner: Link, clock: Clock, report: Reporter, hushed: Callable[[], bool] | None) -> Link:
    if wrapper.name == "record":
        from dronekit_cfg.links.record import RecordLink, never

        return RecordLink(inner, wrapper.options["file"], clock, report=report, hushed=hushed or never)
    from dronekit_cfg.links.chaos import ChaosLink, Faults

    return ChaosLink(inner, Faults.from_options(wrapper.options), clock)


def make_link(
    url: str,
    *,
    clock: Clock,
    extra: _Makers = MappingProxyType({}),
    report: Reporter = silent,
    hushed: Callable[[], bool] | None = None,
) -> Link:
    """Make the link that a URL names, with its wrappers, not opened; raises `UsageError`.

    `extra` makes links of schemes that live elsewhere (`sim`, `sitl`, `labgrid`); it is given the whole LinkUrl and
    must give a link whose `url` is `LinkUrl.text`. `report` hears what a person should know about the link;
    `hushed` tells recordings when to leave bytes out.
    """
    parsed = parse(url, extra=tuple(extra))
    if parsed.scheme in extra:
        link = extra[parsed.scheme](parsed, clock)
    elif parsed.scheme in _MAKERS:
        link = _MAKERS[parsed.scheme](parsed, clock, report)
    else:
        raise UsageError(
            t("{url}: {scheme}: links are not available here", url=url, scheme=parsed.scheme),
            hint=t("use another link, for example {example}", example=SCHEMES["serial"].example),
        )
    for wrapper in reversed(parsed.wrappers):
        link = _wrap(wrapper, link, clock, report, hushed)
    return link
