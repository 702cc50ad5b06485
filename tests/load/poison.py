"""A scenario of `pressure.py`: XML that ends the stream of whoever reads it with expat."""

import sys
from pathlib import Path
from xml.etree import ElementTree

sys.path.append(str(Path(__file__).resolve().parent.parent / "federation"))
from client import Client, Lost

# Names and namespaces that a deployed parser refuses.
POISON = [
    "<\u0132 xmlns='urn:x'/>",
    "<x xmlns='urn:x'><\u2070/></x>",
    "<x xmlns='urn:x' \u017f='1'/>",
    "<\u0370:x xmlns:\u0370='urn:x'/>",
    "<x xmlns='urn:x' xmlns:\u0370='urn:y' \u0370:a='1'/>",
    "<x xmlns='urn:a b'/>",
    "<x xmlns='urn:{x}'/>",
    "<x xmlns='urn:\u00e9'/>",
    f"<{'x' * 60_000} xmlns='urn:x'/>",
]

# Where it stands: for a client that is online, for one that is not, or for whoever asks later.
PLACES = [
    "<message to='{online}'>{poison}</message>",
    "<iq to='{online}' type='get' id='1'>{poison}</iq>",
    "<presence to='{online}'>{poison}</presence>",
    "<presence>{poison}</presence>",
    "<message to='user2@localhost' type='chat'><body>hi</body>{poison}</message>",
    "<presence to='user2@localhost' type='subscribe'>{poison}</presence>",
    "<iq type='set' id='2'><vCard xmlns='vcard-temp'>{poison}</vCard></iq>",
    "<iq type='set' id='3'><query xmlns='jabber:iq:private'>{poison}</query></iq>",
]


def come(port, number):
    return Client(port, "localhost").login(f"user{number}", "pw")


def befriend(one, other):
    """Lets `other` see the presence of `one`, which is sent again at each login."""
    other.write(f"<presence to='{one.bare}' type='subscribe'/>")
    one.next(lambda element: element.get("type") == "subscribe")
    one.write(f"<presence to='{other.bare}' type='subscribed'/>")
    other.next(lambda element: element.get("type") == "subscribed")


def hear(client, friend, number):
    """Waits for a message of the friend."""
    friend.write(f"<message to='{client.jid}' id='n{number}'><body>still here?</body></message>")
    client.next(lambda element: element.get("id") == f"n{number}")


def is_ended(client, stanza):
    """Sends a stanza, and returns whether it ended the client's own stream."""
    client.write(stanza)
    try:
        client.query("get", "<ping xmlns='urn:xmpp:ping'/>", "localhost")
        return False
    except Lost:
        return True


def poison(port):
    """Gets the port of a fresh server with at least four accounts, and returns its conditions."""
    stanzas = [(place, poison) for place in PLACES for poison in POISON]
    stanza, kept = "", []
    try:
        online, friend, attacker = come(port, 1), come(port, 3), come(port, 0)
        befriend(attacker, online)
        for number, (place, poison) in enumerate(stanzas):
            stanza = place.format(online=online.jid, poison=poison)
            if is_ended(attacker, stanza):
                attacker = come(port, 0)
            else:
                kept.append(stanza[:80])
            hear(online, friend, number)
        stanza = "a login afterwards"
        for number, account in enumerate([0, 1, 2, 2], len(stanzas)):
            client = come(port, account)
            hear(client, friend, number)
            client.close()
    except (Lost, ElementTree.ParseError) as error:
        return [(f"a stream of another ended: {stanza[:80]}: {error}", False)]
    return [
        (f"{len(stanzas)} stanzas, {len(kept)} did not end the sender's stream {kept[:3]}", not kept),
        ("no stream of another ended, and 4 logins afterwards are served", True),
    ]
