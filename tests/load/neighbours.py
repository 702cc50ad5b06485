"""Scenarios of `pressure.py` in which one account harms another: raw clients without TLS.

Each scenario gets the port of a fresh server with default limits, and returns its conditions, with
whether each is met.
"""

import base64
import multiprocessing
import re
import socket
import threading
import time

# The size of a message, so that a burst within the rate limits consists of few stanzas.
PADDING = "x" * 8000

# A burst of one sender: more than the kernel and a client's queue hold.
BURST = 800

# Requests of strangers: `max_requests` of module `roster` is 200.
STRANGERS = 30

# The messages of the friend in `fair`: one each 50 ms, before and during the flood.
SPOKEN = 200


class Client:
    """A client of an account `userN`, with its input as text."""

    def __init__(self, port, number, resource, narrow=False):
        self.name = f"user{number}@localhost"
        self.text = ""
        self.socket = socket.socket()
        if narrow:
            # Little waits outside of the server.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        plain = base64.b64encode(f"\0user{number}\0pw".encode()).decode()
        self.open()
        self.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
                  f"{plain}</auth>")
        self.until("<success")
        self.open()
        self.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                  f"<resource>{resource}</resource></bind></iq>")
        self.until("</iq>")

    def open(self):
        self.send("<stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
                  "xmlns:stream='http://etherx.jabber.org/streams'>")
        self.until("</stream:features>")

    def send(self, text):
        self.socket.sendall(text.encode())

    def until(self, end):
        """Returns the input up to `end`. Fails when the stream ends before."""
        parts, tail = [self.text], self.text
        while end not in tail:
            read = self.socket.recv(65536)
            if not read or b"<stream:error" in read:
                raise ConnectionError(f"the stream ended: {read[-300:]!r}")
            parts.append(read.decode(errors="replace"))
            tail = tail[-len(end):] + parts[-1]
        before, self.text = "".join(parts).split(end, 1)
        return before

    def sync(self):
        """Returns the input up to the answer of a ping: all that was sent before is handled."""
        self.send("<iq type='get' id='sync' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
        return self.until("id='sync'")

    def set(self, payload):
        """Whether a set is accepted."""
        self.send(f"<iq type='set' id='set'>{payload}</iq>")
        answer = self.until("id='set'").rpartition("<iq ")[2] + self.until(">")
        return "type='error'" not in answer

    def say(self, to, body, padding=PADDING):
        self.send(f"<message type='chat' to='{to}'><body>{body}</body>"
                  f"<x xmlns='urn:test:padding'>{padding}</x></message>")


def bodies(text, sender):
    """The bodies of a sender's whole messages that are not errors."""
    messages = re.findall(r"<message\b.*?</message>", text, re.S)
    return [re.search("<body>(.*?)</body>", message)[1] for message in messages
            if f"from='{sender}" in message and "<error" not in message]


def kick(port):
    """A stranger sends a burst to a client that does not read, then a friend sends."""
    reader = Client(port, 0, "slow", narrow=True)
    reader.send("<presence/>")
    reader.sync()
    stranger, friend = Client(port, 1, "s"), Client(port, 2, "f")
    for number in range(BURST):
        stranger.say(reader.name, number)
    refused = stranger.sync().count("<error")
    for number in range(11):
        friend.say(reader.name, number)
    returned = friend.sync().count("<error")
    try:
        got = reader.sync()
        reader.send("<presence type='unavailable'/><presence/>")
        got += reader.sync()
    except ConnectionError as error:
        return [(str(error), False)]
    came, burst = len(set(bodies(got, friend.name))), len(set(bodies(got, stranger.name)))
    return [
        (f"the friend: {came} arrived, {returned} came back, of 11", came + returned == 11),
        (f"the stranger: {burst} arrived, {refused} came back, of {BURST}",
         burst + refused == BURST),
    ]


def lockout(port):
    """Others and the owner fill all that an account keeps; a slow login gets it."""
    owner = Client(port, 0, "first")
    contacts = 0
    while contacts < 2000 and owner.set(
            f"<query xmlns='jabber:iq:roster'><item jid='c{contacts}@localhost' "
            f"name='{'n' * 1000}'/></query>"):
        contacts += 1
    others = []
    for number in range(20):
        others.append(Client(port, 0, f"other{number}"))
        others[-1].send(f"<presence><priority>-1</priority><status>{'s' * 7500}</status></presence>")
        others[-1].sync()
    asked = stored = 0
    for number in range(1, 1 + STRANGERS):
        stranger = Client(port, number, "x")
        stranger.send(f"<presence type='subscribe' to='{owner.name}'>"
                      f"<status>{'s' * 3800}</status></presence>")
        asked += "<error" not in stranger.sync()
        stranger.socket.close()
    stranger = Client(port, 1, "x")
    for number in range(400):
        stranger.say(owner.name, number)
    stored = 400 - stranger.sync().count("<error")
    owner.socket.close()
    slow = Client(port, 0, "slow")
    slow.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
    try:
        got = slow.sync()
    except ConnectionError as error:
        return [(str(error), False)]
    counts = {
        "contacts": (len(set(re.findall(r"<item jid='(c\d+)@", got))), contacts),
        # One domain has a quarter of the 128 KiB that an account keeps; an error for a request goes to
        # the bare JID, and so to no client here.
        "requests": (got.count("type='subscribe'"), min(asked, 32 * 1024 // 3900)),
        "presences": (len(set(re.findall(r"/other\d+'", got))), len(others)),
        "messages": (len(bodies(got, stranger.name)), stored),
    }
    return [(f"{got} of {kept} {what} arrived", got == kept and kept > 0)
            for what, (got, kept) in counts.items()]


def flood(port, number, to, stop):
    """Sends as fast as the server reads until `stop` is set."""
    client = Client(port, number, "flood")
    # The answers of refused messages are read, so that the sender is not slowed down by itself.
    threading.Thread(target=drain, args=(client,), daemon=True).start()
    while not stop.is_set():
        client.say(to, "flood")


def drain(client):
    try:
        while client.socket.recv(65536):
            pass
    except OSError:
        pass


def fair(port):
    """One sender at its limits writes to the same client as a friend."""
    reader, friend = Client(port, 0, "reader"), Client(port, 2, "friend")
    reader.send("<presence/>")
    reader.sync()
    arrived = {}

    def read():
        tail = ""
        while len(arrived) < 2 * SPOKEN:
            tail += reader.socket.recv(1 << 20).decode(errors="replace")
            now = time.monotonic()
            for number in re.findall(r"<body>n(\d+)</body>", tail):
                arrived.setdefault(int(number), now)
            tail = tail[-100:]

    def speak(numbers):
        sent = {}
        for number in numbers:
            sent[number] = time.monotonic()
            friend.say(reader.name, f"n{number}", "")
            time.sleep(0.05)
        return sent

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    sent = speak(range(SPOKEN))
    stop = multiprocessing.Event()
    flooder = multiprocessing.Process(target=flood, args=(port, 1, reader.name, stop))
    flooder.start()
    time.sleep(1)
    sent |= speak(range(SPOKEN, 2 * SPOKEN))
    refused = friend.sync().count("<error")
    stop.set()
    flooder.join(10)
    flooder.kill()
    reading.join(10)

    def p99(numbers):
        waits = sorted(arrived[number] - sent[number] for number in numbers if number in arrived)
        return waits[len(waits) * 99 // 100] if waits else float("inf")

    quiet, loud = p99(range(SPOKEN)), p99(range(SPOKEN, 2 * SPOKEN))
    # Less than 20 ms is the rig's own noise.
    ratio = loud / max(quiet, 0.02)
    return [
        (f"the friend's p99 {loud * 1000:.1f} ms, quiet {quiet * 1000:.1f} ms", ratio <= 3),
        (f"the friend: {len(arrived)} of {2 * SPOKEN} arrived, {refused} refused",
         len(arrived) == 2 * SPOKEN and refused == 0),
    ]


SCENARIOS = {"lockout": lockout, "kick": kick, "fair": fair}
