#!/usr/bin/env python3
"""Sends stanzas from one client to another, some of them mutated, and compares the readers.

All that arrives is read by expat, libxml2 and `rxml`, and must be one tree for all of them; a message
must have the content that was sent. The sender's stream may end, no other one. Needs Debian's
python3-lxml, a built `spondee` (SPONDEE) and the example `tree` of the crate `xmpp-xml`.
"""

import argparse
import random
import re
import select
import socket
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "federation"), str(HERE.parent / "oracles")]
from client import STREAMS, Client, Lost
from compare import Server
from trees import Refused, compare, element_tree, expat_tree, normal

# So many stanzas are sent to one stream of the receiver.
BATCH = 250

NAMES = ["body", "x", "y", "p:x", "q:body", "stream:error", "é", "a-b.c", "日本", "message", "iq",
         "\u0132", "\u2070", "a\u0300", "x" * 1024, "x" * 1025, "xml", "xmlfoo", "error", "\u0660"]
ATTRIBUTES = ["to", "from", "id", "type", "xml:lang", "xml:space", "p:a", "q:a", "a", "stream:a", "é",
              "\u017f", "xmlns:r", "xmlns:xml", "x" * 1024]
NAMESPACES = ["jabber:client", "jabber:server", "jabber:component:accept", "urn:one", "urn:two", "",
              STREAMS, "urn:it&apos;s", "urn:a b", "urn:{x}", "urn:é", "urn:a&amp;b", "http://a:1/b#c",
              "urn:%41", "urn:%4", "http://www.w3.org/XML/1998/namespace", "\n", "1:2"]
VALUES = ["", "a", "a b", "\t", "\r\n", "\n", "\r", "&#9;", "&#xA;", "&#13;", "&amp;", "&lt;", "&gt;", ">",
          "&apos;", "&quot;", "é", "\U0001F600", "&#x1F600;", "]]", "]]>", "/", "\x7f", "\u0085", "\u2028",
          "\ufffd", "\ufffe", "&#0;", "&nbsp;", "\0"]
TEXTS = VALUES + ["<![CDATA[<&]]>", "<![CDATA[]]>", "<![CDATA[\r\n]]]]>", "<!-- c -->", "<?pi?>", '"']


class Plain(Client):
    """A client without TLS that keeps the bytes of its stream."""

    def open(self):
        self.socket = Tap(self)
        self.header()

    def header(self):
        self.read = b""
        super().header()


class Tap:
    """A socket that notes what is read from it."""

    def __init__(self, client):
        self.client = client
        self.socket = socket.create_connection(("127.0.0.1", client.port), 20)

    def recv(self, size):
        data = self.socket.recv(size)
        self.client.read += data
        return data

    def __getattr__(self, name):
        return getattr(self.socket, name)


class Stanzas:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def odd(self, among, usual):
        """One of the first `usual` most of the time."""
        return self.random.choice(among if self.random.random() < 0.01 else among[:usual])

    def values(self, among, usual):
        return "".join(self.odd(among, usual) for _ in range(self.random.randint(0, 3)))

    def head(self):
        parts = {}
        for _ in range(self.random.randint(0, 3)):
            space = self.random.choice([" ", " ", "  ", "\n"])
            if self.random.random() < 0.5:
                name = self.random.choice(["xmlns", "xmlns:p", "xmlns:q"])
                # A prefix cannot be undeclared.
                value = self.odd(NAMESPACES, 8) or ("" if name == "xmlns" else "urn:x")
            else:
                name, value = self.odd(ATTRIBUTES, 6), self.values(VALUES, 6)
            quote = self.random.choice("'\"")
            key = name if self.random.random() < 0.99 else object()
            parts[key] = f"{space}{name}={quote}{value}{quote}"
        return "".join(parts.values())

    def content(self, depth):
        out = []
        for _ in range(self.random.randint(0, 3)):
            if depth and self.random.random() < 0.6:
                name, head = self.odd(NAMES, 11), self.head()
                # Most prefixes are declared.
                if ":" in name and self.random.random() < 0.9:
                    prefix = name.partition(":")[0]
                    declared = f" xmlns:{prefix}='{self.odd(NAMESPACES, 5)}'"
                    head = "" if prefix == "stream" else declared
                inside = self.content(depth - 1)
                out.append(f"<{name}{head}>{inside}</{name}>" if inside else f"<{name}{head}/>")
            else:
                text = self.odd(TEXTS, 19)
                out.append(text)
        return "".join(out)

    def mutate(self, stanza):
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(stanza))
            byte = self.random.choice(b"<>/&;#'\"=:! ?-[]x\0\t\r\n\xc0\xff\xed")
            match self.random.randrange(4):
                case 0:
                    stanza[at] = byte
                case 1:
                    stanza.insert(at, byte)
                case 2:
                    del stanza[at]
                case 3:
                    stanza[at:at] = stanza[at:at + self.random.randint(1, 9)]
        return stanza

    def next(self, number, to):
        kind, extra = self.random.choice([("message", " type='chat'"), ("message", ""),
                                          ("iq", " type='set'"), ("presence", "")])
        head = f"{kind} to='{to}' id='s{number}'{extra}"
        stanza = bytearray(f"<{head}>{self.content(3)}</{kind}>".encode())
        return bytes(self.mutate(stanza) if self.random.random() < 0.1 else stanza)


def wrap(stanza):
    return f"<s xmlns='jabber:client' xmlns:stream='{STREAMS}'>".encode() + stanza


def is_whole(stanza):
    """Whether these bytes are one element for expat."""
    depth, beside = 0, []

    def step(by):
        nonlocal depth
        depth += by

    parser = expat.ParserCreate(namespace_separator="\x01")
    parser.StartElementHandler = lambda *_: step(1)
    parser.EndElementHandler = lambda _: step(-1)
    parser.CharacterDataHandler = lambda text: depth == 1 and beside.append(text)
    try:
        parser.Parse(wrap(stanza), False)
    except expat.ExpatError:
        return False
    return depth == 1 and stanza.endswith(b">") and not beside


def content(tree):
    """A tree without its root's name and attributes, and with one content namespace."""
    return re.sub(r"^\([^ ]* (?:[^ ()]*\|[^ ()]*=[^ ()]* )*", "", normal(tree))


def inner_tree(stanza):
    """The tree of the only element within the wrapper."""
    tree = expat_tree(wrap(stanza) + b"</s>")
    return tree[tree.index(" ") + 1:-1]


class Run:
    def __init__(self, port, options):
        self.port, self.options = port, options
        self.stanzas = Stanzas(options.seed)
        self.delivered = self.refused = 0
        self.friend = self.login("user2")
        self.objections = []

    def login(self, user):
        return Plain(self.port, "localhost").login(user, "pw")

    def exchange(self, sender, receiver, stanza, marker):
        """Sends a stanza, then a marker. Returns whether the sender's stream lives."""
        def is_marked():
            return any(element.get("id") == "marker" for element in receiver.seen)

        end = time.monotonic() + 30
        sender.socket.sendall(stanza)
        if is_whole(stanza):
            sender.write(marker)
        else:
            # The server would wait for more.
            sender.socket.shutdown(socket.SHUT_WR)
        waiting = [sender, receiver]
        while not is_marked():
            ready = select.select([client.socket for client in waiting], [], [], 30)[0]
            for client in [client for client in waiting if client.socket in ready]:
                try:
                    client.pump(end)
                except Lost:
                    if client is receiver:
                        raise
                    waiting.remove(sender)
                    # What the sender has sent was delivered before.
                    self.friend.write(marker)
            if not ready:
                raise Lost("nothing arrived")
        return sender in waiting and is_whole(stanza)

    def check(self, receiver, sent):
        """Compares what arrived with what was sent."""
        for element in receiver.seen:
            stanza = sent.get(element.get("id"))
            if stanza is None:
                continue
            self.delivered += 1
            # What follows the first element ended the sender's stream.
            if not is_whole(stanza):
                continue
            try:
                theirs = inner_tree(stanza)
            except Refused as refused:
                self.objections.append(f"was delivered: {refused}\n    {stanza!r}")
                continue
            if content(element_tree(element)) != content(theirs):
                self.objections.append(f"arrived with another content\n    {stanza!r}\n"
                                       f"    {ElementTree.tostring(element)!r}")
        receiver.seen.clear()

    def run(self):
        sender, streams = self.login("user0"), []
        for first in range(0, self.options.count, BATCH):
            receiver = self.login("user1")
            marker = f"<message to='{receiver.jid}' id='marker'/>"
            for number in range(first, min(first + BATCH, self.options.count)):
                stanza = self.stanzas.next(number, receiver.jid)
                try:
                    if not self.exchange(sender, receiver, stanza, marker):
                        self.refused += 1
                        sender.socket.close()
                        sender = self.login("user0")
                    self.check(receiver, {f"s{number}": stanza})
                    sender.seen.clear()
                except (Lost, ElementTree.ParseError) as error:
                    self.objections.append(f"the receiver's stream ended: {error}\n    {stanza!r}")
                    return
            receiver.write("</stream:stream>")
            receiver.collect(5)
            streams.append(receiver.read)
        self.objections += compare(streams, self.options.target)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="the number of stanzas (100,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", type=Path, default=HERE.parent.parent / "target" / "debug",
                        help="the folder of the build that has examples/tree (target/debug)")
    options = parser.parse_args()
    server = Server("Spondee", "spondee.sh", LIMITS="none", USERS="3")
    with tempfile.TemporaryDirectory() as folder:
        server.provision(folder)
        server.start()
        try:
            run = Run(server.port, options)
            run.run()
            if not server.is_running():
                run.objections.append("the server died")
        finally:
            server.stop()
    for objection in run.objections[:20]:
        print(objection[:4000])
    print(f"{options.count} stanzas with seed {options.seed}: {run.delivered} arrived, {run.refused} ended "
          f"the sender's stream, {len(run.objections)} objections")
    sys.exit(bool(run.objections) or not run.delivered)


if __name__ == "__main__":
    main()
